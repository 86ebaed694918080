/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ATTEST_HEADER_H
#define ATTEST_HEADER_H

/* The header of evidence, taken apart; no door. */
#include <stdbool.h>

#include <tss2/tss2_tpm2_types.h>

#include "attest/attest.h"
#include "attest/public.h"
#include "eventlog/eventlog.h"
#include "nvpcr/nvpcr.h"


#define ATTEST_PCRS	24	/* PCRs of a TPM */

/* Octets of their own. */
struct attest_blob {
	uint8_t *data;
	size_t size;
};

/**
 * struct attest_statement - something that a TPM signed
 * @bytes:     the TPMS_ATTEST as it was signed
 * @signed_by: the TPMT_SIGNATURE
 * @attest, @signature: the same, taken apart
 */
struct attest_statement {
	struct attest_blob bytes;
	struct attest_blob signed_by;
	TPMS_ATTEST attest;
	TPMT_SIGNATURE signature;
};

/**
 * struct attest_header_index - what the TPM said about an NV index
 * @name:      of the NvPCR, a claim
 * @public:    TPMS_NV_PUBLIC as the TPM marshals it
 * @nv:        the same, taken apart
 * @by_owner:  it was read by the owner's authorization and not by its own
 * @statement: of TPM2_NV_Certify
 */
struct attest_header_index {
	char name[NVPCR_NAME_MAX];
	struct attest_blob public;
	TPMS_NV_PUBLIC nv;
	bool by_owner;
	struct attest_statement statement;
};

/**
 * struct attest_header - a header
 * @nonce, @nonce_size: a claim
 * @boot_id:      a claim
 * @key:          TPM2B_PUBLIC of the attestation key
 * @ak:           the same, taken apart
 * @ak_name:      its Name
 * @quote, @audit: statements of TPM2_Quote and TPM2_GetSessionAuditDigest
 * @bank:         of @pcrs
 * @pcrs:         values; only those of @quoted
 * @quoted:       bit 1 << number for each
 * @indices:      in the order in which they were certified
 * @firmware_log: empty if there is none
 */
struct attest_header {
	uint8_t nonce[ATTEST_NONCE_MAX];
	size_t nonce_size;
	char boot_id[EVENTLOG_BOOT_ID_SIZE];
	struct attest_blob key;
	struct attest_public ak;
	struct tpm_name ak_name;
	struct attest_statement quote;
	struct attest_statement audit;
	enum digest_alg bank;
	struct digest pcrs[ATTEST_PCRS];
	uint32_t quoted;
	struct attest_header_index indices[NVPCR_MAX];
	size_t n_indices;
	struct attest_blob firmware_log;
};

int attest_header_parse(const char *text, size_t size, struct attest_header **ret,
			  const char **ret_reason);
void attest_header_free(struct attest_header **evidence);

#endif /* ATTEST_HEADER_H */
