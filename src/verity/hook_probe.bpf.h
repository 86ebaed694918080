/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VERITY_HOOK_PROBE_BPF_H
#define VERITY_HOOK_PROBE_BPF_H

/* The programs by which the hook is tried out; hook_probe.c has the other side. */
#include "verity/hook_wait.h"

#define PROBE_NS	60000000ULL

/* Tries, in a process that asks for it, whether the hook is called and can wait. */
static __noinline int try_out(void)
{
	struct hook_head head = { .dev = HOOK_PROBE_DEV };
	struct hook_shared *s = get_shared();

	if (!s || !s->probe || bpf_get_current_pid_tgid() >> 32 != s->probe)
		return 0;
	head.ticket = __sync_fetch_and_add(&s->tickets, 1) + 1;
	s->probe_ticket = head.ticket;
	s->probe_outcome = spin(&head, PROBE_NS);
	return 0;
}

SEC("?lsm/task_getpgid")
int BPF_PROG(probe_lsm, struct task_struct *task)
{
	return try_out();
}

SEC("?fmod_ret/security_task_getpgid")
int BPF_PROG(probe_fmod_ret, struct task_struct *task)
{
	return try_out();
}

SEC("?fentry/security_task_getpgid")
int BPF_PROG(probe_fentry, struct task_struct *task)
{
	return try_out();
}

#endif /* VERITY_HOOK_PROBE_BPF_H */
