/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DM_DM_H
#define DM_DM_H

/*
 * Device-mapper: which devices there are and what their live tables say.
 *
 * libdevmapper asks the kernel.  Below another root than "/" the kernel's devices
 * would be the wrong ones: there the devices are the folders /sys/block/dm-*, and a
 * device's table is the text of the plain file /dev/mapper/NAME, as dmsetup(8) prints
 * it.  Functions here never print and never make or remove anything.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DM_NAME_MAX_SIZE	128	/* bytes, with NUL */
#define DM_UUID_MAX_SIZE	129
#define DM_TABLE_MAX		65536	/* bytes of text of one recorded table */

/**
 * struct dm_device - one mapped device
 * @name:  as below /dev/mapper; the kernel's mangling undone
 * @uuid:  empty if it has none
 * @major: of its device number
 * @minor: of its device number
 * @live:  it has a table that is or was active
 */
struct dm_device {
	char name[DM_NAME_MAX_SIZE];
	char uuid[DM_UUID_MAX_SIZE];
	uint32_t major;
	uint32_t minor;
	bool live;
};

/**
 * struct dm_target - one line of a table, borrowed from whoever passes it
 * @start:  first sector of the device it covers
 * @length: number of sectors
 * @type:   name of the target type, such as "verity"
 * @params: its parameters as the kernel prints them
 */
struct dm_target {
	uint64_t start;
	uint64_t length;
	const char *type;
	const char *params;
};

/* Outcomes of dm_table(). */
enum dm_found {
	DM_ABSENT = 1,		/* no such device, or it has no live table */
};

/* Called for each target in order; a value other than 0 ends the walk and is returned. */
typedef int dm_target_fn(void *ctx, const struct dm_device *device,
			 const struct dm_target *target);
/* Called for each device; a value other than 0 ends the walk and is returned. */
typedef int dm_device_fn(void *ctx, const struct dm_device *device);

int dm_is_live(int root_fd);
int dm_list(int root_fd, dm_device_fn *fn, void *ctx);
int dm_table(int root_fd, uint32_t major, uint32_t minor, dm_target_fn *fn, void *ctx);

#endif /* DM_DM_H */
