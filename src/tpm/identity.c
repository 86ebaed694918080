/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who the TPM is. */
#include "tpm/private.h"

#include <errno.h>

#include "base/cleanup.h"

#define FIRST	TPM2_PT_MANUFACTURER
#define COUNT	(TPM2_PT_FIRMWARE_VERSION_2 - FIRST + 1)

static void take(const TPMS_TAGGED_PROPERTY *property, struct tpm_identity *ret)
{
	uint32_t value = property->value;

	switch (property->property) {
	case TPM2_PT_MANUFACTURER:
		for (int i = 0; i < 4; i++)
			ret->manufacturer[i] = (char)(value >> (24 - 8 * i));
		break;
	case TPM2_PT_FIRMWARE_VERSION_1:
		ret->firmware[0] = value;
		break;
	case TPM2_PT_FIRMWARE_VERSION_2:
		ret->firmware[1] = value;
		break;
	}
}

/**
 * tpm_identify() - ask the TPM who made it and which firmware it runs
 * @tpm: connection
 * @ret: what it said; empty and 0 where it said nothing
 *
 * One command.
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_GetCapability"
 *
 * Return: 0; otherwise as every command.
 */
int tpm_identify(struct tpm *tpm, struct tpm_identity *ret)
{
	_cleanup_(tpm_esys_freep) TPMS_CAPABILITY_DATA *data = NULL;
	int r;

	r = tpm_command_begin(tpm);
	if (r < 0)
		return r;
	r = tpm_command_end(tpm, Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE,
						    ESYS_TR_NONE, TPM2_CAP_TPM_PROPERTIES,
						    FIRST, COUNT, /* moreData= */ NULL,
						    &data));
	if (r < 0)
		return r;
	if (data->capability != TPM2_CAP_TPM_PROPERTIES)
		return -EBADMSG;
	*ret = (struct tpm_identity){ 0 };
	for (size_t i = 0; i < data->data.tpmProperties.count; i++)
		take(&data->data.tpmProperties.tpmProperty[i], ret);
	return 0;
}
