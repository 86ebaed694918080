/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log read once, from its first record to its last, in constant memory but for the
 * activations that are live, where the caller wants those.
 *
 * Records are told apart by their words, which their digests cover, and never by
 * eventType.  What the anchor record claims about the gate PCR before it is taken as a
 * claim: a wrong one leads to another Name and another PCR value than the TPM's.
 */
#include "measure/private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"

/* The state of one reading. */
struct reading {
	struct measure_summary *summary;
	bool track_live;
	struct eventlog_replay at_loss;		/* the folds when the TPM was lost */
	bool lost;
	struct {
		uint32_t index;
		char name[NVPCR_NAME_MAX];
	} geneses[NVPCR_MAX];
	size_t n_geneses;
};

static const char *after(const char *word, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(word, prefix, length) == 0 ? word + length : NULL;
}

static void fault(struct reading *reading, int what, uint64_t recnum)
{
	struct measure_summary *summary = reading->summary;

	if (!summary->fault) {
		summary->fault = what;
		summary->fault_recnum = recnum;
	}
}

static void read_genesis(struct reading *reading, const struct eventlog_record *rec)
{
	size_t i = reading->n_geneses;

	if (i == NVPCR_MAX)
		return;
	reading->geneses[i].index = rec->index;
	(void)snprintf(reading->geneses[i].name, sizeof(reading->geneses[i].name), "%s",
		       rec->nvpcr_name);
	reading->n_geneses++;
}

/* The gate PCR's values before the anchor, one annotation for each bank. */
static void read_gate(const struct eventlog_record *rec, struct nvpcr_gate *ret)
{
	*ret = (struct nvpcr_gate){ .pcr = rec->index };
	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++) {
		const char *hex;
		char key[16];

		(void)snprintf(key, sizeof(key), "gate-%s", digest_alg_name(alg));
		hex = eventlog_annotation(rec, key);
		if (hex && digest_from_hex(alg, hex, &ret->values[alg]) == 0)
			ret->banks |= 1U << alg;
	}
}

static void name_indices(const struct reading *reading, struct measure_summary *summary)
{
	for (size_t i = 0; i < summary->anchor.n; i++)
		for (size_t k = 0; k < reading->n_geneses; k++)
			if (reading->geneses[k].index == summary->anchor.handles[i])
				(void)snprintf(summary->names[i],
					       sizeof(summary->names[i]), "%s",
					       reading->geneses[k].name);
}

static void read_anchor(struct reading *reading, const struct eventlog_record *rec)
{
	struct measure_summary *summary = reading->summary;

	if (summary->n_anchors++)
		return;
	if (rec->target != EVENTLOG_PCR ||
	    nvpcr_anchor_parse(rec->word, &summary->anchor) < 0) {
		fault(reading, MEASURE_FAULT_ANCHOR, rec->recnum);
		return;
	}
	read_gate(rec, &summary->gate);
	name_indices(reading, summary);
	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++)
		if (summary->gate.banks & 1U << alg)
			(void)eventlog_replay_start(&summary->replay, EVENTLOG_PCR,
						    rec->index,
						    &summary->gate.values[alg]);
}

static int device_of(const struct eventlog_record *rec, struct verity_device *ret)
{
	const char *number = eventlog_annotation(rec, "dev");
	const char *diskseq = eventlog_annotation(rec, "diskseq");

	*ret = (struct verity_device){ 0 };
	if (!number || sscanf(number, "%" SCNu32 ":%" SCNu32, &ret->major,
			      &ret->minor) != 2)
		return -EBADMSG;
	if (diskseq && number_parse(diskseq, UINT64_MAX, &ret->diskseq) < 0)
		return -EBADMSG;
	return 0;
}

static int read_activation(struct reading *reading, const struct eventlog_record *rec)
{
	struct measure_summary *summary = reading->summary;
	struct verity_device device;

	summary->n_activations++;
	if (!reading->track_live || device_of(rec, &device) < 0)
		return 0;
	return measure_live_add(&summary->live, &device, rec->word, rec->recnum);
}

static void read_removal(struct measure_summary *summary,
			 const struct eventlog_record *rec, const char *word)
{
	struct measure_live_entry *entry;
	struct verity_device device;

	if (device_of(rec, &device) < 0)
		return;
	entry = measure_live_find(&summary->live, &device, word);
	if (entry)
		measure_live_drop(&summary->live, entry);
}

/* Reads "REASON:NVPCR" of a record that moves an NvPCR to the gate PCR. */
static void read_fallen(struct measure_summary *summary, const char *rest)
{
	size_t length = strcspn(rest, ":");
	struct measure_fallen *fallen;

	if (!rest[length] || !rest[length + 1] || summary->n_fallen == NVPCR_MAX)
		return;
	fallen = &summary->fallen[summary->n_fallen++];
	(void)snprintf(fallen->reason, sizeof(fallen->reason), "%.*s", (int)length, rest);
	(void)snprintf(fallen->name, sizeof(fallen->name), "%s", rest + length + 1);
}

static void read_degraded(struct reading *reading, const char *rest)
{
	struct measure_summary *summary = reading->summary;
	const char *reason = after(rest, "log:");

	if (reason && !reading->lost) {
		reading->lost = true;
		reading->at_loss = summary->replay;
		summary->vouched = summary->n_records;
		(void)snprintf(summary->lost_reason, sizeof(summary->lost_reason), "%s",
			       reason);
	}
	rest = after(rest, "pcr:");
	if (rest)
		read_fallen(summary, rest);
}

static int read_pcr(struct reading *reading, const struct eventlog_record *rec)
{
	struct measure_summary *summary = reading->summary;
	uint32_t pcr;
	int r = eventlog_replay_resume(&summary->replay, rec->word, summary->gate.pcr,
					&pcr);

	if (r == -EBADMSG)
		fault(reading, MEASURE_FAULT_PCR, rec->recnum);
	if (r == 0)
		summary->pcrs |= 1U << pcr;
	return r == -ENOMEM ? r : 0;
}

/* How activations are announced from here on; each daemon that goes on with a hook says so. */
static void read_hook(struct measure_summary *summary, const char *rest)
{
	bool armed = !after(rest, "lost-") && !after(rest, "none:") && !after(rest, "uevent:");

	(void)snprintf(summary->source, sizeof(summary->source), "%.*s",
		       (int)strcspn(rest, ":"), rest);
	summary->n_hooks = armed ? summary->n_hooks + 1 : 0;
	(void)snprintf(summary->hook, sizeof(summary->hook), "%s", armed ? rest : "");
}

/* Takes from a record's word what the summary wants to know. */
static int read_word(struct reading *reading, const struct eventlog_record *rec)
{
	struct measure_summary *summary = reading->summary;
	const char *rest;

	if (strcmp(rec->word, NVPCR_GENESIS_WORD) == 0 &&
	    rec->target == EVENTLOG_NV_INDEX) {
		read_genesis(reading, rec);
		return 0;
	}
	if (after(rec->word, "nvpcr-anchor:")) {
		read_anchor(reading, rec);
		return 0;
	}
	if (!summary->n_anchors)
		fault(reading, MEASURE_FAULT_ORDER, rec->recnum);
	if (after(rec->word, "dm-verity:v1:"))
		return read_activation(reading, rec);
	if ((rest = after(rec->word, "removed:v1:")))
		read_removal(summary, rec, rest);
	else if ((rest = after(rec->word, "degraded:v1:")))
		read_degraded(reading, rest);
	else if (after(rec->word, EVENTLOG_RESUME_PREFIX))
		return read_pcr(reading, rec);
	else if ((rest = after(rec->word, "share:v1:")))
		(void)snprintf(summary->share, sizeof(summary->share), "%s", rest);
	else if ((rest = after(rec->word, "hook:v1:")))
		read_hook(summary, rest);
	return 0;
}

static int read_record(struct reading *reading, const struct eventlog_record *rec)
{
	struct measure_summary *summary = reading->summary;
	int r;

	if (!summary->n_records)
		memcpy(summary->boot_id, rec->boot_id, sizeof(summary->boot_id));
	else if (strcmp(summary->boot_id, rec->boot_id) != 0)
		fault(reading, MEASURE_FAULT_BOOT_ID, rec->recnum);
	r = read_word(reading, rec);
	if (r < 0)
		return r;
	r = eventlog_replay_add(&summary->replay, rec);
	if (r > 0)
		fault(reading, r, r == EVENTLOG_FAULT_RECNUM ? summary->n_records
							     : rec->recnum);
	summary->n_records++;
	summary->last = *rec;
	summary->last.annotations = NULL;
	return 0;
}

static int read_all(struct reading *reading, struct eventlog_reader *reader)
{
	const struct eventlog_record *rec;
	int r;

	for (;;) {
		r = eventlog_reader_next(reader, &rec);
		if (r < 0 || r == EVENTLOG_END)
			return r < 0 ? r : 0;
		if (r == EVENTLOG_TORN) {
			fault(reading, MEASURE_FAULT_TORN, reading->summary->n_records);
			return 0;
		}
		if (r == EVENTLOG_MALFORMED) {
			fault(reading, MEASURE_FAULT_MALFORMED,
			      reading->summary->n_records);
			continue;
		}
		r = read_record(reading, rec);
		if (r < 0)
			return r;
		if (reading->summary->n_anchors && !reading->track_live)
			eventlog_reader_skip_annotations(reader);
	}
}

/**
 * measure_summarize() - read a log to its end
 * @reader:     at the log's beginning; the caller keeps other writers out
 * @track_live: fill struct measure_summary::live; otherwise the memory needed does not
 *              grow with the log
 * @ret:        what it says; released by measure_summary_done()
 *
 * Return: 0, whatever the log's content is worth: see struct measure_summary::fault;
 * -ENOMEM or a negative errno of read(2).
 */
int measure_summarize(struct eventlog_reader *reader, bool track_live,
		      struct measure_summary *ret)
{
	_cleanup_free_ struct reading *reading = calloc(1, sizeof(*reading));
	int r;

	if (!reading)
		return -ENOMEM;
	*ret = (struct measure_summary){ 0 };
	reading->summary = ret;
	reading->track_live = track_live;
	eventlog_replay_init(&ret->replay);
	r = read_all(reading, reader);
	if (r < 0) {
		measure_summary_done(ret);
		return r;
	}
	if (reading->lost)
		ret->replay = reading->at_loss;
	else
		ret->vouched = ret->n_records;
	return 0;
}

/**
 * measure_summary_done() - free what a summary owns
 */
void measure_summary_done(struct measure_summary *summary)
{
	measure_live_done(&summary->live);
}

/**
 * measure_fault_describe() - what is wrong with a record, in words
 * @fault: struct measure_summary::fault
 *
 * Return: a static string that goes on after "record N".
 */
const char *measure_fault_describe(int fault)
{
	switch (fault) {
	case EVENTLOG_FAULT_RECNUM:	return "is missing or not in its place";
	case EVENTLOG_FAULT_DIGEST:	return "has a digest that is not that of its word";
	case EVENTLOG_FAULT_FULL:	return "extends one index more than a log may name";
	case MEASURE_FAULT_TORN:	return "is cut off in the middle";
	case MEASURE_FAULT_MALFORMED:	return "cannot be read";
	case MEASURE_FAULT_ANCHOR:	return "is an anchor that cannot be read";
	case MEASURE_FAULT_BOOT_ID:	return "is of another boot than the first record";
	case MEASURE_FAULT_ORDER:	return "is a measurement before the anchor";
	case MEASURE_FAULT_PCR:		return "does not go on from where the log has its PCR";
	default:			return "is good";
	}
}

static bool is_orderly(const struct measure_summary *summary, size_t i,
		       const struct nvpcr_def *def)
{
	struct tpm_name name;

	nvpcr_name(def, &summary->gate, /* orderly= */ true, /* written= */ true, &name);
	return tpm_name_equal(&name, &summary->anchor.names[i]);
}

static void anchored_nvpcr(const struct measure_summary *summary, size_t i,
			   struct nvpcr *ret)
{
	*ret = (struct nvpcr){
		.def = {
			.index = summary->anchor.handles[i],
			.alg = summary->anchor.values[i].alg,
		},
		.rung = NVPCR_RUNG_NV,
		.name = summary->anchor.names[i],
		.value = summary->anchor.values[i],
	};
	(void)snprintf(ret->def.name, sizeof(ret->def.name), "%s", summary->names[i]);
	if (is_orderly(summary, i, &ret->def)) {
		ret->def.orderly = true;
		ret->rung = NVPCR_RUNG_ORDERLY;
	}
}

static void unanchored_nvpcr(const struct measure_summary *summary, struct nvpcr *ret)
{
	*ret = (struct nvpcr){
		.def = {
			.name = MEASURE_NVPCR,
			.index = MEASURE_NVPCR_INDEX,
			.alg = DIGEST_SHA256,
		},
		.rung = summary->anchor.rung == NVPCR_RUNG_LOG ? NVPCR_RUNG_LOG
							       : NVPCR_RUNG_PCR,
	};
	(void)snprintf(ret->reason, sizeof(ret->reason), "%s", summary->anchor.reason);
}

/**
 * measure_summary_anchored() - the indices that a log's anchor names
 * @summary: of the log
 * @ret:     them, on the rungs that they had when they were anchored
 */
void measure_summary_anchored(const struct measure_summary *summary,
			      struct nvpcr_set *ret)
{
	*ret = (struct nvpcr_set){ .gate = summary->gate, .n_nvpcrs = summary->anchor.n };
	(void)snprintf(ret->reason, sizeof(ret->reason), "%s", summary->anchor.reason);
	for (size_t i = 0; i < ret->n_nvpcrs; i++)
		anchored_nvpcr(summary, i, &ret->nvpcrs[i]);
}

/**
 * measure_find_nvpcr() - look an NvPCR up by its name
 *
 * Return: borrowed from @set; NULL if there is none.
 */
struct nvpcr *measure_find_nvpcr(struct nvpcr_set *set, const char *name)
{
	for (size_t i = 0; i < set->n_nvpcrs; i++)
		if (strcmp(set->nvpcrs[i].def.name, name) == 0)
			return &set->nvpcrs[i];
	return NULL;
}

static void let_fall(struct nvpcr_set *set, const struct measure_fallen *fallen)
{
	struct nvpcr *nvpcr = measure_find_nvpcr(set, fallen->name);

	if (!nvpcr && set->n_nvpcrs == NVPCR_MAX)
		return;
	if (!nvpcr) {
		nvpcr = &set->nvpcrs[set->n_nvpcrs++];
		*nvpcr = (struct nvpcr){ .def = { .alg = DIGEST_SHA256 } };
		memcpy(nvpcr->def.name, fallen->name, sizeof(nvpcr->def.name));
	}
	nvpcr->rung = NVPCR_RUNG_PCR;
	memcpy(nvpcr->reason, fallen->reason, sizeof(nvpcr->reason));
}

/**
 * measure_summary_nvpcrs() - the NvPCRs of a log, where they are now
 * @summary: of the log
 * @ret:     those that its anchor names, in the same order, then those that have no
 *           index; one that activations go to is among them, whatever its rung
 *
 * The handle of an NvPCR without an index is 0, but for the one that activations go to.
 */
void measure_summary_nvpcrs(const struct measure_summary *summary, struct nvpcr_set *ret)
{
	measure_summary_anchored(summary, ret);
	if (!measure_find_nvpcr(ret, MEASURE_NVPCR) && ret->n_nvpcrs < NVPCR_MAX)
		unanchored_nvpcr(summary, &ret->nvpcrs[ret->n_nvpcrs++]);
	for (size_t i = 0; i < summary->n_fallen; i++)
		let_fall(ret, &summary->fallen[i]);
	for (size_t i = 0; i < ret->n_nvpcrs && *summary->lost_reason; i++) {
		ret->nvpcrs[i].rung = NVPCR_RUNG_LOG;
		(void)snprintf(ret->nvpcrs[i].reason, sizeof(ret->nvpcrs[i].reason), "%s",
			       summary->lost_reason);
	}
}

/* How the value a TPM holds compares with the fold of the log. */
enum measure_agreement measure_compare(const struct eventlog_fold *fold,
				       const struct digest *actual)
{
	if (digest_equal(&fold->value, actual))
		return MEASURE_AGREES;
	return digest_equal(&fold->previous, actual) ? MEASURE_BEHIND : MEASURE_DISAGREES;
}
