/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables in the shapes that verity_status() of Linux 6.1 and 6.12 prints them in.
 */
#include "verity/table.h"

#include <errno.h>

#include "base/hex.h"
#include "test.h"

#define SALT	"1111111111111111111111111111111111111111111111111111111111111111"
#define ROOT	"c13abddcffe2d0754060793229488848f5bcbdf533e208f25e88810178ce096d"
#define FIXED	"1 259:0 259:1 4096 4096 66 1 sha256 " ROOT " " SALT
#define FEC	"use_fec_from_device 259:1 fec_blocks 68 fec_start 70 fec_roots 2"
#define ROOT512	ROOT ROOT

/* All there is to know, in one line. */
static int parse(const char *table, char *ret, size_t ret_size)
{
	char root_hash[DIGEST_HEX_MAX], salt[2 * VERITY_SALT_MAX + 1];
	struct verity_params params;
	int r;

	r = verity_table_parse(table, &params);
	if (r < 0)
		return r;
	hex_encode(params.root_hash, params.root_hash_size, root_hash);
	hex_encode(params.salt, params.salt_size, salt);
	snprintf(ret, ret_size, "%u|%s|%s|%s|%u|%u|%llu|%s|%d", params.version,
		 params.algorithm, root_hash, salt, params.data_block_size,
		 params.hash_block_size, (unsigned long long)params.data_blocks,
		 params.options, params.kernel_signature);
	return 0;
}

static void everything_that_decides_is_taken(void)
{
	static const struct {
		const char *table, *want;
	} rows[] = {
		{ FIXED, "1|sha256|" ROOT "|" SALT "|4096|4096|66||0" },
		{ "1 7:0 7:1 4096 4096 66 1 sha256 " ROOT " -",
		  "1|sha256|" ROOT "||4096|4096|66||0" },
		{ "0 7:0 7:0 512 1024 18446744073709551615 9 sha512 " ROOT512 " 00",
		  "0|sha512|" ROOT512 "|00|512|1024|18446744073709551615||0" },
		{ "1 254:3 254:4 4096 4096 1 0 sha256-generic " ROOT " -",
		  "1|sha256-generic|" ROOT "||4096|4096|1||0" },
		{ "1 7:0 7:1 4096 4096 66 1 hmac(sha1) "
		  "0123456789abcdef0123456789abcdef01234567 AbCd",
		  "1|hmac(sha1)|0123456789abcdef0123456789abcdef01234567|abcd|"
		  "4096|4096|66||0" },
		{ FIXED " ", "1|sha256|" ROOT "|" SALT "|4096|4096|66||0" },
	};
	char text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_case = rows[i].table;
		CHECK_EQ(parse(rows[i].table, text, sizeof(text)), 0);
		CHECK_STR(text, rows[i].want);
	}
}

static void options_that_decide_are_kept_and_sorted(void)
{
	static const struct {
		const char *options, *want;
		bool has_signature;
	} rows[] = {
		{ "", "", false },
		{ "0", "", false },
		{ "1 ignore_corruption", "ignore_corruption", false },
		{ "1 restart_on_corruption", "restart_on_corruption", false },
		{ "1 panic_on_corruption", "panic_on_corruption", false },
		{ "2 panic_on_corruption panic_on_error",
		  "panic_on_corruption,panic_on_error", false },
		{ "3 restart_on_corruption ignore_zero_blocks check_at_most_once",
		  "check_at_most_once,ignore_zero_blocks,restart_on_corruption", false },
		{ "2 check_at_most_once check_at_most_once", "check_at_most_once",
		  false },
		{ "1 try_verify_in_tasklet", "", false },
		{ "8 " FEC, "use_fec_from_device", false },
		{ "9 ignore_zero_blocks " FEC, "ignore_zero_blocks,use_fec_from_device",
		  false },
		{ "2 root_hash_sig_key_desc cryptsetup:x", "", true },
		{ "12 ignore_zero_blocks try_verify_in_tasklet " FEC
		  " root_hash_sig_key_desc ignore_corruption",
		  "ignore_zero_blocks,use_fec_from_device", true },
	};
	struct verity_params params;
	char table[1024];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_case = rows[i].options;
		snprintf(table, sizeof(table), FIXED " %s", rows[i].options);
		CHECK_EQ(verity_table_parse(table, &params), 0);
		CHECK_STR(params.options, rows[i].want);
		CHECK_EQ(params.kernel_signature, rows[i].has_signature);
	}
}

static void an_unheard_of_option_never_measures_like_none(void)
{
	static const struct {
		const char *options, *want;
	} rows[] = {
		{ "1 skip_everything", "skip_everything" },
		{ "2 skip 7", "7,skip" },
		{ "1 a,ignore_corruption", "a%2Cignore_corruption" },
		{ "1 a:none", "a%3Anone" },
		{ "1 a%2Cb", "a%252Cb" },
		{ "1 \xc3\xbc\n", "%C3%BC%0A" },
	};
	struct verity_params params;
	char table[1024];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_case = rows[i].options;
		snprintf(table, sizeof(table), FIXED " %s", rows[i].options);
		CHECK_EQ(verity_table_parse(table, &params), 0);
		CHECK_STR(params.options, rows[i].want);
	}
}

static void what_is_no_verity_table_is_refused(void)
{
	static const char *const rows[] = {
		"",
		"1",
		"1 259:0 259:1 4096 4096 66 1 sha256 " ROOT,
		"2 259:0 259:1 4096 4096 66 1 sha256 " ROOT " -",
		"-1 259:0 259:1 4096 4096 66 1 sha256 " ROOT " -",
		"1 259 259:1 4096 4096 66 1 sha256 " ROOT " -",
		"1 259:0 x:1 4096 4096 66 1 sha256 " ROOT " -",
		"1 :0 259:1 4096 4096 66 1 sha256 " ROOT " -",
		"1 259:0 259:4294967296 4096 4096 66 1 sha256 " ROOT " -",
		"1 259:0 259:1 0 4096 66 1 sha256 " ROOT " -",
		"1 259:0 259:1 4096 4095 66 1 sha256 " ROOT " -",
		"1 259:0 259:1 4096 256 66 1 sha256 " ROOT " -",
		"1 259:0 259:1 4294971392 4096 66 1 sha256 " ROOT " -",
		"1 259:0 259:1 4096 4096 66x 1 sha256 " ROOT " -",
		"1 259:0 259:1 4096 4096 18446744073709551616 1 sha256 " ROOT " -",
		"1 259:0 259:1 4096 4096 66 -1 sha256 " ROOT " -",
		"1 259:0 259:1 4096 4096 66 1 sha:256 " ROOT " -",
		"1 259:0 259:1 4096 4096 66 1 sha,256 " ROOT " -",
		"1 259:0 259:1 4096 4096 66 1 sha256 " ROOT "0 -",
		"1 259:0 259:1 4096 4096 66 1 sha256 - -",
		"1 259:0 259:1 4096 4096 66 1 sha512 " ROOT512 "00 -",
		"1 259:0 259:1 4096 4096 66 1 sha256 " ROOT " 1",
		"1 259:0 259:1 4096 4096 66 1 sha256 " ROOT " zz",
		FIXED " ignore_corruption",
		FIXED " 2 ignore_corruption",
		FIXED " 1 ignore_corruption more",
		FIXED " 0 ignore_corruption",
		FIXED " 65 ignore_corruption",
		FIXED " 1 fec_roots",
		FIXED " 1 root_hash_sig_key_desc",
		FIXED " -",
	};
	char text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_case = rows[i];
		CHECK_EQ(parse(rows[i], text, sizeof(text)), -EBADMSG);
	}
}

/* A table of @n times @word after the fixed fields. */
static int parse_repeated(const char *word, int n, bool numbered)
{
	static char table[8192], text[8192];
	size_t used = (size_t)snprintf(table, sizeof(table), FIXED " %d", n);

	for (int i = 0; i < n; i++)
		used += (size_t)snprintf(table + used, sizeof(table) - used, " %s%.*d",
					 word, numbered ? 3 : 0, numbered ? i : 0);
	return parse(table, text, sizeof(text));
}

static void what_is_too_long_is_refused(void)
{
	static char salt[2 * (VERITY_SALT_MAX + 1) + 1], table[2048], algorithm[65];
	struct verity_params params;

	CHECK_EQ(parse_repeated("x", 64, false), 0);
	CHECK_EQ(parse_repeated("x", 65, false), -EBADMSG);
	CHECK_EQ(parse_repeated("option_", 46, true), 0);
	CHECK_EQ(parse_repeated("option_", 47, true), -EBADMSG);
	CHECK_EQ(parse_repeated(":::", 30, true), 0);
	CHECK_EQ(parse_repeated("::::::", 30, true), -EBADMSG);
	memset(salt, 'a', sizeof(salt) - 1);
	snprintf(table, sizeof(table), "1 7:0 7:1 4096 4096 66 1 sha256 " ROOT " %s",
		 salt);
	CHECK_EQ(verity_table_parse(table, &params), -EBADMSG);
	table[strlen(table) - 2] = '\0';
	CHECK_EQ(verity_table_parse(table, &params), 0);
	CHECK_EQ(params.salt_size, VERITY_SALT_MAX);
	memset(algorithm, 'a', 64);
	snprintf(table, sizeof(table), "1 7:0 7:1 4096 4096 66 1 %s " ROOT " -",
		 algorithm);
	CHECK_EQ(verity_table_parse(table, &params), -EBADMSG);
	snprintf(table, sizeof(table), "1 7:0 7:1 4096 4096 66 1 %s " ROOT " -",
		 algorithm + 1);
	CHECK_EQ(verity_table_parse(table, &params), 0);
}

static void the_data_device_is_found(void)
{
	uint32_t major, minor;

	CHECK_EQ(verity_table_data_device(FIXED, &major, &minor), 0);
	CHECK_EQ(major, 259);
	CHECK_EQ(minor, 0);
	CHECK_EQ(verity_table_data_device(" " FIXED, &major, &minor), 0);
	CHECK_EQ(verity_table_data_device("1", &major, &minor), -EBADMSG);
	CHECK_EQ(verity_table_data_device("1 /dev/loop0 7:1", &major, &minor), -EBADMSG);
	CHECK_EQ(verity_table_data_device("1 1111111111111111111111111111111111:1 7:1",
					  &major, &minor), -EBADMSG);
}

TEST_MAIN(everything_that_decides_is_taken, options_that_decide_are_kept_and_sorted,
	  an_unheard_of_option_never_measures_like_none,
	  what_is_no_verity_table_is_refused, what_is_too_long_is_refused,
	  the_data_device_is_found)
