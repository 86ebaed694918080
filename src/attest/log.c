/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The records of the log: are they whole, and is each of them covered by what the TPM
 * signed?
 *
 * Only the first fault of the log's form is reported, as those after it follow from it.
 */
#include "attest/private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void fault(struct attest_checking *c, uint64_t recnum, const char *expected,
		  const char *found)
{
	if (c->faulty)
		return;
	c->faulty = true;
	attest_find(c, ATTEST_NOT_TRUSTED, "log", expected,
		    "the log is not what was measured", "record %" PRIu64 " %s", recnum,
		    found);
}

static void replay(struct attest_checking *c, const struct eventlog_record *rec)
{
	switch (eventlog_replay_add(&c->replay, rec)) {
	case 0:
		return;
	case EVENTLOG_FAULT_RECNUM:
		fault(c, c->replay.n_records, "all records in their order",
		      "is missing or not in its place");
		return;
	case EVENTLOG_FAULT_DIGEST:
		fault(c, rec->recnum, "the digest of the word",
		      "has a digest that is not that of its word");
		return;
	default:
		fault(c, rec->recnum, "at most 64 indices and banks",
		      "extends one more than a log may name");
	}
}

static bool is_certified(const struct attest_header *header, uint32_t handle, uint16_t alg)
{
	for (size_t i = 0; i < header->n_indices; i++)
		if (header->indices[i].nv.nvIndex == handle &&
		    header->indices[i].nv.nameAlg == alg)
			return true;
	return false;
}

/* Whether something that the TPM signed depends on this record. */
static bool is_covered(const struct attest_header *header, const struct eventlog_record *rec)
{
	for (size_t i = 0; i < rec->n_digests; i++) {
		enum digest_alg alg = rec->digests[i].alg;

		if (rec->target == EVENTLOG_PCR
		    ? rec->index < ATTEST_PCRS && header->quoted & 1U << rec->index &&
		      alg == header->bank
		    : is_certified(header, rec->index, digest_alg_tpm_id(alg)))
			return true;
	}
	return false;
}

/* Counts records that nothing depends on, and keeps the first of them. */
static void check_covered(struct attest_checking *c, const struct eventlog_record *rec)
{
	if (is_covered(c->header, rec) || c->n_uncovered++)
		return;
	(void)snprintf(c->uncovered, sizeof(c->uncovered), "record %" PRIu64
		       ", which extends %s 0x%" PRIx32, rec->recnum,
		       rec->target == EVENTLOG_PCR ? "PCR" : "index", rec->index);
}

static void report_uncovered(struct attest_checking *c)
{
	if (c->n_uncovered)
		attest_find(c, ATTEST_NOT_TRUSTED, "covered",
			    "records that a statement depends on",
			    "nothing proves that they were measured",
			    "%s in no bank that the evidence has, and %" PRIu64 " more",
			    c->uncovered, c->n_uncovered - 1);
}

/* The gate PCR's values before the anchor: claims, of which a wrong one does not fold. */
static void read_gate(struct attest_checking *c, const struct eventlog_record *rec)
{
	c->gate.pcr = rec->index;
	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++) {
		const char *hex;
		char key[16];

		(void)snprintf(key, sizeof(key), "gate-%s", digest_alg_name(alg));
		hex = eventlog_annotation(rec, key);
		if (!hex || digest_from_hex(alg, hex, &c->gate.values[alg]) < 0)
			continue;
		c->gate.banks |= 1U << alg;
		(void)eventlog_replay_start(&c->replay, EVENTLOG_PCR, rec->index,
					    &c->gate.values[alg]);
	}
}

static int read_anchor(struct attest_checking *c, const struct eventlog_record *rec)
{
	int r;

	if (c->n_anchors++)
		return 0;
	r = eventlog_reader_annotate(c->reader);
	if (r < 0)
		return r == -EBADMSG ? 0 : r;
	if (rec->target != EVENTLOG_PCR || nvpcr_anchor_parse(rec->word, &c->anchor) < 0) {
		fault(c, rec->recnum, "an anchor", "is an anchor that cannot be read");
		return 0;
	}
	read_gate(c, rec);
	return 0;
}

static int read_word(struct attest_checking *c, const struct eventlog_record *rec)
{
	bool is_genesis = strcmp(rec->word, NVPCR_GENESIS_WORD) == 0 &&
			  rec->target == EVENTLOG_NV_INDEX;

	if (strncmp(rec->word, NVPCR_ANCHOR_PREFIX, strlen(NVPCR_ANCHOR_PREFIX)) == 0)
		return read_anchor(c, rec);
	if (!c->n_anchors && !is_genesis)
		fault(c, rec->recnum, "nothing but geneses before the anchor",
		      "is a measurement before the anchor");
	if (!c->n_anchors)
		return 0;
	return attest_word_check(c, rec);
}

static int read_record(struct attest_checking *c, const struct eventlog_record *rec)
{
	struct attest_result *result = c->result;
	int r;

	if (!result->n_records++)
		memcpy(result->boot_id, rec->boot_id, sizeof(result->boot_id));
	if (strcmp(rec->boot_id, c->header->boot_id) != 0)
		fault(c, rec->recnum, c->header->boot_id, "is of another boot");
	check_covered(c, rec);
	r = read_word(c, rec);
	if (r < 0)
		return r;
	replay(c, rec);
	return 0;
}

static int read_all(struct attest_checking *c)
{
	const struct eventlog_record *rec;
	int r;

	for (;;) {
		r = eventlog_reader_next(c->reader, &rec);
		if (r < 0 || r == EVENTLOG_END)
			return r < 0 ? r : 0;
		if (r == EVENTLOG_TORN || r == EVENTLOG_MALFORMED)
			fault(c, c->result->n_records, "a record",
			      r == EVENTLOG_TORN ? "is cut off in the middle"
						 : "cannot be read");
		if (r == EVENTLOG_TORN)
			return 0;
		if (r == 0)
			r = read_record(c, rec);
		if (r < 0)
			return r;
	}
}

/**
 * attest_log_check() - read the log and check each record
 *
 * Return: 0, whatever was found; -ENOMEM or a negative errno of pread(2).
 */
int attest_log_check(struct attest_checking *c)
{
	int r;

	eventlog_replay_init(&c->replay);
	eventlog_reader_skip_annotations(c->reader);
	r = read_all(c);
	report_uncovered(c);
	return r;
}
