/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What reaches the TPM, and what becomes of its refusals and of a bad transport. */
#include "tpm/fake_test.h"

#include "base/clock.h"
#include "test.h"

#define HANDLE	0x01805645u
#define PASSWORD "00000009" "40000009" "0000" "00" "0000"

static const struct tpm_policy append = {
	.branch = TPM_BRANCH_WRITTEN, .pcr = 13,
	.a = { .alg = DIGEST_SHA256, .bytes = { 0xaa } },
	.b = { .alg = DIGEST_SHA256, .bytes = { 0xbb } },
};
static const struct tpm_policy first = {
	.branch = TPM_BRANCH_PCR, .pcr = 13,
	.a = { .alg = DIGEST_SHA256, .bytes = { 0xaa } },
	.b = { .alg = DIGEST_SHA256, .bytes = { 0xbb } },
};
static const struct digest data = { .alg = DIGEST_SHA256, .bytes = { 0xdd } };

#define TAIL31	"00000000000000000000000000000000000000000000000000000000000000"

/* Spec: TCG TPM 2.0 Library, Part 3; the octets are those a bare client sent. */
static void commands_are_those_of_the_specification(void)
{
	const struct tpm_nv_public public = {
		.handle = HANDLE, .name_alg = DIGEST_SHA256, .attributes = 0x0e060048,
		.policy = { .alg = DIGEST_SHA256, .bytes = { 0xcc } }, .data_size = 32,
	};
	struct tpm_name name;
	struct digest value;
	struct fake fake;
	struct tpm *tpm = fake_open(&fake, NULL, 1000);

	CHECK_EQ(tpm_nv_find(tpm, HANDLE, &name), 0);
	CHECK_STR(fake.commands[0], "8001" "0000000e" "00000169" "01805645");
	CHECK_EQ(name.size, 34);
	CHECK_EQ(name.bytes[33], 0xb9);
	CHECK_EQ(tpm_nv_undefine(tpm, HANDLE), 0);
	CHECK_STR(fake.commands[1], "8002" "0000001f" "00000122" "40000001" "01805645"
		  PASSWORD);
	CHECK_EQ(tpm_nv_define(tpm, &public), 0);
	CHECK_STR(fake.commands[2], "8002" "0000004d" "0000012a" "40000001" PASSWORD "0000"
		  "002e" "01805645" "000b" "0e060048" "0020" "cc" TAIL31 "0020");
	CHECK_EQ(tpm_nv_read(tpm, HANDLE, DIGEST_SHA256, &value), 0);
	CHECK_STR(fake.commands[3], "8002" "00000023" "0000014e" "40000001" "01805645"
		  PASSWORD "0020" "0000");
	CHECK_EQ(value.bytes[0], 0x22);
	CHECK_EQ(tpm_pcr_extend(tpm, 13, &data, 1), 0);
	CHECK_STR(fake.commands[4], "8002" "00000041" "00000182" "0000000d" PASSWORD
		  "00000001" "000b" "dd" TAIL31);
	CHECK_EQ(fake.n_commands, 5);
	CHECK_EQ(tpm_n_commands(tpm), 5);
	tpm_close(tpm);
}

static void an_extension_is_four_commands(void)
{
	static const struct {
		const struct tpm_policy *policy;
		const char *shown;
	} cases[] = {
		{ &append, "8001" "0000000f" "0000018f" "03000001" "01" },
		{ &first, "8001" "0000001a" "0000017f" "03000001" "0000" "00000001" "000b"
			  "03" "002000" },
	};
	struct fake fake;
	struct tpm *tpm = fake_open(&fake, NULL, 1000);
	struct tpm_name name;

	CHECK_EQ(tpm_nv_find(tpm, HANDLE, &name), 0);
	for (size_t i = 0; i < 2; i++) {
		fake.n_commands = 0;
		CHECK_EQ(tpm_nv_extend(tpm, HANDLE, cases[i].policy, &data), 0);
		CHECK_EQ(fake.n_commands, 4);
		CHECK(strstr(fake.commands[0], "00000176" "40000007" "40000007"));
		CHECK_STR(fake.commands[1], cases[i].shown);
		CHECK_STR(fake.commands[2], "8001" "00000056" "00000171" "03000001"
			  "00000002" "0020" "aa" TAIL31 "0020" "bb" TAIL31);
		CHECK(strncmp(fake.commands[3] + 12,
			      "00000136" "01805645" "01805645", 24) == 0);
		/* sessionAttributes before the HMAC: the session ends with the command */
		CHECK(strncmp(&fake.commands[3][120], "00" "0020", 6) == 0);
		CHECK(strstr(fake.commands[3], "0020" "dd" TAIL31));
	}
	tpm_close(tpm);
}

static void all_digests_go_into_one_command(void)
{
	const struct digest digests[] = {
		{ .alg = DIGEST_SHA1, .bytes = { 1 } }, { .alg = DIGEST_SHA512, .bytes = { 5 } },
	};
	struct fake fake;
	struct tpm *tpm = fake_open(&fake, NULL, 1000);

	CHECK_EQ(tpm_pcr_extend(tpm, 13, digests, 2), 0);
	CHECK_EQ(fake.n_commands, 1);
	CHECK_STR(fake.commands[0], "8002" "00000077" "00000182" "0000000d" PASSWORD
		  "00000002" "0004" "01" "00000000000000000000000000000000000000"
		  "000d" "05" TAIL31 TAIL31 "00");
	CHECK_EQ(tpm_pcr_extend(tpm, 13, digests, 0), -EINVAL);
	CHECK_EQ(fake.n_commands, 1);
	tpm_close(tpm);
}

static void a_busy_tpm_is_asked_again(void)
{
	static const struct fake_step script[] = {
		{ .code = 0x182, .rc = 0x922 }, { .code = 0x182, .rc = 0x908 },
		{ .code = 0x182, .rc = 0x90a }, { .code = 0x182, .rc = 0x920 },
		{ .code = 0x182, .rc = 0x923 }, { .code = 0x182, .rc = 0x922 },
		{ .code = 0x182, .rc = 0x922 }, { .code = 0x182, .rc = 0x922 }, { 0 },
	};
	struct fake fake;
	struct tpm *tpm = fake_open(&fake, script, 5000);

	CHECK_EQ(tpm_pcr_extend(tpm, 13, &data, 1), 0);
	CHECK_EQ(fake.n_commands, 9);
	CHECK_EQ(tpm_n_commands(tpm), 9);
	CHECK_EQ(tpm_rc(tpm), 0);
	tpm_close(tpm);
}

static void a_tpm_busy_past_the_deadline_has_refused(void)
{
	struct fake_step script[64] = { { 0 } };
	struct fake fake;
	struct tpm *tpm = fake_open(&fake, script, 40);
	uint64_t start = clock_us(CLOCK_MONOTONIC);

	for (size_t i = 0; i < 64; i++)
		script[i] = (struct fake_step){ .code = 0x182, .rc = 0x922 };
	CHECK_EQ(tpm_pcr_extend(tpm, 13, &data, 1), -EREMOTEIO);
	CHECK_EQ(tpm_rc(tpm), 0x922);
	CHECK(fake.n_commands < 10);
	CHECK(clock_us(CLOCK_MONOTONIC) - start < CLOCK_S);
	CHECK(!tpm_is_dead(tpm));
	fake.script = NULL;
	CHECK_EQ(tpm_pcr_extend(tpm, 13, &data, 1), 0);
	tpm_close(tpm);
}

static void a_changed_pcr_costs_a_flush_and_a_second_session(void)
{
	static const struct fake_step script[] = {
		{ .code = 0x136, .rc = 0x128 }, { 0 },
	};
	struct fake fake;
	struct tpm *tpm = fake_open(&fake, script, 1000);

	CHECK_EQ(tpm_nv_extend(tpm, HANDLE, &first, &data), 0);
	CHECK_EQ(fake.n_commands, 1 + 4 + 1 + 4);
	CHECK_STR(fake.commands[5], "8001" "0000000e" "00000165" "03000001");
	tpm_close(tpm);
}

static void a_refused_extension_leaves_no_session(void)
{
	static const struct {
		const char *name;
		struct fake_step script[3];
		size_t n_commands;
	} cases[] = {
		{ "StartAuthSession", { { .code = 0x176, .rc = 0x905 } }, 1 },
		{ "PolicyPCR", { { .code = 0x17f, .rc = 0x128 + 1 } }, 3 },
		{ "PolicyOR", { { .code = 0x171, .rc = 0x1c4 } }, 4 },
		{ "NV_Extend", { { .code = 0x136, .rc = 0x99d } }, 5 },
		{ "NV_Extend and FlushContext",
		  { { .code = 0x136, .rc = 0x99d }, { .code = 0x165, .rc = 0x1cb } }, 5 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake fake;
		struct tpm *tpm = fake_open(&fake, cases[i].script, 1000);

		test_case = cases[i].name;
		CHECK_EQ(tpm_nv_extend(tpm, HANDLE, &first, &data), -EREMOTEIO);
		CHECK_EQ(tpm_rc(tpm), cases[i].script[0].rc);
		CHECK_EQ(fake.n_commands, 1 + cases[i].n_commands);
		CHECK(!tpm_is_dead(tpm));
		tpm_close(tpm);
	}
}

static void after_a_transport_error_no_command_is_sent(void)
{
	static const struct {
		const char *name;
		struct fake_step step;
		int expected;
	} cases[] = {
		{ "deadline", { .code = 0x182, .error = -ETIMEDOUT }, -ETIMEDOUT },
		{ "kernel's deadline", { .code = 0x182, .error = -ETIME }, -ETIMEDOUT },
		{ "broken", { .code = 0x182, .error = -EPIPE }, -EIO },
		{ "empty", { .code = 0x182, .response = "" }, -EBADMSG },
		{ "short", { .code = 0x182, .response = "80010000000a000000" }, -EBADMSG },
		{ "wrong size", { .code = 0x182, .response = "80010000000b00000000" }, -EBADMSG },
		{ "wrong tag", { .code = 0x182, .response = "12340000000a00000000" }, -EBADMSG },
		{ "no session", { .code = 0x182, .response = "80020000000e0000000000000000" },
		  -EBADMSG },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fake_step script[] = { cases[i].step, { 0 } };
		struct fake fake;
		struct tpm *tpm = fake_open(&fake, script, 1000);

		test_case = cases[i].name;
		CHECK_EQ(tpm_pcr_extend(tpm, 13, &data, 1), cases[i].expected);
		CHECK(tpm_is_dead(tpm));
		CHECK_EQ(tpm_pcr_extend(tpm, 13, &data, 1), -ESHUTDOWN);
		CHECK_EQ(tpm_nv_extend(tpm, HANDLE, &append, &data), -ESHUTDOWN);
		CHECK_EQ(fake.n_commands, 1);
		tpm_close(tpm);
	}
}

static void what_is_not_there_is_an_outcome(void)
{
	static const struct fake_step script[] = {
		{ .code = 0x169, .rc = 0x18b }, { .code = 0x169, .rc = 0x18b },
		{ .code = 0x14e, .rc = 0x14a }, { .code = 0x14e, .rc = 0x28b },
		{ .code = 0x14e, .rc = 0x9a2 }, { 0 },
	};
	struct tpm_nv_public public;
	struct tpm_name name;
	struct digest value;
	struct fake fake;
	struct tpm *tpm = fake_open(&fake, script, 1000);

	CHECK_EQ(tpm_nv_find(tpm, HANDLE, &name), TPM_ABSENT);
	CHECK_EQ(tpm_nv_extend(tpm, HANDLE, &append, &data), TPM_ABSENT);
	CHECK_EQ(tpm_nv_read(tpm, HANDLE, DIGEST_SHA256, &value), TPM_UNWRITTEN);
	CHECK_EQ(tpm_nv_read(tpm, HANDLE, DIGEST_SHA256, &value), TPM_ABSENT);
	CHECK_EQ(tpm_nv_read(tpm, HANDLE, DIGEST_SHA256, &value), 0);
	CHECK(strstr(fake.commands[fake.n_commands - 1], "0000014e" "01805645" "01805645"));
	CHECK_EQ(tpm_nv_read_public(tpm, HANDLE, &public), 0);
	CHECK_EQ(public.handle, HANDLE);
	CHECK_EQ(public.attributes, 0x0e060048);
	CHECK_EQ(public.data_size, 32);
	CHECK_EQ(public.policy.bytes[31], 0x33);
	tpm_close(tpm);
}

/* No TPM knows an algorithm 0x0099, nor do we. */
static void an_index_of_another_algorithm_is_unknown(void)
{
	static const struct fake_step script[] = {
		{ .code = 0x169, .response = "8001" "00000040" "00000000" "002e" "01805645"
		  "0099" "0e060048" "0020" FAKE_POLICY "0020" "0004" "40000001" },
		{ .code = 0x169, .response = "8001" "00000040" "00000000" "002e" "01805645"
		  "0099" "0e060048" "0020" FAKE_POLICY "0020" "0004" "40000001" },
		{ 0 },
	};
	struct tpm_nv_public public;
	struct tpm_name name;
	struct fake fake;
	struct tpm *tpm = fake_open(&fake, script, 1000);

	CHECK_EQ(tpm_nv_find(tpm, HANDLE, &name), TPM_UNKNOWN_TYPE);
	CHECK_EQ(tpm_nv_read_public(tpm, HANDLE, &public), TPM_UNKNOWN_TYPE);
	CHECK(!tpm_is_dead(tpm));
	tpm_close(tpm);
}

static void many_indices_share_the_table(void)
{
	struct fake fake;
	struct tpm *tpm = fake_open(&fake, NULL, 1000);
	struct tpm_name name;

	for (uint32_t i = 0; i < 100; i++)
		CHECK_EQ(tpm_nv_find(tpm, HANDLE + i, &name), 0);
	CHECK_EQ(fake.n_commands, 100);
	CHECK_EQ(tpm_nv_extend(tpm, HANDLE + 99, &append, &data), 0);
	CHECK_EQ(fake.n_commands, 104);
	CHECK_EQ(tpm_nv_extend(tpm, HANDLE, &append, &data), 0);
	CHECK_EQ(fake.n_commands, 109);
	tpm_close(tpm);
}

static void refusals_are_said_in_words(void)
{
	static const struct {
		uint32_t rc;
		const char *text;
		bool about_tpm;
	} cases[] = {
		{ 0x14b, "no room for an NV index (0x14b)", false },
		{ 0x14c, "NV index exists already (0x14c)", false },
		{ 0x128, "a PCR changed meanwhile (0x128)", false },
		{ 0x1c4, "value is not the expected one (0x1c4)", false },
		{ 0x99d, "policy is not satisfied (0x99d)", false },
		{ 0x9a2, "wrong authorization (0x9a2)", false },
		{ 0x2c2, "inconsistent attributes (0x2c2)", false },
		{ 0x143, "TPM lacks the command (0x143)", false },
		{ 0x1ff, "TPM refused (0x1ff)", false },
		{ 0x101, "TPM is in failure mode (0x101)", true },
		{ 0x902, "no memory for objects (0x902)", true },
		{ 0x98e, "wrong authorization (0x98e)", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fake_step script[] = {
			{ .code = 0x182, .rc = cases[i].rc }, { 0 },
		};
		struct fake fake;
		struct tpm *tpm = fake_open(&fake, script, 1000);

		test_case = cases[i].text;
		CHECK_EQ(tpm_pcr_extend(tpm, 13, &data, 1), -EREMOTEIO);
		CHECK_STR(tpm_rc_describe(tpm), cases[i].text);
		CHECK_EQ(tpm_rc_is_about_tpm(tpm), cases[i].about_tpm);
		CHECK_EQ(tpm_pcr_extend(tpm, 13, &data, 1), 0);
		CHECK_STR(tpm_rc_describe(tpm), "");
		tpm_close(tpm);
	}
}

TEST_MAIN(commands_are_those_of_the_specification,
	  an_extension_is_four_commands,
	  all_digests_go_into_one_command,
	  a_busy_tpm_is_asked_again,
	  a_tpm_busy_past_the_deadline_has_refused,
	  a_changed_pcr_costs_a_flush_and_a_second_session,
	  a_refused_extension_leaves_no_session,
	  after_a_transport_error_no_command_is_sent,
	  what_is_not_there_is_an_outcome,
	  an_index_of_another_algorithm_is_unknown,
	  many_indices_share_the_table,
	  refusals_are_said_in_words)
