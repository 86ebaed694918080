/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "nvpcr/nvpcr.h"

static void rebuild(const struct nvpcr_anchor *anchor, struct nvpcr_set *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (anchor->n == 0) {
		ret->n_nvpcrs = 1;
		ret->nvpcrs[0].rung = anchor->rung;
		memcpy(ret->reason, anchor->reason, sizeof(ret->reason));
		return;
	}
	ret->n_nvpcrs = anchor->n;
	for (size_t i = 0; i < anchor->n; i++) {
		ret->nvpcrs[i].def.index = anchor->handles[i];
		ret->nvpcrs[i].name = anchor->names[i];
		ret->nvpcrs[i].value = anchor->values[i];
	}
}

/* Whatever the word, one that is taken is spelled as we spell it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char again[NVPCR_ANCHOR_MAX], *word = malloc(size + 1);
	struct nvpcr_anchor anchor;
	struct nvpcr_set set;

	if (!word)
		return 0;
	if (size)
		memcpy(word, data, size);
	word[size] = '\0';
	if (nvpcr_anchor_parse(word, &anchor) == 0) {
		rebuild(&anchor, &set);
		assert(nvpcr_anchor_word(&set, again) == 0);
		assert(strcmp(again, word) == 0);
	}
	free(word);
	return 0;
}
