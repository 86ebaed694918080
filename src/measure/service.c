/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The measuring service: a Varlink socket that others have things measured by.
 *
 * It lives in the daemon's loop and never waits.  Each turn of the loop reads what is
 * there from each client, once, and does one call, so that an activation waits for one
 * extension at most.  A client whose call is not whole yet has until its deadline; where
 * all places are taken, the one that has been silent longest makes room for a new one,
 * but root's never for others.  A client that does not take its reply is dropped.  Calls
 * of others than root are paced by a bucket of tokens: they wait, and the kernel makes
 * their senders wait.
 */
#include "measure/private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"

#define NAME		"io.systemd.PCRExtend"
#define ERROR		"io.systemd.PCRExtend."
#define DENIED		"org.varlink.service.PermissionDenied"
#define MESSAGE_MAX	65536		/* bytes, with the NUL that ends it */
#define READ_SIZE	4096
#define ACCEPTS		16		/* new clients in one turn */
#define SILENCE_US	(10 * CLOCK_S)	/* until a client is dropped */
#define TOKENS_MAX	100		/* calls at once of others than root */
#define TOKEN_US	(CLOCK_S / 20)	/* one more call each */

struct client {
	int fd;				/* -1 if this place is free */
	uid_t uid;
	char *text;
	size_t size;
	size_t room;
	uint64_t deadline_us;
};

struct measure_service {
	struct measure *m;
	int fd;
	size_t next;			/* whose call is looked for first */
	uint64_t tokens;
	uint64_t filled_us;		/* when tokens were added last */
	struct client clients[MEASURE_CLIENTS_MAX];
};

static int bind_socket(struct measure *m, int dir_fd, int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	gid_t gid = m->options.extend_gid;
	mode_t mode = gid ? 0660 : 0600;

	(void)snprintf(address.sun_path, sizeof(address.sun_path),
		       "/proc/self/fd/%d/" NAME, dir_fd);
	(void)unlinkat(dir_fd, NAME, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fchownat(dir_fd, NAME, (uid_t)-1, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(dir_fd, NAME, mode, 0) < 0 || listen(fd, 128) < 0)
		return -errno;
	if (gid && (fchown(dir_fd, (uid_t)-1, gid) < 0 ||
		    fchmod(dir_fd, 0710) < 0))
		return -errno;
	return 0;
}

/**
 * measure_service_open() - listen
 * @m:   session; borrowed
 * @ret: the service; closed by measure_service_close()
 *
 * Return: 0; a negative errno of the socket; -ENOMEM.
 */
int measure_service_open(struct measure *m, struct measure_service **ret)
{
	_cleanup_close_ int dir_fd = io_open(m->options.root_fd, MEASURE_DIR,
					     O_RDONLY | O_DIRECTORY, 0);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct measure_service *service;
	int r;

	if (dir_fd < 0 || fd < 0)
		return dir_fd < 0 ? dir_fd : -errno;
	r = bind_socket(m, dir_fd, fd);
	if (r < 0)
		return r;
	service = calloc(1, sizeof(*service));
	if (!service)
		return -ENOMEM;
	service->m = m;
	service->fd = take_fd(fd);
	service->tokens = TOKENS_MAX;
	service->filled_us = clock_us(CLOCK_MONOTONIC);
	for (size_t i = 0; i < MEASURE_CLIENTS_MAX; i++)
		service->clients[i].fd = -1;
	*ret = service;
	return 0;
}

static void drop(struct client *client)
{
	if (client->fd >= 0)
		(void)close(client->fd);
	free(client->text);
	*client = (struct client){ .fd = -1 };
}

/**
 * measure_service_close() - stop listening and drop all clients
 * @service: may be NULL
 */
void measure_service_close(struct measure_service **service)
{
	_cleanup_close_ int dir_fd = -1;

	if (!*service)
		return;
	dir_fd = io_open((*service)->m->options.root_fd, MEASURE_DIR, O_PATH | O_DIRECTORY, 0);
	if (dir_fd >= 0)
		(void)unlinkat(dir_fd, NAME, 0);
	for (size_t i = 0; i < MEASURE_CLIENTS_MAX; i++)
		drop(&(*service)->clients[i]);
	(void)close((*service)->fd);
	free(*service);
	*service = NULL;
}

static bool is_in_group(int fd, gid_t primary, gid_t gid)
{
	gid_t groups[128];
	socklen_t size = sizeof(groups);

	if (!gid)
		return false;
	if (primary == gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(groups[0]); i++)
		if (groups[i] == gid)
			return true;
	return false;
}

static bool is_allowed(const struct measure_service *service, int fd, uid_t *ret_uid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	*ret_uid = peer.uid;
	return peer.uid == 0 || peer.uid == geteuid() ||
	       is_in_group(fd, peer.gid, service->m->options.extend_gid);
}

/* Whether @a gives way to a new client before @b does. */
static bool is_lesser(const struct client *a, const struct client *b)
{
	if ((a->uid == 0) != (b->uid == 0))
		return a->uid != 0;
	return a->deadline_us < b->deadline_us;
}

/* A free place, or that of the least client; NULL if there is none for @uid. */
static struct client *find_place(struct measure_service *service, uid_t uid)
{
	struct client *place = &service->clients[0];

	for (size_t i = 0; i < MEASURE_CLIENTS_MAX; i++) {
		struct client *client = &service->clients[i];

		if (client->fd < 0)
			return client;
		if (is_lesser(client, place))
			place = client;
	}
	if (place->uid == 0 && uid != 0)
		return NULL;
	drop(place);
	return place;
}

static void accept_clients(struct measure_service *service)
{
	for (int i = 0; i < ACCEPTS; i++) {
		int fd = accept4(service->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct client *client;
		uid_t uid;

		if (fd < 0)
			return;
		client = is_allowed(service, fd, &uid) ? find_place(service, uid) : NULL;
		if (!client) {
			(void)close(fd);
			continue;
		}
		*client = (struct client){
			.fd = fd, .uid = uid,
			.deadline_us = clock_us(CLOCK_MONOTONIC) + SILENCE_US,
		};
	}
}

static bool has_call(const struct client *client)
{
	return client->size && memchr(client->text, '\0', client->size);
}

static bool make_room(struct client *client)
{
	size_t room = client->room ? 2 * client->room : READ_SIZE;
	char *text;

	if (client->size < client->room)
		return true;
	text = room <= MESSAGE_MAX ? realloc(client->text, room) : NULL;
	if (!text)
		return false;
	client->text = text;
	client->room = room;
	return true;
}

/* One read.  A message that is too long, like an end, is the end of the client. */
static void receive(struct client *client)
{
	ssize_t n;

	if (!make_room(client)) {
		drop(client);
		return;
	}
	n = recv(client->fd, client->text + client->size, client->room - client->size, 0);
	if (n > 0)
		client->size += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		drop(client);
}

static char *reply_to(const char *reason, int r)
{
	if (r == 0)
		return measure_varlink_done();
	if (r == -ENOENT)
		return measure_varlink_error(ERROR "NoSuchNvPCR", NULL, NULL);
	if (r == -EPERM)
		return measure_varlink_error(DENIED, reason ? "reason" : NULL, reason);
	return measure_varlink_errno(r);
}

static char *extend(struct measure_service *service, const struct client *client,
		    const struct measure_call *call)
{
	const struct measure_user user = {
		.source = "varlink", .uid = client->uid, .type = call->type,
		.data = call->data, .size = call->size, .is_text = call->is_text,
	};
	char word[MEASURE_USER_MAX];
	const char *reason = NULL;
	int r = measure_user_word(&user, word);

	if (r == 0)
		r = measure_user(service->m, call->target, word,
				 *call->type ? call->type : "user", &reason);
	return reply_to(reason, r);
}

/* Replies are small: one that does not fit belongs to somebody who does not read. */
static bool send_reply(const struct client *client, const char *reply)
{
	size_t size = reply ? strlen(reply) + 1 : 0;

	return size && send(client->fd, reply, size, MSG_NOSIGNAL | MSG_DONTWAIT) ==
			       (ssize_t)size;
}

/* Does the first call that is whole in @client's text. */
static void serve(struct measure_service *service, struct client *client)
{
	_cleanup_free_ char *reply = NULL;
	size_t size = strlen(client->text);
	struct measure_call call;
	bool oneway = false;
	int r = measure_varlink_parse(client->text, size, &call, &reply, &oneway);

	if (r == MEASURE_CALL_EXTEND) {
		reply = extend(service, client, &call);
		measure_call_done(&call);
	}
	if (r < 0 || (!oneway && !send_reply(client, reply))) {
		drop(client);
		return;
	}
	client->size -= size + 1;
	memmove(client->text, client->text + size + 1, client->size);
	client->deadline_us = clock_us(CLOCK_MONOTONIC) + SILENCE_US;
}

static void fill_tokens(struct measure_service *service)
{
	uint64_t n = (clock_us(CLOCK_MONOTONIC) - service->filled_us) / TOKEN_US;

	service->filled_us += n * TOKEN_US;
	service->tokens = service->tokens + n > TOKENS_MAX ? TOKENS_MAX : service->tokens + n;
}

static bool may_call(const struct measure_service *service, const struct client *client)
{
	return client->fd >= 0 && has_call(client) && (client->uid == 0 || service->tokens);
}

/* The next one whose call is whole, in turn; NULL if there is none. */
static struct client *find_call(struct measure_service *service)
{
	for (size_t i = 0; i < MEASURE_CLIENTS_MAX; i++) {
		struct client *client =
			&service->clients[(service->next + i) % MEASURE_CLIENTS_MAX];

		if (!may_call(service, client))
			continue;
		service->next = (service->next + i + 1) % MEASURE_CLIENTS_MAX;
		return client;
	}
	return NULL;
}

/**
 * measure_service_prepare() - what to wait for
 * @service: may be NULL
 * @fds:     MEASURE_SERVICE_FDS of them, filled in
 *
 * Return: how many milliseconds to wait at most; -1 if there is no limit.
 */
int measure_service_prepare(struct measure_service *service, struct pollfd *fds)
{
	int timeout_ms = -1;

	for (size_t i = 0; i < MEASURE_SERVICE_FDS; i++)
		fds[i] = (struct pollfd){ .fd = -1 };
	if (!service)
		return -1;
	fill_tokens(service);
	fds[0] = (struct pollfd){ .fd = service->fd, .events = POLLIN };
	for (size_t i = 0; i < MEASURE_CLIENTS_MAX; i++) {
		const struct client *client = &service->clients[i];
		int left_ms = clock_left_ms(client->deadline_us);

		if (client->fd < 0)
			continue;
		if (may_call(service, client))
			left_ms = 0;
		else if (has_call(client))
			left_ms = (int)(TOKEN_US / CLOCK_MS);
		else
			fds[1 + i] = (struct pollfd){ .fd = client->fd, .events = POLLIN };
		if (timeout_ms < 0 || left_ms < timeout_ms)
			timeout_ms = left_ms;
	}
	return timeout_ms;
}

/**
 * measure_service_run() - take what is there, and do one call
 * @service: may be NULL
 * @fds:     as measure_service_prepare() left them, after poll(2)
 */
void measure_service_run(struct measure_service *service, const struct pollfd *fds)
{
	struct client *client;

	if (!service)
		return;
	for (size_t i = 0; i < MEASURE_CLIENTS_MAX; i++) {
		client = &service->clients[i];
		if (client->fd < 0)
			continue;
		if (fds[1 + i].fd == client->fd && fds[1 + i].revents)
			receive(client);
		else if (!has_call(client) && !clock_left_ms(client->deadline_us))
			drop(client);
	}
	client = find_call(service);
	if (client && client->uid != 0)
		service->tokens--;
	if (client)
		serve(service, client);
	if (fds[0].revents)
		accept_clients(service);
}
