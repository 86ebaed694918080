/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpm/fake_test.h"

#include "test.h"

#define V32	"1111111111111111111111111111111111111111111111111111111111111111"
#define V20	"2222222222222222222222222222222222222222"
#define PCR13	"03" "002000"
#define NONE	"03" "000000"

static void unallocated_banks_are_left_out(void)
{
	static const struct fake_step script[] = {
		{ .code = 0x17e, .response = "8001" "00000066" "00000000" "00000001"
		  "00000004" "0004" PCR13 "000b" PCR13 "000c" NONE "000d" NONE
		  "00000002" "0014" V20 "0020" V32 },
		{ 0 },
	};
	struct fake fake;
	struct tpm *tpm = fake_open(&fake, script, 1000);
	struct tpm_pcr pcr;

	CHECK_EQ(tpm_pcr_read(tpm, 13, &pcr), 0);
	CHECK_STR(fake.commands[0], "8001" "00000026" "0000017e" "00000004" "0004" PCR13
		  "000b" PCR13 "000c" PCR13 "000d" PCR13);
	CHECK_EQ(pcr.banks, 1u << DIGEST_SHA1 | 1u << DIGEST_SHA256);
	CHECK_EQ(pcr.values[DIGEST_SHA1].bytes[19], 0x22);
	CHECK_EQ(pcr.values[DIGEST_SHA1].bytes[20], 0);
	CHECK_EQ(pcr.values[DIGEST_SHA256].bytes[31], 0x11);
	tpm_close(tpm);
}

static void a_tpm_with_fewer_algorithms_is_asked_for_its_banks(void)
{
	static const struct fake_step script[] = {
		{ .code = 0x17e, .rc = 0x1c3 },
		{ .code = 0x17a, .response = "8001" "0000001f" "00000000" "00" "00000005"
		  "00000002" "0004" "03" "000000" "000b" "03" "ffffff" },
		{ .code = 0x17e, .response = "8001" "0000003e" "00000000" "00000001"
		  "00000001" "000b" PCR13 "00000001" "0020" V32 },
		{ 0 },
	};
	struct fake fake;
	struct tpm *tpm = fake_open(&fake, script, 1000);
	struct tpm_pcr pcr;

	CHECK_EQ(tpm_pcr_read(tpm, 13, &pcr), 0);
	CHECK_EQ(fake.n_commands, 3);
	CHECK_EQ(pcr.banks, 1u << DIGEST_SHA256);
	CHECK_EQ(pcr.values[DIGEST_SHA256].bytes[0], 0x11);
	tpm_close(tpm);
}

static void answers_that_make_no_sense_are_refused(void)
{
	static const struct {
		const char *name;
		const char *response;
	} cases[] = {
		{ "value missing", "8001" "0000001c" "00000000" "00000001"
		  "00000001" "000b" PCR13 "00000000" },
		{ "value too many", "8001" "0000003e" "00000000" "00000001"
		  "00000001" "000b" NONE "00000001" "0020" V32 },
		{ "value of another size", "8001" "00000032" "00000000" "00000001"
		  "00000001" "000b" PCR13 "00000001" "0014" V20 },
		{ "bank that was not asked for", "8001" "0000003e" "00000000" "00000001"
		  "00000001" "0012" PCR13 "00000001" "0020" V32 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fake_step script[] = {
			{ .code = 0x17e, .response = cases[i].response }, { 0 },
		};
		struct fake fake;
		struct tpm *tpm = fake_open(&fake, script, 1000);
		struct tpm_pcr pcr;

		test_case = cases[i].name;
		CHECK_EQ(tpm_pcr_read(tpm, 13, &pcr), -EBADMSG);
		tpm_close(tpm);
	}
}

static void identity_is_read_in_one_command(void)
{
	static const struct fake_step script[] = {
		{ .code = 0x17a, .response = "8001" "0000002b" "00000000" "01" "00000006"
		  "00000003" "00000105" "53544d20" "0000010b" "00490004" "0000010c" "00000007" },
		{ 0 },
	};
	struct tpm_identity identity;
	struct fake fake;
	struct tpm *tpm = fake_open(&fake, script, 1000);

	CHECK_EQ(tpm_identify(tpm, &identity), 0);
	CHECK_EQ(fake.n_commands, 1);
	CHECK_STR(identity.manufacturer, "STM ");
	CHECK_EQ(identity.firmware[0], 0x00490004);
	CHECK_EQ(identity.firmware[1], 7);
	tpm_close(tpm);
}

TEST_MAIN(unallocated_banks_are_left_out,
	  a_tpm_with_fewer_algorithms_is_asked_for_its_banks,
	  answers_that_make_no_sense_are_refused,
	  identity_is_read_in_one_command)
