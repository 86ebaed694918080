/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nvpcr/nvpcr.h"

#include <errno.h>

#include "nvpcr/private.h"
#include "test.h"

static void only_pcrs_that_nobody_resets_or_needs_may_be_the_gate(void)
{
	for (unsigned int pcr = 0; pcr < 32; pcr++) {
		char name[8];
		int expected = -EINVAL;

		(void)snprintf(name, sizeof(name), "%u", pcr);
		test_case = name;
		if (pcr == 8 || pcr == 9 || pcr == 13 || pcr == 14)
			expected = 0;
		CHECK_EQ(nvpcr_gate_check(pcr, false), pcr == 15 ? -EPERM : expected);
		CHECK_EQ(nvpcr_gate_check(pcr, true), pcr == 15 ? 0 : expected);
	}
}

static void a_gate_without_banks_needs_no_tpm(void)
{
	struct nvpcr_gate gate = { .pcr = 13 };

	CHECK_EQ(nvpcr_gate_extend(NULL, &gate, "word", 4), 0);
}

static void only_the_bad_firmware_is_spared_orderly_indices(void)
{
	static const struct {
		struct tpm_identity identity;
		bool quirk;
	} cases[] = {
		{ { "STM ", { 73u << 16 | 4, 0 } }, true },
		{ { "STM ", { 73u << 16 | 20, 7 } }, true },
		{ { "STM ", { 74u << 16 | 4, 0 } }, false },
		{ { "IFX ", { 73u << 16 | 4, 0 } }, false },
		{ { "", { 0, 0 } }, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_EQ(nvpcr_quirk_no_orderly(&cases[i].identity), cases[i].quirk);
}

TEST_MAIN(only_pcrs_that_nobody_resets_or_needs_may_be_the_gate,
	  a_gate_without_banks_needs_no_tpm,
	  only_the_bad_firmware_is_spared_orderly_indices)
