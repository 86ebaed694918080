/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an NvPCR's index must be, computed from its definition and the gate.  Pure.
 *
 * The first write of a boot needs branch A, the gate PCR's value before the anchor;
 * every later one branch B, that the index is written.  CLEAR_STCLEAR makes the TPM
 * forget at each reset and restart that it was, just as it clears the PCRs.  All of
 * this is in the index's Name, so a Name that matches proves it.
 *
 * The index's algorithm is also the gate PCR's bank and the policy's algorithm.
 */
#include "nvpcr/private.h"

#include <string.h>

/**
 * nvpcr_policy() - how an NvPCR's policy is satisfied
 * @def:    the NvPCR
 * @gate:   the gate PCR, active in the bank of @def's algorithm
 * @branch: TPM_BRANCH_PCR for the genesis, TPM_BRANCH_WRITTEN for all later writes
 * @ret:    the policy
 */
void nvpcr_policy(const struct nvpcr_def *def, const struct nvpcr_gate *gate,
		  enum tpm_branch branch, struct tpm_policy *ret)
{
	*ret = (struct tpm_policy){ .branch = branch, .pcr = gate->pcr };
	tpm_policy_pcr(def->alg, gate->pcr, &gate->values[def->alg], &ret->a);
	tpm_policy_nv_written(def->alg, &ret->b);
}

/**
 * nvpcr_public() - the public area that an NvPCR's index must have
 * @def:     the NvPCR
 * @gate:    the gate PCR before the anchor, active in the bank of @def's algorithm
 * @orderly: whether the index is kept in the TPM's RAM
 * @written: whether it was written since the last reset
 * @ret:     the public area
 */
void nvpcr_public(const struct nvpcr_def *def, const struct nvpcr_gate *gate,
		  bool orderly, bool written, struct tpm_nv_public *ret)
{
	struct tpm_policy policy;

	nvpcr_policy(def, gate, TPM_BRANCH_PCR, &policy);
	*ret = (struct tpm_nv_public){
		.handle = def->index,
		.name_alg = def->alg,
		.attributes = NVPCR_ATTRIBUTES | (orderly ? TPM_NV_ORDERLY : 0) |
			      (written ? TPM_NV_WRITTEN : 0),
		.data_size = (uint16_t)digest_size(def->alg),
	};
	tpm_policy_or(&policy.a, &policy.b, &ret->policy);
}

/**
 * nvpcr_name() - the Name that an NvPCR's index must have
 * @def:     the NvPCR
 * @gate:    the gate PCR before the anchor, active in the bank of @def's algorithm
 * @orderly: whether the index is kept in the TPM's RAM
 * @written: whether it was written since the last reset
 * @ret:     the Name
 */
void nvpcr_name(const struct nvpcr_def *def, const struct nvpcr_gate *gate, bool orderly,
		bool written, struct tpm_name *ret)
{
	struct tpm_nv_public public;

	nvpcr_public(def, gate, orderly, written, &public);
	(void)tpm_name_compute(&public, ret);	/* its policy is of its algorithm */
}

/**
 * nvpcr_genesis_value() - what an index holds after its genesis
 * @alg: of the index
 * @ret: the value
 */
void nvpcr_genesis_value(enum digest_alg alg, struct digest *ret)
{
	struct digest word;

	digest_compute(alg, NVPCR_GENESIS_WORD, strlen(NVPCR_GENESIS_WORD), &word);
	digest_zero(alg, ret);
	digest_extend(ret, &word);
}
