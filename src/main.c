/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of verbs and the global options. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/msg.h"

#include "cmd/cmd.h"

#ifndef VERITALLY_VERSION
#error "the Makefile defines VERITALLY_VERSION"
#endif

enum {
	OPTION_TPM = 256,
	OPTION_SYSROOT,
	OPTION_CONFIG,
	OPTION_VERSION,
};

static const struct cmd_option global_options[] = {
	{ "tpm", "CONF", "device:PATH, swtpm:host=H,port=P, swtpm:path=SOCKET, auto or none",
	  OPTION_TPM },
	{ "sysroot", "DIR", "look everything up below DIR instead of /", OPTION_SYSROOT },
	{ "config", "FILE", "read this configuration file instead of the usual ones",
	  OPTION_CONFIG },
	{ "quiet", NULL, "say only what went wrong", 'q' },
	{ "verbose", NULL, "say more", 'v' },
	{ "version", NULL, "print the version and end", OPTION_VERSION },
	{ "help", NULL, "print this and end", CMD_OPTION_HELP },
	{ 0 },
};

static const struct cmd *const cmds[] = {
	&cmd_start, &cmd_watch, &cmd_leave, &cmd_sync,
	&cmd_status, &cmd_log, &cmd_verify, &cmd_predict,
	&cmd_extend, &cmd_nvpcr, &cmd_undefine, &cmd_ak, &cmd_attest,
	&cmd_policy, &cmd_check,
};

static void print_help(void)
{
	(void)puts("Usage: veritally [OPTIONS] VERB [ARGUMENTS]\n");
	(void)puts("Measure every dm-verity device into a TPM and prove it.\n");
	(void)puts("Verbs:");
	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++)
		(void)printf("  %-10s %s\n", cmds[i]->name, cmds[i]->summary);
	(void)puts("\nOptions before the verb:");
	cmd_print_options(global_options);
	(void)puts("\n'veritally VERB --help' explains a verb, veritally(8) everything.");
}

static const struct cmd *find_cmd(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++)
		if (strcmp(name, cmds[i]->name) == 0)
			return cmds[i];
	return NULL;
}

/* Returns CMD_OPTIONS_END when the verb is next, else the status to exit with. */
static int parse_global(struct cmd_env *env, const char **ret_sysroot, int argc,
			char *argv[])
{
	static const struct cmd globals = { .name = NULL, .options = global_options };

	for (;;) {
		switch (cmd_next_option(&globals, argc, argv)) {
		case OPTION_TPM:
			env->tpm = optarg;
			break;
		case OPTION_SYSROOT:
			*ret_sysroot = optarg;
			break;
		case OPTION_CONFIG:
			env->config = optarg;
			break;
		case 'q':
			env->verbosity = -1;
			break;
		case 'v':
			env->verbosity = 1;
			break;
		case OPTION_VERSION:
			(void)puts("veritally " VERITALLY_VERSION);
			return CMD_OK;
		case CMD_OPTION_HELP:
			print_help();
			return CMD_OK;
		case CMD_OPTIONS_END:
			return CMD_OPTIONS_END;
		default:
			return CMD_USAGE;
		}
	}
}

static int run(const struct cmd_env *env, int argc, char *argv[])
{
	const struct cmd *cmd;

	if (optind >= argc)
		return msg_error(CMD_USAGE, "a verb is missing; see 'veritally --help'");
	cmd = find_cmd(argv[optind]);
	if (!cmd)
		return msg_error(CMD_USAGE, "there is no verb '%s'; see 'veritally --help'",
				 argv[optind]);
	argc -= optind;
	argv += optind;
	optind = 0;
	return cmd->run(cmd, env, argc, argv);
}

static int run_below(struct cmd_env *env, const char *sysroot, int argc, char *argv[])
{
	msg_init(env->verbosity < 0 ? MSG_WARNING : env->verbosity ? MSG_DEBUG : MSG_INFO,
		 false);
	env->root_fd = open(sysroot, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (env->root_fd < 0) {
		(void)msg_error(-errno, "cannot open --sysroot=%s", sysroot);
		return CMD_FAILED;
	}
	return run(env, argc, argv);
}

/* An init may start us without a console: no file of ours must take its place. */
static void fill_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_NOCTTY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

int main(int argc, char *argv[])
{
	struct cmd_env env = { .root_fd = -1 };
	const char *sysroot = "/";
	int r;

	fill_standard_fds();
	(void)umask(077);
	(void)signal(SIGXFSZ, SIG_IGN);		/* a file that may not grow is an error, */
	(void)signal(SIGPIPE, SIG_IGN);		/* and so is a reader that went away */
	r = parse_global(&env, &sysroot, argc, argv);
	if (r == CMD_OPTIONS_END)
		r = run_below(&env, sysroot, argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		(void)msg_error(-errno, "cannot write the result");
		return CMD_FAILED;
	}
	return r;
}
