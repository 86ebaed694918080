/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VERITY_VERITY_H
#define VERITY_VERITY_H

/*
 * Which dm-verity devices the kernel activates.
 *
 * An activation is what the live table of a device says about one target of type
 * "verity".  It comes from the kernel alone; what else is known about the device is a
 * claim and kept apart.  Functions here never print, and know neither TPM nor log.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "dm/dm.h"

#define VERITY_ALGORITHM_MAX	64	/* bytes, with NUL */
#define VERITY_SALT_MAX		256	/* bytes */
#define VERITY_OPTIONS_MAX	512	/* bytes, with NUL */
#define VERITY_PATH_MAX		1024	/* bytes, with NUL */

/**
 * struct verity_params - everything that decides which data a device lets through
 * @version:         hash format: 0 is Chrome OS's original one, 1 the current one
 * @algorithm:       hash algorithm as the kernel's crypto API calls it
 * @root_hash:       octets
 * @root_hash_size:  in bytes
 * @salt:            octets
 * @salt_size:       in bytes; 0 if there is no salt
 * @data_block_size: in bytes
 * @hash_block_size: in bytes
 * @data_blocks:     number of data blocks
 * @options:         names of the table's optional arguments that change what the kernel
 *                   checks, sorted, comma-separated; empty if there are none
 * @kernel_signature: the kernel itself verified a signature of the root hash
 * @unreadable:      the table's text has a form we do not know: @root_hash is then the
 *                   SHA-256 of that text, and no other member says anything
 */
struct verity_params {
	uint32_t version;
	char algorithm[VERITY_ALGORITHM_MAX];
	uint8_t root_hash[DIGEST_SIZE_MAX];
	size_t root_hash_size;
	uint8_t salt[VERITY_SALT_MAX];
	size_t salt_size;
	uint32_t data_block_size;
	uint32_t hash_block_size;
	uint64_t data_blocks;
	char options[VERITY_OPTIONS_MAX];
	bool kernel_signature;
	bool unreadable;
};

/**
 * struct verity_device - one life of one block device, in the kernel's terms
 * @major, @minor: device number; used again after the device went away
 * @diskseq:       of the disk, never used again in one boot; 0 before Linux 5.15
 */
struct verity_device {
	uint32_t major;
	uint32_t minor;
	uint64_t diskseq;
};

/**
 * struct verity_claims - what is said about a device and nobody has verified
 * @dm_name, @dm_uuid: of the mapped device
 * @backing_file:      of the loop device below it, as its opener saw the path
 * @partition:         kernel name of the data device's partition, such as "loop0p1"
 * @image:             name of the extension image, made from @backing_file
 *
 * A member that is not known is empty.
 */
struct verity_claims {
	char dm_name[DM_NAME_MAX_SIZE];
	char dm_uuid[DM_UUID_MAX_SIZE];
	char backing_file[VERITY_PATH_MAX];
	char partition[64];
	char image[256];
};

/* A dm-verity target that is live. */
struct verity_activation {
	struct verity_device device;
	struct verity_params params;
	struct verity_claims claims;
};

/* What verity_source_next() met. */
enum verity_event {
	VERITY_CHANGED = 1,	/* a device got a table: ask verity_activations() */
	VERITY_REMOVED,		/* a mapped device went away */
	VERITY_LOST,		/* the kernel dropped events: sweep */
	VERITY_ARMABLE,		/* device-mapper came: try verity_source_rearm() */
	VERITY_NOTHING,		/* no more events for now */
};

/* The ways in which activations are announced, the best last. */
enum verity_kind {
	VERITY_KIND_UEVENT,	/* after the fact, and some may be lost */
	VERITY_KIND_FENTRY,	/* before the device can be read; only its use can be refused */
	VERITY_KIND_FMOD_RET,	/* before the device can be read, and can refuse */
	VERITY_KIND_LSM,	/* so, and no call is ever skipped */
	VERITY_KIND_MAX,
};

/* What becomes of an activation that cannot be measured in time. */
enum verity_mode {
	VERITY_MODE_MEASURE,	/* it goes on */
	VERITY_MODE_ENFORCE,	/* the kernel refuses it */
	VERITY_MODE_SIGNED,	/* so is any without a signature that the kernel verified */
};

/**
 * struct verity_hook_options - what the kernel hook shall do
 * @kind:      the best way that may be taken; VERITY_KIND_UEVENT for no hook at all
 * @mode:      what it does with what is not measured in time
 * @wait_ms:   how long an activation waits at most; 0 for not at all
 * @guard:     root shall not be able to take it away, either
 * @ring_size: of the ring in which events wait for us, in bytes: a power of two, pages
 */
struct verity_hook_options {
	enum verity_kind kind;
	enum verity_mode mode;
	unsigned int wait_ms;
	bool guard;
	unsigned int ring_size;
};

/**
 * struct verity_announcement - what verity_source_next() met
 * @device: which device; its diskseq is the one announced, 0 if none was
 * @hook:   the kernel hook announces it, and may wait for verity_source_answer()
 * @ticket: for that
 * @seen:   of what the hook announces: algorithm, root hash and whether there was a
 *          signature; the other members say nothing
 * @claims: of what the hook announces: name and uuid, as far as it knows them
 * @signature: that the kernel verified, PKCS#7 in DER; borrowed until the next call
 * @signature_size: in bytes; 0 if it is not known
 */
struct verity_announcement {
	struct verity_device device;
	bool hook;
	uint64_t ticket;
	struct verity_params seen;
	struct verity_claims claims;
	const uint8_t *signature;
	size_t signature_size;
};

/* What verity_source_answer() says of an announcement. */
enum verity_answer {
	VERITY_MEASURED,	/* it is in the log and in the TPM */
	VERITY_UNSIGNED,	/* so it is, and it may not be: see VERITY_MODE_SIGNED */
	VERITY_FAILED,		/* it could not be measured */
};

/**
 * struct verity_counts - what the kernel hook has met since it was armed
 * @events:   activations announced
 * @lost:     activations that it saw and could not announce, less those reported
 * @refused:  activations it refused, less those reported
 * @known:    activations that went on at once, as their root hash was measured before
 * @unwaited: other activations that went on, or were refused, before they were measured
 * @counted:  the kernel counts, by other means than the hook's, how often it is to be called
 * @sysctl_guarded: tracing cannot be stopped by who opened its switch before the guard was on
 * @refused_device: the last one refused
 * @reason:   why, static string
 * @last_wait_us, @longest_wait_us: how long activations waited
 */
struct verity_counts {
	uint64_t events;
	uint64_t lost;
	uint64_t refused;
	uint64_t known;
	uint64_t unwaited;
	bool counted;
	bool sysctl_guarded;
	struct verity_device refused_device;
	const char *reason;
	uint64_t last_wait_us;
	uint64_t longest_wait_us;
};

struct verity_hook;

/**
 * struct verity_source - where activations are announced
 * @fd:         becomes readable when there are events; -1 if not open
 * @netlink_fd: where uevents come from; @fd itself if there is no hook
 * @root_fd:    borrowed
 * @kernel:     @netlink_fd is the kernel's netlink socket, not a test's datagram socket
 * @hook:       the kernel hook; NULL if there is none
 * @held, @held_event: of @netlink_fd, taken and not given out yet; 0 if there is none
 */
struct verity_source {
	int fd;
	int netlink_fd;
	int root_fd;
	bool kernel;
	struct verity_hook *hook;
	struct verity_announcement held;
	int held_event;
};

#define VERITY_SOURCE_NONE	{ .fd = -1, .netlink_fd = -1, .root_fd = -1 }
#define VERITY_SOURCE_NAME_MAX	64	/* bytes, with NUL */

int verity_source_open(struct verity_source *source, int root_fd,
		       const struct verity_hook_options *options);
void verity_source_close(struct verity_source *source);
int verity_source_next(struct verity_source *source, struct verity_announcement *ret);
void verity_source_answer(struct verity_source *source,
			  const struct verity_announcement *announcement,
			  enum verity_answer answer);
void verity_source_name(const struct verity_source *source,
			char ret[static VERITY_SOURCE_NAME_MAX]);
bool verity_source_stays(const struct verity_source *source);
bool verity_source_counts(const struct verity_source *source,
			  struct verity_counts *ret);
int verity_source_run_time(const struct verity_source *source, uint64_t *ret_runs,
			   uint64_t *ret_ns);
void verity_source_reported(struct verity_source *source, uint64_t lost,
			    uint64_t refused);
bool verity_source_rearm(struct verity_source *source,
			 const struct verity_hook_options *options);
bool verity_source_is_intact(const struct verity_source *source);
unsigned int verity_source_claims(const struct verity_source *source);
void verity_source_disarm(struct verity_source *source);
const char *verity_kind_name(enum verity_kind kind);

/* Called with each activation; a negative value ends the walk and is returned. */
typedef int verity_activation_fn(void *ctx, const struct verity_activation *activation);

/* Outcomes of verity_activations(). */
enum verity_look {
	VERITY_GONE = 1,	/* the announced device went away before the look */
};

int verity_activations(int root_fd, const struct verity_device *device,
		       verity_activation_fn *fn, void *ctx);
int verity_sweep(int root_fd, verity_activation_fn *fn, void *ctx);

int verity_table_parse(const char *params, struct verity_params *ret);
int verity_options_normalize(const char *list, char ret[static VERITY_OPTIONS_MAX]);

/**
 * struct verity_image - what an image file says it will activate as
 * @params: with no options and no kernel signature
 * @has_signature: it carries a signature of its root hash (partition or .p7s file)
 */
struct verity_image {
	struct verity_params params;
	bool has_signature;
	char origin[64];	/* where the root hash was found, for people */
};

/* Why verity_image_read() cannot tell, for a message. */
enum verity_image_found {
	VERITY_IMAGE_NO_VERITY = 1,	/* neither a verity partition nor a sidecar */
	VERITY_IMAGE_NO_ROOT_HASH,	/* verity data, but nothing names its root hash */
	VERITY_IMAGE_CONFLICT,		/* two sources name different root hashes */
	VERITY_IMAGE_BAD_GPT,		/* a partition table that cannot be read */
	VERITY_IMAGE_BAD_SUPERBLOCK,	/* no or a broken verity superblock */
	VERITY_IMAGE_WRONG_ROOT_HASH,	/* the top hash block does not hash to it */
	VERITY_IMAGE_BAD_ROOT_HASH,	/* what names the root hash cannot be read */
	VERITY_IMAGE_AMBIGUOUS,		/* several partitions that could be the one */
	VERITY_IMAGE_FOUND_MAX,
};

int verity_image_read(const char *path, const char *architecture,
		      struct verity_image *ret);
const char *verity_image_reason(int found);

#endif /* VERITY_VERITY_H */
