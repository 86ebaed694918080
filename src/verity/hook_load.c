/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loading a new hook: the best kind that the kernel accepts and really calls.
 *
 * One object holds the programs of every kind.  Nothing is printed, libbpf included.
 */
#include "verity/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/io.h"

#define SIGNATURES	"/sys/module/dm_verity/parameters/require_signatures"

/* The compiled hook.bpf.c. */
extern const char verity_hook_object[], verity_hook_object_end[];

/* The programs of a kind: that which is called, and that which tries whether it is. */
static const struct {
	const char *program;
	const char *probe;
} kinds[VERITY_KIND_MAX] = {
	[VERITY_KIND_FENTRY] = { "hook_fentry", "probe_fentry" },
	[VERITY_KIND_FMOD_RET] = { "hook_fmod_ret", "probe_fmod_ret" },
	[VERITY_KIND_LSM] = { "hook_lsm", "probe_lsm" },
};

/**
 * struct set - programs that are loaded together, as one that cannot be fails all
 * @kinds: bit for each enum verity_kind
 * @gates: what keeps a device from being used, too
 * @soft:  the program of VERITY_KIND_LSM is the one that may sleep
 */
struct set {
	unsigned int kinds;
	bool gates;
	bool soft;
};

static int print_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static void close_object(struct bpf_object **object)
{
	bpf_object__close(*object);
}

static void destroy_link(struct bpf_link **link)
{
	(void)bpf_link__destroy(*link);
}

/* What keeps a device from being used where its activation cannot wait. */
static const struct {
	enum hook_part part;
	const char *program;
} gates[] = {
	{ HOOK_PART_OPEN, "gate_open" },
	{ HOOK_PART_MOUNT, "gate_mount" },
};

static void want_program(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	if (program)
		(void)bpf_program__set_autoload(program, true);
}

static const char *program_of(const struct set *set, enum verity_kind kind)
{
	return kind == VERITY_KIND_LSM && set->soft ? "hook_lsm_s" : kinds[kind].program;
}

static void want(struct bpf_object *object, const struct set *set)
{
	for (int kind = VERITY_KIND_UEVENT + 1; kind < VERITY_KIND_MAX; kind++) {
		if (!(set->kinds & 1U << kind))
			continue;
		want_program(object, program_of(set, kind));
		want_program(object, kinds[kind].probe);
	}
	want_program(object, "hook_exit");
	guard_want_calls(object);
	if (!set->gates)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(gates); i++)
		want_program(object, gates[i].program);
	want_program(object, kinds[VERITY_KIND_LSM].probe);
}

/**
 * hook_object_open() - all programs, none of which is going to be loaded by itself
 * @ret: owned by the caller
 *
 * Return: 0; a negative errno.
 */
int hook_object_open(struct bpf_object **ret)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "veritally");
	struct bpf_object *object;

	object = bpf_object__open_mem(verity_hook_object,
				      (size_t)(verity_hook_object_end - verity_hook_object),
				      &opts);
	if (!object)
		return -errno;
	*ret = object;
	return 0;
}

static int open_object(const struct verity_hook_options *options, const struct set *set,
		       struct bpf_object **ret)
{
	struct bpf_object *object = NULL;
	struct bpf_map *ring;
	int r = hook_object_open(&object);

	if (r < 0)
		return r;
	want(object, set);
	ring = bpf_object__find_map_by_name(object, "ring");
	r = ring ? bpf_map__set_max_entries(ring, options->ring_size) : -ENOENT;
	if (r == 0)
		r = bpf_object__load(object);
	if (r < 0)
		bpf_object__close(object);
	else
		*ret = object;
	return r;
}

/* Attaches a program for as long as the descriptor, or a name of it, is there. */
static int attach(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);
	_cleanup_(destroy_link) struct bpf_link *link = NULL;
	int fd;

	if (!program)
		return -ENOENT;
	link = bpf_program__attach(program);
	if (!link)
		return -errno;
	fd = fcntl(bpf_link__fd(link), F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

/* Whether the kernel calls a kind, as hook_probe(). */
static int try_kind(struct bpf_object *object, enum verity_kind kind,
		    struct hook_shared *shared)
{
	_cleanup_close_ int fd = attach(object, kinds[kind].probe);

	return fd < 0 ? fd : hook_probe(shared);
}

/*
 * Has opening and mounting wait, if the kernel calls such programs at all.  A gate that
 * only opens or only mounts pass is none.
 */
static bool close_gates(struct bpf_object *object, struct hook_shared *shared,
			struct hook_parts *parts)
{
	int probed = try_kind(object, VERITY_KIND_LSM, shared);
	bool closed = probed > 0 && probed != HOOK_PROBED_DEAD;

	for (size_t i = 0; closed && i < ARRAY_SIZE(gates); i++) {
		parts->fds[gates[i].part] = attach(object, gates[i].program);
		closed = parts->fds[gates[i].part] >= 0;
	}
	return closed;
}

/*
 * Arms a kind that is called, as @probed says.  Gates are needed where not every activation
 * can wait, and where none can be refused.
 */
static int arm_kind(struct bpf_object *object, const struct set *set, enum verity_kind kind,
		    int probed, const struct verity_hook_options *options,
		    struct hook_shared *shared, struct hook_parts *parts)
{
	bool sleeps = set->soft && kind == VERITY_KIND_LSM;

	shared->kind = (__u32)kind;
	shared->refuses = kind >= VERITY_KIND_FMOD_RET;
	shared->preempted = sleeps || probed == HOOK_PROBED_PREEMPTED;
	shared->paired = !shared->refuses || access(SIGNATURES, F_OK) == 0;
	if (set->gates && options->wait_ms && (!shared->refuses || !shared->preempted))
		shared->gated = close_gates(object, shared, parts);
	hook_shared_configure(shared, options);
	/* First, so that no call is counted by the hook alone. */
	if (shared->refuses)
		parts->fds[HOOK_PART_CALLS] = guard_count_calls(object);
	return attach(object, program_of(set, kind));
}

/* Arms the best of the kinds in @set that works, all of which are loaded. */
static int arm(struct bpf_object *object, const struct set *set,
	       const struct verity_hook_options *options, struct hook_parts *parts)
{
	struct hook_shared *shared = hook_shared_map(parts->fds[HOOK_PART_SHARED]);
	int *link = &parts->fds[HOOK_PART_LINK], probed;

	if (!shared)
		return -ENOMEM;
	shared->abi = HOOK_ABI;
	hook_shared_configure(shared, options);
	for (int kind = options->kind; *link < 0 && kind > VERITY_KIND_UEVENT; kind--) {
		if (!(set->kinds & 1U << kind))
			continue;
		probed = try_kind(object, kind, shared);
		if (probed > 0 && probed != HOOK_PROBED_DEAD)
			*link = arm_kind(object, set, kind, probed, options, shared, parts);
	}
	if (*link >= 0)
		parts->fds[HOOK_PART_EXIT] = attach(object, "hook_exit");
	hook_shared_unmap(shared);
	return *link < 0 || parts->fds[HOOK_PART_EXIT] < 0 ? -EOPNOTSUPP : 0;
}

/* One of the maps that every kind has. */
static int take_map(const struct bpf_object *object, const char *name,
		    enum hook_part part, struct hook_parts *parts)
{
	int fd = bpf_object__find_map_fd_by_name(object, name);

	parts->fds[part] = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return parts->fds[part] < 0 ? -EMFILE : 0;
}

static int load(const struct verity_hook_options *options, const struct set *set,
		struct hook_parts *ret)
{
	_cleanup_(close_object) struct bpf_object *object = NULL;
	struct hook_parts parts = HOOK_PARTS_NONE;
	int r;

	r = open_object(options, set, &object);
	if (r < 0)
		return r;
	r = take_map(object, "shared", HOOK_PART_SHARED, &parts);
	if (r == 0)
		r = take_map(object, "ring", HOOK_PART_RING, &parts);
	if (r == 0)
		r = take_map(object, "measured", HOOK_PART_MEASURED, &parts);
	if (r == 0)
		r = take_map(object, "guard", HOOK_PART_GUARD, &parts);
	if (r == 0)
		r = arm(object, set, options, &parts);
	if (r < 0)
		hook_parts_close(&parts);
	else
		*ret = parts;
	return r;
}

/* Whether the kernel lets programs sleep where it announces root hashes. */
static bool may_sleep(void)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_LSM_MAC,
		    .prog_flags = BPF_F_SLEEPABLE);
	int id = libbpf_find_vmlinux_btf_id("bdev_setintegrity", BPF_LSM_MAC), fd;

	if (id <= 0)
		return false;
	opts.attach_btf_id = (__u32)id;
	fd = bpf_prog_load(BPF_PROG_TYPE_LSM, NULL, "GPL", nothing, ARRAY_SIZE(nothing), &opts);
	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

/**
 * hook_load() - arm a new hook
 * @options: what it shall do
 * @ret:     its parts, owned by the caller
 *
 * Return: 0; a negative errno if the kernel has no hook that can be used.
 */
int hook_load(const struct verity_hook_options *options, struct hook_parts *ret)
{
	const unsigned int newer = 1U << VERITY_KIND_LSM | 1U << VERITY_KIND_FMOD_RET;
	struct set sets[] = {
		{ .kinds = newer, .gates = true },
		{ .kinds = 1U << VERITY_KIND_FMOD_RET },
		{ .kinds = 1U << VERITY_KIND_FENTRY, .gates = true },
		{ .kinds = 1U << VERITY_KIND_FENTRY },
	};
	const unsigned int allowed = (2U << options->kind) - 1;
	int r = -EOPNOTSUPP;

	(void)libbpf_set_print(print_nothing);
	sets[0].soft = may_sleep();
	for (size_t i = 0; r < 0 && i < ARRAY_SIZE(sets); i++)
		if (sets[i].kinds & allowed)
			r = load(options, &sets[i], ret);
	return r;
}
