/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `start` and `watch`: become the daemon.
 *
 * The source is opened before anything else, so that what is activated while we wait for
 * a TPM is announced to us all the same.  Without --foreground the work is done in a
 * child, and the parent passes its exit status on once it is ready.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/ready.h"

#include "cmd/cmd.h"

struct start_options {
	bool oneshot;
	bool foreground;
	bool background;	/* we are the child that becomes the daemon */
	int ready_fd;
	const char *phase;
};

enum {
	OPTION_ONESHOT = 256,
	OPTION_FOREGROUND,
	OPTION_READY_FD,
};

#define READY_FD_OPTION								\
	{ "ready-fd", "N", "write a line to this descriptor when ready", OPTION_READY_FD }

static const struct cmd_option start_option_table[] = {
	{ "oneshot", NULL, "allocate, measure what is active, and end", OPTION_ONESHOT },
	{ "foreground", NULL, "be the daemon without forking", OPTION_FOREGROUND },
	READY_FD_OPTION,
	{ 0 },
};

static const struct cmd_option watch_option_table[] = {
	READY_FD_OPTION,
	{ 0 },
};

static void say_rungs(const struct measure *m)
{
	for (size_t i = 0; i < m->nvpcrs.n_nvpcrs; i++) {
		const struct nvpcr *nvpcr = &m->nvpcrs.nvpcrs[i];

		if (nvpcr->rung == NVPCR_RUNG_PCR)
			msg_warning(0, "NvPCR '%s' has no index (%s): its words go to PCR %u",
				    nvpcr->def.name, nvpcr->reason, m->nvpcrs.gate.pcr);
		if (nvpcr->rung == NVPCR_RUNG_LOG)
			msg_warning(0, "NvPCR '%s' is kept in the log only (%s)",
				    nvpcr->def.name, nvpcr->reason);
	}
}

/* The daemon says it by itself, as it tries again. */
static void say_outlet(const struct measure *m)
{
	int r = m->outlet.error;

	if (r == -EBUSY)
		msg_warning(0, "records are not copied to %s: another process holds its lock",
			    EVENTLOG_OUTLET_PATH);
	else if (r < 0)
		msg_warning(r, "records are not copied to %s", EVENTLOG_OUTLET_PATH);
}

/*
 * Activations are going to wait for us: our own pages may lie on the device that does, and
 * to be killed for want of memory would keep all of them from being measured.
 */
static void prepare_to_be_waited_for(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		msg_warning(-errno, "cannot keep our memory from being paged out, going on");
	if (fd < 0 || write(fd, "-1000", 5) < 0)
		msg_warning(-errno, "cannot keep from being killed for want of memory, "
			    "going on");
	if (fd >= 0)
		(void)close(fd);
}

/* Arms, allocates or adopts, and measures what is active already. */
static int come_up(struct measure *m, const struct measure_options *options, bool arm)
{
	uint64_t began = clock_us(CLOCK_MONOTONIC), took;
	int r, armed = 0;

	if (arm && options->hook.kind != VERITY_KIND_UEVENT &&
	    dm_is_live(options->root_fd) > 0)
		prepare_to_be_waited_for();
	r = cmd_begin(m, options, arm);
	if (r != CMD_OK)
		return r;
	if (arm)
		armed = measure_hook_armed(m);
	r = measure_sweep(m, "coldplug");
	if (r == 0)
		r = armed;
	if (r == 0)
		r = measure_handoff_publish(m);
	if (r < 0)
		msg_warning(r, "cannot record everything that is active, trying again");
	say_rungs(m);
	if (!arm)
		say_outlet(m);
	took = clock_us(CLOCK_MONOTONIC) - began;
	msg_info("ready after %" PRIu64 ".%03" PRIu64 " s and %" PRIu64
		 " TPM commands, %s", took / CLOCK_S, took / CLOCK_MS % 1000,
		 m->tpm ? tpm_n_commands(m->tpm) : 0,
		 m->adopted ? "going on with the log" : "the log is new");
	return CMD_OK;
}

/* Lets go of the terminal or pipe we were started on, which may want to be closed. */
static void detach(void)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	(void)!chdir("/");
	if (null_fd < 0)
		return;
	(void)dup2(null_fd, STDIN_FILENO);
	(void)dup2(null_fd, STDOUT_FILENO);
	(void)dup2(null_fd, STDERR_FILENO);
	(void)close(null_fd);
}

/* The whole life of the daemon, or of its first moments with --oneshot. */
static int live(const struct measure_options *options, const struct start_options *start)
{
	_cleanup_free_ struct measure *m = malloc(sizeof(*m));
	int r;

	if (!m)
		return msg_error(CMD_FAILED, "out of memory");
	r = come_up(m, options, !start->oneshot);
	if (r == CMD_OK && start->background)
		detach();
	if (r == CMD_OK && !start->oneshot) {
		r = measure_watch(m, start->ready_fd);
		if (r < 0)
			r = (msg_error(r, "cannot go on measuring"), CMD_FAILED);
	}
	measure_close(m);
	return r;
}

/* The parent's part: its status is the child's, or 0 as soon as the child is ready. */
static int await_child(pid_t child, int ready_fd)
{
	int status;
	char ready;

	if (read(ready_fd, &ready, 1) == 1)
		return CMD_OK;
	if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		return msg_error(CMD_FAILED, "the daemon ended before it was ready");
	return WEXITSTATUS(status);
}

static int live_in_background(const struct measure_options *options,
			      struct start_options *start)
{
	int fds[2], r;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return (msg_error(-errno, "cannot make a pipe"), CMD_FAILED);
	child = fork();
	if (child < 0)
		return (msg_error(-errno, "cannot start the daemon"), CMD_FAILED);
	if (child > 0) {
		(void)close(fds[1]);
		r = await_child(child, fds[0]);
		(void)close(fds[0]);
		return r;
	}
	(void)close(fds[0]);
	start->background = true;
	start->ready_fd = fds[1];
	return live(options, start);
}

static int parse_ready_fd(const char *text, int *ret)
{
	uint64_t fd;

	if (number_parse(text, 1024, &fd) < 0 || fcntl((int)fd, F_GETFD) < 0)
		return msg_error(-EINVAL, "--ready-fd=%s is no open descriptor", text);
	*ret = (int)fd;
	return 0;
}

/* Returns CMD_OPTIONS_END when everything is understood, else the status to exit with. */
static int parse(const struct cmd *cmd, int argc, char *argv[], struct start_options *ret)
{
	for (;;) {
		switch (cmd_next_option(cmd, argc, argv)) {
		case OPTION_ONESHOT:
			ret->oneshot = true;
			break;
		case OPTION_FOREGROUND:
			ret->foreground = true;
			break;
		case OPTION_READY_FD:
			if (parse_ready_fd(optarg, &ret->ready_fd) < 0)
				return CMD_USAGE;
			break;
		case CMD_OPTION_HELP:
			return CMD_OK;
		case CMD_OPTIONS_END:
			return cmd_no_arguments(cmd, argc) == CMD_OK ? CMD_OPTIONS_END
								     : CMD_USAGE;
		default:
			return CMD_USAGE;
		}
	}
}

static int run(const struct cmd *cmd, const struct cmd_env *env, int argc, char *argv[],
	       struct start_options *start)
{
	struct measure_options options;
	struct config config;
	int r = parse(cmd, argc, argv, start);

	if (r != CMD_OPTIONS_END)
		return r;
	cmd_speak_as_service(env);
	r = cmd_load_config(env, &config);
	if (r != CMD_OK || cmd_is_off(&config)) {
		ready_notify(start->ready_fd, "READY=1\nSTATUS=switched off");
		return r;
	}
	cmd_measure_options(env, &config, start->phase, &options);
	if (*config.extend_group && !options.extend_gid)
		msg_warning(0, "extend_group=%s: there is no such group in /etc/group, only root "
			    "may use the service", config.extend_group);
	if (start->foreground || start->oneshot || start->ready_fd >= 0)
		return live(&options, start);
	return live_in_background(&options, start);
}

static int run_start(const struct cmd *cmd, const struct cmd_env *env, int argc,
		     char *argv[])
{
	struct start_options start = { .ready_fd = -1, .phase = MEASURE_PHASE_INITRD };

	return run(cmd, env, argc, argv, &start);
}

static int run_watch(const struct cmd *cmd, const struct cmd_env *env, int argc,
		     char *argv[])
{
	struct start_options start = {
		.ready_fd = -1, .phase = MEASURE_PHASE_HOST, .foreground = true,
	};

	return run(cmd, env, argc, argv, &start);
}

const struct cmd cmd_start = {
	.name = "start",
	.synopsis = "",
	.summary = "begin to measure in the initramfs: allocate, anchor, be the daemon",
	.options = start_option_table,
	.run = run_start,
};

const struct cmd cmd_watch = {
	.name = "watch",
	.synopsis = "",
	.summary = "go on measuring in the real root: adopt the log, be the daemon",
	.options = watch_option_table,
	.run = run_watch,
};
