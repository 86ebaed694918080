/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Having the daemon do something.
 *
 * Where no daemon runs, the verb becomes the writer for a moment and does the work
 * itself; a writer that is just starting or ending is waited for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/msg.h"

#include "cmd/cmd.h"

#define RETRY_US	(20 * CLOCK_MS)

static int ask_daemon(const struct cmd_env *env, const struct cmd_request *request)
{
	char answer[256];
	int r = measure_control_request(env->root_fd, request->text,
					clock_left_ms(request->deadline_us), answer,
					sizeof(answer));

	if (r < 0)
		return r;
	if (strcmp(answer, "ok") == 0)
		return 0;
	(void)msg_error(0, "the daemon could not do it: %s",
			strncmp(answer, "error ", 6) == 0 ? answer + 6 : answer);
	return -EREMOTEIO;
}

static int do_it_ourselves(const struct cmd_env *env, const struct config *config,
			   const struct cmd_request *request)
{
	_cleanup_free_ struct measure *m = malloc(sizeof(*m));
	struct measure_options options;
	int r;

	if (!m)
		return msg_error(CMD_FAILED, "out of memory");
	cmd_measure_options(env, config, request->phase, &options);
	if (options.timeout_ms > clock_left_ms(request->deadline_us))
		options.timeout_ms = clock_left_ms(request->deadline_us);
	r = cmd_begin(m, &options, false);
	if (r == CMD_OK)
		r = request->do_it(m, request->ctx);
	measure_close(m);
	return r;
}

static bool nobody_answers(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED || r == -ECONNRESET;
}

/**
 * cmd_ask() - have the daemon do something, or do it
 * @env:     global options
 * @config:  configuration
 * @request: what
 *
 * Return: CMD_OK; an exit status after saying why not.
 */
int cmd_ask(const struct cmd_env *env, const struct config *config,
	    const struct cmd_request *request)
{
	int r;

	for (;;) {
		r = ask_daemon(env, request);
		if (!nobody_answers(r))
			break;
		if (!measure_writer(env->root_fd))
			return do_it_ourselves(env, config, request);
		if (!clock_left_ms(request->deadline_us)) {
			r = -ETIMEDOUT;
			break;
		}
		(void)usleep(RETRY_US);
	}
	if (r == -EACCES || r == -EPERM)
		return msg_error(CMD_FAILED, "only root may ask the process that is measuring; "
				 "for others there may be its socket, see veritally(8)");
	if (r < 0 && r != -EREMOTEIO)
		(void)msg_error(r, "no answer from the process that is measuring (%ld)",
				(long)measure_writer(env->root_fd));
	return r < 0 ? CMD_FAILED : CMD_OK;
}
