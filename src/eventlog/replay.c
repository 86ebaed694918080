/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the TPM must hold if it saw the records of a log and nothing else.
 *
 * Pure.  A record is folded only if it is the next one and its digests are those of its
 * word, so that the folds are always those of a log without a fault.
 */
#include "eventlog/eventlog.h"

#include <errno.h>
#include <string.h>

/**
 * eventlog_replay_init() - before the first record
 */
void eventlog_replay_init(struct eventlog_replay *replay)
{
	*replay = (struct eventlog_replay){ 0 };
}

/**
 * eventlog_replay_find() - look up what an NV index or a bank of a PCR must hold
 *
 * Return: borrowed from @replay; NULL if it was neither started nor extended.
 */
const struct eventlog_fold *eventlog_replay_find(const struct eventlog_replay *replay,
						 enum eventlog_target target,
						 uint32_t index, enum digest_alg alg)
{
	for (size_t i = 0; i < replay->n_folds; i++) {
		const struct eventlog_fold *fold = &replay->folds[i];

		if (fold->target == target && fold->index == index &&
		    fold->value.alg == alg)
			return fold;
	}
	return NULL;
}

/**
 * eventlog_replay_start() - say what an NV index or a bank of a PCR held before the log
 * @target: with @index and the algorithm of @value: which
 * @value:  what it held; zeros if this is never said
 *
 * Return: 0; EVENTLOG_FAULT_FULL.
 */
int eventlog_replay_start(struct eventlog_replay *replay, enum eventlog_target target,
			  uint32_t index, const struct digest *value)
{
	struct eventlog_fold fold = {
		.target = target, .index = index, .value = *value, .previous = *value,
	};
	const struct eventlog_fold *known;

	known = eventlog_replay_find(replay, target, index, value->alg);
	if (known) {
		replay->folds[known - replay->folds] = fold;
		return 0;
	}
	if (replay->n_folds == EVENTLOG_REPLAY_MAX)
		return EVENTLOG_FAULT_FULL;
	replay->folds[replay->n_folds++] = fold;
	return 0;
}

static int check(const struct eventlog_replay *replay,
		 const struct eventlog_record *record)
{
	size_t n_new = 0;

	if (record->recnum != replay->n_records)
		return EVENTLOG_FAULT_RECNUM;
	for (size_t i = 0; i < record->n_digests; i++) {
		struct digest digest;

		digest_compute(record->digests[i].alg, record->word, strlen(record->word),
			       &digest);
		if (!digest_equal(&digest, &record->digests[i]))
			return EVENTLOG_FAULT_DIGEST;
		if (!eventlog_replay_find(replay, record->target, record->index,
					  digest.alg))
			n_new++;
	}
	return n_new > EVENTLOG_REPLAY_MAX - replay->n_folds ? EVENTLOG_FAULT_FULL : 0;
}

static void extend(struct eventlog_replay *replay, const struct eventlog_record *record,
		   const struct digest *digest)
{
	const struct eventlog_fold *found;
	struct eventlog_fold *fold;

	found = eventlog_replay_find(replay, record->target, record->index, digest->alg);
	if (found) {
		fold = &replay->folds[found - replay->folds];
	} else {
		fold = &replay->folds[replay->n_folds++];
		*fold = (struct eventlog_fold){
			.target = record->target, .index = record->index,
		};
		digest_zero(digest->alg, &fold->value);
		fold->previous = fold->value;
	}
	digest_extend(&fold->value, digest);
	fold->n++;
}

/**
 * eventlog_replay_add() - fold the next record
 * @replay: unchanged if there is a fault
 * @record: borrowed for the call
 *
 * Return: 0; what is wrong with the record, of enum eventlog_fault.
 */
int eventlog_replay_add(struct eventlog_replay *replay,
			const struct eventlog_record *record)
{
	int r;

	r = check(replay, record);
	if (r)
		return r;
	for (size_t i = 0; i < replay->n_folds; i++)
		replay->folds[i].previous = replay->folds[i].value;
	for (size_t i = 0; i < record->n_digests; i++)
		extend(replay, record, &record->digests[i]);
	replay->n_records++;
	return 0;
}
