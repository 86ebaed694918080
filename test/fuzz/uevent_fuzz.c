/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <string.h>

#include "verity/uevent.h"

/* Whatever the datagram, one that is taken says what it is about in its head as well. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const heads[] = {
		[VERITY_UEVENT_ADD] = "add@", [VERITY_UEVENT_CHANGE] = "change@",
		[VERITY_UEVENT_REMOVE] = "remove@",
	};
	const char *text = (const char *)data;
	struct verity_uevent event;
	int r;

	r = verity_uevent_parse(text, size, &event);
	assert(r <= VERITY_UEVENT_MODULE);
	if (r == VERITY_UEVENT_MODULE)
		assert(!strcmp(text, "add@/module/dm_verity"));
	if (r == 0) {
		assert(event.action < VERITY_UEVENT_ACTION_MAX);
		assert(!strncmp(text, heads[event.action], strlen(heads[event.action])));
		assert(strstr(text, "/dm-"));
	}
	return 0;
}
