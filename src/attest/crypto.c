/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verifying signatures, with libmbedcrypto.  Pure.
 *
 * The TPM library needs that one already, in the static binary, and of it the same
 * parts: numbers, curves and RSA.  Its layer of keys, mbedtls_pk_*, would bring every
 * operation of every kind of key along.
 */
#include "attest/crypto.h"

#include <errno.h>

#include <mbedtls/ecdsa.h>
#include <mbedtls/rsa.h>
#include <mbedtls/version.h>

#include "base/cleanup.h"

static const mbedtls_md_type_t digests[] = {
	[DIGEST_SHA1] = MBEDTLS_MD_NONE,	/* not for signatures any more */
	[DIGEST_SHA256] = MBEDTLS_MD_SHA256,
	[DIGEST_SHA384] = MBEDTLS_MD_SHA384,
	[DIGEST_SHA512] = MBEDTLS_MD_SHA512,
};

/* Version 2 of the library asks for more, all of it for private keys. */
#if MBEDTLS_VERSION_MAJOR < 3
#define rsa_init(rsa)		mbedtls_rsa_init(rsa, MBEDTLS_RSA_PKCS_V15, MBEDTLS_MD_NONE)
#define rsa_set_padding(rsa, padding, md) \
	(mbedtls_rsa_set_padding(rsa, padding, md), 0)
#define rsa_verify(rsa, ...) \
	mbedtls_rsa_pkcs1_verify(rsa, NULL, NULL, MBEDTLS_RSA_PUBLIC, __VA_ARGS__)
#else
#define rsa_init		mbedtls_rsa_init
#define rsa_set_padding		mbedtls_rsa_set_padding
#define rsa_verify		mbedtls_rsa_pkcs1_verify
#endif

static int verify_rsa(const struct attest_crypto_key *key,
		      const struct attest_crypto_signature *signature,
		      const struct digest *digest)
{
	_cleanup_(mbedtls_rsa_free) mbedtls_rsa_context rsa;
	mbedtls_md_type_t md = digests[digest->alg];
	int padding = signature->scheme == ATTEST_SCHEME_RSAPSS ? MBEDTLS_RSA_PKCS_V21
								: MBEDTLS_RSA_PKCS_V15;

	rsa_init(&rsa);
	if (rsa_set_padding(&rsa, padding, md) != 0 ||
	    mbedtls_rsa_import_raw(&rsa, key->n, key->n_size, NULL, 0, NULL, 0, NULL, 0,
				   key->e, key->e_size) != 0 ||
	    mbedtls_rsa_complete(&rsa) != 0 || mbedtls_rsa_check_pubkey(&rsa) != 0 ||
	    mbedtls_rsa_get_len(&rsa) != signature->r_size)
		return -EBADMSG;
	return rsa_verify(&rsa, md, (unsigned int)digest_size(digest->alg), digest->bytes,
			  signature->r) == 0 ? 0 : -EBADMSG;
}

static int verify_ecdsa(const struct attest_crypto_key *key,
			const struct attest_crypto_signature *signature,
			const struct digest *digest)
{
	_cleanup_(mbedtls_ecp_group_free) mbedtls_ecp_group group;
	_cleanup_(mbedtls_ecp_point_free) mbedtls_ecp_point point;
	_cleanup_(mbedtls_mpi_free) mbedtls_mpi r, s;
	mbedtls_ecp_group_id curve = key->type == ATTEST_CRYPTO_P256 ? MBEDTLS_ECP_DP_SECP256R1
								  : MBEDTLS_ECP_DP_SECP384R1;

	mbedtls_ecp_group_init(&group);
	mbedtls_ecp_point_init(&point);
	mbedtls_mpi_init(&r);
	mbedtls_mpi_init(&s);
	if (mbedtls_ecp_group_load(&group, curve) != 0 ||
	    mbedtls_ecp_point_read_binary(&group, &point, key->n, key->n_size) != 0 ||
	    mbedtls_ecp_check_pubkey(&group, &point) != 0 ||
	    mbedtls_mpi_read_binary(&r, signature->r, signature->r_size) != 0 ||
	    mbedtls_mpi_read_binary(&s, signature->s, signature->s_size) != 0)
		return -EBADMSG;
	return mbedtls_ecdsa_verify(&group, digest->bytes, digest_size(digest->alg), &point,
				    &r, &s) == 0 ? 0 : -EBADMSG;
}

/**
 * attest_crypto_verify() - whether a signature is by a key
 * @key:       public key
 * @signature: of @digest
 * @digest:    of what was signed
 *
 * Return: 0; -EBADMSG if it is not, or not of a kind that counts.
 */
int attest_crypto_verify(const struct attest_crypto_key *key,
			 const struct attest_crypto_signature *signature,
			 const struct digest *digest)
{
	bool is_ecdsa = signature->scheme == ATTEST_SCHEME_ECDSA;

	if (digests[digest->alg] == MBEDTLS_MD_NONE ||
	    is_ecdsa != (key->type != ATTEST_CRYPTO_RSA))
		return -EBADMSG;
	return is_ecdsa ? verify_ecdsa(key, signature, digest)
			: verify_rsa(key, signature, digest);
}
