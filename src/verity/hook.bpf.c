/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel hook: tells the daemon of each dm-verity device that is being activated, and
 * lets it go on when the daemon has measured it.
 *
 * The kernel announces a device's root hash and then, where it was built to, the signature
 * that it verified, on every resume and before the device can be read.  At the second of
 * the two, or at the first where there is no second, the hook submits one event and waits:
 * it spins, where it must not sleep, within bounds of time and of CPUs.  The table is live
 * already then, so the daemon can ask device-mapper for all the hook does not say.  Older
 * kernels announce nothing; there device-mapper itself is watched.
 *
 * Kernel memory is read through bpf_rdonly_cast() alone where the kernel has it: reading
 * it through helpers is not allowed under lockdown=confidentiality.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <stdbool.h>

#include <bpf/bpf_tracing.h>

#include "verity/guard.bpf.h"
#include "verity/hook_abi.h"
#include "verity/hook_probe.bpf.h"
#include "verity/hook_wait.h"

#define MAX_ERRNO	4095

#define PAUSE_NS	10000000000ULL

/* LGPL-2.1 allows that its code be used under the GPL; the kernel insists on that. */
char hook_license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} ring SEC(".maps");

/* Devices whose root hash was announced, by device number, until their signature is. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct hook_seen);
} announced SEC(".maps");

/*
 * Devices that whoever uses them has to wait for, and the ticket.  None may fall out of the
 * map by itself: what is not in it can be used.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} pending SEC(".maps");

/* Root hashes that were measured in this boot; kept only where that spares a wait. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct hook_key);
	__type(value, __u64);
} measured SEC(".maps");

static __always_inline int error_of(__u64 outcome)
{
	switch (outcome) {
	case HOOK_FAILED:	return -EIO;
	case HOOK_TIMEOUT:	return -ETIME;
	case HOOK_KILLED:	return -EINTR;
	case HOOK_CROWDED:	return -EAGAIN;
	case HOOK_FULL:		return -ENOBUFS;
	case HOOK_UNSIGNED:	return -EKEYREJECTED;
	default:		return -EPERM;
	}
}

/* What the kernel is told of a device, once an outcome is known. */
static __always_inline int decide(struct hook_shared *s, __u32 dev, __u64 outcome)
{
	if (outcome < HOOK_OUTCOME_MAX)
		__sync_fetch_and_add(&s->outcomes[outcome], 1);
	if (outcome == HOOK_MEASURED || s->mode == HOOK_MODE_MEASURE)
		return 0;
	s->refused_dev = dev;
	s->refused_outcome = outcome;
	__sync_fetch_and_add(&s->refused, 1);
	return error_of(outcome);
}

/**
 * struct met - an activation, and where the kernel keeps the rest
 * @head:      as it is announced
 * @mapped:    address of its struct mapped_device
 * @signature: address of the signature that the kernel verified
 * @signature_size: in bytes; 0 if it cannot be had
 * @began:     when it began to wait
 * @daemon:    for whom
 * @gated:     whoever uses the device waits, too
 */
struct met {
	struct hook_head head;
	__u64 mapped;
	__u64 signature;
	__u64 signature_size;
	__u64 began;
	__u32 daemon;
	bool gated;
};

/* Puts an event with @room for a signature into the ring; false if there is none. */
static __noinline bool submit(const struct met *met, unsigned int room)
{
	struct hook_event *event = bpf_ringbuf_reserve(&ring, sizeof(*event) + room, 0);
	__u64 cell = 0, size = room ? met->signature_size : 0;

	if (!event)
		return false;
	__builtin_memcpy(&event->head, &met->head, sizeof(event->head));
	if (bpf_core_type_exists(struct hash_cell))
		cell = PEEK(met->mapped, mapped_device, interface_ptr);
	copy_text(cell ? PEEK(cell, hash_cell, name) : 0, event->name, HOOK_NAME_WORDS);
	copy_text(cell ? PEEK(cell, hash_cell, uuid) : 0, event->uuid, HOOK_UUID_WORDS);
	event->signature_size = size;
	if (room)
		copy_memory(met->signature, size, event->signature, room / 8);
	bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
	return true;
}

/* A signature that does not fit is left out: it is no reason not to announce. */
static __always_inline bool announce(const struct met *met)
{
	__u64 size = met->signature_size;
	bool done = false;

	if (size && size <= HOOK_SIGNATURE_SMALL)
		done = submit(met, HOOK_SIGNATURE_SMALL);
	else if (size && size <= HOOK_SIGNATURE_MAX)
		done = submit(met, HOOK_SIGNATURE_MAX);
	return done || submit(met, 0);
}

/*
 * What nobody is going to answer: refused here, or where the device is used.  A device
 * number has one life at a time, so no other activation can answer for it meanwhile.
 */
static __noinline int refuse(const struct hook_head *met, __u64 outcome)
{
	struct hook_shared *s = get_shared();

	if (!s)
		return 0;
	if (s->refuses || s->mode == HOOK_MODE_MEASURE)
		return decide(s, met->dev, outcome);
	s->answers[met->dev & (HOOK_SLOTS - 1)] = met->ticket << 8 | outcome;
	bpf_map_update_elem(&pending, &met->dev, &met->ticket, BPF_ANY);
	__sync_fetch_and_add(&s->outcomes[HOOK_GATED], 1);
	return 0;
}

/* What was not announced is counted, and refused where it can be. */
static __always_inline int lose(struct hook_shared *s, const struct hook_head *met)
{
	__sync_fetch_and_add(&s->dropped, 1);
	return refuse(met, HOOK_FULL);
}

/*
 * A root hash that was measured before need not wait where all wait for the sake of order
 * alone: it is announced all the same.  Where the answer decides, it says nothing: the same
 * root hash with other options in the table is another word.
 */
static __always_inline bool is_known(const struct hook_shared *s, const struct met *met)
{
	return s->mode == HOOK_MODE_MEASURE &&
	       bpf_map_lookup_elem(&measured, &met->head.seen);
}

/* An outcome; HOOK_WAITING if the activation has to wait, and finish() follows. */
static __noinline __u64 begin(struct met *met)
{
	struct hook_shared *s = get_shared();
	struct hook_head *head = &met->head;
	bool done;

	if (!s)
		return HOOK_NOBODY;
	head->ticket = __sync_fetch_and_add(&s->tickets, 1) + 1;
	if (s->mode == HOOK_MODE_SIGNED && s->paired && !head->is_signed)
		return HOOK_UNSIGNED;
	__sync_fetch_and_add(&s->writing, 1);
	done = announce(met);
	if (done)
		__sync_fetch_and_add(&s->submitted, 1);
	else
		__sync_fetch_and_add(&s->dropped, 1);
	__sync_fetch_and_sub(&s->writing, 1);
	if (!done)
		return HOOK_FULL;
	if (is_known(s, met)) {
		/* What is answered from here on is not the ticket that may be there. */
		bpf_map_delete_elem(&pending, &head->dev);
		return HOOK_KNOWN;
	}
	if (s->gated)
		met->gated = !bpf_map_update_elem(&pending, &head->dev, &head->ticket,
						  BPF_ANY);
	met->began = bpf_ktime_get_ns();
	met->daemon = s->daemon;
	if (!met->daemon)
		return HOOK_NOBODY;
	if (s->gated && met->began < s->resume_ns)
		return HOOK_CROWDED;
	if (__sync_fetch_and_add(&s->waiting, 1) < s->max_waiters)
		return HOOK_WAITING;
	__sync_fetch_and_sub(&s->waiting, 1);
	return HOOK_CROWDED;
}

/* Accounts for a wait. */
static __always_inline void finish(struct hook_shared *s, const struct met *met,
				   __u64 outcome)
{
	__u64 took = bpf_ktime_get_ns() - met->began;

	__sync_fetch_and_sub(&s->waiting, 1);
	s->wait_last_ns = took;
	if (took > s->wait_max_ns)
		s->wait_max_ns = took;
	/* One that does not answer holds up one activation, not every one. */
	if (outcome == HOOK_TIMEOUT && s->gated)
		s->resume_ns = met->began + took + PAUSE_NS;
	else if (outcome == HOOK_TIMEOUT && s->mode == HOOK_MODE_MEASURE)
		__sync_val_compare_and_swap(&s->daemon, met->daemon, 0);
}

/* Whether it is not for the activation, but for whoever uses the device, to wait. */
static __always_inline bool is_left_to_gate(const struct hook_shared *s,
					    const struct met *met, __u64 outcome)
{
	return met->gated &&
	       (!s->refuses || outcome == HOOK_CROWDED || outcome == HOOK_TIMEOUT);
}

static __noinline int end(const struct met *met, __u64 outcome, bool waited)
{
	struct hook_shared *s = get_shared();

	if (!s)
		return 0;
	if (waited)
		finish(s, met, outcome);
	if (outcome == HOOK_UNSIGNED || outcome == HOOK_FULL)
		return refuse(&met->head, outcome);
	if (!is_left_to_gate(s, met, outcome))
		return decide(s, met->head.dev, outcome);
	if (outcome < HOOK_OUTCOME_MAX)
		__sync_fetch_and_add(&s->outcomes[outcome], 1);
	if (outcome != HOOK_MEASURED)
		__sync_fetch_and_add(&s->outcomes[HOOK_GATED], 1);
	return 0;
}

/* Announces an activation and waits, with or without sleeping, for what is said of it. */
static __always_inline int activate(struct met *met, bool soft)
{
	struct hook_shared *s = get_shared();
	__u64 outcome = begin(met);
	bool waits = outcome == HOOK_WAITING;

	if (waits && s)
		outcome = soft ? spin_softly(&met->head, s->spin_ns)
			       : spin(&met->head, s->spin_ns);
	return end(met, outcome, waits);
}

/* Copies a root hash; one that is too long is cut. */
static __noinline int read_seen(__u64 octets, __u64 size, __u64 name, struct hook_seen *ret)
{
	if (size > sizeof(ret->digest))
		size = sizeof(ret->digest);
	ret->size = size;
	copy_memory(octets, size, ret->digest, HOOK_DIGEST_WORDS);
	return copy_text(name, ret->algorithm, HOOK_ALGORITHM_WORDS);
}

/*
 * One of the kernel's two announcements: more than 0 if it is to be announced and waited for,
 * else what the kernel is told.  That the second will come is known from the first
 * time it did, or from how the module was built if it was there when the hook was armed.
 * Until then the first is an event of its own, and in mode "signed" it is the daemon who
 * finds out whether the kernel verified a signature.
 */
static __noinline int meet(void *ctx, struct block_device *bdev, int type, struct met *met)
{
	struct hook_shared *s = get_shared();
	struct gendisk *disk = bdev->bd_disk;
	struct hook_head *head = &met->head;
	struct hook_seen *seen;
	__u64 value = 0;

	guard_hit();
	bpf_get_func_arg(ctx, 2, &value);
	if (!s || (type != LSM_INT_DMVERITY_ROOTHASH && type != LSM_INT_DMVERITY_SIG_VALID))
		return 0;
	head->dev = bdev->bd_dev;
	head->diskseq = disk->diskseq;
	met->mapped = (__u64)disk->private_data;
	if (type == LSM_INT_DMVERITY_ROOTHASH) {
		/* Null: the signature was refused, by another security module or by us. */
		if (!value) {
			bpf_map_delete_elem(&announced, &head->dev);
			return 0;
		}
		read_seen(PEEK(value, dm_verity_digest, digest),
			  PEEK(value, dm_verity_digest, digest_len),
			  PEEK(value, dm_verity_digest, alg), &head->seen);
		if (bpf_map_update_elem(&announced, &head->dev, &head->seen, BPF_ANY))
			return lose(s, head);
		return !s->paired;
	}
	s->paired = 1;
	seen = bpf_map_lookup_elem(&announced, &head->dev);
	if (!seen)
		return lose(s, head);
	__builtin_memcpy(&head->seen, seen, sizeof(head->seen));
	bpf_map_delete_elem(&announced, &head->dev);
	if (value) {
		head->is_signed = 1;
		met->signature = value;
		bpf_get_func_arg(ctx, 3, &met->signature_size);
	}
	return 1;
}

/* The kernel wants to see that nothing else than 0 or an error can be returned. */
static __always_inline int checked(int r)
{
	barrier_var(r);
	return r < -MAX_ERRNO || r > 0 ? 0 : r;
}

static __always_inline int set_integrity(void *ctx, struct block_device *bdev, int type,
					 bool soft)
{
	struct met met = { .gated = false };
	int r = meet(ctx, bdev, type, &met);

	return checked(r > 0 ? activate(&met, soft) : r);
}

SEC("?lsm/bdev_setintegrity")
int BPF_PROG(hook_lsm, struct block_device *bdev, int type)
{
	return set_integrity(ctx, bdev, type, false);
}

/* Kernels of 2026 let it sleep. */
SEC("?lsm.s/bdev_setintegrity")
int BPF_PROG(hook_lsm_s, struct block_device *bdev, int type)
{
	return set_integrity(ctx, bdev, type, true);
}

SEC("?fmod_ret/security_bdev_setintegrity")
int BPF_PROG(hook_fmod_ret, struct block_device *bdev, int type)
{
	int r = set_integrity(ctx, bdev, type, false);

	/* What is refused here does not get as far as to the place where calls are counted. */
	if (r)
		guard_call();
	return r;
}

#define VERITY	0x00797469726576ULL	/* "verity" and a NUL, as a number */

struct table {
	__u64 mapped;
	__u64 targets;
};

/* One target of a table that is being resumed. */
static long resume_target(__u64 i, struct table *table)
{
	__u64 target = table->targets + i * bpf_core_type_size(struct dm_target);
	__u64 name = PEEK(PEEK(target, dm_target, type), target_type, name);
	__u64 disk = PEEK(table->mapped, mapped_device, disk);
	__u64 part = PEEK(disk, gendisk, part0);
	__u64 verity = PEEK(target, dm_target, private);
	struct met met = { .mapped = table->mapped };

	if (peek(name) << 8 != VERITY << 8)
		return 0;
	met.head.diskseq = PEEK(disk, gendisk, diskseq);
	met.head.dev = (__u32)PEEK(part, block_device, bd_dev);
	met.head.is_signed = PEEK(verity, dm_verity, signature_key_desc) != 0;
	read_seen(PEEK(verity, dm_verity, root_digest),
		  (__u32)PEEK(verity, dm_verity, digest_size),
		  PEEK(verity, dm_verity, alg_name), &met.head.seen);
	activate(&met, false);
	return 0;
}

/*
 * For kernels that announce nothing to security modules: device-mapper's own function that
 * resumes a table.  Nothing can be refused here, and each target is its own activation.
 */
SEC("?fentry/dm_table_resume_targets")
int BPF_PROG(hook_fentry)
{
	struct hook_shared *s = get_shared();
	struct table walk;
	__u64 table = 0;

	bpf_get_func_arg(ctx, 0, &table);
	if (!s)
		return 0;
	guard_hit();
	walk.mapped = PEEK(table, dm_table, md);
	walk.targets = PEEK(table, dm_table, targets);
	bpf_loop((__u32)PEEK(table, dm_table, num_targets), resume_target, &walk, 0);
	return 0;
}

/*
 * Whoever uses a device waits here until it is measured, where its activation could not.
 * The daemon itself never waits.
 */
static __noinline int use(__u32 dev)
{
	struct hook_shared *s = get_shared();
	__u64 *found = bpf_map_lookup_elem(&pending, &dev);
	struct hook_head head = { .dev = dev };
	__u64 outcome;

	if (!found || !s || bpf_get_current_pid_tgid() >> 32 == s->daemon)
		return 0;
	head.ticket = *found;
	outcome = spin_softly(&head, s->wait_ns);
	if (outcome == HOOK_MEASURED)
		return 0;
	/* Nobody waits in vain again; that one was killed says nothing about the others. */
	if (s->mode == HOOK_MODE_MEASURE && outcome != HOOK_KILLED)
		bpf_map_delete_elem(&pending, &dev);
	return decide(s, dev, outcome);
}

#define S_IFMT	0170000
#define S_IFBLK	0060000

SEC("?lsm.s/file_open")
int BPF_PROG(gate_open, struct file *file)
{
	struct inode *inode = file->f_inode;

	return (inode->i_mode & S_IFMT) == S_IFBLK ? checked(use(inode->i_rdev)) : 0;
}

SEC("?lsm.s/sb_kern_mount")
int BPF_PROG(gate_mount, struct super_block *sb)
{
	struct block_device *bdev = sb->s_bdev;

	return bdev ? checked(use(bdev->bd_dev)) : 0;
}

/* Nobody waits for a daemon that has ended. */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(hook_exit, struct task_struct *task)
{
	struct hook_shared *s = get_shared();

	if (task->pid == task->tgid)
		guard_ended((__u32)task->tgid);
	if (s && task->pid == task->tgid)
		__sync_val_compare_and_swap(&s->daemon, (__u32)task->tgid, 0);
	return 0;
}
