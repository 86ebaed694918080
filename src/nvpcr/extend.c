/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extending an NvPCR on whatever rung it lives, and reading it. */
#include "nvpcr/private.h"

#include <errno.h>

/**
 * nvpcr_extend() - extend an NvPCR by a word, after the anchor
 * @tpm:       connection; not used on the last rung
 * @set:       the set that @nvpcr belongs to
 * @nvpcr:     the NvPCR
 * @word:      borrowed for the call
 * @word_size: of @word in bytes
 *
 * Needs nothing but the gate's values before the anchor and the definition, so that a
 * process which did not allocate the index can go on with it.
 *
 * Return: 0; TPM_ABSENT if somebody deleted the index; otherwise as every command.
 */
int nvpcr_extend(struct tpm *tpm, const struct nvpcr_set *set, const struct nvpcr *nvpcr,
		 const char *word, size_t word_size)
{
	struct tpm_policy policy;
	struct digest digest;

	switch (nvpcr->rung) {
	case NVPCR_RUNG_ORDERLY:
	case NVPCR_RUNG_NV:
		nvpcr_policy(&nvpcr->def, &set->gate, TPM_BRANCH_WRITTEN, &policy);
		digest_compute(nvpcr->def.alg, word, word_size, &digest);
		return tpm_nv_extend(tpm, nvpcr->def.index, &policy, &digest);
	case NVPCR_RUNG_PCR:
		return nvpcr_gate_extend(tpm, &set->gate, word, word_size);
	default:
		return 0;
	}
}

/**
 * nvpcr_read() - read Name and value of an NvPCR's index
 * @tpm:       connection
 * @nvpcr:     one of the first two rungs
 * @ret_name:  Name as the TPM says it
 * @ret_value: value
 *
 * Return: 0; TPM_ABSENT, TPM_UNWRITTEN or TPM_UNKNOWN_TYPE; -EINVAL if @nvpcr is on
 * another rung; otherwise as every command.
 */
int nvpcr_read(struct tpm *tpm, const struct nvpcr *nvpcr, struct tpm_name *ret_name,
	       struct digest *ret_value)
{
	struct tpm_name name;
	int r;

	if (nvpcr->rung > NVPCR_RUNG_NV)
		return -EINVAL;
	r = tpm_nv_find(tpm, nvpcr->def.index, &name);
	if (r)
		return r;
	r = tpm_nv_read(tpm, nvpcr->def.index, nvpcr->def.alg, ret_value);
	if (r)
		return r;
	*ret_name = name;
	return 0;
}
