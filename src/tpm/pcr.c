/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PCRs.
 *
 * A TPM answers TPM2_PCR_Read with the selection that it really read, in which a bank
 * that is not allocated is empty.  So asking for one PCR in every bank we know tells
 * in one command which banks there are.  Few TPMs know all four algorithms and some
 * refuse the command then: they are asked for their banks first.
 */
#include "tpm/private.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

#define ALL_BANKS	((1u << DIGEST_ALG_MAX) - 1)

static bool is_selected(const TPMS_PCR_SELECTION *selection, unsigned int pcr)
{
	return selection->sizeofSelect > pcr / 8 &&
	       selection->pcrSelect[pcr / 8] & 1 << pcr % 8;
}

/* The values come in the order of the selection, those not read left out. */
static int from_esys(const TPML_PCR_SELECTION *selection, const TPML_DIGEST *values,
		     unsigned int pcr, struct tpm_pcr *ret)
{
	size_t n = 0;

	*ret = (struct tpm_pcr){ 0 };
	for (size_t i = 0; i < selection->count; i++) {
		const TPMS_PCR_SELECTION *bank = &selection->pcrSelections[i];
		enum digest_alg alg = digest_alg_from_tpm_id(bank->hash);

		if (!is_selected(bank, pcr))
			continue;
		if (alg < 0 || n >= values->count ||
		    values->digests[n].size != digest_size(alg))
			return -EBADMSG;
		ret->banks |= 1u << alg;
		digest_zero(alg, &ret->values[alg]);
		memcpy(ret->values[alg].bytes, values->digests[n].buffer,
		       values->digests[n].size);
		n++;
	}
	return n == values->count ? 0 : -EBADMSG;
}

static int read_banks(struct tpm *tpm, unsigned int pcr, unsigned int banks,
		      struct tpm_pcr *ret)
{
	_cleanup_(tpm_esys_freep) TPML_PCR_SELECTION *selection = NULL;
	_cleanup_(tpm_esys_freep) TPML_DIGEST *values = NULL;
	TPML_PCR_SELECTION wanted = { .count = 0 };
	int r;

	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++)
		if (banks & 1u << alg)
			tpm_policy_select((enum digest_alg)alg, pcr,
					  &wanted.pcrSelections[wanted.count++]);
	r = tpm_command_begin(tpm);
	if (r < 0)
		return r;
	r = tpm_command_end(tpm, Esys_PCR_Read(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE,
					       ESYS_TR_NONE, &wanted,
					       /* pcrUpdateCounter= */ NULL, &selection,
					       &values));
	return r < 0 ? r : from_esys(selection, values, pcr, ret);
}

static int list_banks(struct tpm *tpm, unsigned int pcr, unsigned int *ret)
{
	_cleanup_(tpm_esys_freep) TPMS_CAPABILITY_DATA *data = NULL;
	int r;

	r = tpm_command_begin(tpm);
	if (r < 0)
		return r;
	r = tpm_command_end(tpm, Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE,
						    ESYS_TR_NONE, TPM2_CAP_PCRS, 0, 1,
						    /* moreData= */ NULL, &data));
	if (r < 0)
		return r;
	if (data->capability != TPM2_CAP_PCRS)
		return -EBADMSG;
	*ret = 0;
	for (size_t i = 0; i < data->data.assignedPCR.count; i++) {
		const TPMS_PCR_SELECTION *bank = &data->data.assignedPCR.pcrSelections[i];
		enum digest_alg alg = digest_alg_from_tpm_id(bank->hash);

		if (alg >= 0 && is_selected(bank, pcr))
			*ret |= 1u << alg;
	}
	return 0;
}

/**
 * tpm_pcr_read() - read a PCR in all banks that are active
 * @tpm: connection
 * @pcr: number, below 24
 * @ret: banks and values
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_PCR_Read"
 *
 * Return: 0; otherwise as every command.
 */
int tpm_pcr_read(struct tpm *tpm, unsigned int pcr, struct tpm_pcr *ret)
{
	unsigned int banks;
	int r;

	r = read_banks(tpm, pcr, ALL_BANKS, ret);
	if (r != -EREMOTEIO)
		return r;
	r = list_banks(tpm, pcr, &banks);
	if (r < 0)
		return r;
	*ret = (struct tpm_pcr){ 0 };
	return banks ? read_banks(tpm, pcr, banks, ret) : 0;
}

/**
 * tpm_pcr_extend() - fold digests into a PCR, all banks in one command
 * @tpm:       connection
 * @pcr:       number, below 24
 * @digests:   at most one of each algorithm; borrowed for the call
 * @n_digests: how many
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_PCR_Extend"
 *
 * Return: 0; -EINVAL if there is no digest, or there are too many; otherwise as every
 * command.
 */
int tpm_pcr_extend(struct tpm *tpm, unsigned int pcr, const struct digest *digests,
		   size_t n_digests)
{
	TPML_DIGEST_VALUES list = { .count = (UINT32)n_digests };
	int r;

	if (n_digests == 0 || n_digests > DIGEST_ALG_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n_digests; i++) {
		list.digests[i].hashAlg = digest_alg_tpm_id(digests[i].alg);
		memcpy(&list.digests[i].digest, digests[i].bytes,
		       digest_size(digests[i].alg));
	}
	r = tpm_command_begin(tpm);
	if (r < 0)
		return r;
	return tpm_command_end(tpm, Esys_PCR_Extend(tpm->esys, ESYS_TR_PCR0 + pcr,
						    ESYS_TR_PASSWORD, ESYS_TR_NONE,
						    ESYS_TR_NONE, &list));
}

/* Takes over what was read; the selection says which PCRs that was. */
static int take_bank(const TPML_PCR_SELECTION *selection, const TPML_DIGEST *values,
		     enum digest_alg alg, uint32_t wanted, uint32_t *ret_pcrs, struct digest *ret)
{
	size_t n = 0;

	*ret_pcrs = 0;
	if (selection->count != 1 || selection->pcrSelections[0].hash != digest_alg_tpm_id(alg))
		return selection->count ? -EBADMSG : 0;
	for (unsigned int pcr = 0; pcr < TPM_PCRS; pcr++) {
		if (!is_selected(&selection->pcrSelections[0], pcr))
			continue;
		if (!(wanted & 1u << pcr) || n >= values->count ||
		    values->digests[n].size != digest_size(alg))
			return -EBADMSG;
		digest_zero(alg, &ret[pcr]);
		memcpy(ret[pcr].bytes, values->digests[n++].buffer, digest_size(alg));
		*ret_pcrs |= 1u << pcr;
	}
	return n == values->count ? 0 : -EBADMSG;
}

/**
 * tpm_pcr_read_bank() - read PCRs of one bank
 * @tpm:  connection
 * @alg:  the bank
 * @pcrs: a bit for each PCR that is wanted; afterwards for each that the bank has
 * @ret:  their values, by number
 *
 * One command for some eight PCRs.  They may change in between.
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_PCR_Read"
 *
 * Return: 0; otherwise as every command.
 */
int tpm_pcr_read_bank(struct tpm *tpm, enum digest_alg alg, uint32_t *pcrs,
		      struct digest ret[static TPM_PCRS])
{
	uint32_t left = *pcrs, got = 0, read = 0;

	do {
		_cleanup_(tpm_esys_freep) TPML_PCR_SELECTION *selection = NULL;
		_cleanup_(tpm_esys_freep) TPML_DIGEST *values = NULL;
		TPML_PCR_SELECTION wanted = { .count = 1 };
		int r;

		tpm_policy_select_all(alg, left, &wanted.pcrSelections[0]);
		r = tpm_command_begin(tpm);
		if (r < 0)
			return r;
		r = tpm_command_end(tpm, Esys_PCR_Read(
			tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &wanted,
			/* pcrUpdateCounter= */ NULL, &selection, &values));
		if (r == 0)
			r = take_bank(selection, values, alg, left, &read, ret);
		if (r < 0)
			return r;
		got |= read;
		left &= ~read;
	} while (left && read);
	*pcrs = got;
	return 0;
}
