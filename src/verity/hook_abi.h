/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VERITY_HOOK_ABI_H
#define VERITY_HOOK_ABI_H

/*
 * What the kernel hook and the daemon share, byte by byte.
 *
 * Both sides are compiled from this file, but a daemon of the real root may meet the hook
 * that an older initramfs armed: any change here raises HOOK_ABI.
 */
#include <linux/types.h>

#define HOOK_ABI		1
#define HOOK_SLOTS		4096	/* a power of two */
#define HOOK_PROBE_DEV		0	/* for which the probe waits */
#define HOOK_DIGEST_WORDS	8	/* of 8 bytes */
#define HOOK_ALGORITHM_WORDS	8
#define HOOK_NAME_WORDS		16
#define HOOK_UUID_WORDS		17
#define HOOK_SIGNATURE_SMALL	1024	/* bytes, room for most signatures */
#define HOOK_SIGNATURE_MAX	8192	/* bytes; one that is larger is not carried */

/* What becomes of an activation that cannot be waited for. */
enum hook_mode {
	HOOK_MODE_MEASURE,	/* it goes on */
	HOOK_MODE_ENFORCE,	/* it is refused */
	HOOK_MODE_SIGNED,	/* so is any that the kernel verified no signature of */
};

/* How an activation's wait ended. */
enum hook_outcome {
	HOOK_WAITING,
	HOOK_MEASURED,		/* the daemon says so */
	HOOK_KNOWN,		/* it did not wait: its root hash was measured before */
	HOOK_FAILED,		/* the daemon says that it could not */
	HOOK_TIMEOUT,
	HOOK_KILLED,		/* the activating process is being killed */
	HOOK_NOBODY,		/* no daemon is there to wait for */
	HOOK_CROWDED,		/* one more waiting CPU would leave the daemon none */
	HOOK_FULL,		/* no room in the ring */
	HOOK_UNSIGNED,
	HOOK_GATED,		/* beside another one: who opens the device waits instead */
	HOOK_OUTCOME_MAX,
};

/**
 * struct hook_seen - a root hash as the kernel announces it
 * @digest:    its octets, then zeros
 * @size:      how many octets
 * @algorithm: text, then zeros; without a NUL if it was longer
 */
struct hook_seen {
	__u64 digest[HOOK_DIGEST_WORDS];
	__u64 size;
	__u64 algorithm[HOOK_ALGORITHM_WORDS];
};

/* The part of struct hook_seen that tells whether it was measured before. */
struct hook_key {
	__u64 digest[HOOK_DIGEST_WORDS];
	__u64 size;
};

/**
 * struct hook_head - an activation as it is met
 * @ticket:    who waits for it, see struct hook_shared::answers
 * @diskseq:   of the disk
 * @dev:       as the kernel keeps it: major << 20 | minor
 * @is_signed: the kernel verified a signature
 */
struct hook_head {
	__u64 ticket;
	__u64 diskseq;
	__u32 dev;
	__u32 is_signed;
	struct hook_seen seen;
};

/**
 * struct hook_event - an activation as it lies in the ring
 * @name, @uuid:    of the mapped device; texts as struct hook_seen::algorithm
 * @signature_size: in bytes; 0 if the signature is not known or does not fit
 * @signature:      that the kernel verified, PKCS#7 in DER, then zeros
 */
struct hook_event {
	struct hook_head head;
	__u64 name[HOOK_NAME_WORDS];
	__u64 uuid[HOOK_UUID_WORDS];
	__u64 signature_size;
	__u64 signature[];
};

/**
 * struct hook_shared - the memory that hook and daemon share
 *
 * Written by the daemon:
 * @abi:         HOOK_ABI
 * @kind:        enum verity_kind
 * @mode:        enum hook_mode
 * @refuses:     what the hook returns decides; else only the use of a device can be refused
 * @preempted:   others can run on the CPU of an activation that waits
 * @gated:       opening and mounting a device waits, too
 * @wait_ns:     how long an activation, or who uses its device, waits at most
 * @spin_ns:     how long the activation itself does
 * @max_waiters: how many may wait at once
 * @probe:       the process that tries whether the hook works
 * @handled:     how many events were taken from the ring and dealt with
 * @reported:    how much of @dropped, and of what the kernel left out, is in the log
 * @said:        how much of @refused a person was told of
 *
 * Written by both:
 * @daemon:      the process to wait for; 0 if there is none
 * @paired:      each announced root hash is followed by a word on its signature
 * @answers:     answers[dev % HOOK_SLOTS] = ticket << 8 | enum hook_outcome, the last one
 *               for that device; written by the hook if no daemon is going to
 *
 * Written by the hook:
 * @tickets:     how many were given out
 * @submitted:   how many events went into the ring
 * @writing:     how many are on their way there
 * @dropped:     how many did not
 * @waiting:     how many wait now
 * @resume_ns: until when no activation waits, as one before waited in vain
 * @wait_last_ns: how long the last one waited
 * @wait_max_ns: and the one that waited longest
 * @refused:     how many were refused
 * @outcomes:    how many waits ended in which enum hook_outcome
 * @refused_dev, @refused_outcome: the last one refused
 * @probe_ticket: for which the probe waits
 * @probe_outcome: how that ended
 */
struct hook_shared {
	__u32 abi;
	__u32 kind;
	__u32 mode;
	__u32 preempted;
	__u32 gated;
	__u32 max_waiters;
	__u64 wait_ns;
	__u64 spin_ns;
	__u64 handled;
	__u64 reported;
	__u64 said;
	__u32 probe;

	__u32 daemon;
	__u32 paired;
	__u32 refuses;
	__u32 refused_dev;

	__u64 tickets;
	__u64 submitted;
	__u64 writing;
	__u64 dropped;
	__u64 waiting;
	__u64 resume_ns;
	__u64 wait_last_ns;
	__u64 wait_max_ns;
	__u64 refused;
	__u64 outcomes[HOOK_OUTCOME_MAX];
	__u32 refused_outcome;
	__u64 probe_ticket;
	__u64 probe_outcome;

	__u64 answers[HOOK_SLOTS];
};

#endif /* VERITY_HOOK_ABI_H */
