/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recorded machines, as /sys and dmsetup(8) show them. */
#include <errno.h>

#include "base/cleanup.h"
#include "test.h"
#include "tree.h"
#include "verity/verity.h"

#define ROOT	"c13abddcffe2d0754060793229488848f5bcbdf533e208f25e88810178ce096d"
#define OTHER	"beb1454669dd1b62f7a8f1ccec098fe868fe9689668cd97df12e952c0c0ea301"
#define VERITY(data, root)	"verity 1 " data " 7:9 4096 4096 66 1 sha256 " root " -"

static const struct verity_device first = { .major = 254, .minor = 0 };

struct seen {
	int n;
	int stop_at;
	struct verity_activation last;
	uint8_t first_bytes[8];
};

static int see(void *ctx, const struct verity_activation *activation)
{
	struct seen *seen = ctx;

	seen->last = *activation;
	seen->first_bytes[seen->n % 8] = activation->params.root_hash[0];
	return ++seen->n == seen->stop_at ? -ECANCELED : 1;
}

static void put_device(const struct tree *tree, unsigned int minor, const char *diskseq,
		       const char *table)
{
	char path[128], text[128];

	snprintf(path, sizeof(path), "sys/block/dm-%u/dev", minor);
	snprintf(text, sizeof(text), "254:%u\n", minor);
	tree_put(tree, path, text);
	snprintf(path, sizeof(path), "sys/block/dm-%u/dm/name", minor);
	snprintf(text, sizeof(text), "name%u\n", minor);
	tree_put(tree, path, text);
	snprintf(path, sizeof(path), "sys/block/dm-%u/dm/uuid", minor);
	tree_put(tree, path, "CRYPT-VERITY-0123-x\n");
	snprintf(path, sizeof(path), "sys/block/dm-%u/diskseq", minor);
	tree_put(tree, path, diskseq);
	snprintf(path, sizeof(path), "sys/dev/block/254:%u", minor);
	snprintf(text, sizeof(text), "../../block/dm-%u", minor);
	tree_put_link(tree, path, text);
	snprintf(path, sizeof(path), "dev/mapper/name%u", minor);
	tree_put(tree, path, table);
}

/* loop0 with its partition loop0p1, numbered 7:0 and 259:0. */
static void put_loop(const struct tree *tree, const char *backing_file)
{
	tree_put(tree, "sys/devices/virtual/block/loop0/loop/backing_file", backing_file);
	tree_put(tree, "sys/devices/virtual/block/loop0/uevent",
		 "MAJOR=7\nMINOR=0\nDEVNAME=loop0\nDEVTYPE=disk\nDISKSEQ=12\n");
	tree_put(tree, "sys/devices/virtual/block/loop0/loop0p1/uevent",
		 "MAJOR=259\nMINOR=0\nDEVNAME=loop0p1\nDEVTYPE=partition\nPARTN=1\n");
	tree_put_link(tree, "sys/dev/block/7:0", "../../devices/virtual/block/loop0");
	tree_put_link(tree, "sys/dev/block/259:0",
		      "../../devices/virtual/block/loop0/loop0p1");
}

static void an_activation_is_found_with_its_claims(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	const struct verity_claims *claims;
	struct seen seen = { .n = 0 };

	put_loop(&tree, "/var/lib/extensions/tools.sysext.raw\n");
	put_device(&tree, 0, "13\n", "0 528 " VERITY("259:0", ROOT) "\n");
	CHECK_EQ(verity_activations(tree.fd, &first, see, &seen), 0);
	CHECK_EQ(seen.n, 1);
	CHECK_EQ(seen.last.device.major, 254);
	CHECK_EQ(seen.last.device.minor, 0);
	CHECK_EQ(seen.last.device.diskseq, 13);
	CHECK_EQ(seen.first_bytes[0], 0xc1);
	claims = &seen.last.claims;
	CHECK_STR(claims->dm_name, "name0");
	CHECK_STR(claims->dm_uuid, "CRYPT-VERITY-0123-x");
	CHECK_STR(claims->backing_file, "/var/lib/extensions/tools.sysext.raw");
	CHECK_STR(claims->partition, "loop0p1");
	CHECK_STR(claims->image, "tools");
}

static void images_are_named_after_their_files(void)
{
	static const struct {
		const char *backing_file, *image;
	} rows[] = {
		{ "/a/tools.raw\n", "tools" },
		{ "/a/tools.confext.raw\n", "tools" },
		{ "/a/tools.sysext.confext.raw\n", "tools.sysext" },
		{ "/a/tools_1.2.sysext.raw (deleted)\n", "tools_1.2" },
		{ "/a/.raw\n", ".raw" },
		{ "tools\n", "tools" },
		{ "/a/tools.img\n", "tools.img" },
		{ "/\n", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(tree_remove) struct tree tree = tree_make();
		struct seen seen = { .n = 0 };

		test_case = rows[i].backing_file;
		put_loop(&tree, rows[i].backing_file);
		put_device(&tree, 0, "13\n", "0 528 " VERITY("7:0", ROOT) "\n");
		CHECK_EQ(verity_activations(tree.fd, &first, see, &seen), 0);
		CHECK_STR(seen.last.claims.image, rows[i].image);
		CHECK_STR(seen.last.claims.partition, "");
	}
}

static void claims_that_cannot_be_had_are_empty(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct seen seen = { .n = 0 };
	char large[VERITY_PATH_MAX + 16];

	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	put_device(&tree, 0, "13\n", "0 528 " VERITY("259:0", ROOT) "\n");
	CHECK_EQ(verity_activations(tree.fd, &first, see, &seen), 0);
	CHECK_STR(seen.last.claims.backing_file, "");
	CHECK_STR(seen.last.claims.partition, "");
	CHECK_STR(seen.last.claims.image, "");
	put_loop(&tree, large);
	CHECK_EQ(verity_activations(tree.fd, &first, see, &seen), 0);
	CHECK_STR(seen.last.claims.backing_file, "");
	CHECK_STR(seen.last.claims.image, "");
}

static void every_verity_target_counts(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct seen seen = { .n = 0 };

	put_device(&tree, 0, "13\n",
		   "0 16 linear 8:1 0\n16 528 " VERITY("8:2", ROOT) "\n"
		   "544 16 zero \n560 528 " VERITY("8:3", OTHER) "\n");
	CHECK_EQ(verity_activations(tree.fd, &first, see, &seen), 0);
	CHECK_EQ(seen.n, 2);
	CHECK_EQ(seen.first_bytes[0], 0xc1);
	CHECK_EQ(seen.first_bytes[1], 0xbe);
}

static void a_device_without_verity_is_no_activation(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	const struct verity_device missing = { .major = 254, .minor = 7 };
	struct seen seen = { .n = 0 };

	put_device(&tree, 0, "13\n", "0 16 linear 8:1 0\n16 8 verity_like 1\n");
	CHECK_EQ(verity_activations(tree.fd, &first, see, &seen), 0);
	CHECK_EQ(verity_activations(tree.fd, &missing, see, &seen), 0);
	CHECK_EQ(seen.n, 0);
}

static void what_was_announced_and_is_gone_is_said_to_be(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	static const struct {
		const char *what;
		struct verity_device announced;
		int found, n;
	} rows[] = {
		{ "there", { .major = 254, .diskseq = 13 }, 0, 1 },
		{ "nothing announced", { .major = 254 }, 0, 1 },
		{ "replaced", { .major = 254, .diskseq = 12 }, VERITY_GONE, 1 },
		{ "removed", { .major = 254, .minor = 7, .diskseq = 12 }, VERITY_GONE, 0 },
		{ "replaced by another kind",
		  { .major = 254, .minor = 1, .diskseq = 12 }, VERITY_GONE, 0 },
		{ "another kind", { .major = 254, .minor = 1, .diskseq = 14 }, 0, 0 },
	};

	put_device(&tree, 0, "13\n", "0 528 " VERITY("8:2", ROOT) "\n");
	put_device(&tree, 1, "14\n", "0 16 linear 8:1 0\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct seen seen = { .n = 0 };

		test_case = rows[i].what;
		CHECK_EQ(verity_activations(tree.fd, &rows[i].announced, see, &seen),
			 rows[i].found);
		CHECK_EQ(seen.n, rows[i].n);
	}
}

static void kernels_that_do_not_count_disks_say_0(void)
{
	static const char *const rows[] = { "", "x\n", "18446744073709551616\n" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(tree_remove) struct tree tree = tree_make();
		struct seen seen = { .n = 0 };

		put_device(&tree, 0, rows[i], "0 528 " VERITY("8:1", ROOT) "\n");
		CHECK_EQ(verity_activations(tree.fd, &first, see, &seen), 0);
		CHECK_EQ(seen.n, 1);
		CHECK_EQ(seen.last.device.diskseq, 0);
	}
}

static void a_target_of_unknown_form_is_an_activation_too(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	/* begin of the text's SHA-256, by sha256sum(1) */
	static const uint8_t start[] = { 0x16, 0x47, 0x07, 0x90, 0xcd, 0x0f, 0xa5, 0x40 };
	struct seen seen = { .n = 0 };

	put_device(&tree, 0, "13\n", "0 8 verity 2 8:1 quite new\n");
	CHECK_EQ(verity_activations(tree.fd, &first, see, &seen), 0);
	CHECK_EQ(seen.n, 1);
	CHECK(seen.last.params.unreadable);
	CHECK_EQ(seen.last.params.root_hash_size, 32);
	CHECK_MEM(seen.last.params.root_hash, sizeof(start), start, sizeof(start));
	CHECK_STR(seen.last.claims.dm_name, "name0");
}

static void a_broken_table_does_not_hide_the_others(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct seen seen = { .n = 0 };

	put_device(&tree, 0, "13\n", "0 8 verity 1 broken\n8 528 " VERITY("8:1", ROOT));
	put_device(&tree, 1, "14\n", "0 broken\n");
	put_device(&tree, 2, "15\n", "0 528 " VERITY("8:2", OTHER));
	CHECK_EQ(verity_activations(tree.fd, &first, see, &seen), 0);
	CHECK_EQ(seen.n, 2);
	CHECK_EQ(seen.first_bytes[1], 0xc1);
	seen.n = 0;
	CHECK_EQ(verity_sweep(tree.fd, see, &seen), -EBADMSG);
	CHECK_EQ(seen.n, 3);
	CHECK_EQ(seen.last.device.diskseq, 15);
}

static void a_sweep_sees_all_and_ends_where_it_is_told_to(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct seen seen = { .n = 0 }, impatient = { .stop_at = 2 };

	CHECK_EQ(verity_sweep(tree.fd, see, &seen), 0);
	CHECK_EQ(seen.n, 0);
	for (unsigned int i = 0; i < 5; i++)
		put_device(&tree, i, "13\n", "0 528 " VERITY("8:1", ROOT) "\n");
	CHECK_EQ(verity_sweep(tree.fd, see, &seen), 0);
	CHECK_EQ(seen.n, 5);
	CHECK_EQ(seen.last.device.minor, 4);
	CHECK_EQ(verity_sweep(tree.fd, see, &impatient), -ECANCELED);
	CHECK_EQ(impatient.n, 2);
}

TEST_MAIN(an_activation_is_found_with_its_claims, images_are_named_after_their_files,
	  claims_that_cannot_be_had_are_empty, every_verity_target_counts,
	  a_device_without_verity_is_no_activation,
	  what_was_announced_and_is_gone_is_said_to_be, kernels_that_do_not_count_disks_say_0,
	  a_target_of_unknown_form_is_an_activation_too,
	  a_broken_table_does_not_hide_the_others,
	  a_sweep_sees_all_and_ends_where_it_is_told_to)
