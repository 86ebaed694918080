/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words that a policy allows, by their digests.  Pure. */
#include "attest/private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_PREFIX	"sha256:"

static const char *const modes[] = {
	[ATTEST_MODE_MEASURE] = "measure",
	[ATTEST_MODE_ENFORCE] = "enforce",
	[ATTEST_MODE_SIGNED] = "signed",
};
static_assert(ARRAY_SIZE(modes) == ATTEST_MODE_MAX, "a name for every mode");

/**
 * attest_policy_mode() - find a mode by its name
 * @text: may be NULL
 *
 * Return: the mode; ATTEST_MODE_MAX if there is none of this name.
 */
enum attest_mode attest_policy_mode(const char *text)
{
	enum attest_mode mode = 0;

	while (mode < ATTEST_MODE_MAX && (!text || strcmp(text, modes[mode]) != 0))
		mode++;
	return mode;
}

/**
 * attest_policy_digest() - the digest of a word
 * @text: the word, or "sha256:" and the digest in hexadecimal
 * @ret:  its SHA-256 digest
 *
 * Return: 0; -EBADMSG if it begins like a digest and is none, or is empty.
 */
int attest_policy_digest(const char *text, struct digest *ret)
{
	size_t length = strlen(DIGEST_PREFIX);

	if (!*text)
		return -EBADMSG;
	if (strncmp(text, DIGEST_PREFIX, length) == 0)
		return digest_from_hex(DIGEST_SHA256, text + length, ret);
	digest_compute(DIGEST_SHA256, text, strlen(text), ret);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct attest_allowed *left = a, *right = b;

	return memcmp(left->sha256.bytes, right->sha256.bytes, digest_size(DIGEST_SHA256));
}

/**
 * attest_policy_sort() - make a policy's words ready for being looked up
 */
void attest_policy_sort(struct attest_policy *policy)
{
	if (policy->n_allowed)
		qsort(policy->allowed, policy->n_allowed, sizeof(*policy->allowed), compare);
}

/**
 * attest_policy_find() - look a word up
 * @sha256: of the word
 *
 * Return: index of the first entry with this digest; SIZE_MAX if it is not allowed.
 */
size_t attest_policy_find(const struct attest_policy *policy, const struct digest *sha256)
{
	const struct attest_allowed key = { .sha256 = *sha256 };
	size_t low = 0, high = policy->n_allowed;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&policy->allowed[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < policy->n_allowed && compare(&policy->allowed[low], &key) == 0 ? low
										   : SIZE_MAX;
}

/**
 * attest_policy_allows() - whether something that is required may be there at all
 * @required: name of an image, word, or digest
 */
bool attest_policy_allows(const struct attest_policy *policy, const char *required)
{
	struct digest digest;

	for (size_t i = 0; i < policy->n_allowed; i++)
		if (policy->allowed[i].image &&
		    strcmp(policy->allowed[i].image, required) == 0)
			return true;
	return attest_policy_digest(required, &digest) == 0 &&
	       attest_policy_find(policy, &digest) != SIZE_MAX;
}
