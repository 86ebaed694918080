/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a word to a record and an extension.
 *
 * The record is on its way to stable storage before the TPM hears of it: a record that
 * the TPM has not seen can be completed later, an extension that no record explains can
 * never be.  If the TPM refuses an extension, the record is withdrawn and the NvPCR
 * falls to the next rung of the ladder, which is said by a record of its own; if the TPM
 * does not answer any more, the log goes on alone and says from where on.
 */
#include "measure/private.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static void add_digest(struct eventlog_record *rec, enum digest_alg alg)
{
	digest_compute(alg, rec->word, strlen(rec->word), &rec->digests[rec->n_digests++]);
}

/* Names the gate PCR as what @rec extends, in each of its active banks. */
void measure_aim_gate(const struct measure *m, struct eventlog_record *rec)
{
	const struct nvpcr_gate *gate = &m->nvpcrs.gate;

	rec->target = EVENTLOG_PCR;
	rec->index = gate->pcr;
	rec->nvpcr_name[0] = '\0';
	rec->n_digests = 0;
	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++)
		if (gate->banks & 1U << alg)
			add_digest(rec, alg);
	if (!rec->n_digests)
		add_digest(rec, DIGEST_SHA256);
}

/* Names what @nvpcr is kept in as what @rec extends. */
static void aim(const struct measure *m, const struct nvpcr *nvpcr,
		struct eventlog_record *rec)
{
	if (nvpcr->rung == NVPCR_RUNG_PCR || !nvpcr->def.index) {
		measure_aim_gate(m, rec);
		return;
	}
	rec->target = EVENTLOG_NV_INDEX;
	rec->index = nvpcr->def.index;
	(void)snprintf(rec->nvpcr_name, sizeof(rec->nvpcr_name), "%s", nvpcr->def.name);
	rec->n_digests = 0;
	add_digest(rec, nvpcr->def.alg);
}

/**
 * measure_fill() - begin a record
 * @m:          session
 * @word:       shorter than EVENTLOG_WORD_MAX
 * @event_type: static string
 * @source:     static string, or NULL
 * @ret:        the record, which still has to be aimed; released by eventlog_record_done()
 */
void measure_fill(const struct measure *m, const char *word, const char *event_type,
		  const char *source, struct eventlog_record *ret)
{
	*ret = (struct eventlog_record){ .timestamp_us = clock_us(CLOCK_BOOTTIME) };
	assert(strlen(word) < sizeof(ret->word));
	(void)snprintf(ret->word, sizeof(ret->word), "%s", word);
	(void)snprintf(ret->event_type, sizeof(ret->event_type), "%s", event_type);
	(void)snprintf(ret->boot_id, sizeof(ret->boot_id), "%s", m->boot_id);
	(void)snprintf(ret->source, sizeof(ret->source), "%s", source ? source : "");
	(void)snprintf(ret->phase, sizeof(ret->phase), "%s", m->options.phase);
}

/* An index that is not there any more has refused, too. */
static int extend(struct measure *m, const struct nvpcr *nvpcr, const char *word)
{
	int r = nvpcr_extend(m->tpm, &m->nvpcrs, nvpcr, word, strlen(word));

	return r > 0 ? -EREMOTEIO : r;
}

/*
 * Before something is extended.  systemd's log holds only what a TPM confirms: for any
 * other record it has no form.
 */
void measure_outlet_begin(struct measure *m)
{
	if (m->tpm && m->nvpcr->rung != NVPCR_RUNG_LOG)
		eventlog_outlet_begin(&m->outlet, m->options.root_fd);
}

/* After that; a TPM that did not answer may have extended. */
void measure_outlet_end(struct measure *m)
{
	if (m->tpm && tpm_is_dead(m->tpm))
		eventlog_outlet_abandon(&m->outlet);
	else
		eventlog_outlet_end(&m->outlet, &m->log);
}

/**
 * measure_outlet_catch_up() - copy what is missing in systemd's log, if that is possible
 * @m: session that has started
 */
void measure_outlet_catch_up(struct measure *m)
{
	measure_outlet_begin(m);
	measure_outlet_end(m);
}

/* One transaction: append, sync, extend.  A record that the TPM refused is withdrawn. */
static int commit(struct measure *m, const struct nvpcr *nvpcr,
		  struct eventlog_record *rec)
{
	int r;

	aim(m, nvpcr, rec);
	r = eventlog_begin(&m->log);
	if (r < 0)
		return r;
	measure_outlet_begin(m);
	r = eventlog_append(&m->log, rec);
	if (r == 0) {
		r = extend(m, nvpcr, rec->word);
		if (r == -EREMOTEIO)
			(void)eventlog_withdraw(&m->log);
	}
	measure_outlet_end(m);
	eventlog_end(&m->log);
	return r;
}

/* Says in the log that @nvpcr, or everything if NULL, is on another rung from here on. */
static int commit_degraded(struct measure *m, const char *rung, const char *reason,
			   const struct nvpcr *nvpcr)
{
	struct eventlog_record rec;
	char word[256];

	(void)snprintf(word, sizeof(word), "degraded:v1:%s:%s%s%s", rung, reason,
		       nvpcr ? ":" : "", nvpcr ? nvpcr->def.name : "");
	measure_fill(m, word, "degraded", NULL, &rec);
	return commit(m, nvpcr ? nvpcr : m->nvpcr, &rec);
}

/**
 * measure_fall_to_pcr() - go on with an NvPCR in the gate PCR
 * @m:      session
 * @nvpcr:  of @m->nvpcrs
 * @reason: one word
 *
 * Return: 0, or a negative errno of the log or the TPM.
 */
int measure_fall_to_pcr(struct measure *m, struct nvpcr *nvpcr, const char *reason)
{
	nvpcr->rung = NVPCR_RUNG_PCR;
	(void)snprintf(nvpcr->reason, sizeof(nvpcr->reason), "%s", reason);
	return commit_degraded(m, "pcr", reason, nvpcr);
}

/**
 * measure_lose_tpm() - go on without the TPM
 * @m:      session
 * @reason: one word
 *
 * Return: 0, or a negative errno of the log.
 */
int measure_lose_tpm(struct measure *m, const char *reason)
{
	for (size_t i = 0; i < m->nvpcrs.n_nvpcrs; i++) {
		struct nvpcr *nvpcr = &m->nvpcrs.nvpcrs[i];

		nvpcr->rung = NVPCR_RUNG_LOG;
		(void)snprintf(nvpcr->reason, sizeof(nvpcr->reason), "%s", reason);
	}
	return commit_degraded(m, "log", reason, NULL);
}

/* Why the TPM did not do what was asked: @r is what became of it. */
static const char *describe(const struct measure *m, int r,
			    char text[static NVPCR_REASON_MAX])
{
	if (r == -EREMOTEIO)
		(void)snprintf(text, NVPCR_REASON_MAX, "tpm-rc-0x%" PRIx32, tpm_rc(m->tpm));
	else
		(void)snprintf(text, NVPCR_REASON_MAX, "tpm-%s",
			       r == -ETIMEDOUT ? "timeout" : "error");
	return text;
}

/* Whether the TPM is of no use any more after @r. */
static bool is_lost(const struct measure *m, const struct nvpcr *nvpcr, int r)
{
	return r == -EREMOTEIO || (r < 0 && m->tpm && tpm_is_dead(m->tpm) &&
				   nvpcr->rung != NVPCR_RUNG_LOG);
}

/**
 * measure_record() - record, and extend an NvPCR by whatever rung still holds
 * @m:     session
 * @nvpcr: of @m->nvpcrs
 * @rec:   of measure_fill(); aimed here
 *
 * When the TPM does not answer, the record stays in the log: the TPM may have executed
 * the command.
 *
 * Return: 0, or a negative errno of the log.
 */
int measure_record(struct measure *m, struct nvpcr *nvpcr, struct eventlog_record *rec)
{
	char reason[NVPCR_REASON_MAX];
	int r = commit(m, nvpcr, rec);
	bool withdrawn = r == -EREMOTEIO;

	if (withdrawn && nvpcr->rung < NVPCR_RUNG_PCR) {
		r = measure_fall_to_pcr(m, nvpcr, describe(m, r, reason));
		if (r == 0) {
			r = commit(m, nvpcr, rec);
			withdrawn = r == -EREMOTEIO;
		}
	}
	if (!is_lost(m, nvpcr, r))
		return r;
	r = measure_lose_tpm(m, describe(m, r, reason));
	return r == 0 && withdrawn ? commit(m, nvpcr, rec) : r;
}

/**
 * measure_text() - measure a word that is not an activation's
 * @m:          session
 * @word:       printable ASCII, shorter than EVENTLOG_WORD_MAX
 * @event_type: static string
 * @source:     static string, or NULL
 *
 * Return: 0 if it is in the log and, as far as the ladder's rung promises, in the TPM;
 * a negative errno of the log.
 */
int measure_text(struct measure *m, const char *word, const char *event_type,
		 const char *source)
{
	struct eventlog_record rec;

	measure_fill(m, word, event_type, source, &rec);
	return measure_record(m, m->nvpcr, &rec);
}
