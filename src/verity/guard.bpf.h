/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VERITY_GUARD_BPF_H
#define VERITY_GUARD_BPF_H

/*
 * The guard: keeps whoever is root from taking the hook away or speaking for the daemon.
 *
 * One process is trusted: the one that switched the guard on.  When it ends, the next that
 * opens one of the hook's maps is, and that is counted where nobody but these programs
 * can write: the daemon that goes on sees whether another process came in between.
 *
 * Each program has the same arguments as the LSM hook and as the function security_*()
 * that calls the hook, and is loaded for the one or for the other.
 */
#include <linux/errno.h>

#include "verity/guard_abi.h"
#include "verity/hook_kernel.h"

#define FMODE_WRITE	2
#define PTRACE_MODE_ATTACH 2
#define PROC_MAGIC	0x9fa0
#define SIGINT		2
#define SIGTERM		15
#define SIGCONT		18
#define MOUNTS_MAX	64	/* mounts below each other */

/* "ftrace_enabled" and its NUL, in two parts of eight octets. */
#define FTRACE_BEGIN	0x655f656361727466ULL
#define FTRACE_END	0x0064656c62616eULL
#define FTRACE_END_MASK	0x00ffffffffffffffULL

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct super_block___guard {
	__u32 s_dev;
	unsigned long s_magic;
};

struct inode___guard {
	unsigned long i_ino;
	struct super_block___guard *i_sb;
};

struct qstr___guard {
	const unsigned char *name;
};

struct dentry___guard {
	struct qstr___guard d_name;
	struct inode___guard *d_inode;
};

struct vfsmount___guard {
	int mnt_flags;
};

struct mount___guard {
	struct mount___guard *mnt_parent;
	struct vfsmount___guard mnt;
};

struct path___guard {
	struct vfsmount___guard *mnt;
	struct dentry___guard *dentry;
};

struct file___guard {
	unsigned int f_mode;
	struct path___guard f_path;
	struct inode___guard *f_inode;
};

struct bpf_map___guard {
	__u32 id;
};

struct task_struct___guard {
	int tgid;
	struct task_struct___guard *real_parent;
};

#pragma clang attribute pop

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guard_state);
} guard SEC(".maps");

static __always_inline struct guard_state *get_guard(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&guard, &zero);
}

static __always_inline __u32 current_process(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

static __always_inline bool is_listed(const __u32 *ids, __u32 id)
{
	for (int i = 0; i < GUARD_IDS; i++)
		if (ids[i] == id)
			return id != 0;
	return false;
}

/* The guard as far as it concerns this process; NULL if that is the trusted one. */
static __always_inline struct guard_state *guard_against_current(void)
{
	struct guard_state *g = get_guard();

	return g && g->claims && g->trusted != current_process() ? g : NULL;
}

/* The hook was called. */
static __always_inline void guard_hit(void)
{
	struct guard_state *g = get_guard();

	if (g)
		__sync_fetch_and_add(&g->hits, 1);
}

/* A process has ended. */
static __always_inline void guard_ended(__u32 process)
{
	struct guard_state *g = get_guard();

	if (g)
		__sync_val_compare_and_swap(&g->trusted, process, 0);
}

/* The hook was to be called. */
static __always_inline void guard_call(void)
{
	struct guard_state *g = get_guard();

	if (g)
		__sync_fetch_and_add(&g->calls, 1);
}

/* The kernel is about to call the hook. */
SEC("?kprobe")
int guard_calls(void *ctx)
{
	guard_call();
	return 0;
}

/* Whether a folder is the one with the names of the hook, or a file is that folder. */
static __always_inline bool is_ours(const struct guard_state *g,
				    const struct inode___guard *inode)
{
	return inode && g->dev && inode->i_ino == g->folder && inode->i_sb->s_dev == g->dev;
}

SEC("?lsm/inode_unlink")
int BPF_PROG(guard_unlink, struct inode___guard *folder)
{
	struct guard_state *g = guard_against_current();

	return g && is_ours(g, folder) ? -EPERM : 0;
}

SEC("?lsm/inode_rename")
int BPF_PROG(guard_rename, struct inode___guard *from, struct dentry___guard *old,
	     struct inode___guard *to, struct dentry___guard *new)
{
	struct guard_state *g = guard_against_current();

	return g && (is_ours(g, from) || is_ours(g, to) || is_ours(g, old->d_inode) ||
		     is_ours(g, new->d_inode)) ? -EPERM : 0;
}

SEC("?lsm/sb_umount")
int BPF_PROG(guard_umount, struct vfsmount___guard *target)
{
	__u64 inner = bpf_core_field_offset(struct mount___guard, mnt);
	__u64 upper = bpf_core_field_offset(struct mount___guard, mnt_parent);
	struct guard_state *g = guard_against_current();
	__u64 at = g ? g->mount : 0;

	for (int i = 0; i < MOUNTS_MAX && at; i++) {
		__u64 parent = peek(at - inner + upper) + inner;

		if (at == (__u64)target)
			return -EPERM;
		if (parent == at)
			break;
		at = parent;
	}
	return 0;
}

SEC("?lsm/bpf_map")
int BPF_PROG(guard_map, struct bpf_map___guard *map)
{
	struct guard_state *g = guard_against_current();

	if (!g || !is_listed(g->maps, map->id))
		return 0;
	if (__sync_val_compare_and_swap(&g->trusted, 0, current_process()))
		return -EPERM;
	__sync_fetch_and_add(&g->claims, 1);
	return 0;
}

/*
 * A program that somebody has a descriptor of can be replaced.  The trusted process opens
 * none but the link that it made itself, so that its number is learnt.
 */
SEC("?lsm/bpf")
int BPF_PROG(guard_bpf, int cmd, const __u32 *id)
{
	struct guard_state *g = get_guard();

	if (!g || !g->claims)
		return 0;
	if (g->trusted == current_process()) {
		if (cmd == BPF_LINK_GET_FD_BY_ID)
			g->links[GUARD_OWN_LINK] = *id;
		return 0;
	}
	if (cmd == BPF_LINK_GET_FD_BY_ID)
		return is_listed(g->links, *id) ? -EPERM : 0;
	if (cmd == BPF_PROG_GET_FD_BY_ID)
		return is_listed(g->programs, *id) ? -EPERM : 0;
	return 0;
}

/* Nobody stops all tracing, and with it the hook.  Where our folder is mounted is learnt. */
SEC("?lsm/file_open")
int BPF_PROG(guard_open, struct file___guard *file)
{
	struct super_block___guard *sb = file->f_inode->i_sb;
	struct guard_state *g = get_guard();
	__u64 name;

	if (!g || !g->claims)
		return 0;
	if (sb->s_dev == g->dev && g->dev && g->trusted == current_process())
		g->mount = (__u64)file->f_path.mnt;
	if (sb->s_magic != PROC_MAGIC || !(file->f_mode & FMODE_WRITE))
		return 0;
	name = (__u64)file->f_path.dentry->d_name.name;
	return peek(name) == FTRACE_BEGIN &&
	       (peek(name + 8) & FTRACE_END_MASK) == FTRACE_END ? -EPERM : 0;
}

/* Nor does who has opened that file before.  This is called without what it protects. */
SEC("?cgroup/sysctl")
int guard_sysctl(struct bpf_sysctl *ctx)
{
	__u64 name[2] = { 0 };

	if (!ctx->write || bpf_sysctl_get_name(ctx, (char *)name, sizeof(name),
					       BPF_F_SYSCTL_BASE_NAME) < 0)
		return 1;
	return name[0] != FTRACE_BEGIN || (name[1] & FTRACE_END_MASK) != FTRACE_END;
}

SEC("?lsm/ptrace_access_check")
int BPF_PROG(guard_ptrace, struct task_struct___guard *task, unsigned int mode)
{
	struct guard_state *g = guard_against_current();

	return g && g->trusted == (__u32)task->tgid && mode & PTRACE_MODE_ATTACH ? -EPERM : 0;
}

/*
 * The daemon ends in good order on two signals.  Any other is for those who look after it:
 * the first process, and the one that started it, such as a supervisor.
 */
SEC("?lsm/task_kill")
int BPF_PROG(guard_kill, struct task_struct___guard *task, void *info, int signal)
{
	struct guard_state *g = guard_against_current();
	__u32 self = current_process();

	if (!g || g->trusted != (__u32)task->tgid || !signal || signal == SIGINT ||
	    signal == SIGTERM || signal == SIGCONT)
		return 0;
	return self == 1 || self == (__u32)task->real_parent->tgid ? 0 : -EPERM;
}

#endif /* VERITY_GUARD_BPF_H */
