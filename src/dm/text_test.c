/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "dm/internal.h"
#include "test.h"

static const struct dm_device device = { .name = "d", .major = 254 };

/* Writes what it is given into a text, and stops at a target of type "stop". */
static int note(void *ctx, const struct dm_device *of, const struct dm_target *target)
{
	char *text = ctx;
	size_t used = strlen(text);

	CHECK(of == &device);
	snprintf(text + used, 512 - used, "[%" PRIu64 "+%" PRIu64 " %s <%s>]",
		 target->start, target->length, target->type, target->params);
	return strcmp(target->type, "stop") ? 0 : 7;
}

static int walk(const char *table, char ret[512])
{
	char copy[512];

	snprintf(copy, sizeof(copy), "%s", table);
	ret[0] = '\0';
	return dm_text_targets(copy, &device, note, ret);
}

static void targets_come_in_order(void)
{
	static const struct {
		const char *table, *want;
	} rows[] = {
		{ "", "" },
		{ "0 8 zero \n", "[0+8 zero <>]" },
		{ "0 8 error", "[0+8 error <>]" },
		{ "0 16 linear 8:1 0\n16 520 verity 1 7:0 7:1\n",
		  "[0+16 linear <8:1 0>][16+520 verity <1 7:0 7:1>]" },
		{ "18446744073709551615 1 linear 8:1 0\n",
		  "[18446744073709551615+1 linear <8:1 0>]" },
	};
	char text[512];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_case = rows[i].table;
		CHECK_EQ(walk(rows[i].table, text), 0);
		CHECK_STR(text, rows[i].want);
	}
}

static void the_walk_ends_where_it_is_told_to(void)
{
	char text[512];

	CHECK_EQ(walk("0 8 zero \n8 8 stop \n16 8 zero \n", text), 7);
	CHECK_STR(text, "[0+8 zero <>][8+8 stop <>]");
}

static void lines_that_are_none_are_refused(void)
{
	static const char *const rows[] = {
		"\n", "0", "0 8", "0 8 ", "x 8 zero", "0 -8 zero", "0  8 zero",
		"name: 0 8 zero", "18446744073709551616 1 zero", "0 8 zero \n\n8 8 zero ",
	};
	char text[512];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_case = rows[i];
		CHECK_EQ(walk(rows[i], text), -EBADMSG);
	}
}

static void names_get_their_bytes_back(void)
{
	static const struct {
		const char *mangled, *want;
	} rows[] = {
		{ "", "" },
		{ "root", "root" },
		{ "my\\x20disk", "my disk" },
		{ "\\x2fa\\x5cx20", "/a\\x20" },
		{ "\\xC3\\xbc", "\xc3\xbc" },
		{ "not\\x2", "not\\x2" },
		{ "not\\xzz", "not\\xzz" },
		{ "cut\\x00short", "cut\\x00short" },
		{ "\\", "\\" },
	};
	char name[32];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_case = rows[i].mangled;
		CHECK_EQ(dm_text_unmangle(rows[i].mangled, name, sizeof(name)), 0);
		CHECK_STR(name, rows[i].want);
	}
}

static void a_name_must_fit(void)
{
	char name[5];

	CHECK_EQ(dm_text_unmangle("abcd", name, sizeof(name)), 0);
	CHECK_EQ(dm_text_unmangle("abc\\x20", name, sizeof(name)), 0);
	CHECK_EQ(dm_text_unmangle("abcde", name, sizeof(name)), -EMSGSIZE);
}

TEST_MAIN(targets_come_in_order, the_walk_ends_where_it_is_told_to,
	  lines_that_are_none_are_refused, names_get_their_bytes_back, a_name_must_fit)
