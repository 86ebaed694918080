/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What root can do to an NvPCR after the anchor, with the owner's empty password: it
 * can destroy it, but never make another history that passes for ours.
 */
#include "nvpcr/bench_test.h"

#define CC_SHUTDOWN	0x145u
#define CC_AUTH_CHANGE	0x129u
#define CC_WRITE	0x137u
#define CC_WRITE_LOCK	0x138u
#define CC_NV_AUTH	0x13bu
#define CC_READ_LOCK	0x14fu
#define RH_OWNER	0x40000001u
#define RH_LOCKOUT	0x4000000au
#define RS_PW		0x40000009u

#define RC_POLICY_FAIL_1	0x99du	/* policy not satisfied, first session */
#define RC_VALUE_1		0x1c4u	/* PolicyOR: digest not in the list */

static const char *const words[] = { "good one", "evil", "good two" };

/* A boot with three measurements, as root finds it. */
static bool attack_begin(struct bench *bench)
{
	if (!bench_begin(bench))
		return false;
	CHECK_EQ(boot(bench)->rung, NVPCR_RUNG_ORDERLY);
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(extend(bench, words[i]), 0);
	check_value(bench, words, 3);
	return true;
}

static void policy_of(const struct bench *bench, enum tpm_branch branch,
		      const struct digest *gate, struct tpm_policy *ret)
{
	*ret = (struct tpm_policy){ .branch = branch, .pcr = bench->set.gate.pcr };
	tpm_policy_pcr(DIGEST_SHA256, ret->pcr, gate, &ret->a);
	tpm_policy_nv_written(DIGEST_SHA256, &ret->b);
}

static int extend_by(struct bench *bench, enum tpm_branch branch, const char *word)
{
	struct tpm_policy policy;
	struct digest digest;

	policy_of(bench, branch, &bench->set.gate.values[DIGEST_SHA256], &policy);
	digest_compute(DIGEST_SHA256, word, strlen(word), &digest);
	return tpm_nv_extend(bench->tpm, BENCH_HANDLE, &policy, &digest);
}

static void redefine(struct bench *bench)
{
	struct tpm_nv_public public;

	nvpcr_public(&bench_def, &bench->set.gate, true, false, &public);
	(void)tpm_nv_undefine(bench->tpm, BENCH_HANDLE);
	CHECK_EQ(tpm_nv_define(bench->tpm, &public), 0);
}

/* Neither branch lets a history begin. */
static void check_no_genesis(struct bench *bench)
{
	CHECK_EQ(extend_by(bench, TPM_BRANCH_PCR, NVPCR_GENESIS_WORD), -EREMOTEIO);
	CHECK_EQ(tpm_rc(bench->tpm), RC_VALUE_1);
	CHECK_EQ(extend_by(bench, TPM_BRANCH_WRITTEN, NVPCR_GENESIS_WORD), -EREMOTEIO);
	CHECK_EQ(tpm_rc(bench->tpm), RC_POLICY_FAIL_1);
}

/* A policy session in which @branch has been shown. */
static uint32_t open_session(struct bench *bench, enum tpm_branch branch)
{
	struct tpm_policy policy;
	uint32_t session = 0;
	struct raw raw;

	policy_of(bench, branch, &bench->set.gate.values[DIGEST_SHA256], &policy);
	raw_begin(&raw, 0x8001, 0x176);		/* StartAuthSession */
	raw_u32(&raw, 0x40000007);
	raw_u32(&raw, 0x40000007);
	raw_digest(&raw, &(struct digest){ .alg = DIGEST_SHA256 });
	raw_u16(&raw, 0);
	raw_u8(&raw, 1);			/* TPM_SE_POLICY */
	raw_u16(&raw, 0x0010);
	raw_u16(&raw, 0x000b);
	CHECK_EQ(raw_run(&bench->swtpm, &raw, &session), 0);
	if (branch == TPM_BRANCH_PCR) {
		raw_begin(&raw, 0x8001, 0x17f);	/* PolicyPCR */
		raw_u32(&raw, session);
		raw_u16(&raw, 0);
		raw_u32(&raw, 1);
		raw_u16(&raw, 0x000b);
		raw_u32(&raw, 3u << 24 | 1u << (8 * (2 - policy.pcr / 8) + policy.pcr % 8));
	} else {
		raw_begin(&raw, 0x8001, 0x18f);	/* PolicyNvWritten */
		raw_u32(&raw, session);
		raw_u8(&raw, 1);
	}
	CHECK_EQ(raw_run(&bench->swtpm, &raw, NULL), 0);
	raw_begin(&raw, 0x8001, CC_POLICY_OR);
	raw_u32(&raw, session);
	raw_u32(&raw, 2);
	raw_digest(&raw, &policy.a);
	raw_digest(&raw, &policy.b);
	CHECK_EQ(raw_run(&bench->swtpm, &raw, NULL), 0);
	return session;
}

/* One command on the index with 32 octets of data, or none. */
static uint32_t run_on_index(struct bench *bench, uint32_t code, uint32_t auth_handle,
			     uint32_t session, bool data)
{
	struct raw raw;

	raw_begin(&raw, 0x8002, code);
	raw_u32(&raw, auth_handle);
	if (code != CC_NV_AUTH)
		raw_u32(&raw, BENCH_HANDLE);
	raw_auth(&raw, session);
	if (data)
		raw_digest(&raw, &(struct digest){ .alg = DIGEST_SHA256 });
	if (code == CC_WRITE)
		raw_u16(&raw, 0);
	return raw_run(&bench->swtpm, &raw, NULL);
}

static void flush(struct bench *bench, uint32_t session)
{
	struct raw raw;

	raw_begin(&raw, 0x8001, CC_FLUSH);
	raw_u32(&raw, session);
	(void)raw_run(&bench->swtpm, &raw, NULL);
}

static void the_append_policy_allows_nothing_but_appending(void)
{
	static const struct {
		const char *name;
		uint32_t code;
		bool data;
		uint32_t rc;
	} cases[] = {
		{ "NV_Write", CC_WRITE, true, 0x082 },
		{ "NV_WriteLock", CC_WRITE_LOCK, false, 0x282 },
		{ "NV_ReadLock", CC_READ_LOCK, false, 0x12f },
		{ "NV_ChangeAuth", CC_NV_AUTH, true, RC_POLICY_FAIL_1 },
	};
	struct bench bench;

	if (!attack_begin(&bench))
		return;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t session = open_session(&bench, TPM_BRANCH_WRITTEN);

		test_case = cases[i].name;
		CHECK_EQ(run_on_index(&bench, cases[i].code, BENCH_HANDLE, session,
				      cases[i].data), cases[i].rc);
		flush(&bench, session);
	}
	check_value(&bench, words, 3);
	bench_end(&bench);
}

static void no_password_extends_the_index(void)
{
	struct bench bench;

	if (!attack_begin(&bench))
		return;
	CHECK_EQ(run_on_index(&bench, CC_NV_EXTEND, BENCH_HANDLE, RS_PW, true), 0x12f);
	CHECK_EQ(run_on_index(&bench, CC_NV_EXTEND, RH_OWNER, RS_PW, true), 0x149);
	check_value(&bench, words, 3);
	bench_end(&bench);
}

static void an_identical_index_gets_no_genesis(void)
{
	struct bench bench;

	if (!attack_begin(&bench))
		return;
	redefine(&bench);
	check_no_genesis(&bench);
	bench_end(&bench);
}

static void a_weaker_policy_shows_in_the_name(void)
{
	static const char *const replay[] = { NVPCR_GENESIS_WORD, "good one", "good two" };
	struct tpm_nv_public public = {
		.handle = BENCH_HANDLE, .name_alg = DIGEST_SHA256,
		.attributes = (BENCH_ATTRIBUTES & ~TPM_NV_POLICYWRITE) | TPM_NV_ORDERLY |
			      0x4,				/* AUTHWRITE */
		.policy = { .alg = DIGEST_SHA256 }, .data_size = 32,
	};
	struct digest value, expected;
	struct bench bench;
	struct tpm_name name;

	if (!attack_begin(&bench))
		return;
	CHECK_EQ(tpm_nv_undefine(bench.tpm, BENCH_HANDLE), 0);
	CHECK_EQ(tpm_nv_define(bench.tpm, &public), 0);
	digest_zero(DIGEST_SHA256, &expected);
	for (size_t i = 0; i < 3; i++) {
		struct digest digest;
		struct raw raw;

		fold(&expected, replay[i]);
		digest_compute(DIGEST_SHA256, replay[i], strlen(replay[i]), &digest);
		raw_begin(&raw, 0x8002, CC_NV_EXTEND);
		raw_u32(&raw, BENCH_HANDLE);
		raw_u32(&raw, BENCH_HANDLE);
		raw_auth(&raw, RS_PW);
		raw_digest(&raw, &digest);
		CHECK_EQ(raw_run(&bench.swtpm, &raw, NULL), 0);
	}
	CHECK_EQ(nvpcr_read(bench.tpm, &bench.set.nvpcrs[0], &name, &value), 0);
	CHECK(digest_equal(&value, &expected));
	CHECK(!tpm_name_equal(&name, &bench.set.nvpcrs[0].name));
	bench_end(&bench);
}

static void another_gate_value_shows_in_the_name(void)
{
	struct tpm_nv_public public;
	struct tpm_policy policy;
	struct digest digest, value;
	struct bench bench;
	struct tpm_name name;
	struct tpm_pcr pcr;

	if (!attack_begin(&bench))
		return;
	CHECK_EQ(tpm_pcr_read(bench.tpm, BENCH_GATE, &pcr), 0);
	nvpcr_public(&bench_def, &bench.set.gate, true, false, &public);
	policy_of(&bench, TPM_BRANCH_PCR, &pcr.values[DIGEST_SHA256], &policy);
	tpm_policy_or(&policy.a, &policy.b, &public.policy);
	CHECK_EQ(tpm_nv_undefine(bench.tpm, BENCH_HANDLE), 0);
	CHECK_EQ(tpm_nv_define(bench.tpm, &public), 0);
	digest_compute(DIGEST_SHA256, NVPCR_GENESIS_WORD, strlen(NVPCR_GENESIS_WORD),
		       &digest);
	CHECK_EQ(tpm_nv_extend(bench.tpm, BENCH_HANDLE, &policy, &digest), 0);
	CHECK_EQ(nvpcr_read(bench.tpm, &bench.set.nvpcrs[0], &name, &value), 0);
	CHECK(!tpm_name_equal(&name, &bench.set.nvpcrs[0].name));
	bench_end(&bench);
}

static void clearing_the_tpm_does_not_open_the_gate(void)
{
	struct bench bench;
	struct raw raw;

	if (!attack_begin(&bench))
		return;
	raw_begin(&raw, 0x8002, CC_CLEAR);
	raw_u32(&raw, RH_LOCKOUT);
	raw_auth(&raw, RS_PW);
	CHECK_EQ(raw_run(&bench.swtpm, &raw, NULL), 0);
	redefine(&bench);
	check_no_genesis(&bench);
	bench_end(&bench);
}

static void a_suspend_does_not_open_the_gate(void)
{
	struct bench bench;

	if (!attack_begin(&bench))
		return;
	CHECK(swtpm_power_cycle(&bench.swtpm, true, TPM_SU_STATE, TPM_SU_STATE));
	redefine(&bench);
	check_no_genesis(&bench);
	bench_end(&bench);
}

/* State saved, more measured, power cut: the saved state must not come back. */
static void a_feigned_suspend_rolls_nothing_back(void)
{
	struct bench bench;

	if (!attack_begin(&bench))
		return;
	CHECK_EQ(raw_startup_type(&bench.swtpm, CC_SHUTDOWN, TPM_SU_STATE), 0);
	CHECK_EQ(extend(&bench, "to be forgotten"), 0);
	CHECK(!swtpm_power_cycle(&bench.swtpm, false, 0, TPM_SU_STATE));
	bench_end(&bench);
}

/* A session that showed the gate's value before the anchor closed it. */
static void a_session_from_before_the_anchor_is_void(void)
{
	struct bench bench;
	char word[NVPCR_ANCHOR_MAX];
	uint32_t session;

	if (!bench_begin(&bench))
		return;
	CHECK_EQ(nvpcr_allocate(bench.tpm, &bench.defs, BENCH_GATE, &bench.set), 0);
	session = open_session(&bench, TPM_BRANCH_PCR);
	CHECK_EQ(nvpcr_anchor_word(&bench.set, word), 0);
	CHECK_EQ(nvpcr_gate_extend(bench.tpm, &bench.set.gate, word, strlen(word)), 0);
	redefine(&bench);
	CHECK_EQ(run_on_index(&bench, CC_NV_EXTEND, BENCH_HANDLE, session, true),
		 TPM_RC_CODE_PCR_CHANGED);
	bench_end(&bench);
}

/* Why nvpcr_gate_check() refuses 16: the same session stays good, and the PCR can be
 * reset. */
static void a_resettable_gate_would_be_none(void)
{
	struct bench bench;
	char word[NVPCR_ANCHOR_MAX];
	uint32_t session;
	struct raw raw;

	CHECK_EQ(nvpcr_gate_check(16, true), -EINVAL);
	if (!bench_begin(&bench))
		return;
	CHECK_EQ(nvpcr_allocate(bench.tpm, &bench.defs, 16, &bench.set), 0);
	CHECK_EQ(bench.set.nvpcrs[0].rung, NVPCR_RUNG_ORDERLY);
	CHECK_EQ(nvpcr_anchor_word(&bench.set, word), 0);
	session = open_session(&bench, TPM_BRANCH_PCR);
	CHECK_EQ(nvpcr_gate_extend(bench.tpm, &bench.set.gate, word, strlen(word)), 0);
	redefine(&bench);
	CHECK_EQ(run_on_index(&bench, CC_NV_EXTEND, BENCH_HANDLE, session, true), 0);
	raw_begin(&raw, 0x8002, 0x13d);		/* PCR_Reset */
	raw_u32(&raw, 16);
	raw_auth(&raw, RS_PW);
	CHECK_EQ(raw_run(&bench.swtpm, &raw, NULL), 0);
	redefine(&bench);
	CHECK_EQ(extend_by(&bench, TPM_BRANCH_PCR, NVPCR_GENESIS_WORD), 0);
	bench_end(&bench);
}

static void the_next_boot_recovers_from_a_redefined_index(void)
{
	struct bench bench;

	if (!attack_begin(&bench))
		return;
	redefine(&bench);
	CHECK(reset(&bench));
	CHECK_EQ(boot(&bench)->rung, NVPCR_RUNG_ORDERLY);
	CHECK_EQ(bench.probe.n_defines, 0);
	CHECK_EQ(extend(&bench, words[0]), 0);
	check_value(&bench, words, 1);
	bench_end(&bench);
}

static void set_owner_password(struct bench *bench)
{
	struct raw raw;

	raw_begin(&raw, 0x8002, CC_AUTH_CHANGE);
	raw_u32(&raw, RH_OWNER);
	raw_auth(&raw, RS_PW);
	raw_u16(&raw, 4);
	raw_u32(&raw, 0x31323334);
	CHECK_EQ(raw_run(&bench->swtpm, &raw, NULL), 0);
}

static void an_owner_password_spoils_nothing_that_exists(void)
{
	struct bench bench;

	if (!attack_begin(&bench))
		return;
	set_owner_password(&bench);
	CHECK(reset(&bench));
	CHECK_EQ(boot(&bench)->rung, NVPCR_RUNG_ORDERLY);
	CHECK_EQ(extend(&bench, words[0]), 0);
	check_value(&bench, words, 1);
	bench_end(&bench);
}

static void an_owner_password_before_us_leads_to_the_gate_pcr(void)
{
	struct bench bench;

	if (!bench_begin(&bench))
		return;
	set_owner_password(&bench);
	CHECK_EQ(boot(&bench)->rung, NVPCR_RUNG_PCR);
	CHECK_STR(bench.set.reason, "owner-auth");
	check_gate(&bench);
	bench_end(&bench);
}

/* The authorization value is in no Name: an earlier boot may have chosen it. */
static void an_unknown_password_of_the_index_is_harmless(void)
{
	struct tpm_nv_public public;
	struct bench bench;
	struct raw raw;

	if (!bench_begin(&bench))
		return;
	CHECK_EQ(nvpcr_allocate(bench.tpm, &bench.defs, BENCH_GATE, &bench.set), 0);
	nvpcr_public(&bench_def, &bench.set.gate, true, false, &public);
	CHECK_EQ(tpm_nv_undefine(bench.tpm, BENCH_HANDLE), 0);
	raw_begin(&raw, 0x8002, CC_NV_DEFINE);
	raw_u32(&raw, RH_OWNER);
	raw_auth(&raw, RS_PW);
	raw_u16(&raw, 4);
	raw_u32(&raw, 0x31323334);
	raw_u16(&raw, 46);
	raw_u32(&raw, public.handle);
	raw_u16(&raw, 0x000b);
	raw_u32(&raw, public.attributes);
	raw_digest(&raw, &public.policy);
	raw_u16(&raw, public.data_size);
	CHECK_EQ(raw_run(&bench.swtpm, &raw, NULL), 0);
	CHECK(reset(&bench));
	CHECK_EQ(boot(&bench)->rung, NVPCR_RUNG_ORDERLY);
	CHECK_EQ(bench.probe.n_defines, 0);
	CHECK_EQ(extend(&bench, words[0]), 0);
	check_value(&bench, words, 1);
	bench_end(&bench);
}

TEST_MAIN(the_append_policy_allows_nothing_but_appending,
	  no_password_extends_the_index,
	  an_identical_index_gets_no_genesis,
	  a_weaker_policy_shows_in_the_name,
	  another_gate_value_shows_in_the_name,
	  clearing_the_tpm_does_not_open_the_gate,
	  a_suspend_does_not_open_the_gate,
	  a_feigned_suspend_rolls_nothing_back,
	  a_session_from_before_the_anchor_is_void,
	  a_resettable_gate_would_be_none,
	  the_next_boot_recovers_from_a_redefined_index,
	  an_owner_password_spoils_nothing_that_exists,
	  an_owner_password_before_us_leads_to_the_gate_pcr,
	  an_unknown_password_of_the_index_is_harmless)
