/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon: measures what the source announces until it is told to stop.
 *
 * One thread, one loop: the source, the control socket, the signals and the service.
 * What could not be recorded (a full disk, say) is tried again every second by a sweep,
 * and said once.
 */
#include "measure/private.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/msg.h"
#include "base/ready.h"

#define TICK_US	CLOCK_S	/* also: how soon a hook that is tampered with is noticed */
#define ASKING_US	CLOCK_S	/* for a client of the control socket to say what it wants */

struct watch {
	struct measure *m;
	int control_fd;
	int asking_fd;		/* the client of the control socket; -1 if there is none */
	uint64_t asking_us;	/* until when it is waited for; CLOCK_MONOTONIC */
	int signal_fd;
	struct measure_service *service;	/* NULL if there is none */
	uint64_t tick_us;			/* when to try again; CLOCK_MONOTONIC */
	bool waiting;		/* systemd's log lacks a record and that was said */
	bool failing;		/* the last attempt failed and that was said */
	bool stop;
	bool left;		/* the end is in the log already */
};

static int open_signals(void)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* Says once that measuring fails, and once that it works again. */
static void note(struct watch *watch, int r)
{
	bool failing = watch->m->incomplete;

	if (failing && !watch->failing)
		msg_warning(r, "cannot record what was activated, trying again");
	if (!failing && watch->failing)
		msg_info("everything that is active is recorded again");
	watch->failing = failing;
}

/* Says once that systemd's log cannot be written, and once that it can be again. */
static void note_outlet(struct watch *watch)
{
	int r = watch->m->outlet.error;

	if (r < 0 && !watch->waiting)
		msg_warning(r == -EBUSY ? 0 : r, "records are not copied to %s for now%s",
			    EVENTLOG_OUTLET_PATH,
			    r == -EBUSY ? ": another process holds its lock" : "");
	if (r == 0 && watch->waiting)
		msg_info("all records are in %s again", EVENTLOG_OUTLET_PATH);
	watch->waiting = r < 0;
}

/* Only a sweep that went well tells that nothing is left to be done. */
static void retry(struct watch *watch)
{
	int drained = measure_drain(watch->m);
	int swept = measure_sweep(watch->m, "sweep");

	watch->m->incomplete |= drained < 0;
	note(watch, swept ?: drained);
}

/* "TARGET WORD", by the verb `extend`. */
static int extend(struct watch *watch, const char *text, const char **ret_reason)
{
	const char *word = strchr(text, ' ');
	char target[NVPCR_NAME_MAX];

	if (!word || (size_t)(word - text) >= sizeof(target) ||
	    !measure_user_is_word(word + 1, "command"))
		return -EBADMSG;
	memcpy(target, text, (size_t)(word - text));
	target[word - text] = '\0';
	return measure_user(watch->m, target, word + 1, "user", ret_reason);
}

static const char *answer_extend(struct watch *watch, const char *text)
{
	static char answer[256];
	const char *reason = NULL;
	int r = extend(watch, text, &reason);

	if (r == 0)
		return "ok";
	if (r == -ENOENT)
		(void)snprintf(answer, sizeof(answer), "error there is no NvPCR '%.*s' in this "
			       "boot (and a PCR is named pcr:N); see 'veritally nvpcr list'",
			       (int)strcspn(text, " "), text);
	else
		(void)snprintf(answer, sizeof(answer), "error %s",
			       reason ? reason : strerror(-r));
	return answer;
}

static const char *answer_to(struct watch *watch, const char *request)
{
	static char answer[128];
	const char *phase;
	int r;

	if (strncmp(request, "extend ", 7) == 0)
		return answer_extend(watch, request + 7);

	if (strcmp(request, "leave") == 0) {
		r = measure_leave(watch->m);
		watch->stop = watch->left = watch->m->source.fd < 0;
	} else if (strcmp(request, "publish") == 0) {
		return measure_handoff_publish(watch->m) < 0 ? "error" : "ok";
	} else {
		phase = strncmp(request, "sync ", 5) == 0 ? request + 5 : "";
		if (!measure_phase_is_valid(phase))
			return "error the request cannot be understood";
		r = measure_sync(watch->m, phase);
		if (r == 0)
			r = measure_handoff_publish(watch->m);
	}
	note(watch, r);
	if (r == 0)
		return "ok";
	(void)snprintf(answer, sizeof(answer), "error %s", strerror(-r));
	return answer;
}

/* Answers the client of the control socket if it has said what it wants. */
static void serve(struct watch *watch)
{
	char request[MEASURE_REQUEST_MAX];
	int fd, r;

	if (watch->asking_fd < 0) {
		watch->asking_fd = measure_control_accept(watch->control_fd);
		watch->asking_us = clock_us(CLOCK_MONOTONIC) + ASKING_US;
	}
	if (watch->asking_fd < 0)
		return;
	r = measure_control_receive(watch->asking_fd, request, sizeof(request));
	if (r == -EAGAIN && clock_left_ms(watch->asking_us))
		return;
	fd = take_fd(watch->asking_fd);
	if (r == 0)
		measure_control_answer(fd, answer_to(watch, request));
	else
		(void)close(fd);
}

/* Says what the hook refused since the last time. */
static void say_refused(struct measure *m)
{
	struct verity_counts counts;

	if (!verity_source_counts(&m->source, &counts) || !counts.refused)
		return;
	msg_warning(0, "%" PRIu64 " activation%s refused, the last of device %" PRIu32
		    ":%" PRIu32 ": %s", counts.refused,
		    counts.refused == 1 ? " was" : "s were",
		    counts.refused_device.major, counts.refused_device.minor,
		    counts.reason);
	verity_source_reported(&m->source, 0, counts.refused);
}

/* What is done again and again, for as long as there is a reason to. */
static void tick(struct watch *watch)
{
	watch->tick_us = clock_us(CLOCK_MONOTONIC) + TICK_US;
	if (watch->waiting)
		measure_outlet_catch_up(watch->m);
	if (watch->failing)
		retry(watch);
	else
		note(watch, measure_drain(watch->m));	/* it checks the hook, too */
}

static bool needs_tick(const struct watch *watch)
{
	return watch->failing || watch->waiting || watch->m->source.hook;
}

/* The shorter one of two times, of which -1 is none. */
static int sooner(int a_ms, int b_ms)
{
	if (a_ms < 0 || b_ms < 0)
		return a_ms > b_ms ? a_ms : b_ms;
	return a_ms < b_ms ? a_ms : b_ms;
}

/* Milliseconds until something has to be done unasked; -1 if nothing has. */
static int next_timeout(const struct watch *watch, int service_ms)
{
	if (needs_tick(watch))
		service_ms = sooner(service_ms, clock_left_ms(watch->tick_us));
	if (watch->asking_fd >= 0)
		service_ms = sooner(service_ms, clock_left_ms(watch->asking_us));
	return service_ms;
}

/* What was announced comes before what somebody asks for, each time. */
static int run(struct watch *watch)
{
	struct pollfd fds[3 + MEASURE_SERVICE_FDS] = {
		{ .events = POLLIN },
		{ .events = POLLIN },
		{ .fd = watch->signal_fd, .events = POLLIN },
	};

	while (!watch->stop) {
		int timeout_ms = measure_service_prepare(watch->service, &fds[3]), n;

		say_refused(watch->m);
		note_outlet(watch);
		fds[0].fd = watch->m->source.fd;
		fds[1].fd = watch->asking_fd < 0 ? watch->control_fd : watch->asking_fd;
		n = poll(fds, ARRAY_SIZE(fds), next_timeout(watch, timeout_ms));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n < 0)
			continue;
		if (needs_tick(watch) && !clock_left_ms(watch->tick_us))
			tick(watch);
		if (fds[0].revents)
			note(watch, measure_drain(watch->m));
		if (fds[1].revents || watch->asking_fd >= 0)
			serve(watch);
		if (fds[2].revents)
			watch->stop = true;
		if (!watch->stop)
			measure_service_run(watch->service, &fds[3]);
	}
	if (watch->left)
		return 0;
	note(watch, measure_drain(watch->m));
	return measure_handoff(watch->m);
}

/**
 * measure_watch() - be the daemon
 * @m:        session that has started and whose source is open
 * @ready_fd: as for ready_notify()
 *
 * Returns when a signal or a client says so, after everything announced until then is
 * measured.
 *
 * Return: 0; a negative errno of the sockets or the log.
 */
int measure_watch(struct measure *m, int ready_fd)
{
	struct watch watch = {
		.m = m, .control_fd = -1, .asking_fd = -1, .signal_fd = -1,
	};
	int r;

	watch.signal_fd = open_signals();
	watch.control_fd = measure_control_open(m->options.root_fd);
	r = watch.control_fd < 0 ? watch.control_fd : watch.signal_fd;
	if (r >= 0) {
		int s = measure_service_open(m, &watch.service);

		if (s < 0)
			msg_warning(s, "others cannot have anything measured by the socket");
		ready_notify(ready_fd, "READY=1\nSTATUS=measuring");
		watch.failing = m->incomplete;
		r = run(&watch);
	}
	ready_notify(-1, "STOPPING=1");
	measure_service_close(&watch.service);
	closep(&watch.asking_fd);
	measure_control_close(m->options.root_fd, &watch.control_fd);
	if (watch.signal_fd >= 0)
		(void)close(watch.signal_fd);
	return r < 0 ? r : 0;
}
