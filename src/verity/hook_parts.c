/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of an armed hook, and the memory that is shared with it.
 */
#include "verity/hook.h"

#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define SPIN_MAX_NS	200000000ULL	/* of an activation where a gate is closed */

/**
 * hook_parts_close() - let go of the parts of a hook; nothing happens to those not open
 */
void hook_parts_close(struct hook_parts *parts)
{
	for (int i = 0; i < HOOK_PARTS_MAX; i++) {
		if (parts->fds[i] >= 0)
			(void)close(parts->fds[i]);
		parts->fds[i] = -1;
	}
}

/**
 * hook_shared_map() - the memory shared with a hook
 * @fd: of the map
 *
 * Return: the memory, released by hook_shared_unmap(); NULL if the map cannot be it.
 */
struct hook_shared *hook_shared_map(int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	void *memory;

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ||
	    info.value_size != sizeof(struct hook_shared))
		return NULL;
	memory = mmap(NULL, sizeof(struct hook_shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

/**
 * hook_shared_unmap() - release memory of hook_shared_map(); NULL is none
 */
void hook_shared_unmap(struct hook_shared *shared)
{
	if (shared)
		(void)munmap(shared, sizeof(*shared));
}

/**
 * hook_shared_configure() - settle what a hook does, and that we are its daemon
 * @shared:  memory shared with it, in which @gated and @preempted are settled
 * @options: what it shall do
 *
 * A hook that can refuse neither the activation nor the use measures.  Where others
 * cannot run on the CPU of a waiting activation, our own turn may be on just that CPU:
 * then it is better to go on soon, and have who uses the device wait.
 */
void hook_shared_configure(struct hook_shared *shared,
			   const struct verity_hook_options *options)
{
	uint64_t wait_ns = options->wait_ms * 1000000ULL;
	bool soon = shared->gated && !shared->preempted && wait_ns > SPIN_MAX_NS;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	shared->mode = shared->refuses || shared->gated ? (__u32)options->mode
						       : HOOK_MODE_MEASURE;
	shared->wait_ns = wait_ns;
	shared->spin_ns = soon ? SPIN_MAX_NS : wait_ns;
	shared->max_waiters = shared->preempted ? UINT32_MAX : cpus > 1 ? (__u32)cpus - 1 : 0;
	if (!wait_ns)
		shared->max_waiters = 0;
	shared->daemon = (__u32)getpid();
}
