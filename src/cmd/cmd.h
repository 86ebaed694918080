/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_CMD_H
#define CMD_CMD_H

/*
 * The verbs: arguments in, one call down, text and exit status out.
 */
#include <stdbool.h>
#include <stddef.h>

#include "cmd/config.h"
#include "measure/measure.h"

struct json_object;

/* Exit statuses, the same for every verb; documented in veritally(8). */
enum cmd_exit {
	CMD_OK		= 0,
	CMD_FAILED	= 1,	/* could not be done, or cannot be told */
	CMD_USAGE	= 2,	/* the command line is wrong */
	CMD_MISMATCH	= 3,	/* done, and the answer is "no": verify disagrees */
};

/**
 * struct cmd_option - an option of a verb, or of all of them
 * @name: without the hyphens
 * @arg:  name of its argument; NULL if it takes none
 * @help: one line, no full stop
 * @id:   what cmd_next_option() returns for it; a character is its short form too
 *
 * A table of these ends with an entry without a name.
 */
struct cmd_option {
	const char *name;
	const char *arg;
	const char *help;
	int id;
};

/* What the global options say. */
struct cmd_env {
	int root_fd;
	const char *tpm;	/* NULL if not given */
	const char *config;	/* NULL if not given */
	int verbosity;		/* -1 quiet, 0, 1 verbose */
};

/**
 * struct cmd - a verb
 * @name:     as typed
 * @synopsis: arguments after the options, as in the man page's SYNOPSIS; may be empty
 * @summary:  one line, no full stop
 * @options:  its own options; NULL if it has none
 * @run:      gets argv[0] = name; returns an enum cmd_exit
 *
 * The table of these in main.c is the only list of verbs: dispatch and --help are made
 * from it, and the man page and the shell completion are checked against that.
 */
struct cmd {
	const char *name;
	const char *synopsis;
	const char *summary;
	const struct cmd_option *options;
	int (*run)(const struct cmd *cmd, const struct cmd_env *env, int argc,
		   char *argv[]);
};

extern const struct cmd cmd_start, cmd_watch, cmd_leave, cmd_sync, cmd_status, cmd_log,
	cmd_verify, cmd_predict, cmd_extend, cmd_nvpcr,
	cmd_undefine, cmd_ak, cmd_attest, cmd_policy, cmd_check;

/* ask.c: having the daemon do something */

/**
 * struct cmd_request - what the daemon, or else we, shall do
 * @text:        the request; see measure_control_request()
 * @phase:       of the records, where we are the writer
 * @deadline_us: when to give up; CLOCK_MONOTONIC
 * @do_it:       does it where there is no daemon; returns an exit status
 * @ctx:         argument of @do_it
 */
struct cmd_request {
	const char *text;
	const char *phase;
	uint64_t deadline_us;
	int (*do_it)(struct measure *m, const void *ctx);
	const void *ctx;
};

int cmd_ask(const struct cmd_env *env, const struct config *config,
	    const struct cmd_request *request);

/* cmd.c: what verbs share */
#define CMD_OPTIONS_END	(-1)
#define CMD_OPTION_BAD	'?'
#define CMD_OPTION_HELP	'h'
#define CMD_OPTION_JSON	256
#define CMD_OPTION_HANDLE	512
#define CMD_OPTION_OPTIONS	513
#define CMD_OPTION_ARCHITECTURE	514
#define CMD_OPTION_OWN		257	/* from here to 511: a verb's own */

/* For the option table of a verb that prints something. */
#define CMD_JSON_ROW	{ "json", NULL, "print JSON, for machines", CMD_OPTION_JSON }

/* For the option table of a verb that needs the attestation key. */
#define CMD_HANDLE_ROW	{ "handle", "HANDLE", "of the attestation key, if not 0x81015645", \
			  CMD_OPTION_HANDLE }

/* For the option table of a verb that reads images. */
#define CMD_PREDICTION_ROWS							\
	{ "options", "LIST", "the image is activated with these dm-verity options",	\
	  CMD_OPTION_OPTIONS },							\
	{ "architecture", "NAME",						\
	  "of the partitions to look for, instead of this machine's",		\
	  CMD_OPTION_ARCHITECTURE }

int cmd_next_option(const struct cmd *cmd, int argc, char *argv[]);
void cmd_print_options(const struct cmd_option *options);
void cmd_print_help(const struct cmd *cmd);
int cmd_no_arguments(const struct cmd *cmd, int argc);
int cmd_load_config(const struct cmd_env *env, struct config *ret);
void cmd_measure_options(const struct cmd_env *env, const struct config *config,
			 const char *phase, struct measure_options *ret);
int cmd_open_tpm(const struct cmd_env *env, struct tpm **ret, const char **ret_reason);
int cmd_begin(struct measure *m, const struct measure_options *options, bool arm);
void cmd_speak_as_service(const struct cmd_env *env);
int cmd_json_option(const struct cmd *cmd, int argc, char *argv[], bool *ret_json);
bool cmd_is_off(const struct config *config);
void cmd_print_claim(const char *text);
int cmd_print_json(struct json_object *object);

/* ak.c: what verbs share that need the attestation key */
int cmd_take_handle(const char *text, uint32_t *ret);
int cmd_need_tpm(const struct cmd_env *env, struct tpm **ret);
int cmd_ak_failed(const struct tpm *tpm, uint32_t handle, int r);

/* predict.c: the words of images */

/**
 * struct cmd_prediction - how an image will be activated
 * @options:      of dm-verity, as in a word; empty for none
 * @architecture: of the partitions to look for; NULL for this machine's
 */
struct cmd_prediction {
	char options[VERITY_OPTIONS_MAX];
	const char *architecture;
};

int cmd_prediction_option(struct cmd_prediction *prediction, int id);
int cmd_predict_image(const char *path, const struct cmd_prediction *prediction,
		      int (*tell)(void *ctx, const char *path, const char *signature,
				  const char *word), void *ctx);

#endif /* CMD_CMD_H */
