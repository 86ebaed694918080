/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eventlog/eventlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "eventlog/eventlog_test.h"
#include "test.h"

static char text[8 * EVENTLOG_RECORD_MAX];

static int file_with(const void *data, size_t size)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_EQ(pwrite(fd, data, size, 0), size);
	return fd;
}

/* What the reader says of each piece, such as "012E": M malformed, T torn, E end. */
static void read_all(int fd, char ret[static 64])
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	const struct eventlog_record *record = NULL;
	size_t n;
	int r = 0;

	*ret = '\0';
	CHECK_EQ(eventlog_reader_open_fd(fd, &reader), 0);
	while (r != EVENTLOG_END && r != EVENTLOG_TORN && strlen(ret) < 48) {
		r = eventlog_reader_next(reader, &record);
		n = strlen(ret);
		if (r == 0)
			(void)snprintf(ret + n, 64 - n, "%d", (int)record->recnum);
		else
			(void)snprintf(ret + n, 64 - n, r == EVENTLOG_END ? "E" :
				       r == EVENTLOG_TORN ? "T" :
				       r == EVENTLOG_MALFORMED ? "M" : "?");
	}
}

static void records_come_in_order(void)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	_cleanup_close_ int fd = -1;
	const struct eventlog_record *record = NULL;
	size_t size = 0, offsets[501];

	for (int i = 0; i < 500; i++) {
		offsets[i] = size;
		size = sample_text((uint64_t)i, "word", text, size);
	}
	offsets[500] = size;
	CHECK(size > sizeof(text) / 2);
	fd = file_with(text, size);
	CHECK_EQ(eventlog_reader_open_fd(fd, &reader), 0);
	for (int i = 0; i < 500; i++) {
		CHECK_EQ(eventlog_reader_next(reader, &record), 0);
		CHECK_EQ(record->recnum, i);
		CHECK_EQ(eventlog_reader_offset(reader), offsets[i]);
	}
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(eventlog_reader_next(reader, &record), EVENTLOG_END);
		CHECK_EQ(eventlog_reader_offset(reader), size);
	}
}

static void annotations_come_if_they_are_wanted(void)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	_cleanup_close_ int fd = -1;
	struct eventlog_record written = sample_record(0, "word");
	const struct eventlog_record *record = NULL;
	static const char *const values[] = { "plain", "UTF-8: \xc3\xa4" };
	size_t size = 0, added = 0;

	for (int i = 0; i < 4; i++, size += added) {
		CHECK_EQ(eventlog_annotate(&written, "key", values[i % 2]), 0);
		CHECK_EQ(eventlog_record_encode(&written, text + size, 4096, &added), 0);
	}
	eventlog_record_done(&written);
	fd = file_with(text, size);
	CHECK_EQ(eventlog_reader_open_fd(fd, &reader), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(eventlog_reader_next(reader, &record), 0);
		CHECK_STR(eventlog_annotation(record, "key"), values[i]);
	}
	eventlog_reader_skip_annotations(reader);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(eventlog_reader_next(reader, &record), 0);
		CHECK(!record->annotations);
		CHECK_STR(record->word, "word");
	}
}

static void a_reader_at_the_end_sees_what_is_appended(void)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	_cleanup_close_ int fd = -1;
	const struct eventlog_record *record = NULL;
	size_t first = sample_text(0, "one", text, 0);
	size_t size = sample_text(1, "two", text, first);

	fd = file_with(text, first);
	CHECK_EQ(eventlog_reader_open_fd(fd, &reader), 0);
	CHECK_EQ(eventlog_reader_next(reader, &record), 0);
	CHECK_EQ(eventlog_reader_next(reader, &record), EVENTLOG_END);
	for (size_t at = first; at < size - 1; at++) {
		CHECK_EQ(pwrite(fd, text + at, 1, (off_t)at), 1);
		CHECK_EQ(eventlog_reader_next(reader, &record), EVENTLOG_TORN);
		CHECK_EQ(eventlog_reader_offset(reader), first);
	}
	CHECK_EQ(pwrite(fd, text + size - 1, 1, (off_t)size - 1), 1);
	CHECK_EQ(eventlog_reader_next(reader, &record), 0);
	CHECK_STR(record->word, "two");
	CHECK_EQ(eventlog_reader_next(reader, &record), EVENTLOG_END);
}

static void a_cut_anywhere_in_the_last_record_is_torn(void)
{
	size_t first = sample_text(0, "one", text, 0);
	size_t size = sample_text(1, "two", text, first);
	char seen[64];

	for (size_t at = first; at <= size; at++) {
		_cleanup_close_ int fd = file_with(text, at);

		read_all(fd, seen);
		CHECK_STR(seen, at == first ? "0E" : at == size ? "01E" : "0T");
	}
}

static void octets_nul_at_the_end_are_torn(void)
{
	static const size_t counts[] = { 1, 4096, EVENTLOG_RECORD_MAX,
					 2UL * EVENTLOG_RECORD_MAX, 1000000 };
	size_t first = sample_text(0, "one", text, 0);
	size_t size = sample_text(1, "two", text, first);
	char seen[64];

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		for (size_t at = first; at <= size; at += (size - first) / 5) {
			_cleanup_close_ int fd = file_with(text, at);

			CHECK_EQ(ftruncate(fd, (off_t)(at + counts[i])), 0);
			read_all(fd, seen);
			CHECK_STR(seen, at == size ? "01T" : "0T");
		}
	}
}

/* One record, @piece, and another record. */
static size_t sandwich(const char *piece, size_t piece_size)
{
	size_t size = sample_text(0, "one", text, 0);

	memcpy(text + size, piece, piece_size);
	return sample_text(1, "two", text, size + piece_size);
}

static void what_is_no_record_is_passed_over(void)
{
	static const struct {
		const char *name, *piece;
		size_t size;
		const char *inside, *last;
	} cases[] = {
		{ "a line", "hello\n", 6, "0M1E", "0ME" },
		{ "no line", "hello", 5, "0M1E", "0ME" },
		{ "an end", "\n", 1, "0M1E", "0ME" },
		{ "a start", "\x1e", 1, "0M1E", "0T" },
		{ "two starts", "\x1e\x1e", 2, "0MM1E", "0MT" },
		{ "an empty record", "\x1e\n", 2, "0M1E", "0ME" },
		{ "another record", "\x1e{}\n", 4, "0M1E", "0ME" },
		{ "a torn record", "\x1e{\"recnum\":", 11, "0M1E", "0T" },
		{ "NUL", "\0\0\0", 3, "0M1E", "0T" },
		{ "NUL in a record", "\x1e{\0}\n", 5, "0M1E", "0ME" },
		{ "a start and NUL", "\x1e{\0\0", 4, "0M1E", "0T" },
		{ "NUL and text", "\0\0{", 3, "0M1E", "0ME" },
		{ "a start, NUL and text", "\x1e\0{", 3, "0M1E", "0ME" },
		{ "a start, NUL and a start", "\x1e\0\x1e", 3, "0MM1E", "0MT" },
	};
	char seen[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t size = sandwich(cases[i].piece, cases[i].size);
		size_t first = sample_text(0, "one", text, 0);
		_cleanup_close_ int inside = file_with(text, size);
		_cleanup_close_ int last = file_with(text, first + cases[i].size);

		test_case = cases[i].name;
		read_all(inside, seen);
		CHECK_STR(seen, cases[i].inside);
		read_all(last, seen);
		CHECK_STR(seen, cases[i].last);
	}
}

static void a_record_without_end_is_never_held_whole(void)
{
	static const size_t sizes[] = { EVENTLOG_RECORD_MAX - 1, EVENTLOG_RECORD_MAX,
					2UL * EVENTLOG_RECORD_MAX,
					3UL * EVENTLOG_RECORD_MAX };
	static char piece[3 * EVENTLOG_RECORD_MAX];
	char seen[64];

	memset(piece, ' ', sizeof(piece));
	piece[0] = '\x1e';
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t size = sandwich(piece, sizes[i]);
		size_t first = sample_text(0, "one", text, 0);
		_cleanup_close_ int inside = file_with(text, size);
		_cleanup_close_ int last = file_with(text, first + sizes[i]);

		read_all(inside, seen);
		CHECK_STR(seen, "0M1E");
		read_all(last, seen);
		CHECK_STR(seen, sizes[i] < EVENTLOG_RECORD_MAX ? "0T" : "0ME");
	}
}

static void only_a_regular_file_is_read(void)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	char folder[] = "/tmp/reader-test-XXXXXX";
	_cleanup_close_ int root_fd = -1, fd = -1;

	CHECK(mkdtemp(folder));
	root_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = openat(root_fd, "log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(symlinkat("log", root_fd, "link"), 0);
	CHECK_EQ(eventlog_reader_open(root_fd, "/none", &reader), -ENOENT);
	CHECK_EQ(eventlog_reader_open(root_fd, "/link", &reader), -ELOOP);
	CHECK_EQ(eventlog_reader_open(root_fd, "/", &reader), -EINVAL);
	CHECK(!reader);
	CHECK_EQ(eventlog_reader_open(root_fd, "/log", &reader), 0);
	CHECK_EQ(unlinkat(root_fd, "link", 0), 0);
	CHECK_EQ(unlinkat(root_fd, "log", 0), 0);
	CHECK_EQ(rmdir(folder), 0);
}

TEST_MAIN(records_come_in_order,
	  annotations_come_if_they_are_wanted,
	  a_reader_at_the_end_sees_what_is_appended,
	  a_cut_anywhere_in_the_last_record_is_torn,
	  octets_nul_at_the_end_are_torn,
	  what_is_no_record_is_passed_over,
	  a_record_without_end_is_never_held_whole,
	  only_a_regular_file_is_read)
