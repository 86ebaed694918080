/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the log to what the TPM signed: gate, anchor, Names, values.
 *
 * The value that the gate PCR had before the anchor has to be one that the policy knows.
 * The firmware's log in the evidence could explain any other one, but it would be root who
 * wrote it: after throwing the first log away he can let an event stand for the first
 * anchor.  For the same reason the gate PCR has to be the one that the policy names.
 */
#include "attest/private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"

#define HEX_MAX		(2 * TPM_NAME_MAX + 1)
#define OS_SEPARATOR	"os-separator"	/* of systemd, in PCRs that nobody used yet */

static bool may_start_from(const struct attest_policy *policy, const struct digest *value)
{
	struct digest separator, start;

	for (size_t i = 0; i < policy->gate.n; i++)
		if (digest_equal(&policy->gate.digests[i], value))
			return true;
	if (policy->gate.given)
		return false;
	digest_zero(value->alg, &start);
	if (digest_equal(&start, value))
		return true;
	digest_compute(value->alg, OS_SEPARATOR, strlen(OS_SEPARATOR), &separator);
	digest_extend(&start, &separator);
	return digest_equal(&start, value);
}

static void check_gate(struct attest_checking *c)
{
	const struct attest_policy *policy = c->demand->policy;
	const struct attest_header *header = c->header;
	const struct nvpcr_gate *gate = &c->gate;
	char text[HEX_MAX];

	if (gate->pcr != policy->gate_pcr) {
		(void)snprintf(text, sizeof(text), "PCR %" PRIu32, policy->gate_pcr);
		attest_find(c, ATTEST_NOT_TRUSTED, "gate-pcr", text,
			    "any other PCR may have been extended by an earlier anchor's log",
			    "PCR %u", gate->pcr);
	}
	if (!(gate->banks & 1U << header->bank)) {
		attest_find(c, ATTEST_NOT_TRUSTED, "gate-start", digest_alg_name(header->bank),
			    "the quoted bank of the gate PCR was left open",
			    "no value of this bank in the anchor's record");
		return;
	}
	digest_to_hex(&gate->values[header->bank], text);
	if (!may_start_from(policy, &gate->values[header->bank]))
		attest_find(c, ATTEST_NOT_TRUSTED, "gate-start",
			    policy->gate.given ? "a value that the policy names"
					       : "zeros, or systemd's separator alone",
			    "this may be the second log of a boot, made after the first was "
			    "thrown away", "%s", text);
}

/* Compares a fold with a value that the TPM signed. */
static void check_fold(struct attest_checking *c, const struct eventlog_fold *fold,
		       const struct digest *actual, const char *what)
{
	char expected[DIGEST_HEX_MAX] = "zeros", found[DIGEST_HEX_MAX];
	const char *meaning = "the log is not what was measured, or something else was "
			      "measured too";

	if (fold && digest_equal(&fold->value, actual))
		return;
	if (fold) {
		digest_to_hex(&fold->value, expected);
		if (digest_equal(&fold->previous, actual))
			meaning = "the last record of the log was not measured";
	}
	digest_to_hex(actual, found);
	attest_find(c, ATTEST_NOT_TRUSTED, "value", expected, meaning, "%s in %s", found, what);
}

static void check_pcrs(struct attest_checking *c)
{
	const struct attest_header *header = c->header;
	char what[32];

	for (size_t i = 0; i < c->replay.n_folds; i++) {
		const struct eventlog_fold *fold = &c->replay.folds[i];

		if (fold->target != EVENTLOG_PCR || fold->value.alg != header->bank ||
		    fold->index >= ATTEST_PCRS || !(header->quoted & 1U << fold->index))
			continue;
		(void)snprintf(what, sizeof(what), "PCR %" PRIu32, fold->index);
		check_fold(c, fold, &header->pcrs[fold->index], what);
	}
	if (!(header->quoted & 1U << c->gate.pcr % ATTEST_PCRS))
		attest_find(c, ATTEST_NOT_TRUSTED, "value", "a quote of the gate PCR",
			    "nothing tells how often it was extended", "none");
}

/* Whether the Name is that of an index whose policy is bound to the gate before the anchor. */
static void check_name(struct attest_checking *c, const struct attest_header_index *index,
		       size_t i)
{
	const struct nvpcr_def def = {
		.index = c->anchor.handles[i], .alg = c->anchor.values[i].alg,
	};
	const TPM2B_NAME *certified = &index->statement.attest.attested.nv.indexName;
	struct tpm_name orderly, plain, name = { .size = certified->size };
	char expected[HEX_MAX], found[HEX_MAX];
	struct digest digest;

	if (name.size > sizeof(name.bytes))
		name.size = 0;
	memcpy(name.bytes, certified->name, name.size);
	hex_encode(name.bytes, name.size, found);
	nvpcr_name(&def, &c->gate, true, true, &orderly);
	nvpcr_name(&def, &c->gate, false, true, &plain);
	hex_encode(orderly.bytes, orderly.size, expected);
	if (!tpm_name_equal(&name, &orderly) && !tpm_name_equal(&name, &plain))
		attest_find(c, ATTEST_NOT_TRUSTED, "name", expected,
			    "the index could be written at other times than before the anchor",
			    "%s of index 0x%08x", found, def.index);
	hex_encode(c->anchor.names[i].bytes, c->anchor.names[i].size, expected);
	if (!tpm_name_equal(&name, &c->anchor.names[i]))
		attest_find(c, ATTEST_NOT_TRUSTED, "anchor-name", expected,
			    "it is not the index that was anchored",
			    "%s of index 0x%08x", found, def.index);
	digest_compute(def.alg, index->public.data, index->public.size, &digest);
	digest_to_hex(&digest, expected);
	if (name.size != 2 + digest_size(def.alg) ||
	    memcmp(name.bytes + 2, digest.bytes, digest_size(def.alg)) != 0)
		attest_find(c, ATTEST_NOT_TRUSTED, "public", expected,
			    "the public area in the evidence is not that of the index",
			    "%s of index 0x%08x", found, def.index);
}

static void check_content(struct attest_checking *c, const struct attest_header_index *index,
			  size_t i)
{
	const TPMS_NV_CERTIFY_INFO *info = &index->statement.attest.attested.nv;
	enum digest_alg alg = c->anchor.values[i].alg;
	struct digest value = { .alg = alg };
	char what[NVPCR_NAME_MAX + 64];

	if (info->offset != 0 || info->nvContents.size != digest_size(alg)) {
		(void)snprintf(what, sizeof(what), "%zu bytes from 0 on", digest_size(alg));
		attest_find(c, ATTEST_NOT_TRUSTED, "value", what,
			    "this is not the value of the whole index",
			    "%u bytes from %u on of index 0x%08x", info->nvContents.size,
			    info->offset, c->anchor.handles[i]);
		return;
	}
	memcpy(value.bytes, info->nvContents.buffer, digest_size(alg));
	(void)snprintf(what, sizeof(what), "index 0x%08x", c->anchor.handles[i]);
	check_fold(c, eventlog_replay_find(&c->replay, EVENTLOG_NV_INDEX,
					   c->anchor.handles[i], alg), &value, what);
}

static const struct attest_header_index *find_certified(const struct attest_header *header,
						     uint32_t handle)
{
	for (size_t i = 0; i < header->n_indices; i++)
		if (header->indices[i].nv.nvIndex == handle)
			return &header->indices[i];
	return NULL;
}

static void check_index(struct attest_checking *c, size_t i)
{
	const struct attest_header_index *index = find_certified(c->header, c->anchor.handles[i]);
	char expected[DIGEST_HEX_MAX], found[DIGEST_HEX_MAX];
	struct digest genesis;

	nvpcr_genesis_value(c->anchor.values[i].alg, &genesis);
	digest_to_hex(&genesis, expected);
	digest_to_hex(&c->anchor.values[i], found);
	if (!digest_equal(&genesis, &c->anchor.values[i]))
		attest_find(c, ATTEST_NOT_TRUSTED, "genesis", expected,
			    "something was written before the anchor", "%s", found);
	if (c->anchor.values[i].alg != c->header->bank)
		attest_find(c, ATTEST_NOT_TRUSTED, "bank",
			    digest_alg_name(c->anchor.values[i].alg),
			    "the quote says nothing about the bank that the index's policy is "
			    "bound to", "a quote of %s", digest_alg_name(c->header->bank));
	if (!index) {
		(void)snprintf(expected, sizeof(expected), "a statement about index 0x%08x",
			       c->anchor.handles[i]);
		attest_find(c, ATTEST_NOT_TRUSTED, "certified", expected,
			    "the index was deleted, or what it says is kept back", "none");
		return;
	}
	if (index->statement.attest.type != TPM2_ST_ATTEST_NV)
		return;				/* reported already */
	check_name(c, index, i);
	check_content(c, index, i);
}

static void check_degraded(struct attest_checking *c)
{
	bool none = c->anchor.rung == NVPCR_RUNG_LOG;

	if (c->anchor.n || (!none && c->demand->policy->allow_degraded))
		return;
	attest_find(c, ATTEST_NOT_TRUSTED, "degraded",
		    "an anchor that names an index",
		    none ? "this boot was measured without a TPM"
			 : "the policy does not take a boot without an NV index",
		    "none, because of %s", c->anchor.reason);
}

/**
 * attest_anchor_check() - compare log and statements, after the log was read
 */
void attest_anchor_check(struct attest_checking *c)
{
	if (c->n_anchors != 1)
		attest_find(c, ATTEST_NOT_TRUSTED, "anchor", "exactly one anchor",
			    c->n_anchors ? "another anchor vouches for an index that was "
					   "made after the first"
					 : "nothing ties the log to the boot",
			    "%" PRIu64, c->n_anchors);
	if (!c->n_anchors)
		return;
	check_gate(c);
	check_degraded(c);
	for (size_t i = 0; i < c->anchor.n; i++)
		check_index(c, i);
	if (c->header->n_indices != c->anchor.n)
		attest_find(c, ATTEST_NOT_TRUSTED, "certified",
			    "a statement about each index of the anchor and no other",
			    "what is not anchored proves nothing", "%zu statements for %zu "
			    "indices", c->header->n_indices, c->anchor.n);
	check_pcrs(c);
}
