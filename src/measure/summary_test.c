/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "measure/private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

#define BOOT	"00112233445566778899aabbccddeeff"
#define WORD	"dm-verity:v1:1:sha256:aa:-:4096:4096:1:-:none"
#define HASH	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ANCHOR	"nvpcr-anchor:v1:1:0x01805645:000b" HASH ":" HASH
#define ZERO	"0000000000000000000000000000000000000000000000000000000000000000"

/* A log in the making, in a folder of its own. */
struct fixture {
	char dir[32];
	int root_fd;
	struct eventlog log;
};

static struct fixture begin(void)
{
	struct fixture fixture = { .dir = "/tmp/summary.XXXXXX", .log = EVENTLOG_NONE };

	if (!mkdtemp(fixture.dir))
		abort();
	fixture.root_fd = open(fixture.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_EQ(eventlog_open(&fixture.log, fixture.root_fd, "/log"), 0);
	CHECK_EQ(eventlog_begin(&fixture.log), 0);
	return fixture;
}

static void add_to(struct fixture *fixture, const char *word, uint32_t pcr,
		   const char *boot_id, const char *note)
{
	struct eventlog_record rec = {
		.target = pcr ? EVENTLOG_PCR : EVENTLOG_NV_INDEX,
		.index = pcr ? pcr : 0x01805645, .n_digests = 1, .event_type = "test",
	};

	(void)snprintf(rec.word, sizeof(rec.word), "%s", word);
	(void)snprintf(rec.boot_id, sizeof(rec.boot_id), "%s", boot_id);
	(void)snprintf(rec.nvpcr_name, sizeof(rec.nvpcr_name), pcr ? "" : "verity");
	digest_compute(DIGEST_SHA256, word, strlen(word), &rec.digests[0]);
	if (note)
		CHECK_EQ(eventlog_annotate(&rec, pcr ? "gate-sha256" : "dev", note), 0);
	CHECK_EQ(eventlog_append(&fixture->log, &rec), 0);
	eventlog_record_done(&rec);
}

static void add(struct fixture *fixture, const char *word)
{
	add_to(fixture, word, 0, BOOT, "253:0");
}

static void add_beginning(struct fixture *fixture)
{
	add(fixture, NVPCR_GENESIS_WORD);
	add_to(fixture, ANCHOR, 13, BOOT, ZERO);
}

static struct measure_summary end(struct fixture *fixture)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	static struct measure_summary summary;

	eventlog_close(&fixture->log);
	CHECK_EQ(eventlog_reader_open(fixture->root_fd, "/log", &reader), 0);
	CHECK_EQ(measure_summarize(reader, /* track_live= */ true, &summary), 0);
	(void)unlinkat(fixture->root_fd, "log", 0);
	(void)close(fixture->root_fd);
	(void)rmdir(fixture->dir);
	return summary;
}

static void a_good_log_has_no_fault(void)
{
	struct fixture fixture = begin();
	struct measure_summary summary;
	struct nvpcr_set set;

	add_beginning(&fixture);
	add(&fixture, "hook:v1:uevent:-");
	add(&fixture, WORD);
	summary = end(&fixture);
	CHECK_EQ(summary.fault, 0);
	CHECK_EQ(summary.n_records, 4);
	CHECK_EQ(summary.vouched, 4);
	CHECK_EQ(summary.n_activations, 1);
	CHECK_EQ(summary.n_anchors, 1);
	CHECK_EQ(summary.gate.pcr, 13);
	CHECK_EQ(summary.gate.banks, 1U << DIGEST_SHA256);
	CHECK_STR(summary.names[0], "verity");
	CHECK_STR(summary.source, "uevent");
	CHECK_STR(summary.boot_id, BOOT);
	CHECK_EQ(summary.live.n_entries, 1);
	measure_summary_nvpcrs(&summary, &set);
	CHECK_EQ(set.n_nvpcrs, 1);
	CHECK_EQ(set.nvpcrs[0].rung, NVPCR_RUNG_NV);
	measure_summary_done(&summary);
}

static void what_was_removed_is_not_live(void)
{
	struct fixture fixture = begin();
	struct measure_summary summary;

	add_beginning(&fixture);
	add(&fixture, WORD);
	add_to(&fixture, WORD, 0, BOOT, "253:1");
	add(&fixture, "removed:v1:" WORD);
	summary = end(&fixture);
	CHECK_EQ(summary.n_activations, 2);
	CHECK_EQ(summary.live.n_entries, 1);
	CHECK_EQ(summary.live.entries[0].device.minor, 1);
	measure_summary_done(&summary);
}

static void daemons_of_one_hook_are_counted(void)
{
	struct fixture fixture = begin();
	struct measure_summary summary;

	add_beginning(&fixture);
	add(&fixture, "hook:v1:lsm:0123456789abcdef");
	add(&fixture, "hook:v1:lost-lsm:0123456789abcdef");
	add(&fixture, "hook:v1:fmod_ret:fedcba9876543210:guard");
	add(&fixture, WORD);
	add(&fixture, "hook:v1:fmod_ret:fedcba9876543210:enforce,guard");
	summary = end(&fixture);
	CHECK_EQ(summary.n_hooks, 2);
	CHECK_STR(summary.hook, "fmod_ret:fedcba9876543210:enforce,guard");
	CHECK_STR(summary.source, "fmod_ret");
	measure_summary_done(&summary);
}

static void a_hook_that_ended_has_no_heirs(void)
{
	static const char *const ends[] = {
		"hook:v1:uevent:-", "hook:v1:none:-", "hook:v1:lost-lsm:0123456789abcdef",
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct fixture fixture = begin();
		struct measure_summary summary;

		add_beginning(&fixture);
		add(&fixture, "hook:v1:lsm:0123456789abcdef");
		add(&fixture, ends[i]);
		summary = end(&fixture);
		CHECK_EQ(summary.n_hooks, 0);
		CHECK_STR(summary.hook, "");
		measure_summary_done(&summary);
	}
}

static void falling_is_not_forgotten(void)
{
	struct fixture fixture = begin();
	struct measure_summary summary;
	struct nvpcr_set set;

	add_beginning(&fixture);
	add_to(&fixture, "degraded:v1:pcr:tpm-rc-0x1:verity", 13, BOOT, NULL);
	summary = end(&fixture);
	measure_summary_nvpcrs(&summary, &set);
	CHECK_EQ(set.nvpcrs[0].rung, NVPCR_RUNG_PCR);
	measure_summary_anchored(&summary, &set);
	CHECK_EQ(set.nvpcrs[0].rung, NVPCR_RUNG_NV);
	measure_summary_done(&summary);
}

static void nothing_vouches_for_what_follows_a_loss(void)
{
	struct fixture fixture = begin();
	struct measure_summary summary;
	struct nvpcr_set set;

	add_beginning(&fixture);
	add(&fixture, WORD);
	add(&fixture, "degraded:v1:log:tpm-timeout");
	add(&fixture, WORD);
	summary = end(&fixture);
	CHECK_EQ(summary.n_records, 5);
	CHECK_EQ(summary.vouched, 3);
	CHECK_STR(summary.lost_reason, "tpm-timeout");
	CHECK_EQ(summary.replay.n_records, 3);
	measure_summary_nvpcrs(&summary, &set);
	CHECK_EQ(set.nvpcrs[0].rung, NVPCR_RUNG_LOG);
	measure_summary_done(&summary);
}

static void a_log_without_an_index_has_a_place_for_words(void)
{
	static const struct {
		const char *word;
		enum nvpcr_rung rung;
	} cases[] = {
		{ "nvpcr-anchor:v1:mode=pcr:nv-space", NVPCR_RUNG_PCR },
		{ "nvpcr-anchor:v1:mode=none:no-tpm", NVPCR_RUNG_LOG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture fixture = begin();
		struct measure_summary summary;
		struct nvpcr_set set;

		test_case = cases[i].word;
		add_to(&fixture, cases[i].word, 13, BOOT, ZERO);
		summary = end(&fixture);
		measure_summary_nvpcrs(&summary, &set);
		CHECK_EQ(set.n_nvpcrs, 1);
		CHECK_EQ(set.nvpcrs[0].rung, cases[i].rung);
		CHECK_EQ(set.nvpcrs[0].def.index, MEASURE_NVPCR_INDEX);
		measure_summary_done(&summary);
	}
}

static void the_first_fault_is_the_one_that_is_said(void)
{
	struct fixture fixture = begin();
	struct measure_summary summary;

	add(&fixture, NVPCR_GENESIS_WORD);
	add(&fixture, WORD);
	add_to(&fixture, ANCHOR, 13, BOOT, ZERO);
	add_to(&fixture, WORD, 0, "ffffffffffffffffffffffffffffffff", "253:1");
	summary = end(&fixture);
	CHECK_EQ(summary.fault, MEASURE_FAULT_ORDER);
	CHECK_EQ(summary.fault_recnum, 1);
	measure_summary_done(&summary);
}

static void every_fault_has_a_description(void)
{
	static const int faults[] = {
		EVENTLOG_FAULT_RECNUM, EVENTLOG_FAULT_DIGEST, EVENTLOG_FAULT_FULL,
		MEASURE_FAULT_TORN, MEASURE_FAULT_MALFORMED, MEASURE_FAULT_ANCHOR,
		MEASURE_FAULT_BOOT_ID, MEASURE_FAULT_ORDER,
	};

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		CHECK(strcmp(measure_fault_describe(faults[i]),
			     measure_fault_describe(0)) != 0);
}

TEST_MAIN(a_good_log_has_no_fault, what_was_removed_is_not_live,
	  daemons_of_one_hook_are_counted, a_hook_that_ended_has_no_heirs, falling_is_not_forgotten,
	  nothing_vouches_for_what_follows_a_loss,
	  a_log_without_an_index_has_a_place_for_words,
	  the_first_fault_is_the_one_that_is_said, every_fault_has_a_description)
