/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hook that outlives its process: its parts have names in the BPF file system.
 *
 * Nothing is detached by a daemon that ends, whatever ends it, and the next one finds the
 * hook, what it counted and all that it has announced meanwhile.
 */
#include "verity/hook.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define MOUNT_POINT	"/sys/fs/bpf"
#define FOLDER		HOOK_FOLDER
#define BPF_FS_MAGIC	0xcafe4a11

static const char *const names[] = {
	[HOOK_PART_LINK] = FOLDER "/link",
	[HOOK_PART_EXIT] = FOLDER "/exit",
	[HOOK_PART_SHARED] = FOLDER "/shared",
	[HOOK_PART_RING] = FOLDER "/ring",
	[HOOK_PART_MEASURED] = FOLDER "/measured",
	[HOOK_PART_GUARD] = FOLDER "/guard",
	[HOOK_PART_OPEN] = FOLDER "/open",
	[HOOK_PART_MOUNT] = FOLDER "/mount",
	[HOOK_PART_CALLS] = FOLDER "/calls",
	[HOOK_PART_GUARDS] = FOLDER "/guard-unlink",
	FOLDER "/guard-rename",
	FOLDER "/guard-umount",
	FOLDER "/guard-map",
	FOLDER "/guard-bpf",
	FOLDER "/guard-open",
	FOLDER "/guard-ptrace",
	FOLDER "/guard-kill",
	[HOOK_PART_SYSCTL] = FOLDER "/guard-sysctl",
};
static_assert(ARRAY_SIZE(names) == HOOK_PARTS_NAMED, "a name for every part");

static bool is_mounted(void)
{
	struct statfs status;

	return statfs(MOUNT_POINT, &status) == 0 && status.f_type == BPF_FS_MAGIC;
}

/**
 * hook_pin_find() - open the parts of a hook that an earlier process armed
 * @ret: owned by the caller
 *
 * Return: 0; -ENOENT if there is none, -EBADMSG if there is one without all that it
 * needs, or another negative errno of bpf(2).
 */
int hook_pin_find(struct hook_parts *ret)
{
	struct hook_parts parts = HOOK_PARTS_NONE;
	int r;

	if (!is_mounted())
		return -ENOENT;
	for (int i = 0; i < HOOK_PARTS_NAMED; i++) {
		parts.fds[i] = bpf_obj_get(names[i]);
		if (parts.fds[i] >= 0 || i >= HOOK_PARTS_NEEDED)
			continue;
		r = -errno;
		hook_parts_close(&parts);
		return r == -ENOENT && access(FOLDER, F_OK) == 0 ? -EBADMSG : r;
	}
	*ret = parts;
	return 0;
}

/**
 * hook_pin_make() - give the parts of a hook their names
 *
 * The BPF file system is mounted where it is not yet.
 *
 * Return: 0; a negative errno, and then none has a name.
 */
int hook_pin_make(const struct hook_parts *parts)
{
	int r;

	if (!is_mounted() && mount("bpf", MOUNT_POINT, "bpf", MS_NOSUID | MS_NODEV |
				   MS_NOEXEC | MS_RELATIME, "mode=0700") < 0)
		return -errno;
	hook_pin_remove();
	if (mkdir(FOLDER, 0700) < 0)
		return -errno;
	for (int i = 0; i < HOOK_PARTS_NAMED; i++) {
		if (parts->fds[i] < 0 || bpf_obj_pin(parts->fds[i], names[i]) == 0)
			continue;
		r = -errno;
		hook_pin_remove();
		return r;
	}
	return 0;
}

/**
 * hook_pin_remove() - take the names away; what nobody holds open is gone then
 */
void hook_pin_remove(void)
{
	for (int i = 0; i < HOOK_PARTS_NAMED; i++)
		(void)unlink(names[i]);
	(void)rmdir(FOLDER);
}
