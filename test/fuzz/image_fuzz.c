/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first byte says what the others are: see the functions' names. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "verity/image.h"

#define UUIDS_SIZE	72	/* two of them, without a NUL */

static void take_signature(const char *text, size_t size)
{
	struct verity_root_hash hash;

	if (verity_sidecar_parse_signature(text, size, &hash) == 0)
		assert(hash.size >= 16 && hash.size <= DIGEST_SIZE_MAX);
}

static void take_root_hash(const char *text, size_t size)
{
	struct verity_root_hash hash;

	if (verity_sidecar_parse(text, size, &hash) == 0)
		assert(hash.size >= 16 && (size == hash.size * 2 ||
					   size == hash.size * 2 + 1));
}

static void take_uuids(const char *text, size_t size)
{
	char data_uuid[UUIDS_SIZE / 2 + 1], hash_uuid[UUIDS_SIZE / 2 + 1];
	struct verity_root_hash hash;

	if (size < UUIDS_SIZE)
		return;
	(void)snprintf(data_uuid, sizeof(data_uuid), "%.36s", text);
	(void)snprintf(hash_uuid, sizeof(hash_uuid), "%.36s", text + UUIDS_SIZE / 2);
	if (verity_sidecar_parse_uuids(data_uuid, hash_uuid, &hash) == 0)
		assert(hash.size == 32);
}

/* A file that holds @data; its name is put into @path. */
static int make_file(const char *data, size_t size, char path[static 32])
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

static void take_superblock(const char *data, size_t size)
{
	const struct verity_area area = { .is_present = true, .size = size };
	struct verity_params params;
	uint64_t offset;
	char path[32];
	int fd = make_file(data, size, path);

	if (verity_superblock_read(path, &area, &params) == 0) {
		assert(params.salt_size <= VERITY_SALT_MAX && params.algorithm[0]);
		params.root_hash_size = 32;
		if (verity_tree_find_top(&params, 1U << 20, size, &offset) == 0)
			assert(offset == 0 || offset + params.hash_block_size <= size);
	}
	(void)close(fd);
}

static void take_image(const char *data, size_t size)
{
	struct verity_image image;
	char path[32];
	int fd = make_file(data, size, path);

	if (verity_image_read(path, "x86-64", &image) == 0)
		assert(image.params.root_hash_size > 0 && image.origin[0]);
	(void)close(fd);
}

/* Whatever is said about an image, what is taken of it fits where it is put. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const takers[])(const char *, size_t) = {
		take_signature, take_root_hash, take_uuids, take_superblock, take_image,
	};

	if (size && data[0] >= '0' && data[0] < '0' + (int)ARRAY_SIZE(takers))
		takers[data[0] - '0']((const char *)data + 1, size - 1);
	return 0;
}
