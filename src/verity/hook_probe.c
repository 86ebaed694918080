/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Trying a hook out.
 *
 * A program can be attached and never be called: "bpf" may be missing from the kernel's
 * list of security modules, or tracing may be switched off.  So a second program of the
 * same kind is attached where a harmless system call reaches it, and a child makes that
 * call.  Both processes are kept on one CPU: if we can answer while the child waits in the
 * kernel, others can run on a CPU whose process waits in the hook.
 */
#include "verity/hook.h"

#include <errno.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES	3

static uint64_t load(const __u64 *from)
{
	return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

/* The child's part. */
static void call(struct hook_shared *shared)
{
	__atomic_store_n(&shared->probe, (__u32)getpid(), __ATOMIC_RELEASE);
	(void)getpgid(getppid());
	_exit(0);
}

/* Answers the child if it comes to wait; returns when it has ended. */
static void answer(struct hook_shared *shared, pid_t child)
{
	bool answered = false;
	uint64_t ticket;
	int status;

	while (waitpid(child, &status, WNOHANG) == 0) {
		ticket = load(&shared->probe_ticket);
		if (ticket && !answered) {
			__atomic_store_n(&shared->answers[HOOK_PROBE_DEV],
					 ticket << 8 | HOOK_MEASURED, __ATOMIC_RELEASE);
			answered = true;
		}
		(void)sched_yield();
	}
}

/* Has a child make the call, on this CPU; an enum hook_probed or a negative errno. */
static int try_call(struct hook_shared *shared)
{
	pid_t child;

	shared->probe_ticket = 0;
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0)
		call(shared);
	answer(shared, child);
	shared->probe = 0;
	if (!load(&shared->probe_ticket))
		return HOOK_PROBED_DEAD;
	return load(&shared->probe_outcome) == HOOK_MEASURED ? HOOK_PROBED_PREEMPTED
							     : HOOK_PROBED_CALLED;
}

/**
 * hook_probe() - see whether the kernel calls programs of a kind, and how they wait
 * @shared: memory of a hook whose probe is attached; its daemon is this process
 *
 * The child waits for a short time only.  On a busy machine our turn may come later than
 * that, so a wait in vain is tried again before it is believed.
 *
 * Return: an enum hook_probed; a negative errno if it could not be tried.
 */
int hook_probe(struct hook_shared *shared)
{
	int cpu = sched_getcpu(), probed = HOOK_PROBED_CALLED;
	cpu_set_t before, one;

	if (cpu < 0 || sched_getaffinity(0, sizeof(before), &before) < 0)
		return -errno;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		return -errno;
	for (int i = 0; i < TRIES && probed == HOOK_PROBED_CALLED; i++)
		probed = try_call(shared);
	(void)sched_setaffinity(0, sizeof(before), &before);
	return probed;
}
