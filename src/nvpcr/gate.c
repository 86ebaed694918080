/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate PCR: which one may be it, and extending it. */
#include "nvpcr/nvpcr.h"

#include <errno.h>

/**
 * nvpcr_gate_check() - whether a PCR may be the gate
 * @pcr:   number
 * @force: take 15 too
 *
 * Never: 0-7 belong to the firmware, 10 to IMA, 11 and 12 to the boot stub and to
 * whoever sealed secrets to them, 17-22 to a dynamic launch, and 16 and 23 can be
 * reset by anybody.  15 breaks volumes sealed to its being zero, so it takes force.
 *
 * Return: 0; -EPERM if it takes force; -EINVAL if it may not be.
 */
int nvpcr_gate_check(unsigned int pcr, bool force)
{
	switch (pcr) {
	case 8:
	case 9:
	case NVPCR_GATE_DEFAULT:
	case 14:
		return 0;
	case 15:
		return force ? 0 : -EPERM;
	default:
		return -EINVAL;
	}
}

/**
 * nvpcr_gate_extend() - extend the gate PCR by a word, in every active bank
 * @tpm:       connection; not used if the gate has no bank
 * @gate:      the gate
 * @word:      borrowed for the call
 * @word_size: of @word in bytes
 *
 * Every active bank, because one that is left out could still be extended to any
 * history by others.
 *
 * Return: 0, also when the TPM could not be asked for its banks and nothing is done;
 * otherwise as every command.
 */
int nvpcr_gate_extend(struct tpm *tpm, const struct nvpcr_gate *gate, const char *word,
		      size_t word_size)
{
	struct digest digests[DIGEST_ALG_MAX];
	size_t n = 0;

	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++)
		if (gate->banks & 1u << alg)
			digest_compute((enum digest_alg)alg, word, word_size,
				       &digests[n++]);
	return n ? tpm_pcr_extend(tpm, gate->pcr, digests, n) : 0;
}
