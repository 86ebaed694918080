/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json.h"

#include <errno.h>

#include "test.h"

static int parse(const char *text)
{
	_cleanup_json_ struct json_object *object = NULL;

	return json_parse(text, strlen(text), 4, &object);
}

static void json_is_taken(void)
{
	CHECK_EQ(parse("{\"a\":[1,{}]}"), 0);
	CHECK_EQ(parse("\"sch\xc3\xb6n\""), 0);
	CHECK_EQ(parse(" 7 "), 0);
}

static void what_is_nearly_json_is_not(void)
{
	static const char *const texts[] = {
		"", "null", "{", "{\"a\":1,}", "{} {}", "[1] x",
		"\"\xff\"", "\"\xc3\"", "[\"\xc3\xb6\",]", "{\xc3\xb6:1}", "/* */ 1",
		"[[[[[1]]]]]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		test_case = texts[i];
		CHECK_EQ(parse(texts[i]), -EBADMSG);
	}
}

static void a_nul_ends_nothing(void)
{
	_cleanup_json_ struct json_object *object = NULL;

	CHECK_EQ(json_parse("{}\0", 3, 4, &object), -EBADMSG);
}

TEST_MAIN(json_is_taken, what_is_nearly_json_is_not, a_nul_ends_nothing)
