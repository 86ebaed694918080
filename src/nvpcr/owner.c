/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose an index looks like that is not ours: for a message, so that a person knows
 * whom to ask before deleting anything.  Pure.
 *
 * Spec: TCG Registry of Reserved TPM 2.0 Handles and Localities; UAPI.19
 */
#include "nvpcr/private.h"

#include <stdio.h>

#include "base/cleanup.h"

/* systemd's NvPCRs: since v262 written under a policy, before by whoever has the auth. */
#define SYSTEMD_READ		(TPM_NV_OWNERREAD | TPM_NV_AUTHREAD)
#define NV_OWNERWRITE		0x00000002u
#define NV_AUTHWRITE		0x00000004u
#define NV_TYPE_COUNTER		0x00000010u
#define NV_TYPE_BITS		0x00000020u

static const struct {
	uint32_t first;
	uint32_t last;
	const char *text;
} ranges[] = {
	{ 0x01000000, 0x013fffff, "the TPM's manufacturer" },
	{ 0x01400000, 0x017fffff, "the platform's manufacturer" },
	{ 0x01800000, 0x01bfffff, "a program of this machine" },
	{ 0x01c00000, 0x01c07fff, "an endorsement key certificate" },
	{ 0x01c08000, 0x01c0ffff, "a platform certificate" },
	{ 0x01c10000, 0x01c8ffff, "a manufacturer or a standard" },
	{ 0x01d10200, 0x01d10224, "systemd" },
	{ 0x01d10225, 0x01d10225, "the Linux kernel" },
	{ 0x01d10226, 0x01d105ff, "a Linux program" },
};

static const char *range_of(uint32_t handle)
{
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (handle >= ranges[i].first && handle <= ranges[i].last)
			return ranges[i].text;
	return "nobody known";
}

static const char *kind_of(const struct tpm_nv_public *public)
{
	uint32_t attributes = public->attributes & ~(TPM_NV_ORDERLY | TPM_NV_WRITTEN);

	switch (attributes & TPM_NV_TYPE_MASK) {
	case 0:
		return "ordinary data";
	case NV_TYPE_COUNTER:
		return "a counter";
	case NV_TYPE_BITS:
		return "a bit field";
	case TPM_NV_TYPE_EXTEND:
		break;
	default:
		return "an index of another type";
	}
	if (attributes == NVPCR_ATTRIBUTES)
		return "an NvPCR like ours";
	if (attributes == (NVPCR_ATTRIBUTES & ~TPM_NV_NO_DA) ||
	    ((attributes & SYSTEMD_READ) == SYSTEMD_READ &&
	     attributes & TPM_NV_CLEAR_STCLEAR &&
	     attributes & (NV_OWNERWRITE | NV_AUTHWRITE)))
		return "an NvPCR like systemd's";
	return "an extend index";
}

/**
 * nvpcr_owner_describe() - say whose an index looks like
 * @public: its public area
 * @ret:    words for "the handle holds ...", such as "a counter, in the range of
 *          a program of this machine"
 */
void nvpcr_owner_describe(const struct tpm_nv_public *public,
			  char ret[static NVPCR_OWNER_MAX])
{
	(void)snprintf(ret, NVPCR_OWNER_MAX, "%s, in the range of %s", kind_of(public),
		       range_of(public->handle));
}
