/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The attestation key.
 *
 * A primary key of the endorsement hierarchy, so that it comes back after the owner
 * cleared the TPM's storage, and a restricted one: it signs nothing but what the TPM
 * itself has made.  Whatever else is at its handle is left alone.
 */
#include "attest/ak.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/*
 * TPM2B_PUBLIC: fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA,
 * restricted, sign; SHA-256; no policy.  Documented in veritally(8).
 */
static const uint8_t ecc_template[] = {
	0x00, 0x18, 0x00, 0x23, 0x00, 0x0b, 0x00, 0x05, 0x04, 0x72, 0x00, 0x00, 0x00, 0x10,
	0x00, 0x18, 0x00, 0x0b, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00,
};
static const uint8_t rsa_template[] = {
	0x00, 0x18, 0x00, 0x01, 0x00, 0x0b, 0x00, 0x05, 0x04, 0x72, 0x00, 0x00, 0x00, 0x10,
	0x00, 0x14, 0x00, 0x0b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static const struct {
	const uint8_t *bytes;
	size_t size;
} templates[] = {
	[ATTEST_KEY_ECC] = { ecc_template, sizeof(ecc_template) },
	[ATTEST_KEY_RSA] = { rsa_template, sizeof(rsa_template) },
};

/* Whether the key was derived from our template, as far as its public area tells. */
static bool is_of_template(const struct tpm_octets *octets,
			   const struct attest_public *public)
{
	const uint8_t *template = templates[public->type].bytes;

	return public->fixed_size < templates[public->type].size &&
	       memcmp(octets->bytes + 2, template + 2, public->fixed_size - 2) == 0;
}

/* A primary key's Qualified Name says whose child it is. */
static bool is_endorsed(const struct tpm_key *key)
{
	static const uint8_t endorsement[] = { 0x40, 0x00, 0x00, 0x0b };
	const struct digest_part parts[] = {
		{ endorsement, sizeof(endorsement) },
		{ key->name.bytes, key->name.size },
	};
	struct digest digest;

	digest_compute_parts(DIGEST_SHA256, parts, ARRAY_SIZE(parts), &digest);
	return key->qualified.size == 2 + digest_size(DIGEST_SHA256) &&
	       memcmp(key->qualified.bytes + 2, digest.bytes,
		      digest_size(DIGEST_SHA256)) == 0;
}

/**
 * attest_ak_find() - look for the attestation key
 * @tpm:        connection
 * @handle:     where it should be
 * @ret:        the key, for tpm_key_done()
 * @ret_public: the same, taken apart
 *
 * Return: 0; ATTEST_AK_ABSENT; ATTEST_AK_FOREIGN; otherwise as every command.
 */
int attest_ak_find(struct tpm *tpm, uint32_t handle, struct tpm_key *ret,
		   struct attest_public *ret_public)
{
	struct tpm_key key;
	int r;

	r = tpm_key_find(tpm, handle, &key);
	if (r != 0)
		return r == TPM_ABSENT ? ATTEST_AK_ABSENT : r;
	if (attest_public_parse(key.public.bytes, key.public.size, ret_public) < 0 ||
	    !is_of_template(&key.public, ret_public) || !is_endorsed(&key)) {
		tpm_key_done(tpm, &key);
		return ATTEST_AK_FOREIGN;
	}
	*ret = key;
	return 0;
}

/**
 * attest_ak_create() - have an attestation key at a handle
 * @tpm:    connection
 * @handle: ATTEST_AK_FIRST to ATTEST_AK_LAST
 * @type:   of the key, if there is none yet
 *
 * Return: 0 if it was made; ATTEST_AK_EXISTS; ATTEST_AK_OTHER; ATTEST_AK_FOREIGN;
 * otherwise as every command.
 */
int attest_ak_create(struct tpm *tpm, uint32_t handle, enum attest_key_type type)
{
	struct attest_public public;
	struct tpm_key key;
	int r;

	r = attest_ak_find(tpm, handle, &key, &public);
	if (r == 0) {
		tpm_key_done(tpm, &key);
		return public.type == type ? ATTEST_AK_EXISTS : ATTEST_AK_OTHER;
	}
	if (r != ATTEST_AK_ABSENT)
		return r;
	r = tpm_key_create(tpm, templates[type].bytes, templates[type].size, &key);
	if (r < 0)
		return r;
	r = tpm_key_persist(tpm, &key, handle);
	tpm_key_done(tpm, &key);
	return r;
}
