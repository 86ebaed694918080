/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel hook: tells the daemon of each dm-verity device that is being activated, and
 * lets it go on when the daemon has measured it.
 *
 * The kernel announces a device's root hash and then, where it was built to, the signature
 * that it verified, on every resume and before the device can be read.  At the second of
 * the two, or at the first where there is no second, the hook submits one event and waits:
 * it spins, because it must not sleep, within bounds of time and of CPUs, and only as long
 * as the daemon lives and the activating process is not killed.  The table is live
 * already then, so the daemon can ask device-mapper for all the hook does not say.
 *
 * Kernel memory is read through bpf_rdonly_cast() alone where the kernel has it: reading
 * it through helpers is not allowed under lockdown=confidentiality.
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "verity/hook_abi.h"

#define MAX_ERRNO	4095
#define EPERM		1
#define EINTR		4
#define EIO		5
#define EAGAIN		11
#define ETIME		62
#define ENOBUFS		105
#define EKEYREJECTED	129

#define SPIN_INNER	(1 << 20)
#define SPIN_OUTER	(1 << 12)
#define PROBE_NS	60000000ULL
#define PAUSE_NS	10000000000ULL
#define SIGKILL_BIT	(1UL << 8)

/* The kernel's own lists of integrity properties, of which we know two. */
enum lsm_integrity_type {
	LSM_INT_DMVERITY_SIG_VALID,
	LSM_INT_DMVERITY_ROOTHASH,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Only the members that are used: their places are found when the hook is loaded. */
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

/* LGPL-2.1 allows that its code be used under the GPL; the kernel insists on that. */
char hook_license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hook_shared);
} shared SEC(".maps");

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

/* Devices that went on without waiting: the ticket that whoever uses them waits for. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} pending SEC(".maps");

/* Root hashes that were measured in this boot. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct hook_key);
	__type(value, __u64);
} measured SEC(".maps");

static __always_inline struct hook_shared *get_shared(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&shared, &zero);
}

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

struct wait {
	__u64 ticket;
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
	answer = *(volatile __u64 *)&s->answers[wait->ticket & (HOOK_SLOTS - 1)];
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

/* The same where sleeping is allowed: the helper that fails here lets others run. */
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

/* Waits for the answer to a ticket; an enum hook_outcome. */
static __always_inline __u64 spin(__u64 ticket, __u64 most_ns)
{
	struct wait wait = {
		.ticket = ticket, .deadline = bpf_ktime_get_ns() + most_ns,
	};

	bpf_loop(SPIN_OUTER, look_long, &wait, 0);
	return wait.outcome == HOOK_WAITING ? HOOK_TIMEOUT : wait.outcome;
}

static __always_inline __u64 wait_for_answer(struct hook_shared *s, __u64 ticket)
{
	__u64 began = bpf_ktime_get_ns(), took, outcome;
	__u32 daemon = s->daemon;

	if (!daemon)
		return HOOK_NOBODY;
	if (s->gated && began < s->resume_ns)
		return HOOK_CROWDED;
	if (__sync_fetch_and_add(&s->waiting, 1) >= s->max_waiters) {
		__sync_fetch_and_sub(&s->waiting, 1);
		return HOOK_CROWDED;
	}
	outcome = spin(ticket, s->spin_ns);
	__sync_fetch_and_sub(&s->waiting, 1);
	took = bpf_ktime_get_ns() - began;
	s->wait_last_ns = took;
	if (took > s->wait_max_ns)
		s->wait_max_ns = took;
	/* One that does not answer holds up one activation, not every one. */
	if (outcome == HOOK_TIMEOUT && s->gated)
		s->resume_ns = began + took + PAUSE_NS;
	else if (outcome == HOOK_TIMEOUT && s->mode == HOOK_MODE_MEASURE)
		__sync_val_compare_and_swap(&s->daemon, daemon, 0);
	return outcome;
}

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

/* What the kernel is told, once an outcome is known. */
static __always_inline int decide(struct hook_shared *s, __u32 dev, __u64 outcome,
				  bool known)
{
	if (outcome < HOOK_OUTCOME_MAX)
		__sync_fetch_and_add(&s->outcomes[outcome], 1);
	if (outcome == HOOK_MEASURED || s->mode == HOOK_MODE_MEASURE)
		return 0;
	if (known && (outcome == HOOK_TIMEOUT || outcome == HOOK_CROWDED))
		return 0;
	s->refused_dev = dev;
	s->refused_outcome = outcome;
	__sync_fetch_and_add(&s->refused, 1);
	return error_of(outcome);
}

static __always_inline int activate(struct hook_shared *s, __u32 dev, __u64 diskseq,
				    struct hook_seen *seen, __u64 signature_size)
{
	bool known = bpf_map_lookup_elem(&measured, seen);
	struct hook_event *event;
	__u64 ticket, outcome;

	if (s->mode == HOOK_MODE_SIGNED && s->paired && !signature_size)
		return decide(s, dev, HOOK_UNSIGNED, false);
	event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&s->dropped, 1);
		return decide(s, dev, HOOK_FULL, false);
	}
	ticket = __sync_fetch_and_add(&s->tickets, 1) + 1;
	if (s->gated)
		bpf_map_update_elem(&pending, &dev, &ticket, BPF_ANY);
	event->ticket = ticket;
	event->diskseq = diskseq;
	event->dev = dev;
	event->tgid = bpf_get_current_pid_tgid() >> 32;
	event->signature_size = signature_size;
	__builtin_memcpy(&event->seen, seen, sizeof(*seen));
	bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
	__sync_fetch_and_add(&s->submitted, 1);
	outcome = wait_for_answer(s, ticket);
	if ((outcome == HOOK_CROWDED || outcome == HOOK_TIMEOUT) && s->gated) {
		__sync_fetch_and_add(&s->outcomes[HOOK_GATED], 1);
		return 0;
	}
	return decide(s, dev, outcome, known);
}

/* Copies what the kernel announced; a digest that is too long is cut. */
static __always_inline void read_digest(__u64 address, struct hook_seen *ret)
{
	struct dm_verity_digest *digest = bpf_rdonly_cast((void *)address,
				bpf_core_type_id_kernel(struct dm_verity_digest));
	__u64 octets = (__u64)digest->digest, name = (__u64)digest->alg;
	__u64 size = digest->digest_len;

	if (size > 8 * HOOK_DIGEST_WORDS)
		size = 8 * HOOK_DIGEST_WORDS;
	ret->size = size;
	for (unsigned int i = 0; i < HOOK_DIGEST_WORDS; i++) {
		__u64 left = size > 8 * i ? size - 8 * i : 0;
		__u64 mask = left >= 8 ? ~0ULL : (1ULL << 8 * (left & 7)) - 1;

		ret->digest[i] = left ? peek(octets + 8 * i) & mask : 0;
	}
	for (unsigned int i = 0; i < HOOK_ALGORITHM_WORDS; i++)
		ret->algorithm[i] = peek(name + 8 * i);
}

static __noinline int set_integrity(void *ctx, struct block_device *bdev, int type,
					 __u64 size)
{
	struct hook_shared *s = get_shared();
	__u64 value = 0, diskseq;
	struct hook_seen fresh, *seen;
	__u32 dev = bdev->bd_dev;

	bpf_get_func_arg(ctx, 2, &value);
	if (!s || (type != LSM_INT_DMVERITY_ROOTHASH && type != LSM_INT_DMVERITY_SIG_VALID))
		return 0;
	__sync_fetch_and_add(&s->hits, 1);
	diskseq = bdev->bd_disk->diskseq;
	if (type == LSM_INT_DMVERITY_ROOTHASH) {
		if (!value) {
			bpf_map_delete_elem(&announced, &dev);
			return 0;
		}
		read_digest(value, &fresh);
		bpf_map_update_elem(&announced, &dev, &fresh, BPF_ANY);
		if (s->paired)
			return 0;
	}
	seen = bpf_map_lookup_elem(&announced, &dev);
	if (!seen)
		return 0;
	if (type == LSM_INT_DMVERITY_ROOTHASH)
		return activate(s, dev, diskseq, seen, 0);
	return s->paired ? activate(s, dev, diskseq, seen, value ? size : 0) : 0;
}

/* The kernel wants to see that nothing else than 0 or an error can be returned. */
static __always_inline int checked(int r)
{
	barrier_var(r);
	return r < -MAX_ERRNO || r > 0 ? 0 : r;
}

SEC("?lsm/bdev_setintegrity")
int BPF_PROG(hook_lsm, struct block_device *bdev, int type)
{
	return checked(set_integrity(ctx, bdev, type, ctx[3]));
}

SEC("?fmod_ret/security_bdev_setintegrity")
int BPF_PROG(hook_fmod_ret, struct block_device *bdev, int type)
{
	return checked(set_integrity(ctx, bdev, type, ctx[3]));
}

/*
 * Whoever uses a device waits here until it is measured, where its activation could not.
 * The daemon itself never waits.
 */
static __noinline int use(__u32 dev)
{
	struct hook_shared *s = get_shared();
	__u64 *found = bpf_map_lookup_elem(&pending, &dev);
	struct wait wait = { .outcome = HOOK_WAITING };

	if (!found || !s || bpf_get_current_pid_tgid() >> 32 == s->daemon)
		return 0;
	wait.ticket = *found;
	wait.deadline = bpf_ktime_get_ns() + s->wait_ns;
	bpf_loop(SPIN_OUTER, look_softly_long, &wait, 0);
	if (wait.outcome == HOOK_MEASURED || s->mode == HOOK_MODE_MEASURE) {
		bpf_map_delete_elem(&pending, &dev);
		return 0;
	}
	return decide(s, dev, wait.outcome, false);
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

/* Tries, in a process that asks for it, whether the hook is called and can wait. */
static __noinline int try_out(void)
{
	struct hook_shared *s = get_shared();
	__u64 ticket;

	if (!s || !s->probe || bpf_get_current_pid_tgid() >> 32 != s->probe)
		return 0;
	ticket = __sync_fetch_and_add(&s->tickets, 1) + 1;
	s->probe_ticket = ticket;
	s->probe_outcome = spin(ticket, PROBE_NS);
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

/* Nobody waits for a daemon that has ended. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(hook_exit, struct task_struct *task)
{
	struct hook_shared *s = get_shared();

	if (s && task->pid == task->tgid)
		__sync_val_compare_and_swap(&s->daemon, (__u32)task->tgid, 0);
	return 0;
}
