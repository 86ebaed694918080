/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where activations are announced.
 *
 * An announcement says that something happened to a device, after it happened, and
 * some may be lost.  So it is only a reason to look: what was activated is what the
 * live table says then.  Where the kernel hook can be armed, it announces activations
 * before they are complete; uevents are listened to all the same, for removals and for
 * whatever the hook might miss.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "verity/hook.h"
#include "verity/netlink.h"
#include "verity/uevent.h"
#include "verity/verity.h"

/* One descriptor that is readable when either of two is. */
static int join(int a, int b)
{
	_cleanup_close_ int fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN };

	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, a, &event) < 0 ||
	    epoll_ctl(fd, EPOLL_CTL_ADD, b, &event) < 0)
		return -errno;
	return take_fd(fd);
}

/* Whatever goes wrong with the hook, uevents are left. */
static void arm(struct verity_source *source, const struct verity_hook_options *options)
{
	struct verity_hook *hook;
	int fd;

	if (verity_hook_open(options, &hook) < 0)
		return;
	fd = join(source->netlink_fd, verity_hook_fd(hook));
	if (fd < 0) {
		verity_hook_close(hook);
		return;
	}
	source->fd = fd;
	source->hook = hook;
}

/**
 * verity_source_open() - start to listen
 * @source:  VERITY_SOURCE_NONE; is open afterwards
 * @root_fd: the root directory; borrowed until @source is closed
 * @options: of the kernel hook; NULL for none
 *
 * What is activated from now on is announced; what was before needs verity_sweep(),
 * except that a hook which an earlier process armed has kept what it saw since.
 *
 * Return: 0; a negative errno if the socket cannot be had.
 */
int verity_source_open(struct verity_source *source, int root_fd,
		       const struct verity_hook_options *options)
{
	int live, fd;

	live = dm_is_live(root_fd);
	if (live < 0)
		return live;
	fd = verity_netlink_open(root_fd, live);
	if (fd < 0)
		return fd;
	*source = (struct verity_source){
		.fd = fd, .netlink_fd = fd, .root_fd = root_fd, .kernel = live,
	};
	if (live && options && options->kind != VERITY_KIND_UEVENT)
		arm(source, options);
	return 0;
}

/**
 * verity_source_close() - stop to listen; nothing happens if it is not open
 *
 * A hook that stays keeps what it sees, and no activation waits for us any more.
 */
void verity_source_close(struct verity_source *source)
{
	verity_hook_close(source->hook);
	if (source->fd >= 0 && source->fd != source->netlink_fd)
		(void)close(source->fd);
	if (source->netlink_fd >= 0)
		(void)close(source->netlink_fd);
	*source = (struct verity_source)VERITY_SOURCE_NONE;
}

/* As verity_source_next(), for uevents alone. */
static int next_uevent(struct verity_source *source, struct verity_announcement *ret)
{
	char datagram[VERITY_UEVENT_MAX];
	struct verity_uevent event;
	size_t size;
	int r;

	*ret = (struct verity_announcement){ .hook = false };
	do {
		r = verity_netlink_receive(source->netlink_fd, source->kernel, datagram,
					   sizeof(datagram), &size);
		if (r < 0)
			return r;
		if (r == VERITY_NETLINK_EMPTY)
			return VERITY_NOTHING;
		if (r == VERITY_NETLINK_LOST)
			return VERITY_LOST;
		r = verity_uevent_parse(datagram, size, &event);
		/* Without a table yet; if it has one by now, the hook says more about it. */
		if (r == 0 && source->hook && event.action == VERITY_UEVENT_ADD)
			r = VERITY_UEVENT_OTHER;
	} while (r == VERITY_UEVENT_OTHER);
	if (r == VERITY_UEVENT_MODULE)
		return VERITY_ARMABLE;
	if (r < 0)
		return VERITY_LOST;
	ret->device = event.device;
	if (event.action == VERITY_UEVENT_ADD)
		ret->device.diskseq = 0;	/* it had no table yet */
	return event.action == VERITY_UEVENT_REMOVE ? VERITY_REMOVED : VERITY_CHANGED;
}

/**
 * verity_source_next() - take the next announcement; never waits
 * @source: where from; poll(2) its fd to wait
 * @ret:    for VERITY_CHANGED and VERITY_REMOVED, what is announced
 *
 * What the hook announces comes first: somebody may be waiting.  It is looked for once
 * more after a uevent was taken, so that none is overtaken by a uevent that came later.
 * An announcement about a mapped device that cannot be read counts as lost.
 *
 * Return: an enum verity_event; a negative errno if the socket is of no use any more.
 */
int verity_source_next(struct verity_source *source, struct verity_announcement *ret)
{
	int event;

	if (!source->hook)
		return next_uevent(source, ret);
	if (!source->held_event && !verity_hook_next(source->hook, ret))
		source->held_event = next_uevent(source, &source->held);
	else if (!source->held_event)
		return VERITY_CHANGED;
	if (verity_hook_next(source->hook, ret))
		return VERITY_CHANGED;
	event = source->held_event;
	*ret = source->held;
	source->held_event = 0;
	return event;
}

/**
 * verity_source_answer() - let an activation go on that the hook announced
 * @source:       as for verity_source_next()
 * @announcement: from there; nothing happens if it is not the hook's
 * @answer:       what became of it
 */
void verity_source_answer(struct verity_source *source,
			  const struct verity_announcement *announcement,
			  enum verity_answer answer)
{
	if (source->hook && announcement->hook)
		verity_hook_answer(source->hook, announcement, answer);
}

/**
 * verity_kind_name() - a kind as a word and the configuration spell it
 */
const char *verity_kind_name(enum verity_kind kind)
{
	static const char *const names[] = {
		[VERITY_KIND_UEVENT] = "uevent",
		[VERITY_KIND_FENTRY] = "fentry",
		[VERITY_KIND_FMOD_RET] = "fmod_ret",
		[VERITY_KIND_LSM] = "lsm",
	};

	return names[kind];
}

/**
 * verity_source_name() - the end of the word that says how activations are announced
 * @source: open
 * @ret:    `<kind>:<tag>`: the tag is the kernel's, of the program that it runs, or `-`;
 *          the kind ends in `-use` where not every activation can wait, but opening or
 *          mounting the device does, and in `-async` where nothing waits; `:<mode>`
 *          follows where the mode is one that refuses, or the hook is guarded
 */
void verity_source_name(const struct verity_source *source,
			char ret[static VERITY_SOURCE_NAME_MAX])
{
	if (source->hook)
		verity_hook_name(source->hook, ret);
	else
		(void)snprintf(ret, VERITY_SOURCE_NAME_MAX, "uevent:-");
}

/**
 * verity_source_stays() - whether the hook stays armed, and keeps what it sees, when the
 * source is closed
 */
bool verity_source_stays(const struct verity_source *source)
{
	return source->hook && verity_hook_is_pinned(source->hook);
}

/**
 * verity_source_counts() - what the hook has met
 *
 * Return: false if there is no hook.
 */
bool verity_source_counts(const struct verity_source *source,
			  struct verity_counts *ret)
{
	if (source->hook)
		verity_hook_counts(source->hook, ret);
	return source->hook != NULL;
}

/**
 * verity_source_run_time() - as verity_hook_run_time(); -ENOENT if there is no hook
 */
int verity_source_run_time(const struct verity_source *source, uint64_t *ret_runs,
			   uint64_t *ret_ns)
{
	if (!source->hook)
		return -ENOENT;
	return verity_hook_run_time(source->hook, ret_runs, ret_ns);
}

/**
 * verity_source_reported() - some of what verity_source_counts() says is known now
 * @source:  open
 * @lost:    so many of the lost ones are in the log
 * @refused: so many of the refused ones a person was told of
 */
void verity_source_reported(struct verity_source *source, uint64_t lost, uint64_t refused)
{
	if (source->hook)
		verity_hook_reported(source->hook, lost, refused);
}

/**
 * verity_source_rearm() - arm the hook if there is none, now that it may be possible
 * @source:  open
 * @options: as for verity_source_open()
 *
 * Return: whether there is a new one.
 */
bool verity_source_rearm(struct verity_source *source,
			 const struct verity_hook_options *options)
{
	if (source->hook || !source->kernel || options->kind == VERITY_KIND_UEVENT)
		return false;
	arm(source, options);
	return source->hook;
}

/**
 * verity_source_is_intact() - whether nothing is known that would keep the kernel from
 * calling the hook
 */
bool verity_source_is_intact(const struct verity_source *source)
{
	char line[16];

	if (!source->hook)
		return true;
	if (io_read_line(source->root_fd, "/proc/sys/kernel/ftrace_enabled", line,
			 sizeof(line)) == 0 && line[0] == '0')
		return false;
	return verity_hook_is_called(source->hook);
}

/**
 * verity_source_claims() - how many processes could speak for the hook's daemon
 *
 * Return: as verity_hook_claims(); 0 also if there is no hook.
 */
unsigned int verity_source_claims(const struct verity_source *source)
{
	return source->hook ? verity_hook_claims(source->hook) : 0;
}

/**
 * verity_source_disarm() - go on without the hook
 */
void verity_source_disarm(struct verity_source *source)
{
	if (!source->hook)
		return;
	verity_hook_remove(source->hook);
	verity_hook_close(source->hook);
	(void)close(source->fd);
	source->fd = source->netlink_fd;
	source->hook = NULL;
	source->held_event = 0;
}
