/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * replay [N] - how fast a log of N records is read, checked and folded, and in how
 * much memory.  Processor time is what counts: the clock's depends on what else runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "eventlog/eventlog.h"

/* The record of one activation, with all that usually comes with it. */
static void make_record(uint64_t n, struct eventlog_record *ret)
{
	static const char salt[] =
		"aee087a5be3b982978c923f566a94613496b417f2af592639bc80d141e34dfe7";
	struct digest root_hash;
	char hex[DIGEST_HEX_MAX], text[80];

	digest_compute(DIGEST_SHA256, &n, sizeof(n), &root_hash);
	digest_to_hex(&root_hash, hex);
	*ret = (struct eventlog_record){
		.recnum = n, .target = EVENTLOG_NV_INDEX, .index = 0x01805645,
		.n_digests = 1, .nvpcr_name = "verity", .event_type = "dm-verity",
		.boot_id = "59009e464d5a4fe4bdc330d6279a3142",
		.timestamp_us = 6664234909 + n, .source = "uevent", .phase = "initrd",
	};
	(void)snprintf(ret->word, sizeof(ret->word),
		       "dm-verity:v1:1:sha256:%s:%s:4096:4096:262144:-:kernel", hex, salt);
	digest_compute(DIGEST_SHA256, ret->word, strlen(ret->word), &ret->digests[0]);
	(void)snprintf(text, sizeof(text), "CRYPT-VERITY-%.32s-extension-%llu", hex,
		       (unsigned long long)n);
	if (eventlog_annotate(ret, "name", "extension-1-verity") < 0 ||
	    eventlog_annotate(ret, "uuid", text) < 0 ||
	    eventlog_annotate(ret, "backing_file", "/var/lib/extensions/one.raw") < 0 ||
	    eventlog_annotate_number(ret, "diskseq", n) < 0)
		exit(1);
}

static void write_log(FILE *file, uint64_t n_records)
{
	static struct eventlog_record record;
	static char text[EVENTLOG_RECORD_MAX];
	size_t size;

	for (uint64_t n = 0; n < n_records; n++) {
		make_record(n, &record);
		if (eventlog_record_encode(&record, text, sizeof(text), &size) < 0 ||
		    fwrite(text, size, 1, file) != 1)
			exit(1);
		eventlog_record_done(&record);
	}
	if (fflush(file) != 0)
		exit(1);
}

static void replay_log(int fd, struct eventlog_replay *ret)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	const struct eventlog_record *record = NULL;

	eventlog_replay_init(ret);
	if (eventlog_reader_open_fd(fd, &reader) < 0)
		exit(1);
	eventlog_reader_skip_annotations(reader);
	while (eventlog_reader_next(reader, &record) == 0)
		if (eventlog_replay_add(ret, record) != 0)
			exit(1);
}

/* In KiB.  getrusage() would count what the program before us had, too. */
static unsigned long peak_memory(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned long peak = 0;
	char line[128];

	if (!status)
		exit(1);
	while (fgets(line, sizeof(line), status))
		if (strncmp(line, "VmHWM:", 6) == 0)
			peak = strtoul(line + 6, NULL, 10);
	(void)fclose(status);
	return peak;
}

static unsigned long per_second(uint64_t n, clockid_t clock, uint64_t start_us)
{
	return (unsigned long)(n * CLOCK_S / (clock_us(clock) - start_us + 1));
}

int main(int argc, char *argv[])
{
	uint64_t n_records = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	struct eventlog_replay replay;
	FILE *file = tmpfile();
	uint64_t start, cpu_start;
	unsigned long speed, cpu_speed;

	if (!file)
		return 1;
	write_log(file, n_records);
	start = clock_us(CLOCK_MONOTONIC);
	cpu_start = clock_us(CLOCK_PROCESS_CPUTIME_ID);
	replay_log(fileno(file), &replay);
	speed = per_second(n_records, CLOCK_MONOTONIC, start);
	cpu_speed = per_second(n_records, CLOCK_PROCESS_CPUTIME_ID, cpu_start);
	if (replay.n_records != n_records)
		return 1;
	printf("%llu records of %llu bytes: %lu records/s of processor time "
	       "(%lu by the clock), peak memory %lu KiB\n",
	       (unsigned long long)n_records,
	       (unsigned long long)((uint64_t)ftell(file) / n_records),
	       cpu_speed, speed, peak_memory());
	return 0;
}
