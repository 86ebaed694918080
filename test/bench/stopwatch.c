/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stopwatch FILE COMMAND... - run a command and append to FILE how many microseconds it
 * took, how many of them it used a processor, and its largest process in KiB
 *
 * One ruler for what is compared, on the host and where there is only busybox.  Children
 * that the command waited for count as its own.
 */
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static uint64_t to_us(struct timeval time)
{
	return (uint64_t)time.tv_sec * CLOCK_S + (uint64_t)time.tv_usec;
}

/* Returns the command's exit status, or -1 if it has none. */
static int run(char *command[], uint64_t *ret_us, struct rusage *ret_usage)
{
	uint64_t began = clock_us(CLOCK_MONOTONIC);
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, command[0], NULL, NULL, command, environ) != 0)
		return -1;
	if (wait4(pid, &status, 0, ret_usage) != pid || !WIFEXITED(status))
		return -1;
	*ret_us = clock_us(CLOCK_MONOTONIC) - began;
	return WEXITSTATUS(status);
}

int main(int argc, char *argv[])
{
	struct rusage usage;
	uint64_t us;
	FILE *file;
	int status;

	if (argc < 3)
		return 2;
	status = run(argv + 2, &us, &usage);
	file = fopen(argv[1], "ae");
	if (status < 0 || !file)
		return 127;
	fprintf(file, "%llu %llu %ld\n", (unsigned long long)us,
		(unsigned long long)(to_us(usage.ru_utime) + to_us(usage.ru_stime)),
		usage.ru_maxrss);
	return fclose(file) == 0 ? status : 127;
}
