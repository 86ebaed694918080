/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configuration text: files of KEY=VALUE lines and the kernel command line.
 *
 * Pure.  What cannot be understood is complained about and left out; the setting keeps
 * the value it had, because a typing error must not stop a boot.
 */
#include "cmd/config.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "nvpcr/nvpcr.h"

#define TIMEOUT_MAX_S	600
#define WAIT_MAX_MS	15000	/* the kernel complains of CPUs that are busy for longer */
#define RING_MAX_KIB	65536

static const char *const mode_names[] = {
	[CONFIG_MODE_MEASURE] = "measure",
	[CONFIG_MODE_ENFORCE] = "enforce",
	[CONFIG_MODE_SIGNED] = "signed",
	[CONFIG_MODE_LOG] = "log",
};
static_assert(ARRAY_SIZE(mode_names) == CONFIG_MODE_MAX, "a name for every mode");

/**
 * config_init() - the settings without any configuration
 */
void config_init(struct config *ret)
{
	*ret = (struct config){
		.enabled = true,
		.mode = CONFIG_MODE_MEASURE,
		.tpm = "auto",
		.gate_pcr = NVPCR_GATE_DEFAULT,
		.timeout_ms = 5000,
		.hook = VERITY_KIND_LSM,
		.wait_ms = 5000,
		.ring_kib = 256,
	};
}

/**
 * config_mode_name() - a mode as the configuration spells it
 */
const char *config_mode_name(enum config_mode mode)
{
	return mode_names[mode];
}

static const char *set_mode(struct config *config, const char *value)
{
	for (int i = 0; i < CONFIG_MODE_MAX; i++) {
		if (strcmp(value, mode_names[i]) == 0) {
			config->mode = i;
			return NULL;
		}
	}
	return "must be measure, enforce, signed or log";
}

static const char *set_tpm(struct config *config, const char *value)
{
	if (strlen(value) >= sizeof(config->tpm) ||
	    (strcmp(value, "auto") != 0 && strcmp(value, "none") != 0 &&
	     strncmp(value, "device:/", 8) != 0 && strncmp(value, "swtpm:", 6) != 0))
		return "must be auto, none or a connection such as device:/dev/tpmrm0";
	(void)snprintf(config->tpm, sizeof(config->tpm), "%s", value);
	return NULL;
}

static const char *set_gate_pcr(struct config *config, const char *value)
{
	size_t length = strcspn(value, ",");
	bool force = strcmp(value + length, ",force") == 0;
	char number[8];
	uint64_t pcr;

	(void)snprintf(number, sizeof(number), "%.*s", (int)length, value);
	if ((value[length] && !force) || number_parse(number, 23, &pcr) < 0)
		return "must be the number of a PCR";
	if (nvpcr_gate_check((unsigned int)pcr, force) < 0)
		return "cannot be the gate: use 13, 8, 9 or 14";
	config->gate_pcr = (unsigned int)pcr;
	return NULL;
}

static const char *set_timeout(struct config *config, const char *value)
{
	uint64_t timeout;

	if (number_parse(value, TIMEOUT_MAX_S, &timeout) < 0 || timeout < 1)
		return "must be a number of seconds from 1 to 600";
	config->timeout_ms = (unsigned int)timeout * 1000;
	return NULL;
}

static const char *set_hook(struct config *config, const char *value)
{
	for (int kind = 0; kind < VERITY_KIND_MAX; kind++) {
		if (strcmp(value, verity_kind_name(kind)) == 0) {
			config->hook = kind;
			return NULL;
		}
	}
	if (strcmp(value, "auto") != 0)
		return "must be auto, lsm, fmod_ret, fentry or uevent";
	config->hook = VERITY_KIND_LSM;
	return NULL;
}

static const char *set_guard(struct config *config, const char *value)
{
	bool yes = strcmp(value, "yes") == 0 || strcmp(value, "1") == 0;

	if (!yes && strcmp(value, "no") != 0 && strcmp(value, "0") != 0)
		return "must be yes or no";
	config->guard = yes;
	return NULL;
}

static const char *set_wait(struct config *config, const char *value)
{
	uint64_t wait;

	if (number_parse(value, WAIT_MAX_MS, &wait) < 0)
		return "must be a number of milliseconds up to 15000";
	config->wait_ms = (unsigned int)wait;
	return NULL;
}

static const char *set_ring(struct config *config, const char *value)
{
	uint64_t ring;

	if (number_parse(value, RING_MAX_KIB, &ring) < 0 || ring < 4 || (ring & (ring - 1)))
		return "must be a number of KiB from 4 to 65536, a power of two";
	config->ring_kib = (unsigned int)ring;
	return NULL;
}

static const char *set_extend_group(struct config *config, const char *value)
{
	if (strlen(value) >= sizeof(config->extend_group) || strchr(value, ':'))
		return "must be the name of a group";
	(void)snprintf(config->extend_group, sizeof(config->extend_group), "%s", value);
	return NULL;
}

static const char *set_systemd(struct config *config, const char *value)
{
	static const char *const names[] = {
		[CONFIG_SYSTEMD_AUTO] = "auto",
		[CONFIG_SYSTEMD_OWN] = "own",
		[CONFIG_SYSTEMD_SHARE] = "share",
		[CONFIG_SYSTEMD_OFF] = "off",
	};

	static_assert(ARRAY_SIZE(names) == CONFIG_SYSTEMD_MAX, "a name for every way");
	for (int i = 0; i < CONFIG_SYSTEMD_MAX; i++) {
		if (strcmp(value, names[i]) == 0) {
			config->systemd = i;
			return NULL;
		}
	}
	return "must be auto, own, share or off";
}

/**
 * config_set() - change one setting
 * @config: settings
 * @key:    its name
 * @value:  its new value
 *
 * Return: NULL; or why it cannot be, a static string that goes on after the key.
 */
const char *config_set(struct config *config, const char *key, const char *value)
{
	static const struct {
		const char *key;
		const char *(*set)(struct config *config, const char *value);
	} setters[] = {
		{ "mode", set_mode },
		{ "tpm", set_tpm },
		{ "gate_pcr", set_gate_pcr },
		{ "timeout", set_timeout },
		{ "hook", set_hook },
		{ "wait", set_wait },
		{ "guard", set_guard },
		{ "ring", set_ring },
		{ "extend_group", set_extend_group },
		{ "systemd", set_systemd },
	};

	for (size_t i = 0; i < ARRAY_SIZE(setters); i++)
		if (strcmp(key, setters[i].key) == 0)
			return setters[i].set(config, value);
	return "is no setting of veritally";
}

static char *strip(char *text)
{
	char *end;

	text += strspn(text, " \t\r");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return text;
}

static void parse_line(struct config *config, const char *where, char *line,
		       config_complain_fn *complain)
{
	const char *reason;
	char *value;

	line = strip(line);
	if (!*line || *line == '#' || *line == ';')
		return;
	value = strchr(line, '=');
	if (!value) {
		complain(where, line, "is no KEY=VALUE line");
		return;
	}
	*value++ = '\0';
	reason = config_set(config, strip(line), strip(value));
	if (reason)
		complain(where, strip(line), reason);
}

/**
 * config_parse_file() - take the settings of a configuration file
 * @config:   settings; changed where the file says so
 * @where:    name of the file, for @complain
 * @text:     its content, terminated by NUL; written to
 * @complain: called with each line that cannot be used
 */
void config_parse_file(struct config *config, const char *where, char *text,
		       config_complain_fn *complain)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		parse_line(config, where, line, complain);
}

/* Cuts the next parameter off; spaces inside double quotes do not end it. */
static char *next_parameter(char **text)
{
	char *from = *text + strspn(*text, " \t\n"), *to = from, *parameter = from;
	bool quoted = false;

	if (!*from)
		return NULL;
	for (; *from && (quoted || !strchr(" \t\n", *from)); from++) {
		if (*from == '"')
			quoted = !quoted;
		else
			*to++ = *from;
	}
	*text = *from ? from + 1 : from;
	*to = '\0';
	return parameter;
}

static void parse_parameter(struct config *config, const char *where, char *parameter,
			    config_complain_fn *complain)
{
	const char *reason = NULL;
	char *value, *key = parameter;

	if (strncmp(key, "rd.", 3) == 0)
		key += 3;
	if (strncmp(key, "veritally", 9) != 0 || (key[9] && key[9] != '.' && key[9] != '='))
		return;
	value = strchr(key, '=');
	if (value)
		*value++ = '\0';
	else
		value = key[9] ? "" : "1";
	if (key[9] == '.')
		reason = config_set(config, key + 10, value);
	else if (strcmp(value, "0") == 0 || strcmp(value, "no") == 0)
		config->enabled = false;
	else if (strcmp(value, "1") == 0 || strcmp(value, "yes") == 0)
		config->enabled = true;
	else
		reason = "must be 0 or 1";
	if (reason)
		complain(where, parameter, reason);
}

/**
 * config_parse_cmdline() - take the settings of a kernel command line
 * @config:   settings; changed where the command line says so
 * @where:    name of its file, for @complain
 * @text:     the command line, terminated by NUL; written to
 * @complain: called with each parameter of ours that cannot be used
 *
 * `veritally=0` and `rd.veritally=0` switch everything off; `veritally.KEY=VALUE` and
 * `rd.veritally.KEY=VALUE` are settings.  The last one counts.
 */
void config_parse_cmdline(struct config *config, const char *where, char *text,
			  config_complain_fn *complain)
{
	char *parameter;

	while ((parameter = next_parameter(&text)))
		parse_parameter(config, where, parameter, complain);
}
