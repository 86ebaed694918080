/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `extend`: have something measured into an NvPCR or a PCR. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/msg.h"

#include "cmd/cmd.h"

#define FILE_SIZE_MAX	(16U << 20)	/* bytes */
#define TIMEOUT_S	30

enum {
	OPTION_WORD = 256,
	OPTION_FILE,
};

static const struct cmd_option option_table[] = {
	{ "word", "TEXT", "measure this text", OPTION_WORD },
	{ "file", "FILE", "measure the content of this file, '-' for standard input",
	  OPTION_FILE },
	{ 0 },
};

/* What goes where. */
struct extension {
	const char *target;
	char word[MEASURE_USER_MAX];
};

static int do_it(struct measure *m, const void *ctx)
{
	const struct extension *extension = ctx;
	const char *reason = NULL;
	int r = measure_user(m, extension->target, extension->word, "user", &reason);

	if (r == 0)
		return CMD_OK;
	if (r == -ENOENT)
		return msg_error(CMD_FAILED, "there is no NvPCR '%s' in this boot (and a PCR is "
				 "named pcr:N); see 'veritally nvpcr list'",
				 extension->target);
	(void)msg_error(reason ? 0 : r, "cannot extend %s%s%s", extension->target,
			reason ? ": " : "", reason ? reason : "");
	return CMD_FAILED;
}

/* Reads a file to its end: 0, or a status after saying what is wrong. */
static int read_file(const char *path, char **ret, size_t *ret_size)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *data = malloc(FILE_SIZE_MAX + 1);
	int r = CMD_OK;

	if (file && data)
		*ret_size = fread(data, 1, FILE_SIZE_MAX + 1, file);
	if (!file || !data || ferror(file))
		r = (msg_error(-errno, "cannot read %s", path), CMD_FAILED);
	else if (*ret_size > FILE_SIZE_MAX)
		r = msg_error(CMD_FAILED, "%s has more than 16 MiB; measure its digest", path);
	else if (*ret_size == 0)
		r = msg_error(CMD_FAILED, "%s is empty, there is nothing to measure", path);
	if (file && file != stdin)
		(void)fclose(file);
	if (r != CMD_OK)
		free(data);
	else
		*ret = data;
	return r;
}

static int make_word(const char *text, const char *path, struct extension *extension)
{
	struct measure_user user = {
		.source = "command", .uid = geteuid(), .type = "", .is_text = text,
	};
	_cleanup_free_ char *data = NULL;
	int r = CMD_OK;

	if (text && !*text)
		return msg_error(CMD_USAGE, "--word is empty, there is nothing to measure");
	if (!text)
		r = read_file(path, &data, &user.size);
	if (r != CMD_OK)
		return r;
	user.data = text ? text : data;
	user.size = text ? strlen(text) : user.size;
	(void)measure_user_word(&user, extension->word);
	return CMD_OK;
}

/* To allocate and to anchor is not for somebody who wants one text measured. */
static bool was_started(const struct cmd_env *env)
{
	_cleanup_free_ struct nvpcr_set *set = calloc(1, sizeof(*set));

	return measure_writer(env->root_fd) || !set ||
	       measure_registry_read(env->root_fd, set) != -ENOENT;
}

static int extend(const struct cmd_env *env, const struct extension *extension)
{
	char request[MEASURE_REQUEST_MAX];
	struct config config;
	int r = cmd_load_config(env, &config);

	if (r != CMD_OK || cmd_is_off(&config))
		return r;
	if (strlen(extension->target) >= NVPCR_NAME_MAX || strchr(extension->target, ' '))
		return msg_error(CMD_USAGE, "'%s' is no name of an NvPCR", extension->target);
	if (!was_started(env))
		return msg_error(CMD_FAILED, "nothing was measured in this boot: veritally was "
				 "not started");
	(void)snprintf(request, sizeof(request), "extend %s %s", extension->target,
		       extension->word);
	return cmd_ask(env, &config, &(struct cmd_request){
		.text = request,
		.phase = MEASURE_PHASE_HOST,
		.deadline_us = clock_us(CLOCK_MONOTONIC) + TIMEOUT_S * CLOCK_S,
		.do_it = do_it,
		.ctx = extension,
	});
}

/* Options may stand before the target and after it. */
static int take_options(const struct cmd *cmd, int argc, char *argv[], const char **text,
			const char **path)
{
	int id;

	optind = 0;
	while ((id = cmd_next_option(cmd, argc, argv)) != CMD_OPTIONS_END) {
		if (id == OPTION_WORD)
			*text = optarg;
		else if (id == OPTION_FILE)
			*path = optarg;
		else
			break;
	}
	return id;
}

static int run(const struct cmd *cmd, const struct cmd_env *env, int argc, char *argv[])
{
	struct extension extension = { .target = NULL };
	const char *text = NULL, *path = NULL;
	int id = take_options(cmd, argc, argv, &text, &path), r;

	if (id == CMD_OPTIONS_END && optind < argc) {
		extension.target = argv[optind];
		argc -= optind;
		argv += optind;
		id = take_options(cmd, argc, argv, &text, &path);
	}
	if (id != CMD_OPTIONS_END)
		return id == CMD_OPTION_HELP ? CMD_OK : CMD_USAGE;
	if (optind < argc && !path && !text && strcmp(argv[optind], "-") == 0)
		path = argv[optind++];
	if (!extension.target)
		return msg_error(CMD_USAGE, "extend takes the name of an NvPCR, or pcr:N");
	if (optind < argc)
		return msg_error(CMD_USAGE, "extend cannot use '%s': a text is given as "
				 "--word=TEXT, a file as --file=FILE", argv[optind]);
	if (!text == !path)
		return msg_error(CMD_USAGE, "extend takes %s --word=TEXT, --file=FILE or -",
				 text ? "only one of" : "something to measure:");
	r = make_word(text, path, &extension);
	return r == CMD_OK ? extend(env, &extension) : r;
}

const struct cmd cmd_extend = {
	.name = "extend",
	.synopsis = "NAME | pcr:N [-]",
	.summary = "measure a text or a file into an NvPCR or a PCR",
	.options = option_table,
	.run = run,
};
