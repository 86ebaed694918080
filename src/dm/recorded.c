/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recorded mapped devices, below another root than "/": the folders
 * /sys/block/dm-*, and beside them the text of each device's table in the plain file
 * /dev/mapper/NAME.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "dm/internal.h"

#define MINOR_MAX	1048575		/* 20 bits, as in the kernel's dev_t */

/* Reads /sys/block/dm-@minor/@attribute; the file may be missing, not overlong. */
static int read_attribute(int root_fd, uint32_t minor, const char *attribute, char *ret,
			  size_t ret_size)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/sys/block/dm-%" PRIu32 "/%s", minor,
		       attribute);
	return io_read_line(root_fd, path, ret, ret_size);
}

/* The table's file below /dev/mapper.  A name cannot lead out of that folder. */
static int open_table(int root_fd, const char *name)
{
	_cleanup_close_ int fd = -1;
	char path[sizeof("/dev/mapper/") + DM_NAME_MAX_SIZE];
	struct stat st;

	if (strchr(name, '/') || !strcmp(name, "..") || !strcmp(name, "."))
		return -EBADMSG;
	(void)snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	fd = io_open(root_fd, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > DM_TABLE_MAX)
		return -EBADMSG;
	return take_fd(fd);
}

/*
 * Fills @ret for dm-@minor and opens its table, if it has one; @ret_fd is -1 otherwise.
 * The table's file bears the name as the kernel keeps it, mangled.
 */
static int load(int root_fd, uint32_t minor, struct dm_device *ret, int *ret_fd)
{
	char number[32], name[DM_NAME_MAX_SIZE] = "", uuid[DM_UUID_MAX_SIZE] = "";
	struct dm_device device = { .minor = minor };
	uint32_t listed_minor;
	int r, fd;
	char end;

	r = read_attribute(root_fd, minor, "dev", number, sizeof(number));
	if (r < 0)
		return r == -ENOENT ? DM_ABSENT : r;
	if (sscanf(number, "%" SCNu32 ":%" SCNu32 "%c", &device.major, &listed_minor,
		   &end) != 2 || listed_minor != minor)
		return -EBADMSG;
	r = read_attribute(root_fd, minor, "dm/name", name, sizeof(name));
	if (r == 0)
		r = dm_text_unmangle(name, device.name, sizeof(device.name));
	if (r < 0)
		return r == -ENOENT ? -EBADMSG : r;
	r = read_attribute(root_fd, minor, "dm/uuid", uuid, sizeof(uuid));
	if (r == 0)
		r = dm_text_unmangle(uuid, device.uuid, sizeof(device.uuid));
	if (r < 0 && r != -ENOENT)
		return r;
	fd = open_table(root_fd, name);
	if (fd < 0 && fd != -ENOENT)
		return fd;
	device.live = fd >= 0;
	*ret = device;
	*ret_fd = fd < 0 ? -1 : fd;
	return 0;
}

/*
 * Finds the folder /sys/block/dm-* with the lowest number from *@minor on.  There are
 * few of them, so that looking through all again for each one costs nothing.
 */
static int find_next(int root_fd, uint32_t *minor)
{
	_cleanup_close_ int fd = io_open(root_fd, "/sys/block", O_RDONLY | O_DIRECTORY,
					 0);
	_cleanup_dir_ DIR *dir = NULL;
	const struct dirent *entry;
	uint32_t number, lowest = MINOR_MAX + 1;
	char end;

	if (fd < 0)
		return fd == -ENOENT ? DM_ABSENT : fd;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	(void)take_fd(fd);
	while ((entry = readdir(dir)))
		if (sscanf(entry->d_name, "dm-%" SCNu32 "%c", &number, &end) == 1 &&
		    number >= *minor && number < lowest)
			lowest = number;
	if (lowest > MINOR_MAX)
		return DM_ABSENT;
	*minor = lowest;
	return 0;
}

/**
 * dm_recorded_list() - look at every recorded device, by ascending minor number
 *
 * Return: as dm_list().
 */
int dm_recorded_list(int root_fd, dm_device_fn *fn, void *ctx)
{
	int r = 0;

	for (uint32_t minor = 0; r == 0; minor++) {
		_cleanup_close_ int fd = -1;
		struct dm_device device;

		r = find_next(root_fd, &minor);
		if (r != 0)
			return r == DM_ABSENT ? 0 : r;
		r = load(root_fd, minor, &device, &fd);
		if (r == DM_ABSENT)
			r = 0;
		else if (r == 0)
			r = fn(ctx, &device);
	}
	return r;
}

/**
 * dm_recorded_table() - look at the recorded table of one device
 *
 * Return: as dm_table().
 */
int dm_recorded_table(int root_fd, uint32_t major, uint32_t minor, dm_target_fn *fn,
		      void *ctx)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	struct dm_device device;
	ssize_t n;
	int r;

	if (minor > MINOR_MAX)
		return DM_ABSENT;
	r = load(root_fd, minor, &device, &fd);
	if (r != 0)
		return r;
	if (device.major != major || !device.live)
		return DM_ABSENT;
	text = malloc(DM_TABLE_MAX + 1);
	if (!text)
		return -ENOMEM;
	n = pread(fd, text, DM_TABLE_MAX, 0);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (strlen(text) != (size_t)n)
		return -EBADMSG;
	return dm_text_targets(text, &device, fn, ctx);
}
