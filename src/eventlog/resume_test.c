/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eventlog/eventlog.h"

#include <errno.h>

#include "base/cleanup.h"
#include "test.h"

#define VALUE	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define OTHER	"f29912d0afdc89b63c6118b22b41e0a771094ca0ffc533d922e2253eaf05b261"

static int resume(struct eventlog_replay *replay, const char *rest, uint32_t *ret_pcr)
{
	char word[256];

	(void)snprintf(word, sizeof(word), "%s%s", EVENTLOG_RESUME_PREFIX, rest);
	return eventlog_replay_resume(replay, word, 13, ret_pcr);
}

static void a_pcr_goes_on_from_where_a_word_says(void)
{
	const struct eventlog_fold *fold;
	struct eventlog_replay replay;
	char hex[DIGEST_HEX_MAX];
	uint32_t pcr = 0;

	eventlog_replay_init(&replay);
	CHECK_EQ(resume(&replay, "15:sha256:" VALUE ":" OTHER, &pcr),
		 -EBADMSG);
	CHECK_EQ(resume(&replay, "15:sha256:-:" VALUE, &pcr), 0);
	CHECK_EQ(pcr, 15);
	CHECK_EQ(resume(&replay, "15:sha256:-:" OTHER, &pcr), -EBADMSG);
	CHECK_EQ(resume(&replay, "15:sha256:" VALUE ":" OTHER, &pcr), 0);
	fold = eventlog_replay_find(&replay, EVENTLOG_PCR, 15, DIGEST_SHA256);
	CHECK(fold);
	digest_to_hex(&fold->value, hex);
	CHECK_STR(hex, OTHER);
}

static void other_words_say_nothing_of_a_pcr(void)
{
	static const char *const words[] = {
		"", "13:sha256:-:" VALUE, "24:sha256:-:" VALUE, "15", "15:sha256", "15:sha256:-",
		"15:sha256:-:00", "15:md5:-:" VALUE, "x:sha256:-:" VALUE,
	};
	struct eventlog_replay replay;
	uint32_t pcr;

	eventlog_replay_init(&replay);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		CHECK_EQ(resume(&replay, words[i], &pcr), -EBADMSG);
	CHECK_EQ(replay.n_folds, 0);
}

TEST_MAIN(a_pcr_goes_on_from_where_a_word_says, other_words_say_nothing_of_a_pcr)
