/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys of the endorsement hierarchy.
 *
 * They are primary keys: the TPM derives them from the seed of the hierarchy and the
 * template, so that the same template always gives the same key.  A template is the
 * TPM2B_PUBLIC that TPM2_CreatePrimary is given.
 */
#include "tpm/private.h"

#include <errno.h>
#include <string.h>

#include <tss2/tss2_mu.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define CREATE_TIMEOUT_MS	120000	/* primes are found by luck */

static int take_name(const struct tpm *tpm, size_t index, struct tpm_name *ret)
{
	struct tpm_octets octets;
	int r = tpm_answer_2b(tpm, TPM_ANSWER_BARE, index, &octets);

	if (r < 0)
		return r;
	if (octets.size - 2 > TPM_NAME_MAX)
		return -EBADMSG;
	ret->size = octets.size - 2;
	memcpy(ret->bytes, octets.bytes + 2, ret->size);
	return 0;
}

/**
 * tpm_key_find() - look whether a key is persistent at a handle
 * @tpm:    connection
 * @handle: 0x81000000 and above
 * @ret:    the key, for tpm_key_done()
 *
 * One command, TPM2_ReadPublic.
 *
 * Return: 0; TPM_ABSENT; otherwise as every command.
 */
int tpm_key_find(struct tpm *tpm, uint32_t handle, struct tpm_key *ret)
{
	struct tpm_key key = { .object = ESYS_TR_NONE };
	int r;

	r = tpm_command_begin(tpm);
	if (r < 0)
		return r;
	r = tpm_command_end(tpm, Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE,
						       ESYS_TR_NONE, ESYS_TR_NONE,
						       &key.object));
	if (tpm_is_absent(tpm, r))
		return TPM_ABSENT;
	if (r < 0)
		return r;
	r = tpm_answer_2b(tpm, TPM_ANSWER_BARE, 0, &key.public);
	if (r == 0)
		r = take_name(tpm, 1, &key.name);
	if (r == 0)
		r = take_name(tpm, 2, &key.qualified);
	if (r < 0)
		tpm_key_done(tpm, &key);
	else
		*ret = key;
	return r;
}

static int name_of(struct tpm *tpm, uint32_t object, struct tpm_name *ret)
{
	_cleanup_(tpm_esys_freep) TPM2B_NAME *name = NULL;

	if (Esys_TR_GetName(tpm->esys, object, &name) != TSS2_RC_SUCCESS)
		return -ENOMEM;
	if (name->size > TPM_NAME_MAX)
		return -EBADMSG;
	*ret = (struct tpm_name){ .size = name->size };
	memcpy(ret->bytes, name->name, name->size);
	return 0;
}

/**
 * tpm_key_create() - have the TPM derive a primary key of the endorsement hierarchy
 * @tpm:           connection
 * @template:      TPM2B_PUBLIC
 * @template_size: of it in bytes
 * @ret:           the key, for tpm_key_done()
 *
 * May take some seconds, and has two minutes.
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_CreatePrimary"
 *
 * Return: 0; -EINVAL if the template is none; otherwise as every command.
 */
int tpm_key_create(struct tpm *tpm, const uint8_t *template, size_t template_size,
		   struct tpm_key *ret)
{
	static const TPM2B_SENSITIVE_CREATE no_sensitive;
	static const TPML_PCR_SELECTION no_pcrs;
	static const TPM2B_DATA no_data;
	struct tpm_key key = { .object = ESYS_TR_NONE, .transient = true };
	TPM2B_PUBLIC public = { 0 };
	size_t offset = 0;
	int r;

	if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(template, template_size, &offset, &public) !=
	    TSS2_RC_SUCCESS)
		return -EINVAL;
	r = tpm_command_begin(tpm);
	if (r < 0)
		return r;
	tpm->deadline_us += CREATE_TIMEOUT_MS * CLOCK_MS;
	r = tpm_command_end(tpm, Esys_CreatePrimary(
		tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
		ESYS_TR_NONE, &no_sensitive, &public, &no_data, &no_pcrs, &key.object,
		NULL, NULL, NULL, NULL));
	if (r < 0)
		return r;
	r = tpm_answer_2b(tpm, TPM_ANSWER_CREATED, 0, &key.public);
	if (r == 0)
		r = name_of(tpm, key.object, &key.name);
	if (r < 0)
		tpm_key_done(tpm, &key);
	else
		*ret = key;
	return r;
}

/**
 * tpm_key_persist() - keep a key at a handle, under the owner's authorization
 * @tpm:    connection
 * @key:    of tpm_key_create(); afterwards the persistent one
 * @handle: 0x81000000 to 0x817fffff, where nothing is
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_EvictControl"
 *
 * Return: 0; otherwise as every command.
 */
int tpm_key_persist(struct tpm *tpm, struct tpm_key *key, uint32_t handle)
{
	ESYS_TR persistent = ESYS_TR_NONE;
	int r = tpm_command_begin(tpm);

	if (r == 0)
		r = tpm_command_end(tpm, Esys_EvictControl(
			tpm->esys, ESYS_TR_RH_OWNER, key->object, ESYS_TR_PASSWORD,
			ESYS_TR_NONE, ESYS_TR_NONE, handle, &persistent));
	if (r < 0)
		return r;
	tpm_session_flush(tpm, key->object);
	key->object = persistent;
	key->transient = false;
	return 0;
}

/**
 * tpm_key_done() - let go of a key; one that is not persistent is gone then
 * @tpm: connection; its response code stays
 * @key: may be all zeros
 */
void tpm_key_done(struct tpm *tpm, struct tpm_key *key)
{
	if (key->object == 0 || key->object == ESYS_TR_NONE)
		return;
	if (key->transient)
		tpm_session_flush(tpm, key->object);
	else
		(void)Esys_TR_Close(tpm->esys, &key->object);
	key->object = ESYS_TR_NONE;
}
