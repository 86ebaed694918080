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
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"

#define TPM_DEVICE	"device:/dev/tpmrm0"
#define LOCK_WAIT_US	(2 * CLOCK_S)
#define LOCK_RETRY_US	(10 * CLOCK_MS)

/* Ships as a definition file too; this one serves where that is not installed. */
static const struct nvpcr_def default_def = {
	.name = MEASURE_NVPCR, .index = MEASURE_NVPCR_INDEX, .alg = DIGEST_SHA256,
	.priority = 300, .orderly = true,
};

/**
 * measure_boot_id() - read the identifier of this boot
 * @root_fd: directory that stands for "/"
 * @ret:     32 hexadecimal digits
 *
 * Return: 0; -EBADMSG if the kernel's file has another form; a negative errno of open.
 */
int measure_boot_id(int root_fd, char ret[static EVENTLOG_BOOT_ID_SIZE])
{
	char line[64], *to = ret;
	int r;

	r = io_read_line(root_fd, "/proc/sys/kernel/random/boot_id", line, sizeof(line));
	if (r < 0)
		return r;
	for (const char *from = line; *from; from++) {
		if (*from == '-')
			continue;
		if (to == ret + EVENTLOG_BOOT_ID_SIZE - 1)
			return -EBADMSG;
		*to++ = *from;
	}
	*to = '\0';
	return to == ret + EVENTLOG_BOOT_ID_SIZE - 1 ? 0 : -EBADMSG;
}

/**
 * measure_writer() - who writes the log
 * @root_fd: directory that stands for "/"
 *
 * Return: the process that says so in the lock file while the lock is held; 0 if nobody
 * holds it.
 */
pid_t measure_writer(int root_fd)
{
	_cleanup_close_ int fd = io_open(root_fd, MEASURE_LOCK, O_RDONLY | O_NOFOLLOW, 0);
	char text[32] = "";

	if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0)
		return 0;
	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	return (pid_t)strtol(text, NULL, 10);
}

/* A verb holds the lock for a moment, a daemon for good: wait, but not long. */
static int wait_for_lock(int fd)
{
	uint64_t deadline_us = clock_us(CLOCK_MONOTONIC) + LOCK_WAIT_US;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (!clock_left_ms(deadline_us))
			return MEASURE_BUSY;
		(void)usleep(LOCK_RETRY_US);
	}
	return 0;
}

static int take_lock(struct measure *m)
{
	_cleanup_close_ int fd = -1;
	int r;

	r = io_make_dirs(m->options.root_fd, MEASURE_DIR, 0700);
	if (r < 0)
		return r;
	fd = io_open(m->options.root_fd, MEASURE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fd;
	r = wait_for_lock(fd);
	if (r != 0)
		return r;
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0)
		return -errno;
	m->lock_fd = take_fd(fd);
	return 0;
}

/**
 * measure_open() - become the log's writer
 * @m:       session; released by measure_close(), also when this fails
 * @options: copied; what it points to is borrowed until then
 *
 * Return: 0; MEASURE_BUSY; a negative errno of the files below /run.
 */
int measure_open(struct measure *m, const struct measure_options *options)
{
	int r;

	*m = (struct measure){
		.options = *options,
		.lock_fd = -1,
		.log = EVENTLOG_NONE,
		.source = VERITY_SOURCE_NONE,
	};
	r = take_lock(m);
	if (r != 0)
		return r;
	r = measure_boot_id(options->root_fd, m->boot_id);
	if (r < 0)
		return r;
	r = eventlog_open(&m->log, options->root_fd, EVENTLOG_PATH);
	return r < 0 ? r : 0;
}

/**
 * measure_close() - stop being the log's writer
 * @m: session; may be half open
 *
 * A TPM that does not answer is not closed: the kernel would wait for it.
 */
void measure_close(struct measure *m)
{
	verity_source_close(&m->source);
	measure_live_done(&m->live);
	eventlog_close(&m->log);
	tpm_close(m->tpm);
	if (m->lock_fd >= 0)
		(void)close(m->lock_fd);
	m->lock_fd = -1;
	m->tpm = NULL;
}

/**
 * measure_open_tpm() - open the TPM that the options ask for
 * @options:    of the session
 * @ret:        the connection, owned by the caller; NULL if there is none
 * @ret_reason: static string, one word: why there is none
 *
 * Return: 0, also without a TPM; a negative errno if @options->tpm cannot be understood.
 */
int measure_open_tpm(const struct measure_options *options, struct tpm **ret,
		     const char **ret_reason)
{
	const char *conf = options->tpm;
	int r;

	*ret = NULL;
	*ret_reason = "";
	if (options->log_only || strcmp(conf, "none") == 0) {
		*ret_reason = options->log_only ? "mode-log" : "configured";
		return 0;
	}
	if (strcmp(conf, "auto") == 0) {
		if (!tpm_is_expected(options->root_fd)) {
			*ret_reason = "no-tpm";
			return 0;
		}
		conf = TPM_DEVICE;
	}
	r = tpm_open(conf, options->root_fd, options->timeout_ms, ret);
	if (r == -EINVAL)
		return r;
	if (r < 0)
		*ret_reason = r == -ETIMEDOUT || r == -ENOENT ? "tpm-absent" : "tpm-open";
	return 0;
}

static struct nvpcr *find_nvpcr(struct nvpcr_set *set, const char *name)
{
	for (size_t i = 0; i < set->n_nvpcrs; i++)
		if (strcmp(set->nvpcrs[i].def.name, name) == 0)
			return &set->nvpcrs[i];
	return NULL;
}

/* Where the default goes: in the place of what took its handle, or at the end. */
static struct nvpcr_def *place_of_default(struct nvpcr_defs *defs)
{
	for (size_t i = 0; i < defs->n_defs; i++)
		if (defs->defs[i].index == default_def.index)
			return &defs->defs[i];
	if (defs->n_defs < NVPCR_MAX)
		defs->n_defs++;
	return &defs->defs[defs->n_defs - 1];
}

static int load_defs(const struct measure *m, struct nvpcr_defs *ret)
{
	int r = nvpcr_defs_load(m->options.root_fd, ret, m->options.complain);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ret->n_defs; i++)
		if (strcmp(ret->defs[i].name, MEASURE_NVPCR) == 0)
			return 0;
	*place_of_default(ret) = default_def;
	return 0;
}

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

/* Closes the gate: from here on no index can begin anew. */
static int record_anchor(struct measure *m)
{
	_cleanup_(eventlog_record_done) struct eventlog_record rec = { 0 };
	char word[NVPCR_ANCHOR_MAX];
	int r;

	r = nvpcr_anchor_word(&m->nvpcrs, word);
	if (r < 0)
		return r;
	measure_fill(m, word, "nvpcr-init", NULL, &rec);
	measure_aim_gate(m, &rec);
	r = annotate_gate(&m->nvpcrs.gate, &rec);
	if (r == 0)
		r = eventlog_append(&m->log, &rec);
	if (r < 0 || !m->nvpcrs.gate.banks || !m->tpm)
		return r;
	return nvpcr_gate_extend(m->tpm, &m->nvpcrs.gate, rec.word, strlen(rec.word));
}

static int record_allocation(struct measure *m)
{
	int r;

	r = eventlog_begin(&m->log);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < m->nvpcrs.n_nvpcrs; i++)
		if (m->nvpcrs.nvpcrs[i].rung < NVPCR_RUNG_PCR)
			r = record_genesis(m, &m->nvpcrs.nvpcrs[i]);
	if (r == 0)
		r = record_anchor(m);
	eventlog_end(&m->log);
	return r;
}

/* Says of each NvPCR that did not get an index, while others did, where its words go. */
static int record_degraded(struct measure *m)
{
	int r = 0;

	if (*m->nvpcrs.reason)
		return 0;	/* none got one: the anchor says it */
	for (size_t i = 0; r == 0 && i < m->nvpcrs.n_nvpcrs; i++) {
		struct nvpcr *nvpcr = &m->nvpcrs.nvpcrs[i];
		char reason[NVPCR_REASON_MAX];

		memcpy(reason, nvpcr->reason, sizeof(reason));
		if (nvpcr->rung == NVPCR_RUNG_PCR)
			r = measure_fall_to_pcr(m, nvpcr, reason);
	}
	if (r == -EREMOTEIO || (r < 0 && m->tpm && tpm_is_dead(m->tpm)))
		return measure_lose_tpm(m, r == -ETIMEDOUT ? "tpm-timeout" : "tpm-error");
	return r;
}

static int allocate(struct measure *m)
{
	struct nvpcr_defs defs;
	const char *reason = "";
	int r;

	r = load_defs(m, &defs);
	if (r == 0)
		r = measure_open_tpm(&m->options, &m->tpm, &reason);
	if (r < 0)
		return r;
	r = m->tpm ? nvpcr_allocate(m->tpm, &defs, m->options.gate_pcr, &m->nvpcrs)
		   : nvpcr_without_tpm(&defs, m->options.gate_pcr, reason, &m->nvpcrs);
	if (r < 0)
		return r;
	m->nvpcr = find_nvpcr(&m->nvpcrs, MEASURE_NVPCR);
	r = record_allocation(m);
	if (r < 0 && m->tpm && (r == -EREMOTEIO || tpm_is_dead(m->tpm)))
		return measure_lose_tpm(m, "anchor-failed");
	return r < 0 ? r : record_degraded(m);
}

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

static int adopt(struct measure *m, struct measure_summary *summary)
{
	int r;

	m->adopted = true;
	measure_summary_nvpcrs(summary, &m->nvpcrs);
	m->nvpcr = find_nvpcr(&m->nvpcrs, MEASURE_NVPCR);
	if (!m->nvpcr)
		return -EBADMSG;
	m->live = summary->live;
	summary->live = (struct measure_live){ 0 };
	r = adopt_tpm(m, summary);
	return r == 0 && summary->fault ? MEASURE_MISMATCH : r;
}

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
		return allocate(m);
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
		r = adopt(m, summary);
	else
		r = eventlog_restart(&m->log);
	measure_summary_done(summary);
	return r != 0 || m->adopted ? r : allocate(m);
}
