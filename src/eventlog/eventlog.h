/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EVENTLOG_EVENTLOG_H
#define EVENTLOG_EVENTLOG_H

/*
 * The measurement log: TCG Canonical Event Log records in JSON, framed as RFC 7464
 * JSON text sequences.
 *
 * A record is written and synced before its digest is extended, so that the log may be
 * ahead of the TPM by its last record and never behind it.  Functions here never print
 * and know neither TPM nor dm-verity.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

#define EVENTLOG_PATH		"/run/log/veritally/measure.log"
#define EVENTLOG_RECORD_MAX	32768	/* bytes, framing included */
#define EVENTLOG_WORD_MAX	8192	/* bytes, with NUL */
#define EVENTLOG_ANNOTATIONS_MAX 12288	/* bytes of JSON, all of a record's together */
#define EVENTLOG_BOOT_ID_SIZE	33	/* bytes, with NUL */

struct json_object;

/* What a record extends. */
enum eventlog_target {
	EVENTLOG_NV_INDEX,		/* "nv_index": index is an NV handle */
	EVENTLOG_PCR,			/* "pcr": index is the number of a PCR */
};

/**
 * struct eventlog_record - one entry of the log
 * @recnum:       counts from 0 without a gap; set by eventlog_append()
 * @target:       which member names @index
 * @index:        NV handle or PCR number
 * @digests:      of @word, one for each bank that is extended
 * @n_digests:    how many
 * @nvpcr_name:   "nvIndexName"; empty for a PCR
 * @word:         "string": the exact text that is hashed
 * @event_type:   "eventType"
 * @boot_id:      "bootId": 32 hexadecimal digits
 * @timestamp_us: "timestamp": CLOCK_BOOTTIME in microseconds
 * @source:       how we learned of it ("uevent", "coldplug", ...); may be empty
 * @phase:        "initrd" or "host"; may be empty
 * @annotations:  object of claims that no digest covers; owned by the record, may be NULL
 */
struct eventlog_record {
	uint64_t recnum;
	enum eventlog_target target;
	uint32_t index;
	struct digest digests[DIGEST_ALG_MAX];
	size_t n_digests;
	char nvpcr_name[64];
	char word[EVENTLOG_WORD_MAX];
	char event_type[32];
	char boot_id[EVENTLOG_BOOT_ID_SIZE];
	uint64_t timestamp_us;
	char source[16];
	char phase[16];
	struct json_object *annotations;
};

/* record.c: one record as text */
int eventlog_record_encode(const struct eventlog_record *record,
			   char *ret, size_t ret_max, size_t *ret_size);
int eventlog_record_decode(const char *text, size_t size, struct eventlog_record *ret);
void eventlog_record_done(struct eventlog_record *record);
int eventlog_annotate(struct eventlog_record *record, const char *key, const char *value);
int eventlog_annotate_number(struct eventlog_record *record, const char *key,
			     uint64_t value);
const char *eventlog_annotation(const struct eventlog_record *record, const char *key);

/* file.c: the writer */
/**
 * struct eventlog - the log, open for writing by its one writer
 * @fd:      -1 if not open
 * @recnum:  number the next record will get
 * @size:    of the file in bytes
 * @last:    where in the file the record starts that this transaction appended last;
 *           @size if there is none
 */
struct eventlog {
	int fd;
	uint64_t recnum;
	uint64_t size;
	uint64_t last;
};

/* Outcomes of eventlog_open(): the log is open, but was not as it should be. */
enum eventlog_opened {
	EVENTLOG_REPAIRED = 1,		/* a torn last record, never extended, is cut off */
	EVENTLOG_DAMAGED,		/* octets that are no records; they stay */
};

#define EVENTLOG_NONE	{ .fd = -1 }

int eventlog_open(struct eventlog *log, int root_fd, const char *path);
void eventlog_close(struct eventlog *log);
int eventlog_restart(struct eventlog *log);
int eventlog_begin(struct eventlog *log);
void eventlog_end(struct eventlog *log);
int eventlog_append(struct eventlog *log, struct eventlog_record *record);
int eventlog_withdraw(struct eventlog *log);

/* outlet.c: the copy in systemd's log */
#define EVENTLOG_OUTLET_PATH	"/run/log/systemd/tpm2-measure.log"

/**
 * struct eventlog_outlet - the copy of our log in systemd's
 * @wanted: there shall be one
 * @error:  why the last record was not copied, a negative errno: -EBUSY if somebody
 *          holds the lock; 0 if all are
 * @offset: where in our log what is not copied begins
 * @fd:     of systemd's log, locked, between begin and end; else -1
 * @marked: it is marked by us
 */
struct eventlog_outlet {
	bool wanted;
	int error;
	uint64_t offset;
	int fd;
	bool marked;
};

void eventlog_outlet_begin(struct eventlog_outlet *outlet, int root_fd);
void eventlog_outlet_end(struct eventlog_outlet *outlet, const struct eventlog *log);
int eventlog_outlet_add(struct eventlog_outlet *outlet, const struct eventlog_record *record);
void eventlog_outlet_abandon(struct eventlog_outlet *outlet);
uint64_t eventlog_outlet_count(int root_fd, bool *ret_incomplete);
int eventlog_outlet_adopt(struct eventlog_outlet *outlet, int root_fd,
			  const struct eventlog *log);

/* reader.c: reading, in constant memory */
struct eventlog_reader;

/* Outcomes of eventlog_reader_next(). */
enum eventlog_read {
	EVENTLOG_END = 1,		/* no more records */
	EVENTLOG_TORN,			/* the file ends inside a record */
	EVENTLOG_MALFORMED,		/* octets that are no record of ours */
};

int eventlog_reader_open(int root_fd, const char *path, struct eventlog_reader **ret);
int eventlog_reader_open_fd(int fd, struct eventlog_reader **ret);
void eventlog_reader_close(struct eventlog_reader **reader);
int eventlog_reader_next(struct eventlog_reader *reader,
			 const struct eventlog_record **ret);
void eventlog_reader_seek(struct eventlog_reader *reader, uint64_t offset);
void eventlog_reader_skip_annotations(struct eventlog_reader *reader);
int eventlog_reader_annotate(struct eventlog_reader *reader);
int eventlog_reader_lock(struct eventlog_reader *reader);
void eventlog_reader_unlock(struct eventlog_reader *reader);
uint64_t eventlog_reader_offset(const struct eventlog_reader *reader);

/* replay.c: fold records */
#define EVENTLOG_REPLAY_MAX	64	/* indices and PCRs one log may name */

/**
 * struct eventlog_fold - what one NV index or one bank of a PCR must hold
 * @value:    after all records
 * @previous: before the last record of the log if that one extended it, else @value
 * @n:        number of records that extended it
 */
struct eventlog_fold {
	enum eventlog_target target;
	uint32_t index;
	struct digest value;
	struct digest previous;
	uint64_t n;
};

/* Outcomes of eventlog_replay_add(): what is wrong with a record. */
enum eventlog_fault {
	EVENTLOG_FAULT_RECNUM = 1,	/* not the number that must come next */
	EVENTLOG_FAULT_DIGEST,		/* a digest is not that of the word */
	EVENTLOG_FAULT_FULL,		/* more than EVENTLOG_REPLAY_MAX folds */
};

struct eventlog_replay {
	struct eventlog_fold folds[EVENTLOG_REPLAY_MAX];
	size_t n_folds;
	uint64_t n_records;
};

void eventlog_replay_init(struct eventlog_replay *replay);
int eventlog_replay_start(struct eventlog_replay *replay, enum eventlog_target target,
			  uint32_t index, const struct digest *value);
int eventlog_replay_add(struct eventlog_replay *replay,
			const struct eventlog_record *record);
const struct eventlog_fold *eventlog_replay_find(const struct eventlog_replay *replay,
						 enum eventlog_target target,
						 uint32_t index, enum digest_alg alg);

/* resume.c: a word that says from where a PCR goes on */
#define EVENTLOG_RESUME_PREFIX	"pcr:v1:"

int eventlog_replay_resume(struct eventlog_replay *replay, const char *word, uint32_t gate,
			   uint32_t *ret_pcr);

/* firmware.c: the firmware's event log */
int eventlog_firmware_each(const uint8_t *data, size_t size, enum digest_alg alg,
			   int (*tell)(void *ctx, uint32_t pcr, const struct digest *digest),
			   void *ctx);
int eventlog_firmware_fold(const uint8_t *data, size_t size, uint32_t pcr,
			   enum digest_alg alg, struct digest *ret);

#endif /* EVENTLOG_EVENTLOG_H */
