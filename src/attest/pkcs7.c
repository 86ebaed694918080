/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signatures of images: PKCS #7, detached, as the kernel takes them for dm-verity.  Pure.
 *
 * Whether a certificate is good is not asked: those that count are named by the
 * verifier's policy, as the kernel has them in a keyring.  So of a certificate only its
 * key is wanted, and of a signature only what the signers signed and how; certificates
 * and revocation lists that come along are passed over.  Signed attributes are not
 * taken: signatures for the kernel are made without.
 *
 * Spec: RFC 2315; RFC 5280
 */
#include "attest/crypto.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <mbedtls/asn1.h>

#include "base/cleanup.h"

#define SEQUENCE	(MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE)
#define SET		(MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SET)
#define CONTEXT(n)	(MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_CONTEXT_SPECIFIC | (n))

#define OID_SIGNED_DATA		"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
#define OID_RSA			"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define OID_EC			"\x2a\x86\x48\xce\x3d\x02\x01"
#define OID_P256		"\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define OID_P384		"\x2b\x81\x04\x00\x22"
#define OID_SHA			"\x60\x86\x48\x01\x65\x03\x04\x02"	/* and 1, 2 or 3 */

/* What is left of a value of ASN.1. */
struct der {
	unsigned char *p;
	const unsigned char *end;
};

/* Enters the next value, which must be of this kind. */
static bool enter(struct der *der, int tag, struct der *ret)
{
	size_t size;

	if (mbedtls_asn1_get_tag(&der->p, der->end, &size, tag) != 0)
		return false;
	*ret = (struct der){ der->p, der->p + size };
	der->p += size;
	return true;
}

static bool skip(struct der *der, int tag)
{
	struct der ignored;

	return enter(der, tag, &ignored);
}

static bool next_is(const struct der *der, int tag)
{
	return der->p < der->end && *der->p == tag;
}

static bool skip_optional(struct der *der, int tag)
{
	return !next_is(der, tag) || skip(der, tag);
}

static bool is_octets(const struct der *der, const char *wanted, size_t size)
{
	return (size_t)(der->end - der->p) == size && memcmp(der->p, wanted, size) == 0;
}

#define is_oid(der, oid)	is_octets(der, oid, sizeof(oid) - 1)

/* Takes a natural number without its leading zeros. */
static bool take_number(struct der *der, struct der *ret)
{
	if (!enter(der, MBEDTLS_ASN1_INTEGER, ret))
		return false;
	while (ret->p < ret->end && *ret->p == 0)
		ret->p++;
	return true;
}

static bool copy(const struct der *from, uint8_t *ret, size_t max, size_t *ret_size)
{
	*ret_size = (size_t)(from->end - from->p);
	if (*ret_size == 0 || *ret_size > max)
		return false;
	memcpy(ret, from->p, *ret_size);
	return true;
}

static bool take_rsa_key(struct der bits, struct attest_crypto_key *ret)
{
	struct der key, n, e;

	ret->type = ATTEST_CRYPTO_RSA;
	return enter(&bits, SEQUENCE, &key) && take_number(&key, &n) &&
	       take_number(&key, &e) && copy(&n, ret->n, sizeof(ret->n), &ret->n_size) &&
	       ret->n_size >= 256 && copy(&e, ret->e, sizeof(ret->e), &ret->e_size);
}

static bool take_ec_key(struct der *algorithm, struct der bits,
			struct attest_crypto_key *ret)
{
	struct der curve;

	if (!enter(algorithm, MBEDTLS_ASN1_OID, &curve) ||
	    (!is_oid(&curve, OID_P256) && !is_oid(&curve, OID_P384)))
		return false;
	ret->type = is_oid(&curve, OID_P384) ? ATTEST_CRYPTO_P384 : ATTEST_CRYPTO_P256;
	return copy(&bits, ret->n, sizeof(ret->n), &ret->n_size);
}

/* SubjectPublicKeyInfo */
static bool take_key(struct der *der, struct attest_crypto_key *ret)
{
	struct der info, algorithm, oid, bits;

	if (!enter(der, SEQUENCE, &info) || !enter(&info, SEQUENCE, &algorithm) ||
	    !enter(&algorithm, MBEDTLS_ASN1_OID, &oid) ||
	    !enter(&info, MBEDTLS_ASN1_BIT_STRING, &bits) || bits.p == bits.end ||
	    *bits.p++ != 0)
		return false;
	if (is_oid(&oid, OID_RSA))
		return take_rsa_key(bits, ret);
	return is_oid(&oid, OID_EC) && take_ec_key(&algorithm, bits, ret);
}

/**
 * attest_pkcs7_certificate() - the public key in a certificate
 * @der:  X.509, DER
 * @size: of @der in bytes
 * @ret:  RSA of 2048 to 4096 bits, P-256 or P-384
 *
 * Return: 0; -EBADMSG if it is no certificate, or has another kind of key.
 */
int attest_pkcs7_certificate(const uint8_t *der, size_t size,
			     struct attest_crypto_key *ret)
{
	struct der all = { (unsigned char *)der, der + size }, certificate, body;

	if (!enter(&all, SEQUENCE, &certificate) || all.p != all.end ||
	    !enter(&certificate, SEQUENCE, &body) ||
	    !skip_optional(&body, CONTEXT(0)) ||		/* version */
	    !skip(&body, MBEDTLS_ASN1_INTEGER) ||		/* serialNumber */
	    !skip(&body, SEQUENCE) ||				/* signature */
	    !skip(&body, SEQUENCE) ||				/* issuer */
	    !skip(&body, SEQUENCE) ||				/* validity */
	    !skip(&body, SEQUENCE) ||				/* subject */
	    !take_key(&body, ret))
		return -EBADMSG;
	return 0;
}

static bool take_digest_alg(struct der *der, enum digest_alg *ret)
{
	static const enum digest_alg algs[] = { DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };
	struct der algorithm, oid;
	unsigned int last;

	if (!enter(der, SEQUENCE, &algorithm) || !enter(&algorithm, MBEDTLS_ASN1_OID, &oid) ||
	    oid.p == oid.end)
		return false;
	last = *--oid.end;
	if (!is_oid(&oid, OID_SHA) || last < 1 || last > ARRAY_SIZE(algs))
		return false;
	*ret = algs[last - 1];
	return true;
}

/* Whether what a SignerInfo holds is a signature by @key. */
static bool is_by(const struct attest_crypto_key *key, struct der bytes,
		  const struct digest *digest)
{
	struct attest_crypto_signature signature = {
		.scheme = ATTEST_SCHEME_RSASSA,
		.r = bytes.p,
		.r_size = (size_t)(bytes.end - bytes.p),
	};

	if (key->type != ATTEST_CRYPTO_RSA) {
		struct der numbers, r, s;

		if (!enter(&bytes, SEQUENCE, &numbers) || bytes.p != bytes.end ||
		    !take_number(&numbers, &r) || !take_number(&numbers, &s))
			return false;
		signature = (struct attest_crypto_signature){
			.scheme = ATTEST_SCHEME_ECDSA,
			.r = r.p, .r_size = (size_t)(r.end - r.p),
			.s = s.p, .s_size = (size_t)(s.end - s.p),
		};
	}
	return attest_crypto_verify(key, &signature, digest) == 0;
}

/* SignerInfo; false if it cannot be read. */
static bool check_signer(struct der *signers, const void *content, size_t content_size,
			 const struct attest_crypto_key *keys, size_t n_keys, bool *ret_good)
{
	struct der signer, bytes;
	enum digest_alg alg;
	struct digest digest;

	if (!enter(signers, SEQUENCE, &signer) ||
	    !skip(&signer, MBEDTLS_ASN1_INTEGER) ||		/* version */
	    !skip(&signer, SEQUENCE) ||				/* issuerAndSerialNumber */
	    !take_digest_alg(&signer, &alg) ||
	    next_is(&signer, CONTEXT(0)) ||			/* authenticatedAttributes */
	    !skip(&signer, SEQUENCE) ||				/* digestEncryptionAlgorithm */
	    !enter(&signer, MBEDTLS_ASN1_OCTET_STRING, &bytes))
		return false;
	digest_compute(alg, content, content_size, &digest);
	for (size_t i = 0; i < n_keys && !*ret_good; i++)
		*ret_good = is_by(&keys[i], bytes, &digest);
	return true;
}

/* The SET OF SignerInfo in a ContentInfo of type signedData without content. */
static bool find_signers(struct der all, struct der *ret)
{
	struct der info, type, explicit, data, content;

	return enter(&all, SEQUENCE, &info) && all.p == all.end &&
	       enter(&info, MBEDTLS_ASN1_OID, &type) && is_oid(&type, OID_SIGNED_DATA) &&
	       enter(&info, CONTEXT(0), &explicit) && enter(&explicit, SEQUENCE, &data) &&
	       skip(&data, MBEDTLS_ASN1_INTEGER) &&		/* version */
	       skip(&data, SET) &&				/* digestAlgorithms */
	       enter(&data, SEQUENCE, &content) &&
	       skip(&content, MBEDTLS_ASN1_OID) && content.p == content.end &&
	       skip_optional(&data, CONTEXT(0)) &&		/* certificates */
	       skip_optional(&data, CONTEXT(1)) &&		/* crls */
	       enter(&data, SET, ret) && data.p == data.end;
}

/**
 * attest_pkcs7_verify() - whether one of some keys signed something
 * @der:          a PKCS #7 SignedData without its content, DER
 * @size:         of @der in bytes
 * @content:      what was signed
 * @content_size: of @content in bytes
 * @keys:         those that count
 * @n_keys:       how many
 *
 * Return: 0; -EKEYREJECTED if none of them did; -EBADMSG if it cannot be read.
 */
int attest_pkcs7_verify(const uint8_t *der, size_t size, const void *content,
			size_t content_size, const struct attest_crypto_key *keys,
			size_t n_keys)
{
	struct der signers;
	bool good = false;

	if (!find_signers((struct der){ (unsigned char *)der, der + size }, &signers))
		return -EBADMSG;
	while (signers.p < signers.end)
		if (!check_signer(&signers, content, content_size, keys, n_keys, &good))
			return -EBADMSG;
	return good ? 0 : -EKEYREJECTED;
}
