/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VERITY_HOOK_KERNEL_H
#define VERITY_HOOK_KERNEL_H

/*
 * What the hook's programs know of the kernel: members of its structures, whose places
 * are found when the hook is loaded, and how its memory is read.
 */
#include <linux/bpf.h>
#include <stdbool.h>

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
	struct block_device *part0;
	void *private_data;
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

/* Those of device-mapper's modules. */
struct mapped_device {
	struct gendisk *disk;
	void *interface_ptr;
};

struct hash_cell {
	char *name;
	char *uuid;
};

struct dm_table {
	struct mapped_device *md;
	unsigned int num_targets;
	struct dm_target *targets;
};

struct target_type {
	const char *name;
};

struct dm_target {
	struct target_type *type;
	void *private;
};

struct dm_verity {
	char *alg_name;
	__u8 *root_digest;
	unsigned int digest_size;
	char *signature_key_desc;
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
 * every kernel has; this one begins with a number of eight bytes.  Kernels before 6.2 have
 * no such cast.
 */
static __noinline __u64 peek(__u64 address)
{
	__u64 value = 0;

	if (bpf_rdonly_cast) {
		struct timespec64 *window = bpf_rdonly_cast((void *)address,
					bpf_core_type_id_kernel(struct timespec64));

		return (__u64)window->tv_sec;
	}
	bpf_probe_read_kernel(&value, sizeof(value), (void *)address);
	return value;
}

/* A member of a structure of the kernel's, of which up to eight bytes are wanted. */
#define PEEK(address, type, member) \
	peek((address) + bpf_core_field_offset(struct type, member))

#define ONES	0x0101010101010101ULL	/* each octet is 1 */

/**
 * struct copy - memory that is being copied
 * @from:    address
 * @left:    how many bytes there are to copy
 * @to:      room for @words times eight bytes
 * @words:   how many
 * @is_text: it ends before the first NUL, too
 */
struct copy {
	__u64 from;
	__u64 left;
	__u64 *to;
	__u64 words;
	bool is_text;
};

static long copy_word(__u64 i, struct copy *copy)
{
	__u64 left = copy->left > 8 * i ? copy->left - 8 * i : 0;
	__u64 word = left ? peek(copy->from + 8 * i) : 0, end;

	if (left < 8)
		word &= (1ULL << 8 * (left & 7)) - 1;
	/* The highest bit of the first octet that is 0. */
	end = (word - ONES) & ~word & ONES << 7;
	end &= -end;
	if (copy->is_text && end) {
		word &= end - 1;
		copy->left = 0;
	}
	if (i >= copy->words)
		return 1;
	copy->to[i] = word;
	return 0;
}

/* Copies @size bytes of kernel memory, and fills the room for them with zeros. */
static __noinline int copy_memory(__u64 from, __u64 size, __u64 *to, unsigned int words)
{
	struct copy copy = { .from = from, .left = size, .to = to, .words = words };

	bpf_loop(words, copy_word, &copy, 0);
	return 0;
}

/* Copies a text, none if @from is 0, and nothing of what lies behind its end. */
static __noinline int copy_text(__u64 from, __u64 *to, unsigned int words)
{
	struct copy copy = {
		.from = from, .left = from ? 8 * words : 0, .to = to, .words = words,
		.is_text = true,
	};

	bpf_loop(words, copy_word, &copy, 0);
	return 0;
}

#endif /* VERITY_HOOK_KERNEL_H */
