/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "measure/private.h"

/* Whatever the message, there is a call with a target and data, a reply, or neither. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *reply = NULL;
	struct measure_call call;
	bool oneway;
	int r;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	r = measure_varlink_parse(text, strlen(text), &call, &reply, &oneway);
	if (r == MEASURE_CALL_EXTEND) {
		assert(*call.target && call.data && call.size && !reply);
		measure_call_done(&call);
	} else {
		assert(r < 0 ? !reply : reply && strlen(reply) > 2);
	}
	free(reply);
	free(text);
	return 0;
}
