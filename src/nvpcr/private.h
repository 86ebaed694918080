/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NVPCR_PRIVATE_H
#define NVPCR_PRIVATE_H

/* Private to nvpcr/. */
#include <stdbool.h>

#include "nvpcr/nvpcr.h"

/* What makes an index ours, whatever its policy: see nvpcr_public(). */
#define NVPCR_ATTRIBUTES	(TPM_NV_POLICYWRITE | TPM_NV_TYPE_EXTEND |		\
				 TPM_NV_OWNERREAD | TPM_NV_AUTHREAD | TPM_NV_NO_DA |	\
				 TPM_NV_CLEAR_STCLEAR)

/* owner.c */
void nvpcr_owner_describe(const struct tpm_nv_public *public,
			  char ret[static NVPCR_OWNER_MAX]);

/* policy.c */
void nvpcr_policy(const struct nvpcr_def *def, const struct nvpcr_gate *gate,
		  enum tpm_branch branch, struct tpm_policy *ret);

/* quirk.c */
bool nvpcr_quirk_no_orderly(const struct tpm_identity *identity);

#endif /* NVPCR_PRIVATE_H */
