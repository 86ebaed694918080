/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The socket on which the kernel announces devices.
 *
 * Root may send to the same multicast group.  What tells the kernel's messages apart is
 * the sender's port, which is 0 for no one else, and the credentials that the kernel
 * itself attaches; all else is dropped unread.
 *
 * Below another root than "/" the socket is a datagram socket at
 * /run/veritally/uevent, so that recorded events can be played to the same code.  There
 * root and ourselves may send.
 */
#include "verity/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/io.h"

#define KERNEL_GROUP	1		/* group 2 is udev's */
#define BUFFER_SIZE	(16 << 20)
#define PLAYED_DIR	"/run/veritally"

union address {
	struct sockaddr any;
	struct sockaddr_nl netlink;
	struct sockaddr_un local;
};

/* Credentials on each message, and room for a storm of them. */
static int prepare(int fd)
{
	const int on = 1, size = BUFFER_SIZE;

	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return 0;
}

static int open_kernel(void)
{
	_cleanup_close_ int fd = socket(AF_NETLINK,
					SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
					NETLINK_KOBJECT_UEVENT);
	const union address address = {
		.netlink = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP },
	};
	int r;

	if (fd < 0)
		return -errno;
	r = prepare(fd);
	if (r < 0)
		return r;
	if (bind(fd, &address.any, sizeof(address.netlink)) < 0)
		return -errno;
	return take_fd(fd);
}

/* The folder is named by its descriptor, whose path always fits into an address. */
static int open_played(int root_fd)
{
	_cleanup_close_ int dir_fd = -1, fd = -1;
	union address address = { .local = { .sun_family = AF_UNIX } };
	int r;

	r = io_make_dirs(root_fd, PLAYED_DIR, 0700);
	if (r < 0)
		return r;
	dir_fd = io_open(root_fd, PLAYED_DIR, O_RDONLY | O_DIRECTORY, 0);
	if (dir_fd < 0)
		return dir_fd;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = prepare(fd);
	if (r < 0)
		return r;
	(void)snprintf(address.local.sun_path, sizeof(address.local.sun_path),
		       "/proc/self/fd/%d/uevent", dir_fd);
	if (unlinkat(dir_fd, "uevent", 0) < 0 && errno != ENOENT)
		return -errno;
	if (bind(fd, &address.any, sizeof(address.local)) < 0)
		return -errno;
	return take_fd(fd);
}

/**
 * verity_netlink_open() - listen to the kernel's announcements
 * @root_fd: the root directory
 * @kernel:  to the kernel's; otherwise to those that a test plays
 *
 * Return: a descriptor that the caller owns and that never blocks; a negative errno of
 * socket(2), setsockopt(2), bind(2), or of making the folder below @root_fd.
 */
int verity_netlink_open(int root_fd, bool kernel)
{
	return kernel ? open_kernel() : open_played(root_fd);
}

static bool is_trusted(const struct msghdr *message, const union address *sender,
		       bool kernel)
{
	const struct cmsghdr *control = CMSG_FIRSTHDR(message);
	const struct ucred *credentials;

	if (!control || control->cmsg_level != SOL_SOCKET ||
	    control->cmsg_type != SCM_CREDENTIALS ||
	    control->cmsg_len != CMSG_LEN(sizeof(*credentials)))
		return false;
	credentials = (const void *)CMSG_DATA(control);
	if (!kernel)
		return credentials->uid == 0 || credentials->uid == geteuid();
	return message->msg_namelen == sizeof(sender->netlink) &&
	       sender->netlink.nl_family == AF_NETLINK && sender->netlink.nl_pid == 0 &&
	       credentials->uid == 0 && credentials->pid == 0;
}

/**
 * verity_netlink_receive() - take the next announcement off the socket
 * @fd:       the socket
 * @kernel:   only the kernel may have sent it; otherwise root or ourselves
 * @ret:      the datagram
 * @ret_max:  room in @ret in bytes
 * @ret_size: its size in bytes
 *
 * Return: 0; VERITY_NETLINK_EMPTY; VERITY_NETLINK_LOST; a negative errno of recvmsg(2).
 */
int verity_netlink_receive(int fd, bool kernel, char *ret, size_t ret_max,
			   size_t *ret_size)
{
	union {
		struct cmsghdr aligned;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	union address sender;
	struct iovec part = { .iov_base = ret, .iov_len = ret_max };

	for (;;) {
		struct msghdr message = {
			.msg_name = &sender, .msg_namelen = sizeof(sender),
			.msg_iov = &part, .msg_iovlen = 1,
			.msg_control = &control, .msg_controllen = sizeof(control),
		};
		ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return VERITY_NETLINK_EMPTY;
		if (n < 0)
			return errno == ENOBUFS ? VERITY_NETLINK_LOST : -errno;
		if (!is_trusted(&message, &sender, kernel))
			continue;
		if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
			return VERITY_NETLINK_LOST;
		*ret_size = (size_t)n;
		return 0;
	}
}
