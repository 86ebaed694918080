/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dm/internal.h"
#include "verity/table.h"

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.()-"

static void check_params(const struct verity_params *params)
{
	assert(params->version <= 1 && !params->unreadable);
	assert(params->root_hash_size > 0 && params->root_hash_size <= DIGEST_SIZE_MAX);
	assert(params->salt_size <= VERITY_SALT_MAX);
	assert(params->data_block_size >= 512 && params->hash_block_size >= 512);
	assert(params->algorithm[0] && strspn(params->algorithm, PLAIN) ==
	       strlen(params->algorithm));
	assert(strlen(params->options) < VERITY_OPTIONS_MAX);
	assert(strspn(params->options, PLAIN ",%") == strlen(params->options));
	assert(!strstr(params->options, ",,") && params->options[0] != ',');
}

static int parse_target(void *ctx, const struct dm_device *device,
			const struct dm_target *target)
{
	struct verity_params params;
	uint32_t major, minor;

	(void)ctx;
	(void)device;
	if (strcmp(target->type, "verity") != 0)
		return 0;
	if (verity_table_parse(target->params, &params) == 0) {
		check_params(&params);
		assert(verity_table_data_device(target->params, &major, &minor) == 0);
	}
	return 0;
}

/* Whatever the table, a target that is taken cannot spoil the word it is put into. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct dm_device device;
	char *text = malloc(size + 1), *name = malloc(size + 1);

	assert(text && name);
	memcpy(text, data, size);
	text[size] = '\0';
	if (dm_text_unmangle(text, name, size + 1) == 0)
		assert(strlen(name) <= strlen(text));
	(void)!dm_text_targets(text, &device, parse_target, NULL);
	free(name);
	free(text);
	return 0;
}
