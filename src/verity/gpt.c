/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which partitions of an image belong together.
 *
 * libblkid reads the partition table, of a plain file too.  A partition's type says
 * what is in it and for which architecture.
 *
 * Spec: UAPI.2 Discoverable Partitions Specification
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <blkid/blkid.h>

#include "verity/image.h"

#define SECTOR_SIZE	512		/* libblkid's unit, whatever the disk's */
#define FLAG_NO_AUTO	(1ULL << 63)	/* the partition is not to be discovered */

enum part { DATA, HASH, SIGNATURE, PART_MAX };
enum tree { ROOT, USR, TREE_MAX };

static const struct {
	const char *name;
	const char *machine;			/* what uname(2) says: see is_machine() */
	const char *const types[TREE_MAX][PART_MAX];
} architectures[] = {
	{ "x86-64", "x86_64", {
		{ "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
		  "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5",
		  "41092b05-9fc8-4523-994f-2def0408b176" },
		{ "8484680c-9521-48c6-9c11-b0720656f69e",
		  "77ff5f63-e7b6-4633-acf4-1565b864c0e6",
		  "e7bb33fb-06cf-4e81-8273-e543b413e2e2" } } },
	{ "arm64", "aarch64", {
		{ "b921b045-1df0-41c3-af44-4c6f280d3fae",
		  "df3300ce-d69f-4c92-978c-9bfb0f38d820",
		  "6db69de6-29f4-4758-a7a5-962190f00ce3" },
		{ "b0e01050-ee5f-4390-949a-9101b17104e9",
		  "6e11a4e7-fbca-4ded-b9e9-e1a512bb664e",
		  "c23ce4ff-44bd-4b00-b2d4-b41b3419e02a" } } },
	{ "riscv64", "riscv64", {
		{ "72ec70a6-cf74-40e6-bd49-4bda08e8f224",
		  "b6ed5582-440b-4209-b8da-5ff7c419ea3d",
		  "efe0f087-ea8d-4469-821a-4c2a96a8386a" },
		{ "beaec34b-8442-439b-a40b-984381ed097d",
		  "8f1056be-9b05-47c4-81d6-be53128e5b54",
		  "d2f9000a-7a18-453f-b5cd-4d32f77a7b32" } } },
	{ "arm", "arm*", {
		{ "69dad710-2ce4-4e3c-b16c-21a1d49abed3",
		  "7386cdf2-203c-47a9-a498-f2ecce45a2d6",
		  "42b0455f-eb11-491d-98d3-56145ba9d037" },
		{ "7d0359a3-02b3-4f0a-865c-654403e70625",
		  "c215d751-7bcd-4649-be90-6627490a4c05",
		  "d7ff812f-37d1-4902-a810-d76ba57b975a" } } },
	{ "x86", "i?86", {
		{ "44479540-f297-41b2-9af7-d131d5f0458a",
		  "d13c5d3b-b5d1-422a-b29f-9454fdc89d76",
		  "5996fc05-109c-48de-808b-23fa0830b676" },
		{ "75250d76-8cc6-458e-bd66-bd47cc81a812",
		  "8f461b0d-14ee-4e81-9aa9-049b6fb97abd",
		  "974a71c0-de41-43c3-be5d-5c5ccd1ad2c0" } } },
	{ "loongarch64", "loongarch64", {
		{ "77055800-792c-4f94-b39a-98c91b762bb6",
		  "f3393b22-e9af-4613-a948-9d3bfbd0c535",
		  "5afb67eb-ecc8-4f85-ae8e-ac1e7c50e7d0" },
		{ "e611c702-575c-4cbe-9a46-434fa0bf7e3f",
		  "f46b2c26-59ae-48f0-9106-c50ed47f673d",
		  "b024f315-d330-444c-8461-44bbde524e99" } } },
	{ "ppc64-le", "ppc64le", {
		{ "c31c45e6-3f39-412e-80fb-4809c4980599",
		  "906bd944-4589-4aae-a4e4-dd983917446a",
		  "d4a236e7-e873-4c07-bf1d-bf6cf7f1c3c6" },
		{ "15bb03af-77e7-4d4a-b12b-c0d084f7491c",
		  "ee2b9983-21e8-4153-86d9-b6901a54d1ce",
		  "c8bfbd1e-268e-4521-8bba-bf314c399557" } } },
	{ "s390x", "s390x", {
		{ "5eead9a9-fe09-4a1e-a1d7-520d00531306",
		  "b325bfbe-c7be-4ab8-8357-139e652d2f6b",
		  "c80187a5-73a3-491a-901a-017c3fa953e9" },
		{ "8a4f5770-50aa-4ed3-874a-99b710db6fea",
		  "31741cc4-1a2a-4111-a581-e00b447d2d06",
		  "3f324816-667b-46ae-86ee-9b0c0c6c11b4" } } },
};

static void probep_free(blkid_probe *probe)
{
	if (*probe)
		blkid_free_probe(*probe);
}

/*
 * Whether a name is as the pattern says: '?' is any character, '*' any end.  fnmatch(3)
 * would bring the tables of all characters of the world along.
 */
static bool is_machine(const char *pattern, const char *name)
{
	for (; *pattern && *name; pattern++, name++)
		if (*pattern != '?' && *pattern != *name)
			break;
	return *pattern == '*' || *pattern == *name;
}

/* Index into architectures[]; this machine's if @name is NULL. */
static int find_architecture(const char *name)
{
	struct utsname machine;

	if (!name && uname(&machine) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		if (name ? !strcmp(name, architectures[i].name) :
			   is_machine(architectures[i].machine, machine.machine))
			return (int)i;
	return -EINVAL;
}

/* The head of a GPT is in the second sector, so its place tells how large sectors are. */
static int find_sector_size(int fd, unsigned int *ret)
{
	static const char magic[8] = "EFI PART";
	char head[sizeof(magic)];
	unsigned int found = 0;

	for (unsigned int size = 512; size <= 4096; size *= 2) {
		if (pread(fd, head, sizeof(head), size) != sizeof(head) ||
		    memcmp(head, magic, sizeof(magic)) != 0)
			continue;
		if (found)
			return VERITY_IMAGE_BAD_GPT;
		found = size;
	}
	if (!found)
		return VERITY_GPT_NONE;
	*ret = found;
	return 0;
}

static int open_table(int fd, unsigned int sector_size, blkid_probe *ret)
{
	_cleanup_(probep_free) blkid_probe probe = blkid_new_probe();
	const char *type;

	if (!probe)
		return -ENOMEM;
	if (blkid_probe_set_device(probe, fd, 0, 0) < 0 ||
	    blkid_probe_set_sectorsize(probe, sector_size) < 0 ||
	    blkid_probe_enable_superblocks(probe, 0) < 0 ||
	    blkid_probe_enable_partitions(probe, 1) < 0 ||
	    blkid_probe_set_partitions_flags(probe, BLKID_PARTS_ENTRY_DETAILS) < 0)
		return -EIO;
	if (blkid_do_safeprobe(probe) != 0 ||
	    blkid_probe_lookup_value(probe, "PTTYPE", &type, NULL) < 0 ||
	    strcmp(type, "gpt") != 0)
		return VERITY_IMAGE_BAD_GPT;
	*ret = probe;
	probe = NULL;
	return 0;
}

/* Where the partition lies; -EBADMSG if that is not inside the file. */
static int locate(blkid_partition partition, uint64_t file_size, struct verity_area *ret)
{
	const char *uuid = blkid_partition_get_uuid(partition);
	blkid_loff_t start = blkid_partition_get_start(partition);
	blkid_loff_t size = blkid_partition_get_size(partition);
	uint64_t sectors = file_size / SECTOR_SIZE;
	struct verity_area area = { .is_present = true };

	if (start < 0 || size <= 0 || (uint64_t)start > sectors ||
	    (uint64_t)size > sectors - (uint64_t)start)
		return -EBADMSG;
	area.offset = (uint64_t)start * SECTOR_SIZE;
	area.size = (uint64_t)size * SECTOR_SIZE;
	if (uuid && strlen(uuid) < sizeof(area.uuid))
		memcpy(area.uuid, uuid, strlen(uuid));
	*ret = area;
	return 0;
}

/* Sorts one partition in by its type. */
static int sort_in(blkid_partition partition, int architecture, uint64_t file_size,
		   struct verity_area areas[TREE_MAX][PART_MAX])
{
	const char *const (*types)[PART_MAX] = architectures[architecture].types;
	const char *type = blkid_partition_get_type_string(partition);

	if (!type || blkid_partition_get_flags(partition) & FLAG_NO_AUTO)
		return 0;
	for (int tree = 0; tree < TREE_MAX; tree++) {
		for (int part = 0; part < PART_MAX; part++) {
			if (strcasecmp(type, types[tree][part]) != 0)
				continue;
			if (areas[tree][part].is_present)
				return VERITY_IMAGE_AMBIGUOUS;
			if (locate(partition, file_size, &areas[tree][part]) < 0)
				return VERITY_IMAGE_BAD_GPT;
		}
	}
	return 0;
}

static int choose(struct verity_area areas[TREE_MAX][PART_MAX],
		  struct verity_partitions *ret)
{
	bool has[TREE_MAX];
	int tree;

	for (tree = 0; tree < TREE_MAX; tree++)
		has[tree] = areas[tree][DATA].is_present && areas[tree][HASH].is_present;
	if (has[ROOT] && has[USR])
		return VERITY_IMAGE_AMBIGUOUS;
	if (!has[ROOT] && !has[USR])
		return VERITY_IMAGE_NO_VERITY;
	tree = has[ROOT] ? ROOT : USR;
	*ret = (struct verity_partitions){
		.is_usr = tree == USR, .data = areas[tree][DATA],
		.hash = areas[tree][HASH], .signature = areas[tree][SIGNATURE],
	};
	return 0;
}

/**
 * verity_gpt_read() - find the data, hash and signature partitions of an image
 * @fd:           the image
 * @size:         of the image in bytes
 * @architecture: as the specification calls it; this machine's if NULL
 * @ret:          where they are; the signature's may be absent
 *
 * Return: 0; VERITY_GPT_NONE; VERITY_IMAGE_BAD_GPT; VERITY_IMAGE_NO_VERITY;
 * VERITY_IMAGE_AMBIGUOUS; -EINVAL if the architecture is unknown; -ENOMEM; -EIO.
 */
int verity_gpt_read(int fd, uint64_t size, const char *architecture,
		    struct verity_partitions *ret)
{
	_cleanup_(probep_free) blkid_probe probe = NULL;
	struct verity_area areas[TREE_MAX][PART_MAX] = { { { .is_present = false } } };
	unsigned int sector_size;
	blkid_partlist list;
	int index, r;

	index = find_architecture(architecture);
	if (index < 0)
		return index;
	r = find_sector_size(fd, &sector_size);
	if (r != 0)
		return r;
	r = open_table(fd, sector_size, &probe);
	if (r != 0)
		return r;
	list = blkid_probe_get_partitions(probe);
	if (!list)
		return VERITY_IMAGE_BAD_GPT;
	for (int i = 0; i < blkid_partlist_numof_partitions(list); i++) {
		r = sort_in(blkid_partlist_get_partition(list, i), index, size, areas);
		if (r != 0)
			return r;
	}
	return choose(areas, ret);
}
