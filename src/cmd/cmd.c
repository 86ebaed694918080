/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verbs share: options, configuration, opening a session. */
#include "cmd/cmd.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/number.h"

#define OPTIONS_MAX	16
#define GROUP_FILE_MAX	(1U << 20)	/* bytes */

static size_t count_options(const struct cmd_option *options)
{
	size_t n = 0;

	while (options && options[n].name)
		n++;
	return n;
}

static void add_short(char *shorts, const struct cmd_option *option)
{
	if (option->id > 255 || option->id == CMD_OPTION_HELP)
		return;
	shorts += strlen(shorts);
	*shorts++ = (char)option->id;
	if (option->arg)
		*shorts++ = ':';
	*shorts = '\0';
}

/* getopt_long(3) has said "PROGRAM: text"; we say it as we say everything. */
static int complain(const struct cmd *cmd, char *argv[])
{
	const char *what = optopt && optopt <= 255 ? (char[]){ '-', (char)optopt, '\0' }
						   : argv[optind - 1];

	return msg_error(CMD_OPTION_BAD,
			 "option '%s' cannot be used; see 'veritally %s%s--help'", what,
			 cmd->name ? cmd->name : "", cmd->name ? " " : "");
}

/**
 * cmd_next_option() - take the next option of a verb
 * @cmd:  verb; without a name it stands for the global options
 * @argc: of the verb
 * @argv: of the verb, argv[0] being its name
 *
 * Return: struct cmd_option::id, with its argument in optarg; CMD_OPTIONS_END, with the
 * arguments from argv[optind] on; CMD_OPTION_HELP, also when a verb was asked and its help
 * was printed; CMD_OPTION_BAD after saying what is wrong.
 */
int cmd_next_option(const struct cmd *cmd, int argc, char *argv[])
{
	struct option longs[OPTIONS_MAX + 2] = { 0 };
	char shorts[2 * OPTIONS_MAX + 4] = "+h";
	size_t n = count_options(cmd->options);
	int id;

	for (size_t i = 0; i < n; i++) {
		longs[i] = (struct option){
			.name = cmd->options[i].name,
			.has_arg = cmd->options[i].arg ? required_argument : no_argument,
			.val = cmd->options[i].id,
		};
		add_short(shorts, &cmd->options[i]);
	}
	if (cmd->name)
		longs[n] = (struct option){ .name = "help", .val = CMD_OPTION_HELP };
	opterr = 0;
	id = getopt_long(argc, argv, shorts, longs, NULL);
	if (id == '?' || id == ':')
		return complain(cmd, argv);
	if (id == CMD_OPTION_HELP && cmd->name)
		cmd_print_help(cmd);
	return id;
}

/**
 * cmd_print_options() - print a table of options
 */
void cmd_print_options(const struct cmd_option *options)
{
	for (; options && options->name; options++) {
		char left[64], shorts[8] = "";

		if (options->id <= 255)
			(void)snprintf(shorts, sizeof(shorts), "-%c, ", options->id);
		(void)snprintf(left, sizeof(left), "%s--%s%s%s", shorts, options->name,
			       options->arg ? "=" : "", options->arg ? options->arg : "");
		(void)printf("  %-20s %s\n", left, options->help);
	}
}

/**
 * cmd_print_help() - print the help of a verb
 */
void cmd_print_help(const struct cmd *cmd)
{
	(void)printf("Usage: veritally %s%s%s%s\n\n", cmd->name,
		     cmd->options ? " [OPTIONS]" : "", *cmd->synopsis ? " " : "",
		     cmd->synopsis);
	(void)printf("%s.\n", cmd->summary);
	if (cmd->options)
		(void)puts("\nOptions:");
	cmd_print_options(cmd->options);
}

/**
 * cmd_no_arguments() - end a verb's options where no arguments may follow
 *
 * Return: CMD_OK or, after saying so, CMD_USAGE.
 */
int cmd_no_arguments(const struct cmd *cmd, int argc)
{
	if (optind >= argc)
		return CMD_OK;
	return msg_error(CMD_USAGE, "%s takes no arguments; see 'veritally %s --help'",
			 cmd->name, cmd->name);
}

/**
 * cmd_json_option() - parse the arguments of a verb whose only option is --json
 * @cmd:      verb
 * @argc:     of the verb
 * @argv:     of the verb
 * @ret_json: whether JSON is wanted
 *
 * Return: CMD_OPTIONS_END; or the status to exit with, CMD_OK after printing the help.
 */
int cmd_json_option(const struct cmd *cmd, int argc, char *argv[], bool *ret_json)
{
	int id;

	*ret_json = false;
	while ((id = cmd_next_option(cmd, argc, argv)) == CMD_OPTION_JSON)
		*ret_json = true;
	if (id != CMD_OPTIONS_END)
		return id == CMD_OPTION_HELP ? CMD_OK : CMD_USAGE;
	return cmd_no_arguments(cmd, argc) == CMD_OK ? CMD_OPTIONS_END : CMD_USAGE;
}

/**
 * cmd_speak_as_service() - where nobody reads stderr, speak to the kernel's log too
 *
 * That is so without systemd, and never below another root than "/".
 */
void cmd_speak_as_service(const struct cmd_env *env)
{
	msg_init(env->verbosity < 0 ? MSG_WARNING : env->verbosity ? MSG_DEBUG : MSG_INFO,
		 dm_is_live(env->root_fd) > 0 && !getenv("JOURNAL_STREAM"));
}

static void complain_config(const char *where, const char *text, const char *reason)
{
	msg_warning(0, "%s: '%s' %s, ignoring it", where, text, reason);
}

static void complain_definition(const char *path, const char *reason)
{
	msg_warning(0, "%s: %s, ignoring this NvPCR", path, reason);
}

/**
 * cmd_load_config() - read the configuration
 *
 * Return: CMD_OK; or CMD_FAILED after saying why --config's file cannot be read.
 */
int cmd_load_config(const struct cmd_env *env, struct config *ret)
{
	int r = config_load(ret, env->root_fd, env->config, complain_config);

	if (r < 0)
		(void)msg_error(r, "cannot read --config=%s", env->config);
	return r < 0 ? CMD_FAILED : CMD_OK;
}

/**
 * cmd_is_off() - whether the kernel command line switches veritally off; says so
 */
bool cmd_is_off(const struct config *config)
{
	if (!config->enabled)
		msg_info("switched off on the kernel command line, doing nothing");
	return !config->enabled;
}

/*
 * Looks a group up in /etc/group below the root; 0 if it is not there.  The C
 * library would look below "/", and may want to load modules.
 */
static gid_t find_group(const struct cmd_env *env, const char *name)
{
	_cleanup_free_ char *text = NULL;
	size_t size, length = strlen(name);
	char *next, *line;
	uint64_t gid;

	if (!*name ||
	    io_read_file(env->root_fd, "/etc/group", GROUP_FILE_MAX, &text, &size) < 0)
		return 0;
	next = text;
	while ((line = strsep(&next, "\n"))) {
		char *number;

		if (strncmp(line, name, length) != 0 || line[length] != ':')
			continue;
		number = strchr(line + length + 1, ':');
		if (number && strchr(number + 1, ':')) {
			*strchr(number + 1, ':') = '\0';
			if (number_parse(number + 1, UINT32_MAX - 1, &gid) == 0)
				return (gid_t)gid;
		}
	}
	return 0;
}

/* Where systemd runs there is a folder of its; sd_booted(3) goes by the same. */
static enum measure_systemd find_systemd(const struct cmd_env *env,
					 const struct config *config)
{
	if (config->systemd == CONFIG_SYSTEMD_OFF)
		return MEASURE_SYSTEMD_OFF;
	if (config->systemd == CONFIG_SYSTEMD_SHARE)
		return MEASURE_SYSTEMD_SHARE;
	return config->systemd == CONFIG_SYSTEMD_OWN ||
	       io_exists(env->root_fd, "/run/systemd/system") ? MEASURE_SYSTEMD_OWN
							     : MEASURE_SYSTEMD_OFF;
}

/**
 * cmd_measure_options() - options of a session
 * @env:    borrowed by @ret
 * @config: borrowed by @ret
 * @phase:  static string
 * @ret:    the options
 */
void cmd_measure_options(const struct cmd_env *env, const struct config *config,
			 const char *phase, struct measure_options *ret)
{
	static const enum verity_mode modes[CONFIG_MODE_MAX] = {
		[CONFIG_MODE_ENFORCE] = VERITY_MODE_ENFORCE,
		[CONFIG_MODE_SIGNED] = VERITY_MODE_SIGNED,
	};

	*ret = (struct measure_options){
		.root_fd = env->root_fd,
		.tpm = env->tpm ? env->tpm : config->tpm,
		.gate_pcr = config->gate_pcr,
		.timeout_ms = (int)config->timeout_ms,
		.phase = phase,
		.log_only = config->mode == CONFIG_MODE_LOG,
		.hook = {
			.kind = config->hook,
			.mode = modes[config->mode],
			.wait_ms = config->wait_ms,
			.guard = config->guard || modes[config->mode] != VERITY_MODE_MEASURE,
			.ring_size = config->ring_kib * 1024,
		},
		.extend_gid = find_group(env, config->extend_group),
		.systemd = find_systemd(env, config),
		.complain = complain_definition,
	};
}

/**
 * cmd_open_tpm() - open the TPM for a verb that only reads
 * @env:        global options
 * @ret:        owned by the caller; NULL if there is none
 * @ret_reason: static string: why there is none
 *
 * Return: CMD_OK, also without a TPM; CMD_USAGE or CMD_FAILED after saying why.
 */
int cmd_open_tpm(const struct cmd_env *env, struct tpm **ret, const char **ret_reason)
{
	struct measure_options options;
	struct config config;
	int r = cmd_load_config(env, &config);

	if (r != CMD_OK)
		return r;
	cmd_measure_options(env, &config, MEASURE_PHASE_HOST, &options);
	options.log_only = false;
	r = measure_open_tpm(&options, ret, ret_reason);
	if (r < 0)
		return msg_error(CMD_USAGE, "'%s' is no TPM connection; see veritally(8)",
				 options.tpm);
	return CMD_OK;
}

static int begin_failed(const struct measure_options *options, int r)
{
	char boot_id[EVENTLOG_BOOT_ID_SIZE];
	int no_boot_id = measure_boot_id(options->root_fd, boot_id);

	if (r == MEASURE_BUSY)
		return msg_error(CMD_FAILED, "process %ld is measuring already",
				 (long)measure_writer(options->root_fd));
	if (r == -EINVAL)
		return msg_error(CMD_USAGE, "'%s' is no TPM connection; see veritally(8)",
				 options->tpm);
	if (no_boot_id < 0)
		(void)msg_error(no_boot_id, "cannot read /proc/sys/kernel/random/boot_id");
	else
		(void)msg_error(r, "cannot write below /run/veritally and "
				"/run/log/veritally");
	return CMD_FAILED;
}

/**
 * cmd_begin() - open and start a session
 * @m:       released by measure_close(), also when this fails
 * @options: copied
 * @arm:     open the source too, before anything that takes time
 *
 * Return: CMD_OK, or an exit status after saying why.
 */
int cmd_begin(struct measure *m, const struct measure_options *options, bool arm)
{
	int r = measure_open(m, options);

	if (r == 0 && arm)
		r = verity_source_open(&m->source, options->root_fd, &options->hook);
	if (r == 0)
		r = measure_start(m);
	if (r == MEASURE_MISMATCH) {
		msg_warning(0, "log and TPM do not agree, going on; see 'veritally verify'");
		r = 0;
	}
	return r == 0 ? CMD_OK : begin_failed(options, r);
}

/**
 * cmd_print_claim() - print a text that may hold anything
 * @text: UTF-8; what could move a terminal's cursor becomes '?'
 */
void cmd_print_claim(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		bool c1 = p[0] == 0xc2 && (p[1] & 0xe0) == 0x80;	/* U+0080 to U+009F */

		(void)putchar(c1 || iscntrl(*p) ? '?' : *p);
		p += c1;
	}
}

/**
 * cmd_print_json() - print an object for machines, and free it
 *
 * Return: CMD_OK; CMD_FAILED if there was no memory.
 */
int cmd_print_json(struct json_object *object)
{
	const char *text = object ? json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;

	if (text)
		(void)puts(text);
	else
		(void)msg_error(-ENOMEM, "cannot print the result");
	json_object_put(object);
	return text ? CMD_OK : CMD_FAILED;
}
