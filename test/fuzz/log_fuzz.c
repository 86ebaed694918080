/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whatever the octets: a reader gets on and stays inside the file, a log is never taken
 * for more than its records come to, and cutting off what is torn ends in a whole one.
 */
#include <assert.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "eventlog/eventlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Return: how the log ends.  @ret_offset: where; @ret_n: after how many pieces. */
static int read_all(int fd, size_t size, uint64_t *ret_offset, size_t *ret_n)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	const struct eventlog_record *record;
	struct eventlog_replay replay;
	uint64_t offset = 0;
	int r;

	eventlog_replay_init(&replay);
	assert(eventlog_reader_open_fd(fd, &reader) == 0);
	for (*ret_n = 0;; ++*ret_n) {
		r = eventlog_reader_next(reader, &record);
		assert(r >= 0);
		assert(*ret_n == 0 || eventlog_reader_offset(reader) > offset);
		offset = eventlog_reader_offset(reader);
		assert(offset <= size);
		if (r == EVENTLOG_END || r == EVENTLOG_TORN)
			break;
		if (r == 0 && eventlog_replay_add(&replay, record) == 0)
			assert(record->recnum + 1 == replay.n_records);
	}
	assert(replay.n_folds <= EVENTLOG_REPLAY_MAX && replay.n_records <= *ret_n);
	assert(r == EVENTLOG_TORN ? offset < size : offset == size);
	assert(eventlog_reader_next(reader, &record) == r);
	*ret_offset = offset;
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("log", MFD_CLOEXEC);
	uint64_t end = size;
	size_t n, n_before = SIZE_MAX;

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	while (read_all(fd, end, &end, &n) == EVENTLOG_TORN) {
		assert(n <= n_before);
		n_before = n;
		assert(ftruncate(fd, (off_t)end) == 0);
	}
	assert(n <= n_before);
	return 0;
}
