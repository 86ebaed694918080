/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing the log.
 *
 * A transaction is begin, append, extend, end:
 *
 *   begin     takes the lock, which readers that compare log and TPM take too; one
 *             that holds it for long is not waited for
 *   append    one record, written and synced, or else nothing at all
 *   (extend)  is up to the caller; if the TPM refuses for good, withdraw takes the
 *             record back
 *   end       releases the lock
 *
 * A crash can come at any point.  Before the record is whole, its piece is torn and was
 * never extended: opening cuts it off.  After that it is the one record that the TPM may
 * not have seen, and stays.  Whatever else is found in the file was put there by someone
 * else and is left for verifying to show.
 *
 * There is one writer, who holds a lock of his own elsewhere.  Should the file change
 * under him nevertheless, begin notices by its size and reads it again.
 */
#include "eventlog/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"

#define LOCK_WAIT_US	(2 * CLOCK_S)
#define LOCK_RETRY_US	CLOCK_MS

/*
 * Waits for readers, but not for one that is stuck: measuring must not hang on that.  Only
 * what such a reader makes of the log is wrong then.
 */
static int lock(int fd)
{
	uint64_t deadline_us = clock_us(CLOCK_MONOTONIC) + LOCK_WAIT_US;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EINTR && errno != EWOULDBLOCK)
			return -errno;
		if (!clock_left_ms(deadline_us))
			return 0;
		(void)usleep(LOCK_RETRY_US);
	}
	return 0;
}

static int cut(int fd, uint64_t size)
{
	return ftruncate(fd, (off_t)size) < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Finds where the log goes on.  Return: 0; enum eventlog_opened; a negative errno. */
static int adopt(struct eventlog *log)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	const struct eventlog_record *record;
	uint64_t recnum = 0, n_records = 0;
	bool damaged = false, torn;
	int r;

	r = eventlog_reader_open_fd(log->fd, &reader);
	if (r < 0)
		return r;
	eventlog_reader_skip_annotations(reader);
	while ((r = eventlog_reader_next(reader, &record)) == 0 || r == EVENTLOG_MALFORMED) {
		damaged |= r == EVENTLOG_MALFORMED;
		if (r == 0) {
			n_records++;
			recnum = record->recnum < INT64_MAX ? record->recnum + 1 : n_records;
		}
	}
	if (r < 0)
		return r;
	torn = r == EVENTLOG_TORN;
	if (torn) {
		r = cut(log->fd, eventlog_reader_offset(reader));
		if (r < 0)
			return r;
	}
	log->recnum = recnum;
	log->size = log->last = eventlog_reader_offset(reader);
	return damaged ? EVENTLOG_DAMAGED : torn ? EVENTLOG_REPAIRED : 0;
}

static int make_parent(int root_fd, const char *path)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;

	if (length >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, length);
	parent[length] = '\0';
	return io_make_dirs(root_fd, parent, 0700);
}

static int open_file(int root_fd, const char *path)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	r = make_parent(root_fd, path);
	if (r < 0)
		return r;
	fd = io_open(root_fd, path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK,
		     0600);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((st.st_mode & 07777) != 0600 && fchmod(fd, 0600) < 0)
		return -errno;
	return take_fd(fd);
}

/**
 * eventlog_open() - open the log for writing
 * @log:     EVENTLOG_NONE
 * @root_fd: the root directory
 * @path:    absolute path as seen from that root; created if it is not there
 *
 * Waits for readers that hold the lock, for two seconds at most.
 *
 * Return: 0; EVENTLOG_REPAIRED or EVENTLOG_DAMAGED, with @log open and good for writing;
 * -ELOOP if it is a symbolic link; -EINVAL if it is no regular file; a negative errno of
 * mkdir, open, flock, read or ftruncate(2).
 */
int eventlog_open(struct eventlog *log, int root_fd, const char *path)
{
	struct eventlog opened = EVENTLOG_NONE;
	int r;

	opened.fd = open_file(root_fd, path);
	if (opened.fd < 0)
		return opened.fd;
	r = lock(opened.fd);
	if (r == 0)
		r = adopt(&opened);
	if (r < 0) {
		eventlog_close(&opened);
		return r;
	}
	eventlog_end(&opened);
	*log = opened;
	return r;
}

/**
 * eventlog_close() - close the log, and release the lock if a transaction is open
 * @log: need not be open
 */
void eventlog_close(struct eventlog *log)
{
	closep(&log->fd);
	*log = (struct eventlog)EVENTLOG_NONE;
}

/**
 * eventlog_restart() - throw all records away, because no anchor vouches for them
 *
 * Not within a transaction.
 *
 * Return: 0; a negative errno of flock, ftruncate or fsync(2).
 */
int eventlog_restart(struct eventlog *log)
{
	int r;

	r = lock(log->fd);
	if (r < 0)
		return r;
	r = cut(log->fd, 0);
	if (r == 0)
		log->size = log->recnum = 0;
	eventlog_end(log);
	return r;
}

/**
 * eventlog_begin() - start a transaction
 *
 * Waits for readers that hold the lock, for two seconds at most.
 *
 * Return: 0; -ESTALE if the file has been deleted; a negative errno of flock, read or
 * ftruncate(2); -ENOMEM.
 */
int eventlog_begin(struct eventlog *log)
{
	struct stat st;
	int r;

	r = lock(log->fd);
	if (r < 0)
		return r;
	if (fstat(log->fd, &st) < 0)
		r = -errno;
	else if (st.st_nlink == 0)
		r = -ESTALE;
	else if ((uint64_t)st.st_size != log->size)
		r = adopt(log);
	if (r < 0)
		eventlog_end(log);
	return r < 0 ? r : 0;
}

/**
 * eventlog_end() - end a transaction
 * @log: what was appended stays
 */
void eventlog_end(struct eventlog *log)
{
	log->last = log->size;
	(void)flock(log->fd, LOCK_UN);
}

/**
 * eventlog_append() - write a record and wait until it is on the medium
 * @log:    within a transaction
 * @record: gets its number
 *
 * Return: 0; otherwise the log is as before: as eventlog_record_encode(); a negative
 * errno of write or fsync(2), such as -ENOSPC.
 */
int eventlog_append(struct eventlog *log, struct eventlog_record *record)
{
	char text[EVENTLOG_RECORD_MAX];
	size_t size;
	int r;

	record->recnum = log->recnum;
	r = eventlog_record_encode(record, text, sizeof(text), &size);
	if (r < 0)
		return r;
	r = io_write_all(log->fd, text, size);
	if (r == 0 && fsync(log->fd) < 0)
		r = -errno;
	if (r < 0) {
		(void)cut(log->fd, log->size);
		return r;
	}
	log->last = log->size;
	log->size += size;
	log->recnum++;
	return 0;
}

/**
 * eventlog_withdraw() - take back the record that was appended last
 * @log: within the transaction that appended it
 *
 * For a record that the TPM refused and will never have seen.
 *
 * Return: 0; -EINVAL if this transaction has appended nothing since; a negative errno of
 * ftruncate or fsync(2).
 */
int eventlog_withdraw(struct eventlog *log)
{
	int r;

	if (log->last == log->size)
		return -EINVAL;
	r = cut(log->fd, log->last);
	if (r < 0)
		return r;
	log->size = log->last;
	log->recnum--;
	return 0;
}
