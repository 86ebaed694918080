/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verity superblock of a hash partition or file, read by libcryptsetup. */
#include <errno.h>
#include <string.h>

#include <libcryptsetup.h>

#include "verity/image.h"
#include "verity/table.h"

static void devicep_free(struct crypt_device **device)
{
	crypt_free(*device);
}

static void say_nothing(int level, const char *text, void *ctx)
{
	(void)level;
	(void)text;
	(void)ctx;
}

static int take_params(struct crypt_device *device, struct verity_params *ret)
{
	struct crypt_params_verity info = { .hash_name = NULL };
	struct verity_params params = { .version = 0 };

	if (crypt_get_verity_info(device, &info) < 0)
		return VERITY_IMAGE_BAD_SUPERBLOCK;
	if (info.hash_type > 1 || info.salt_size > sizeof(params.salt) ||
	    (info.salt_size && !info.salt) || !info.data_size ||
	    !info.hash_name || !verity_table_is_algorithm(info.hash_name) ||
	    !verity_table_is_block_size(info.data_block_size) ||
	    !verity_table_is_block_size(info.hash_block_size))
		return VERITY_IMAGE_BAD_SUPERBLOCK;
	params.version = info.hash_type;
	params.data_block_size = info.data_block_size;
	params.hash_block_size = info.hash_block_size;
	params.data_blocks = info.data_size;
	params.salt_size = info.salt_size;
	if (info.salt_size)
		memcpy(params.salt, info.salt, info.salt_size);
	memcpy(params.algorithm, info.hash_name, strlen(info.hash_name));
	*ret = params;
	return 0;
}

/**
 * verity_superblock_read() - read how an image's hashes were made
 * @path: of the file they are in
 * @hash: where in it the superblock starts, and the hashes follow
 * @ret:  all but the root hash, which no superblock holds
 *
 * Return: 0; VERITY_IMAGE_BAD_SUPERBLOCK; -ENOMEM; a negative errno of opening @path.
 */
int verity_superblock_read(const char *path, const struct verity_area *hash,
			   struct verity_params *ret)
{
	_cleanup_(devicep_free) struct crypt_device *device = NULL;
	struct crypt_params_verity where = { .hash_area_offset = hash->offset };
	int r;

	if (hash->size < VERITY_SUPERBLOCK_SIZE)
		return VERITY_IMAGE_BAD_SUPERBLOCK;
	crypt_set_log_callback(NULL, say_nothing, NULL);
	r = crypt_init(&device, path);
	if (r < 0)
		return r;
	r = crypt_load(device, CRYPT_VERITY, &where);
	if (r < 0)
		return r == -ENOMEM ? r : VERITY_IMAGE_BAD_SUPERBLOCK;
	return take_params(device, ret);
}
