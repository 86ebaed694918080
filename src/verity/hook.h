/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VERITY_HOOK_H
#define VERITY_HOOK_H

/* The user's side of the kernel hook. */
#include "base/cleanup.h"
#include "verity/guard_abi.h"
#include "verity/hook_abi.h"
#include "verity/verity.h"

int verity_hook_open(const struct verity_hook_options *options,
		     struct verity_hook **ret) _must_check_;
void verity_hook_close(struct verity_hook *hook);
int verity_hook_fd(const struct verity_hook *hook);
bool verity_hook_next(struct verity_hook *hook, struct verity_announcement *ret);
void verity_hook_answer(struct verity_hook *hook,
			const struct verity_announcement *announcement,
			enum verity_answer answer);
void verity_hook_name(const struct verity_hook *hook,
		      char ret[static VERITY_SOURCE_NAME_MAX]);
bool verity_hook_is_pinned(const struct verity_hook *hook);
bool verity_hook_is_called(struct verity_hook *hook);
unsigned int verity_hook_claims(const struct verity_hook *hook);
void verity_hook_counts(const struct verity_hook *hook, struct verity_counts *ret);
int verity_hook_run_time(const struct verity_hook *hook, uint64_t *ret_runs,
			 uint64_t *ret_ns) _must_check_;
void verity_hook_reported(struct verity_hook *hook, uint64_t lost, uint64_t refused);
void verity_hook_remove(struct verity_hook *hook);

#define HOOK_FOLDER	"/sys/fs/bpf/veritally"
#define GUARD_PROGRAMS	8

/* The parts of an armed hook, each a descriptor; from the gates on they may be missing. */
enum hook_part {
	HOOK_PART_LINK,		/* keeps the program called */
	HOOK_PART_EXIT,		/* keeps the one called that watches the daemon's end */
	HOOK_PART_SHARED,	/* map of one struct hook_shared */
	HOOK_PART_RING,		/* ring of struct hook_event */
	HOOK_PART_MEASURED,	/* map of struct hook_key */
	HOOK_PART_GUARD,	/* map of one struct guard_state */
	HOOK_PARTS_NEEDED,
	HOOK_PART_OPEN = HOOK_PARTS_NEEDED, /* keeps the gate called before an open */
	HOOK_PART_MOUNT,	/* and before a mount */
	HOOK_PART_CALLS,	/* keeps the program called that counts calls */
	HOOK_PART_GUARDS,	/* keep the guard's programs called */
	HOOK_PART_SYSCTL = HOOK_PART_GUARDS + GUARD_PROGRAMS, /* a program, to be attached */
	HOOK_PARTS_NAMED,
	HOOK_PART_SYSCTL_LINK = HOOK_PARTS_NAMED, /* keeps it called while the daemon lives */
	HOOK_PARTS_MAX,
};

struct hook_parts {
	int fds[HOOK_PARTS_MAX];
};

#define HOOK_PARTS_NONE	{ { [0 ... HOOK_PARTS_MAX - 1] = -1 } }

/* hook_parts.c */
void hook_parts_close(struct hook_parts *parts);
struct hook_shared *hook_shared_map(int fd);
void hook_shared_unmap(struct hook_shared *shared);
void hook_shared_configure(struct hook_shared *shared,
			   const struct verity_hook_options *options);

struct bpf_object;

/* hook_load.c: a new hook */
int hook_object_open(struct bpf_object **ret) _must_check_;
int hook_load(const struct verity_hook_options *options, struct hook_parts *ret) _must_check_;

/* hook_probe.c: whether it is called */

/* Outcomes of hook_probe(). */
enum hook_probed {
	HOOK_PROBED_DEAD = 1,	/* the kernel does not call it */
	HOOK_PROBED_CALLED,	/* it is called; who waits in it holds up its CPU */
	HOOK_PROBED_PREEMPTED,	/* it is called, and others may run on its CPU meanwhile */
};

int hook_probe(struct hook_shared *shared) _must_check_;

/* hook_pin.c: a hook that outlives its process */
int hook_pin_find(struct hook_parts *ret) _must_check_;
int hook_pin_make(const struct hook_parts *parts) _must_check_;
void hook_pin_remove(void);

/* guard.c: a hook that root cannot take away */
void guard_want_calls(struct bpf_object *object);
int guard_count_calls(struct bpf_object *object);
int guard_attach(struct hook_parts *parts, bool is_lsm) _must_check_;
int guard_switch_on(struct hook_parts *parts) _must_check_;
unsigned int guard_go_on(struct hook_parts *parts);
int guard_counts(const struct hook_parts *parts, uint64_t *ret_hits,
		 uint64_t *ret_calls) _must_check_;

#endif /* VERITY_HOOK_H */
