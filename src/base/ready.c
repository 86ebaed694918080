/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Telling whoever started us that we are ready: systemd by the datagram socket that
 * $NOTIFY_SOCKET names, anybody else by a line on a descriptor.
 */
#include "base/ready.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

static void notify_systemd(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;
	size_t length;

	if (!path || (path[0] != '/' && path[0] != '@'))
		return;
	length = strlen(path);
	if (length >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}

/**
 * ready_notify() - say how far we are
 * @ready_fd: descriptor that gets an empty line when we are ready, and is closed then;
 *            -1 for none
 * @state:    lines of sd_notify(3), such as "READY=1"
 *
 * Nothing hangs on it if nobody listens, so there is no error to return.
 */
void ready_notify(int ready_fd, const char *state)
{
	notify_systemd(state);
	if (ready_fd >= 0 && strncmp(state, "READY=1", 7) == 0) {
		(void)!write(ready_fd, "\n", 1);
		(void)close(ready_fd);
	}
}
