/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From nothing, or from what an earlier writer left, to a state that can measure.
 *
 * The first writer of a boot allocates: genesis of every NvPCR, then at once the anchor,
 * which closes the gate.  Every later one adopts the log: it folds it, compares it with
 * the TPM and completes the one extension that a writer who was killed may have left out.
 * A log of geneses alone belongs to a writer that was killed before it closed the gate;
 * nothing was measured by it, and allocation begins again.  Any other log is kept aside.
 */
#include "measure/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Keeps a log that cannot be gone on with beside a new one. */
static int set_aside(struct measure *m, const char *boot_id)
{
	char path[128];
	int r;

	(void)snprintf(path, sizeof(path), EVENTLOG_PATH ".%s", boot_id);
	if (renameat(m->options.root_fd, &EVENTLOG_PATH[1], m->options.root_fd,
		     &path[1]) < 0)
		return -errno;
	eventlog_close(&m->log);
	r = eventlog_open(&m->log, m->options.root_fd, EVENTLOG_PATH);
	return r < 0 ? r : 0;
}

static int summarize(const struct measure *m, struct measure_summary *ret)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	int r;

	r = eventlog_reader_open(m->options.root_fd, EVENTLOG_PATH, &reader);
	return r < 0 ? r : measure_summarize(reader, true, ret);
}

/**
 * measure_start() - come to a state that can measure
 * @m: session that measure_open() began
 *
 * Return: 0; MEASURE_MISMATCH if the log of this boot was adopted although the TPM or the
 * log itself says that it was changed; a negative errno of the log, or -EINVAL for an
 * option that cannot be understood.  No answer of a TPM makes it fail.
 */
int measure_start(struct measure *m)
{
	_cleanup_free_ struct measure_summary *summary = NULL;
	int r;

	if (m->log.size == 0)
		return measure_allocate(m);
	summary = malloc(sizeof(*summary));
	if (!summary)
		return -ENOMEM;
	r = summarize(m, summary);
	if (r < 0)
		return r;
	if (strcmp(summary->boot_id, m->boot_id) != 0 ||
	    (!summary->n_anchors && summary->fault))
		r = set_aside(m, summary->boot_id);
	else if (summary->n_anchors)
		r = measure_adopt(m, summary);
	else
		r = eventlog_restart(&m->log);
	measure_summary_done(summary);
	return r != 0 || m->adopted ? r : measure_allocate(m);
}
