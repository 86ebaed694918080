/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The path of an activation: word, record, extend.
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

#include "base/cleanup.h"
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

/* One transaction: append, sync, extend.  A record that the TPM refused is withdrawn. */
static int commit(struct measure *m, const struct nvpcr *nvpcr,
		  struct eventlog_record *rec)
{
	int r;

	aim(m, nvpcr, rec);
	r = eventlog_begin(&m->log);
	if (r < 0)
		return r;
	r = eventlog_append(&m->log, rec);
	if (r == 0) {
		r = extend(m, nvpcr, rec->word);
		if (r == -EREMOTEIO)
			(void)eventlog_withdraw(&m->log);
	}
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

static int annotate_device(struct eventlog_record *rec, const struct verity_device *device)
{
	char number[32];
	int r;

	(void)snprintf(number, sizeof(number), "%" PRIu32 ":%" PRIu32, device->major,
		       device->minor);
	r = eventlog_annotate(rec, "dev", number);
	return r < 0 ? r : eventlog_annotate_number(rec, "diskseq", device->diskseq);
}

/* A claim that does not fit is left out: it is no reason not to measure. */
static int annotate_claims(struct eventlog_record *rec, const struct verity_claims *claims)
{
	const struct {
		const char *key, *value;
	} notes[] = {
		{ "dmName", claims->dm_name },
		{ "dmUuid", claims->dm_uuid },
		{ "backingFile", claims->backing_file },
		{ "partition", claims->partition },
		{ "image", claims->image },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(notes); i++) {
		if (*notes[i].value)
			r = eventlog_annotate(rec, notes[i].key, notes[i].value);
		if (r == -E2BIG)
			r = 0;
	}
	return r;
}

/**
 * measure_activation() - measure an activation, once
 * @m:          session
 * @activation: what the kernel says
 * @source:     how we learned of it: "hook", "uevent", "coldplug" or "sweep"
 *
 * Return: 0 if it is measured, now or before; a negative errno of the log, and then
 * measuring it can be tried again.
 */
int measure_activation(struct measure *m, const struct verity_activation *activation,
		       const char *source)
{
	_cleanup_(eventlog_record_done) struct eventlog_record rec = { 0 };
	struct measure_live_entry *entry;
	char word[MEASURE_WORD_MAX];
	int r;

	measure_word(&activation->params, word);
	entry = measure_live_find(&m->live, &activation->device, word);
	if (entry) {
		entry->seen = true;
		return 0;
	}
	measure_fill(m, word, "dm-verity", source, &rec);
	r = annotate_device(&rec, &activation->device);
	if (r == 0)
		r = annotate_claims(&rec, &activation->claims);
	if (r == 0)
		r = measure_live_reserve(&m->live);
	if (r == 0)
		r = measure_record(m, m->nvpcr, &rec);
	return r < 0 ? r : measure_live_add(&m->live, &activation->device, word, rec.recnum);
}

/* Records that @entry is gone, and forgets it. */
static int removal(struct measure *m, struct measure_live_entry *entry, const char *source)
{
	_cleanup_(eventlog_record_done) struct eventlog_record rec = { 0 };
	char word[EVENTLOG_WORD_MAX];
	int r;

	(void)snprintf(word, sizeof(word), "removed:v1:%s", entry->word);
	measure_fill(m, word, "dm-verity-removed", source, &rec);
	r = annotate_device(&rec, &entry->device);
	if (r == 0)
		r = measure_record(m, m->nvpcr, &rec);
	if (r == 0 && m->source.hook && !entry->announced)
		r = measure_live_add(&m->departed, &entry->device, entry->word,
				     entry->recnum);
	if (r < 0)
		return r;
	measure_live_drop(&m->live, entry);
	return 0;
}

/* Records the removal of everything on @device, or anywhere if NULL, that was not seen. */
static int remove_unseen(struct measure *m, const struct verity_device *device,
			 const char *source)
{
	struct measure_live_entry *entry;
	int r;

	while ((entry = measure_live_unseen(&m->live, device))) {
		r = removal(m, entry, source);
		if (r < 0)
			return r;
	}
	return 0;
}

struct walk {
	struct measure *m;
	const char *source;
	int first_error;
};

/* One activation that cannot be recorded must not hide the others. */
static int measure_one(void *ctx, const struct verity_activation *activation)
{
	struct walk *walk = ctx;
	int r = measure_activation(walk->m, activation, walk->source);

	if (r < 0 && walk->first_error == 0)
		walk->first_error = r;
	return 0;
}

/**
 * measure_device() - measure what is live on one device now
 * @m:      session
 * @device: which; its diskseq, if not 0, is that of an announced activation
 * @source: how we learned of it
 *
 * What was measured on this device number and is not there any more is recorded as
 * removed, after what is new.  An activation that was announced and went away before
 * anybody could look at it is counted in @m->missed.
 *
 * Return: 0; a negative errno of device-mapper or the log.
 */
int measure_device(struct measure *m, const struct verity_device *device,
		   const char *source)
{
	struct walk walk = { .m = m, .source = source };
	bool recorded = measure_live_knows(&m->live, device);
	int r;

	measure_live_unsee(&m->live, device);
	r = verity_activations(m->options.root_fd, device, measure_one, &walk);
	if (r < 0)
		return r;
	if (walk.first_error < 0)
		return walk.first_error;
	/* A hook tells of each verity device, so with one it was none. */
	m->missed += r == VERITY_GONE && !recorded && !m->covered;
	return remove_unseen(m, device, source);
}

/**
 * measure_removal() - record that a device went away
 * @m:      session
 * @device: its number, and its diskseq if that is known
 * @source: how we learned of it
 *
 * A removal is announced after the fact: by then the number may belong to a new device
 * that was measured already.  Only what has the announced diskseq is recorded as removed,
 * or, where the kernel does not say it, what a look at the device does not find.
 *
 * Return: 0; a negative errno of device-mapper or the log.
 */
int measure_removal(struct measure *m, const struct verity_device *device,
		    const char *source)
{
	if (!device->diskseq)
		return measure_device(m, device, source);
	for (size_t i = 0; i < m->live.n_entries; i++)
		m->live.entries[i].seen =
			m->live.entries[i].device.diskseq != device->diskseq;
	return remove_unseen(m, device, source);
}

/**
 * measure_sweep() - compare the log with everything that is live now
 * @m:      session
 * @source: "coldplug" or "sweep"
 *
 * Return: 0; a negative errno of device-mapper or the log, and then @m->incomplete is set.
 */
int measure_sweep(struct measure *m, const char *source)
{
	struct walk walk = { .m = m, .source = source };
	int r;

	measure_live_unsee(&m->live, NULL);
	r = verity_sweep(m->options.root_fd, measure_one, &walk);
	if (r == 0)
		r = remove_unseen(m, NULL, source);
	if (walk.first_error < 0)
		r = walk.first_error;
	m->incomplete = r < 0;
	return r;
}

/*
 * Says how often something was activated that nobody could look at.  A mapped device that
 * is gone may have been a verity device: that cannot be known.
 */
static int record_missed(struct measure *m)
{
	char word[64];
	int r;

	if (!m->missed)
		return 0;
	(void)snprintf(word, sizeof(word), "lost:v1:%" PRIu64, m->missed);
	r = measure_text(m, word, "lost", "uevent");
	if (r == 0)
		m->missed = 0;
	return r;
}

/* The kernel dropped events: say so, then look at everything. */
static int overrun(struct measure *m)
{
	int r;

	m->missed++;
	r = record_missed(m);
	return measure_sweep(m, "sweep") ?: r;
}

/**
 * measure_drain() - measure everything that was announced until now
 * @m: session whose source is open
 *
 * Return: 0; the first negative errno met, after all that could be done was done.
 */
int measure_drain(struct measure *m)
{
	struct verity_announcement met;
	int first_error = 0, event, r;

	while ((event = verity_source_next(&m->source, &met)) != VERITY_NOTHING) {
		if (event < 0) {
			m->incomplete = true;
			return event;
		}
		if (event == VERITY_LOST)
			r = overrun(m);
		else if (event == VERITY_REMOVED)
			r = measure_removal(m, &met.device, "uevent");
		else if (met.hook)
			r = measure_announced(m, &met);
		else
			r = measure_device(m, &met.device, "uevent");
		if (r < 0 && first_error == 0)
			first_error = r;
	}
	r = record_missed(m);
	if (r == 0)
		r = measure_hook_check(m);
	if (first_error < 0)
		r = first_error;
	m->incomplete |= r < 0;
	return r;
}

/**
 * measure_sync() - be sure that everything activated so far is measured
 * @m:     session
 * @phase: whose set is measured then; see measure_phase_is_valid()
 *
 * Return: 0; a negative errno if something could not be measured or the set could not be
 * recorded.
 */
int measure_sync(struct measure *m, const char *phase)
{
	char word[128];
	int r = 0;

	if (m->source.fd >= 0)
		r = measure_drain(m);
	if (r == 0)
		r = measure_sweep(m, "sweep");
	if (r == 0)
		r = measure_live_set_word(&m->live, phase, word, sizeof(word));
	return r < 0 ? r : measure_text(m, word, "set", NULL);
}
