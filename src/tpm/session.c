/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sessions; most are policy sessions for one command.
 *
 * A session that does not ask to be continued is gone once a command succeeded with
 * it, so a successful measurement needs no FlushContext.  Neither key nor secret is
 * involved: the session is unsalted and unbound.
 */
#include "tpm/private.h"

#include <errno.h>

/**
 * tpm_session_open() - start a session, unsalted and unbound
 * @tpm:        connection
 * @type:       TPM2_SE_POLICY or TPM2_SE_HMAC
 * @alg:        its hash algorithm
 * @attributes: that it has from now on
 * @ret:        the session
 *
 * Return: 0; otherwise as every command.
 */
int tpm_session_open(struct tpm *tpm, TPM2_SE type, enum digest_alg alg,
		     TPMA_SESSION attributes, ESYS_TR *ret)
{
	static const TPMT_SYM_DEF no_encryption = { .algorithm = TPM2_ALG_NULL };
	ESYS_TR session = ESYS_TR_NONE;
	int r;

	r = tpm_command_begin(tpm);
	if (r < 0)
		return r;
	r = tpm_command_end(tpm, Esys_StartAuthSession(tpm->esys,
			/* tpmKey= */ ESYS_TR_NONE, /* bind= */ ESYS_TR_NONE,
			ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, /* nonceCaller= */ NULL,
			type, &no_encryption, digest_alg_tpm_id(alg), &session));
	if (r < 0)
		return r;
	(void)Esys_TRSess_SetAttributes(tpm->esys, session, attributes, /* mask= */ 0xff);
	*ret = session;
	return 0;
}

/* The PCR digest is left to the TPM: a wrong value shows in the policy's digest. */
static int show_pcr(struct tpm *tpm, ESYS_TR session, const struct tpm_policy *policy)
{
	TPML_PCR_SELECTION selection = { .count = 1 };
	TPM2B_DIGEST any = { .size = 0 };
	int r;

	tpm_policy_select(policy->a.alg, policy->pcr, &selection.pcrSelections[0]);
	r = tpm_command_begin(tpm);
	if (r < 0)
		return r;
	return tpm_command_end(tpm, Esys_PolicyPCR(tpm->esys, session, ESYS_TR_NONE,
						   ESYS_TR_NONE, ESYS_TR_NONE, &any,
						   &selection));
}

static int show_written(struct tpm *tpm, ESYS_TR session)
{
	int r = tpm_command_begin(tpm);

	if (r < 0)
		return r;
	return tpm_command_end(tpm, Esys_PolicyNvWritten(tpm->esys, session, ESYS_TR_NONE,
							 ESYS_TR_NONE, ESYS_TR_NONE,
							 TPM2_YES));
}

static int show_either(struct tpm *tpm, ESYS_TR session, const struct tpm_policy *policy)
{
	size_t size = digest_size(policy->a.alg);
	TPML_DIGEST list = { .count = 2 };
	int r;

	for (size_t i = 0; i < size; i++) {
		list.digests[0].buffer[i] = policy->a.bytes[i];
		list.digests[1].buffer[i] = policy->b.bytes[i];
	}
	list.digests[0].size = list.digests[1].size = (UINT16)size;
	r = tpm_command_begin(tpm);
	if (r < 0)
		return r;
	return tpm_command_end(tpm, Esys_PolicyOR(tpm->esys, session, ESYS_TR_NONE,
						  ESYS_TR_NONE, ESYS_TR_NONE, &list));
}

/**
 * tpm_session_start() - start a policy session and satisfy a policy in it
 * @tpm:    connection
 * @policy: what to show
 * @ret:    the session, good for one command; flush it if that command fails
 *
 * Return: 0; otherwise as every command, with no session left behind.
 */
int tpm_session_start(struct tpm *tpm, const struct tpm_policy *policy, ESYS_TR *ret)
{
	ESYS_TR session;
	int r;

	r = tpm_session_open(tpm, TPM2_SE_POLICY, policy->a.alg, /* attributes= */ 0,
			     &session);
	if (r < 0)
		return r;
	if (policy->branch == TPM_BRANCH_PCR)
		r = show_pcr(tpm, session, policy);
	else
		r = show_written(tpm, session);
	if (r == 0)
		r = show_either(tpm, session, policy);
	if (r < 0) {
		tpm_session_flush(tpm, session);
		return r;
	}
	*ret = session;
	return 0;
}

/**
 * tpm_session_flush() - end a session that was not used up
 * @tpm:     connection; its response code stays that of the command before
 * @session: the session
 */
void tpm_session_flush(struct tpm *tpm, ESYS_TR session)
{
	uint32_t rc = tpm->rc;

	if (tpm_command_begin(tpm) == 0)
		(void)tpm_command_end(tpm, Esys_FlushContext(tpm->esys, session));
	tpm_rc_set(tpm, rc);
}

/**
 * tpm_session_used() - forget a session that a successful command has used up
 */
void tpm_session_used(struct tpm *tpm, ESYS_TR session)
{
	(void)Esys_TR_Close(tpm->esys, &session);
}
