/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the octets: they are a policy, or it is said why not. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "attest/attest.h"
#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(attest_policy_free) struct attest_policy *policy = NULL;
	char reason[ATTEST_REASON_MAX] = "";
	int r = attest_policy_parse((const char *)data, size, &policy, reason);

	assert(r == 0 || r == -EBADMSG);
	assert((r == 0) == !!policy);
	assert((r == 0) == !*reason);
	assert(memchr(reason, '\0', sizeof(reason)));
	return 0;
}
