/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of users: every text and all data has one, and none can be another's. */
#include "measure/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "test.h"

static const char *word_of(const char *data, size_t size, bool is_text)
{
	static char word[MEASURE_USER_MAX];
	const struct measure_user user = {
		.source = "command", .uid = 0, .type = "", .data = data, .size = size,
		.is_text = is_text,
	};

	CHECK_EQ(measure_user_word(&user, word), 0);
	return word;
}

static void a_text_is_written_so_that_it_can_be_read(void)
{
	CHECK_STR(word_of("hello: world", 12, true), "user:v1:command:0:-:text:hello: world");
	CHECK_STR(word_of("100%\n\xc3\xa4", 7, true),
		  "user:v1:command:0:-:text:100%25%0A%C3%A4");
}

static void data_is_named_by_size_and_digest(void)
{
	CHECK_STR(word_of("abc", 3, false),
		  "user:v1:command:0:-:data:3:"
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void a_long_text_is_data(void)
{
	char text[2049];

	memset(text, 'a', sizeof(text));
	CHECK(strstr(word_of(text, 2048, true), ":text:aaa"));
	CHECK(strstr(word_of(text, 2049, true), ":data:2049:"));
	text[7] = '%';
	CHECK(strstr(word_of(text, 2047, true), ":data:2047:"));
}

static void type_and_user_are_in_the_word(void)
{
	struct measure_user user = {
		.source = "varlink", .uid = 4294967294U, .type = "machine-id",
		.data = "x", .size = 1, .is_text = true,
	};
	char word[MEASURE_USER_MAX];

	CHECK_EQ(measure_user_word(&user, word), 0);
	CHECK_STR(word, "user:v1:varlink:4294967294:machine-id:text:x");
	user.type = "a:b";
	CHECK_EQ(measure_user_word(&user, word), -EINVAL);
	user.type = "a-type-that-is-longer-than-any-that-is-known";
	CHECK_EQ(measure_user_word(&user, word), -EINVAL);
}

static void no_other_word_passes_for_a_users(void)
{
	CHECK(measure_user_is_word("user:v1:command:0:-:text:a", "command"));
	CHECK(!measure_user_is_word("user:v1:varlink:0:-:text:a", "command"));
	CHECK(!measure_user_is_word("user:v1:commander:0:-:text:a", "command"));
	CHECK(!measure_user_is_word("dm-verity:v1:command", "command"));
	CHECK(!measure_user_is_word("user:v1:command:0:-:text:\n", "command"));
}

TEST_MAIN(a_text_is_written_so_that_it_can_be_read, data_is_named_by_size_and_digest,
	  a_long_text_is_data, type_and_user_are_in_the_word,
	  no_other_word_passes_for_a_users)
