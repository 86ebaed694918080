/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree of hashes of a verity device.  Pure.
 *
 * The superblock is followed, at the next whole hash block, by the top of the tree: one
 * block of hashes, whose own hash is the root hash.  Each lower level follows the level
 * above.  A block holds a power of two of hashes.  If there is one data block there is
 * no tree, and the root hash is the hash of that block.
 *
 * Spec: Linux, Documentation/admin-guide/device-mapper/verity.rst, "Hash Tree"
 */
#include <errno.h>
#include <string.h>

#include "verity/image.h"
#include "verity/table.h"

/* log2 of how many hashes a block holds; negative if it does not hold two. */
static int hashes_per_block_bits(const struct verity_params *params)
{
	size_t count = params->root_hash_size ?
		       params->hash_block_size / params->root_hash_size : 0;
	int bits = -1;

	for (; count; count >>= 1)
		bits++;
	return bits < 1 ? -EBADMSG : bits;
}

/* How many hash blocks the tree has. */
static uint64_t count_hash_blocks(uint64_t data_blocks, int bits)
{
	uint64_t below = data_blocks, total = 0;

	while (below > 1) {
		below = ((below - 1) >> bits) + 1;
		total += below;
	}
	return total;
}

/**
 * verity_tree_find_top() - where the block is whose hash is the root hash
 * @params:     of the image; its root_hash_size counts as the size of all hashes
 * @data_size:  room for data in bytes
 * @hash_size:  room for superblock and tree in bytes
 * @ret_offset: in bytes from the superblock, or from the data if there is but one block
 *
 * Return: 0; -EBADMSG if data or tree do not fit into their rooms.
 */
int verity_tree_find_top(const struct verity_params *params, uint64_t data_size,
			 uint64_t hash_size, uint64_t *ret_offset)
{
	uint64_t start, blocks;
	int bits;

	if (!verity_table_is_block_size(params->data_block_size) ||
	    !verity_table_is_block_size(params->hash_block_size))
		return -EBADMSG;
	bits = hashes_per_block_bits(params);
	if (bits < 0 || !params->data_blocks ||
	    params->data_blocks > data_size / params->data_block_size)
		return -EBADMSG;
	start = params->hash_block_size > VERITY_SUPERBLOCK_SIZE ?
		params->hash_block_size : VERITY_SUPERBLOCK_SIZE;
	blocks = count_hash_blocks(params->data_blocks, bits);
	if (blocks && (hash_size < start ||
		       blocks > (hash_size - start) / params->hash_block_size))
		return -EBADMSG;
	*ret_offset = blocks ? start : 0;
	return 0;
}

/**
 * verity_tree_check_top() - whether a block hashes to the root hash
 * @params: of the image
 * @block:  the block that verity_tree_find_top() found
 * @size:   of @block in bytes
 *
 * Return: false if it does not; true if it does, and also for algorithms that we cannot
 * compute.
 */
bool verity_tree_check_top(const struct verity_params *params, const void *block,
			   size_t size)
{
	const struct digest_part salt = { params->salt, params->salt_size };
	const struct digest_part data = { block, size };
	/* the old format hashes the salt last */
	const struct digest_part parts[] = {
		params->version ? salt : data, params->version ? data : salt,
	};
	enum digest_alg alg = digest_alg_from_name(params->algorithm);
	struct digest digest;

	if (alg < 0)
		return true;
	digest_compute_parts(alg, parts, ARRAY_SIZE(parts), &digest);
	return params->root_hash_size == digest_size(alg) &&
	       !memcmp(params->root_hash, digest.bytes, digest_size(alg));
}
