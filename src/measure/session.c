/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A session of the log's one writer: its lock, the log and the TPM.
 */
#include "measure/private.h"

#include <errno.h>
#include <fcntl.h>
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
#define PID_TRIES	20		/* a writer writes its number right after locking */

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

	for (int i = 0; fd >= 0 && i < PID_TRIES; i++) {
		char text[32] = "";

		if (flock(fd, LOCK_SH | LOCK_NB) == 0)
			return 0;
		if (pread(fd, text, sizeof(text) - 1, 0) > 0)
			return (pid_t)strtol(text, NULL, 10);
		(void)usleep(LOCK_RETRY_US);
	}
	return 0;
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
		.outlet = { .wanted = options->systemd != MEASURE_SYSTEMD_OFF, .fd = -1 },
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
