/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VERITY_HOOK_KERNEL_H
#define VERITY_HOOK_KERNEL_H

/*
 * What the hook's programs know of the kernel: members of its structures, whose places
 * are found when the hook is loaded, and how its memory is read.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* The kernel's own lists of integrity properties, of which we know two. */
enum lsm_integrity_type {
	LSM_INT_DMVERITY_SIG_VALID,
	LSM_INT_DMVERITY_ROOTHASH,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct timespec64 {
	__s64 tv_sec;
};

struct gendisk {
	__u64 diskseq;
};

struct block_device {
	__u32 bd_dev;
	struct gendisk *bd_disk;
};

struct dm_verity_digest {
	const char *alg;
	const __u8 *digest;
	unsigned long digest_len;
};

typedef struct {
	unsigned long sig[1];
} sigset_t;

struct sigpending {
	sigset_t signal;
};

struct inode {
	unsigned short i_mode;
	__u32 i_rdev;
};

struct file {
	struct inode *f_inode;
};

struct super_block {
	struct block_device *s_bdev;
};

struct task_struct {
	int pid;
	int tgid;
	struct sigpending pending;
};

#pragma clang attribute pop

extern void *bpf_rdonly_cast(const void *object, __u32 btf_id) __ksym __weak;

/*
 * Eight bytes of kernel memory at an address, which may be any.  The cast wants a type that
 * every kernel has; this one begins with a number of eight bytes.
 */
static __always_inline __u64 peek(__u64 address)
{
	struct timespec64 *window = bpf_rdonly_cast((void *)address,
				bpf_core_type_id_kernel(struct timespec64));

	return (__u64)window->tv_sec;
}

#endif /* VERITY_HOOK_KERNEL_H */
