/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eventlog/eventlog.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "eventlog/eventlog_test.h"
#include "test.h"

#define OURS	"run/log/veritally/measure.log"
#define THEIRS	"run/log/systemd/tpm2-measure.log"

struct fixture {
	char folder[32];
	int root_fd;
	struct eventlog log;
	struct eventlog_outlet outlet;
};

static void setup(struct fixture *f)
{
	*f = (struct fixture){
		"/tmp/eventlog-test-XXXXXX", -1, EVENTLOG_NONE, { .wanted = true, .fd = -1 },
	};
	CHECK(mkdtemp(f->folder));
	f->root_fd = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_EQ(eventlog_open(&f->log, f->root_fd, "/" OURS), 0);
}

static void teardown(struct fixture *f)
{
	eventlog_close(&f->log);
	(void)unlinkat(f->root_fd, OURS, 0);
	(void)unlinkat(f->root_fd, THEIRS, 0);
	(void)unlinkat(f->root_fd, "run/log/veritally", AT_REMOVEDIR);
	(void)unlinkat(f->root_fd, "run/log/systemd", AT_REMOVEDIR);
	(void)unlinkat(f->root_fd, "run/log", AT_REMOVEDIR);
	(void)unlinkat(f->root_fd, "run", AT_REMOVEDIR);
	CHECK_EQ(rmdir(f->folder), 0);
	closep(&f->root_fd);
}

#define _fixture_ _cleanup_(teardown)

static void append(struct fixture *f, const char *word)
{
	struct eventlog_record record = sample_record(0, word);

	CHECK_EQ(eventlog_append(&f->log, &record), 0);
}

static void copy(struct fixture *f)
{
	eventlog_outlet_begin(&f->outlet, f->root_fd);
	eventlog_outlet_end(&f->outlet, &f->log);
}

static struct stat look(const struct fixture *f)
{
	struct stat st = { 0 };

	CHECK_EQ(fstatat(f->root_fd, THEIRS, &st, 0), 0);
	return st;
}

static uint64_t count(const struct fixture *f)
{
	bool incomplete;

	return eventlog_outlet_count(f->root_fd, &incomplete);
}

static void a_full_disk_leaves_no_piece_and_a_mark(void)
{
	_fixture_ struct fixture f;
	struct rlimit before, limit;
	off_t size;

	setup(&f);
	append(&f, "one");
	copy(&f);
	size = look(&f).st_size;
	append(&f, "two");
	append(&f, "three");
	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){ (rlim_t)size + (rlim_t)size / 2 * 3, before.rlim_max };
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	copy(&f);
	CHECK(f.outlet.error < 0);
	CHECK_EQ(look(&f).st_mode & 07777, 01600);
	CHECK_EQ(count(&f), 2);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
	copy(&f);
	CHECK_EQ(f.outlet.error, 0);
	CHECK_EQ(count(&f), 3);
	CHECK_EQ(look(&f).st_size, (off_t)f.log.size);
	CHECK_EQ(look(&f).st_mode & 07777, 01600);	/* who set it is not remembered */
}

static void it_goes_on_where_the_copy_ends(void)
{
	_fixture_ struct fixture f;

	setup(&f);
	append(&f, "one");
	append(&f, "two");
	copy(&f);
	append(&f, "three");
	f.outlet = (struct eventlog_outlet){ .wanted = true, .fd = -1 };
	CHECK_EQ(eventlog_outlet_adopt(&f.outlet, f.root_fd, &f.log), 0);
	CHECK_EQ(f.outlet.offset, f.log.last);
	copy(&f);
	CHECK_EQ(look(&f).st_size, (off_t)f.log.size);
	CHECK_EQ(eventlog_outlet_adopt(&f.outlet, f.root_fd, &f.log), 0);
	CHECK_EQ(f.outlet.offset, f.log.size);
	CHECK_EQ(look(&f).st_mode & 07777, 0600);
}

static void what_has_no_number_is_no_copy(void)
{
	struct eventlog_record record = sample_pcr_record(0, "nvpcr-separator");
	char text[EVENTLOG_RECORD_MAX];
	_fixture_ struct fixture f;
	int fd;

	setup(&f);
	eventlog_outlet_begin(&f.outlet, f.root_fd);
	CHECK_EQ(eventlog_outlet_add(&f.outlet, &record), 0);
	eventlog_outlet_end(&f.outlet, &f.log);
	CHECK_EQ(count(&f), 0);
	fd = openat(f.root_fd, THEIRS, O_RDONLY | O_CLOEXEC);
	CHECK(read(fd, text, sizeof(text)) > 10);
	CHECK_MEM(text, 11, "\x1e{\"pcr\":13,", 11);
	closep(&fd);
}

static void without_a_wish_nothing_is_done(void)
{
	_fixture_ struct fixture f;

	setup(&f);
	f.outlet.wanted = false;
	append(&f, "one");
	copy(&f);
	CHECK_EQ(faccessat(f.root_fd, "run/log/systemd", F_OK, 0), -1);
}

TEST_MAIN(a_full_disk_leaves_no_piece_and_a_mark, it_goes_on_where_the_copy_ends,
	  what_has_no_number_is_no_copy, without_a_wish_nothing_is_done)
