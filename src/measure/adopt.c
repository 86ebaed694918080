/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every later writer of a boot: compares the log with the TPM, completes the one extension
 * that a writer who was killed may have left out, and goes on.
 */
#include "measure/private.h"

#include <errno.h>
#include <string.h>

/* Extends what the last record announced and its writer did not live to extend. */
static int complete(struct measure *m, const struct measure_summary *summary,
		    const struct nvpcr *nvpcr)
{
	return nvpcr_extend(m->tpm, &m->nvpcrs, nvpcr, summary->last.word,
			    strlen(summary->last.word));
}

static int check_index(struct measure *m, const struct measure_summary *summary,
		       const struct nvpcr *nvpcr)
{
	const struct eventlog_fold *fold;
	struct digest value;
	struct tpm_name name;
	int r;

	fold = eventlog_replay_find(&summary->replay, EVENTLOG_NV_INDEX, nvpcr->def.index,
				    nvpcr->def.alg);
	r = nvpcr_read(m->tpm, nvpcr, &name, &value);
	if (r < 0)
		return r;
	if (r > 0 || !fold || !tpm_name_equal(&name, &nvpcr->name))
		return MEASURE_MISMATCH;
	switch (measure_compare(fold, &value)) {
	case MEASURE_AGREES:	return 0;
	case MEASURE_BEHIND:	return complete(m, summary, nvpcr);
	default:		return MEASURE_MISMATCH;
	}
}

static int check_gate(struct measure *m, const struct measure_summary *summary)
{
	const struct nvpcr by_pcr = { .rung = NVPCR_RUNG_PCR };
	enum measure_agreement worst = MEASURE_AGREES;
	struct tpm_pcr pcr;
	int r;

	r = tpm_pcr_read(m->tpm, summary->gate.pcr, &pcr);
	if (r < 0)
		return r;
	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++) {
		const struct eventlog_fold *fold = eventlog_replay_find(
			&summary->replay, EVENTLOG_PCR, summary->gate.pcr, alg);
		enum measure_agreement agreement;

		if (!fold || !(pcr.banks & 1U << alg))
			continue;
		agreement = measure_compare(fold, &pcr.values[alg]);
		if (agreement > worst)
			worst = agreement;
	}
	if (worst == MEASURE_BEHIND)
		return complete(m, summary, &by_pcr);
	return worst == MEASURE_AGREES ? 0 : MEASURE_MISMATCH;
}

/* Compares every index and the gate PCR with the folds of the log. */
static int check_tpm(struct measure *m, const struct measure_summary *summary)
{
	int outcome = 0, r;

	r = check_gate(m, summary);
	if (r < 0)
		return r;
	outcome = r;
	r = measure_user_adopt(m, summary);
	if (r < 0)
		return r;
	for (size_t i = 0; i < m->nvpcrs.n_nvpcrs; i++) {
		if (m->nvpcrs.nvpcrs[i].rung >= NVPCR_RUNG_PCR)
			continue;
		r = check_index(m, summary, &m->nvpcrs.nvpcrs[i]);
		if (r < 0)
			return r;
		if (r > 0)
			outcome = r;
	}
	return outcome;
}

static int adopt_tpm(struct measure *m, const struct measure_summary *summary)
{
	const char *reason;
	int r;

	if (m->nvpcr->rung == NVPCR_RUNG_LOG)
		return 0;
	r = measure_open_tpm(&m->options, &m->tpm, &reason);
	if (r < 0)
		return r;
	if (!m->tpm)
		return measure_lose_tpm(m, reason);
	r = check_tpm(m, summary);
	if (r == -EREMOTEIO)
		return MEASURE_MISMATCH;
	return r < 0 ? measure_lose_tpm(m, r == -ETIMEDOUT ? "tpm-timeout" : "tpm-error") : r;
}

/* Goes on with the log of this boot, which @summary is of; see measure_start(). */
int measure_adopt(struct measure *m, struct measure_summary *summary)
{
	int r;

	m->adopted = true;
	measure_summary_nvpcrs(summary, &m->nvpcrs);
	r = measure_registry_complete(m->options.root_fd, summary, &m->nvpcrs);
	if (r < 0)
		return r;
	m->nvpcr = measure_find_nvpcr(&m->nvpcrs, MEASURE_NVPCR);
	if (!m->nvpcr)
		return -EBADMSG;
	m->live = summary->live;
	summary->live = (struct measure_live){ 0 };
	m->heirs = summary->n_hooks;
	memcpy(m->heirloom, summary->hook, sizeof(m->heirloom));
	r = eventlog_outlet_adopt(&m->outlet, m->options.root_fd, &m->log);
	if (r < 0)
		return r;
	r = adopt_tpm(m, summary);
	if (r >= 0)
		measure_outlet_catch_up(m);
	return r == 0 && summary->fault ? MEASURE_MISMATCH : r;
}
