/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TEST_TEST_H
#define TEST_TEST_H

/*
 * Unit tests that speak TAP, for prove(1).
 *
 * A test is a static function named as a sentence; TEST_MAIN lists them in
 * order.  A failed check prints where and why and fails the test, which goes on.
 */
#include <stdio.h>
#include <string.h>

static int test_failed;
static const char *test_skipped;	/* why the running test was skipped */
static const char *test_case;		/* row of a table-driven test, for the message */

#define TEST_FAIL(...) do {							\
	printf("# %s:%d: [%s] ", __FILE__, __LINE__, test_case ? test_case : "-"); \
	printf(__VA_ARGS__);							\
	putchar('\n');								\
	test_failed = 1;							\
} while (0)

/* Leave the running test: it can't be run here. */
#define TEST_SKIP(reason) do {							\
	test_skipped = (reason);						\
	return;									\
} while (0)

#define CHECK(cond) do {							\
	if (!(cond))								\
		TEST_FAIL("false: %s", #cond);					\
} while (0)

#define CHECK_EQ(got, want) do {						\
	long long got_ = (long long)(got), want_ = (long long)(want);		\
	if (got_ != want_)							\
		TEST_FAIL("%s is %lld, not %lld", #got, got_, want_);		\
} while (0)

#define CHECK_MEM(got, got_size, want, want_size) do {				\
	if ((got_size) != (want_size) || memcmp(got, want, want_size))		\
		TEST_FAIL("%s differs from %s", #got, #want);			\
} while (0)

#define CHECK_STR(got, want) do {						\
	const char *got_ = (got), *want_ = (want);				\
	if (!got_ || strcmp(got_, want_))					\
		TEST_FAIL("%s is \"%s\", not \"%s\"", #got,			\
			  got_ ? got_ : "(null)", want_);			\
} while (0)

/* Cut the next name off a list such as "one_test, another_test". */
static int test_next_name(const char **names, char *name, size_t name_size)
{
	size_t len;

	*names += strspn(*names, ", \t\n");
	len = strcspn(*names, ", \t\n");
	snprintf(name, name_size, "%.*s", (int)len, *names);
	*names += len;
	for (char *p = name; *p; p++)
		if (*p == '_')
			*p = ' ';
	return len != 0;
}

static int test_run_all(void (*const *tests)(void), size_t count, const char *names)
{
	char name[128];
	int failures = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count && test_next_name(&names, name, sizeof(name)); i++) {
		test_failed = 0;
		test_skipped = test_case = NULL;
		tests[i]();
		printf("%sok %zu - %s%s%s\n", test_failed ? "not " : "", i + 1, name,
		       test_skipped ? " # SKIP " : "", test_skipped ? test_skipped : "");
		failures += test_failed;
	}
	return failures ? 1 : 0;
}

/* TEST_MAIN(first_test, second_test, ...) takes any number of tests. */
#define TEST_MAIN(...)								\
	int main(void)								\
	{									\
		static void (*const tests[])(void) = { __VA_ARGS__ };		\
		return test_run_all(tests, sizeof(tests) / sizeof(tests[0]),	\
				    #__VA_ARGS__);				\
	}

#endif /* TEST_TEST_H */
