/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading the log, however long it is, in constant memory.
 *
 * A record reaches from 0x1E to the first 0x0A.  Where there is none to be had, the
 * octets up to the next 0x1E or to the end of the file are one piece of something else:
 *
 *   torn       a last piece that a write cut short would leave: the start of a record
 *              without its end, or octets NUL that a lost write-back leaves, or first
 *              the one and then the other
 *   malformed  everything else
 *
 * The file is read by position and nothing read ahead survives an end, so that a reader
 * at the end goes on when the log has grown.
 */
#include "eventlog/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/json.h"

/**
 * struct eventlog_reader - a place in a log
 * @fd:      of the log
 * @own_fd:  the same if the reader has to close it, else -1
 * @offset:  in the file, of buffer[head]
 * @last:    in the file, of what eventlog_reader_next() found last
 * @last_size: of the record that it was, if it was one
 * @head:    first octet of @buffer that is not used up
 * @tail:    first octet of @buffer that is not filled
 * @annotated: records come with their annotations
 * @record:  what eventlog_reader_next() hands out
 * @tokener: for record_decode()
 * @buffer:  part of the file; has room for two records, so that it is moved rarely
 */
struct eventlog_reader {
	int fd;
	int own_fd;
	uint64_t offset;
	uint64_t last;
	size_t last_size;
	size_t head;
	size_t tail;
	bool annotated;
	struct eventlog_record record;
	struct json_tokener *tokener;
	char buffer[2 * EVENTLOG_RECORD_MAX];
};

/**
 * eventlog_reader_open_fd() - read a log that is open
 * @fd:  stays the caller's, and must stay open; its file position is not used
 * @ret: the reader, for eventlog_reader_close()
 *
 * Return: 0; -ENOMEM.
 */
int eventlog_reader_open_fd(int fd, struct eventlog_reader **ret)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;

	reader = malloc(sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->fd = fd;
	reader->own_fd = -1;
	reader->offset = reader->last = 0;
	reader->head = reader->tail = 0;
	reader->last_size = 0;
	reader->annotated = true;
	reader->record.annotations = NULL;
	reader->tokener = record_tokener_new();
	if (!reader->tokener)
		return -ENOMEM;
	*ret = take_ptr(reader);
	return 0;
}

/**
 * eventlog_reader_open() - read the log at a path
 * @root_fd: the root directory
 * @path:    absolute path as seen from that root
 * @ret:     the reader, for eventlog_reader_close()
 *
 * Return: 0; -EINVAL if it is no regular file; -ENOMEM; a negative errno of open(2):
 * -ELOOP if it is a symbolic link.
 */
int eventlog_reader_open(int root_fd, const char *path, struct eventlog_reader **ret)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	fd = io_open(root_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	r = eventlog_reader_open_fd(fd, ret);
	if (r == 0)
		(*ret)->own_fd = take_fd(fd);
	return r;
}

/**
 * eventlog_reader_close() - end reading, and release the lock if there is one
 * @reader: may point to NULL; is NULL afterwards
 */
void eventlog_reader_close(struct eventlog_reader **reader)
{
	struct eventlog_reader *r = take_ptr(*reader);

	if (!r)
		return;
	eventlog_record_done(&r->record);
	json_tokener_freep(&r->tokener);
	closep(&r->own_fd);
	free(r);
}

/**
 * eventlog_reader_skip_annotations() - from now on leave annotations out of records
 *
 * Replaying needs none, and is several times as fast without.
 */
void eventlog_reader_skip_annotations(struct eventlog_reader *reader)
{
	reader->annotated = false;
}

/**
 * eventlog_reader_seek() - go on at another place
 * @offset: in the file, where a record begins
 */
void eventlog_reader_seek(struct eventlog_reader *reader, uint64_t offset)
{
	reader->offset = reader->last = offset;
	reader->head = reader->tail = 0;
}

/**
 * eventlog_reader_lock() - keep the writer from starting a transaction
 *
 * Waits for the one that is under way.  As long as the lock is held, the log and the
 * TPM agree, and a writer waits: do nothing slow.
 *
 * Return: 0; a negative errno of flock(2).
 */
int eventlog_reader_lock(struct eventlog_reader *reader)
{
	while (flock(reader->fd, LOCK_SH) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/**
 * eventlog_reader_unlock() - let the writer go on
 */
void eventlog_reader_unlock(struct eventlog_reader *reader)
{
	(void)flock(reader->fd, LOCK_UN);
}

/**
 * eventlog_reader_offset() - where in the file that begins which
 * eventlog_reader_next() found last, be it a record or not
 */
uint64_t eventlog_reader_offset(const struct eventlog_reader *reader)
{
	return reader->last;
}

static size_t held(const struct eventlog_reader *reader)
{
	return reader->tail - reader->head;
}

static void consume(struct eventlog_reader *reader, size_t size)
{
	reader->head += size;
	reader->offset += size;
}

/* Holds as much of the file as fits; *ret_end says whether that is all of it. */
static int fill(struct eventlog_reader *reader, bool *ret_end)
{
	memmove(reader->buffer, reader->buffer + reader->head, held(reader));
	reader->tail -= reader->head;
	reader->head = 0;
	*ret_end = false;
	while (reader->tail < sizeof(reader->buffer) && !*ret_end) {
		ssize_t n = pread(reader->fd, reader->buffer + reader->tail,
				  sizeof(reader->buffer) - reader->tail,
				  (off_t)(reader->offset + reader->tail));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			reader->tail += (size_t)n;
		*ret_end = n == 0;
	}
	return 0;
}

/* Whether nothing but octets NUL comes after the first @skip octets held. */
static int rest_is_nul(struct eventlog_reader *reader, size_t skip, bool *ret)
{
	bool end = false;
	int r;

	consume(reader, skip);
	do {
		r = fill(reader, &end);
		if (r < 0)
			return r;
		for (size_t i = reader->head; i < reader->tail; i++) {
			if (reader->buffer[i] != '\0') {
				*ret = false;
				return 0;
			}
		}
		consume(reader, held(reader));
	} while (!end);
	*ret = true;
	return 0;
}

/* Goes on to the next 0x1E, or to the end of the file. */
static int skip_piece(struct eventlog_reader *reader)
{
	bool end = false;
	int r;

	consume(reader, held(reader) ? 1 : 0);
	do {
		char *start = memchr(reader->buffer + reader->head, RECORD_START,
				     held(reader));

		if (start) {
			consume(reader, (size_t)(start - reader->buffer) - reader->head);
			return 0;
		}
		consume(reader, held(reader));
		r = fill(reader, &end);
		if (r < 0)
			return r;
	} while (!end || held(reader));
	return 0;
}

/* What is at the place where a record should be. */
static int read_piece(struct eventlog_reader *reader)
{
	const char *p = reader->buffer + reader->head;
	size_t size = held(reader);
	size_t text = p[0] == RECORD_START ? strnlen(p, size) : 0;
	bool torn = false, end;
	int r = 0;

	if (text < EVENTLOG_RECORD_MAX && !memchr(p, RECORD_END, text) &&
	    (text == 0 || !memchr(p + 1, RECORD_START, text - 1))) {
		r = rest_is_nul(reader, text, &torn);
		reader->offset = reader->last;
		reader->head = reader->tail = 0;
		if (r == 0 && !torn)
			r = fill(reader, &end);
	}
	if (r < 0 || torn)
		return r < 0 ? r : EVENTLOG_TORN;
	r = skip_piece(reader);
	return r < 0 ? r : EVENTLOG_MALFORMED;
}

/* Size of the record at the head of the buffer; 0 if its end is not in there. */
static size_t record_size(const struct eventlog_reader *reader)
{
	const char *start = reader->buffer + reader->head;
	const char *end = memchr(start, RECORD_END, held(reader));

	return end ? (size_t)(end - start) + 1 : 0;
}

/**
 * eventlog_reader_next() - read the next record
 * @reader: of eventlog_reader_open()
 * @ret:    the record; belongs to the reader, and lasts until it is used again
 *
 * Return: 0; EVENTLOG_END or EVENTLOG_TORN, where the reader stays, so that a later call
 * reads what has been appended; EVENTLOG_MALFORMED, after which a later call reads what
 * follows the next 0x1E; -ENOMEM; a negative errno of pread(2).
 */
int eventlog_reader_next(struct eventlog_reader *reader,
			 const struct eventlog_record **ret)
{
	size_t size = record_size(reader);
	bool end;
	int r;

	eventlog_record_done(&reader->record);
	if (!size) {
		r = fill(reader, &end);
		if (r < 0)
			return r;
		size = record_size(reader);
	}
	reader->last = reader->offset;
	if (!held(reader))
		return EVENTLOG_END;
	if (!size)
		return read_piece(reader);
	r = record_decode(reader->tokener, reader->buffer + reader->head, size,
			  reader->annotated, &reader->record);
	if (r == -EBADMSG)
		return read_piece(reader);
	if (r < 0)
		return r;
	consume(reader, size);
	reader->last_size = size;
	*ret = &reader->record;
	return 0;
}

/**
 * eventlog_reader_annotate() - have the annotations of the last record after all
 *
 * To be called right after eventlog_reader_next() has found a record.
 *
 * Return: 0; a negative errno of eventlog_record_decode().
 */
int eventlog_reader_annotate(struct eventlog_reader *reader)
{
	eventlog_record_done(&reader->record);
	return record_decode(reader->tokener,
			     reader->buffer + reader->head - reader->last_size,
			     reader->last_size, true, &reader->record);
}
