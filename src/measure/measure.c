/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The path of an activation: from what is live to words; record.c has the rest of it. */
#include "measure/private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

int measure_annotate_device(struct eventlog_record *rec, const struct verity_device *device)
{
	char number[32];
	int r;

	(void)snprintf(number, sizeof(number), "%" PRIu32 ":%" PRIu32, device->major,
		       device->minor);
	r = eventlog_annotate(rec, "dev", number);
	return r < 0 ? r : eventlog_annotate_number(rec, "diskseq", device->diskseq);
}

/* A claim that does not fit is left out: it is no reason not to measure. */
int measure_annotate_claims(struct eventlog_record *rec,
			    const struct verity_claims *claims)
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
	if (measure_hook_follows(m, activation))
		return 0;
	measure_fill(m, word, "dm-verity", source, &rec);
	r = measure_annotate_device(&rec, &activation->device);
	if (r == 0)
		r = measure_hook_annotate(m, activation, &rec);
	if (r == 0)
		r = measure_annotate_claims(&rec, &activation->claims);
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
	r = measure_annotate_device(&rec, &entry->device);
	if (r == 0)
		r = measure_record(m, m->nvpcr, &rec);
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
		else if (event == VERITY_ARMABLE)
			r = measure_hook_rearm(m);
		else if (event == VERITY_REMOVED)
			r = measure_removal(m, &met.device, "uevent");
		else if (met.hook)
			r = measure_announced(m, &met);
		else
			r = measure_device(m, &met.device, "uevent");
		if (r < 0 && first_error == 0)
			first_error = r;
	}
	m->covered = m->source.hook != NULL;
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
