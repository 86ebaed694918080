/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does the TPM confirm the log?
 *
 * First the log alone: numbers, digests, exactly one anchor before anything else, and in
 * it the Names that follow from the gate PCR's value.  Then the TPM: the gate PCR and
 * every index must hold what the log folds to.  The log may be one record ahead, because
 * a record is written before it is extended.
 */
#include "measure/private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"

struct check {
	struct measure_report *report;
	struct measure_summary summary;
	struct nvpcr_set nvpcrs;
	struct eventlog_reader *reader;
	struct tpm *tpm;
	int root_fd;
};

static void _printf_(3, 4) find(struct check *check, enum measure_verdict verdict,
				const char *format, ...)
{
	struct measure_report *report = check->report;
	va_list args;

	if (verdict > report->verdict)
		report->verdict = verdict;
	if (report->n_findings == MEASURE_FINDINGS_MAX)
		return;
	va_start(args, format);
	(void)vsnprintf(report->findings[report->n_findings++],
			sizeof(report->findings[0]), format, args);
	va_end(args);
}

static void check_name(struct check *check, const struct nvpcr *nvpcr)
{
	struct tpm_name name;
	char expected[2 * TPM_NAME_MAX + 1], claimed[2 * TPM_NAME_MAX + 1];

	nvpcr_name(&nvpcr->def, &check->summary.gate, nvpcr->rung == NVPCR_RUNG_ORDERLY,
		   /* written= */ true, &name);
	if (tpm_name_equal(&name, &nvpcr->name))
		return;
	hex_encode(name.bytes, name.size, expected);
	hex_encode(nvpcr->name.bytes, nvpcr->name.size, claimed);
	find(check, MEASURE_DIFFERS,
	     "the anchor gives index 0x%08x the Name %s; with its gate it must be %s",
	     nvpcr->def.index, claimed, expected);
}

static void check_genesis(struct check *check, const struct nvpcr *nvpcr)
{
	struct digest value;

	nvpcr_genesis_value(nvpcr->def.alg, &value);
	if (!digest_equal(&value, &nvpcr->value))
		find(check, MEASURE_DIFFERS,
		     "the anchor gives index 0x%08x another value than its genesis",
		     nvpcr->def.index);
}

/* Whether @fold is of something that will be compared with the TPM. */
static bool is_anchored(const struct check *check, const struct eventlog_fold *fold)
{
	if (fold->target == EVENTLOG_PCR)
		return fold->index == check->summary.gate.pcr ||
		       check->summary.pcrs & 1U << fold->index;
	for (size_t i = 0; i < check->nvpcrs.n_nvpcrs; i++)
		if (fold->index == check->nvpcrs.nvpcrs[i].def.index &&
		    fold->value.alg == check->nvpcrs.nvpcrs[i].def.alg)
			return true;
	return false;
}

/* A record that extends anything else could be added by anybody. */
static void check_targets(struct check *check)
{
	const struct eventlog_replay *replay = &check->summary.replay;

	for (size_t i = 0; i < replay->n_folds; i++) {
		const struct eventlog_fold *fold = &replay->folds[i];

		if (!is_anchored(check, fold))
			find(check, MEASURE_DIFFERS,
			     "the log extends %s 0x%" PRIx32 ", %s, which its anchor does not "
			     "cover", fold->target == EVENTLOG_PCR ? "PCR" : "index",
			     fold->index, digest_alg_name(fold->value.alg));
	}
}

static bool is_without_tpm(const struct measure_summary *summary)
{
	return !summary->anchor.n && summary->anchor.rung == NVPCR_RUNG_LOG;
}

/* What the log says without the TPM. */
static void check_log(struct check *check)
{
	const struct measure_summary *summary = &check->summary;

	/* a record that was cut off was never extended: the values tell whether that is so */
	if (summary->fault)
		find(check, summary->fault == MEASURE_FAULT_TORN ? MEASURE_MATCH : MEASURE_DIFFERS,
		     "record %" PRIu64 " %s", summary->fault_recnum,
		     measure_fault_describe(summary->fault));
	if (summary->n_anchors != 1)
		find(check, MEASURE_DIFFERS,
		     "the log has %" PRIu64 " anchors; there must be exactly one",
		     summary->n_anchors);
	for (size_t i = 0; i < summary->anchor.n; i++) {
		check_name(check, &check->nvpcrs.nvpcrs[i]);
		check_genesis(check, &check->nvpcrs.nvpcrs[i]);
	}
	if (!is_without_tpm(summary))
		check_targets(check);
}

/*
 * Finds the record at which the TPM stopped following the log: the one after the last
 * at which the fold was @actual.  Returns the number of all records if there is none.
 */
static uint64_t first_unseen(struct check *check, const struct eventlog_fold *target,
			     const struct digest *actual)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	_cleanup_free_ struct eventlog_replay *replay = malloc(sizeof(*replay));
	const struct nvpcr_gate *gate = &check->summary.gate;
	const struct eventlog_record *rec;
	const struct eventlog_fold *fold;
	uint64_t n = 0, unseen = check->summary.n_records;
	bool seen = false;

	if (!replay || eventlog_reader_open(check->root_fd, EVENTLOG_PATH, &reader) < 0)
		return unseen;
	eventlog_reader_skip_annotations(reader);
	eventlog_replay_init(replay);
	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++)
		if (gate->banks & 1U << alg)
			(void)eventlog_replay_start(replay, EVENTLOG_PCR, gate->pcr,
						    &gate->values[alg]);
	while (eventlog_reader_next(reader, &rec) == 0) {
		(void)eventlog_replay_add(replay, rec);
		fold = eventlog_replay_find(replay, target->target, target->index,
					    target->value.alg);
		if (seen && unseen == check->summary.n_records && fold &&
		    !digest_equal(&fold->value, actual))
			unseen = n;
		if (fold && digest_equal(&fold->value, actual))
			seen = true;
		n++;
	}
	return unseen;
}

/* Compares one value that the TPM holds with its fold; @what names it. */
static void check_value(struct check *check, const struct eventlog_fold *fold,
			const struct digest *actual, const char *what)
{
	char expected[DIGEST_HEX_MAX], found[DIGEST_HEX_MAX], hint[128] = "";
	enum measure_agreement agreement = measure_compare(fold, actual);
	uint64_t unseen;

	if (agreement == MEASURE_BEHIND)
		check->report->surplus = true;
	if (agreement != MEASURE_DISAGREES)
		return;
	unseen = first_unseen(check, fold, actual);
	if (unseen < check->summary.n_records)
		(void)snprintf(hint, sizeof(hint),
			       "; record %" PRIu64 " is the first that the TPM has not seen",
			       unseen);
	digest_to_hex(&fold->value, expected);
	digest_to_hex(actual, found);
	find(check, MEASURE_DIFFERS, "%s: the log gives %s, the TPM holds %s%s", what,
	     expected, found, hint);
}

/* A TPM that refuses has an answer; one that cannot be asked leaves us without. */
static void check_unreadable(struct check *check, int r, const char *what)
{
	bool answered = r == -EREMOTEIO && !tpm_rc_is_about_tpm(check->tpm);

	find(check, answered ? MEASURE_DIFFERS : MEASURE_CANNOT_TELL,
	     "%s cannot be read: %s", what,
	     r == -EREMOTEIO ? tpm_rc_describe(check->tpm) : strerror(-r));
}

static void check_index(struct check *check, const struct nvpcr *nvpcr)
{
	const struct eventlog_fold *fold;
	struct digest value;
	struct tpm_name name;
	char what[128];
	int r;

	(void)snprintf(what, sizeof(what), "NvPCR '%s' (index 0x%08x)", nvpcr->def.name,
		       nvpcr->def.index);
	fold = eventlog_replay_find(&check->summary.replay, EVENTLOG_NV_INDEX,
				    nvpcr->def.index, nvpcr->def.alg);
	r = nvpcr_read(check->tpm, nvpcr, &name, &value);
	if (r < 0)
		check_unreadable(check, r, what);
	else if (r > 0)
		find(check, MEASURE_DIFFERS, "%s: the log says it was written, the TPM %s",
		     what, r == TPM_ABSENT ? "has no such index"
					   : "says it was not written in this boot");
	else if (!tpm_name_equal(&name, &nvpcr->name))
		find(check, MEASURE_DIFFERS,
		     "%s: its Name is not the anchored one: it was defined anew", what);
	else if (!fold)
		find(check, MEASURE_DIFFERS, "%s: the log has no genesis for it", what);
	else
		check_value(check, fold, &value, what);
}

static void check_gate(struct check *check)
{
	const struct measure_summary *summary = &check->summary;
	struct tpm_pcr pcr;
	char what[64];
	int r;

	(void)snprintf(what, sizeof(what), "gate PCR %u", summary->gate.pcr);
	r = tpm_pcr_read(check->tpm, summary->gate.pcr, &pcr);
	if (r < 0) {
		check_unreadable(check, r, what);
		return;
	}
	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++) {
		const struct eventlog_fold *fold = eventlog_replay_find(
			&summary->replay, EVENTLOG_PCR, summary->gate.pcr, alg);

		(void)snprintf(what, sizeof(what), "gate PCR %u, bank %s",
			       summary->gate.pcr, digest_alg_name(alg));
		if (!(pcr.banks & 1U << alg)) {
			if (fold)
				find(check, MEASURE_DIFFERS,
				     "%s: the log extends it, the TPM does not have it", what);
		} else if (fold) {
			check_value(check, fold, &pcr.values[alg], what);
		} else {
			find(check, MEASURE_DIFFERS, "%s: the log does not extend it", what);
		}
	}
}

/* A PCR that others may extend too: that it differs does not say who did it. */
static void check_pcr(struct check *check, const struct eventlog_fold *fold)
{
	char expected[DIGEST_HEX_MAX], found[DIGEST_HEX_MAX], what[64];
	const struct digest *value;
	struct tpm_pcr pcr;
	int r;

	(void)snprintf(what, sizeof(what), "PCR %" PRIu32 ", bank %s", fold->index,
		       digest_alg_name(fold->value.alg));
	r = tpm_pcr_read(check->tpm, fold->index, &pcr);
	if (r < 0) {
		check_unreadable(check, r, what);
		return;
	}
	value = &pcr.values[fold->value.alg];
	if (!(pcr.banks & 1U << fold->value.alg)) {
		find(check, MEASURE_CANNOT_TELL, "%s is not active any more", what);
		return;
	}
	switch (measure_compare(fold, value)) {
	case MEASURE_AGREES:
		return;
	case MEASURE_BEHIND:
		check->report->surplus = true;
		return;
	case MEASURE_DISAGREES:
		break;
	}
	digest_to_hex(&fold->value, expected);
	digest_to_hex(value, found);
	find(check, MEASURE_CANNOT_TELL, "%s: the log gives %s, the TPM holds %s; others "
	     "extended it too, or the log was changed", what, expected, found);
}

static void check_pcrs(struct check *check)
{
	const struct eventlog_replay *replay = &check->summary.replay;

	for (size_t i = 0; i < replay->n_folds; i++)
		if (replay->folds[i].target == EVENTLOG_PCR &&
		    replay->folds[i].index != check->summary.gate.pcr)
			check_pcr(check, &replay->folds[i]);
}

static void check_origin(struct check *check)
{
	const struct nvpcr_gate *gate = &check->summary.gate;
	enum digest_alg alg = measure_gate_unexplained(check->root_fd, gate);
	char hex[DIGEST_HEX_MAX];

	if (alg == DIGEST_ALG_MAX)
		return;
	digest_to_hex(&gate->values[alg], hex);
	find(check, MEASURE_CANNOT_TELL,
	     "gate PCR %u, bank %s: the firmware's log does not explain the value before the "
	     "anchor, %s: this may be a second log of this boot", gate->pcr,
	     digest_alg_name(alg), hex);
}

/* What systemd's writers put into their NvPCR is their affair, but not what it is. */
static void check_share(struct check *check)
{
	int r;

	if (!*check->summary.share)
		return;
	r = measure_share_check(check->tpm, check->summary.share);
	if (r < 0)
		check_unreadable(check, r, "systemd's NvPCR");
	if (r > 0)
		find(check, MEASURE_DIFFERS, "systemd's NvPCR is not the index any more that was "
		     "initialised: %s", check->summary.share);
}

static void check_tpm(struct check *check)
{
	check_origin(check);
	check_gate(check);
	for (size_t i = 0; i < check->summary.anchor.n; i++)
		check_index(check, &check->nvpcrs.nvpcrs[i]);
	check_pcrs(check);
	check_share(check);
}

static void check_all(struct check *check, const char *no_tpm_reason)
{
	const struct measure_summary *summary = &check->summary;

	check_log(check);
	if (!summary->n_anchors)
		return;
	if (is_without_tpm(summary))
		find(check, MEASURE_CANNOT_TELL, "this boot was measured without a TPM: %s",
		     summary->anchor.reason);
	else if (!check->tpm)
		find(check, MEASURE_CANNOT_TELL, "there is no TPM to ask: %s",
		     no_tpm_reason);
	else
		check_tpm(check);
	if (summary->vouched < summary->n_records)
		find(check, MEASURE_CANNOT_TELL,
		     "the TPM was lost (%s): nothing vouches for record %" PRIu64
		     " and those after it", summary->lost_reason, summary->vouched);
}

static void check_done(struct check **check)
{
	if (!*check)
		return;
	eventlog_reader_close(&(*check)->reader);
	measure_summary_done(&(*check)->summary);
	free(*check);
}

static int check_boot(struct check *check)
{
	char boot_id[EVENTLOG_BOOT_ID_SIZE];
	int r = measure_boot_id(check->root_fd, boot_id);

	if (r < 0)
		return r;
	if (check->summary.n_records && strcmp(boot_id, check->summary.boot_id) != 0)
		find(check, MEASURE_DIFFERS, "the log is of boot %s, this is boot %s",
		     check->summary.boot_id, boot_id);
	return 0;
}

/* The writer does not wait for ever: then log and TPM were not looked at as one. */
static int check_still(struct check *check)
{
	const struct eventlog_record *rec;
	int r = eventlog_reader_next(check->reader, &rec);

	if (r != 0)
		return r < 0 ? r : 0;
	check->report->verdict = MEASURE_MATCH;
	check->report->n_findings = 0;
	find(check, MEASURE_CANNOT_TELL, "the log went on while it was compared, because that "
	     "took too long: try again");
	return 0;
}

/**
 * measure_verify() - compare the log of this boot with the TPM
 * @root_fd:       directory that stands for "/"
 * @tpm:           NULL if there is none
 * @no_tpm_reason: why there is none
 * @ret:           what was found
 *
 * The log is locked meanwhile, so that no measurement comes in between.
 *
 * Return: 0, whatever the verdict; -ENOENT if there is no log; -ENOMEM or a negative
 * errno of the log's file.
 */
int measure_verify(int root_fd, struct tpm *tpm, const char *no_tpm_reason,
		   struct measure_report *ret)
{
	_cleanup_(check_done) struct check *check = calloc(1, sizeof(*check));
	int r;

	if (!check)
		return -ENOMEM;
	*ret = (struct measure_report){ .verdict = MEASURE_MATCH };
	check->report = ret;
	check->tpm = tpm;
	check->root_fd = root_fd;
	r = eventlog_reader_open(root_fd, EVENTLOG_PATH, &check->reader);
	if (r == 0)
		r = eventlog_reader_lock(check->reader);
	if (r == 0)
		r = measure_summarize(check->reader, false, &check->summary);
	if (r == 0)
		r = check_boot(check);
	if (r < 0)
		return r;
	ret->n_records = check->summary.n_records;
	ret->n_activations = check->summary.n_activations;
	measure_summary_anchored(&check->summary, &check->nvpcrs);
	check_all(check, no_tpm_reason);
	return check_still(check);
}
