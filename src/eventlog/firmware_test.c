/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eventlog/eventlog.h"

#include <errno.h>
#include <string.h>

#include "test.h"

/* A log in the making. */
struct log {
	uint8_t bytes[1024];
	size_t size;
};

static void put(struct log *log, uint32_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		log->bytes[log->size++] = (uint8_t)(number >> 8 * i);
}

static void put_bytes(struct log *log, const void *bytes, size_t size)
{
	memcpy(log->bytes + log->size, bytes, size);
	log->size += size;
}

/* The first event of a log whose others carry SHA-1 and SHA-256. */
static void begin(struct log *log)
{
	static const uint8_t no_digest[20];

	*log = (struct log){ .size = 0 };
	put(log, 0, 4);
	put(log, 3, 4);
	put_bytes(log, no_digest, sizeof(no_digest));
	put(log, 16 + 8 + 4 + 2 * 4 + 1, 4);
	put_bytes(log, "Spec ID Event03", 16);
	put(log, 0, 4);
	put(log, 0x02000200, 4);
	put(log, 2, 4);
	put(log, 0x0004, 2);
	put(log, 20, 2);
	put(log, 0x000b, 2);
	put(log, 32, 2);
	put(log, 0, 1);
}

static void add(struct log *log, uint32_t pcr, uint32_t type, const char *text)
{
	struct digest sha1, sha256;

	digest_compute(DIGEST_SHA1, text, strlen(text), &sha1);
	digest_compute(DIGEST_SHA256, text, strlen(text), &sha256);
	put(log, pcr, 4);
	put(log, type, 4);
	put(log, 2, 4);
	put(log, 0x0004, 2);
	put_bytes(log, sha1.bytes, 20);
	put(log, 0x000b, 2);
	put_bytes(log, sha256.bytes, 32);
	put(log, (uint32_t)strlen(text), 4);
	put_bytes(log, text, strlen(text));
}

static void expect(enum digest_alg alg, const char *const words[], size_t n_words,
		   struct digest *ret)
{
	digest_zero(alg, ret);
	for (size_t i = 0; i < n_words; i++) {
		struct digest digest;

		digest_compute(alg, words[i], strlen(words[i]), &digest);
		digest_extend(ret, &digest);
	}
}

static void only_the_events_of_the_pcr_are_folded(void)
{
	static const char *const words[] = { "one", "two" };
	struct digest value, expected;
	struct log log;

	begin(&log);
	add(&log, 13, 13, "one");
	add(&log, 12, 13, "of another PCR");
	add(&log, 13, 3, "informs only");
	add(&log, 13, 13, "two");
	for (int alg = DIGEST_SHA1; alg <= DIGEST_SHA256; alg++) {
		CHECK_EQ(eventlog_firmware_fold(log.bytes, log.size, 13, alg, &value), 0);
		expect(alg, words, 2, &expected);
		CHECK(digest_equal(&value, &expected));
	}
}

static void a_pcr_without_events_is_zero(void)
{
	struct digest value, expected;
	struct log log;

	begin(&log);
	add(&log, 4, 13, "one");
	digest_zero(DIGEST_SHA256, &expected);
	CHECK_EQ(eventlog_firmware_fold(log.bytes, log.size, 13, DIGEST_SHA256, &value), 0);
	CHECK(digest_equal(&value, &expected));
}

static void a_bank_that_the_log_lacks_cannot_be_told(void)
{
	struct digest value;
	struct log log;

	begin(&log);
	add(&log, 13, 13, "one");
	CHECK_EQ(eventlog_firmware_fold(log.bytes, log.size, 13, DIGEST_SHA384, &value),
		 -EBADMSG);
}

static void a_log_that_is_cut_off_anywhere_says_nothing(void)
{
	struct digest value;
	struct log log;
	size_t header;

	begin(&log);
	header = log.size;
	add(&log, 13, 13, "one");
	for (size_t size = 0; size < log.size; size++)
		CHECK_EQ(eventlog_firmware_fold(log.bytes, size, 13, DIGEST_SHA256, &value),
			 size == header ? 0 : -EBADMSG);
}

static void an_algorithm_that_the_header_does_not_name_ends_it(void)
{
	struct digest value;
	struct log log;
	size_t header;

	begin(&log);
	header = log.size;
	add(&log, 13, 13, "one");
	log.bytes[header + 12] = 0x12;
	CHECK_EQ(eventlog_firmware_fold(log.bytes, log.size, 13, DIGEST_SHA256, &value),
		 -EBADMSG);
}

TEST_MAIN(only_the_events_of_the_pcr_are_folded,
	  a_pcr_without_events_is_zero,
	  a_bank_that_the_log_lacks_cannot_be_told,
	  a_log_that_is_cut_off_anywhere_says_nothing,
	  an_algorithm_that_the_header_does_not_name_ends_it)
