/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ATTEST_CRYPTO_H
#define ATTEST_CRYPTO_H

/* Signatures, and who made them; no door. */
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

#define ATTEST_MODULUS_MAX	512	/* bytes: RSA of 4096 bits */
#define ATTEST_EXPONENT_MAX	8	/* bytes */

enum attest_crypto_type {
	ATTEST_CRYPTO_RSA,
	ATTEST_CRYPTO_P256,
	ATTEST_CRYPTO_P384,
};

/**
 * struct attest_crypto_key - a public key
 * @type: what it is
 * @n:    modulus, or 0x04 and the two coordinates of the point; big-endian
 * @e:    public exponent; RSA only
 */
struct attest_crypto_key {
	enum attest_crypto_type type;
	uint8_t n[ATTEST_MODULUS_MAX];
	size_t n_size;
	uint8_t e[ATTEST_EXPONENT_MAX];
	size_t e_size;
};

enum attest_scheme {
	ATTEST_SCHEME_ECDSA,
	ATTEST_SCHEME_RSASSA,		/* PKCS #1 v1.5 */
	ATTEST_SCHEME_RSAPSS,
};

/**
 * struct attest_crypto_signature - a signature
 * @scheme: how it was made
 * @r, @s:  ECDSA: the two numbers; RSA: the signature and nothing; borrowed, big-endian
 */
struct attest_crypto_signature {
	enum attest_scheme scheme;
	const uint8_t *r;
	size_t r_size;
	const uint8_t *s;
	size_t s_size;
};

int attest_crypto_verify(const struct attest_crypto_key *key,
			 const struct attest_crypto_signature *signature,
			 const struct digest *digest);

/* pkcs7.c */
int attest_pkcs7_certificate(const uint8_t *der, size_t size,
			     struct attest_crypto_key *ret);
int attest_pkcs7_verify(const uint8_t *der, size_t size, const void *content,
			size_t content_size, const struct attest_crypto_key *keys,
			size_t n_keys);

#endif /* ATTEST_CRYPTO_H */
