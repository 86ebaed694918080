/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user's side of the kernel hook: what it announces, and what it is answered.
 */
#include "verity/hook.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "base/hex.h"

#define TAG_SIZE	8	/* bytes of a program's tag */
#define PROC_PID_INIT_INO 0xeffffffcU	/* of the first PID namespace, in every boot */
#define SETTLE_US	(500 * CLOCK_MS) /* for a call to reach the hook, if need be */

/**
 * struct verity_hook - an armed hook
 * @parts:  its parts
 * @shared: the memory shared with it
 * @ring:   reads its ring
 * @signature: of the event read last, which has the size
 * @pinned: it stays when we end
 * @guarded: root cannot take it away
 * @claims: as verity_hook_claims()
 * @calls:  how often it should have been called, when that was looked at last
 * @asked_us: when that was; CLOCK_MONOTONIC
 * @tag:    the kernel's, of the program, in hexadecimal
 * @event:  the event read last; its own signature has no room here
 */
struct verity_hook {
	struct hook_parts parts;
	struct hook_shared *shared;
	struct ring_buffer *ring;
	uint8_t signature[HOOK_SIGNATURE_MAX];
	bool pinned;
	bool guarded;
	unsigned int claims;
	uint64_t calls;
	uint64_t asked_us;
	char tag[2 * TAG_SIZE + 1];
	struct hook_event event;
};

static uint64_t load(const __u64 *from)
{
	return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

static int take_event(void *ctx, void *data, size_t size)
{
	struct verity_hook *hook = ctx;

	if (size < sizeof(hook->event))
		return 0;
	memcpy(&hook->event, data, sizeof(hook->event));
	if (hook->event.signature_size > size - sizeof(hook->event) ||
	    hook->event.signature_size > sizeof(hook->signature))
		hook->event.signature_size = 0;
	memcpy(hook->signature, (const uint8_t *)data + sizeof(hook->event),
	       hook->event.signature_size);
	return -ECANCELED;	/* one at a time */
}

static int read_program(int link_fd, struct bpf_prog_info *ret)
{
	_cleanup_close_ int fd = -1;
	struct bpf_link_info link = { 0 };
	__u32 size = sizeof(link);

	if (bpf_obj_get_info_by_fd(link_fd, &link, &size) < 0)
		return -errno;
	fd = bpf_prog_get_fd_by_id(link.prog_id);
	if (fd < 0)
		return -errno;
	size = sizeof(*ret);
	*ret = (struct bpf_prog_info){ 0 };
	return bpf_obj_get_info_by_fd(fd, ret, &size) < 0 ? -errno : 0;
}

/* Makes @hook usable, whose parts are open. */
static int set_up(struct verity_hook *hook)
{
	struct bpf_prog_info program;
	int r;

	hook->shared = hook_shared_map(hook->parts.fds[HOOK_PART_SHARED]);
	if (!hook->shared || hook->shared->abi != HOOK_ABI ||
	    hook->shared->kind >= VERITY_KIND_MAX)
		return -EBADMSG;
	r = read_program(hook->parts.fds[HOOK_PART_LINK], &program);
	if (r < 0)
		return r;
	hex_encode(program.tag, TAG_SIZE, hook->tag);
	hook->ring = ring_buffer__new(hook->parts.fds[HOOK_PART_RING], take_event, hook,
				      NULL);
	return hook->ring ? 0 : -errno;
}

/* Leaves no process and no memory behind; a hook that is pinned stays armed. */
static void release(struct verity_hook *hook)
{
	ring_buffer__free(hook->ring);
	hook_shared_unmap(hook->shared);
	hook_parts_close(&hook->parts);
	hook->ring = NULL;
	hook->shared = NULL;
}

/* The hook of an earlier process, if it is the one that we would arm. */
static int adopt(struct verity_hook *hook, const struct verity_hook_options *options)
{
	int r = hook_pin_find(&hook->parts);

	if (r == 0)
		r = set_up(hook);
	if (r == 0 && hook->shared->kind > (__u32)options->kind)
		r = -EBADMSG;
	if (r < 0) {
		release(hook);
		return r;
	}
	hook_shared_configure(hook->shared, options);
	hook->pinned = true;
	hook->claims = guard_go_on(&hook->parts);
	hook->guarded = hook->claims > 0;
	return 0;
}

static int arm(struct verity_hook *hook, const struct verity_hook_options *options)
{
	int r;

	hook_pin_remove();
	r = hook_load(options, &hook->parts);
	if (r == 0)
		r = set_up(hook);
	if (r < 0) {
		release(hook);
		return r;
	}
	/* Gates are programs of a security module, too. */
	hook->guarded = options->guard &&
			guard_attach(&hook->parts, hook->shared->gated ||
				     hook->shared->kind == VERITY_KIND_LSM) == 0;
	hook->pinned = hook_pin_make(&hook->parts) == 0;
	hook->guarded = hook->guarded && guard_switch_on(&hook->parts) == 0;
	hook->claims = 1;
	return 0;
}

/*
 * The hook knows processes by the numbers that the first PID namespace gives them, and
 * takes octets out of numbers from their lower end.
 */
static bool is_usable_here(void)
{
	struct stat status;

	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ &&
	       stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == PROC_PID_INIT_INO;
}

/**
 * verity_hook_open() - go on with the hook that is armed, or arm one
 * @options: what it shall do
 * @ret:     owned by the caller
 *
 * From here on activations wait for verity_hook_answer().
 *
 * Return: 0; a negative errno if the kernel has no hook that can be used.
 */
int verity_hook_open(const struct verity_hook_options *options, struct verity_hook **ret)
{
	_cleanup_free_ struct verity_hook *hook = calloc(1, sizeof(*hook));
	int adopted, r;

	if (!hook)
		return -ENOMEM;
	if (!is_usable_here())
		return -EOPNOTSUPP;
	hook->parts = (struct hook_parts)HOOK_PARTS_NONE;
	adopted = adopt(hook, options);
	r = adopted < 0 ? arm(hook, options) : 0;
	if (r < 0)
		return r;
	/* What a hook has kept that cannot be gone on with is lost. */
	if (adopted < 0 && adopted != -ENOENT)
		(void)__atomic_fetch_add(&hook->shared->dropped, 1, __ATOMIC_ACQ_REL);
	*ret = take_ptr(hook);
	return 0;
}

/**
 * verity_hook_close() - stop to answer; NULL is nothing
 */
void verity_hook_close(struct verity_hook *hook)
{
	__u32 self = (__u32)getpid();

	if (!hook)
		return;
	if (hook->shared)
		(void)__atomic_compare_exchange_n(&hook->shared->daemon, &self, 0, false,
						  __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	release(hook);
	free(hook);
}

/**
 * verity_hook_remove() - take the names of the hook away, so that it ends with us
 */
void verity_hook_remove(struct verity_hook *hook)
{
	hook_pin_remove();
	hook->pinned = false;
}

/**
 * verity_hook_fd() - the descriptor that is readable when there are events
 */
int verity_hook_fd(const struct verity_hook *hook)
{
	return ring_buffer__epoll_fd(hook->ring);
}

/**
 * verity_hook_is_pinned() - whether the hook stays armed when we end
 */
bool verity_hook_is_pinned(const struct verity_hook *hook)
{
	return hook->pinned;
}

/**
 * verity_hook_claims() - how many processes could speak for the hook's daemon
 *
 * Return: 1 if this process armed the hook; how many there were, with this one, since
 * another one armed it; 0 if there was no guard to count them.
 */
unsigned int verity_hook_claims(const struct verity_hook *hook)
{
	return hook->claims;
}

/*
 * How often the kernel left the program out, because it had interrupted the same program
 * on the same CPU: programs of security modules never are, others may be.
 */
static uint64_t count_left_out(const struct verity_hook *hook)
{
	struct bpf_prog_info program = { 0 };

	return read_program(hook->parts.fds[HOOK_PART_LINK], &program) < 0
	       ? 0 : program.recursion_misses;
}

/**
 * verity_hook_is_called() - whether the kernel calls the hook when it should
 *
 * A call that was counted when this was looked at before has reached the hook by now, or
 * the kernel says that it left the hook out, unless nothing leads there any more.
 */
bool verity_hook_is_called(struct verity_hook *hook)
{
	uint64_t now_us = clock_us(CLOCK_MONOTONIC), before = hook->calls, hits;

	if (now_us < hook->asked_us + SETTLE_US)
		return true;
	hook->asked_us = now_us;
	return guard_counts(&hook->parts, &hits, &hook->calls) < 0 ||
	       hits + count_left_out(hook) >= before;
}

/*
 * The ring is empty: what was @submitted, when nothing was being written, and is not dealt
 * with was taken by a process that did not live to do so.
 */
static void find_missing(struct verity_hook *hook, uint64_t submitted)
{
	struct hook_shared *shared = hook->shared;

	if (submitted <= shared->handled)
		return;
	(void)__atomic_fetch_add(&shared->dropped, submitted - shared->handled,
				 __ATOMIC_ACQ_REL);
	shared->handled = submitted;
}

/**
 * verity_hook_next() - take the next event off the ring; never waits
 *
 * Return: false if there is none.
 */
bool verity_hook_next(struct verity_hook *hook, struct verity_announcement *ret)
{
	const struct hook_event *event = &hook->event;
	const struct hook_head *head = &event->head;
	uint64_t submitted = load(&hook->shared->submitted);
	/* What is being written hides what lies behind it in the ring. */
	bool settled = load(&hook->shared->writing) == 0;

	/* One activation that waited in vain let the others go on without waiting. */
	__atomic_store_n(&hook->shared->daemon, (__u32)getpid(), __ATOMIC_RELEASE);
	if (ring_buffer__consume(hook->ring) != -ECANCELED) {
		if (settled)
			find_missing(hook, submitted);
		return false;
	}
	*ret = (struct verity_announcement){
		.device = {
			.major = head->dev >> 20, .minor = head->dev & 0xfffff,
			.diskseq = head->diskseq,
		},
		.hook = true,
		.ticket = head->ticket,
		.seen.kernel_signature = head->is_signed,
		.seen.root_hash_size = head->seen.size,
		.signature = hook->signature,
		.signature_size = event->signature_size,
	};
	memcpy(ret->seen.root_hash, head->seen.digest, ret->seen.root_hash_size);
	memcpy(ret->seen.algorithm, head->seen.algorithm, sizeof(ret->seen.algorithm) - 1);
	memcpy(ret->claims.dm_name, event->name, sizeof(ret->claims.dm_name) - 1);
	memcpy(ret->claims.dm_uuid, event->uuid, sizeof(ret->claims.dm_uuid) - 1);
	return true;
}

/**
 * verity_hook_answer() - let an activation go on
 * @hook:         the hook
 * @announcement: the one that verity_hook_next() gave last
 * @answer:       what became of it
 */
void verity_hook_answer(struct verity_hook *hook,
			const struct verity_announcement *announcement,
			enum verity_answer answer)
{
	static const enum hook_outcome outcomes[] = {
		[VERITY_MEASURED] = HOOK_MEASURED,
		[VERITY_UNSIGNED] = HOOK_UNSIGNED,
		[VERITY_FAILED] = HOOK_FAILED,
	};
	struct hook_shared *shared = hook->shared;
	uint64_t ticket = announcement->ticket, one = 1;

	if (answer == VERITY_MEASURED && shared->mode == HOOK_MODE_MEASURE)
		(void)bpf_map_update_elem(hook->parts.fds[HOOK_PART_MEASURED],
					  &hook->event.head.seen, &one, BPF_ANY);
	__atomic_store_n(&shared->answers[announcement->device.minor % HOOK_SLOTS],
			 ticket << 8 | outcomes[answer], __ATOMIC_RELEASE);
	__atomic_store_n(&shared->handled, shared->handled + 1, __ATOMIC_RELEASE);
}

/**
 * verity_hook_name() - kind, tag, mode and guard, as verity_source_name()
 */
void verity_hook_name(const struct verity_hook *hook,
		      char ret[static VERITY_SOURCE_NAME_MAX])
{
	static const char *const modes[] = {
		[HOOK_MODE_MEASURE] = "",
		[HOOK_MODE_ENFORCE] = ":enforce",
		[HOOK_MODE_SIGNED] = ":signed",
	};
	const struct hook_shared *shared = hook->shared;
	const char *suffix = shared->gated ? "-use" : "-async";
	bool waits = shared->max_waiters && (!shared->gated || shared->preempted);
	const char *guard = *modes[shared->mode] ? ",guard" : ":guard";

	(void)snprintf(ret, VERITY_SOURCE_NAME_MAX, "%s%s:%s%s%s",
		       verity_kind_name(shared->kind), waits ? "" : suffix,
		       hook->tag, modes[shared->mode], hook->guarded ? guard : "");
}

static const char *reason_of(uint64_t outcome)
{
	static const char *const reasons[HOOK_OUTCOME_MAX] = {
		[HOOK_FAILED] = "it could not be measured",
		[HOOK_TIMEOUT] = "it was not measured in time",
		[HOOK_KILLED] = "its process was killed",
		[HOOK_NOBODY] = "no daemon was there to measure it",
		[HOOK_CROWDED] = ("too many activations wait already, or this kernel cannot "
				  "wait; it may be tried again"),
		[HOOK_FULL] = "too many activations are not measured yet",
		[HOOK_UNSIGNED] = "the kernel verified no signature of it",
	};

	return outcome < HOOK_OUTCOME_MAX && reasons[outcome] ? reasons[outcome] : "";
}

/**
 * verity_hook_counts() - what the hook has met since it was armed
 */
void verity_hook_counts(const struct verity_hook *hook, struct verity_counts *ret)
{
	const struct hook_shared *shared = hook->shared;
	uint64_t lost = load(&shared->dropped) + count_left_out(hook);
	uint64_t reported = load(&shared->reported);

	*ret = (struct verity_counts){
		.events = load(&shared->submitted),
		.lost = lost > reported ? lost - reported : 0,
		.refused = load(&shared->refused) - load(&shared->said),
		.refused_device = { .major = shared->refused_dev >> 20,
				    .minor = shared->refused_dev & 0xfffff },
		.known = load(&shared->outcomes[HOOK_KNOWN]),
		.counted = hook->parts.fds[HOOK_PART_CALLS] >= 0,
		.sysctl_guarded = hook->parts.fds[HOOK_PART_SYSCTL_LINK] >= 0,
		.reason = reason_of(shared->refused_outcome),
		.last_wait_us = load(&shared->wait_last_ns) / 1000,
		.longest_wait_us = load(&shared->wait_max_ns) / 1000,
	};
	for (int i = HOOK_FAILED; i < HOOK_GATED; i++)
		ret->unwaited += load(&shared->outcomes[i]);
}

/**
 * verity_hook_run_time() - how long its program ran
 * @hook:      the hook
 * @ret_runs:  how often, while kernel.bpf_stats_enabled was 1
 * @ret_ns:    for how long, all together, waiting included
 *
 * Return: 0; a negative errno of bpf(2).
 */
int verity_hook_run_time(const struct verity_hook *hook, uint64_t *ret_runs,
			 uint64_t *ret_ns)
{
	struct bpf_prog_info program = { 0 };
	int r = read_program(hook->parts.fds[HOOK_PART_LINK], &program);

	if (r < 0)
		return r;
	*ret_runs = program.run_cnt;
	*ret_ns = program.run_time_ns;
	return 0;
}

/**
 * verity_hook_reported() - so much of what verity_hook_counts() says is known now
 */
void verity_hook_reported(struct verity_hook *hook, uint64_t lost, uint64_t refused)
{
	hook->shared->reported += lost;
	hook->shared->said += refused;
}
