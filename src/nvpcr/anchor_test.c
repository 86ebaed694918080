/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nvpcr/nvpcr.h"

#include <errno.h>

#include "test.h"

#define H32	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define H48	"00112233445566778899aabbccddeeff" H32
#define ONE	"0x01805645:000b" H32 ":" H32
#define WIDE	"0x01805647:000c" H48 ":" H48

static void words_that_we_write_are_read_back(void)
{
	static const char *const words[] = {
		"nvpcr-anchor:v1:1:" ONE,
		"nvpcr-anchor:v1:2:" ONE ":" WIDE,
		"nvpcr-anchor:v1:mode=pcr:nv-space",
		"nvpcr-anchor:v1:mode=none:tpm-timeout",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct nvpcr_set set = { .n_nvpcrs = 1 };
		struct nvpcr_anchor anchor;
		char again[NVPCR_ANCHOR_MAX];

		test_case = words[i];
		CHECK_EQ(nvpcr_anchor_parse(words[i], &anchor), 0);
		if (anchor.n == 0) {
			set.nvpcrs[0].rung = anchor.rung;
			memcpy(set.reason, anchor.reason, sizeof(set.reason));
		} else {
			set.n_nvpcrs = anchor.n;
		}
		for (size_t j = 0; j < anchor.n; j++)
			set.nvpcrs[j] = (struct nvpcr){
				.def = { .index = anchor.handles[j] },
				.name = anchor.names[j],
				.value = anchor.values[j],
			};
		CHECK_EQ(nvpcr_anchor_word(&set, again), 0);
		CHECK_STR(again, words[i]);
	}
}

static void lower_rungs_are_not_named(void)
{
	struct nvpcr_set set = { .n_nvpcrs = 2, .nvpcrs = {
		{ .def = { .index = 0x01805644 }, .rung = NVPCR_RUNG_PCR },
	} };
	struct nvpcr_anchor anchor;
	char word[NVPCR_ANCHOR_MAX];

	CHECK_EQ(nvpcr_anchor_parse("nvpcr-anchor:v1:1:" ONE, &anchor), 0);
	set.nvpcrs[1] = (struct nvpcr){
		.def = { .index = anchor.handles[0] }, .rung = NVPCR_RUNG_NV,
		.name = anchor.names[0], .value = anchor.values[0],
	};
	CHECK_EQ(nvpcr_anchor_word(&set, word), 0);
	CHECK_STR(word, "nvpcr-anchor:v1:1:" ONE);
}

static void the_largest_set_fits(void)
{
	struct nvpcr_set set = { .n_nvpcrs = NVPCR_MAX };
	struct nvpcr_anchor anchor, again;
	char word[NVPCR_ANCHOR_MAX];

	CHECK_EQ(nvpcr_anchor_parse("nvpcr-anchor:v1:1:" WIDE, &anchor), 0);
	for (uint32_t i = 0; i < NVPCR_MAX; i++)
		set.nvpcrs[i] = (struct nvpcr){
			.def = { .index = 0x01805645 + i },
			.name = anchor.names[0], .value = anchor.values[0],
		};
	CHECK_EQ(nvpcr_anchor_word(&set, word), 0);
	CHECK_EQ(nvpcr_anchor_parse(word, &again), 0);
	CHECK_EQ(again.n, NVPCR_MAX);
}

static void other_spellings_are_refused(void)
{
	static const char *const words[] = {
		"",
		"nvpcr-anchor:v1:",
		"nvpcr-anchor:v2:1:" ONE,
		"nvpcr-anchor:v1:0",
		"nvpcr-anchor:v1:0:" ONE,
		"nvpcr-anchor:v1:01:" ONE,
		"nvpcr-anchor:v1:+1:" ONE,
		"nvpcr-anchor:v1: 1:" ONE,
		"nvpcr-anchor:v1:17:" ONE,
		"nvpcr-anchor:v1:2:" ONE,
		"nvpcr-anchor:v1:1:" ONE ":",
		"nvpcr-anchor:v1:1:" ONE ":" WIDE,
		"nvpcr-anchor:v1:2:" WIDE ":" ONE,
		"nvpcr-anchor:v1:2:" ONE ":" ONE,
		"nvpcr-anchor:v1:1:0x1805645:000b" H32 ":" H32,
		"nvpcr-anchor:v1:1:0x018056AB:000b" H32 ":" H32,
		"nvpcr-anchor:v1:1:01805645:000b" H32 ":" H32,
		"nvpcr-anchor:v1:1:0x01805645:000B" H32 ":" H32,
		"nvpcr-anchor:v1:1:0x01805645:000c" H32 ":" H32,
		"nvpcr-anchor:v1:1:0x01805645:0099" H32 ":" H32,
		"nvpcr-anchor:v1:1:0x01805645:000b" H32 ":" H48,
		"nvpcr-anchor:v1:1:0x01805645:000b:" H32,
		"nvpcr-anchor:v1:mode=pcr:",
		"nvpcr-anchor:v1:mode=pcr:Nv-Space",
		"nvpcr-anchor:v1:mode=pcr:nv space",
		"nvpcr-anchor:v1:mode=log:nv-space",
		"nvpcr-anchor:v1:mode=none:" H32,
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct nvpcr_anchor anchor;

		test_case = words[i];
		CHECK_EQ(nvpcr_anchor_parse(words[i], &anchor), -EBADMSG);
	}
}

TEST_MAIN(words_that_we_write_are_read_back,
	  lower_rungs_are_not_named,
	  the_largest_set_fits,
	  other_spellings_are_refused)
