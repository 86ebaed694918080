/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TPM_PRIVATE_H
#define TPM_PRIVATE_H

/* Private to tpm/: a connection, and how a call of ESYS is wrapped. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <tss2/tss2_esys.h>

#include "tpm/tpm.h"

#define TPM_NV_OBJECTS_MAX	32	/* indices that ESYS keeps an object for */
#define TPM_RC_TEXT_MAX		128	/* bytes, with NUL */

/* What ESYS knows an index by, so that its public area is read only once. */
struct tpm_nv_object {
	uint32_t handle;		/* 0 if this row is free */
	ESYS_TR tr;
};

/**
 * struct tpm - one connection
 * @tcti:          what ESYS sees of us; must be first
 * @transport:     where commands go
 * @esys:          the library's context
 * @timeout_ms:    how long one command may take
 * @deadline_us:   when the command in hand must have ended; CLOCK_MONOTONIC
 * @n_commands:    commands sent, those sent again included
 * @rc:            the TPM's last response code
 * @rc_text:       the same in words
 * @error:         negative errno of the transport for the command in hand, or 0
 * @dead:          whether the TPM is being left alone
 * @response:      answer to the command in hand
 * @response_size: of it in bytes; 0 while there is none
 * @nv_objects:    indices met so far
 * @nv_next:       row that is given up next when all are taken
 */
struct tpm {
	TSS2_TCTI_CONTEXT_COMMON_V1 tcti;
	struct tpm_transport transport;
	ESYS_CONTEXT *esys;
	int timeout_ms;
	uint64_t deadline_us;
	uint64_t n_commands;
	uint32_t rc;
	char rc_text[TPM_RC_TEXT_MAX];
	int error;
	bool dead;
	uint8_t response[TPM_COMMAND_MAX];
	size_t response_size;
	struct tpm_nv_object nv_objects[TPM_NV_OBJECTS_MAX];
	size_t nv_next;
};

/* What ESYS returns is allocated with malloc(3), but only Esys_Free() may know that. */
static inline void tpm_esys_freep(void *p)
{
	Esys_Free(*(void **)p);
}

/* The code without which handle it is about: TPM_RC_HANDLE + TPM_RC_1 and the like. */
#define TPM_RC_HANDLE_MASK	0x8ffu

/* Whether the TPM refused because there is nothing at a handle. */
static inline bool tpm_is_absent(const struct tpm *tpm, int r)
{
	return r == -EREMOTEIO && (tpm->rc & TPM_RC_HANDLE_MASK) == TPM2_RC_HANDLE;
}

/* command.c */
int tpm_command_begin(struct tpm *tpm);
int tpm_command_end(struct tpm *tpm, TSS2_RC rc);

/* answer.c */

/* What stands before the parameters of an answer. */
enum tpm_answer {
	TPM_ANSWER_BARE,		/* nothing: no authorization, no session */
	TPM_ANSWER_AUTHORIZED,		/* their size */
	TPM_ANSWER_CREATED,		/* a handle, their size */
};

int tpm_answer_2b(const struct tpm *tpm, enum tpm_answer kind, size_t index,
		  struct tpm_octets *ret);
int tpm_answer_signed(const struct tpm *tpm, struct tpm_signed *ret);

/* nv.c */
int tpm_nv_object(struct tpm *tpm, uint32_t handle, ESYS_TR *ret);

/* policy.c */
void tpm_policy_select(enum digest_alg alg, unsigned int pcr, TPMS_PCR_SELECTION *ret);
void tpm_policy_select_all(enum digest_alg alg, uint32_t pcrs, TPMS_PCR_SELECTION *ret);

/* rc.c */
void tpm_rc_set(struct tpm *tpm, uint32_t rc);

/* session.c */
int tpm_session_open(struct tpm *tpm, TPM2_SE type, enum digest_alg alg,
		     TPMA_SESSION attributes, ESYS_TR *ret);
int tpm_session_start(struct tpm *tpm, const struct tpm_policy *policy, ESYS_TR *ret);
void tpm_session_flush(struct tpm *tpm, ESYS_TR session);
void tpm_session_used(struct tpm *tpm, ESYS_TR session);

/* tcti.c */
void tpm_tcti_init(struct tpm *tpm);

/* transport.c */
int tpm_transport_device(const char *path, int root_fd, int timeout_ms,
			 struct tpm_transport *ret);
int tpm_transport_swtpm(const char *conf, int timeout_ms, struct tpm_transport *ret);

#endif /* TPM_PRIVATE_H */
