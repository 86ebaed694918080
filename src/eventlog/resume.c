/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Words that say from where a PCR goes on, which others extend too.  Pure.
 *
 * `pcr:v1:<PCR>` and, for each active bank, `:<algorithm>:<was>:<value>`: where the log had
 * the bank until then, and what it holds.
 */
#include "eventlog/eventlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"

#define PCRS	24	/* of a TPM */

/* Whether the log has a PCR where a word says that it had it; "-" is nowhere. */
static bool was_there(const struct eventlog_fold *fold, const char *was)
{
	char hex[DIGEST_HEX_MAX];

	if (!fold)
		return strcmp(was, "-") == 0;
	digest_to_hex(&fold->value, hex);
	return strcmp(was, hex) == 0;
}

static int start_bank(char **next, uint32_t pcr, struct eventlog_replay *replay)
{
	enum digest_alg alg = digest_alg_from_name(strsep(next, ":"));
	const char *was = strsep(next, ":");
	const char *hex = strsep(next, ":");
	struct digest value;

	if (alg < 0 || !hex || digest_from_hex(alg, hex, &value) < 0)
		return -EBADMSG;
	if (!was_there(eventlog_replay_find(replay, EVENTLOG_PCR, pcr, alg), was))
		return -EBADMSG;
	(void)eventlog_replay_start(replay, EVENTLOG_PCR, pcr, &value);
	return 0;
}

/**
 * eventlog_replay_resume() - take a word that says from where a PCR goes on
 * @replay:  gets the values
 * @word:    that begins with EVENTLOG_RESUME_PREFIX
 * @gate:    the gate PCR, which no such word can be about
 * @ret_pcr: number of the PCR
 *
 * As the word says where the log had the PCR, it vouches for all records until then.
 *
 * Return: 0; -EBADMSG if the word says nothing of the kind, or the log had the PCR
 * somewhere else; -ENOMEM.
 */
int eventlog_replay_resume(struct eventlog_replay *replay, const char *word, uint32_t gate,
			   uint32_t *ret_pcr)
{
	_cleanup_free_ char *copy = strdup(word + strlen(EVENTLOG_RESUME_PREFIX));
	char *next = copy;
	uint64_t pcr;

	if (!copy)
		return -ENOMEM;
	if (number_parse(strsep(&next, ":"), PCRS - 1, &pcr) < 0 || pcr == gate || !next)
		return -EBADMSG;
	while (next) {
		int r = start_bank(&next, (uint32_t)pcr, replay);

		if (r < 0)
			return r;
	}
	*ret_pcr = (uint32_t)pcr;
	return 0;
}
