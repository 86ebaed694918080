/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "test.h"
#include "verity/image.h"

static struct verity_params params_of(uint64_t data_blocks, size_t root_hash_size)
{
	return (struct verity_params){
		.version = 1, .algorithm = "sha256", .root_hash_size = root_hash_size,
		.data_block_size = 4096, .hash_block_size = 4096,
		.data_blocks = data_blocks,
	};
}

/* 4096 / 32 = 128 hashes in a block; 4096 / 48 = 85, of which 64 are used. */
static void the_tree_must_fit_to_the_block(void)
{
	static const struct {
		uint64_t data_blocks;
		size_t hash_size;
		uint64_t hash_blocks;	/* counted by hand */
	} rows[] = {
		{ 2, 32, 1 }, { 128, 32, 1 }, { 129, 32, 3 }, { 16384, 32, 129 },
		{ 16385, 32, 132 }, { 64, 48, 1 }, { 65, 48, 3 }, { 204, 20, 3 },
	};
	uint64_t offset;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct verity_params params = params_of(rows[i].data_blocks,
							      rows[i].hash_size);
		uint64_t data = rows[i].data_blocks * 4096;
		uint64_t hash = 4096 + rows[i].hash_blocks * 4096;

		CHECK_EQ(verity_tree_find_top(&params, data, hash, &offset), 0);
		CHECK_EQ(offset, 4096);
		CHECK_EQ(verity_tree_find_top(&params, data, hash - 1, &offset),
			 -EBADMSG);
		CHECK_EQ(verity_tree_find_top(&params, data - 1, hash, &offset),
			 -EBADMSG);
		CHECK_EQ(verity_tree_find_top(&params, data, 0, &offset), -EBADMSG);
	}
}

static void one_block_has_no_tree(void)
{
	const struct verity_params params = params_of(1, 32);
	uint64_t offset;

	CHECK_EQ(verity_tree_find_top(&params, 4096, 512, &offset), 0);
	CHECK_EQ(offset, 0);
}

static void small_blocks_start_after_the_superblock(void)
{
	struct verity_params params = params_of(16, 32);
	uint64_t offset;

	params.hash_block_size = 512;
	CHECK_EQ(verity_tree_find_top(&params, 65536, 1024, &offset), 0);
	CHECK_EQ(offset, 512);
}

static void sizes_that_cannot_be_are_refused(void)
{
	static const struct {
		uint64_t data_blocks;
		size_t hash_size;
		uint32_t data_block_size, hash_block_size;
	} rows[] = {
		{ 0, 32, 4096, 4096 }, { UINT64_MAX, 32, 4096, 4096 },
		{ UINT64_MAX / 4096 + 2, 32, 4096, 4096 }, { 2, 0, 4096, 4096 },
		{ 2, 512, 4096, 512 }, { 2, 32, 0, 4096 }, { 2, 32, 4096, 0 },
		{ 2, 32, 4096, 1U << 31 }, { 2, 32, 4095, 4096 },
	};
	uint64_t offset;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct verity_params params = params_of(rows[i].data_blocks,
							rows[i].hash_size);

		params.data_block_size = rows[i].data_block_size;
		params.hash_block_size = rows[i].hash_block_size;
		CHECK_EQ(verity_tree_find_top(&params, 1U << 30, 1U << 30, &offset),
			 -EBADMSG);
	}
}

/* SHA-256 of "salt" || "data", of "data" || "salt" and of "data", by sha256sum(1). */
static void the_salt_stands_where_the_format_says(void)
{
	static const struct {
		uint32_t version;
		const char *salt, *root_hash;
	} rows[] = {
		{ 1, "salt",
		  "418e1555fc77064e56cc3b872f826b87245374c337fecc5b625664ef118c9ab7" },
		{ 0, "salt",
		  "a76cbcd5c553e85862dc5d8ba462c264c5cddf418d040419c9e10f4106e6ee79" },
		{ 1, "",
		  "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7" },
		{ 0, "",
		  "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct verity_params params = params_of(1, 32);
		struct digest digest;

		CHECK_EQ(digest_from_hex(DIGEST_SHA256, rows[i].root_hash, &digest), 0);
		params.version = rows[i].version;
		params.salt_size = strlen(rows[i].salt);
		memcpy(params.salt, rows[i].salt, params.salt_size);
		memcpy(params.root_hash, digest.bytes, 32);
		CHECK(verity_tree_check_top(&params, "data", 4));
		CHECK(!verity_tree_check_top(&params, "Data", 4));
		params.root_hash_size = 31;
		CHECK(!verity_tree_check_top(&params, "data", 4));
	}
}

static void an_algorithm_we_do_not_have_is_not_checked(void)
{
	struct verity_params params = params_of(1, 32);

	memcpy(params.algorithm, "sm3", sizeof("sm3"));
	CHECK(verity_tree_check_top(&params, "data", 4));
}

TEST_MAIN(the_tree_must_fit_to_the_block, one_block_has_no_tree,
	  small_blocks_start_after_the_superblock, sizes_that_cannot_be_are_refused,
	  the_salt_stands_where_the_format_says,
	  an_algorithm_we_do_not_have_is_not_checked)
