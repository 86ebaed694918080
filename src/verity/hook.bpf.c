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
#include <bpf/bpf_tracing.h>

#include "verity/hook_abi.h"
#include "verity/hook_kernel.h"

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
#define ONES		0x0101010101010101ULL	/* each octet is 1 */

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

/* Waits for the answer to the ticket of a device; an enum hook_outcome. */
static __always_inline __u64 spin(__u64 ticket, __u32 dev, __u64 most_ns)
{
	struct wait wait = {
		.ticket = ticket, .slot = dev, .deadline = bpf_ktime_get_ns() + most_ns,
	};

	bpf_loop(SPIN_OUTER, look_long, &wait, 0);
	return wait.outcome == HOOK_WAITING ? HOOK_TIMEOUT : wait.outcome;
}

static __always_inline __u64 wait_for_answer(struct hook_shared *s, const struct hook_event *met)
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
	outcome = spin(met->ticket, met->dev, s->spin_ns);
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

/* Puts an event into the ring; false if there is no room. */
static __noinline bool submit(const struct hook_event *met)
{
	struct hook_event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);

	if (!event)
		return false;
	__builtin_memcpy(event, met, sizeof(*event));
	bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
	return true;
}

/* What was not announced is counted, and refused where it can be. */
static __always_inline int lose(struct hook_shared *s, __u32 dev)
{
	__sync_fetch_and_add(&s->dropped, 1);
	return decide(s, dev, HOOK_FULL);
}

/*
 * A root hash that was measured before need not wait where all wait for the sake of order
 * alone: it is announced all the same.  Where the answer decides, it says nothing: the same
 * root hash with other options in the table is another word.
 */
static __always_inline bool is_known(const struct hook_shared *s, const struct hook_event *met)
{
	return s->mode == HOOK_MODE_MEASURE && bpf_map_lookup_elem(&measured, &met->seen);
}

static __noinline int activate(struct hook_event *met)
{
	struct hook_shared *s = get_shared();
	bool gated = false;
	__u64 outcome;

	if (!s)
		return 0;
	if (s->mode == HOOK_MODE_SIGNED && s->paired && !met->is_signed)
		return decide(s, met->dev, HOOK_UNSIGNED);
	met->ticket = __sync_fetch_and_add(&s->tickets, 1) + 1;
	if (!submit(met))
		return lose(s, met->dev);
	__sync_fetch_and_add(&s->submitted, 1);
	if (is_known(s, met))
		return decide(s, met->dev, HOOK_KNOWN);
	if (s->gated)
		gated = !bpf_map_update_elem(&pending, &met->dev, &met->ticket, BPF_ANY);
	outcome = wait_for_answer(s, met);
	if (!gated || (outcome != HOOK_CROWDED && outcome != HOOK_TIMEOUT))
		return decide(s, met->dev, outcome);
	__sync_fetch_and_add(&s->outcomes[outcome], 1);
	__sync_fetch_and_add(&s->outcomes[HOOK_GATED], 1);
	return 0;
}

/* Copies a text, and nothing of what lies behind its end. */
static __always_inline void read_text(__u64 address, __u64 *ret, unsigned int words)
{
	bool ended = !address;

	for (unsigned int i = 0; i < words; i++) {
		__u64 word = ended ? 0 : peek(address + 8 * i);
		/* The highest bit of the first octet that is 0. */
		__u64 end = (word - ONES) & ~word & ONES << 7;

		end &= -end;
		ret[i] = end ? word & (end - 1) : word;
		ended |= end != 0;
	}
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
	read_text(name, ret->algorithm, HOOK_ALGORITHM_WORDS);
}

/*
 * One of the kernel's two announcements.  That the second will come is known from the first
 * time it did, or from how the module was built if it was there when the hook was armed.
 * Until then the first is an event of its own, and in mode "signed" it is the daemon who
 * finds out whether the kernel verified a signature.
 */
static __noinline int set_integrity(void *ctx, struct block_device *bdev, int type)
{
	struct hook_shared *s = get_shared();
	struct hook_event met = { .dev = bdev->bd_dev, .diskseq = bdev->bd_disk->diskseq };
	struct hook_seen *seen;
	__u64 value = 0;

	bpf_get_func_arg(ctx, 2, &value);
	if (!s || (type != LSM_INT_DMVERITY_ROOTHASH && type != LSM_INT_DMVERITY_SIG_VALID))
		return 0;
	__sync_fetch_and_add(&s->hits, 1);
	if (type == LSM_INT_DMVERITY_ROOTHASH) {
		/* Null: the signature was refused, by another security module or by us. */
		if (!value) {
			bpf_map_delete_elem(&announced, &met.dev);
			return 0;
		}
		read_digest(value, &met.seen);
		if (bpf_map_update_elem(&announced, &met.dev, &met.seen, BPF_ANY))
			return lose(s, met.dev);
		return s->paired ? 0 : activate(&met);
	}
	s->paired = 1;
	seen = bpf_map_lookup_elem(&announced, &met.dev);
	if (!seen)
		return lose(s, met.dev);
	__builtin_memcpy(&met.seen, seen, sizeof(met.seen));
	bpf_map_delete_elem(&announced, &met.dev);
	met.is_signed = value != 0;
	return activate(&met);
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
	return checked(set_integrity(ctx, bdev, type));
}

SEC("?fmod_ret/security_bdev_setintegrity")
int BPF_PROG(hook_fmod_ret, struct block_device *bdev, int type)
{
	return checked(set_integrity(ctx, bdev, type));
}

/*
 * Whoever uses a device waits here until it is measured, where its activation could not.
 * The daemon itself never waits.
 */
static __noinline int use(__u32 dev)
{
	struct hook_shared *s = get_shared();
	__u64 *found = bpf_map_lookup_elem(&pending, &dev);
	struct wait wait = { .slot = dev };

	if (!found || !s || bpf_get_current_pid_tgid() >> 32 == s->daemon)
		return 0;
	wait.ticket = *found;
	wait.deadline = bpf_ktime_get_ns() + s->wait_ns;
	bpf_loop(SPIN_OUTER, look_softly_long, &wait, 0);
	if (wait.outcome == HOOK_MEASURED || s->mode == HOOK_MODE_MEASURE) {
		bpf_map_delete_elem(&pending, &dev);
		return 0;
	}
	return decide(s, dev, wait.outcome);
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
	s->probe_outcome = spin(ticket, HOOK_PROBE_DEV, PROBE_NS);
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
