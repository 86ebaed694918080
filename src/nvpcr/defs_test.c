/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nvpcr/nvpcr.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "test.h"

#define ETC	"/etc/veritally/nvpcr.d/"
#define RUN	"/run/veritally/nvpcr.d/"
#define LIB	"/usr/lib/veritally/nvpcr.d/"

static char root[] = "/tmp/defs-test.XXXXXX";
static int root_fd = -1;

/* What was complained about last, and how often. */
static char last_path[128], last_reason[128];
static int n_complaints;

static void complain(const char *path, const char *reason)
{
	(void)snprintf(last_path, sizeof(last_path), "%s", path);
	(void)snprintf(last_reason, sizeof(last_reason), "%s", reason);
	n_complaints++;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void begin_empty(void)
{
	memcpy(strrchr(root, '.') + 1, "XXXXXX", 6);
	CHECK(mkdtemp(root));
	root_fd = open(root, O_DIRECTORY | O_PATH | O_CLOEXEC);
	n_complaints = 0;
}

static void begin(void)
{
	begin_empty();
	CHECK_EQ(io_make_dirs(root_fd, ETC, 0755), 0);
	CHECK_EQ(io_make_dirs(root_fd, RUN, 0755), 0);
	CHECK_EQ(io_make_dirs(root_fd, LIB, 0755), 0);
}

static void end(void)
{
	(void)close(root_fd);
	(void)nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const char *text)
{
	CHECK_EQ(io_replace_file(root_fd, path, text, strlen(text), 0644), 0);
}

static void definitions_are_sorted_by_priority_and_handle(void)
{
	struct nvpcr_defs defs;

	begin();
	put(LIB "a.nvpcr", "{\"name\":\"a\",\"nvIndex\":25187913,\"priority\":5}");
	put(ETC "b.nvpcr", "{\"name\":\"b\",\"nvIndex\":25187912,\"priority\":5}");
	put(RUN "c.nvpcr", "{\"name\":\"c\",\"nvIndex\":25187911,\"priority\":9}");
	put(LIB "README", "not a definition");
	put(LIB ".nvpcr", "{}");
	CHECK_EQ(nvpcr_defs_load(root_fd, &defs, complain), 0);
	CHECK_EQ(n_complaints, 0);
	CHECK_EQ(defs.n_defs, 3);
	CHECK_STR(defs.defs[0].name, "b");
	CHECK_STR(defs.defs[1].name, "a");
	CHECK_STR(defs.defs[2].name, "c");
	end();
}

static void etc_hides_run_and_run_hides_usr(void)
{
	struct nvpcr_defs defs;

	begin();
	put(LIB "a.nvpcr", "{\"name\":\"a\",\"nvIndex\":25187910}");
	put(RUN "a.nvpcr", "{\"name\":\"a\",\"nvIndex\":25187911}");
	CHECK_EQ(nvpcr_defs_load(root_fd, &defs, complain), 0);
	CHECK_EQ(defs.n_defs, 1);
	CHECK_EQ(defs.defs[0].index, 25187911);
	put(ETC "a.nvpcr", "broken");
	CHECK_EQ(nvpcr_defs_load(root_fd, &defs, complain), 0);
	CHECK_EQ(defs.n_defs, 0);
	CHECK_EQ(n_complaints, 1);
	CHECK_STR(last_path, ETC "a.nvpcr");
	CHECK_STR(last_reason, "is not a JSON object");
	end();
}

static void empty_files_and_links_to_dev_null_mask(void)
{
	struct nvpcr_defs defs;

	begin();
	put(LIB "a.nvpcr", "{\"name\":\"a\",\"nvIndex\":25187910}");
	put(LIB "b.nvpcr", "{\"name\":\"b\",\"nvIndex\":25187911}");
	put(ETC "a.nvpcr", "");
	CHECK_EQ(symlinkat("/dev/null", root_fd, &ETC "b.nvpcr"[1]), 0);
	CHECK_EQ(nvpcr_defs_load(root_fd, &defs, complain), 0);
	CHECK_EQ(defs.n_defs, 0);
	CHECK_EQ(n_complaints, 0);
	end();
}

static void a_handle_is_given_out_once(void)
{
	struct nvpcr_defs defs;

	begin();
	put(LIB "a.nvpcr", "{\"name\":\"a\",\"nvIndex\":25187910,\"priority\":9}");
	put(LIB "b.nvpcr", "{\"name\":\"b\",\"nvIndex\":25187910,\"priority\":1}");
	CHECK_EQ(nvpcr_defs_load(root_fd, &defs, complain), 0);
	CHECK_EQ(defs.n_defs, 1);
	CHECK_STR(defs.defs[0].name, "a");
	CHECK_STR(last_path, LIB "b.nvpcr");
	CHECK_STR(last_reason, "'nvIndex' is used by another definition");
	end();
}

static void a_file_must_bear_its_name(void)
{
	struct nvpcr_defs defs;

	begin();
	put(LIB "a.nvpcr", "{\"name\":\"ab\",\"nvIndex\":25187910}");
	CHECK_EQ(nvpcr_defs_load(root_fd, &defs, complain), 0);
	CHECK_EQ(defs.n_defs, 0);
	CHECK_STR(last_reason, "'name' is not the name of the file");
	end();
}

static void more_than_the_maximum_is_refused(void)
{
	struct nvpcr_defs defs;

	begin();
	for (int i = 0; i < NVPCR_MAX + 2; i++) {
		char path[64], text[64];

		(void)snprintf(path, sizeof(path), LIB "n%02d.nvpcr", i);
		(void)snprintf(text, sizeof(text), "{\"name\":\"n%02d\",\"nvIndex\":%d}", i,
			       25187910 + i);
		put(path, text);
	}
	CHECK_EQ(nvpcr_defs_load(root_fd, &defs, complain), 0);
	CHECK_EQ(defs.n_defs, NVPCR_MAX);
	CHECK_EQ(n_complaints, 2);
	CHECK_STR(last_reason, "is one definition too many");
	end();
}

static void no_directory_means_no_definition(void)
{
	struct nvpcr_defs defs;

	begin_empty();
	CHECK_EQ(nvpcr_defs_load(root_fd, &defs, NULL), 0);
	CHECK_EQ(defs.n_defs, 0);
	end();
}

TEST_MAIN(definitions_are_sorted_by_priority_and_handle,
	  etc_hides_run_and_run_hides_usr,
	  empty_files_and_links_to_dev_null_mask,
	  a_handle_is_given_out_once,
	  a_file_must_bear_its_name,
	  more_than_the_maximum_is_refused,
	  no_directory_means_no_definition)
