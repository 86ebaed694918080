/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ATTEST_AK_H
#define ATTEST_AK_H

/* The attestation key, and evidence made with it; part of the door. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attest/public.h"
#include "eventlog/eventlog.h"
#include "nvpcr/nvpcr.h"
#include "tpm/tpm.h"

#define ATTEST_AK_HANDLE	0x81015645u
#define ATTEST_AK_FIRST		0x81000000u	/* persistent objects of the owner */
#define ATTEST_AK_LAST		0x817fffffu
#define ATTEST_NONCE_MIN	8		/* bytes */
#define ATTEST_NONCE_MAX	32		/* bytes */
#define ATTEST_CERTIFICATE_MAX	4096		/* bytes */
#define ATTEST_FIRMWARE_LOG_MAX	(8U << 20)	/* bytes */

/* Outcomes of functions about the attestation key. */
enum attest_ak_outcome {
	ATTEST_AK_EXISTS = 1,		/* nothing was to be done */
	ATTEST_AK_ABSENT,		/* nothing is at the handle */
	ATTEST_AK_OTHER,		/* an attestation key of the other type */
	ATTEST_AK_FOREIGN,		/* something that is no attestation key of ours */
};

/* A certificate as the TPM has it; @size is 0 if it has none. */
struct attest_certificate {
	enum attest_key_type type;	/* of the key that it is for */
	uint8_t der[ATTEST_CERTIFICATE_MAX];
	size_t size;
};

/* ak.c */
int attest_ak_find(struct tpm *tpm, uint32_t handle, struct tpm_key *ret,
		   struct attest_public *ret_public);
int attest_ak_create(struct tpm *tpm, uint32_t handle, enum attest_key_type type);

/* ek.c */
int attest_ek_certificate(struct tpm *tpm, struct attest_certificate *ret);
int attest_ek_create(struct tpm *tpm, enum attest_key_type type, struct tpm_key *ret);

/* credential.c */
#define ATTEST_CREDENTIAL_MAX	(8 + 2 * TPM_OCTETS_MAX)	/* bytes of a file */
#define ATTEST_SECRET_SIZE	32				/* bytes */

/* What a machine tells of its keys. */
struct attest_enrolment {
	struct tpm_octets ek;		/* TPM2B_PUBLIC */
	struct tpm_name ak_name;
};

int attest_enrolment_parse(const char *text, size_t size, struct attest_enrolment *ret);
size_t attest_credential_encode(const struct tpm_credential *credential,
				uint8_t ret[static ATTEST_CREDENTIAL_MAX]);
int attest_credential_decode(const uint8_t *data, size_t size, struct tpm_credential *ret,
			     enum attest_key_type *ret_type);

/* collect.c */

/**
 * struct attest_request - what evidence is wanted
 * @root_fd:    directory that stands for "/"
 * @tpm:        connection
 * @ak_handle:  where the attestation key is
 * @nonce:      that the verifier gave
 * @nonce_size: ATTEST_NONCE_MIN to ATTEST_NONCE_MAX bytes
 * @boot_id:    of this boot
 */
struct attest_request {
	int root_fd;
	struct tpm *tpm;
	uint32_t ak_handle;
	uint8_t nonce[ATTEST_NONCE_MAX];
	size_t nonce_size;
	char boot_id[EVENTLOG_BOOT_ID_SIZE];
};

/**
 * struct attest_certified - an NV index that the log's anchor names
 * @handle:  of it
 * @name:    of its NvPCR, as the log claims
 * @missing: the TPM does not have it, or it is not written
 * @size:    of it in bytes
 * @public:  TPM2B_NV_PUBLIC
 * @certify: its content, signed
 */
struct attest_certified {
	uint32_t handle;
	char name[NVPCR_NAME_MAX];
	bool missing;
	size_t size;
	struct tpm_octets public;
	struct tpm_signed certify;
};

/**
 * struct attest_snapshot - one snapshot of TPM and log
 * @request:     as asked for
 * @ak:          the attestation key
 * @certificate: of the endorsement key
 * @gate:        the gate PCR, as the log claims
 * @bank:        that was quoted
 * @pcrs:        a bit for each PCR that was quoted
 * @values:      of them, by number
 * @quote:       the same, signed
 * @indices:     in the order of the anchor
 * @as_owner:    by whose authorization they were read
 * @audit:       the session's digest, signed
 * @log_fd:      the log; owned, -1 if none
 * @log_size:    how much of the log belongs to this snapshot, in bytes
 * @n_attempts:  how often it was tried
 * @doing:       static string: what failed, if something did
 */
struct attest_snapshot {
	struct attest_request request;
	struct tpm_key ak;
	struct attest_certificate certificate;
	unsigned int gate;
	enum digest_alg bank;
	uint32_t pcrs;
	struct digest values[TPM_PCRS];
	struct tpm_signed quote;
	struct attest_certified indices[NVPCR_MAX];
	size_t n_indices;
	bool as_owner;
	struct tpm_signed audit;
	int log_fd;
	uint64_t log_size;
	unsigned int n_attempts;
	const char *doing;
};

/* Outcomes of attest_collect(), beside those of attest_ak_find(). */
enum attest_collected {
	ATTEST_NO_LOG = 16,		/* nothing was measured in this boot */
	ATTEST_NO_ANCHOR,		/* the log does not begin as a log does */
	ATTEST_DISTURBED,		/* others used the TPM all the time */
};

int attest_collect(const struct attest_request *request, struct attest_snapshot **ret);
void attest_snapshot_free(struct attest_snapshot **snapshot);

/* evidence_write.c */
int attest_write(const struct attest_snapshot *snapshot, int fd);

#endif /* ATTEST_AK_H */
