/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Allocation against a real TPM implementation: every state, rung and power event. */
#include "nvpcr/bench_test.h"

#define FILLERS		11	/* orderly SHA-256 indices that fit into the TPM's RAM */

static void a_first_boot_defines_the_index(void)
{
	static const char *const words[] = { "one", "two" };
	struct bench bench;
	const struct nvpcr *nvpcr;
	unsigned int before;

	if (!bench_begin(&bench))
		return;
	nvpcr = boot(&bench);
	CHECK_EQ(nvpcr->rung, NVPCR_RUNG_ORDERLY);
	CHECK_STR(nvpcr->reason, "");
	CHECK_STR(bench.set.reason, "");
	CHECK_EQ(bench.probe.n_defines, 1);
	CHECK(bench.probe.n_commands <= 11);
	printf("# first boot: %u commands\n", bench.probe.n_commands);
	before = bench.probe.n_commands;
	CHECK_EQ(extend(&bench, "one"), 0);
	CHECK_EQ(bench.probe.n_commands - before, 4);
	CHECK_EQ(extend(&bench, "two"), 0);
	CHECK_EQ(bench.probe.n_commands - before, 8);
	CHECK_EQ(bench.probe.n_flushes, 0);
	check_value(&bench, words, 2);
	check_gate(&bench);
	bench_end(&bench);
}

static void a_normal_boot_takes_eight_commands_and_no_define(void)
{
	static const char *const words[] = { "after" };
	struct bench bench;
	const struct nvpcr *nvpcr;
	struct tpm_name first;

	if (!bench_begin(&bench))
		return;
	first = boot(&bench)->name;
	CHECK_EQ(extend(&bench, "before"), 0);
	CHECK(reset(&bench));
	nvpcr = boot(&bench);
	CHECK_EQ(nvpcr->rung, NVPCR_RUNG_ORDERLY);
	CHECK(tpm_name_equal(&nvpcr->name, &first));
	CHECK_EQ(bench.probe.n_commands, 8);
	CHECK_EQ(bench.probe.n_defines, 0);
	CHECK_EQ(extend(&bench, "after"), 0);
	check_value(&bench, words, 1);
	bench_end(&bench);
}

/* The kernel's hibernation: state saved, then a fresh start. */
static void power_events_clear_the_index_with_the_gate(void)
{
	static const struct {
		const char *name;
		bool shutdown;
		uint16_t shutdown_type;
		uint16_t startup_type;
		bool resumes;
	} cases[] = {
		{ "power loss", false, 0, TPM_SU_CLEAR, false },
		{ "reset", true, TPM_SU_CLEAR, TPM_SU_CLEAR, false },
		{ "restart", true, TPM_SU_STATE, TPM_SU_CLEAR, false },
		{ "resume", true, TPM_SU_STATE, TPM_SU_STATE, true },
	};
	static const char *const words[] = { "kept", "more" };
	struct bench bench;

	if (!bench_begin(&bench))
		return;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tpm_name name;
		struct digest value;

		test_case = cases[i].name;
		CHECK_EQ(boot(&bench)->rung, NVPCR_RUNG_ORDERLY);
		CHECK_EQ(extend(&bench, "kept"), 0);
		CHECK(swtpm_power_cycle(&bench.swtpm, cases[i].shutdown,
					cases[i].shutdown_type, cases[i].startup_type));
		if (cases[i].resumes) {
			CHECK_EQ(extend(&bench, "more"), 0);
			check_value(&bench, words, 2);
			continue;
		}
		CHECK_EQ(nvpcr_read(bench.tpm, &bench.set.nvpcrs[0], &name, &value),
			 TPM_UNWRITTEN);
		CHECK_EQ(extend(&bench, "more"), -EREMOTEIO);
	}
	bench_end(&bench);
}

static void a_changed_gate_value_makes_the_index_stale(void)
{
	struct bench bench;
	struct digest digest;
	struct tpm_name first;
	const struct nvpcr *nvpcr;

	if (!bench_begin(&bench))
		return;
	first = boot(&bench)->name;
	CHECK(reset(&bench));
	digest_compute(DIGEST_SHA256, "separator", 9, &digest);
	CHECK_EQ(tpm_pcr_extend(bench.tpm, BENCH_GATE, &digest, 1), 0);
	nvpcr = boot(&bench);
	CHECK_EQ(nvpcr->rung, NVPCR_RUNG_ORDERLY);
	CHECK_EQ(bench.probe.n_defines, 1);
	CHECK(!tpm_name_equal(&nvpcr->name, &first));
	CHECK_EQ(extend(&bench, "one"), 0);
	check_gate(&bench);
	bench_end(&bench);
}

static void an_index_written_before_us_begins_anew(void)
{
	static const char *const words[] = { "ours" };
	struct bench bench;

	if (!bench_begin(&bench))
		return;
	CHECK_EQ(nvpcr_allocate(bench.tpm, &bench.defs, BENCH_GATE, &bench.set), 0);
	CHECK_EQ(extend(&bench, "somebody else's"), 0);
	CHECK_EQ(boot(&bench)->rung, NVPCR_RUNG_ORDERLY);
	CHECK_EQ(bench.probe.n_defines, 1);
	CHECK_EQ(extend(&bench, "ours"), 0);
	check_value(&bench, words, 1);
	bench_end(&bench);
}

static void a_history_behind_a_closed_gate_is_never_destroyed(void)
{
	static const char *const words[] = { "history" };
	struct bench bench;
	struct nvpcr_set first;
	const struct nvpcr *nvpcr;

	if (!bench_begin(&bench))
		return;
	(void)boot(&bench);
	CHECK_EQ(extend(&bench, "history"), 0);
	first = bench.set;
	nvpcr = boot(&bench);
	CHECK_EQ(nvpcr->rung, NVPCR_RUNG_PCR);
	CHECK_STR(nvpcr->reason, "index-written");
	CHECK_STR(bench.set.reason, "index-written");
	check_gate(&bench);
	bench.set = first;
	check_value(&bench, words, 1);
	bench_end(&bench);
}

static void a_foreign_index_is_left_alone(void)
{
	static const struct {
		const char *name;
		uint32_t attributes;
		uint16_t size;
		const char *owner;
	} cases[] = {
		{ "counter", 0x00060014, 8,
		  "a counter, in the range of a program of this machine" },
		{ "data", 0x00060006, 32,
		  "ordinary data, in the range of a program of this machine" },
		{ "systemd", 0x08060044, 32,
		  "an NvPCR like systemd's, in the range of a program of this machine" },
		{ "almost ours", BENCH_ATTRIBUTES | 0x80000000, 32,
		  "an extend index, in the range of a program of this machine" },
	};
	struct bench bench;

	if (!bench_begin(&bench))
		return;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tpm_nv_public public = {
			.handle = BENCH_HANDLE, .name_alg = DIGEST_SHA256,
			.attributes = cases[i].attributes,
			.policy = { .alg = DIGEST_SHA256 },
			.data_size = cases[i].size,
		}, again;
		const struct nvpcr *nvpcr;

		test_case = cases[i].name;
		CHECK_EQ(tpm_nv_define(bench.tpm, &public), 0);
		nvpcr = boot(&bench);
		CHECK_EQ(nvpcr->rung, NVPCR_RUNG_PCR);
		CHECK_STR(nvpcr->reason, "foreign-index");
		CHECK_STR(nvpcr->owner, cases[i].owner);
		CHECK_EQ(bench.probe.n_defines, 0);
		CHECK_EQ(extend(&bench, "into the PCR"), 0);
		CHECK_EQ(tpm_nv_read_public(bench.tpm, BENCH_HANDLE, &again), 0);
		CHECK_EQ(again.attributes, public.attributes);
		CHECK_EQ(tpm_nv_undefine(bench.tpm, BENCH_HANDLE), 0);
		CHECK(reset(&bench));
	}
	bench_end(&bench);
}

static void a_full_memory_leads_down_the_ladder(void)
{
	static const char *const words[] = { "one" };
	struct bench bench;
	const struct nvpcr *nvpcr;

	if (!bench_begin(&bench))
		return;
	for (uint32_t i = 1; i <= FILLERS; i++) {
		struct tpm_nv_public public = {
			.handle = BENCH_HANDLE + i, .name_alg = DIGEST_SHA256,
			.attributes = BENCH_ATTRIBUTES | TPM_NV_ORDERLY,
			.policy = { .alg = DIGEST_SHA256 }, .data_size = 32,
		};

		CHECK_EQ(tpm_nv_define(bench.tpm, &public), 0);
	}
	nvpcr = boot(&bench);
	CHECK_EQ(nvpcr->rung, NVPCR_RUNG_NV);
	CHECK_STR(nvpcr->reason, "nv-space");
	CHECK_STR(bench.set.reason, "");
	CHECK_EQ(bench.probe.n_defines, 2);
	CHECK_EQ(extend(&bench, "one"), 0);
	check_value(&bench, words, 1);

	/* The next boot keeps what it finds. */
	CHECK(reset(&bench));
	nvpcr = boot(&bench);
	CHECK_EQ(nvpcr->rung, NVPCR_RUNG_NV);
	CHECK_STR(nvpcr->reason, "kept");
	CHECK_EQ(bench.probe.n_commands, 8);
	CHECK_EQ(extend(&bench, "one"), 0);
	check_value(&bench, words, 1);
	bench_end(&bench);
}

static void no_room_at_all_leads_to_the_gate_pcr(void)
{
	struct bench bench;
	const struct nvpcr *nvpcr;
	struct tpm_pcr pcr;
	struct digest expected;
	char word[NVPCR_ANCHOR_MAX];
	unsigned int before;

	if (!bench_begin(&bench))
		return;
	bench.probe.refuse_code = CC_NV_DEFINE;
	bench.probe.refuse_rc = 0x14b;
	bench.probe.refuse_times = 2;
	nvpcr = boot(&bench);
	CHECK_EQ(nvpcr->rung, NVPCR_RUNG_PCR);
	CHECK_STR(nvpcr->reason, "nv-space");
	CHECK_EQ(nvpcr_anchor_word(&bench.set, word), 0);
	CHECK_STR(word, "nvpcr-anchor:v1:mode=pcr:nv-space");
	check_gate(&bench);
	before = bench.probe.n_commands;
	CHECK_EQ(extend(&bench, "one"), 0);
	CHECK_EQ(bench.probe.n_commands - before, 1);
	expected = bench.set.gate.values[DIGEST_SHA256];
	fold(&expected, word);
	fold(&expected, "one");
	CHECK_EQ(tpm_pcr_read(bench.tpm, BENCH_GATE, &pcr), 0);
	CHECK(digest_equal(&pcr.values[DIGEST_SHA256], &expected));
	bench_end(&bench);
}

static void any_refusal_ends_on_a_rung(void)
{
	static const struct {
		const char *name;
		uint32_t code;
		uint32_t rc;
		int times;
		enum nvpcr_rung rung;
		const char *reason;
	} cases[] = {
		{ "owner has a password", CC_NV_DEFINE, 0x9a2, 9, NVPCR_RUNG_PCR, "owner-auth" },
		{ "lost race", CC_NV_DEFINE, 0x14c, 1, NVPCR_RUNG_PCR, "index-race" },
		{ "odd refusal", CC_NV_DEFINE, 0x101, 9, NVPCR_RUNG_PCR, "define-refused" },
		{ "no extend when orderly", CC_NV_EXTEND, 0x101, 1, NVPCR_RUNG_NV,
		  "genesis-refused" },
		{ "no extend at all", CC_NV_EXTEND, 0x101, 9, NVPCR_RUNG_PCR,
		  "genesis-refused" },
		{ "policy is refused", CC_POLICY_OR, 0x1c4, 9, NVPCR_RUNG_PCR,
		  "genesis-refused" },
		{ "no read", CC_NV_READ, 0x101, 9, NVPCR_RUNG_PCR, "read-refused" },
		{ "no ReadPublic", 0x169, 0x101, 9, NVPCR_RUNG_PCR, "find-refused" },
		{ "no PCR_Read", CC_PCR_READ, 0x101, 9, NVPCR_RUNG_LOG, "tpm-error" },
		{ "no identity", 0x17a, 0x101, 9, NVPCR_RUNG_ORDERLY, "" },
	};
	struct bench bench;

	if (!bench_begin(&bench))
		return;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct nvpcr *nvpcr;
		struct tpm_name name;

		test_case = cases[i].name;
		bench.probe.refuse_code = cases[i].code;
		bench.probe.refuse_rc = cases[i].rc;
		bench.probe.refuse_times = cases[i].times;
		nvpcr = boot(&bench);
		CHECK_EQ(nvpcr->rung, cases[i].rung);
		CHECK_STR(nvpcr->reason, cases[i].reason);
		if (nvpcr->rung <= NVPCR_RUNG_PCR)
			check_gate(&bench);
		bench.probe.refuse_times = 0;
		CHECK_EQ(tpm_nv_find(bench.tpm, BENCH_HANDLE, &name),
			 nvpcr->rung <= NVPCR_RUNG_NV ? 0 : TPM_ABSENT);
		(void)tpm_nv_undefine(bench.tpm, BENCH_HANDLE);
		CHECK(reset(&bench));
	}
	bench_end(&bench);
}

/* Wherever the TPM stops answering, the set ends on the last rung and no further
 * command is sent. */
static void a_silent_tpm_is_left_alone(void)
{
	struct bench bench;

	if (!bench_begin(&bench))
		return;
	for (unsigned int n = 1; n <= 8; n++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "after %u", n);
		test_case = name;
		bench.probe.cut_after = n;
		CHECK_EQ(boot(&bench)->rung, NVPCR_RUNG_LOG);
		CHECK_STR(bench.set.reason, "tpm-timeout");
		CHECK_EQ(bench.probe.n_commands, n + 1);
		CHECK(tpm_is_dead(bench.tpm));
		CHECK_EQ(extend(&bench, "one"), 0);
		CHECK_EQ(bench.probe.n_commands, n + 1);
		bench.probe.cut_after = 0;
		CHECK(reset(&bench));
		tpm_close(bench.tpm);
		bench.tpm = probe_open(&bench.probe);
		(void)tpm_nv_undefine(bench.tpm, BENCH_HANDLE);
	}
	bench_end(&bench);
}

static void one_anchor_covers_all_nvpcrs(void)
{
	struct bench bench;
	struct nvpcr_anchor anchor;
	char word[NVPCR_ANCHOR_MAX];

	if (!bench_begin(&bench))
		return;
	bench.defs = (struct nvpcr_defs){ .n_defs = 3, .defs = {
		{ "late", 0x01805649, DIGEST_SHA256, 1, true },
		bench_def,
		{ "wide", 0x01805647, DIGEST_SHA384, 400, false },
	} };
	(void)boot(&bench);
	CHECK_EQ(bench.set.nvpcrs[0].def.index, BENCH_HANDLE);
	CHECK_EQ(bench.set.nvpcrs[1].rung, NVPCR_RUNG_NV);
	CHECK_STR(bench.set.nvpcrs[1].reason, "not-orderly");
	CHECK_EQ(bench.set.nvpcrs[2].rung, NVPCR_RUNG_ORDERLY);
	CHECK_EQ(nvpcr_anchor_word(&bench.set, word), 0);
	CHECK_EQ(nvpcr_anchor_parse(word, &anchor), 0);
	CHECK_EQ(anchor.n, 3);
	for (size_t i = 0; i < anchor.n; i++) {
		struct tpm_name name;
		struct digest value;

		CHECK_EQ(nvpcr_read(bench.tpm, &bench.set.nvpcrs[i], &name, &value), 0);
		CHECK(tpm_name_equal(&name, &anchor.names[i]));
		CHECK(digest_equal(&value, &anchor.values[i]));
		CHECK_EQ(nvpcr_extend(bench.tpm, &bench.set, &bench.set.nvpcrs[i], "x", 1),
			 0);
	}
	check_gate(&bench);
	bench_end(&bench);
}

/* TPM2_PCR_Allocate leaves only the SHA-384 bank from the next start on. */
static void a_missing_bank_leads_to_the_gate_pcr(void)
{
	static const uint16_t algs[] = { 0x0004, 0x000b, 0x000c, 0x000d };
	struct bench bench;
	const struct nvpcr *nvpcr;
	struct raw raw;

	if (!bench_begin(&bench))
		return;
	raw_begin(&raw, 0x8002, 0x12b);
	raw_u32(&raw, 0x4000000c);
	raw_auth(&raw, 0x40000009);
	raw_u32(&raw, 4);
	for (size_t i = 0; i < 4; i++) {
		raw_u16(&raw, algs[i]);
		raw_u8(&raw, 3);
		for (int octet = 0; octet < 3; octet++)
			raw_u8(&raw, algs[i] == 0x000c ? 0xff : 0);
	}
	CHECK_EQ(raw_run(&bench.swtpm, &raw, NULL), 0);
	CHECK(swtpm_power_cycle(&bench.swtpm, true, TPM_SU_CLEAR, TPM_SU_CLEAR));
	nvpcr = boot(&bench);
	CHECK_EQ(bench.set.gate.banks, 1u << DIGEST_SHA384);
	CHECK_EQ(nvpcr->rung, NVPCR_RUNG_PCR);
	CHECK_STR(nvpcr->reason, "no-sha256-bank");
	check_gate(&bench);
	CHECK_EQ(extend(&bench, "one"), 0);
	bench_end(&bench);
}

TEST_MAIN(a_first_boot_defines_the_index,
	  a_normal_boot_takes_eight_commands_and_no_define,
	  power_events_clear_the_index_with_the_gate,
	  a_changed_gate_value_makes_the_index_stale,
	  an_index_written_before_us_begins_anew,
	  a_history_behind_a_closed_gate_is_never_destroyed,
	  a_foreign_index_is_left_alone,
	  a_full_memory_leads_down_the_ladder,
	  no_room_at_all_leads_to_the_gate_pcr,
	  any_refusal_ends_on_a_rung,
	  a_silent_tpm_is_left_alone,
	  one_anchor_covers_all_nvpcrs,
	  a_missing_bank_leads_to_the_gate_pcr)
