/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first writer of a boot: genesis of every NvPCR, then at once the anchor.
 */
#include "measure/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* The first write of an index was just made; its record is a constant. */
static int record_genesis(struct measure *m, const struct nvpcr *nvpcr)
{
	struct eventlog_record rec;

	measure_fill(m, NVPCR_GENESIS_WORD, "nvpcr-genesis", NULL, &rec);
	rec.target = EVENTLOG_NV_INDEX;
	rec.index = nvpcr->def.index;
	(void)snprintf(rec.nvpcr_name, sizeof(rec.nvpcr_name), "%s", nvpcr->def.name);
	digest_compute(nvpcr->def.alg, rec.word, strlen(rec.word), &rec.digests[0]);
	rec.n_digests = 1;
	return eventlog_append(&m->log, &rec);
}

static int annotate_gate(const struct nvpcr_gate *gate, struct eventlog_record *rec)
{
	int r = 0;

	for (int alg = 0; r == 0 && alg < DIGEST_ALG_MAX; alg++) {
		char key[16], hex[DIGEST_HEX_MAX];

		if (!(gate->banks & 1U << alg))
			continue;
		(void)snprintf(key, sizeof(key), "gate-%s", digest_alg_name(alg));
		digest_to_hex(&gate->values[alg], hex);
		r = eventlog_annotate(rec, key, hex);
	}
	return r;
}

static int record_anchor(struct measure *m, const char *word)
{
	_cleanup_(eventlog_record_done) struct eventlog_record rec = { 0 };
	int r;

	measure_fill(m, word, "nvpcr-init", NULL, &rec);
	measure_aim_gate(m, &rec);
	r = annotate_gate(&m->nvpcrs.gate, &rec);
	return r < 0 ? r : eventlog_append(&m->log, &rec);
}

/* Appends the records of what was done, and of the anchor that is about to be. */
static int record_allocation(struct measure *m, const char *word)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->nvpcrs.n_nvpcrs; i++)
		if (m->nvpcrs.nvpcrs[i].rung < NVPCR_RUNG_PCR)
			r = record_genesis(m, &m->nvpcrs.nvpcrs[i]);
	return r < 0 ? r : record_anchor(m, word);
}

/*
 * Closes the gate: from here on no index can begin anew.  That is done even if it cannot
 * be recorded: better a boot that nobody can verify than one that anybody can begin again.
 */
static int anchor(struct measure *m)
{
	char word[NVPCR_ANCHOR_MAX];
	int r, recorded, closed = 0;

	r = nvpcr_anchor_word(&m->nvpcrs, word);
	if (r < 0)
		return r;
	measure_outlet_begin(m);
	r = eventlog_begin(&m->log);
	recorded = r < 0 ? r : record_allocation(m, word);
	if (m->tpm)
		closed = nvpcr_gate_extend(m->tpm, &m->nvpcrs.gate, word, strlen(word));
	measure_outlet_end(m);
	if (r == 0)
		eventlog_end(&m->log);
	return recorded < 0 ? recorded : closed;
}

/*
 * Says of each NvPCR that did not get an index where its words go; if none got one, the
 * anchor has said it of that for activations.
 */
static int record_degraded(struct measure *m)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->nvpcrs.n_nvpcrs; i++) {
		struct nvpcr *nvpcr = &m->nvpcrs.nvpcrs[i];
		char reason[NVPCR_REASON_MAX];

		memcpy(reason, nvpcr->reason, sizeof(reason));
		if (nvpcr->rung == NVPCR_RUNG_PCR &&
		    !(nvpcr == m->nvpcr && *m->nvpcrs.reason))
			r = measure_fall_to_pcr(m, nvpcr, reason);
	}
	if (r == -EREMOTEIO || (r < 0 && m->tpm && tpm_is_dead(m->tpm)))
		return measure_lose_tpm(m, r == -ETIMEDOUT ? "tpm-timeout" : "tpm-error");
	return r;
}

/* The last thing that is done, so that all else is as it would be without. */
static int share_end(struct measure *m, struct nvpcr_shared *shared)
{
	int r = measure_share_end(m, shared);

	if (r < 0 && m->tpm && tpm_is_dead(m->tpm) && m->nvpcr->rung != NVPCR_RUNG_LOG)
		return measure_lose_tpm(m, r == -ETIMEDOUT ? "tpm-timeout" : "tpm-error");
	return r;
}

/* Allocates all NvPCRs and closes the gate; see measure_start(). */
int measure_allocate(struct measure *m)
{
	bool share = m->options.systemd == MEASURE_SYSTEMD_SHARE;
	struct nvpcr_shared shared = { .reason = "no-tpm" };
	struct nvpcr_defs defs;
	const char *reason = "";
	int r;

	r = measure_registry_defs(m->options.root_fd, &defs, m->options.complain);
	if (r == 0)
		r = measure_open_tpm(&m->options, &m->tpm, &reason);
	if (r < 0)
		return r;
	r = m->tpm ? nvpcr_allocate(m->tpm, &defs, m->options.gate_pcr, &m->nvpcrs)
		   : nvpcr_without_tpm(&defs, m->options.gate_pcr, reason, &m->nvpcrs);
	if (r < 0)
		return r;
	m->nvpcr = measure_find_nvpcr(&m->nvpcrs, MEASURE_NVPCR);
	if (share && m->tpm && m->nvpcr->rung != NVPCR_RUNG_LOG)
		(void)measure_share_begin(m, &shared);	/* a TPM that fails fails again */
	r = anchor(m);
	if (r < 0 && m->tpm && (r == -EREMOTEIO || tpm_is_dead(m->tpm)))
		return measure_lose_tpm(m, "anchor-failed");
	if (r == 0)
		r = record_degraded(m);
	return r == 0 && share ? share_end(m, &shared) : r;
}
