/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TPM_TPM_H
#define TPM_TPM_H

/*
 * A TPM 2.0: one function for each command we use, on top of tpm2-tss's ESYS.
 *
 * Every command passes one seam, struct tpm_transport, so that a test can count,
 * record, fail, delay and cut it.  Every command has a deadline; after it, or after
 * any other transport error, the TPM is left alone for the rest of the process's
 * life.  Functions here never print: they return 0, a named outcome or a negative
 * errno, and leave the TPM's own response code in tpm_rc() for whoever writes the
 * message.
 *
 * Errors that every command may return besides its own:
 *   -EREMOTEIO  the TPM refused; tpm_rc() says why
 *   -ETIMEDOUT  no answer within the deadline; from now on -ESHUTDOWN
 *   -ESHUTDOWN  the TPM is being left alone after an earlier transport error
 *   -EIO        the transport failed; from now on -ESHUTDOWN
 *   -EBADMSG    the answer makes no sense
 *   -ENOMEM
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

#define TPM_NAME_MAX		(2 + DIGEST_SIZE_MAX)	/* bytes: algorithm and digest */
#define TPM_COMMAND_MAX		4096			/* bytes, either direction */
#define TPM_OCTETS_MAX		1024			/* bytes of one structure */
#define TPM_PCRS		24
#define TPM_NONCE_MAX		32			/* bytes that every TPM takes */

/* TPMA_NV, the attributes of an NV index that we use.  Spec: Part 2, "TPMA_NV" */
#define TPM_NV_POLICYWRITE	0x00000008u
#define TPM_NV_TYPE_MASK	0x000000f0u
#define TPM_NV_TYPE_EXTEND	0x00000040u
#define TPM_NV_OWNERREAD	0x00020000u
#define TPM_NV_AUTHREAD		0x00040000u
#define TPM_NV_NO_DA		0x02000000u
#define TPM_NV_ORDERLY		0x04000000u
#define TPM_NV_CLEAR_STCLEAR	0x08000000u
#define TPM_NV_WRITTEN		0x20000000u

/* Response codes that callers tell apart.  Spec: Part 2, "TPM_RC" */
#define TPM_RC_CODE_NV_UNINITIALIZED	0x14au
#define TPM_RC_CODE_NV_SPACE		0x14bu
#define TPM_RC_CODE_NV_DEFINED		0x14cu
#define TPM_RC_CODE_EXCLUSIVE		0x121u	/* an audit session is not exclusive */
#define TPM_RC_CODE_PCR_CHANGED		0x128u
#define TPM_RC_CODE_OWNER_AUTH		0x9a2u	/* wrong authorization, first session */
#define TPM_RC_CODE_NV_OWNER_AUTH	0xaa2u	/* the same, second session */

/**
 * struct tpm_transport - the seam: how one command reaches a TPM
 * @transmit: sends @command and waits at most @timeout_ms for the response; sets
 *            *@response_size, on entry the room in @response, to its size in bytes.
 *            Returns 0, -ETIMEDOUT or another negative errno
 * @close:    frees @ctx; may be NULL
 * @ctx:      argument of both
 */
struct tpm_transport {
	int (*transmit)(void *ctx, const uint8_t *command, size_t command_size,
			uint8_t *response, size_t *response_size, int timeout_ms);
	void (*close)(void *ctx);
	void *ctx;
};

struct tpm;		/* one connection, and what is remembered about it */

/**
 * struct tpm_nv_public - the public area of an NV index
 *
 * Spec: TCG TPM 2.0 Library, Part 2, "TPMS_NV_PUBLIC"
 */
struct tpm_nv_public {
	uint32_t handle;
	enum digest_alg name_alg;
	uint32_t attributes;		/* TPM_NV_* */
	struct digest policy;		/* authPolicy, made with @name_alg */
	uint16_t data_size;		/* bytes */
};

/* The Name of an object: the identifier of its hash algorithm and a digest. */
struct tpm_name {
	uint8_t bytes[TPM_NAME_MAX];
	size_t size;			/* bytes; 0 if there is none */
};

/* Outcomes of tpm_nv_find() and tpm_nv_read(). */
enum tpm_found {
	TPM_ABSENT = 1,			/* no index has this handle */
	TPM_UNWRITTEN,			/* the index was not written since it was cleared */
	TPM_UNKNOWN_TYPE,		/* an index whose public area we cannot represent */
};

/* One PCR in all banks that are active. */
struct tpm_pcr {
	unsigned int banks;		/* bit 1 << enum digest_alg for each active bank */
	struct digest values[DIGEST_ALG_MAX];
};

/* How a policy session satisfies one branch of PolicyOR. */
enum tpm_branch {
	TPM_BRANCH_PCR,			/* PolicyPCR: a PCR has the expected value */
	TPM_BRANCH_WRITTEN,		/* PolicyNvWritten(YES) */
};

/**
 * struct tpm_policy - what a policy session must show
 * @branch: which of the two
 * @pcr:    for TPM_BRANCH_PCR: number of the PCR, of the bank of @a.alg
 * @a, @b:  digests of the two branches, in PolicyOR's order
 */
struct tpm_policy {
	enum tpm_branch branch;
	unsigned int pcr;
	struct digest a;
	struct digest b;
};

/* A structure, or several, exactly as the TPM marshals them. */
struct tpm_octets {
	uint8_t bytes[TPM_OCTETS_MAX];
	size_t size;
};

/**
 * struct tpm_key - a key that is loaded or persistent
 * @object:    what ESYS knows it by
 * @transient: it goes away with tpm_key_done()
 * @public:    TPM2B_PUBLIC
 * @name:      its Name
 * @qualified: its Qualified Name, which says whose child it is; none if transient
 */
struct tpm_key {
	uint32_t object;
	bool transient;
	struct tpm_octets public;
	struct tpm_name name;
	struct tpm_name qualified;
};

/* What a key has signed: TPMS_ATTEST and TPMT_SIGNATURE. */
struct tpm_signed {
	struct tpm_octets attest;
	struct tpm_octets signature;
};

/**
 * struct tpm_audit - an audit session in which a key makes statements about the TPM
 * @tpm:        borrowed
 * @key:        that signs; borrowed
 * @nonce:      that every statement repeats
 * @nonce_size: of @nonce in bytes
 * @session:    what ESYS knows it by
 * @begun:      a command was audited
 */
struct tpm_audit {
	struct tpm *tpm;
	const struct tpm_key *key;
	uint8_t nonce[TPM_NONCE_MAX];
	size_t nonce_size;
	uint32_t session;
	bool begun;
};

/* A secret wrapped for a TPM: TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET. */
struct tpm_credential {
	struct tpm_octets blob;
	struct tpm_octets seed;
};

/* Who the TPM is, for quirks.  Spec: Part 2, "TPM_PT" */
struct tpm_identity {
	char manufacturer[5];		/* e.g. "STM " */
	uint32_t firmware[2];		/* TPM_PT_FIRMWARE_VERSION_1 and _2 */
};

int tpm_open(const char *conf, int root_fd, int timeout_ms, struct tpm **ret);
int tpm_open_transport(const struct tpm_transport *transport, int timeout_ms,
		       struct tpm **ret);
void tpm_close(struct tpm *tpm);
void tpm_closep(struct tpm **tpm);
bool tpm_is_expected(int root_fd);

uint32_t tpm_rc(const struct tpm *tpm);
const char *tpm_rc_describe(const struct tpm *tpm);
bool tpm_rc_is_about_tpm(const struct tpm *tpm);
bool tpm_is_dead(const struct tpm *tpm);
uint64_t tpm_n_commands(const struct tpm *tpm);

int tpm_nv_find(struct tpm *tpm, uint32_t handle, struct tpm_name *ret);
int tpm_nv_read_public(struct tpm *tpm, uint32_t handle, struct tpm_nv_public *ret);
int tpm_nv_list(struct tpm *tpm, uint32_t *ret, size_t max, size_t *ret_n);
int tpm_nv_define(struct tpm *tpm, const struct tpm_nv_public *public);
int tpm_nv_undefine(struct tpm *tpm, uint32_t handle);
int tpm_nv_extend(struct tpm *tpm, uint32_t handle, const struct tpm_policy *policy,
		  const struct digest *data);
int tpm_nv_read(struct tpm *tpm, uint32_t handle, enum digest_alg alg,
		struct digest *ret);
int tpm_nv_octets(struct tpm *tpm, uint32_t handle, struct tpm_octets *ret_public,
		  struct tpm_name *ret_name);
int tpm_nv_read_data(struct tpm *tpm, uint32_t handle, uint8_t *ret, size_t max,
		     size_t *ret_size);

int tpm_pcr_read(struct tpm *tpm, unsigned int pcr, struct tpm_pcr *ret);
int tpm_pcr_read_bank(struct tpm *tpm, enum digest_alg alg, uint32_t *pcrs,
		      struct digest ret[static TPM_PCRS]);
int tpm_pcr_extend(struct tpm *tpm, unsigned int pcr, const struct digest *digests,
		   size_t n_digests);

int tpm_key_create(struct tpm *tpm, const uint8_t *template, size_t template_size,
		   struct tpm_key *ret);
int tpm_key_find(struct tpm *tpm, uint32_t handle, struct tpm_key *ret);
int tpm_key_persist(struct tpm *tpm, struct tpm_key *key, uint32_t handle);
void tpm_key_done(struct tpm *tpm, struct tpm_key *key);

int tpm_audit_start(struct tpm *tpm, const struct tpm_key *key, const uint8_t *nonce,
		    size_t nonce_size, struct tpm_audit *ret);
int tpm_audit_quote(struct tpm_audit *audit, enum digest_alg alg, uint32_t pcrs,
		    struct tpm_signed *ret);
int tpm_audit_certify(struct tpm_audit *audit, uint32_t index, size_t size, bool as_owner,
		      struct tpm_signed *ret);
int tpm_audit_digest(struct tpm_audit *audit, struct tpm_signed *ret);
void tpm_audit_end(struct tpm_audit *audit);

int tpm_credential_make(struct tpm *tpm, const struct tpm_octets *ek,
			const struct tpm_name *name, const uint8_t *secret, size_t size,
			struct tpm_credential *ret);
int tpm_credential_activate(struct tpm *tpm, const struct tpm_key *key,
			    const struct tpm_key *ek,
			    const struct tpm_credential *credential,
			    struct tpm_octets *ret);

int tpm_identify(struct tpm *tpm, struct tpm_identity *ret);

int tpm_name_compute(const struct tpm_nv_public *public, struct tpm_name *ret);
bool tpm_name_equal(const struct tpm_name *a, const struct tpm_name *b);
void tpm_policy_pcr(enum digest_alg alg, unsigned int pcr, const struct digest *value,
		    struct digest *ret);
void tpm_policy_nv_written(enum digest_alg alg, struct digest *ret);
void tpm_policy_or(const struct digest *a, const struct digest *b, struct digest *ret);

#endif /* TPM_TPM_H */
