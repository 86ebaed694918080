/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attack - what root can try with the kernel hook and no other tool of the guest does
 *
 *	attack get NAME		open one of the hook's maps by its name
 *	attack ack		wait for an activation that waits, and acknowledge it
 *	attack maps|links|programs  open all there are by their numbers; how many are refused
 *	attack trace PID	attach to a process as a debugger does
 *	attack stop FD		stop all tracing, by a descriptor of kernel.ftrace_enabled
 *
 * Exits with 0 if that is possible, 1 if the kernel does not permit it, 2 for other reasons.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verity/hook_abi.h"

#define FOLDER "/sys/fs/bpf/veritally/"

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int get(const char *name)
{
	union bpf_attr attr = { 0 };
	char path[128];

	(void)snprintf(path, sizeof(path), FOLDER "%s", name);
	attr.pathname = (__u64)(unsigned long)path;
	return bpf(BPF_OBJ_GET, &attr);
}

/* Answers the last ticket that was given out, in every slot. */
static int acknowledge(void)
{
	struct hook_shared *shared;
	int fd = get("shared");

	if (fd < 0)
		return fd;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		return -1;
	for (int i = 0; !*(volatile __u64 *)&shared->waiting && i < 1000; i++)
		(void)usleep(10000);
	for (int i = 0; i < HOOK_SLOTS; i++)
		shared->answers[i] = shared->tickets << 8 | HOOK_MEASURED;
	return 0;
}

/* Opens everything of a kind; fails if the kernel refused any. */
static int open_all(int next, int open)
{
	int opened = 0, refused = 0;

	for (__u32 id = 0;;) {
		union bpf_attr attr = { .start_id = id };

		if (bpf(next, &attr) < 0)
			break;
		id = attr.next_id;
		attr = (union bpf_attr){ .map_id = id };
		if (bpf(open, &attr) >= 0)
			opened++;
		else if (errno == EPERM)
			refused++;
	}
	printf("%d %d\n", opened, refused);
	errno = EPERM;
	return refused ? -1 : 0;
}

static int trace(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0)
		return -1;
	(void)waitpid(pid, &status, 0);
	(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return 0;
}

int main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "", *with = argc > 2 ? argv[2] : "";
	int r = -1, error;

	errno = EINVAL;
	if (strcmp(what, "get") == 0)
		r = get(with);
	else if (strcmp(what, "ack") == 0)
		r = acknowledge();
	else if (strcmp(what, "maps") == 0)
		r = open_all(BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID);
	else if (strcmp(what, "links") == 0)
		r = open_all(BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID);
	else if (strcmp(what, "programs") == 0)
		r = open_all(BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID);
	else if (strcmp(what, "trace") == 0)
		r = trace((pid_t)atoi(with));
	else if (strcmp(what, "stop") == 0)
		r = (int)write(atoi(with), "0", 1);
	if (r >= 0)
		return 0;
	error = errno;
	perror(what);
	return error == EPERM ? 1 : 2;
}
