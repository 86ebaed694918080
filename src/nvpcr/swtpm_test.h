/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NVPCR_SWTPM_TEST_H
#define NVPCR_SWTPM_TEST_H

/*
 * A software TPM of one's own for tests: started with an empty state in a temporary
 * directory, reached by unix sockets, and switched off and on like a machine.
 *
 * struct probe is the transport to it.  It counts commands and can be told to refuse
 * a command, to be silent, or to do something just before a command arrives.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tpm/tpm.h"

#define SWTPM_WAIT_MS	10000
#define CC_NV_UNDEFINE	0x122u
#define CC_NV_DEFINE	0x12au
#define CC_NV_EXTEND	0x136u
#define CC_CLEAR	0x126u
#define CC_NV_READ	0x14eu
#define CC_FLUSH	0x165u
#define CC_POLICY_OR	0x171u
#define CC_PCR_READ	0x17eu
#define CC_PCR_EXTEND	0x182u

struct swtpm {
	pid_t pid;
	char dir[32];
	char data[48];
	char control[48];
};

static int swtpm_connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* Sends @size bytes and reads an answer, whose size is returned; -1 if that fails. */
static ssize_t swtpm_talk(const char *path, const uint8_t *data, size_t size,
			  uint8_t *answer, size_t room)
{
	int fd = swtpm_connect_to(path);
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	if (write(fd, data, size) == (ssize_t)size && poll(&pollfd, 1, SWTPM_WAIT_MS) == 1)
		n = read(fd, answer, room);
	(void)close(fd);
	return n;
}

static void swtpm_exec(const struct swtpm *swtpm)
{
	char state[64], server[96], control[96];

	(void)snprintf(state, sizeof(state), "dir=%s", swtpm->dir);
	(void)snprintf(server, sizeof(server), "type=unixio,path=%s", swtpm->data);
	(void)snprintf(control, sizeof(control), "type=unixio,path=%s", swtpm->control);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)!freopen("/dev/null", "w", stderr);	/* it reports every client */
	execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server",
	       server, "--ctrl", control, "--flags", "not-need-init,startup-clear",
	       (char *)NULL);
	_exit(127);
}

static bool swtpm_start(struct swtpm *swtpm)
{
	const struct timespec pause = { .tv_nsec = 5000000 };

	(void)snprintf(swtpm->dir, sizeof(swtpm->dir), "/tmp/swtpm-test.XXXXXX");
	if (!mkdtemp(swtpm->dir))
		return false;
	(void)snprintf(swtpm->data, sizeof(swtpm->data), "%s/data", swtpm->dir);
	(void)snprintf(swtpm->control, sizeof(swtpm->control), "%s/control", swtpm->dir);
	(void)fflush(stdout);
	swtpm->pid = fork();
	if (swtpm->pid == 0)
		swtpm_exec(swtpm);
	for (int ms = 0; ms < SWTPM_WAIT_MS; ms += 5) {
		int fd = swtpm_connect_to(swtpm->data);

		if (fd >= 0) {
			(void)close(fd);
			return true;
		}
		if (waitpid(swtpm->pid, NULL, WNOHANG) != 0)
			break;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

static void swtpm_stop(struct swtpm *swtpm)
{
	static const char *const files[] = {
		"data", "control", "tpm2-00.permall", "tpm2-00.volatilestate", ".lock",
	};

	(void)kill(swtpm->pid, SIGTERM);
	(void)waitpid(swtpm->pid, NULL, 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[96];

		(void)snprintf(path, sizeof(path), "%s/%s", swtpm->dir, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(swtpm->dir);
}

/* A command in the making. */
struct raw {
	uint8_t bytes[512];
	size_t size;
};

static inline void raw_u8(struct raw *raw, uint8_t value)
{
	raw->bytes[raw->size++] = value;
}

static inline void raw_u16(struct raw *raw, uint16_t value)
{
	raw_u8(raw, (uint8_t)(value >> 8));
	raw_u8(raw, (uint8_t)value);
}

static inline void raw_u32(struct raw *raw, uint32_t value)
{
	raw_u16(raw, (uint16_t)(value >> 16));
	raw_u16(raw, (uint16_t)value);
}

static inline void raw_digest(struct raw *raw, const struct digest *digest)
{
	raw_u16(raw, (uint16_t)digest_size(digest->alg));
	memcpy(raw->bytes + raw->size, digest->bytes, digest_size(digest->alg));
	raw->size += digest_size(digest->alg);
}

static inline void raw_begin(struct raw *raw, uint16_t tag, uint32_t code)
{
	raw->size = 0;
	raw_u16(raw, tag);
	raw_u32(raw, 0);
	raw_u32(raw, code);
}

/* The authorization area with one session; 0x40000009 is an empty password. */
static inline void raw_auth(struct raw *raw, uint32_t session)
{
	raw_u32(raw, 9);
	raw_u32(raw, session);
	raw_u16(raw, 0);
	raw_u8(raw, 0);
	raw_u16(raw, 0);
}

static inline uint32_t raw_get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Sends the command; its response code is returned, the first handle in *@ret. */
static inline uint32_t raw_run(const struct swtpm *swtpm, struct raw *raw, uint32_t *ret)
{
	uint8_t answer[TPM_COMMAND_MAX] = { 0 };

	for (int i = 0; i < 4; i++)
		raw->bytes[2 + i] = (uint8_t)(raw->size >> (24 - 8 * i));
	if (swtpm_talk(swtpm->data, raw->bytes, raw->size, answer, sizeof(answer)) < 10)
		return UINT32_MAX;
	if (ret)
		*ret = raw_get_u32(answer + 10);
	return raw_get_u32(answer + 6);
}

static inline uint32_t raw_startup_type(const struct swtpm *swtpm, uint32_t code,
					uint16_t type)
{
	struct raw raw;

	raw_begin(&raw, 0x8001, code);
	raw_u16(&raw, type);
	return raw_run(swtpm, &raw, NULL);
}

#define TPM_SU_CLEAR	0
#define TPM_SU_STATE	1

/* Off and on again: resets the TPM if @clear, else resumes it; @shutdown says bye. */
static inline bool swtpm_power_cycle(const struct swtpm *swtpm, bool shutdown,
				     uint16_t shutdown_type, uint16_t startup_type)
{
	static const uint8_t init[8] = { 0, 0, 0, 2, 0, 0, 0, 0 };	/* CMD_INIT */
	uint8_t answer[4] = { 0xff };

	if (shutdown && raw_startup_type(swtpm, 0x145, shutdown_type) != 0)
		return false;
	return swtpm_talk(swtpm->control, init, sizeof(init), answer,
			  sizeof(answer)) == 4 &&
	       raw_get_u32(answer) == 0 &&
	       raw_startup_type(swtpm, 0x144, startup_type) == 0;
}

/**
 * struct probe - transport to a swtpm
 * @swtpm:       where to
 * @n_commands:  commands that came along, and of them
 * @n_defines:   NV_DefineSpace
 * @n_flushes:   FlushContext
 * @refuse_code: command to answer with @refuse_rc instead, @refuse_times times
 * @cut_after:   if not 0, no command after this many gets an answer
 * @before_code: command before which @before is called, once
 */
struct probe {
	const struct swtpm *swtpm;
	unsigned int n_commands;
	unsigned int n_defines;
	unsigned int n_flushes;
	uint32_t refuse_code;
	uint32_t refuse_rc;
	int refuse_times;
	unsigned int cut_after;
	uint32_t before_code;
	void (*before)(const struct swtpm *swtpm);
};

static inline int probe_transmit(void *ctx, const uint8_t *command, size_t command_size,
				 uint8_t *response, size_t *response_size, int timeout_ms)
{
	struct probe *probe = ctx;
	uint32_t code = raw_get_u32(command + 6);
	ssize_t n;

	(void)timeout_ms;
	probe->n_commands++;
	probe->n_defines += code == CC_NV_DEFINE;
	probe->n_flushes += code == CC_FLUSH;
	if (probe->cut_after && probe->n_commands > probe->cut_after)
		return -ETIMEDOUT;
	if (probe->before && code == probe->before_code) {
		void (*before)(const struct swtpm *swtpm) = probe->before;

		probe->before = NULL;
		before(probe->swtpm);
	}
	if (code == probe->refuse_code && probe->refuse_times > 0) {
		struct raw raw;

		probe->refuse_times--;
		raw_begin(&raw, 0x8001, probe->refuse_rc);
		raw.bytes[5] = 10;
		memcpy(response, raw.bytes, 10);
		*response_size = 10;
		return 0;
	}
	n = swtpm_talk(probe->swtpm->data, command, command_size, response,
		       *response_size);
	if (n < 0)
		return -EIO;
	*response_size = (size_t)n;
	return 0;
}

static inline struct tpm *probe_open(struct probe *probe)
{
	const struct tpm_transport transport = { .transmit = probe_transmit, .ctx = probe };
	struct tpm *tpm = NULL;

	return tpm_open_transport(&transport, 2000, &tpm) == 0 ? tpm : NULL;
}

#endif /* NVPCR_SWTPM_TEST_H */
