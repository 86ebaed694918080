/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VERITY_IMAGE_H
#define VERITY_IMAGE_H

/* The parts of verity_image_read(). */
#include "base/cleanup.h"
#include "verity/verity.h"

#define VERITY_UUID_MAX		37	/* bytes, with NUL */
#define VERITY_SUPERBLOCK_SIZE	512

/**
 * struct verity_area - a part of a file
 * @is_present: there is one
 * @offset:     in bytes
 * @size:       in bytes; the area lies in the file
 * @uuid:       of the partition, in lower case; empty for a whole file
 */
struct verity_area {
	bool is_present;
	uint64_t offset;
	uint64_t size;
	char uuid[VERITY_UUID_MAX];
};

/**
 * struct verity_partitions - those of an image that belong together
 * @is_usr: they hold a /usr file system, not a root file system
 */
struct verity_partitions {
	bool is_usr;
	struct verity_area data;
	struct verity_area hash;
	struct verity_area signature;
};

/* Outcome of verity_gpt_read() besides enum verity_image_found. */
enum verity_gpt_found {
	VERITY_GPT_NONE = VERITY_IMAGE_FOUND_MAX,	/* no partition table at all */
};

int verity_gpt_read(int fd, uint64_t size, const char *architecture,
		    struct verity_partitions *ret) _must_check_;

int verity_superblock_read(const char *path, const struct verity_area *hash,
			   struct verity_params *ret) _must_check_;

int verity_tree_find_top(const struct verity_params *params, uint64_t data_size,
			 uint64_t hash_size, uint64_t *ret_offset) _must_check_;
bool verity_tree_check_top(const struct verity_params *params, const void *block,
			   size_t size);

/**
 * struct verity_root_hash - what a source says the root hash is
 * @size: in bytes; 0 as long as no source has said anything
 */
struct verity_root_hash {
	uint8_t bytes[DIGEST_SIZE_MAX];
	size_t size;
};

int verity_sidecar_path(const char *image, const char *suffix, char *ret,
			size_t ret_size) _must_check_;
int verity_sidecar_parse(const char *text, size_t size,
			 struct verity_root_hash *ret) _must_check_;
int verity_sidecar_parse_uuids(const char *data_uuid, const char *hash_uuid,
			       struct verity_root_hash *ret) _must_check_;
int verity_sidecar_parse_signature(const char *json, size_t size,
				   struct verity_root_hash *ret) _must_check_;

#endif /* VERITY_IMAGE_H */
