/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <string.h>

#include "nvpcr/nvpcr.h"

/* Whatever the text, a definition that is taken is within its ranges, and one that is
 * refused has a reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nvpcr_def def;
	const char *reason = NULL;
	int r;

	r = nvpcr_def_parse((const char *)data, size, &def, &reason);
	if (r < 0) {
		assert(reason);
		return 0;
	}
	assert(def.name[0] && strlen(def.name) < sizeof(def.name));
	assert(!strpbrk(def.name, "/.:\n "));
	assert(def.index >= 0x01000000 && def.index <= 0x01ffffff);
	assert(def.index < 0x01d10200 || def.index > 0x01d1020f);
	assert(def.alg == DIGEST_SHA256 || def.alg == DIGEST_SHA384);
	return 0;
}
