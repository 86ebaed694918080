/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EVENTLOG_EVENTLOG_TEST_H
#define EVENTLOG_EVENTLOG_TEST_H

/* Records for the tests of this folder. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "eventlog/eventlog.h"

#define SAMPLE_INDEX	0x01805645

/* The record of @word, with all optional members but annotations. */
static inline struct eventlog_record sample_record(uint64_t recnum, const char *word)
{
	struct eventlog_record record = {
		.recnum = recnum, .target = EVENTLOG_NV_INDEX, .index = SAMPLE_INDEX,
		.n_digests = 1, .nvpcr_name = "verity", .event_type = "dm-verity",
		.boot_id = "0123456789abcdef0123456789abcdef",
		.timestamp_us = 4200000, .source = "uevent", .phase = "initrd",
	};

	(void)snprintf(record.word, sizeof(record.word), "%s", word);
	digest_compute(DIGEST_SHA256, word, strlen(word), &record.digests[0]);
	return record;
}

/* The same for a PCR with two banks. */
static inline struct eventlog_record sample_pcr_record(uint64_t recnum, const char *word)
{
	struct eventlog_record record = sample_record(recnum, word);

	record.target = EVENTLOG_PCR;
	record.index = 13;
	record.nvpcr_name[0] = record.source[0] = record.phase[0] = '\0';
	(void)snprintf(record.event_type, sizeof(record.event_type), "nvpcr-init");
	digest_compute(DIGEST_SHA1, word, strlen(word), &record.digests[0]);
	digest_compute(DIGEST_SHA384, word, strlen(word), &record.digests[1]);
	record.n_digests = 2;
	return record;
}

/* Appends the text of a sample record to @text.  Return: its size then. */
static inline size_t sample_text(uint64_t recnum, const char *word, char *text,
				 size_t size)
{
	struct eventlog_record record = sample_record(recnum, word);
	size_t added = 0;

	(void)eventlog_record_encode(&record, text + size, EVENTLOG_RECORD_MAX, &added);
	return size + added;
}

static inline bool same_record(const struct eventlog_record *a,
			       const struct eventlog_record *b)
{
	if (a->n_digests != b->n_digests)
		return false;
	for (size_t i = 0; i < a->n_digests; i++)
		if (!digest_equal(&a->digests[i], &b->digests[i]))
			return false;
	return a->recnum == b->recnum && a->target == b->target &&
	       a->index == b->index && a->timestamp_us == b->timestamp_us &&
	       strcmp(a->nvpcr_name, b->nvpcr_name) == 0 &&
	       strcmp(a->word, b->word) == 0 &&
	       strcmp(a->event_type, b->event_type) == 0 &&
	       strcmp(a->boot_id, b->boot_id) == 0 &&
	       strcmp(a->source, b->source) == 0 && strcmp(a->phase, b->phase) == 0 &&
	       json_object_equal(a->annotations, b->annotations);
}

#endif /* EVENTLOG_EVENTLOG_TEST_H */
