/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TPMs that need to be treated with care.  Pure. */
#include "nvpcr/private.h"

#include <string.h>

/**
 * nvpcr_quirk_no_orderly() - whether orderly extend indices must be avoided
 *
 * STMicroelectronics ST33TPHF2ESPI, firmware 73.x: TPM2_NV_Extend of such an index
 * never answers, and the TPM is dead until the machine is reset.  May go when no such
 * firmware is in use any more.
 */
bool nvpcr_quirk_no_orderly(const struct tpm_identity *identity)
{
	return strcmp(identity->manufacturer, "STM ") == 0 &&
	       identity->firmware[0] >> 16 == 73;
}
