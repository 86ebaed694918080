/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/number.h"

#include <errno.h>

#include "test.h"

static void whole_decimal_numbers_are_read(void)
{
	uint64_t n = 0;

	CHECK_EQ(number_parse("0", 0, &n), 0);
	CHECK_EQ(n, 0);
	CHECK_EQ(number_parse("0042", 42, &n), 0);
	CHECK_EQ(n, 42);
	CHECK_EQ(number_parse("18446744073709551615", UINT64_MAX, &n), 0);
	CHECK(n == UINT64_MAX);
}

static void anything_else_is_refused_and_changes_nothing(void)
{
	static const char *const cases[] = {
		"", " 1", "1 ", "+1", "-1", "0x1", "1a", "43", "18446744073709551616",
		"99999999999999999999999",
	};
	uint64_t n = 7;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		test_case = cases[i];
		CHECK_EQ(number_parse(cases[i], 42, &n), -EBADMSG);
		CHECK_EQ(n, 7);
	}
}

TEST_MAIN(whole_decimal_numbers_are_read,
	  anything_else_is_refused_and_changes_nothing)
