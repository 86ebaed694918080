/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>

#include "eventlog/eventlog.h"

/* Whatever the octets, the answer is a value or a refusal, and the same each time. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct digest first, second;

	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++) {
		int r = eventlog_firmware_fold(data, size, 13, alg, &first);

		assert(r == 0 || r == -EBADMSG);
		assert(eventlog_firmware_fold(data, size, 13, alg, &second) == r);
		assert(r < 0 || digest_equal(&first, &second));
	}
	return 0;
}
