/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attest/private.h"

#include <errno.h>
#include <stdio.h>

#include "test.h"

static struct attest_policy *policy_of(const char *members)
{
	struct attest_policy *policy = NULL;
	char text[1024], reason[ATTEST_REASON_MAX];

	(void)snprintf(text, sizeof(text), "{\"veritally-policy\":1,%s}", members);
	CHECK_EQ(attest_policy_parse(text, strlen(text), &policy, reason), 0);
	return policy;
}

static void a_word_is_found_by_itself_and_by_its_digest(void)
{
	_cleanup_(attest_policy_free) struct attest_policy *policy = policy_of(
		"\"images\":{\"i\":[\"a\",\"b\"],\"k\":[\"a\"]},\"words\":[\"sha256:"
		"2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6\"]");
	static const char *const words[] = { "a", "b", "c" };
	struct digest digest;

	CHECK_EQ(policy->n_allowed, 4);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t found;

		CHECK_EQ(attest_policy_digest(words[i], &digest), 0);
		found = attest_policy_find(policy, &digest);
		CHECK(found < policy->n_allowed);
		CHECK(digest_equal(&policy->allowed[found].sha256, &digest));
		CHECK(found == 0 || !digest_equal(&policy->allowed[found - 1].sha256, &digest));
	}
	CHECK_EQ(attest_policy_digest("d", &digest), 0);
	CHECK_EQ(attest_policy_find(policy, &digest), SIZE_MAX);
}

static void what_is_required_must_be_allowed(void)
{
	_cleanup_(attest_policy_free) struct attest_policy *policy = policy_of(
		"\"images\":{\"i\":[\"a\"]},\"words\":[\"b\"]");

	CHECK(attest_policy_allows(policy, "i"));
	CHECK(attest_policy_allows(policy, "a"));
	CHECK(attest_policy_allows(policy, "b"));
	CHECK(!attest_policy_allows(policy, "c"));
	CHECK(!attest_policy_allows(policy, ""));
}

static void nothing_is_found_in_an_empty_policy(void)
{
	_cleanup_(attest_policy_free) struct attest_policy *policy = policy_of("\"words\":[]");
	struct digest digest;

	CHECK_EQ(attest_policy_digest("a", &digest), 0);
	CHECK_EQ(attest_policy_find(policy, &digest), SIZE_MAX);
}

static void a_digest_is_spelled_as_it_must_be(void)
{
	struct digest digest;

	CHECK_EQ(attest_policy_digest("sha256:00", &digest), -EBADMSG);
	CHECK_EQ(attest_policy_digest("sha256:", &digest), -EBADMSG);
	CHECK_EQ(attest_policy_digest("", &digest), -EBADMSG);
	CHECK_EQ(attest_policy_digest("sha1:00", &digest), 0);
}

static void modes_have_names(void)
{
	CHECK_EQ(attest_policy_mode("measure"), ATTEST_MODE_MEASURE);
	CHECK_EQ(attest_policy_mode("enforce"), ATTEST_MODE_ENFORCE);
	CHECK_EQ(attest_policy_mode("signed"), ATTEST_MODE_SIGNED);
	CHECK_EQ(attest_policy_mode("guard"), ATTEST_MODE_MAX);
	CHECK_EQ(attest_policy_mode(NULL), ATTEST_MODE_MAX);
}

TEST_MAIN(a_word_is_found_by_itself_and_by_its_digest, what_is_required_must_be_allowed,
	  nothing_is_found_in_an_empty_policy, a_digest_is_spelled_as_it_must_be,
	  modes_have_names)
