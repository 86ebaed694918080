/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's mapped devices, by libdevmapper.
 *
 * Devices are asked for by number, never by name: a name can be taken away and given
 * to another device between two questions.  Only questions are asked, so libdevmapper
 * has no reason to touch a node below /dev/mapper.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

#include <libdevmapper.h>

#include "base/io.h"
#include "dm/internal.h"

static void taskp_destroy(struct dm_task **task)
{
	if (*task)
		dm_task_destroy(*task);
}

static void say_nothing(int level, const char *file, int line, int code,
			const char *format, ...)
{
	(void)level;
	(void)file;
	(void)line;
	(void)code;
	(void)format;
}

/*
 * 1 if there is a device-mapper to talk to, 0 if the kernel has none.  Its module may
 * be there while the control node is not: then we cannot look, and must not call that
 * "no devices".
 */
static int is_present(int root_fd)
{
	_cleanup_close_ int fd = io_open(root_fd, "/dev/mapper/control", O_RDWR, 0);

	if (fd >= 0)
		return 1;
	if (fd != -ENOENT && fd != -ENODEV && fd != -ENXIO)
		return fd;
	return io_exists(root_fd, "/sys/class/misc/device-mapper") ? -ENODEV : 0;
}

/* Asks one question about one device, or about none if @device is NULL. */
static int ask(int type, const struct dm_device *device, struct dm_task **ret)
{
	_cleanup_(taskp_destroy) struct dm_task *task = NULL;
	int error;

	dm_log_with_errno_init(say_nothing);
	task = dm_task_create(type);
	if (!task)
		return -EIO;
	if (!dm_task_no_open_count(task))
		return -EIO;
	if (device && !dm_task_set_major_minor(task, (int)device->major,
					       (int)device->minor, 0))
		return -EIO;
	if (!dm_task_run(task)) {
		error = dm_task_get_errno(task);
		return error > 0 ? -error : -EIO;
	}
	*ret = take_ptr(task);
	return 0;
}

/* Fills @device from the answer to a question about it. */
static int describe(struct dm_task *task, struct dm_device *device)
{
	struct dm_info info;
	int r;

	if (!dm_task_get_info(task, &info))
		return -EIO;
	if (!info.exists)
		return DM_ABSENT;
	device->live = info.live_table;
	r = dm_text_unmangle(dm_task_get_name(task), device->name, sizeof(device->name));
	if (r < 0)
		return r;
	return dm_text_unmangle(dm_task_get_uuid(task), device->uuid,
				sizeof(device->uuid));
}

static int list_one(uint64_t number, dm_device_fn *fn, void *ctx)
{
	_cleanup_(taskp_destroy) struct dm_task *task = NULL;
	struct dm_device device = {
		.major = major((dev_t)number), .minor = minor((dev_t)number),
	};
	int r;

	r = ask(DM_DEVICE_INFO, &device, &task);
	if (r == -ENXIO)
		return 0;
	if (r < 0)
		return r;
	r = describe(task, &device);
	if (r < 0)
		return r;
	return r == DM_ABSENT ? 0 : fn(ctx, &device);
}

/**
 * dm_kernel_list() - look at every mapped device of the kernel
 *
 * A device that goes away during the walk is left out.
 *
 * Return: as dm_list().
 */
int dm_kernel_list(int root_fd, dm_device_fn *fn, void *ctx)
{
	_cleanup_(taskp_destroy) struct dm_task *task = NULL;
	const struct dm_names *names;
	int r;

	r = is_present(root_fd);
	if (r <= 0)
		return r;
	r = ask(DM_DEVICE_LIST, NULL, &task);
	if (r < 0)
		return r;
	names = dm_task_get_names(task);
	if (!names || !names->dev)
		return 0;
	for (;;) {
		r = list_one(names->dev, fn, ctx);
		if (r != 0 || !names->next)
			return r;
		names = (const void *)((const char *)names + names->next);
	}
}

/**
 * dm_kernel_table() - look at the live table of one of the kernel's mapped devices
 *
 * Return: as dm_table().
 */
int dm_kernel_table(int root_fd, uint32_t major, uint32_t minor, dm_target_fn *fn,
		    void *ctx)
{
	_cleanup_(taskp_destroy) struct dm_task *task = NULL;
	struct dm_device device = { .major = major, .minor = minor };
	struct dm_target target;
	char *type, *params;
	void *next = NULL;
	int r;

	r = is_present(root_fd);
	if (r <= 0)
		return r < 0 ? r : DM_ABSENT;
	r = ask(DM_DEVICE_TABLE, &device, &task);
	if (r < 0)
		return r == -ENXIO ? DM_ABSENT : r;
	r = describe(task, &device);
	if (r != 0)
		return r;
	if (!device.live)
		return DM_ABSENT;
	do {
		next = dm_get_next_target(task, next, &target.start, &target.length,
					  &type, &params);
		if (!type)
			continue;
		target.type = type;
		target.params = params ? params : "";
		r = fn(ctx, &device, &target);
		if (r != 0)
			return r;
	} while (next);
	return 0;
}
