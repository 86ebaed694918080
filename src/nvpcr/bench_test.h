/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NVPCR_BENCH_TEST_H
#define NVPCR_BENCH_TEST_H

/* Boots on a software TPM, for the tests of nvpcr/. */
#include "nvpcr/nvpcr.h"

#include "nvpcr/swtpm_test.h"
#include "test.h"

#define BENCH_HANDLE	0x01805645u
#define BENCH_GATE	13
#define BENCH_ATTRIBUTES 0x0a060048u	/* of our indices, non-orderly */

static const struct nvpcr_def bench_def = {
	.name = "verity", .index = BENCH_HANDLE, .alg = DIGEST_SHA256, .priority = 300,
	.orderly = true,
};

/* One test's TPM, connection and set. */
struct bench {
	struct swtpm swtpm;
	struct probe probe;
	struct tpm *tpm;
	struct nvpcr_defs defs;
	struct nvpcr_set set;
};

static inline bool bench_begin(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	if (!swtpm_start(&bench->swtpm)) {
		test_skipped = "needs swtpm";
		return false;
	}
	bench->defs = (struct nvpcr_defs){ .defs = { bench_def }, .n_defs = 1 };
	bench->probe.swtpm = &bench->swtpm;
	bench->tpm = probe_open(&bench->probe);
	CHECK(bench->tpm);
	return bench->tpm;
}

static inline void bench_end(struct bench *bench)
{
	tpm_close(bench->tpm);
	swtpm_stop(&bench->swtpm);
}

/* Allocates and anchors as a boot does, in a new process's connection. */
static inline const struct nvpcr *boot(struct bench *bench)
{
	char word[NVPCR_ANCHOR_MAX];

	tpm_close(bench->tpm);
	bench->probe.n_commands = bench->probe.n_defines = bench->probe.n_flushes = 0;
	bench->tpm = probe_open(&bench->probe);
	CHECK_EQ(nvpcr_allocate(bench->tpm, &bench->defs, BENCH_GATE, &bench->set), 0);
	CHECK_EQ(nvpcr_anchor_word(&bench->set, word), 0);
	if (!tpm_is_dead(bench->tpm))
		CHECK_EQ(nvpcr_gate_extend(bench->tpm, &bench->set.gate, word,
					   strlen(word)), 0);
	return &bench->set.nvpcrs[0];
}

static inline int extend(struct bench *bench, const char *word)
{
	return nvpcr_extend(bench->tpm, &bench->set, &bench->set.nvpcrs[0], word,
			    strlen(word));
}

static inline void fold(struct digest *value, const char *word)
{
	struct digest digest;

	digest_compute(value->alg, word, strlen(word), &digest);
	digest_extend(value, &digest);
}

static inline bool reset(struct bench *bench)
{
	return swtpm_power_cycle(&bench->swtpm, false, 0, TPM_SU_CLEAR);
}

/* The index holds what @n words after the genesis make of it. */
static inline void check_value(struct bench *bench, const char *const *words, size_t n)
{
	struct digest value, expected;
	struct tpm_name name;

	digest_zero(DIGEST_SHA256, &expected);
	fold(&expected, NVPCR_GENESIS_WORD);
	for (size_t i = 0; i < n; i++)
		fold(&expected, words[i]);
	CHECK_EQ(nvpcr_read(bench->tpm, &bench->set.nvpcrs[0], &name, &value), 0);
	CHECK(digest_equal(&value, &expected));
	CHECK(tpm_name_equal(&name, &bench->set.nvpcrs[0].name));
}

/* The gate PCR holds the anchor of @set, after @before, in every bank. */
static inline void check_gate(struct bench *bench)
{
	const struct nvpcr_gate *gate = &bench->set.gate;
	char word[NVPCR_ANCHOR_MAX];
	struct tpm_pcr pcr;

	CHECK_EQ(nvpcr_anchor_word(&bench->set, word), 0);
	CHECK_EQ(tpm_pcr_read(bench->tpm, BENCH_GATE, &pcr), 0);
	CHECK_EQ(pcr.banks, gate->banks);
	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++) {
		struct digest expected = gate->values[alg];

		if (!(gate->banks & 1u << alg))
			continue;
		fold(&expected, word);
		CHECK(digest_equal(&pcr.values[alg], &expected));
	}
}

#endif /* NVPCR_BENCH_TEST_H */
