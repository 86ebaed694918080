/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whatever the octets: both ways of reading a record agree; and a record that was read
 * can be written, and read again, without becoming another.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"

#include "eventlog/eventlog_test.h"
#include "eventlog/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const struct eventlog_record *record)
{
	static char text[EVENTLOG_RECORD_MAX], again[EVENTLOG_RECORD_MAX];
	static struct eventlog_record decoded;
	size_t size, size_again;

	assert(eventlog_record_encode(record, text, sizeof(text), &size) == 0);
	assert(eventlog_record_decode(text, size, &decoded) == 0);
	assert(same_record(record, &decoded));
	assert(eventlog_record_encode(&decoded, again, sizeof(again), &size_again) == 0);
	assert(size == size_again && memcmp(text, again, size) == 0);
	eventlog_record_done(&decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct eventlog_record decoded, parsed, bare;
	struct json_tokener *tokener = record_tokener_new();
	const char *text = (const char *)data;
	int r;

	assert(tokener);
	r = record_decode(tokener, text, size, true, &decoded);
	assert(record_parse(tokener, text, size, &parsed) == r);
	assert(record_decode(tokener, text, size, false, &bare) == r);
	assert(!bare.annotations);
	if (r == 0) {
		assert(same_record(&decoded, &parsed));
		write_and_read(&decoded);
	}
	eventlog_record_done(&decoded);
	eventlog_record_done(&parsed);
	json_tokener_freep(&tokener);
	return 0;
}
