/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whatever the octets: checking them ends, says what is wrong, and never that they are
 * trusted, as the verifier does not say which key it knows.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attest/attest.h"
#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void report(void *ctx, const struct attest_finding *finding)
{
	uint64_t *n = ctx;

	assert(finding->verdict != ATTEST_TRUSTED && *finding->condition);
	assert(finding->expected && finding->found && *finding->meaning);
	++*n;
}

static void check(int fd, const struct attest_policy *policy)
{
	static const uint8_t nonce[] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77 };
	struct attest_result result;
	uint64_t n = 0;
	const struct attest_demand demand = {
		.policy = policy, .nonce = nonce, .nonce_size = sizeof(nonce),
		.report = report, .ctx = &n,
	};

	assert(attest_check(fd, &demand, &result) == 0);
	assert(n && n <= result.n_findings);
	assert(result.verdict != ATTEST_TRUSTED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] = "{\"veritally-policy\":1,\"pcrs\":{},\"events\":{\"9\":[]},"
				   "\"sources\":[\"lsm\"],\"words\":[\"a\"],\"required\":[\"a\"],"
				   "\"sets\":[\"set:v1:host-ready:1:00\"],\"degraded\":\"allow\"}";
	_cleanup_(attest_policy_free) struct attest_policy *policy = NULL;
	_cleanup_close_ int fd = memfd_create("evidence", MFD_CLOEXEC);
	char reason[ATTEST_REASON_MAX];

	assert(attest_policy_parse(text, strlen(text), &policy, reason) == 0);
	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	check(fd, policy);
	return 0;
}
