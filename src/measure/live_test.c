/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "measure/measure.h"

#include "test.h"

static const struct verity_device first = { 253, 0, 7 }, second = { 253, 1, 8 };
static const struct verity_device first_again = { 253, 0, 9 };

static void an_activation_is_its_device_and_its_word(void)
{
	struct measure_live live = { 0 };

	CHECK_EQ(measure_live_add(&live, &first, "a", 3), 0);
	CHECK(measure_live_find(&live, &first, "a") != NULL);
	CHECK(measure_live_find(&live, &first, "b") == NULL);
	CHECK(measure_live_find(&live, &second, "a") == NULL);
	CHECK(measure_live_find(&live, &first_again, "a") == NULL);
	CHECK_EQ(measure_live_find(&live, &first, "a")->recnum, 3);
	measure_live_done(&live);
}

static void what_is_dropped_is_gone_and_the_rest_stays(void)
{
	struct measure_live live = { 0 };

	CHECK_EQ(measure_live_add(&live, &first, "a", 1), 0);
	CHECK_EQ(measure_live_add(&live, &first, "b", 2), 0);
	CHECK_EQ(measure_live_add(&live, &second, "a", 3), 0);
	measure_live_drop(&live, measure_live_find(&live, &first, "a"));
	CHECK_EQ(live.n_entries, 2);
	CHECK(measure_live_find(&live, &first, "a") == NULL);
	CHECK(measure_live_find(&live, &first, "b") != NULL);
	CHECK(measure_live_find(&live, &second, "a") != NULL);
	measure_live_done(&live);
}

static void only_what_is_on_the_device_is_looked_for(void)
{
	struct measure_live live = { 0 };
	struct measure_live_entry *entry;

	CHECK_EQ(measure_live_add(&live, &first, "a", 1), 0);
	CHECK_EQ(measure_live_add(&live, &first_again, "b", 2), 0);
	CHECK_EQ(measure_live_add(&live, &second, "c", 3), 0);
	CHECK(measure_live_unseen(&live, NULL) == NULL);
	measure_live_unsee(&live, &first);
	measure_live_find(&live, &first, "a")->seen = true;
	entry = measure_live_unseen(&live, &first);
	CHECK(entry && strcmp(entry->word, "b") == 0);
	CHECK(measure_live_unseen(&live, &second) == NULL);
	measure_live_unsee(&live, NULL);
	CHECK(measure_live_unseen(&live, &second) != NULL);
	measure_live_done(&live);
}

static void the_table_grows(void)
{
	struct measure_live live = { 0 };
	char word[16];

	for (uint32_t i = 0; i < 1000; i++) {
		const struct verity_device device = { 253, i, i + 1 };

		(void)snprintf(word, sizeof(word), "%u", i % 10);
		CHECK_EQ(measure_live_add(&live, &device, word, i), 0);
	}
	for (uint32_t i = 0; i < 1000; i += 111) {
		const struct verity_device device = { 253, i, i + 1 };

		(void)snprintf(word, sizeof(word), "%u", i % 10);
		CHECK_EQ(measure_live_find(&live, &device, word)->recnum, i);
	}
	measure_live_done(&live);
	CHECK_EQ(live.n_entries, 0);
}

static void its_set_is_that_of_its_words(void)
{
	const char *words[] = { "b", "a" };
	struct measure_live live = { 0 };
	char got[128], wanted[128];

	CHECK_EQ(measure_live_set_word(&live, "p", got, sizeof(got)), 0);
	CHECK_EQ(measure_word_set("p", NULL, 0, wanted, sizeof(wanted)), 0);
	CHECK_STR(got, wanted);
	CHECK_EQ(measure_live_add(&live, &first, "a", 1), 0);
	CHECK_EQ(measure_live_add(&live, &second, "b", 2), 0);
	CHECK_EQ(measure_live_set_word(&live, "p", got, sizeof(got)), 0);
	CHECK_EQ(measure_word_set("p", words, 2, wanted, sizeof(wanted)), 0);
	CHECK_STR(got, wanted);
	measure_live_done(&live);
}

TEST_MAIN(an_activation_is_its_device_and_its_word,
	  what_is_dropped_is_gone_and_the_rest_stays,
	  only_what_is_on_the_device_is_looked_for, the_table_grows,
	  its_set_is_that_of_its_words)
