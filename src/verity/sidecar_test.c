/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/hex.h"
#include "test.h"
#include "verity/image.h"

#define HASH	"c13abddcffe2d0754060793229488848f5bcbdf533e208f25e88810178ce096d"

static void check_hash(const struct verity_root_hash *hash)
{
	char hex[DIGEST_HEX_MAX];

	hex_encode(hash->bytes, hash->size, hex);
	CHECK_STR(hex, HASH);
}

static void files_lie_beside_the_image(void)
{
	static const struct {
		const char *image, *want;
	} rows[] = {
		{ "/a/tools.raw", "/a/tools.verity" },
		{ "/a/tools.img", "/a/tools.img.verity" },
		{ "tools.raw.raw", "tools.raw.verity" },
		{ ".raw", ".raw.verity" },
		{ "/a.raw/b", "/a.raw/b.verity" },
		{ "", ".verity" },
	};
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_case = rows[i].image;
		CHECK_EQ(verity_sidecar_path(rows[i].image, ".verity", path,
					     sizeof(path)), 0);
		CHECK_STR(path, rows[i].want);
	}
	CHECK_EQ(verity_sidecar_path("12345", ".verity", path, 13), 0);
	CHECK_EQ(verity_sidecar_path("123456", ".verity", path, 13), -ENAMETOOLONG);
}

static void a_root_hash_file_is_hexadecimal(void)
{
	static const struct {
		const char *text;
		int want;
	} rows[] = {
		{ HASH, 0 }, { HASH "\n", 0 }, { HASH "\n\n", -EBADMSG },
		{ HASH " ", -EBADMSG }, { " " HASH, -EBADMSG }, { HASH "0", -EBADMSG },
		{ "", -EBADMSG }, { "\n", -EBADMSG }, { "c13a", -EBADMSG },
		{ HASH HASH "00", -EBADMSG },
		{ "sha256:" HASH, -EBADMSG },
	};
	struct verity_root_hash hash;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_case = rows[i].text;
		CHECK_EQ(verity_sidecar_parse(rows[i].text, strlen(rows[i].text), &hash),
			 rows[i].want);
		if (!rows[i].want)
			check_hash(&hash);
	}
	CHECK_EQ(verity_sidecar_parse(HASH "\0", sizeof(HASH), &hash), -EBADMSG);
	CHECK_EQ(verity_sidecar_parse(HASH HASH, 128, &hash), 0);
	CHECK_EQ(hash.size, 64);
}

static void two_uuids_make_a_root_hash(void)
{
	static const char *const rows[] = {
		"", "f5bcbdf5-33e2-08f2-5e88-810178ce096",
		"f5bcbdf533e208f25e88810178ce096d",
		"f5bcbdf5-33e2-08f2-5e88-810178ce096g",
		"------------------------------------",
		"f5bcbdf5333e2208f2225e881810178ce096",
	};
	static const char data_uuid[] = "c13abddc-ffe2-d075-4060-793229488848";
	static const char hash_uuid[] = "f5bcbdf5-33e2-08f2-5e88-810178ce096d";
	struct verity_root_hash hash;

	CHECK_EQ(verity_sidecar_parse_uuids(data_uuid, hash_uuid, &hash), 0);
	check_hash(&hash);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_case = rows[i];
		CHECK_EQ(verity_sidecar_parse_uuids(data_uuid, rows[i], &hash), -EBADMSG);
		CHECK_EQ(verity_sidecar_parse_uuids(rows[i], data_uuid, &hash), -EBADMSG);
	}
}

static void a_signature_names_the_root_hash(void)
{
	static const char *const good[] = {
		"{\"rootHash\":\"" HASH "\",\"signature\":\"MIIB\"}",
		" {\"certificateFingerprint\":\"00\", \"signature\":\"MIIB\",\n"
		"\"rootHash\":\"" HASH "\"}",
	};
	static const char *const bad[] = {
		"", "{", "[]", "\"" HASH "\"", "null", HASH,
		"{\"rootHash\":\"" HASH "\"}",
		"{\"rootHash\":\"" HASH "\",\"signature\":\"\"}",
		"{\"rootHash\":\"" HASH "\",\"signature\":1}",
		"{\"rootHash\":1,\"signature\":\"MIIB\"}",
		"{\"rootHash\":null,\"signature\":\"MIIB\"}",
		"{\"rootHash\":\"" HASH "\\u0000x\",\"signature\":\"MIIB\"}",
		"{\"rootHash\":\"xyz\",\"signature\":\"MIIB\"}",
		"{\"rootHash\":\"" HASH "\",\"signature\":\"MIIB\"} {}",
		"{\"rootHash\":\"" HASH "\",\"signature\":\"MIIB\"",
		"{\"a\":[[[[[[[[[[1]]]]]]]]]],"
		"\"rootHash\":\"" HASH "\",\"signature\":\"MIIB\"}",
	};
	struct verity_root_hash hash;
	char padded[4096];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		test_case = good[i];
		memset(padded, 0, sizeof(padded));
		memcpy(padded, good[i], strlen(good[i]));
		CHECK_EQ(verity_sidecar_parse_signature(padded, sizeof(padded), &hash),
			 0);
		check_hash(&hash);
		CHECK_EQ(verity_sidecar_parse_signature(good[i], strlen(good[i]), &hash),
			 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		test_case = bad[i];
		CHECK_EQ(verity_sidecar_parse_signature(bad[i], strlen(bad[i]), &hash),
			 -EBADMSG);
	}
}

TEST_MAIN(files_lie_beside_the_image, a_root_hash_file_is_hexadecimal,
	  two_uuids_make_a_root_hash, a_signature_names_the_root_hash)
