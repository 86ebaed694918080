/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/config.h"
#include "nvpcr/nvpcr.h"

static void complain(const char *where, const char *text, const char *reason)
{
	assert(strcmp(where, "input") == 0);
	assert(text && reason && *reason);
}

static void check(const struct config *config)
{
	assert((unsigned int)config->mode < CONFIG_MODE_MAX);
	assert(config_mode_name(config->mode));
	assert(*config->tpm && memchr(config->tpm, '\0', sizeof(config->tpm)));
	assert(nvpcr_gate_check(config->gate_pcr, /* force= */ true) == 0);
	assert(config->timeout_ms >= 1000 && config->timeout_ms <= 600000);
}

/* Whatever the text, the settings stay within their ranges, and what a text says does not
 * depend on what it is read for the second time. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parsers[])(struct config *config, const char *where, char *text,
				       config_complain_fn *complain) = {
		config_parse_file, config_parse_cmdline,
	};

	for (size_t i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++) {
		struct config config, again;

		memset(&config, 0, sizeof(config));
		config_init(&config);
		for (int pass = 0; pass < 2; pass++) {
			char *text = malloc(size + 1);

			assert(text);
			memcpy(text, data, size);
			text[size] = '\0';
			again = config;
			parsers[i](&config, "input", text, complain);
			free(text);
			check(&config);
		}
		assert(again.mode == config.mode && again.enabled == config.enabled);
		assert(again.gate_pcr == config.gate_pcr);
		assert(again.timeout_ms == config.timeout_ms);
		assert(strcmp(again.tpm, config.tpm) == 0);
	}
	return 0;
}
