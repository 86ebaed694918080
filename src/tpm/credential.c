/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credentials: a secret that only the TPM which holds both of two keys can read.
 *
 * One is the endorsement key, for which it is encrypted; the other is named in it.  So
 * who sends the secret back has the other key in the TPM of the endorsement key.
 *
 * Spec: TCG TPM 2.0 Library, Part 1, "Credential Protection"
 */
#include "tpm/private.h"

#include <errno.h>
#include <string.h>

#include <tss2/tss2_mu.h>

#include "base/cleanup.h"

/* Puts a size before octets that ESYS has handed out. */
static int put_2b(const uint8_t *data, size_t size, struct tpm_octets *ret)
{
	if (2 + size > sizeof(ret->bytes))
		return -EBADMSG;
	ret->bytes[0] = (uint8_t)(size >> 8);
	ret->bytes[1] = (uint8_t)size;
	memcpy(ret->bytes + 2, data, size);
	ret->size = 2 + size;
	return 0;
}

static int load(struct tpm *tpm, const struct tpm_octets *public, ESYS_TR *ret)
{
	TPM2B_PUBLIC area = { 0 };
	size_t offset = 0;
	int r;

	if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(public->bytes, public->size, &offset, &area) !=
	    TSS2_RC_SUCCESS)
		return -EINVAL;
	r = tpm_command_begin(tpm);
	if (r < 0)
		return r;
	return tpm_command_end(tpm, Esys_LoadExternal(
		tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, /* inPrivate= */ NULL,
		&area, ESYS_TR_RH_NULL, ret));
}

/**
 * tpm_credential_make() - wrap a secret for another TPM
 * @tpm:    any TPM; it learns @secret and needs no secret of its own
 * @ek:     TPM2B_PUBLIC of the endorsement key
 * @name:   of the key that has to be in the same TPM
 * @secret: the secret
 * @size:   of it, at most 32 bytes
 * @ret:    the credential
 *
 * Three commands.
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_MakeCredential"
 *
 * Return: 0; -EINVAL if @ek is none; otherwise as every command.
 */
int tpm_credential_make(struct tpm *tpm, const struct tpm_octets *ek,
			const struct tpm_name *name, const uint8_t *secret, size_t size,
			struct tpm_credential *ret)
{
	_cleanup_(tpm_esys_freep) TPM2B_ENCRYPTED_SECRET *seed = NULL;
	_cleanup_(tpm_esys_freep) TPM2B_ID_OBJECT *blob = NULL;
	TPM2B_NAME object_name = { .size = (UINT16)name->size };
	TPM2B_DIGEST credential = { .size = (UINT16)size };
	ESYS_TR key = ESYS_TR_NONE;
	int r;

	memcpy(object_name.name, name->bytes, name->size);
	memcpy(credential.buffer, secret, size);
	r = load(tpm, ek, &key);
	if (r < 0)
		return r;
	r = tpm_command_begin(tpm);
	if (r == 0)
		r = tpm_command_end(tpm, Esys_MakeCredential(
			tpm->esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
			&credential, &object_name, &blob, &seed));
	tpm_session_flush(tpm, key);
	if (r == 0)
		r = put_2b(blob->credential, blob->size, &ret->blob);
	return r != 0 ? r : put_2b(seed->secret, seed->size, &ret->seed);
}

/* The policy of an endorsement key: whoever may use the endorsement hierarchy. */
static int authorize(struct tpm *tpm, ESYS_TR *ret)
{
	int r = tpm_session_open(tpm, TPM2_SE_POLICY, DIGEST_SHA256, /* attributes= */ 0, ret);

	if (r < 0)
		return r;
	r = tpm_command_begin(tpm);
	if (r == 0)
		r = tpm_command_end(tpm, Esys_PolicySecret(
			tpm->esys, ESYS_TR_RH_ENDORSEMENT, *ret, ESYS_TR_PASSWORD,
			ESYS_TR_NONE, ESYS_TR_NONE, /* nonceTPM= */ NULL,
			/* cpHashA= */ NULL, /* policyRef= */ NULL, /* expiration= */ 0,
			/* timeout= */ NULL, /* policyTicket= */ NULL));
	if (r < 0)
		tpm_session_flush(tpm, *ret);
	return r;
}

/* Takes the size off that stands before octets. */
static int take_2b(const struct tpm_octets *from, uint8_t *ret, size_t max, UINT16 *ret_size)
{
	if (from->size < 2 || from->size - 2 > max ||
	    ((size_t)from->bytes[0] << 8 | from->bytes[1]) != from->size - 2)
		return -EINVAL;
	*ret_size = (UINT16)(from->size - 2);
	memcpy(ret, from->bytes + 2, from->size - 2);
	return 0;
}

/**
 * tpm_credential_activate() - read the secret of a credential
 * @tpm:        connection
 * @key:        that the credential names
 * @ek:         the endorsement key
 * @credential: as tpm_credential_make() made it
 * @ret:        the secret
 *
 * Three commands.
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_ActivateCredential"
 *
 * Return: 0; -EINVAL if @credential is none; otherwise as every command: -EREMOTEIO also
 * if it is for other keys.
 */
int tpm_credential_activate(struct tpm *tpm, const struct tpm_key *key,
			    const struct tpm_key *ek,
			    const struct tpm_credential *credential, struct tpm_octets *ret)
{
	_cleanup_(tpm_esys_freep) TPM2B_DIGEST *secret = NULL;
	TPM2B_ENCRYPTED_SECRET seed = { 0 };
	TPM2B_ID_OBJECT blob = { 0 };
	ESYS_TR session = ESYS_TR_NONE;
	int r;

	r = take_2b(&credential->blob, blob.credential, sizeof(blob.credential), &blob.size);
	if (r == 0)
		r = take_2b(&credential->seed, seed.secret, sizeof(seed.secret), &seed.size);
	if (r == 0)
		r = authorize(tpm, &session);
	if (r < 0)
		return r;
	r = tpm_command_begin(tpm);
	if (r == 0)
		r = tpm_command_end(tpm, Esys_ActivateCredential(
			tpm->esys, key->object, ek->object, ESYS_TR_PASSWORD, session,
			ESYS_TR_NONE, &blob, &seed, &secret));
	if (r != 0) {
		tpm_session_flush(tpm, session);
		return r;
	}
	tpm_session_used(tpm, session);
	ret->size = secret->size;
	memcpy(ret->bytes, secret->buffer, secret->size);
	return 0;
}
