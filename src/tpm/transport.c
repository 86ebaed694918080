/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transports: the kernel's TPM device, and swtpm's data channel.
 *
 * Both carry bare TPM commands, so there is nothing to do but to write, to wait and
 * to read, all of it bounded by a deadline.  The device is opened with O_NONBLOCK:
 * since Linux 5.0 a write then returns at once and the command runs on a workqueue.
 *
 * The kernel's close() of a TPM device waits until the command in hand has ended,
 * which may be never if the TPM hangs.  So a device that let a deadline pass is not
 * closed at all; its descriptor lives until the process ends.
 *
 * swtpm serves one client at a time.  So that several processes can share one, a
 * connection lasts for one command only.
 */
#include "tpm/private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/number.h"

#define HEADER_SIZE	10	/* bytes: tag, size, response code */
#define RETRY_MS	10	/* between two looks for a device */
#define SWTPM_PORT	2321

struct device {
	int fd;
	bool hangs;			/* a command is still under way */
};

struct swtpm {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} address;
	socklen_t address_size;
};

static int wait_for(int fd, short events, uint64_t deadline_us)
{
	struct pollfd pollfd = { .fd = fd, .events = events };
	int n;

	do {
		n = poll(&pollfd, 1, clock_left_ms(deadline_us));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

static bool is_whole(const uint8_t *response, size_t size)
{
	return size >= HEADER_SIZE &&
	       size >= ((size_t)response[2] << 24 | (size_t)response[3] << 16 |
			(size_t)response[4] << 8 | response[5]);
}

static int read_response(int fd, uint8_t *response, size_t *size, uint64_t deadline_us)
{
	size_t room = *size, got = 0;

	while (got < room) {
		int r = wait_for(fd, POLLIN, deadline_us);
		ssize_t n;

		if (r < 0)
			return r;
		n = read(fd, response + got, room - got);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		got += (size_t)n;
		if (is_whole(response, got)) {
			*size = got;
			return 0;
		}
	}
	return -EMSGSIZE;
}

static int device_transmit(void *ctx, const uint8_t *command, size_t command_size,
			   uint8_t *response, size_t *response_size, int timeout_ms)
{
	uint64_t deadline_us = clock_us(CLOCK_MONOTONIC) + (uint64_t)timeout_ms * CLOCK_MS;
	struct device *device = ctx;
	ssize_t n;
	int r;

	do {
		n = write(device->fd, command, command_size);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n != command_size)
		return -EIO;
	r = read_response(device->fd, response, response_size, deadline_us);
	device->hangs = r == -ETIMEDOUT;
	return r;
}

static void device_close(void *ctx)
{
	struct device *device = ctx;

	if (!device->hangs)
		(void)close(device->fd);
	free(device);
}

static void pause_ms(int ms)
{
	const struct timespec pause = { .tv_nsec = ms * 1000000L };

	(void)nanosleep(&pause, NULL);
}

/* What open(2) says while the driver is not there yet, or another has the device. */
static bool may_come(int r)
{
	return r == -ENOENT || r == -ENXIO || r == -ENODEV || r == -EBUSY;
}

static int open_patiently(const char *path, int root_fd, int timeout_ms)
{
	uint64_t deadline_us = clock_us(CLOCK_MONOTONIC) + (uint64_t)timeout_ms * CLOCK_MS;

	for (;;) {
		int fd = io_open(root_fd, path, O_RDWR | O_NONBLOCK, 0);

		if (!may_come(fd) || clock_left_ms(deadline_us) == 0)
			return fd;
		pause_ms(RETRY_MS);
	}
}

/**
 * tpm_transport_device() - open the kernel's TPM device
 * @path:       absolute path as seen from the root
 * @root_fd:    the root directory
 * @timeout_ms: how long to wait for the device to appear
 * @ret:        the transport; caller owns
 *
 * Return: 0; -ENOTTY if @path is no character device; -ENOMEM; a negative errno of
 * open(2).
 */
int tpm_transport_device(const char *path, int root_fd, int timeout_ms,
			 struct tpm_transport *ret)
{
	_cleanup_close_ int fd = open_patiently(path, root_fd, timeout_ms);
	_cleanup_free_ struct device *device = NULL;
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode))
		return -ENOTTY;
	device = calloc(1, sizeof(*device));
	if (!device)
		return -ENOMEM;
	device->fd = take_fd(fd);
	*ret = (struct tpm_transport){
		.transmit = device_transmit,
		.close = device_close,
		.ctx = take_ptr(device),
	};
	return 0;
}

/* connect(2), again while the queue of a unix socket is full: no poll(2) tells when it
 * no longer is. */
static int connect_patiently(int fd, const struct swtpm *swtpm, uint64_t deadline_us)
{
	while (connect(fd, &swtpm->address.any, swtpm->address_size) < 0) {
		if (errno != EAGAIN)
			return -errno;
		if (clock_left_ms(deadline_us) == 0)
			return -ETIMEDOUT;
		pause_ms(1);
	}
	return 0;
}

static int swtpm_connect(const struct swtpm *swtpm, uint64_t deadline_us)
{
	_cleanup_close_ int fd = socket(swtpm->address.any.sa_family,
					SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof(int);
	int error = 0, r;

	if (fd < 0)
		return -errno;
	r = connect_patiently(fd, swtpm, deadline_us);
	if (r == 0)
		return take_fd(fd);
	if (r != -EINPROGRESS)
		return r;
	r = wait_for(fd, POLLOUT, deadline_us);
	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return error ? -error : take_fd(fd);
}

static int send_all(int fd, const uint8_t *data, size_t size, uint64_t deadline_us)
{
	while (size) {
		int r = wait_for(fd, POLLOUT, deadline_us);
		ssize_t n;

		if (r < 0)
			return r;
		n = send(fd, data, size, MSG_NOSIGNAL);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static int swtpm_transmit(void *ctx, const uint8_t *command, size_t command_size,
			  uint8_t *response, size_t *response_size, int timeout_ms)
{
	uint64_t deadline_us = clock_us(CLOCK_MONOTONIC) + (uint64_t)timeout_ms * CLOCK_MS;
	_cleanup_close_ int fd = swtpm_connect(ctx, deadline_us);
	int r;

	if (fd < 0)
		return fd;
	r = send_all(fd, command, command_size, deadline_us);
	if (r < 0)
		return r;
	return read_response(fd, response, response_size, deadline_us);
}

static int set_unix(struct swtpm *swtpm, const char *path)
{
	size_t length = strlen(path);

	if (length == 0 || length >= sizeof(swtpm->address.un.sun_path))
		return -EINVAL;
	swtpm->address.un.sun_family = AF_UNIX;
	memcpy(swtpm->address.un.sun_path, path, length + 1);
	swtpm->address_size = sizeof(swtpm->address.un);
	return 0;
}

static int set_inet(struct swtpm *swtpm, const char *host, uint16_t port)
{
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	if (inet_pton(AF_INET, host, &swtpm->address.in.sin_addr) == 1) {
		swtpm->address.in.sin_family = AF_INET;
		swtpm->address.in.sin_port = htons(port);
		swtpm->address_size = sizeof(swtpm->address.in);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &swtpm->address.in6.sin6_addr) == 1) {
		swtpm->address.in6.sin6_family = AF_INET6;
		swtpm->address.in6.sin6_port = htons(port);
		swtpm->address_size = sizeof(swtpm->address.in6);
		return 0;
	}
	return -EINVAL;
}

static int parse_port(const char *text, uint16_t *ret)
{
	uint64_t port;

	if (number_parse(text, UINT16_MAX, &port) < 0 || port == 0)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

/* "host=H,port=P" in any order, either missing; "path=SOCKET" */
static int swtpm_parse(const char *conf, struct swtpm *ret)
{
	_cleanup_free_ char *copy = strdup(conf);
	const char *host = "127.0.0.1";
	uint16_t port = SWTPM_PORT;
	char *next = copy, *word;

	if (!copy)
		return -ENOMEM;
	if (strncmp(copy, "path=", 5) == 0)
		return set_unix(ret, copy + 5);
	while ((word = strsep(&next, ","))) {
		if (strncmp(word, "host=", 5) == 0)
			host = word + 5;
		else if (strncmp(word, "port=", 5) != 0 || parse_port(word + 5, &port) < 0)
			return -EINVAL;
	}
	return set_inet(ret, host, port);
}

/**
 * tpm_transport_swtpm() - reach a software TPM by its data channel
 * @conf:       "path=SOCKET" or "host=ADDRESS,port=NUMBER"
 * @timeout_ms: how long the first connection may take
 * @ret:        the transport; caller owns
 *
 * Return: 0; -EINVAL if @conf is not understood; -ENOMEM; a negative errno of
 * connect(2).
 */
int tpm_transport_swtpm(const char *conf, int timeout_ms, struct tpm_transport *ret)
{
	uint64_t deadline_us = clock_us(CLOCK_MONOTONIC) + (uint64_t)timeout_ms * CLOCK_MS;
	_cleanup_free_ struct swtpm *swtpm = calloc(1, sizeof(*swtpm));
	_cleanup_close_ int fd = -1;
	int r;

	if (!swtpm)
		return -ENOMEM;
	r = swtpm_parse(conf, swtpm);
	if (r < 0)
		return r;
	fd = swtpm_connect(swtpm, deadline_us);
	if (fd < 0)
		return fd;
	*ret = (struct tpm_transport){
		.transmit = swtpm_transmit,
		.close = free,
		.ctx = take_ptr(swtpm),
	};
	return 0;
}
