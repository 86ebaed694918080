/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eventlog/eventlog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "eventlog/eventlog_test.h"
#include "test.h"

#define LOG_FILE	"run/log/measure.log"
#define LOG		"/" LOG_FILE

/* A root of its own for each test, with an open log. */
struct fixture {
	char folder[32];
	int root_fd;
	struct eventlog log;
};

static void setup(struct fixture *f)
{
	*f = (struct fixture){ "/tmp/eventlog-test-XXXXXX", -1, EVENTLOG_NONE };
	CHECK(mkdtemp(f->folder));
	f->root_fd = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(f->root_fd >= 0);
	CHECK_EQ(eventlog_open(&f->log, f->root_fd, LOG), 0);
}

static void teardown(struct fixture *f)
{
	eventlog_close(&f->log);
	(void)unlinkat(f->root_fd, LOG_FILE, 0);
	CHECK_EQ(unlinkat(f->root_fd, "run/log", AT_REMOVEDIR), 0);
	CHECK_EQ(unlinkat(f->root_fd, "run", AT_REMOVEDIR), 0);
	CHECK_EQ(rmdir(f->folder), 0);
	closep(&f->root_fd);
}

#define _fixture_ _cleanup_(teardown)

static int append(struct fixture *f, const char *word)
{
	struct eventlog_record record = sample_record(0, word);
	int r;

	CHECK_EQ(eventlog_begin(&f->log), 0);
	r = eventlog_append(&f->log, &record);
	CHECK(r < 0 || record.recnum == f->log.recnum - 1);
	eventlog_end(&f->log);
	return r;
}

static int reopen(struct fixture *f)
{
	eventlog_close(&f->log);
	return eventlog_open(&f->log, f->root_fd, LOG);
}

/* Puts octets at the end of the file behind the writer's back. */
static void smuggle(struct fixture *f, const void *data, size_t size)
{
	_cleanup_close_ int fd = io_open(f->root_fd, LOG, O_WRONLY | O_APPEND, 0);

	CHECK_EQ(write(fd, data, size), size);
}

/* The words of the log, and what else is in it, such as "one,two,M,END". */
static const char *words(struct fixture *f)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	const struct eventlog_record *record = NULL;
	static char text[256];
	size_t n;
	int r;

	*text = '\0';
	CHECK_EQ(eventlog_reader_open(f->root_fd, LOG, &reader), 0);
	while ((r = eventlog_reader_next(reader, &record)) == 0 || r == EVENTLOG_MALFORMED) {
		n = strlen(text);
		(void)snprintf(text + n, sizeof(text) - n, "%.16s,", r ? "M" : record->word);
	}
	n = strlen(text);
	(void)snprintf(text + n, sizeof(text) - n, r == EVENTLOG_END ? "END" : "TORN");
	return text;
}

static off_t file_size(struct fixture *f)
{
	struct stat st = { 0 };

	CHECK_EQ(fstatat(f->root_fd, LOG_FILE, &st, 0), 0);
	return st.st_size;
}

static void only_root_can_read_it(void)
{
	_fixture_ struct fixture f;
	struct stat st = { 0 };

	setup(&f);
	CHECK_EQ(fstatat(f.root_fd, "run/log", &st, 0), 0);
	CHECK_EQ(st.st_mode, S_IFDIR | 0700);
	CHECK_EQ(fstatat(f.root_fd, LOG_FILE, &st, 0), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
	CHECK_EQ(fchmodat(f.root_fd, LOG_FILE, 0666, 0), 0);
	CHECK_EQ(reopen(&f), 0);
	CHECK_EQ(fstatat(f.root_fd, LOG_FILE, &st, 0), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
}

static void nothing_but_a_regular_file_is_opened(void)
{
	_fixture_ struct fixture f;
	struct eventlog log = EVENTLOG_NONE;

	setup(&f);
	CHECK_EQ(symlinkat("measure.log", f.root_fd, "run/log/link"), 0);
	CHECK_EQ(mkfifoat(f.root_fd, "run/log/fifo", 0600), 0);
	CHECK_EQ(eventlog_open(&log, f.root_fd, "/run/log/link"), -ELOOP);
	CHECK_EQ(eventlog_open(&log, f.root_fd, "/run/log/fifo"), -EINVAL);
	CHECK_EQ(eventlog_open(&log, f.root_fd, "/run/log"), -EISDIR);
	CHECK_EQ(log.fd, -1);
	CHECK_EQ(unlinkat(f.root_fd, "run/log/link", 0), 0);
	CHECK_EQ(unlinkat(f.root_fd, "run/log/fifo", 0), 0);
}

static void numbers_go_on_after_reopening(void)
{
	_fixture_ struct fixture f;

	setup(&f);
	CHECK_EQ(append(&f, "one"), 0);
	CHECK_EQ(append(&f, "two"), 0);
	CHECK_EQ(f.log.recnum, 2);
	CHECK_EQ(reopen(&f), 0);
	CHECK_EQ(f.log.recnum, 2);
	CHECK_EQ(append(&f, "three"), 0);
	CHECK_STR(words(&f), "one,two,three,END");
	CHECK_EQ(f.log.size, file_size(&f));
}

static void a_torn_tail_of_any_length_is_cut_off(void)
{
	_fixture_ struct fixture f;
	static char text[EVENTLOG_RECORD_MAX];
	size_t size = sample_text(1, "two", text, 0);

	setup(&f);
	for (size_t torn = 1; torn < size; torn++) {
		CHECK_EQ(eventlog_restart(&f.log), 0);
		CHECK_EQ(append(&f, "one"), 0);
		smuggle(&f, text, torn);
		CHECK_EQ(reopen(&f), EVENTLOG_REPAIRED);
		CHECK_EQ(f.log.size, file_size(&f));
		CHECK_STR(words(&f), "one,END");
		CHECK_EQ(append(&f, "other"), 0);
		CHECK_STR(words(&f), "one,other,END");
	}
	CHECK_EQ(f.log.recnum, 2);
}

static void octets_nul_at_the_end_are_cut_off(void)
{
	static const char piece[9000] = "\x1e{\"recnum\":1";
	static const char *const starts[] = { piece, piece + 100 };
	_fixture_ struct fixture f;

	setup(&f);
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		CHECK_EQ(eventlog_restart(&f.log), 0);
		CHECK_EQ(append(&f, "one"), 0);
		smuggle(&f, starts[i], sizeof(piece) - 100);
		CHECK_EQ(reopen(&f), EVENTLOG_REPAIRED);
		CHECK_STR(words(&f), "one,END");
		CHECK_EQ(append(&f, "two"), 0);
		CHECK_STR(words(&f), "one,two,END");
	}
}

static void damage_stays_to_be_seen(void)
{
	_fixture_ struct fixture f;

	setup(&f);
	CHECK_EQ(append(&f, "one"), 0);
	smuggle(&f, "\x1e{\"recnum\":1}\n", 14);
	CHECK_EQ(reopen(&f), EVENTLOG_DAMAGED);
	CHECK_EQ(append(&f, "two"), 0);
	CHECK_STR(words(&f), "one,M,two,END");
	smuggle(&f, "no end", 6);
	CHECK_EQ(reopen(&f), EVENTLOG_DAMAGED);
	CHECK_EQ(append(&f, "three"), 0);
	CHECK_STR(words(&f), "one,M,two,M,three,END");
	CHECK_EQ(f.log.recnum, 3);
	smuggle(&f, "\x1e", 1);
	CHECK_EQ(reopen(&f), EVENTLOG_DAMAGED);
	CHECK_STR(words(&f), "one,M,two,M,three,END");
}

static void a_number_at_its_end_does_not_stop_the_log(void)
{
	static char text[EVENTLOG_RECORD_MAX];
	_fixture_ struct fixture f;

	setup(&f);
	smuggle(&f, text, sample_text(INT64_MAX, "last", text, 0));
	CHECK_EQ(reopen(&f), 0);
	CHECK_EQ(f.log.recnum, 1);
	CHECK_EQ(append(&f, "one"), 0);
	CHECK_STR(words(&f), "last,one,END");
}

static void a_full_disk_leaves_no_piece_behind(void)
{
	struct rlimit limit = { 0 }, tight;
	_fixture_ struct fixture f;

	setup(&f);
	CHECK_EQ(append(&f, "one"), 0);
	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	CHECK_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
	for (rlim_t room = 0; room < 300; room += 50) {
		int r;

		tight = (struct rlimit){ f.log.size + room, limit.rlim_max };
		(void)fflush(stdout);
		CHECK_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
		r = append(&f, "two");
		CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
		CHECK_EQ(r, -EFBIG);
		CHECK_EQ(f.log.size, file_size(&f));
		CHECK_EQ(f.log.recnum, 1);
	}
	CHECK_EQ(append(&f, "two"), 0);
	CHECK_STR(words(&f), "one,two,END");
	CHECK(signal(SIGXFSZ, SIG_DFL) != SIG_ERR);
}

static void an_invalid_record_is_not_appended(void)
{
	_fixture_ struct fixture f;

	setup(&f);
	CHECK_EQ(append(&f, "a\nb"), -EINVAL);
	CHECK_EQ(append(&f, "one"), 0);
	CHECK_STR(words(&f), "one,END");
}

static void only_the_record_of_this_transaction_is_withdrawn(void)
{
	struct eventlog_record record = sample_record(0, "two");
	_fixture_ struct fixture f;

	setup(&f);
	CHECK_EQ(append(&f, "one"), 0);
	CHECK_EQ(eventlog_begin(&f.log), 0);
	CHECK_EQ(eventlog_withdraw(&f.log), -EINVAL);
	CHECK_EQ(eventlog_append(&f.log, &record), 0);
	CHECK_STR(words(&f), "one,two,END");
	CHECK_EQ(eventlog_withdraw(&f.log), 0);
	CHECK_EQ(eventlog_withdraw(&f.log), -EINVAL);
	CHECK_STR(words(&f), "one,END");
	eventlog_end(&f.log);
	CHECK_EQ(append(&f, "three"), 0);
	CHECK_STR(words(&f), "one,three,END");
	CHECK_EQ(f.log.recnum, 2);
}

static void a_restart_throws_everything_away(void)
{
	_fixture_ struct fixture f;

	setup(&f);
	CHECK_EQ(append(&f, "one"), 0);
	smuggle(&f, "damage", 6);
	CHECK_EQ(eventlog_restart(&f.log), 0);
	CHECK_STR(words(&f), "END");
	CHECK_EQ(append(&f, "two"), 0);
	CHECK_EQ(f.log.recnum, 1);
	CHECK_STR(words(&f), "two,END");
}

static void a_change_by_someone_else_is_noticed(void)
{
	static char text[EVENTLOG_RECORD_MAX];
	_fixture_ struct fixture f;

	setup(&f);
	CHECK_EQ(append(&f, "one"), 0);
	smuggle(&f, text, sample_text(1, "two", text, 0));
	CHECK_EQ(append(&f, "three"), 0);
	CHECK_STR(words(&f), "one,two,three,END");
	CHECK_EQ(f.log.recnum, 3);
	smuggle(&f, "\x1e{\"torn", 7);
	CHECK_EQ(append(&f, "four"), 0);
	CHECK_STR(words(&f), "one,two,three,four,END");
	CHECK_EQ(unlinkat(f.root_fd, LOG_FILE, 0), 0);
	CHECK_EQ(eventlog_begin(&f.log), -ESTALE);
	CHECK_EQ(reopen(&f), 0);
	CHECK_EQ(append(&f, "one"), 0);
}

static void transact_elsewhere(int root_fd)
{
	struct eventlog log = EVENTLOG_NONE;

	if (eventlog_open(&log, root_fd, LOG) != 0 || eventlog_begin(&log) != 0)
		_exit(1);
}

static void read_elsewhere(int root_fd)
{
	struct eventlog_reader *reader;

	if (eventlog_reader_open(root_fd, LOG, &reader) != 0 ||
	    eventlog_reader_lock(reader) != 0)
		_exit(1);
}

/* Another process does @take and then closes the end of a pipe; returns the other end. */
static int fork_taker(int root_fd, void (*take)(int root_fd), pid_t *ret_pid)
{
	int ends[2] = { -1, -1 };

	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	(void)fflush(stdout);
	*ret_pid = fork();
	if (*ret_pid == 0) {
		(void)alarm(20);
		take(root_fd);
		_exit(write(ends[1], "", 1) == 1 ? 0 : 1);
	}
	(void)close(ends[1]);
	return ends[0];
}

static bool has_it(int fd, int timeout_ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	return poll(&wait, 1, timeout_ms) == 1;
}

static void who_comes_second_waits(void)
{
	static void (*const takers[])(int root_fd) = { transact_elsewhere, read_elsewhere };
	_fixture_ struct fixture f;

	setup(&f);
	for (size_t i = 0; i < ARRAY_SIZE(takers); i++) {
		_cleanup_close_ int fd = -1;
		int status = -1;
		pid_t pid;

		CHECK_EQ(eventlog_begin(&f.log), 0);
		fd = fork_taker(f.root_fd, takers[i], &pid);
		CHECK(!has_it(fd, 100));
		eventlog_end(&f.log);
		CHECK(has_it(fd, 10000));
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(status, 0);
	}
}

static void readers_hold_off_the_writer_but_not_each_other(void)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	_cleanup_close_ int read_fd = -1, write_fd = -1;
	_fixture_ struct fixture f;
	pid_t pids[2];

	setup(&f);
	CHECK_EQ(eventlog_reader_open(f.root_fd, LOG, &reader), 0);
	CHECK_EQ(eventlog_reader_lock(reader), 0);
	read_fd = fork_taker(f.root_fd, read_elsewhere, &pids[0]);
	CHECK(has_it(read_fd, 10000));
	CHECK_EQ(waitpid(pids[0], NULL, 0), pids[0]);
	write_fd = fork_taker(f.root_fd, transact_elsewhere, &pids[1]);
	CHECK(!has_it(write_fd, 100));
	eventlog_reader_unlock(reader);
	CHECK(has_it(write_fd, 10000));
	CHECK_EQ(waitpid(pids[1], NULL, 0), pids[1]);
}

TEST_MAIN(only_root_can_read_it,
	  nothing_but_a_regular_file_is_opened,
	  numbers_go_on_after_reopening,
	  a_torn_tail_of_any_length_is_cut_off,
	  octets_nul_at_the_end_are_cut_off,
	  damage_stays_to_be_seen,
	  a_number_at_its_end_does_not_stop_the_log,
	  a_full_disk_leaves_no_piece_behind,
	  an_invalid_record_is_not_appended,
	  only_the_record_of_this_transaction_is_withdrawn,
	  a_restart_throws_everything_away,
	  a_change_by_someone_else_is_noticed,
	  who_comes_second_waits,
	  readers_hold_off_the_writer_but_not_each_other)
