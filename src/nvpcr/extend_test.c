/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extending an index by several processes, and while others use the TPM. */
#include "nvpcr/bench_test.h"

/* A process that did not allocate needs only the gate's old values, and one command
 * more the first time. */
static void another_process_goes_on_with_the_index(void)
{
	static const char *const words[] = { "one", "two" };
	struct bench bench;

	if (!bench_begin(&bench))
		return;
	(void)boot(&bench);
	CHECK_EQ(extend(&bench, "one"), 0);
	tpm_close(bench.tpm);
	bench.tpm = probe_open(&bench.probe);
	bench.probe.n_commands = 0;
	CHECK_EQ(extend(&bench, "two"), 0);
	CHECK_EQ(bench.probe.n_commands, 5);
	check_value(&bench, words, 2);
	bench_end(&bench);
}

/* By the product's own transport; two connections take turns. */
static void two_processes_share_a_swtpm(void)
{
	struct tpm *tpms[2] = { NULL, NULL };
	struct bench bench;
	char conf[64];

	if (!bench_begin(&bench))
		return;
	(void)snprintf(conf, sizeof(conf), "swtpm:path=%s", bench.swtpm.data);
	CHECK_EQ(tpm_open(conf, -1, 5000, &tpms[0]), 0);
	CHECK_EQ(tpm_open(conf, -1, 5000, &tpms[1]), 0);
	CHECK_EQ(nvpcr_allocate(tpms[0], &bench.defs, BENCH_GATE, &bench.set), 0);
	CHECK_EQ(bench.set.nvpcrs[0].rung, NVPCR_RUNG_ORDERLY);
	for (int i = 0; i < 50; i++)
		CHECK_EQ(nvpcr_extend(tpms[i % 2], &bench.set, &bench.set.nvpcrs[0], "x", 1),
			 0);
	tpm_close(tpms[0]);
	tpm_close(tpms[1]);
	bench_end(&bench);
}

static void extend_another_pcr(const struct swtpm *swtpm)
{
	struct digest digest;
	struct raw raw;

	digest_compute(DIGEST_SHA256, "ima", 3, &digest);
	raw_begin(&raw, 0x8002, CC_PCR_EXTEND);
	raw_u32(&raw, 10);
	raw_auth(&raw, 0x40000009);
	raw_u32(&raw, 1);
	raw_u16(&raw, 0x000b);
	memcpy(raw.bytes + raw.size, digest.bytes, 32);
	raw.size += 32;
	CHECK_EQ(raw_run(swtpm, &raw, NULL), 0);
}

/* IMA may extend PCR 10 between PolicyPCR and NV_Extend: 0x128. */
static void a_pcr_that_changes_meanwhile_costs_a_second_try(void)
{
	static const char *const words[] = { "one" };
	struct bench bench;

	if (!bench_begin(&bench))
		return;
	bench.probe.before_code = CC_NV_EXTEND;
	bench.probe.before = extend_another_pcr;
	CHECK_EQ(boot(&bench)->rung, NVPCR_RUNG_ORDERLY);
	CHECK(!bench.probe.before);
	CHECK_EQ(bench.probe.n_flushes, 1);
	CHECK_EQ(bench.probe.n_commands, 10 + 5);
	CHECK_EQ(extend(&bench, "one"), 0);
	check_value(&bench, words, 1);
	bench_end(&bench);
}

TEST_MAIN(another_process_goes_on_with_the_index,
	  two_processes_share_a_swtpm,
	  a_pcr_that_changes_meanwhile_costs_a_second_try)
