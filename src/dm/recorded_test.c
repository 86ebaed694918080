/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/cleanup.h"
#include "dm/dm.h"
#include "test.h"
#include "tree.h"

static int note_device(void *ctx, const struct dm_device *device)
{
	char *text = ctx;
	size_t used = strlen(text);

	snprintf(text + used, 512 - used, "[%u:%u %s <%s>%s]", device->major,
		 device->minor, device->name, device->uuid, device->live ? "" : " dead");
	return strcmp(device->name, "stop") ? 0 : -ECANCELED;
}

static int note_target(void *ctx, const struct dm_device *device,
		       const struct dm_target *target)
{
	char *text = ctx;
	size_t used = strlen(text);

	snprintf(text + used, 512 - used, "[%s %s %s]", device->name, target->type,
		 target->params);
	return 0;
}

/* Records dm-@minor; no table if @table is NULL. */
static void put_device(const struct tree *tree, unsigned int minor, const char *name,
		       const char *uuid, const char *table)
{
	char path[128], text[256];

	snprintf(path, sizeof(path), "sys/block/dm-%u/dev", minor);
	snprintf(text, sizeof(text), "254:%u\n", minor);
	tree_put(tree, path, text);
	snprintf(path, sizeof(path), "sys/block/dm-%u/dm/name", minor);
	snprintf(text, sizeof(text), "%s\n", name);
	tree_put(tree, path, text);
	snprintf(path, sizeof(path), "sys/block/dm-%u/dm/uuid", minor);
	snprintf(text, sizeof(text), "%s\n", uuid);
	tree_put(tree, path, text);
	if (table) {
		snprintf(path, sizeof(path), "dev/mapper/%s", name);
		tree_put(tree, path, table);
	}
}

static void a_root_without_devices_lists_none(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	char text[512] = "";

	CHECK_EQ(dm_is_live(tree.fd), 0);
	CHECK_EQ(dm_list(tree.fd, note_device, text), 0);
	tree_put(&tree, "sys/block/sda/dev", "8:0\n");
	CHECK_EQ(dm_list(tree.fd, note_device, text), 0);
	CHECK_STR(text, "");
	CHECK_EQ(dm_table(tree.fd, 254, 0, note_target, text), DM_ABSENT);
}

static void devices_are_listed_by_number(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	char text[512] = "";

	put_device(&tree, 10, "last", "", "0 8 zero \n");
	put_device(&tree, 2, "my\\x20disk", "CRYPT-VERITY-1-x", "0 8 zero \n");
	put_device(&tree, 0, "dead", "LVM-x", NULL);
	tree_put(&tree, "sys/block/dm-3x/dev", "254:3\n");
	CHECK_EQ(dm_list(tree.fd, note_device, text), 0);
	CHECK_STR(text, "[254:0 dead <LVM-x> dead][254:2 my disk <CRYPT-VERITY-1-x>]"
			"[254:10 last <>]");
}

static void the_list_ends_where_it_is_told_to(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	char text[512] = "";

	put_device(&tree, 0, "stop", "", NULL);
	put_device(&tree, 1, "never", "", NULL);
	CHECK_EQ(dm_list(tree.fd, note_device, text), -ECANCELED);
	CHECK_STR(text, "[254:0 stop <> dead]");
}

static void a_table_is_found_by_device_number(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	char text[512] = "";

	put_device(&tree, 0, "dead", "", NULL);
	put_device(&tree, 1, "my\\x20disk", "", "0 8 linear 8:1 0\n8 8 zero \n");
	CHECK_EQ(dm_table(tree.fd, 254, 1, note_target, text), 0);
	CHECK_STR(text, "[my disk linear 8:1 0][my disk zero ]");
	CHECK_EQ(dm_table(tree.fd, 254, 0, note_target, text), DM_ABSENT);
	CHECK_EQ(dm_table(tree.fd, 254, 2, note_target, text), DM_ABSENT);
	CHECK_EQ(dm_table(tree.fd, 253, 1, note_target, text), DM_ABSENT);
	CHECK_EQ(dm_table(tree.fd, 254, UINT32_MAX, note_target, text), DM_ABSENT);
}

static void what_is_no_recorded_device_is_refused(void)
{
	static const struct {
		const char *name, *dev, *table;
	} rows[] = {
		{ "../../etc/passwd", "254:0", NULL },
		{ "..", "254:0", NULL },
		{ "a", "254:1", "0 8 zero \n" },
		{ "a", "254", "0 8 zero \n" },
		{ "a", "254:0:0", "0 8 zero \n" },
		{ "a", "", "0 8 zero \n" },
	};
	char text[512] = "";

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(tree_remove) struct tree tree = tree_make();

		test_case = rows[i].name;
		put_device(&tree, 0, rows[i].name, "", rows[i].table);
		tree_put(&tree, "sys/block/dm-0/dev", rows[i].dev);
		CHECK_EQ(dm_table(tree.fd, 254, 0, note_target, text), -EBADMSG);
		CHECK_EQ(dm_list(tree.fd, note_device, text), -EBADMSG);
		CHECK_STR(text, "");
	}
}

static void a_table_must_be_a_plain_text(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	static const char with_nul[] = "0 8 zero \n\0 8 8 zero \n";
	char text[512] = "", large[DM_TABLE_MAX + 1];

	put_device(&tree, 0, "fifo", "", NULL);
	tree_put_parents(&tree, "dev/mapper/fifo");
	tree_need(mkfifoat(tree.fd, "dev/mapper/fifo", 0600) == 0, "mkfifoat");
	CHECK_EQ(dm_table(tree.fd, 254, 0, note_target, text), -EBADMSG);
	put_device(&tree, 1, "nul", "", NULL);
	tree_put_bytes(&tree, "dev/mapper/nul", with_nul, sizeof(with_nul) - 1);
	CHECK_EQ(dm_table(tree.fd, 254, 1, note_target, text), -EBADMSG);
	put_device(&tree, 2, "large", "", NULL);
	memset(large, '0', sizeof(large));
	tree_put_bytes(&tree, "dev/mapper/large", large, sizeof(large));
	CHECK_EQ(dm_table(tree.fd, 254, 2, note_target, text), -EBADMSG);
	CHECK_STR(text, "");
}

/* Whatever devices there are here, none has the highest number. */
static void this_kernel_can_be_asked(void)
{
	_cleanup_close_ int root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[512] = "";

	CHECK_EQ(dm_is_live(root_fd), 1);
	if (geteuid() != 0)
		TEST_SKIP("needs root");
	CHECK_EQ(dm_table(root_fd, 254, 1048575, note_target, text), DM_ABSENT);
	CHECK_STR(text, "");
}

TEST_MAIN(a_root_without_devices_lists_none, devices_are_listed_by_number,
	  the_list_ends_where_it_is_told_to, a_table_is_found_by_device_number,
	  what_is_no_recorded_device_is_refused, a_table_must_be_a_plain_text,
	  this_kernel_can_be_asked)
