/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eventlog/eventlog.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "eventlog/eventlog_test.h"
#include "test.h"

#define ZEROS	"0000000000000000000000000000000000000000000000000000000000000000"

/* Of "one" and then "two", computed with sha256sum(1). */
#define AFTER_ONE "c7e3347570821fed43690c2125ce36b1fb0ca7787ba0f219b8e75ee0fc7b4644"
#define AFTER_TWO "b88f3f290fe4ac11da329c5515b418b937de9be1abffb4ff40de976ef83a28ee"

static int add(struct eventlog_replay *replay, uint64_t recnum, const char *word)
{
	struct eventlog_record record = sample_record(recnum, word);

	return eventlog_replay_add(replay, &record);
}

static const struct eventlog_fold *nvpcr(const struct eventlog_replay *replay)
{
	return eventlog_replay_find(replay, EVENTLOG_NV_INDEX, SAMPLE_INDEX,
				    DIGEST_SHA256);
}

static void check_value(const struct digest *digest, const char *expected)
{
	char hex[DIGEST_HEX_MAX];

	digest_to_hex(digest, hex);
	CHECK_STR(hex, expected);
}

static void records_fold_as_the_tpm_does(void)
{
	struct eventlog_replay replay;

	eventlog_replay_init(&replay);
	CHECK(!nvpcr(&replay));
	CHECK_EQ(add(&replay, 0, "one"), 0);
	check_value(&nvpcr(&replay)->value, AFTER_ONE);
	CHECK_EQ(add(&replay, 1, "two"), 0);
	check_value(&nvpcr(&replay)->value, AFTER_TWO);
	CHECK_EQ(nvpcr(&replay)->n, 2);
	CHECK_EQ(replay.n_records, 2);
	CHECK(!eventlog_replay_find(&replay, EVENTLOG_PCR, SAMPLE_INDEX, DIGEST_SHA256));
	CHECK(!eventlog_replay_find(&replay, EVENTLOG_NV_INDEX, SAMPLE_INDEX, DIGEST_SHA1));
}

/* What swtpm held after systemd-pcrextend 262 had measured this word. */
static void a_fold_can_start_from_a_value(void)
{
	static const char word[] = "verity:loop0p1-8-verity:3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b"
				   "3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b:";
	struct eventlog_replay replay;
	struct digest start;

	CHECK_EQ(digest_from_hex(DIGEST_SHA256, "f5a5fd42d16a20302798ef6ed309979b"
				 "43003d2320d9f0e8ea9831a92759fb4b", &start), 0);
	eventlog_replay_init(&replay);
	CHECK_EQ(eventlog_replay_start(&replay, EVENTLOG_NV_INDEX, SAMPLE_INDEX, &start), 0);
	CHECK_EQ(nvpcr(&replay)->n, 0);
	CHECK(digest_equal(&nvpcr(&replay)->previous, &start));
	CHECK_EQ(add(&replay, 0, word), 0);
	check_value(&nvpcr(&replay)->value,
		    "cd45b83e7cf343fc50bd7ed37f31f2ee129c5c8b36aa647b4629cbb77c25ee82");
	CHECK_EQ(eventlog_replay_start(&replay, EVENTLOG_NV_INDEX, SAMPLE_INDEX, &start), 0);
	CHECK(digest_equal(&nvpcr(&replay)->value, &start));
	CHECK_EQ(replay.n_folds, 1);
}

static void each_bank_of_a_pcr_has_its_fold(void)
{
	struct eventlog_record record = sample_pcr_record(0, "one");
	const struct eventlog_fold *fold;
	struct eventlog_replay replay;
	struct digest expected;

	eventlog_replay_init(&replay);
	CHECK_EQ(eventlog_replay_add(&replay, &record), 0);
	CHECK_EQ(replay.n_folds, 2);
	for (size_t i = 0; i < 2; i++) {
		digest_zero(record.digests[i].alg, &expected);
		digest_extend(&expected, &record.digests[i]);
		fold = eventlog_replay_find(&replay, EVENTLOG_PCR, 13, expected.alg);
		CHECK(fold && digest_equal(&fold->value, &expected));
	}
	CHECK(!eventlog_replay_find(&replay, EVENTLOG_PCR, 13, DIGEST_SHA256));
}

static void exactly_one_record_may_be_surplus(void)
{
	struct eventlog_record pcr = sample_pcr_record(2, "three");
	const struct eventlog_fold *fold;
	struct eventlog_replay replay;
	struct digest zero;

	eventlog_replay_init(&replay);
	CHECK_EQ(add(&replay, 0, "one"), 0);
	check_value(&nvpcr(&replay)->previous, ZEROS);
	CHECK_EQ(add(&replay, 1, "two"), 0);
	check_value(&nvpcr(&replay)->previous, AFTER_ONE);
	CHECK_EQ(eventlog_replay_add(&replay, &pcr), 0);
	check_value(&nvpcr(&replay)->previous, AFTER_TWO);
	fold = eventlog_replay_find(&replay, EVENTLOG_PCR, 13, DIGEST_SHA1);
	digest_zero(DIGEST_SHA1, &zero);
	CHECK(fold && digest_equal(&fold->previous, &zero));
	CHECK(fold && !digest_equal(&fold->value, &zero));
}

static void a_fault_is_named_and_changes_nothing(void)
{
	struct eventlog_record record = sample_record(1, "two");
	struct eventlog_replay replay, before;

	eventlog_replay_init(&replay);
	CHECK_EQ(add(&replay, 0, "one"), 0);
	before = replay;
	CHECK_EQ(add(&replay, 0, "one"), EVENTLOG_FAULT_RECNUM);
	CHECK_EQ(add(&replay, 2, "three"), EVENTLOG_FAULT_RECNUM);
	record.word[0] = 'T';
	CHECK_EQ(eventlog_replay_add(&replay, &record), EVENTLOG_FAULT_DIGEST);
	record = sample_pcr_record(1, "two");
	record.digests[1].bytes[47] ^= 1;
	CHECK_EQ(eventlog_replay_add(&replay, &record), EVENTLOG_FAULT_DIGEST);
	CHECK_MEM(&replay, sizeof(replay), &before, sizeof(before));
	CHECK_EQ(add(&replay, 1, "two"), 0);
	check_value(&nvpcr(&replay)->value, AFTER_TWO);
}

static void too_many_folds_are_a_fault(void)
{
	struct eventlog_record record = sample_record(0, "one");
	struct eventlog_replay replay;
	struct digest zero;

	eventlog_replay_init(&replay);
	for (uint64_t i = 0; i < EVENTLOG_REPLAY_MAX - 1; i++) {
		record.recnum = i;
		record.index = (uint32_t)(SAMPLE_INDEX + i);
		CHECK_EQ(eventlog_replay_add(&replay, &record), 0);
	}
	record = sample_pcr_record(EVENTLOG_REPLAY_MAX - 1, "one");
	CHECK_EQ(eventlog_replay_add(&replay, &record), EVENTLOG_FAULT_FULL);
	CHECK_EQ(add(&replay, EVENTLOG_REPLAY_MAX - 1, "two"), 0);
	digest_zero(DIGEST_SHA1, &zero);
	CHECK_EQ(eventlog_replay_start(&replay, EVENTLOG_PCR, 1, &zero), 0);
	CHECK_EQ(eventlog_replay_start(&replay, EVENTLOG_PCR, 2, &zero),
		 EVENTLOG_FAULT_FULL);
	CHECK_EQ(replay.n_folds, EVENTLOG_REPLAY_MAX);
}

/* Reads and folds a log.  Return: whether it has no fault and comes to @expected. */
static bool comes_to(const char *text, size_t size, const struct digest *expected)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	_cleanup_close_ int fd = memfd_create("log", MFD_CLOEXEC);
	const struct eventlog_record *record = NULL;
	struct eventlog_replay replay;
	int r;

	CHECK_EQ(write(fd, text, size), size);
	CHECK_EQ(eventlog_reader_open_fd(fd, &reader), 0);
	eventlog_replay_init(&replay);
	while ((r = eventlog_reader_next(reader, &record)) == 0)
		if (eventlog_replay_add(&replay, record) != 0)
			return false;
	return r == EVENTLOG_END && nvpcr(&replay) &&
	       digest_equal(&nvpcr(&replay)->value, expected);
}

static char text[8192];

/* Three records; @starts says where each begins and where the last one ends. */
static struct digest make_log(size_t starts[static 4])
{
	static const char *const sample_words[] = { "one", "two", "three" };
	struct eventlog_replay replay;

	starts[0] = 0;
	eventlog_replay_init(&replay);
	for (int i = 0; i < 3; i++) {
		static char record[EVENTLOG_RECORD_MAX];
		size_t size = sample_text((uint64_t)i, sample_words[i], record, 0);

		memcpy(text + starts[i], record, size);
		starts[i + 1] = starts[i] + size;
		CHECK_EQ(add(&replay, (uint64_t)i, sample_words[i]), 0);
	}
	return nvpcr(&replay)->value;
}

/* What no digest covers: where the record was made, when, and who says so. */
static bool is_unprotected(const char *record, size_t at)
{
	const char *boot_id = strstr(record, ",\"bootId\"");
	const char *name = strstr(record, "\"nvIndexName\"");
	const char *word = strstr(record, "\"string\"");

	return record + at >= boot_id || (record + at >= name && record + at < word);
}

/* Hexadecimal digits mean the same in either case. */
static bool is_case_of_digit(const char *record, size_t at, int bit)
{
	const char *digest = strstr(record, "\"digest\":\"") + strlen("\"digest\":\"");

	return bit == 5 && record[at] >= 'a' && record + at >= digest &&
	       record + at < digest + 64;
}

static void a_flipped_bit_is_noticed(void)
{
	size_t starts[4], n_flips = 0;
	struct digest expected = make_log(starts);
	char original[sizeof(text)];

	memcpy(original, text, sizeof(text));
	CHECK(comes_to(text, starts[3], &expected));
	for (size_t at = starts[1]; at < starts[2]; at++) {
		const char *record = original + starts[1];

		if (is_unprotected(record, at - starts[1]))
			continue;
		for (int bit = 0; bit < 8; bit++, n_flips++) {
			if (is_case_of_digit(record, at - starts[1], bit))
				continue;
			text[at] = (char)(original[at] ^ 1 << bit);
			if (comes_to(text, starts[3], &expected))
				TEST_FAIL("bit %d of octet %zu", bit, at - starts[1]);
			text[at] = original[at];
		}
	}
	CHECK(n_flips > 1000);
}

static void dropping_swapping_and_cutting_are_noticed(void)
{
	static const struct {
		const char *name;
		int order[4], n;
	} cases[] = {
		{ "first dropped", { 1, 2 }, 2 },
		{ "middle dropped", { 0, 2 }, 2 },
		{ "last dropped", { 0, 1 }, 2 },
		{ "nothing left", { 0 }, 0 },
		{ "swapped", { 0, 2, 1 }, 3 },
		{ "twice", { 0, 1, 1, 2 }, 4 },
		{ "repeated at the end", { 0, 1, 2, 2 }, 4 },
	};
	size_t starts[4];
	struct digest expected = make_log(starts);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char other[sizeof(text)];
		size_t size = 0;

		for (int j = 0; j < cases[i].n; j++) {
			int n = cases[i].order[j];

			memcpy(other + size, text + starts[n], starts[n + 1] - starts[n]);
			size += starts[n + 1] - starts[n];
		}
		test_case = cases[i].name;
		CHECK(!comes_to(other, size, &expected));
	}
	test_case = "cut";
	for (size_t size = 0; size < starts[3]; size++)
		CHECK(!comes_to(text, size, &expected));
	CHECK(comes_to(text, starts[3], &expected));
}

TEST_MAIN(records_fold_as_the_tpm_does,
	  a_fold_can_start_from_a_value,
	  each_bank_of_a_pcr_has_its_fold,
	  exactly_one_record_may_be_surplus,
	  a_fault_is_named_and_changes_nothing,
	  too_many_folds_are_a_fault,
	  a_flipped_bit_is_noticed,
	  dropping_swapping_and_cutting_are_noticed)
