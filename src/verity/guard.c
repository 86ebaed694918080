/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user's side of the guard, and of the evidence that the hook is called.
 *
 * The guard's programs are loaded when it is known by which way the kernel calls the
 * hook, and do nothing until they are told what to guard.  From then on their map cannot
 * be written by any process.
 *
 * The evidence: a breakpoint inside of the function that calls the hook counts its calls
 * without the tracing that the hook depends on.
 */
#include "verity/hook.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/io.h"
#include "base/number.h"

#define KPROBE_TYPE	"/sys/bus/event_source/devices/kprobe/type"
#define CALLER		"security_bdev_setintegrity"
#define CGROUP_ROOT_INO	1	/* of the cgroup that every process is in, or below */

static const char *const programs[] = {
	"guard_unlink", "guard_rename", "guard_umount", "guard_map",
	"guard_bpf", "guard_open", "guard_ptrace", "guard_kill",
};
static_assert(ARRAY_SIZE(programs) == GUARD_PROGRAMS, "a part for every program");

/*
 * Where the instructions begin that follow the place which tracing changes, without and
 * with one that marks the target of a jump before it.
 */
static const uint64_t offsets[] = {
#if defined(__aarch64__)
	8, 12,
#else
	5, 9,
#endif
};

static int open_kprobe(uint64_t type, uint64_t offset)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = (__u32)type,
		.kprobe_func = (uintptr_t)CALLER,
		.probe_offset = offset,
	};

	return (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Has a program called at a breakpoint, for as long as the descriptor is there. */
static int attach_kprobe(int program_fd, uint64_t type, uint64_t offset)
{
	_cleanup_close_ int event_fd = open_kprobe(type, offset), fd = -1;

	if (event_fd < 0)
		return -errno;
	fd = bpf_link_create(program_fd, event_fd, BPF_PERF_EVENT, NULL);
	if (fd < 0 || ioctl(event_fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
		return -errno;
	return take_fd(fd);
}

/**
 * guard_want_calls() - have the program loaded that guard_count_calls() attaches
 * @object: open; of its kind libbpf need not know more than the number
 */
void guard_want_calls(struct bpf_object *object)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, "guard_calls");

	if (program && bpf_program__set_type(program, BPF_PROG_TYPE_KPROBE) == 0)
		(void)bpf_program__set_autoload(program, true);
}

static int read_type(uint64_t *ret)
{
	_cleanup_close_ int fd = open(KPROBE_TYPE, O_RDONLY | O_CLOEXEC);
	char text[16];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return -EOPNOTSUPP;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return number_parse(text, UINT32_MAX, ret);
}

/**
 * guard_count_calls() - count how often the kernel is about to call the hook
 * @object: loaded
 *
 * Return: a descriptor; a negative errno where that cannot be counted.
 */
int guard_count_calls(struct bpf_object *object)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, "guard_calls");
	int program_fd = program ? bpf_program__fd(program) : -1, fd = -ENOENT;
	uint64_t type;

	if (program_fd < 0 || read_type(&type) < 0)
		return -EOPNOTSUPP;
	for (size_t i = 0; fd < 0 && i < ARRAY_SIZE(offsets); i++)
		fd = attach_kprobe(program_fd, type, offsets[i]);
	return fd;
}

static void close_object(struct bpf_object **object)
{
	bpf_object__close(*object);
}

/* Has a program called by the function that calls its LSM hook. */
static int aim_at_caller(struct bpf_program *program)
{
	const char *hook = strchr(bpf_program__section_name(program), '/');
	char function[64];
	int r;

	(void)snprintf(function, sizeof(function), "security_%s", hook ? hook + 1 : "");
	r = bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
	if (r == 0)
		r = bpf_program__set_expected_attach_type(program, BPF_MODIFY_RETURN);
	return r < 0 ? r : bpf_program__set_attach_target(program, 0, function);
}

/* Wants the program that is called for cgroups, which not every kernel has. */
static int want_sysctl(struct bpf_object *object)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, "guard_sysctl");
	int r = program ? bpf_program__set_autoload(program, true) : -ENOENT;

	if (r == 0)
		r = bpf_program__set_type(program, BPF_PROG_TYPE_CGROUP_SYSCTL);
	return r < 0 ? r : bpf_program__set_expected_attach_type(program, BPF_CGROUP_SYSCTL);
}

/* Loads the guard's programs alone, with the map that the hook has already. */
static int load(struct bpf_object *object, int map_fd, bool is_lsm, bool has_sysctl)
{
	struct bpf_map *map;
	int r = has_sysctl ? want_sysctl(object) : 0;

	if (r < 0)
		return r;
	bpf_object__for_each_map(map, object) {
		r = strcmp(bpf_map__name(map), "guard") == 0 ? bpf_map__reuse_fd(map, map_fd)
			: bpf_map__set_autocreate(map, false);
		if (r < 0)
			return r;
	}
	for (int i = 0; i < GUARD_PROGRAMS; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(object, programs[i]);

		r = program ? bpf_program__set_autoload(program, true) : -ENOENT;
		if (r == 0 && !is_lsm)
			r = aim_at_caller(program);
		if (r < 0)
			return r;
	}
	return bpf_object__load(object);
}

static int open_loaded(int map_fd, bool is_lsm, bool has_sysctl, struct bpf_object **ret)
{
	struct bpf_object *object;
	int r = hook_object_open(&object);

	if (r < 0)
		return r;
	r = load(object, map_fd, is_lsm, has_sysctl);
	if (r < 0)
		bpf_object__close(object);
	else
		*ret = object;
	return r;
}

static void detach(struct hook_parts *parts)
{
	for (int i = HOOK_PART_GUARDS; i < HOOK_PARTS_MAX; i++) {
		if (parts->fds[i] >= 0)
			(void)close(parts->fds[i]);
		parts->fds[i] = -1;
	}
}

/**
 * guard_attach() - have the kernel call the guard's programs
 * @parts:  of a new hook; the guard's are added
 * @is_lsm: the kernel calls programs of security modules
 *
 * Return: 0; a negative errno, and then there is no guard.
 */
int guard_attach(struct hook_parts *parts, bool is_lsm)
{
	_cleanup_(close_object) struct bpf_object *object = NULL;
	int map_fd = parts->fds[HOOK_PART_GUARD];
	bool has_sysctl = true;
	int r = open_loaded(map_fd, is_lsm, has_sysctl, &object);

	if (r < 0) {
		has_sysctl = false;
		r = open_loaded(map_fd, is_lsm, has_sysctl, &object);
	}
	if (r == 0 && has_sysctl)
		parts->fds[HOOK_PART_SYSCTL] = fcntl(bpf_program__fd(
			bpf_object__find_program_by_name(object, "guard_sysctl")),
			F_DUPFD_CLOEXEC, 3);
	for (int i = 0; r == 0 && i < GUARD_PROGRAMS; i++) {
		int *fd = &parts->fds[HOOK_PART_GUARDS + i];

		*fd = bpf_raw_tracepoint_open(NULL, bpf_program__fd(
			bpf_object__find_program_by_name(object, programs[i])));
		r = *fd < 0 ? -errno : 0;
	}
	if (r < 0)
		detach(parts);
	return r;
}

/* The numbers of a link and of its program; of the maps, too, for the hook's own. */
static int note_link(int fd, bool is_hook, size_t i, struct guard_state *state)
{
	struct bpf_link_info link = { 0 };
	struct bpf_prog_info program = { 0 };
	_cleanup_close_ int program_fd = -1;
	__u32 size = sizeof(link);

	if (bpf_obj_get_info_by_fd(fd, &link, &size) < 0)
		return -errno;
	state->links[i] = link.id;
	state->programs[i] = link.prog_id;
	if (!is_hook)
		return 0;
	program_fd = bpf_prog_get_fd_by_id(link.prog_id);
	if (program_fd < 0)
		return -errno;
	program.nr_map_ids = GUARD_IDS;
	program.map_ids = (uintptr_t)state->maps;
	size = sizeof(program);
	return bpf_obj_get_info_by_fd(program_fd, &program, &size) < 0 ? -errno : 0;
}

static bool is_map(int part)
{
	return part == HOOK_PART_SHARED || part == HOOK_PART_RING ||
	       part == HOOK_PART_MEASURED || part == HOOK_PART_GUARD;
}

static int describe(const struct hook_parts *parts, struct guard_state *ret)
{
	struct stat status;
	size_t n = 0;
	int r = 0;

	static_assert((int)HOOK_PART_SYSCTL <= GUARD_OWN_LINK, "room for every link");
	for (int i = 0; r == 0 && i < HOOK_PART_SYSCTL; i++)
		if (parts->fds[i] >= 0 && !is_map(i))
			r = note_link(parts->fds[i], i == HOOK_PART_LINK, n++, ret);
	if (r == 0 && stat(HOOK_FOLDER, &status) == 0) {
		ret->dev = major(status.st_dev) << 20 | minor(status.st_dev);
		ret->folder = status.st_ino;
	}
	return r;
}

/* An open of the folder by the trusted process tells the guard where it is mounted. */
static void show_mount(void)
{
	int fd = open(HOOK_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)close(fd);
}

/* The folder, if that is the root of all cgroups. */
static int open_mounted(const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	struct stat status;

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fstat(fd, &status) < 0)
		return -errno;
	return fs.f_type == CGROUP2_SUPER_MAGIC && status.st_ino == CGROUP_ROOT_INO
		? take_fd(fd) : -ENOENT;
}

/*
 * The root of all cgroups.  It is mounted, for us alone, only where it is not yet: that
 * takes away the options with which others have mounted it.
 */
static int open_cgroups(void)
{
	_cleanup_close_ int context = -1;
	int fd = open_mounted("/sys/fs/cgroup");

	if (fd < 0)
		fd = open_mounted("/sys/fs/cgroup/unified");
	if (fd >= 0)
		return fd;
	context = (int)syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC);
	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* An open of our link by its number tells the guard which that is. */
static void show_link(int fd)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);
	int again = bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? -1
			: bpf_link_get_fd_by_id(info.id);

	if (again >= 0)
		(void)close(again);
}

/* The link has no name: who opened it could detach it, unlike the others. */
static void attach_sysctl(struct hook_parts *parts)
{
	_cleanup_close_ int cgroups = -1;
	int *fd = &parts->fds[HOOK_PART_SYSCTL_LINK];

	if (parts->fds[HOOK_PART_SYSCTL] < 0)
		return;
	cgroups = open_cgroups();
	if (cgroups < 0)
		return;
	*fd = bpf_link_create(parts->fds[HOOK_PART_SYSCTL], cgroups, BPF_CGROUP_SYSCTL, NULL);
	if (*fd >= 0)
		show_link(*fd);
}

/* What only the trusted process can do for the guard. */
static void complete(struct hook_parts *parts)
{
	show_mount();
	attach_sysctl(parts);
}

/**
 * guard_switch_on() - guard a hook for this process
 * @parts: of a hook that has its names, if it is going to have any
 *
 * Return: 0; a negative errno, and then nothing is guarded.
 */
int guard_switch_on(struct hook_parts *parts)
{
	struct guard_state state = { .trusted = (__u32)getpid(), .claims = 1 };
	int fd = parts->fds[HOOK_PART_GUARD], r = describe(parts, &state);
	const __u32 zero = 0;

	if (r == 0 && bpf_map_update_elem(fd, &zero, &state, BPF_ANY) < 0)
		r = -errno;
	if (r == 0 && bpf_map_freeze(fd) < 0) {
		r = -errno;
		state = (struct guard_state){ 0 };
		(void)bpf_map_update_elem(fd, &zero, &state, BPF_ANY);
	}
	if (r == 0)
		complete(parts);
	return r;
}

/**
 * guard_go_on() - take over the guard of a hook that another process armed
 * @parts: of the hook
 *
 * Return: how many processes the guard has trusted, with this one; 0 if there is none.
 */
unsigned int guard_go_on(struct hook_parts *parts)
{
	struct guard_state state;
	const __u32 zero = 0;

	if (bpf_map_lookup_elem(parts->fds[HOOK_PART_GUARD], &zero, &state) < 0)
		return 0;
	if (state.claims)
		complete(parts);
	return state.claims;
}

/**
 * guard_counts() - how often the hook was called, and how often it should have been
 *
 * Return: 0; a negative errno of bpf(2).
 */
int guard_counts(const struct hook_parts *parts, uint64_t *ret_hits, uint64_t *ret_calls)
{
	struct guard_state state;
	const __u32 zero = 0;

	if (bpf_map_lookup_elem(parts->fds[HOOK_PART_GUARD], &zero, &state) < 0)
		return -errno;
	*ret_hits = state.hits;
	*ret_calls = state.calls;
	return 0;
}
