/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "measure/measure.h"

#include <errno.h>

#include "test.h"

static struct verity_params example(void)
{
	return (struct verity_params){
		.version = 1, .algorithm = "sha256", .root_hash = { 0x00, 0xab, 0xff },
		.root_hash_size = 3, .salt = { 0x01, 0x20 }, .salt_size = 2,
		.data_block_size = 4096, .hash_block_size = 1024, .data_blocks = 7,
	};
}

static void a_word_has_every_parameter(void)
{
	struct verity_params params = example();
	char word[MEASURE_WORD_MAX];

	measure_word(&params, word);
	CHECK_STR(word, "dm-verity:v1:1:sha256:00abff:0120:4096:1024:7:-:none");
	params.salt_size = 0;
	(void)snprintf(params.options, sizeof(params.options), "a,b");
	params.kernel_signature = true;
	params.data_blocks = UINT64_MAX;
	params.version = 0;
	measure_word(&params, word);
	CHECK_STR(word, "dm-verity:v1:0:sha256:00abff:-:4096:1024:18446744073709551615:a,b:kernel");
}

static void an_unreadable_table_has_a_word_of_its_own(void)
{
	struct verity_params params = {
		.unreadable = true, .root_hash = { 0xab, 0xcd }, .root_hash_size = 2,
	};
	char word[MEASURE_WORD_MAX];

	measure_word(&params, word);
	CHECK_STR(word, "dm-verity:v1:unreadable:abcd");
}

static void the_longest_word_fits(void)
{
	struct verity_params params = {
		.version = UINT32_MAX, .root_hash_size = sizeof(params.root_hash),
		.salt_size = sizeof(params.salt), .data_block_size = UINT32_MAX,
		.hash_block_size = UINT32_MAX, .data_blocks = UINT64_MAX,
		.kernel_signature = true,
	};
	char word[MEASURE_WORD_MAX];

	memset(params.algorithm, 'a', sizeof(params.algorithm) - 1);
	memset(params.options, 'o', sizeof(params.options) - 1);
	measure_word(&params, word);
	CHECK_STR(word + strlen(word) - 7, ":kernel");
}

/* Digests as printf 'a\nb\n' | sha256sum gives them. */
static void a_set_knows_no_order(void)
{
	const char *forth[] = { "a", "b" }, *back[] = { "b", "a" };
	char one[128], other[128];

	CHECK_EQ(measure_word_set("p", forth, 2, one, sizeof(one)), 0);
	CHECK_EQ(measure_word_set("p", back, 2, other, sizeof(other)), 0);
	CHECK_STR(one, other);
	CHECK_STR(one, "set:v1:p:2:"
		  "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2");
}

static void an_empty_set_has_a_word(void)
{
	char word[128];

	CHECK_EQ(measure_word_set("p", NULL, 0, word, sizeof(word)), 0);
	CHECK_STR(word, "set:v1:p:0:"
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void the_same_word_twice_counts_twice(void)
{
	const char *once[] = { "a" }, *twice[] = { "a", "a" };
	char one[128], two[128];

	CHECK_EQ(measure_word_set("p", once, 1, one, sizeof(one)), 0);
	CHECK_EQ(measure_word_set("p", twice, 2, two, sizeof(two)), 0);
	CHECK(strcmp(one, two) != 0);
	CHECK(strcmp(one + strlen(one) - 64, two + strlen(two) - 64) != 0);
}

static void a_set_that_does_not_fit_is_refused(void)
{
	char word[128];

	CHECK_EQ(measure_word_set("p", NULL, 0, word, 75), -EMSGSIZE);
	CHECK_EQ(measure_word_set("p", NULL, 0, word, 76), 0);
}

static void phases_are_short_names(void)
{
	static const struct {
		const char *phase;
		bool valid;
	} cases[] = {
		{ "host-ready", true }, { "p", true }, { "2", true },
		{ "abcdefghijklmnopqrstuvwxyz012345", true },
		{ "abcdefghijklmnopqrstuvwxyz0123456", false },
		{ "", false }, { "Host", false }, { "a:b", false }, { "a b", false },
		{ "a\n", false }, { "\xc3\xa4", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		test_case = cases[i].phase;
		CHECK_EQ(measure_phase_is_valid(cases[i].phase), cases[i].valid);
	}
}

TEST_MAIN(a_word_has_every_parameter, an_unreadable_table_has_a_word_of_its_own,
	  the_longest_word_fits, a_set_knows_no_order, an_empty_set_has_a_word,
	  the_same_word_twice_counts_twice, a_set_that_does_not_fit_is_refused,
	  phases_are_short_names)
