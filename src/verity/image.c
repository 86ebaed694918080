/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an image file will activate as, from the file and those beside it.
 *
 * The superblock tells everything but the root hash.  That one may be told by several
 * sources; they must agree, and the top of the hash tree must hash to it.  Otherwise the
 * image would not activate, or not let a block of data through, and no word is promised.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "verity/image.h"

#define SIGNATURE_MAX	65536		/* bytes of a signature partition that are read */

static const char *const reasons[] = {
	[VERITY_IMAGE_NO_VERITY] = "it has neither a verity partition nor a .verity file",
	[VERITY_IMAGE_NO_ROOT_HASH] = "nothing names its root hash",
	[VERITY_IMAGE_CONFLICT] = "its root hash is named differently in two places",
	[VERITY_IMAGE_BAD_GPT] = "its partition table cannot be read",
	[VERITY_IMAGE_BAD_SUPERBLOCK] = "its verity superblock is missing or broken",
	[VERITY_IMAGE_WRONG_ROOT_HASH] = "its hash tree does not belong to its root hash",
	[VERITY_IMAGE_BAD_ROOT_HASH] = "what should name its root hash cannot be read",
	[VERITY_IMAGE_AMBIGUOUS] = "several of its partitions could be the one",
};
static_assert(ARRAY_SIZE(reasons) == VERITY_IMAGE_FOUND_MAX, "a text for every outcome");

/**
 * struct opened_image - an image whose parts have been found
 * @path:       as it was given
 * @fd:         of the image
 * @hash_path:  of the file that holds superblock and hash tree
 * @hash_fd:    of the same
 * @has_table:  it has a partition table, so the UUIDs say something
 * @parts:      where data, hashes and signature are
 */
struct opened_image {
	const char *path;
	int fd;
	char hash_path[PATH_MAX];
	int hash_fd;
	bool has_table;
	struct verity_partitions parts;
};

static void image_close(struct opened_image *image)
{
	closep(&image->hash_fd);
	closep(&image->fd);
}

/* Opens what can hold an image: a plain file or a block device. */
static int open_sized(const char *path, struct verity_area *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	off_t size;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return -ESPIPE;
	size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		return -errno;
	*ret = (struct verity_area){ .is_present = true, .size = (uint64_t)size };
	return take_fd(fd);
}

static int read_area(int fd, uint64_t offset, void *data, size_t size)
{
	char *p = data;

	while (size) {
		ssize_t n = pread(fd, p, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

/* An image without partitions keeps its hashes in a file beside it. */
static int find_hash_file(struct opened_image *image)
{
	int r;

	r = verity_sidecar_path(image->path, ".verity", image->hash_path,
				sizeof(image->hash_path));
	if (r < 0)
		return r;
	image->hash_fd = open_sized(image->hash_path, &image->parts.hash);
	if (image->hash_fd == -ENOENT)
		return VERITY_IMAGE_NO_VERITY;
	return image->hash_fd < 0 ? image->hash_fd : 0;
}

static int find_parts(struct opened_image *image, const char *architecture)
{
	struct verity_area file = { .is_present = false };
	int r;

	image->fd = open_sized(image->path, &file);
	if (image->fd < 0)
		return image->fd;
	r = verity_gpt_read(image->fd, file.size, architecture, &image->parts);
	if (r == VERITY_GPT_NONE) {
		image->parts.data = file;
		return find_hash_file(image);
	}
	if (r != 0)
		return r;
	if (strlen(image->path) >= sizeof(image->hash_path))
		return -ENAMETOOLONG;
	memcpy(image->hash_path, image->path, strlen(image->path) + 1);
	image->hash_fd = fcntl(image->fd, F_DUPFD_CLOEXEC, 0);
	image->has_table = true;
	return image->hash_fd < 0 ? -errno : 0;
}

/* A source has spoken: it is the first, or must say the same as those before. */
static int agree(struct verity_root_hash *known, const struct verity_root_hash *said,
		 struct verity_image *image, const char *origin)
{
	if (known->size)
		return known->size == said->size &&
		       !memcmp(known->bytes, said->bytes, said->size) ?
		       0 : VERITY_IMAGE_CONFLICT;
	*known = *said;
	(void)snprintf(image->origin, sizeof(image->origin), "%s", origin);
	return 0;
}

/* What there is to read is a source; what cannot be read of it is an error. */
static int ask_file(const struct opened_image *image, const char *suffix,
		    struct verity_root_hash *known, struct verity_image *ret)
{
	_cleanup_close_ int fd = -1;
	struct verity_root_hash said;
	struct verity_area file = { .is_present = false };
	char path[PATH_MAX], text[DIGEST_HEX_MAX + 1];
	int r;

	r = verity_sidecar_path(image->path, suffix, path, sizeof(path));
	if (r < 0)
		return r;
	fd = open_sized(path, &file);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (file.size > sizeof(text))
		return VERITY_IMAGE_BAD_ROOT_HASH;
	r = read_area(fd, 0, text, (size_t)file.size);
	if (r < 0)
		return r;
	if (verity_sidecar_parse(text, (size_t)file.size, &said) < 0)
		return VERITY_IMAGE_BAD_ROOT_HASH;
	return agree(known, &said, ret, suffix);
}

static int ask_attribute(const struct opened_image *image, const char *name,
			 struct verity_root_hash *known, struct verity_image *ret)
{
	struct verity_root_hash said;
	char text[DIGEST_HEX_MAX + 1];
	ssize_t n = fgetxattr(image->fd, name, text, sizeof(text));

	if (n < 0 && (errno == ENODATA || errno == ENOTSUP))
		return 0;
	if (n < 0)
		return errno == ERANGE ? VERITY_IMAGE_BAD_ROOT_HASH : -errno;
	if (verity_sidecar_parse(text, (size_t)n, &said) < 0)
		return VERITY_IMAGE_BAD_ROOT_HASH;
	return agree(known, &said, ret, name);
}

static int ask_signature(const struct opened_image *image,
			 struct verity_root_hash *known, struct verity_image *ret)
{
	const struct verity_area *area = &image->parts.signature;
	_cleanup_free_ char *text = NULL;
	struct verity_root_hash said;
	size_t size = area->size < SIGNATURE_MAX ? (size_t)area->size : SIGNATURE_MAX;
	int r;

	if (!area->is_present)
		return 0;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	r = read_area(image->fd, area->offset, text, size);
	if (r < 0)
		return r;
	r = verity_sidecar_parse_signature(text, size, &said);
	if (r < 0)
		return r == -ENOMEM ? r : VERITY_IMAGE_BAD_ROOT_HASH;
	ret->has_signature = true;
	return agree(known, &said, ret, "signature partition");
}

/*
 * Two UUIDs hold 256 bits: all of a root hash of that size, and of a longer one enough
 * to contradict it.
 */
static int ask_uuids(const struct opened_image *image, struct verity_root_hash *known,
		     struct verity_image *ret)
{
	enum digest_alg alg = digest_alg_from_name(ret->params.algorithm);
	struct verity_root_hash said;
	size_t half;

	if (!image->has_table ||
	    verity_sidecar_parse_uuids(image->parts.data.uuid, image->parts.hash.uuid,
				       &said) < 0)
		return 0;
	half = said.size / 2;
	if (known->size >= half) {
		const uint8_t *tail = known->bytes + known->size - half;

		return !memcmp(known->bytes, said.bytes, half) &&
		       !memcmp(tail, said.bytes + half, half) ?
		       0 : VERITY_IMAGE_CONFLICT;
	}
	if (alg < 0 || digest_size(alg) != said.size)
		return 0;
	return agree(known, &said, ret, "partition UUIDs");
}

/* Files and attributes have names for root and for /usr; the parts say which count. */
static int ask_beside(const struct opened_image *image, struct verity_root_hash *known,
		      struct verity_image *ret)
{
	static const struct {
		const char *file, *attribute, *signature;
	} names[] = {
		{ ".roothash", "user.verity.roothash", ".roothash.p7s" },
		{ ".usrhash", "user.verity.usrhash", ".usrhash.p7s" },
	};
	char path[PATH_MAX];
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (image->has_table && image->parts.is_usr != (i == 1))
			continue;
		r = ask_file(image, names[i].file, known, ret);
		if (r == 0)
			r = ask_attribute(image, names[i].attribute, known, ret);
		if (r == 0)
			r = verity_sidecar_path(image->path, names[i].signature, path,
						sizeof(path));
		if (r != 0)
			return r;
		if (access(path, F_OK) == 0)
			ret->has_signature = true;
	}
	return 0;
}

static int find_root_hash(const struct opened_image *image, struct verity_image *ret)
{
	struct verity_root_hash known = { .size = 0 };
	int r;

	r = ask_beside(image, &known, ret);
	if (r == 0)
		r = ask_signature(image, &known, ret);
	if (r == 0)
		r = ask_uuids(image, &known, ret);
	if (r != 0)
		return r;
	if (!known.size)
		return VERITY_IMAGE_NO_ROOT_HASH;
	memcpy(ret->params.root_hash, known.bytes, known.size);
	ret->params.root_hash_size = known.size;
	return 0;
}

static int check_tree(const struct opened_image *image,
		      const struct verity_params *params)
{
	const struct verity_partitions *parts = &image->parts;
	_cleanup_free_ void *block = NULL;
	uint64_t offset;
	size_t size;
	int r;

	if (verity_tree_find_top(params, parts->data.size, parts->hash.size, &offset) < 0)
		return VERITY_IMAGE_BAD_SUPERBLOCK;
	size = offset ? params->hash_block_size : params->data_block_size;
	block = malloc(size);
	if (!block)
		return -ENOMEM;
	r = offset ? read_area(image->hash_fd, parts->hash.offset + offset, block, size) :
		     read_area(image->fd, parts->data.offset, block, size);
	if (r < 0)
		return r;
	return verity_tree_check_top(params, block, size) ?
	       0 : VERITY_IMAGE_WRONG_ROOT_HASH;
}

/**
 * verity_image_read() - find out what an image will activate as
 * @path:         of the image: a partitioned one, or a file system with .verity and
 *                .roothash files beside it
 * @architecture: whose partitions count, as the Discoverable Partitions Specification
 *                calls it, such as "x86-64"; this machine's if NULL
 * @ret:          what it will activate as if no options are given to the kernel
 *
 * Return: 0; an enum verity_image_found; -EINVAL if the architecture is unknown; -ESPIPE
 * if @path is neither a file nor a block device; -ENAMETOOLONG; -ENOMEM; a negative errno
 * of open(2) or read(2).
 */
int verity_image_read(const char *path, const char *architecture,
		      struct verity_image *ret)
{
	_cleanup_(image_close) struct opened_image image = {
		.path = path, .fd = -1, .hash_fd = -1,
	};
	struct verity_image found = { .has_signature = false };
	int r;

	r = find_parts(&image, architecture);
	if (r == 0)
		r = verity_superblock_read(image.hash_path, &image.parts.hash,
					   &found.params);
	if (r == 0)
		r = find_root_hash(&image, &found);
	if (r == 0)
		r = check_tree(&image, &found.params);
	if (r == 0)
		*ret = found;
	return r;
}

/**
 * verity_image_reason() - say why an image cannot be predicted
 * @found: outcome of verity_image_read()
 *
 * Return: a static sentence about the image, without a full stop.
 */
const char *verity_image_reason(int found)
{
	assert(found > 0 && found < VERITY_IMAGE_FOUND_MAX);
	return reasons[found];
}
