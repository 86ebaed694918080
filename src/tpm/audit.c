/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Statements about the TPM, signed by a key, that belong together.
 *
 * They are made in an audit session, whose digest the TPM signs in the end.  As long as
 * the session is exclusive no other command was executed since its first, so all
 * statements are about one and the same state.  Commands after the first ask for that:
 * they are refused with TPM_RC_CODE_EXCLUSIVE otherwise.  Commands that can have no
 * session do not count, so the kernel may swap the session in and out.
 *
 * The index and the key must be known to ESYS before, or it would ask for them amid the
 * session.
 *
 * Spec: TCG TPM 2.0 Library, Part 1, "Audit Session"
 */
#include "tpm/private.h"

#include <errno.h>
#include <string.h>

static const TPMT_SIG_SCHEME scheme_of_key = { .scheme = TPM2_ALG_NULL };

/**
 * tpm_audit_start() - begin a session
 * @tpm:        connection
 * @key:        that will sign; borrowed until the session ends
 * @nonce:      that the statements will repeat
 * @nonce_size: at most TPM_NONCE_MAX bytes
 * @ret:        the session, for tpm_audit_end()
 *
 * Return: 0; otherwise as every command, with no session left behind.
 */
int tpm_audit_start(struct tpm *tpm, const struct tpm_key *key, const uint8_t *nonce,
		    size_t nonce_size, struct tpm_audit *ret)
{
	*ret = (struct tpm_audit){ .tpm = tpm, .key = key, .nonce_size = nonce_size };
	memcpy(ret->nonce, nonce, nonce_size);
	return tpm_session_open(tpm, TPM2_SE_HMAC, DIGEST_SHA256,
				TPMA_SESSION_AUDIT | TPMA_SESSION_CONTINUESESSION,
				&ret->session);
}

static void fill_nonce(const struct tpm_audit *audit, TPM2B_DATA *ret)
{
	ret->size = (UINT16)audit->nonce_size;
	memcpy(ret->buffer, audit->nonce, audit->nonce_size);
}

/* After a command in the session: the next one must find it exclusive. */
static int take(struct tpm_audit *audit, int r, struct tpm_signed *ret)
{
	if (r < 0)
		return r;
	if (!audit->begun)
		(void)Esys_TRSess_SetAttributes(audit->tpm->esys, audit->session,
						TPMA_SESSION_AUDITEXCLUSIVE,
						TPMA_SESSION_AUDITEXCLUSIVE);
	audit->begun = true;
	return tpm_answer_signed(audit->tpm, ret);
}

/**
 * tpm_audit_quote() - have the values of PCRs signed
 * @audit: session
 * @alg:   the bank
 * @pcrs:  a bit for each PCR; all of which the bank must have
 * @ret:   TPMS_ATTEST of type quote
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_Quote"
 *
 * Return: 0; otherwise as every command.
 */
int tpm_audit_quote(struct tpm_audit *audit, enum digest_alg alg, uint32_t pcrs,
		    struct tpm_signed *ret)
{
	TPML_PCR_SELECTION selection = { .count = 1 };
	struct tpm *tpm = audit->tpm;
	TPM2B_DATA nonce;
	int r;

	fill_nonce(audit, &nonce);
	tpm_policy_select_all(alg, pcrs, &selection.pcrSelections[0]);
	r = tpm_command_begin(tpm);
	if (r == 0)
		r = tpm_command_end(tpm, Esys_Quote(tpm->esys, audit->key->object,
						    ESYS_TR_PASSWORD, audit->session,
						    ESYS_TR_NONE, &nonce, &scheme_of_key,
						    &selection, NULL, NULL));
	return take(audit, r, ret);
}

/**
 * tpm_audit_certify() - have the content of an index signed
 * @audit:    session
 * @index:    handle; tpm_nv_octets() was called for it
 * @size:     of the index in bytes
 * @as_owner: by the owner's authorization, else by the index's own
 * @ret:      TPMS_ATTEST of type NV
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_NV_Certify"
 *
 * Return: 0; TPM_ABSENT; otherwise as every command.
 */
int tpm_audit_certify(struct tpm_audit *audit, uint32_t index, size_t size, bool as_owner,
		      struct tpm_signed *ret)
{
	struct tpm *tpm = audit->tpm;
	TPM2B_DATA nonce;
	ESYS_TR tr;
	int r;

	r = tpm_nv_object(tpm, index, &tr);
	if (r != 0)
		return r;
	fill_nonce(audit, &nonce);
	r = tpm_command_begin(tpm);
	if (r == 0)
		r = tpm_command_end(tpm, Esys_NV_Certify(
			tpm->esys, audit->key->object, as_owner ? ESYS_TR_RH_OWNER : tr, tr,
			ESYS_TR_PASSWORD, ESYS_TR_PASSWORD, audit->session, &nonce,
			&scheme_of_key, (UINT16)size, /* offset= */ 0, NULL, NULL));
	return take(audit, r, ret);
}

/**
 * tpm_audit_digest() - have the digest of the session signed
 * @audit: session
 * @ret:   TPMS_ATTEST of type session audit
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_GetSessionAuditDigest"
 *
 * Return: 0; otherwise as every command.
 */
int tpm_audit_digest(struct tpm_audit *audit, struct tpm_signed *ret)
{
	struct tpm *tpm = audit->tpm;
	TPM2B_DATA nonce;
	int r;

	fill_nonce(audit, &nonce);
	r = tpm_command_begin(tpm);
	if (r == 0)
		r = tpm_command_end(tpm, Esys_GetSessionAuditDigest(
			tpm->esys, ESYS_TR_RH_ENDORSEMENT, audit->key->object,
			audit->session, ESYS_TR_PASSWORD, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			&nonce, &scheme_of_key, NULL, NULL));
	return r < 0 ? r : tpm_answer_signed(tpm, ret);
}

/**
 * tpm_audit_end() - end a session
 * @audit: may be all zeros; the response code of the connection stays
 */
void tpm_audit_end(struct tpm_audit *audit)
{
	if (audit->tpm && audit->session)
		tpm_session_flush(audit->tpm, audit->session);
	audit->session = 0;
}
