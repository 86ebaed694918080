/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eventlog/eventlog.h"

#include <errno.h>
#include <stdlib.h>

#include "eventlog/eventlog_test.h"
#include "test.h"

#define R	"\xef\xbf\xbd"

static void what_is_not_utf_8_is_replaced(void)
{
	static const struct {
		const char *name, *value, *expected;
	} cases[] = {
		{ "empty", "", "" },
		{ "ASCII", "/a \"b\"\\", "/a \"b\"\\" },
		{ "control", "\x01\x1b\x7f", "\x01\x1b\x7f" },
		{ "two octets", "\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf" },
		{ "three octets", "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
		  "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf" },
		{ "four octets", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
		  "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
		{ "a lone continuation", "a\x80z", "a" R "z" },
		{ "too long a form of /", "\xc0\xaf", R R },
		{ "too long a form of three", "\xe0\x9f\xbf", R R R },
		{ "too long a form of four", "\xf0\x8f\xbf\xbf", R R R R },
		{ "a surrogate", "\xed\xa0\x80", R R R },
		{ "past the last character", "\xf4\x90\x80\x80", R R R R },
		{ "no such octet", "\xf5\xff", R R },
		{ "cut after one", "\xe2", R },
		{ "cut after two", "\xe2\x82", R R },
		{ "cut after three", "\xf0\x9f\x98", R R R },
		{ "cut by another", "\xe2\x82\xc3\xa4", R R "\xc3\xa4" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct eventlog_record record = sample_record(0, "word"), decoded;
		char text[EVENTLOG_RECORD_MAX];
		size_t size = 0;

		test_case = cases[i].name;
		CHECK_EQ(eventlog_annotate(&record, "key", cases[i].value), 0);
		CHECK_STR(eventlog_annotation(&record, "key"), cases[i].expected);
		CHECK_EQ(eventlog_record_encode(&record, text, sizeof(text), &size), 0);
		CHECK_EQ(eventlog_record_decode(text, size, &decoded), 0);
		CHECK(same_record(&decoded, &record));
		eventlog_record_done(&decoded);
		eventlog_record_done(&record);
	}
}

static void a_later_annotation_takes_the_place_of_an_earlier_one(void)
{
	struct eventlog_record record = sample_record(0, "word");

	CHECK_EQ(eventlog_annotate(&record, "key", "one"), 0);
	CHECK_EQ(eventlog_annotate_number(&record, "key", INT64_MAX), 0);
	CHECK_STR(eventlog_annotation(&record, "key"), "9223372036854775807");
	eventlog_record_done(&record);
	CHECK(!eventlog_annotation(&record, "key"));
}

static void a_bad_name_or_number_is_refused(void)
{
	struct eventlog_record record = sample_record(0, "word");

	CHECK_EQ(eventlog_annotate(&record, "", "value"), -EINVAL);
	CHECK_EQ(eventlog_annotate(&record, "\xc3\xa4", "value"), -EINVAL);
	CHECK_EQ(eventlog_annotate_number(&record, "a\nb", 1), -EINVAL);
	CHECK_EQ(eventlog_annotate_number(&record, "key", 1ULL << 63), -EINVAL);
	CHECK(!record.annotations);
}

static void one_that_is_too_large_leaves_the_others(void)
{
	struct eventlog_record record = sample_record(0, "word");
	char value[EVENTLOG_ANNOTATIONS_MAX + 2];

	memset(value, 'a', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	CHECK_EQ(eventlog_annotate(&record, "one", "1"), 0);
	CHECK_EQ(eventlog_annotate(&record, "two", value), -E2BIG);
	CHECK_EQ(eventlog_annotate(&record, "two", value + 2), -E2BIG);
	CHECK(!eventlog_annotation(&record, "two"));
	CHECK_STR(eventlog_annotation(&record, "one"), "1");
	CHECK_EQ(eventlog_annotate(&record, "two", value + 64), 0);
	eventlog_record_done(&record);
}

TEST_MAIN(what_is_not_utf_8_is_replaced,
	  a_later_annotation_takes_the_place_of_an_earlier_one,
	  a_bad_name_or_number_is_refused,
	  one_that_is_too_large_leaves_the_others)
