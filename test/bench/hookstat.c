/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hookstat - print how long the kernel was in the hook's program so far, in nanoseconds,
 * and how often
 *
 * The kernel counts while kernel.bpf_stats_enabled is 1.  Where the hook waits, that is in
 * it too.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

/* Adds up the programs whose names begin like that of the hook; links keep them alive. */
static int add_up(uint64_t *ret_ns, uint64_t *ret_runs)
{
	static const char *const names[] = { "hook_lsm", "hook_fmod_ret", "hook_fentry" };
	uint32_t id = 0;
	int found = 0;

	while (bpf_prog_get_next_id(id, &id) == 0) {
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
			return -1;
		(void)close(fd);
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (strcmp(info.name, names[i]) != 0)
				continue;
			*ret_ns += info.run_time_ns;
			*ret_runs += info.run_cnt;
			found++;
		}
	}
	return found > 0 ? 0 : -1;
}

int main(void)
{
	uint64_t ns = 0, runs = 0;

	if (add_up(&ns, &runs) < 0)
		return 1;
	printf("%llu %llu\n", (unsigned long long)ns, (unsigned long long)runs);
	return 0;
}
