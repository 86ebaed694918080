/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Policy digests, computed without a TPM.  Pure.
 *
 * Never with a trial session: a TPM without the bank that is asked for ignores the
 * selection, and the digest it would compute is one that everybody can satisfy.
 */
#include "tpm/private.h"

#include <string.h>

#include "base/cleanup.h"

#define SELECT_SIZE	3	/* octets of a PCR selection: 24 PCRs */

static void be32(uint32_t value, uint8_t ret[static 4])
{
	ret[0] = (uint8_t)(value >> 24);
	ret[1] = (uint8_t)(value >> 16);
	ret[2] = (uint8_t)(value >> 8);
	ret[3] = (uint8_t)value;
}

/**
 * tpm_policy_select_all() - select PCRs of one bank
 * @pcrs: a bit for each
 */
void tpm_policy_select_all(enum digest_alg alg, uint32_t pcrs, TPMS_PCR_SELECTION *ret)
{
	*ret = (TPMS_PCR_SELECTION){
		.hash = digest_alg_tpm_id(alg),
		.sizeofSelect = SELECT_SIZE,
	};
	for (size_t i = 0; i < SELECT_SIZE; i++)
		ret->pcrSelect[i] = (uint8_t)(pcrs >> 8 * i);
}

/**
 * tpm_policy_select() - select one PCR of one bank
 * @pcr: below 24
 */
void tpm_policy_select(enum digest_alg alg, unsigned int pcr, TPMS_PCR_SELECTION *ret)
{
	tpm_policy_select_all(alg, 1u << pcr, ret);
}

/**
 * tpm_policy_pcr() - digest of a policy that holds while a PCR has a value
 * @alg:   algorithm of the policy, and the PCR's bank
 * @pcr:   number, below 24
 * @value: of @alg
 * @ret:   the digest, starting from none
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_PolicyPCR"
 */
void tpm_policy_pcr(enum digest_alg alg, unsigned int pcr, const struct digest *value,
		    struct digest *ret)
{
	struct digest start, values;
	TPMS_PCR_SELECTION selection;
	uint8_t code[4], count[4], head[3];

	digest_zero(alg, &start);
	digest_compute(alg, value->bytes, digest_size(alg), &values);
	tpm_policy_select(alg, pcr, &selection);
	be32(TPM2_CC_PolicyPCR, code);
	be32(1, count);
	head[0] = (uint8_t)(selection.hash >> 8);
	head[1] = (uint8_t)selection.hash;
	head[2] = selection.sizeofSelect;

	const struct digest_part parts[] = {
		{ start.bytes, digest_size(alg) },
		{ code, sizeof(code) },
		{ count, sizeof(count) },	/* TPML_PCR_SELECTION of one bank */
		{ head, sizeof(head) },
		{ selection.pcrSelect, selection.sizeofSelect },
		{ values.bytes, digest_size(alg) },
	};
	digest_compute_parts(alg, parts, ARRAY_SIZE(parts), ret);
}

/**
 * tpm_policy_nv_written() - digest of a policy that holds once an index is written
 * @alg: algorithm of the policy
 * @ret: the digest, starting from none
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_PolicyNvWritten"
 */
void tpm_policy_nv_written(enum digest_alg alg, struct digest *ret)
{
	static const uint8_t yes = 1;
	struct digest start;
	uint8_t code[4];

	digest_zero(alg, &start);
	be32(TPM2_CC_PolicyNvWritten, code);

	const struct digest_part parts[] = {
		{ start.bytes, digest_size(alg) },
		{ code, sizeof(code) },
		{ &yes, sizeof(yes) },
	};
	digest_compute_parts(alg, parts, ARRAY_SIZE(parts), ret);
}

/**
 * tpm_policy_or() - digest of a policy that holds when either of two does
 * @a, @b: digests of the same algorithm
 * @ret:   the digest
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_PolicyOR"
 */
void tpm_policy_or(const struct digest *a, const struct digest *b, struct digest *ret)
{
	size_t size = digest_size(a->alg);
	struct digest start;
	uint8_t code[4];

	digest_zero(a->alg, &start);
	be32(TPM2_CC_PolicyOR, code);

	const struct digest_part parts[] = {
		{ start.bytes, size },
		{ code, sizeof(code) },
		{ a->bytes, size },
		{ b->bytes, size },
	};
	digest_compute_parts(a->alg, parts, ARRAY_SIZE(parts), ret);
}
