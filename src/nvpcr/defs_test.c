/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nvpcr/nvpcr.h"

#include "base/cleanup.h"
#include "test.h"
#include "tree.h"

#define ETC	"etc/veritally/nvpcr.d/"
#define RUN	"run/veritally/nvpcr.d/"
#define LIB	"usr/lib/veritally/nvpcr.d/"

/* What was complained about last, and how often. */
static char last_path[128], last_reason[128];
static int n_complaints;

static void complain(const char *path, const char *reason)
{
	(void)snprintf(last_path, sizeof(last_path), "%s", path);
	(void)snprintf(last_reason, sizeof(last_reason), "%s", reason);
	n_complaints++;
}

static void definitions_are_sorted_by_priority_and_handle(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct nvpcr_defs defs;

	n_complaints = 0;
	tree_put(&tree, LIB "a.nvpcr", "{\"name\":\"a\",\"nvIndex\":25187913,\"priority\":5}");
	tree_put(&tree, ETC "b.nvpcr", "{\"name\":\"b\",\"nvIndex\":25187912,\"priority\":5}");
	tree_put(&tree, RUN "c.nvpcr", "{\"name\":\"c\",\"nvIndex\":25187911,\"priority\":9}");
	tree_put(&tree, LIB "README", "not a definition");
	tree_put(&tree, LIB ".nvpcr", "{}");
	CHECK_EQ(nvpcr_defs_load(tree.fd, &defs, complain), 0);
	CHECK_EQ(n_complaints, 0);
	CHECK_EQ(defs.n_defs, 3);
	CHECK_STR(defs.defs[0].name, "b");
	CHECK_STR(defs.defs[1].name, "a");
	CHECK_STR(defs.defs[2].name, "c");
}

static void etc_hides_run_and_run_hides_usr(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct nvpcr_defs defs;

	n_complaints = 0;
	tree_put(&tree, LIB "a.nvpcr", "{\"name\":\"a\",\"nvIndex\":25187910}");
	tree_put(&tree, RUN "a.nvpcr", "{\"name\":\"a\",\"nvIndex\":25187911}");
	CHECK_EQ(nvpcr_defs_load(tree.fd, &defs, complain), 0);
	CHECK_EQ(defs.n_defs, 1);
	CHECK_EQ(defs.defs[0].index, 25187911);
	tree_put(&tree, ETC "a.nvpcr", "broken");
	CHECK_EQ(nvpcr_defs_load(tree.fd, &defs, complain), 0);
	CHECK_EQ(defs.n_defs, 0);
	CHECK_EQ(n_complaints, 1);
	CHECK_STR(last_path, "/" ETC "a.nvpcr");
	CHECK_STR(last_reason, "is not a JSON object, where numbers are decimal");
}

static void empty_files_and_links_to_dev_null_mask(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct nvpcr_defs defs;

	n_complaints = 0;
	tree_put(&tree, LIB "a.nvpcr", "{\"name\":\"a\",\"nvIndex\":25187910}");
	tree_put(&tree, LIB "b.nvpcr", "{\"name\":\"b\",\"nvIndex\":25187911}");
	tree_put(&tree, ETC "a.nvpcr", "");
	tree_put_link(&tree, ETC "b.nvpcr", "/dev/null");
	CHECK_EQ(nvpcr_defs_load(tree.fd, &defs, complain), 0);
	CHECK_EQ(defs.n_defs, 0);
	CHECK_EQ(n_complaints, 0);
}

static void a_handle_is_given_out_once(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct nvpcr_defs defs;

	n_complaints = 0;
	tree_put(&tree, LIB "a.nvpcr", "{\"name\":\"a\",\"nvIndex\":25187910,\"priority\":9}");
	tree_put(&tree, LIB "b.nvpcr", "{\"name\":\"b\",\"nvIndex\":25187910,\"priority\":1}");
	CHECK_EQ(nvpcr_defs_load(tree.fd, &defs, complain), 0);
	CHECK_EQ(defs.n_defs, 1);
	CHECK_STR(defs.defs[0].name, "a");
	CHECK_STR(last_path, "/" LIB "b.nvpcr");
	CHECK_STR(last_reason, "'nvIndex' is used by another definition");
}

static void a_file_must_bear_its_name(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct nvpcr_defs defs;

	n_complaints = 0;
	tree_put(&tree, LIB "a.nvpcr", "{\"name\":\"ab\",\"nvIndex\":25187910}");
	CHECK_EQ(nvpcr_defs_load(tree.fd, &defs, complain), 0);
	CHECK_EQ(defs.n_defs, 0);
	CHECK_STR(last_reason, "'name' is not the name of the file");
}

static void more_than_the_maximum_is_refused(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct nvpcr_defs defs;

	n_complaints = 0;
	for (int i = 0; i < NVPCR_MAX + 2; i++) {
		char path[64], text[64];

		(void)snprintf(path, sizeof(path), LIB "n%02d.nvpcr", i);
		(void)snprintf(text, sizeof(text), "{\"name\":\"n%02d\",\"nvIndex\":%d}", i,
			       25187910 + i);
		tree_put(&tree, path, text);
	}
	CHECK_EQ(nvpcr_defs_load(tree.fd, &defs, complain), 0);
	CHECK_EQ(defs.n_defs, NVPCR_MAX);
	CHECK_EQ(n_complaints, 2);
	CHECK_STR(last_reason, "is one definition too many");
}

static void no_directory_means_no_definition(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct nvpcr_defs defs;

	n_complaints = 0;
	CHECK_EQ(nvpcr_defs_load(tree.fd, &defs, NULL), 0);
	CHECK_EQ(defs.n_defs, 0);
}

TEST_MAIN(definitions_are_sorted_by_priority_and_handle,
	  etc_hides_run_and_run_hides_usr,
	  empty_files_and_links_to_dev_null_mask,
	  a_handle_is_given_out_once,
	  a_file_must_bear_its_name,
	  more_than_the_maximum_is_refused,
	  no_directory_means_no_definition)
