/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `leave` and `sync`: ask the daemon to be done with everything activated so far. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/msg.h"
#include "base/number.h"

#include "cmd/cmd.h"

#define LEAVE_TIMEOUT_S	15
#define SYNC_TIMEOUT_S	30
#define END_TIMEOUT_US	(3 * CLOCK_S)
#define RETRY_US	(20 * CLOCK_MS)

enum {
	OPTION_PHASE = 256,
	OPTION_TIMEOUT,
};

static const struct cmd_option sync_option_table[] = {
	{ "phase", "NAME", "name of the phase that ends here (host-ready)", OPTION_PHASE },
	{ "timeout", "S", "give up after so many seconds (30)", OPTION_TIMEOUT },
	{ 0 },
};

/* What to ask for, and how to do it without a daemon. */
struct barrier {
	char request[64];
	const char *set_phase;		/* NULL for leaving */
	const char *phase;		/* of the records */
	uint64_t deadline_us;
};

/* What the daemon would do, where there is none. */
static int do_it(struct measure *m, const void *ctx)
{
	const struct barrier *barrier = ctx;
	int r = barrier->set_phase ? measure_sync(m, barrier->set_phase) : measure_leave(m);

	return r < 0 ? (msg_error(r, "cannot record what is active"), CMD_FAILED) : CMD_OK;
}

static int run_barrier(const struct cmd_env *env, struct barrier *barrier,
		       uint64_t timeout_s)
{
	struct config config;
	int r = cmd_load_config(env, &config);

	if (r != CMD_OK || cmd_is_off(&config))
		return r;
	barrier->deadline_us = clock_us(CLOCK_MONOTONIC) + timeout_s * CLOCK_S;
	return cmd_ask(env, &config, &(struct cmd_request){
		.text = barrier->request,
		.phase = barrier->phase,
		.deadline_us = barrier->deadline_us,
		.do_it = do_it,
		.ctx = barrier,
	});
}

/*
 * The daemon answers before it ends; what comes next wants to find it gone.  One that did
 * not manage to leave is told to end all the same: it must not outlive the initramfs.
 */
static void await_end(const struct cmd_env *env, int status, uint64_t deadline_us)
{
	pid_t writer = measure_writer(env->root_fd);

	if (status != CMD_OK && writer > 0)
		(void)kill(writer, SIGTERM);
	while (measure_writer(env->root_fd) && clock_left_ms(deadline_us))
		(void)usleep(RETRY_US);
}

static int run_leave(const struct cmd *cmd, const struct cmd_env *env, int argc,
		     char *argv[])
{
	struct barrier barrier = { .request = "leave", .phase = MEASURE_PHASE_INITRD };
	int r = cmd_next_option(cmd, argc, argv);

	if (r != CMD_OPTIONS_END)
		return r == CMD_OPTION_HELP ? CMD_OK : CMD_USAGE;
	if (cmd_no_arguments(cmd, argc) != CMD_OK)
		return CMD_USAGE;
	cmd_speak_as_service(env);
	r = run_barrier(env, &barrier, LEAVE_TIMEOUT_S);
	await_end(env, r, clock_us(CLOCK_MONOTONIC) + END_TIMEOUT_US);
	return r;
}

static int set_phase(struct barrier *barrier, const char *phase)
{
	if (!measure_phase_is_valid(phase))
		return msg_error(-EINVAL, "--phase=%s: a phase is named by up to 32 lower "
				 "case letters, digits and hyphens", phase);
	barrier->set_phase = phase;
	return 0;
}

static int run_sync(const struct cmd *cmd, const struct cmd_env *env, int argc,
		    char *argv[])
{
	struct barrier barrier = { .set_phase = "host-ready", .phase = MEASURE_PHASE_HOST };
	uint64_t timeout_s = SYNC_TIMEOUT_S;
	int id;

	while ((id = cmd_next_option(cmd, argc, argv)) != CMD_OPTIONS_END) {
		if (id == CMD_OPTION_HELP)
			return CMD_OK;
		if (id == OPTION_PHASE && set_phase(&barrier, optarg) == 0)
			continue;
		if (id == OPTION_TIMEOUT && number_parse(optarg, 3600, &timeout_s) < 0)
			(void)msg_error(0, "--timeout=%s is no number of seconds up to 3600",
					optarg);
		else if (id == OPTION_TIMEOUT)
			continue;
		return CMD_USAGE;
	}
	if (cmd_no_arguments(cmd, argc) != CMD_OK)
		return CMD_USAGE;
	(void)snprintf(barrier.request, sizeof(barrier.request), "sync %s",
		       barrier.set_phase);
	return run_barrier(env, &barrier, timeout_s);
}

const struct cmd cmd_leave = {
	.name = "leave",
	.synopsis = "",
	.summary = "end the initramfs' part: measure the set, hand over, stop the daemon",
	.run = run_leave,
};

const struct cmd cmd_sync = {
	.name = "sync",
	.synopsis = "",
	.summary = "return when everything activated so far is measured",
	.options = sync_option_table,
	.run = run_sync,
};
