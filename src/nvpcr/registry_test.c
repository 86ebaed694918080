/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cleaning up deletes what is ours and nothing else. */
#include "nvpcr/bench_test.h"

#define STALE	(BENCH_HANDLE + 1)
#define FOREIGN	(BENCH_HANDLE + 2)

/* An index like ours of another gate value, and one that is not ours. */
static void add_others(struct bench *bench)
{
	struct nvpcr_def def = bench->defs.defs[0];
	struct nvpcr_gate gate = bench->set.gate;
	struct tpm_nv_public public;

	def.index = STALE;
	gate.values[def.alg].bytes[0] ^= 1;
	nvpcr_public(&def, &gate, false, false, &public);
	CHECK_EQ(tpm_nv_define(bench->tpm, &public), 0);
	public.handle = FOREIGN;
	public.attributes &= ~TPM_NV_NO_DA;
	CHECK_EQ(tpm_nv_define(bench->tpm, &public), 0);
}

static void ours_are_listed_whatever_their_policy(void)
{
	uint32_t handles[8] = { 0 };
	struct bench bench;
	size_t n = 0;

	if (!bench_begin(&bench))
		return;
	(void)boot(&bench);
	add_others(&bench);
	CHECK_EQ(nvpcr_registry_list(bench.tpm, handles, 8, &n), 0);
	CHECK_EQ(n, 2);
	CHECK_EQ(handles[0], BENCH_HANDLE);
	CHECK_EQ(handles[1], STALE);
	CHECK_EQ(nvpcr_registry_list(bench.tpm, handles, 1, &n), 0);
	CHECK_EQ(n, 1);
	bench_end(&bench);
}

static void only_ours_and_unused_is_deleted(void)
{
	char owner[NVPCR_OWNER_MAX] = "";
	uint32_t handles[8] = { 0 };
	struct bench bench;
	size_t n = 0;

	if (!bench_begin(&bench))
		return;
	(void)boot(&bench);
	add_others(&bench);
	CHECK_EQ(nvpcr_registry_undefine(bench.tpm, BENCH_HANDLE, false, owner),
		 NVPCR_IN_USE);
	CHECK_EQ(nvpcr_registry_undefine(bench.tpm, STALE, false, owner), 0);
	CHECK_EQ(nvpcr_registry_undefine(bench.tpm, STALE, false, owner), NVPCR_ABSENT);
	CHECK_EQ(nvpcr_registry_undefine(bench.tpm, FOREIGN, true, owner), NVPCR_FOREIGN);
	CHECK(strstr(owner, "an NvPCR like systemd's"));
	CHECK_EQ(nvpcr_registry_undefine(bench.tpm, BENCH_HANDLE, true, owner), 0);
	CHECK_EQ(nvpcr_registry_list(bench.tpm, handles, 8, &n), 0);
	CHECK_EQ(n, 0);
	bench_end(&bench);
}

static void after_a_reset_nothing_is_in_use(void)
{
	char owner[NVPCR_OWNER_MAX] = "";
	struct bench bench;

	if (!bench_begin(&bench))
		return;
	(void)boot(&bench);
	CHECK(reset(&bench));
	CHECK_EQ(nvpcr_registry_undefine(bench.tpm, BENCH_HANDLE, false, owner), 0);
	bench_end(&bench);
}

TEST_MAIN(ours_are_listed_whatever_their_policy, only_ours_and_unused_is_deleted,
	  after_a_reset_nothing_is_in_use)
