/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where activations are announced.
 *
 * An announcement says that something happened to a device, after it happened, and
 * some may be lost.  So it is only a reason to look: what was activated is what the
 * live table says then.
 */
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "verity/netlink.h"
#include "verity/uevent.h"
#include "verity/verity.h"

/**
 * verity_source_open() - start to listen
 * @source:  VERITY_SOURCE_NONE; is open afterwards
 * @root_fd: the root directory; borrowed until @source is closed
 *
 * What is activated from now on is announced; what was before needs verity_sweep().
 *
 * Return: 0; a negative errno if the socket cannot be had.
 */
int verity_source_open(struct verity_source *source, int root_fd)
{
	int live, fd;

	live = dm_is_live(root_fd);
	if (live < 0)
		return live;
	fd = verity_netlink_open(root_fd, live);
	if (fd < 0)
		return fd;
	*source = (struct verity_source){ .fd = fd, .root_fd = root_fd, .kernel = live };
	return 0;
}

/**
 * verity_source_close() - stop to listen; nothing happens if it is not open
 */
void verity_source_close(struct verity_source *source)
{
	if (source->fd >= 0)
		(void)close(source->fd);
	*source = (struct verity_source)VERITY_SOURCE_NONE;
}

/**
 * verity_source_next() - take the next announcement; never waits
 * @source: where from; poll(2) its fd to wait
 * @ret:    which device, for VERITY_CHANGED and VERITY_REMOVED; its diskseq is that of
 *          the device which was activated or went away, 0 if that is not announced
 *
 * An announcement about a mapped device that cannot be read counts as lost.
 *
 * Return: an enum verity_event; a negative errno if the socket is of no use any more.
 */
int verity_source_next(struct verity_source *source, struct verity_device *ret)
{
	char datagram[VERITY_UEVENT_MAX];
	struct verity_uevent event;
	size_t size;
	int r;

	do {
		r = verity_netlink_receive(source->fd, source->kernel, datagram,
					   sizeof(datagram), &size);
		if (r < 0)
			return r;
		if (r == VERITY_NETLINK_EMPTY)
			return VERITY_NOTHING;
		if (r == VERITY_NETLINK_LOST)
			return VERITY_LOST;
		r = verity_uevent_parse(datagram, size, &event);
	} while (r == VERITY_UEVENT_OTHER);
	if (r < 0)
		return VERITY_LOST;
	*ret = event.device;
	if (event.action == VERITY_UEVENT_ADD)
		ret->diskseq = 0;	/* it had no table yet */
	return event.action == VERITY_UEVENT_REMOVE ? VERITY_REMOVED : VERITY_CHANGED;
}
