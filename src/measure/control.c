/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's control socket: /run/veritally/control, a sequenced-packet socket.
 *
 * One packet asks, one answers: "sync PHASE", "leave" or "extend TARGET WORD", then "ok"
 * or "error TEXT".
 * Only root may connect.  The daemon serves one client at a time and waits for its packet
 * as for everything else, so that a stuck one cannot hold up measurements.
 */
#include "measure/private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"

/*
 * Opens the socket's folder and names the socket.  Its path must be short, and it must be
 * looked up below the root: the way through /proc/self/fd does both, as long as the
 * folder is open.
 */
static int open_dir(int root_fd, struct sockaddr_un *ret)
{
	int dir_fd = io_open(root_fd, MEASURE_DIR, O_PATH | O_DIRECTORY, 0);

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (dir_fd >= 0)
		(void)snprintf(ret->sun_path, sizeof(ret->sun_path),
			       "/proc/self/fd/%d/control", dir_fd);
	return dir_fd;
}

/* Opens the listening socket; a negative errno if that cannot be. */
int measure_control_open(int root_fd)
{
	struct sockaddr_un address;
	_cleanup_close_ int dir_fd = open_dir(root_fd, &address);
	_cleanup_close_ int fd = -1;

	if (dir_fd < 0)
		return dir_fd;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	(void)unlinkat(dir_fd, "control", 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fchmodat(dir_fd, "control", 0600, 0) < 0 || listen(fd, 16) < 0)
		return -errno;
	return take_fd(fd);
}

/* Closes the listening socket and takes its name away. */
void measure_control_close(int root_fd, int *fd)
{
	_cleanup_close_ int dir_fd = io_open(root_fd, MEASURE_DIR, O_PATH | O_DIRECTORY, 0);

	if (*fd < 0)
		return;
	if (dir_fd >= 0)
		(void)unlinkat(dir_fd, "control", 0);
	(void)close(*fd);
	*fd = -1;
}

static bool is_root(int connection)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

/**
 * measure_control_receive() - take one packet that is there
 * @connection: one end
 * @ret:        the packet, terminated by NUL
 * @ret_size:   room in @ret in bytes
 *
 * Return: 0; -EAGAIN if there is none yet; -EMSGSIZE if it does not fit; -ECONNRESET if
 * there will be none; other negative errno of recv(2).
 */
int measure_control_receive(int connection, char *ret, size_t ret_size)
{
	ssize_t n = recv(connection, ret, ret_size - 1, MSG_TRUNC | MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	if (n == 0)
		return -ECONNRESET;
	if ((size_t)n >= ret_size)
		return -EMSGSIZE;
	ret[n] = '\0';
	return 0;
}

/**
 * measure_control_accept() - let a client in
 * @fd: listening socket
 *
 * Return: the connection, of which measure_control_receive() takes the request; a
 * negative errno if there is nobody, or nobody who may ask.
 */
int measure_control_accept(int fd)
{
	_cleanup_close_ int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (connection < 0)
		return -errno;
	return is_root(connection) ? take_fd(connection) : -EPERM;
}

/* Answers a request and ends its connection. */
void measure_control_answer(int connection, const char *answer)
{
	(void)send(connection, answer, strlen(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(connection);
}

/**
 * measure_control_request() - ask the daemon
 * @root_fd:         directory that stands for "/"
 * @request:         one packet
 * @timeout_ms:      how long to wait for the answer
 * @ret_answer:      its answer, terminated by NUL
 * @ret_answer_size: room in @ret_answer in bytes
 *
 * Return: 0; -ENOENT or -ECONNREFUSED if there is no daemon; -ETIMEDOUT; -ECONNRESET if
 * it ended without an answer; other negative errno of the socket.
 */
int measure_control_request(int root_fd, const char *request, int timeout_ms,
			    char *ret_answer, size_t ret_answer_size)
{
	struct pollfd pollfd = { .events = POLLIN };
	struct sockaddr_un address;
	_cleanup_close_ int dir_fd = open_dir(root_fd, &address);
	_cleanup_close_ int fd = -1;
	int n;

	if (dir_fd < 0)
		return dir_fd;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		return -errno;
	pollfd.fd = fd;
	do
		n = poll(&pollfd, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ETIMEDOUT;
	return measure_control_receive(fd, ret_answer, ret_answer_size);
}
