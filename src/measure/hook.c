/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel hook announces.
 *
 * The activation waits in the kernel meanwhile, with its table live already: the word is
 * made from the live table as ever, and it is checked that it has the root hash that the
 * hook has seen.  Where the table is gone, because nobody was there to look in time, the
 * hook's knowledge is all there is, and the word says so.
 */
#include "measure/private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/hex.h"

#define SIGNATURE_MAX	8192	/* bytes; of more, annotations have no room */

static const struct measure_live_entry *find(const struct measure_live *live,
					     const struct verity_announcement *met,
					     const char *root)
{
	for (size_t i = 0; i < live->n_entries; i++) {
		const struct measure_live_entry *entry = &live->entries[i];

		if (entry->device.major == met->device.major &&
		    entry->device.minor == met->device.minor &&
		    entry->device.diskseq == met->device.diskseq &&
		    strstr(entry->word, root))
			return entry;
	}
	return NULL;
}

/* A signature that does not fit is left out: it is no reason not to measure. */
static int annotate_signature(struct eventlog_record *rec,
			      const struct verity_announcement *met)
{
	char text[BASE64_LENGTH(SIGNATURE_MAX) + 1];
	int r;

	if (!met->signature_size || met->signature_size > SIGNATURE_MAX)
		return 0;
	base64_encode(met->signature, met->signature_size, text);
	r = eventlog_annotate(rec, "signature", text);
	return r == -E2BIG ? 0 : r;
}

static bool is_announced(const struct verity_announcement *met,
			 const struct verity_activation *activation)
{
	return met->device.diskseq == activation->device.diskseq &&
	       met->seen.root_hash_size == activation->params.root_hash_size &&
	       memcmp(met->seen.root_hash, activation->params.root_hash,
		      met->seen.root_hash_size) == 0;
}

/**
 * measure_hook_follows() - whether the announcement of what is live now is still to come
 * @m:          session
 * @activation: met while looking for what the hook announced
 *
 * Where activations do not wait, a device's number may have passed on by the time that we
 * look.  What is there now is measured in its own turn: else it could be gone again, and
 * recorded as such, before that comes.
 */
bool measure_hook_follows(const struct measure *m,
			  const struct verity_activation *activation)
{
	return m->announced && !is_announced(m->announced, activation);
}

/**
 * measure_hook_annotate() - add to a record what only the hook knows of an activation
 * @m:          session
 * @activation: it
 * @rec:        its record
 *
 * Return: 0 or -ENOMEM.
 */
int measure_hook_annotate(const struct measure *m,
			  const struct verity_activation *activation,
			  struct eventlog_record *rec)
{
	if (!m->announced || !is_announced(m->announced, activation))
		return 0;
	return annotate_signature(rec, m->announced);
}

/* Measures an activation of which the table is not there to be read. */
static int measure_gone(struct measure *m, const struct verity_announcement *met,
			const char *root)
{
	_cleanup_(eventlog_record_done) struct eventlog_record rec = { 0 };
	char word[MEASURE_WORD_MAX];
	int r;

	(void)snprintf(word, sizeof(word), "dm-verity:v1:gone%s%s", root,
		       met->seen.kernel_signature ? "kernel" : "none");
	measure_fill(m, word, "dm-verity", "hook", &rec);
	r = measure_annotate_device(&rec, &met->device);
	if (r == 0)
		r = annotate_signature(&rec, met);
	if (r == 0)
		r = measure_annotate_claims(&rec, &met->claims);
	return r < 0 ? r : measure_record(m, m->nvpcr, &rec);
}

/*
 * Whether the kernel verified a signature of what is announced.  Where the announcement
 * came before the kernel's word on that, the live table tells.
 */
static bool is_signed(const struct measure *m, const struct verity_announcement *met,
		      const char *root)
{
	const struct measure_live_entry *live = find(&m->live, met, root);
	const char *last = live ? strrchr(live->word, ':') : NULL;

	return met->seen.kernel_signature || (last && strcmp(last, ":kernel") == 0);
}

static enum verity_answer judge(const struct measure *m,
				const struct verity_announcement *met,
				const char *root, int r)
{
	/* A TPM that was given up has not heard of it. */
	if (r < 0 || (m->nvpcr->rung == NVPCR_RUNG_LOG && !m->options.log_only))
		return VERITY_FAILED;
	if (m->options.hook.mode == VERITY_MODE_SIGNED && !is_signed(m, met, root))
		return VERITY_UNSIGNED;
	return VERITY_MEASURED;
}

/**
 * measure_announced() - measure what the hook announces, and let it go on
 * @m:            session
 * @announcement: the hook's
 *
 * Return: 0; a negative errno of device-mapper or the log.
 */
int measure_announced(struct measure *m, const struct verity_announcement *announcement)
{
	const struct verity_params *seen = &announcement->seen;
	char hex[2 * DIGEST_SIZE_MAX + 1], root[VERITY_ALGORITHM_MAX + sizeof(hex) + 4];
	uint64_t missed = m->missed;
	bool was_measured;
	int r;

	hex_encode(seen->root_hash, seen->root_hash_size, hex);
	(void)snprintf(root, sizeof(root), ":%s:%s:", seen->algorithm, hex);
	/* A look for another reason may have found it before the announcement was read. */
	was_measured = find(&m->live, announcement, root);
	m->announced = announcement;
	r = measure_device(m, &announcement->device, "hook");
	m->announced = NULL;
	m->missed = missed;
	if (!was_measured && !find(&m->live, announcement, root)) {
		int error = measure_gone(m, announcement, root);

		r = error < 0 ? error : r;
	}
	verity_source_answer(&m->source, announcement, judge(m, announcement, root, r));
	return r;
}

/* Says in the log how activations are announced from here on. */
static int name_source(struct measure *m)
{
	char name[VERITY_SOURCE_NAME_MAX], word[VERITY_SOURCE_NAME_MAX + 16];

	verity_source_name(&m->source, name);
	(void)snprintf(word, sizeof(word), "hook:v1:%s", name);
	return measure_text(m, word, "hook", NULL);
}

static int say_lost(struct measure *m, const char *name)
{
	char word[VERITY_SOURCE_NAME_MAX + 16];

	(void)snprintf(word, sizeof(word), "hook:v1:lost-%s", name);
	return measure_text(m, word, "hook", NULL);
}

/*
 * Compares the hook with what the log says is armed.  Every daemon that goes on with a hook
 * says so, and the guard counts who could: one more, and somebody else was it in between,
 * took what was announced, and may still have a hand on the hook.  That one is not gone on
 * with.  Nor is it forgotten where it is gone.
 */
static int check_heirloom(struct measure *m)
{
	unsigned int claims = verity_source_claims(&m->source);
	bool shared = claims > 1 && claims != m->heirs + 1;
	bool gone = m->heirs && (!m->source.hook || claims == 1);

	if (shared) {
		verity_source_disarm(&m->source);
		(void)verity_source_rearm(&m->source, &m->options.hook);
	}
	return shared || gone ? say_lost(m, m->heirs ? m->heirloom : "unknown:-") : 0;
}

/**
 * measure_hook_armed() - say in the log how activations are announced, and take what was
 * announced before we came
 * @m: session that has started and whose source is open
 *
 * Return: 0; a negative errno as measure_drain().
 */
int measure_hook_armed(struct measure *m)
{
	int r = check_heirloom(m);

	if (r == 0)
		r = name_source(m);
	if (r == 0)
		r = measure_drain(m);
	return r;
}

/**
 * measure_hook_rearm() - arm the hook that could not be before device-mapper was there
 * @m: session that has started and whose source is open
 *
 * Return: 0; a negative errno as measure_text() or measure_sweep().
 */
int measure_hook_rearm(struct measure *m)
{
	int r;

	if (!verity_source_rearm(&m->source, &m->options.hook))
		return 0;
	r = name_source(m);
	return r < 0 ? r : measure_sweep(m, "sweep");
}

/* The kernel does not call the hook any more, or cannot be trusted to. */
static int lose_hook(struct measure *m)
{
	char name[VERITY_SOURCE_NAME_MAX];
	int r;

	verity_source_name(&m->source, name);
	r = say_lost(m, name);
	if (r < 0)
		return r;
	verity_source_disarm(&m->source);
	m->covered = false;
	r = name_source(m);
	return r < 0 ? r : measure_sweep(m, "sweep");
}

static int lose_events(struct measure *m, uint64_t lost)
{
	char word[64];
	int r;

	(void)snprintf(word, sizeof(word), "lost:v1:%" PRIu64, lost);
	r = measure_text(m, word, "lost", "hook");
	if (r < 0)
		return r;
	verity_source_reported(&m->source, lost, 0);
	return measure_sweep(m, "sweep");
}

/**
 * measure_hook_check() - measure what went wrong with the hook since the last time
 * @m: session that has started
 *
 * Return: 0; a negative errno as measure_text() or measure_sweep().
 */
int measure_hook_check(struct measure *m)
{
	struct verity_counts counts;

	if (!verity_source_counts(&m->source, &counts))
		return 0;
	if (!verity_source_is_intact(&m->source))
		return lose_hook(m);
	return counts.lost ? lose_events(m, counts.lost) : 0;
}
