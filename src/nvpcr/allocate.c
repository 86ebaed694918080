/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Allocation: from definitions to NvPCRs that are open for extension.
 *
 * For each definition the index is looked at first and written last.  What is found
 * at the handle decides:
 *
 *	nothing						define, genesis
 *	the expected index, unwritten (a normal boot)	genesis
 *	the expected index, written, gate still open	undefine, define, genesis
 *	ours of another gate value, unwritten		undefine, define, genesis
 *	ours, written, and the gate is closed		left alone; next rung
 *	anything else					left alone; next rung
 *
 * "Expected" is a matter of the Name alone: all four Names that the index may have are
 * computed beforehand.  An index that is written while the gate is open was written by
 * somebody before us in this boot, so its history is not ours.  One that is written
 * while the gate is closed has a history that must not be destroyed.
 *
 * Whatever fails, the NvPCR ends on a lower rung, and only a TPM that stops answering
 * puts all of them on the last one: without it no anchor can close the gate.
 */
#include "nvpcr/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is at an NvPCR's handle. */
enum state {
	STATE_ABSENT,
	STATE_EXPECTED,
	STATE_OPEN,
	STATE_STALE,
	STATE_WRITTEN,
	STATE_FOREIGN,
};

/* Positive outcomes of trying a rung. */
enum outcome {
	NEXT_RUNG = 1,			/* the reason is set; a worse index may do */
	NO_INDEX,			/* the reason is set; no index will do */
};

struct allocation {
	struct tpm *tpm;
	const struct nvpcr_gate *gate;
	bool asked;			/* whether the next is known */
	bool no_orderly;
};

static void set_reason(struct nvpcr *nvpcr, const char *reason)
{
	(void)snprintf(nvpcr->reason, sizeof(nvpcr->reason), "%s", reason);
}

static void fall(struct nvpcr *nvpcr, enum nvpcr_rung rung, const char *reason)
{
	nvpcr->rung = rung;
	nvpcr->name = (struct tpm_name){ .size = 0 };
	nvpcr->value = (struct digest){ .alg = nvpcr->def.alg };
	set_reason(nvpcr, reason);
}

/* A refusal of the TPM leads to @outcome; any other error is the end of it all. */
static int refused(int r, struct nvpcr *nvpcr, const char *reason, enum outcome outcome)
{
	if (r != -EREMOTEIO)
		return r;
	set_reason(nvpcr, reason);
	return (int)outcome;
}

/* Whether @name is one of the expected index; an orderly one only where that is so
 * defined, a non-orderly one always, because the TPM may have had no room. */
static bool is_expected(const struct allocation *a, const struct nvpcr *nvpcr,
			const struct tpm_name *name, bool written, bool *ret_orderly)
{
	struct tpm_name expected;

	for (int orderly = nvpcr->def.orderly; orderly >= 0; orderly--) {
		nvpcr_name(&nvpcr->def, a->gate, orderly, written, &expected);
		if (!tpm_name_equal(&expected, name))
			continue;
		*ret_orderly = orderly;
		return true;
	}
	return false;
}

static bool is_ours(const struct nvpcr_def *def, const struct tpm_nv_public *public)
{
	return (public->attributes & ~(TPM_NV_ORDERLY | TPM_NV_WRITTEN)) ==
		       NVPCR_ATTRIBUTES &&
	       public->name_alg == def->alg && public->data_size == digest_size(def->alg);
}

/* Looks closer at an index whose Name is none of the expected ones. */
static int classify(struct allocation *a, struct nvpcr *nvpcr, enum state *ret)
{
	struct tpm_nv_public public;
	int r;

	r = tpm_nv_read_public(a->tpm, nvpcr->def.index, &public);
	if (r < 0)
		return r;
	if (r == TPM_ABSENT) {
		*ret = STATE_ABSENT;
		return 0;
	}
	if (r == 0 && is_ours(&nvpcr->def, &public)) {
		*ret = public.attributes & TPM_NV_WRITTEN ? STATE_WRITTEN : STATE_STALE;
		return 0;
	}
	if (r == 0)
		nvpcr_owner_describe(&public, nvpcr->owner);
	else
		(void)snprintf(nvpcr->owner, sizeof(nvpcr->owner),
			       "an index that cannot be understood");
	*ret = STATE_FOREIGN;
	return 0;
}

static int look(struct allocation *a, struct nvpcr *nvpcr, enum state *ret,
		bool *ret_orderly)
{
	struct tpm_name name;
	int r;

	r = tpm_nv_find(a->tpm, nvpcr->def.index, &name);
	if (r < 0)
		return refused(r, nvpcr, "find-refused", NO_INDEX);
	if (r == TPM_ABSENT)
		*ret = STATE_ABSENT;
	else if (r == 0 && is_expected(a, nvpcr, &name, /* written= */ false, ret_orderly))
		*ret = STATE_EXPECTED;
	else if (r == 0 && is_expected(a, nvpcr, &name, /* written= */ true, ret_orderly))
		*ret = STATE_OPEN;
	else
		return refused(classify(a, nvpcr, ret), nvpcr, "find-refused", NO_INDEX);
	return 0;
}

/* The first write, and a look at what became of it. */
static int genesis(struct allocation *a, struct nvpcr *nvpcr, bool orderly)
{
	struct digest word, value;
	struct tpm_policy policy;
	int r;

	nvpcr_policy(&nvpcr->def, a->gate, TPM_BRANCH_PCR, &policy);
	digest_compute(nvpcr->def.alg, NVPCR_GENESIS_WORD, strlen(NVPCR_GENESIS_WORD),
		       &word);
	nvpcr_genesis_value(nvpcr->def.alg, &nvpcr->value);
	nvpcr_name(&nvpcr->def, a->gate, orderly, /* written= */ true, &nvpcr->name);

	r = tpm_nv_extend(a->tpm, nvpcr->def.index, &policy, &word);
	if (r > 0)
		r = -EREMOTEIO;		/* deleted meanwhile */
	if (r < 0)
		return refused(r, nvpcr, "genesis-refused", NEXT_RUNG);
	r = tpm_nv_read(a->tpm, nvpcr->def.index, nvpcr->def.alg, &value);
	if (r > 0)
		r = -EREMOTEIO;
	if (r < 0)
		return refused(r, nvpcr, "read-refused", NEXT_RUNG);
	if (!digest_equal(&value, &nvpcr->value)) {
		set_reason(nvpcr, "value-differs");
		return NEXT_RUNG;
	}
	nvpcr->rung = orderly ? NVPCR_RUNG_ORDERLY : NVPCR_RUNG_NV;
	return 0;
}

static int define(struct allocation *a, struct nvpcr *nvpcr, bool orderly)
{
	struct tpm_nv_public public;
	int r;

	nvpcr_public(&nvpcr->def, a->gate, orderly, /* written= */ false, &public);
	r = tpm_nv_define(a->tpm, &public);
	if (r != -EREMOTEIO)
		return r;
	switch (tpm_rc(a->tpm)) {
	case TPM_RC_CODE_NV_SPACE:
		return refused(r, nvpcr, "nv-space", NEXT_RUNG);
	case TPM_RC_CODE_NV_DEFINED:
		return refused(r, nvpcr, "index-race", NO_INDEX);
	case TPM_RC_CODE_OWNER_AUTH:
		return refused(r, nvpcr, "owner-auth", NO_INDEX);
	default:
		return refused(r, nvpcr, "define-refused", NEXT_RUNG);
	}
}

static int define_and_use(struct allocation *a, struct nvpcr *nvpcr, bool orderly)
{
	int r, outcome;

	r = define(a, nvpcr, orderly);
	if (r)
		return r;
	outcome = genesis(a, nvpcr, orderly);
	if (outcome <= 0)
		return outcome;
	r = tpm_nv_undefine(a->tpm, nvpcr->def.index);
	return r < 0 && r != -EREMOTEIO ? r : outcome;
}

/* A TPM that does not say who it is gets the benefit of the doubt. */
static int ask_for_quirks(struct allocation *a)
{
	struct tpm_identity identity;
	int r;

	if (a->asked)
		return 0;
	r = tpm_identify(a->tpm, &identity);
	if (r < 0 && r != -EREMOTEIO)
		return r;
	a->asked = true;
	a->no_orderly = r == 0 && nvpcr_quirk_no_orderly(&identity);
	return 0;
}

/* Down the rungs that are indices. */
static int define_somehow(struct allocation *a, struct nvpcr *nvpcr)
{
	int r;

	if (!nvpcr->def.orderly) {
		set_reason(nvpcr, "not-orderly");
		return define_and_use(a, nvpcr, /* orderly= */ false);
	}
	r = ask_for_quirks(a);
	if (r < 0)
		return r;
	if (a->no_orderly) {
		set_reason(nvpcr, "st33-firmware");
		return define_and_use(a, nvpcr, /* orderly= */ false);
	}
	r = define_and_use(a, nvpcr, /* orderly= */ true);
	return r == NEXT_RUNG ? define_and_use(a, nvpcr, /* orderly= */ false) : r;
}

static int define_anew(struct allocation *a, struct nvpcr *nvpcr)
{
	int r = tpm_nv_undefine(a->tpm, nvpcr->def.index);

	if (r < 0)
		return refused(r, nvpcr, "undefine-refused", NO_INDEX);
	return define_somehow(a, nvpcr);
}

static int use(struct allocation *a, struct nvpcr *nvpcr, bool orderly)
{
	if (!orderly)
		set_reason(nvpcr, nvpcr->def.orderly ? "kept" : "not-orderly");
	return genesis(a, nvpcr, orderly);
}

/* Finds an index for @nvpcr: 0, an outcome, or a negative errno. */
static int find_index(struct allocation *a, struct nvpcr *nvpcr)
{
	enum state state = STATE_FOREIGN;
	bool orderly = false;
	int r;

	if (!(a->gate->banks & 1u << nvpcr->def.alg)) {
		(void)snprintf(nvpcr->reason, sizeof(nvpcr->reason), "no-%s-bank",
			       digest_alg_name(nvpcr->def.alg));
		return NO_INDEX;
	}
	r = look(a, nvpcr, &state, &orderly);
	if (r)
		return r;
	switch (state) {
	case STATE_ABSENT:
		return define_somehow(a, nvpcr);
	case STATE_EXPECTED:
		return use(a, nvpcr, orderly);
	case STATE_OPEN:
	case STATE_STALE:
		return define_anew(a, nvpcr);
	case STATE_WRITTEN:
		set_reason(nvpcr, "index-written");
		return NO_INDEX;
	case STATE_FOREIGN:
		break;
	}
	set_reason(nvpcr, "foreign-index");
	return NO_INDEX;
}

static int compare_handles(const void *a, const void *b)
{
	const struct nvpcr *x = a, *y = b;

	return x->def.index < y->def.index ? -1 : x->def.index > y->def.index;
}

/* Puts the set in its final order and says why there is no index, if so. */
static void finish(struct nvpcr_set *set)
{
	const char *reason = "no-definition";

	for (size_t i = 0; i < set->n_nvpcrs; i++) {
		if (set->nvpcrs[i].rung <= NVPCR_RUNG_NV)
			reason = "";
		else if (i == 0)
			reason = set->nvpcrs[i].reason;
		if (!*reason)
			break;
	}
	(void)snprintf(set->reason, sizeof(set->reason), "%s", reason);
	qsort(set->nvpcrs, set->n_nvpcrs, sizeof(set->nvpcrs[0]), compare_handles);
}

static void begin(struct nvpcr_set *set, const struct nvpcr_defs *defs,
		  unsigned int gate_pcr)
{
	*set = (struct nvpcr_set){
		.gate = { .pcr = gate_pcr },
		.n_nvpcrs = defs->n_defs,
	};
	for (size_t i = 0; i < defs->n_defs; i++) {
		set->nvpcrs[i].def = defs->defs[i];
		fall(&set->nvpcrs[i], NVPCR_RUNG_LOG, "");
	}
}

/**
 * nvpcr_without_tpm() - put all NvPCRs on the last rung
 * @defs:     the definitions
 * @gate_pcr: number of what would be the gate
 * @reason:   one word of a-z, 0-9 and -
 * @ret:      the set
 *
 * Return: 0.
 */
int nvpcr_without_tpm(const struct nvpcr_defs *defs, unsigned int gate_pcr,
		      const char *reason, struct nvpcr_set *ret)
{
	begin(ret, defs, gate_pcr);
	for (size_t i = 0; i < ret->n_nvpcrs; i++)
		set_reason(&ret->nvpcrs[i], reason);
	finish(ret);
	(void)snprintf(ret->reason, sizeof(ret->reason), "%s", reason);
	return 0;
}

static int allocate_all(struct tpm *tpm, struct nvpcr_set *set)
{
	struct allocation a = { .tpm = tpm, .gate = &set->gate };

	for (size_t i = 0; i < set->n_nvpcrs; i++) {
		struct nvpcr *nvpcr = &set->nvpcrs[i];
		char reason[NVPCR_REASON_MAX];
		int r = find_index(&a, nvpcr);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		memcpy(reason, nvpcr->reason, sizeof(reason));
		fall(nvpcr, NVPCR_RUNG_PCR, reason);
	}
	return 0;
}

static int read_gate(struct tpm *tpm, struct nvpcr_gate *gate)
{
	struct tpm_pcr pcr;
	int r = tpm_pcr_read(tpm, gate->pcr, &pcr);

	if (r < 0)
		return r;
	gate->banks = pcr.banks;
	memcpy(gate->values, pcr.values, sizeof(gate->values));
	return 0;
}

/**
 * nvpcr_allocate() - allocate all NvPCRs and write their genesis
 * @tpm:      connection
 * @defs:     the definitions, in the order in which they are served
 * @gate_pcr: number of the gate PCR, one that nvpcr_gate_check() allows
 * @ret:      the set; the caller goes on with the anchor at once, on whatever rungs
 *
 * No failure is an error: it puts an NvPCR, or all of them, on a lower rung.
 *
 * Return: 0.
 */
int nvpcr_allocate(struct tpm *tpm, const struct nvpcr_defs *defs, unsigned int gate_pcr,
		   struct nvpcr_set *ret)
{
	int r;

	begin(ret, defs, gate_pcr);
	r = read_gate(tpm, &ret->gate);
	if (r == 0 && ret->gate.banks == 0)
		return nvpcr_without_tpm(defs, gate_pcr, "no-bank", ret);
	if (r == 0)
		r = allocate_all(tpm, ret);
	if (r == -ETIMEDOUT)
		return nvpcr_without_tpm(defs, gate_pcr, "tpm-timeout", ret);
	if (r < 0)
		return nvpcr_without_tpm(defs, gate_pcr, "tpm-error", ret);
	finish(ret);
	return 0;
}
