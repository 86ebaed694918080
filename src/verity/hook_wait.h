/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VERITY_HOOK_WAIT_H
#define VERITY_HOOK_WAIT_H

/*
 * How the hook's programs wait for the daemon's answer: they look for it again and again,
 * within bounds of time, and only as long as the daemon lives and their own process is not
 * being killed.
 */
#include "verity/hook_abi.h"
#include "verity/hook_kernel.h"

#define SPIN_INNER	(1 << 20)
#define SPIN_OUTER	(1 << 12)
#define SIGKILL_BIT	(1UL << 8)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hook_shared);
} shared SEC(".maps");

static __always_inline struct hook_shared *get_shared(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&shared, &zero);
}

struct wait {
	__u64 ticket;
	__u64 slot;
	__u64 deadline;
	__u64 outcome;
};

static long look(__u64 i, struct wait *wait)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct hook_shared *s = get_shared();
	__u64 answer;

	if (!s)
		return 1;
	answer = *(volatile __u64 *)&s->answers[wait->slot & (HOOK_SLOTS - 1)];
	if (answer >> 8 == wait->ticket)
		wait->outcome = answer & 0xff;
	else if (!*(volatile __u32 *)&s->daemon)
		wait->outcome = HOOK_NOBODY;
	else if (task->pending.signal.sig[0] & SIGKILL_BIT)
		wait->outcome = HOOK_KILLED;
	else if (bpf_ktime_get_ns() > wait->deadline)
		wait->outcome = HOOK_TIMEOUT;
	return wait->outcome != HOOK_WAITING;
}

static long look_long(__u64 i, struct wait *wait)
{
	bpf_loop(SPIN_INNER, look, wait, 0);
	return wait->outcome != HOOK_WAITING;
}

/* Where sleeping is allowed: the helper that fails here lets others run. */
static long look_softly(__u64 i, struct wait *wait)
{
	char nothing;

	if (look(i, wait))
		return 1;
	bpf_copy_from_user_task(&nothing, 1, (void *)0, bpf_get_current_task_btf(), 0);
	return 0;
}

static long look_softly_long(__u64 i, struct wait *wait)
{
	bpf_loop(SPIN_INNER, look_softly, wait, 0);
	return wait->outcome != HOOK_WAITING;
}

static __always_inline struct wait wait_for(const struct hook_head *met, __u64 most_ns)
{
	return (struct wait){
		.ticket = met->ticket, .slot = met->dev,
		.deadline = bpf_ktime_get_ns() + most_ns,
	};
}

/* Waits for the answer to an activation; an enum hook_outcome. */
static __noinline __u64 spin(const struct hook_head *met, __u64 most_ns)
{
	struct wait wait = wait_for(met, most_ns);

	bpf_loop(SPIN_OUTER, look_long, &wait, 0);
	return wait.outcome == HOOK_WAITING ? HOOK_TIMEOUT : wait.outcome;
}

/* The same where sleeping is allowed. */
static __noinline __u64 spin_softly(const struct hook_head *met, __u64 most_ns)
{
	struct wait wait = wait_for(met, most_ns);

	bpf_loop(SPIN_OUTER, look_softly_long, &wait, 0);
	return wait.outcome == HOOK_WAITING ? HOOK_TIMEOUT : wait.outcome;
}

#endif /* VERITY_HOOK_WAIT_H */
