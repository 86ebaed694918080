/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Uevents as Linux 6.12 sends them. */
#include "verity/uevent.h"

#include <errno.h>

#include "test.h"

#define DM(action) \
	action "@/devices/virtual/block/dm-0\0ACTION=" action "\0" \
	"DEVPATH=/devices/virtual/block/dm-0\0SUBSYSTEM=block\0"
#define NUMBERS	"MAJOR=254\0MINOR=0\0"
#define DISK	"DEVNAME=dm-0\0DEVTYPE=disk\0DISKSEQ=13\0"

struct row {
	const char *data;
	size_t size;
};
/* The literal's own NUL ends the last line. */
#define ROW(text) { text, sizeof(text) }

static void mapped_devices_are_told_by_number_and_diskseq(void)
{
	static const struct {
		struct row row;
		enum verity_uevent_action action;
		uint64_t diskseq;
	} rows[] = {
		{ ROW(DM("add") NUMBERS DISK "SEQNUM=1201"), VERITY_UEVENT_ADD, 13 },
		{ ROW(DM("change") "RESIZE=1\0" NUMBERS DISK "SEQNUM=1202"),
		  VERITY_UEVENT_CHANGE, 13 },
		{ ROW(DM("change") "DM_COOKIE=4194304\0" NUMBERS DISK "SEQNUM=1203"),
		  VERITY_UEVENT_CHANGE, 13 },
		{ ROW(DM("remove") NUMBERS DISK "SEQNUM=1204"),
		  VERITY_UEVENT_REMOVE, 13 },
		{ ROW(DM("change") "SYNTH_UUID=0\0" NUMBERS DISK "SEQNUM=1205"),
		  VERITY_UEVENT_CHANGE, 0 },
		{ ROW(DM("change") NUMBERS "DEVNAME=dm-0\0DEVTYPE=disk\0SEQNUM=9"),
		  VERITY_UEVENT_CHANGE, 0 },
		{ ROW(DM("change") NUMBERS "DEVNAME=dm-0\0DEVTYPE=disk\0"
		      "DISKSEQ=18446744073709551615"), VERITY_UEVENT_CHANGE, UINT64_MAX },
	};
	struct verity_uevent event;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_case = rows[i].row.data;
		event = (struct verity_uevent){ .action = VERITY_UEVENT_ACTION_MAX };
		CHECK_EQ(verity_uevent_parse(rows[i].row.data, rows[i].row.size, &event),
			 0);
		CHECK_EQ(event.action, rows[i].action);
		CHECK_EQ(event.device.major, 254);
		CHECK_EQ(event.device.minor, 0);
		CHECK(event.device.diskseq == rows[i].diskseq);
	}
}

static void other_events_are_none_of_ours(void)
{
	static const struct row rows[] = {
		ROW("add@/devices/virtual/block/loop0\0ACTION=add\0"
		    "DEVPATH=/devices/virtual/block/loop0\0SUBSYSTEM=block\0MAJOR=7\0"
		    "MINOR=0\0DEVNAME=loop0\0DEVTYPE=disk\0DISKSEQ=12\0SEQNUM=1199"),
		ROW("remove@/module/dm_verity\0ACTION=remove\0"
		    "DEVPATH=/module/dm_verity\0SUBSYSTEM=module\0SEQNUM=1100"),
		ROW("add@/module/dm_verity_x\0ACTION=add\0"
		    "DEVPATH=/module/dm_verity_x\0SUBSYSTEM=module\0SEQNUM=1100"),
		ROW("add@/devices/virtual/bdi/254:0\0ACTION=add\0"
		    "DEVPATH=/devices/virtual/bdi/254:0\0SUBSYSTEM=bdi\0SEQNUM=1200"),
		ROW("add@/devices/virtual/block/dm-0/dm-0p1\0ACTION=add\0"
		    "DEVPATH=/devices/virtual/block/dm-0/dm-0p1\0SUBSYSTEM=block\0"
		    "MAJOR=259\0MINOR=3\0DEVNAME=dm-0p1\0DEVTYPE=partition\0SEQNUM=1300"),
		ROW("add@/bus/fake/dm-0\0ACTION=add\0DEVPATH=/bus/fake/dm-0\0"
		    "SUBSYSTEM=fake\0DEVTYPE=disk\0DEVNAME=dm-0\0MAJOR=1\0MINOR=0"),
		ROW(DM("move") NUMBERS DISK "SEQNUM=1"),
		ROW(DM("changed") NUMBERS DISK "SEQNUM=1"),
		ROW("libudev"),
		ROW(""),
		/* another subsystem's doubled key is no business of ours */
		ROW("add@/devices/x\0ACTION=add\0ACTION=add"),
		ROW(DM("change") "DISK_RO=1\0" NUMBERS DISK "SEQNUM=1206"),
	};
	struct verity_uevent event;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_case = rows[i].data;
		CHECK_EQ(verity_uevent_parse(rows[i].data, rows[i].size, &event),
			 VERITY_UEVENT_OTHER);
	}
}

static void the_module_is_announced(void)
{
	static const struct row row =
		ROW("add@/module/dm_verity\0ACTION=add\0DEVPATH=/module/dm_verity\0"
		    "SUBSYSTEM=module\0SEQNUM=1100");
	struct verity_uevent event;

	CHECK_EQ(verity_uevent_parse(row.data, row.size, &event), VERITY_UEVENT_MODULE);
}

static void what_could_be_ours_must_be_well_formed(void)
{
	static const struct row rows[] = {
		{ "", 0 },
		{ DM("change") NUMBERS DISK "SEQNUM=1",
		  sizeof(DM("change") NUMBERS DISK "SEQNUM=1") - 1 },
		ROW(DM("change") DISK "MAJOR=254"),
		ROW(DM("change") DISK "MINOR=0"),
		ROW(DM("change") DISK "MAJOR=254\0MINOR=1"),
		ROW(DM("change") DISK "MAJOR=\0MINOR=0"),
		ROW(DM("change") DISK "MAJOR=-1\0MINOR=0"),
		ROW(DM("change") DISK "MAJOR=4294967296\0MINOR=0"),
		ROW(DM("change") NUMBERS DISK "MAJOR=253"),
		ROW(DM("change") NUMBERS DISK "DISKSEQ=14"),
		ROW(DM("change") NUMBERS DISK "ACTION=remove"),
		ROW(DM("change") NUMBERS "DEVNAME=dm-0\0DEVTYPE=disk\0DISKSEQ=x"),
		ROW(DM("change") NUMBERS
		    "DEVNAME=dm-0\0DEVTYPE=disk\0DISKSEQ=18446744073709551616"),
		ROW(DM("change") NUMBERS "DEVNAME=dm-\0DEVTYPE=disk"),
		ROW(DM("change") NUMBERS DISK "no key"),
		ROW(DM("change") NUMBERS DISK "=no name"),
		ROW(DM("change") NUMBERS DISK "\0"),
		ROW("add@/devices/virtual/block/dm-0\0ACTION=remove\0"
		    "DEVPATH=/devices/virtual/block/dm-0\0SUBSYSTEM=block\0" NUMBERS
		    DISK),
		ROW("add@/devices/virtual/block/dm-1\0ACTION=add\0"
		    "DEVPATH=/devices/virtual/block/dm-0\0SUBSYSTEM=block\0" NUMBERS
		    DISK),
		ROW("/devices/virtual/block/dm-0\0ACTION=add\0"
		    "DEVPATH=/devices/virtual/block/dm-0\0SUBSYSTEM=block\0" NUMBERS
		    DISK),
		ROW("add@/devices/virtual/block/dm-0"),
	};
	struct verity_uevent event;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_case = rows[i].size ? rows[i].data + strlen(rows[i].data) + 1 : "";
		CHECK_EQ(verity_uevent_parse(rows[i].data, rows[i].size, &event),
			 -EBADMSG);
	}
}

static void a_datagram_of_any_size_is_bounded(void)
{
	static char data[VERITY_UEVENT_MAX + 1];
	static const char start[] = DM("change") NUMBERS DISK "X=";
	struct verity_uevent event;

	memset(data, 'x', sizeof(data));
	memcpy(data, start, sizeof(start) - 1);
	data[VERITY_UEVENT_MAX - 1] = '\0';
	CHECK_EQ(verity_uevent_parse(data, VERITY_UEVENT_MAX, &event), 0);
	data[VERITY_UEVENT_MAX - 1] = 'x';
	data[VERITY_UEVENT_MAX] = '\0';
	CHECK_EQ(verity_uevent_parse(data, sizeof(data), &event), -EBADMSG);
}

TEST_MAIN(mapped_devices_are_told_by_number_and_diskseq, other_events_are_none_of_ours,
	  the_module_is_announced,
	  what_could_be_ours_must_be_well_formed, a_datagram_of_any_size_is_bounded)
