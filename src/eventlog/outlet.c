/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copy of our log in systemd's, by the protocol that systemd's writers follow.
 *
 * The protocol: lock; set the sticky bit; extend; append; clear the bit; unlock.  A bit
 * that was set before stays: somebody died, and the log lacks a record.  One record that
 * cannot be parsed makes the file worthless to its readers, so each is written whole or
 * taken back, and those of our records that are none are left out.
 *
 * What is copied next is where our own log says, so nothing is lost while the other one
 * is locked or full: it is copied later.  A process that begins finds the place by the
 * last number in systemd's log, whose own records have none.
 */
#include "eventlog/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"

#define FOLDER		"/run/log/systemd"
#define RECNUM		"{\"recnum\":"
#define WAIT_US		(100 * CLOCK_MS)	/* for whoever holds the lock */
#define RETRY_US	CLOCK_MS

/* Types that systemd's readers know; they leave out the content of others. */
static const char *const types[] = {
	"phase", "filesystem", "volume-key", "machine-id", "product-id", "keyslot",
	"nvpcr-init", "nvpcr-separator", "dm-verity", "imds-userdata", "os-separator",
	"login",
};

/* The folder is systemd's, so it gets systemd's mode whatever our umask is. */
static int make_folder(int root_fd)
{
	int r;

	if (io_exists(root_fd, FOLDER))
		return 0;
	r = io_make_dirs(root_fd, FOLDER, 0755);
	return r < 0 ? r : io_chmod(root_fd, FOLDER, 0755);
}

static int open_file(int root_fd)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r = make_folder(root_fd);

	if (r < 0)
		return r;
	fd = io_open(root_fd, EVENTLOG_OUTLET_PATH, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW |
		     O_NONBLOCK, 0600);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? take_fd(fd) : -EINVAL;
}

static int lock(int fd, uint64_t wait_us)
{
	uint64_t deadline_us = clock_us(CLOCK_MONOTONIC) + wait_us;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EINTR && errno != EWOULDBLOCK)
			return -errno;
		if (!clock_left_ms(deadline_us))
			return -EBUSY;
		(void)usleep(RETRY_US);
	}
	return 0;
}

static int set_mode(int fd, mode_t mode)
{
	return fchmod(fd, mode) < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Says that the TPM may be ahead, unless somebody has left that standing. */
static int mark(struct eventlog_outlet *outlet)
{
	struct stat st;
	int r;

	if (fstat(outlet->fd, &st) < 0)
		return -errno;
	if (st.st_mode & S_ISVTX)
		return 0;
	r = set_mode(outlet->fd, S_ISVTX | 0600);
	outlet->marked = r == 0;
	return r;
}

static void leave(struct eventlog_outlet *outlet)
{
	if (outlet->fd >= 0)
		(void)close(outlet->fd);
	outlet->fd = -1;
	outlet->marked = false;
}

/**
 * eventlog_outlet_begin() - before a record is extended
 * @outlet:  copy
 * @root_fd: the root directory
 *
 * Waits for a tenth of a second at most, and not at all as long as that is in vain.
 * Whatever goes wrong is kept in @outlet->error, and stops nothing.
 */
void eventlog_outlet_begin(struct eventlog_outlet *outlet, int root_fd)
{
	int r;

	if (!outlet->wanted)
		return;
	outlet->fd = open_file(root_fd);
	r = outlet->fd < 0 ? outlet->fd : lock(outlet->fd, outlet->error ? 0 : WAIT_US);
	if (r == 0)
		r = mark(outlet);
	outlet->error = r;
	if (r < 0)
		leave(outlet);
}

/**
 * eventlog_outlet_abandon() - after a record that may have been extended, or not
 */
void eventlog_outlet_abandon(struct eventlog_outlet *outlet)
{
	leave(outlet);
}

/* One write, whole or not at all. */
static int write_text(int fd, const char *text, size_t size)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	n = write(fd, text, size);
	if (n == (ssize_t)size)
		return 0;
	if (n < 0)
		return -errno;
	return ftruncate(fd, st.st_size) < 0 ? -errno : -ENOSPC;
}

static bool is_known(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* A type of ours goes into the annotations, where it is no reason for anything. */
static int copy_record(int fd, struct eventlog_record *record)
{
	char text[EVENTLOG_RECORD_MAX];
	size_t size;
	int r;

	if (!is_known(record->event_type)) {
		(void)eventlog_annotate(record, "eventType", record->event_type);
		(void)snprintf(record->event_type, sizeof(record->event_type), "dm-verity");
	}
	r = eventlog_record_encode(record, text, sizeof(text), &size);
	return r < 0 ? 0 : write_text(fd, text, size);
}

/**
 * eventlog_outlet_add() - write a record that is in systemd's log alone
 * @outlet: copy, between begin and end
 * @record: of a type that systemd knows; borrowed for the call
 *
 * It gets no number, by which it would pass for a copy.
 *
 * Return: 0; as eventlog_record_encode(); a negative errno of write(2).
 */
int eventlog_outlet_add(struct eventlog_outlet *outlet, const struct eventlog_record *record)
{
	char text[EVENTLOG_RECORD_MAX], *rest;
	size_t size;
	int r = eventlog_record_encode(record, text, sizeof(text), &size);

	if (r < 0)
		return r;
	rest = memchr(text, ',', size);		/* "recnum" comes first */
	rest[-1] = RECORD_START;
	rest[0] = '{';
	return write_text(outlet->fd, rest - 1, size - (size_t)(rest - 1 - text));
}

/* Size of the piece at the start of @text, up to the next 0x1E. */
static size_t piece_size(const char *text, size_t size)
{
	const char *next = size > 1 ? memchr(text + 1, RECORD_START, size - 1) : NULL;

	return next ? (size_t)(next - text) : size;
}

static int copy_next(struct eventlog_outlet *outlet, const struct eventlog *log)
{
	_cleanup_free_ struct eventlog_record *record = malloc(sizeof(*record));
	char text[EVENTLOG_RECORD_MAX];
	uint64_t left = log->size - outlet->offset;
	ssize_t n = pread(log->fd, text, left < sizeof(text) ? left : sizeof(text),
			  (off_t)outlet->offset);
	size_t size;
	int r;

	if (!record || n <= 0)
		return record ? n < 0 ? -errno : -EIO : -ENOMEM;
	size = piece_size(text, (size_t)n);
	r = eventlog_record_decode(text, size, record);
	if (r == -ENOMEM)
		return r;
	if (r == 0) {
		r = copy_record(outlet->fd, record);
		eventlog_record_done(record);
		if (r < 0)
			return r;
	}
	outlet->offset += size;
	return 0;
}

/**
 * eventlog_outlet_end() - after a record was extended, or was not and never will be
 * @outlet: copy
 * @log:    our log
 *
 * Copies all that is missing.  If that cannot be, the mark stays.
 */
void eventlog_outlet_end(struct eventlog_outlet *outlet, const struct eventlog *log)
{
	int r = 0;

	if (outlet->fd < 0)
		return;
	if (outlet->offset > log->size)
		outlet->offset = log->size;
	while (r == 0 && outlet->offset < log->size)
		r = copy_next(outlet, log);
	if (r == 0 && fsync(outlet->fd) < 0)
		r = -errno;
	if (r == 0 && outlet->marked)
		r = set_mode(outlet->fd, 0600);
	outlet->error = r;
	leave(outlet);
}

/**
 * eventlog_outlet_count() - how many of our records are in systemd's log
 * @root_fd:        the root directory
 * @ret_incomplete: the log is marked as one that lacks a record; unchanged on failure
 *
 * Return: the number that comes after the last one there; 0 if there is none.
 */
uint64_t eventlog_outlet_count(int root_fd, bool *ret_incomplete)
{
	_cleanup_close_ int fd = io_open(root_fd, EVENTLOG_OUTLET_PATH,
					 O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	_cleanup_free_ char *piece = NULL;
	uint64_t n = 0;
	size_t room = 0;
	struct stat st;
	FILE *file;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	*ret_incomplete = st.st_mode & S_ISVTX;
	file = fdopen(fd, "r");
	if (!file)
		return 0;
	(void)take_fd(fd);
	while (getdelim(&piece, &room, RECORD_START, file) > 0)
		if (strncmp(piece, RECNUM, strlen(RECNUM)) == 0)
			n = strtoull(piece + strlen(RECNUM), NULL, 10) + 1;
	(void)fclose(file);
	return n;
}

/**
 * eventlog_outlet_adopt() - find out what the writers before us have copied
 * @outlet:  copy
 * @root_fd: the root directory
 * @log:     our log
 *
 * Return: 0; -ENOMEM or a negative errno of read(2).
 */
int eventlog_outlet_adopt(struct eventlog_outlet *outlet, int root_fd,
			  const struct eventlog *log)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	const struct eventlog_record *record;
	bool incomplete;
	uint64_t n;
	int r;

	if (!outlet->wanted)
		return 0;
	n = eventlog_outlet_count(root_fd, &incomplete);
	r = eventlog_reader_open_fd(log->fd, &reader);
	if (r < 0)
		return r;
	eventlog_reader_skip_annotations(reader);
	do {
		r = eventlog_reader_next(reader, &record);
		outlet->offset = eventlog_reader_offset(reader);
	} while (r == EVENTLOG_MALFORMED || (r == 0 && record->recnum < n));
	return r < 0 ? r : 0;
}
