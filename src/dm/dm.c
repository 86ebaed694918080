/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of the two ways to look at device-mapper is the right one for a root. */
#include "dm/dm.h"

#include <errno.h>
#include <sys/stat.h>

#include "dm/internal.h"

/**
 * dm_is_live() - whether a root directory is the one this kernel's devices belong to
 * @root_fd: the root directory
 *
 * Return: 1 if it is "/", 0 if it is another directory; a negative errno of stat(2).
 */
int dm_is_live(int root_fd)
{
	struct stat root, given;

	if (stat("/", &root) < 0 || fstat(root_fd, &given) < 0)
		return -errno;
	return root.st_dev == given.st_dev && root.st_ino == given.st_ino;
}

/**
 * dm_list() - look at every mapped device
 * @root_fd: the root directory
 * @fn:      called with each device; the device is borrowed for the call
 * @ctx:     passed on to @fn
 *
 * A kernel without device-mapper has no devices, which is no error.
 *
 * Return: 0; what @fn returned to end the walk; a negative errno of the ioctl, -EIO if
 * libdevmapper names none, -EBADMSG if a recorded device cannot be read.
 */
int dm_list(int root_fd, dm_device_fn *fn, void *ctx)
{
	int r;

	r = dm_is_live(root_fd);
	if (r < 0)
		return r;
	return r ? dm_kernel_list(root_fd, fn, ctx) : dm_recorded_list(root_fd, fn, ctx);
}

/**
 * dm_table() - look at the live table of one mapped device
 * @root_fd: the root directory
 * @major:   of the device number
 * @minor:   of the device number
 * @fn:      called with each target in order; what it gets is borrowed for the call
 * @ctx:     passed on to @fn
 *
 * The whole table is read before @fn is called for the first time.
 *
 * Return: 0; DM_ABSENT; what @fn returned to end the walk; otherwise as dm_list().
 */
int dm_table(int root_fd, uint32_t major, uint32_t minor, dm_target_fn *fn, void *ctx)
{
	int r;

	r = dm_is_live(root_fd);
	if (r < 0)
		return r;
	return r ? dm_kernel_table(root_fd, major, minor, fn, ctx) :
		   dm_recorded_table(root_fd, major, minor, fn, ctx);
}
