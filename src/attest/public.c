/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Public keys of a TPM: TPM2B_PUBLIC in, key, Name and PEM out.
 *
 * Pure.  Only the two kinds that attestation needs are understood, with a Name of
 * SHA-256.
 *
 * Spec: TCG TPM 2.0 Library, Part 2, "TPMT_PUBLIC"; RFC 5280, "SubjectPublicKeyInfo"
 */
#include "attest/public.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/cleanup.h"

/* TPM_ALG_ID and TPM_ECC_CURVE */
#define ALG_RSA		0x0001
#define ALG_SHA256	0x000b
#define ALG_NULL	0x0010
#define ALG_ECC		0x0023
#define CURVE_P256	0x0003

#define RSA_BITS	2048
#define RSA_EXPONENT	65537		/* where the public area says 0 */
#define PEM_LINE	64		/* characters */

/* SubjectPublicKeyInfo up to the point, and up to the modulus. */
static const uint8_t ecc_head[] = {
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
	0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
};
static const uint8_t rsa_head[] = {
	0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
	0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a,
	0x02, 0x82, 0x01, 0x01, 0x00,
};
static const uint8_t rsa_tail[] = { 0x02, 0x03, 0x01, 0x00, 0x01 };

static const char *const type_names[] = {
	[ATTEST_KEY_ECC] = "ecc",
	[ATTEST_KEY_RSA] = "rsa",
};
static_assert(ARRAY_SIZE(type_names) == ATTEST_KEY_MAX, "a name for every type");

/**
 * attest_key_type_name() - "ecc" or "rsa"
 */
const char *attest_key_type_name(enum attest_key_type type)
{
	return type_names[type];
}

/* A number of at most @size octets, filled up with zeros from the left. */
static void take_integer(struct bytes *reader, size_t size, uint8_t *ret)
{
	size_t given = bytes_take_be(reader, 2);
	const uint8_t *p = bytes_take(reader, given);

	if (!p || given > size) {
		reader->failed = true;
		return;
	}
	memset(ret, 0, size - given);
	memcpy(ret + size - given, p, given);
}

/* An algorithm, and what follows it if it is one. */
static void skip_scheme(struct bytes *reader, size_t details)
{
	if (bytes_take_be(reader, 2) != ALG_NULL)
		(void)bytes_take(reader, details);
}

static void take_rsa(struct bytes *reader, const uint8_t *data, struct attest_public *ret)
{
	if (bytes_take_be(reader, 2) != RSA_BITS)
		reader->failed = true;
	ret->exponent = bytes_take_be(reader, 4);
	if (!ret->exponent)
		ret->exponent = RSA_EXPONENT;
	ret->fixed_size = (size_t)(reader->p - data);
	take_integer(reader, ATTEST_RSA_SIZE, ret->modulus);
	if (ret->exponent != RSA_EXPONENT || !(ret->modulus[0] & 0x80))
		reader->failed = true;
}

static void take_ecc(struct bytes *reader, const uint8_t *data, struct attest_public *ret)
{
	if (bytes_take_be(reader, 2) != CURVE_P256)
		reader->failed = true;
	skip_scheme(reader, 2);			/* key derivation: a hash */
	ret->fixed_size = (size_t)(reader->p - data);
	take_integer(reader, ATTEST_EC_SIZE, ret->x);
	take_integer(reader, ATTEST_EC_SIZE, ret->y);
}

/**
 * attest_public_parse() - read the public area of a key
 * @data: TPM2B_PUBLIC
 * @size: of @data in bytes
 * @ret:  what it says
 *
 * Return: 0; -EBADMSG if it is none, or one of a key that is neither ECC with NIST P-256
 * nor RSA with 2048 bits and the exponent 65537.
 */
int attest_public_parse(const uint8_t *data, size_t size, struct attest_public *ret)
{
	struct bytes reader = { .p = data, .left = size };
	struct attest_public public = { 0 };
	uint32_t type = bytes_take_be(&reader, 2);	/* the size, at first */

	if (type != reader.left)
		return -EBADMSG;
	type = bytes_take_be(&reader, 2);
	if (bytes_take_be(&reader, 2) != ALG_SHA256)
		return -EBADMSG;
	public.attributes = bytes_take_be(&reader, 4);
	(void)bytes_take(&reader, bytes_take_be(&reader, 2));	/* policy */
	skip_scheme(&reader, 4);			/* symmetric: bits, mode */
	skip_scheme(&reader, 2);			/* signing: a hash */
	if (type == ALG_RSA)
		take_rsa(&reader, data, &public);
	else if (type == ALG_ECC)
		take_ecc(&reader, data, &public);
	else
		return -EBADMSG;
	public.type = type == ALG_RSA ? ATTEST_KEY_RSA : ATTEST_KEY_ECC;
	if (reader.failed || reader.left)
		return -EBADMSG;
	*ret = public;
	return 0;
}

/**
 * attest_public_name() - the Name of a key
 * @data: TPM2B_PUBLIC that attest_public_parse() has read
 * @size: of @data in bytes
 * @ret:  the Name
 *
 * Spec: TCG TPM 2.0 Library, Part 1, "Names"
 */
void attest_public_name(const uint8_t *data, size_t size, struct tpm_name *ret)
{
	struct digest digest;

	digest_compute(DIGEST_SHA256, data + 2, size - 2, &digest);
	*ret = (struct tpm_name){ .size = 2 + digest_size(DIGEST_SHA256) };
	ret->bytes[0] = ALG_SHA256 >> 8;
	ret->bytes[1] = ALG_SHA256 & 0xff;
	memcpy(ret->bytes + 2, digest.bytes, digest_size(DIGEST_SHA256));
}

static uint8_t *put(uint8_t *p, const void *data, size_t size)
{
	memcpy(p, data, size);
	return p + size;
}

/**
 * attest_public_pem() - write a key as other programs read it
 * @public: the key
 * @ret:    PEM of a SubjectPublicKeyInfo, as lines; terminated by NUL
 */
void attest_public_pem(const struct attest_public *public, char ret[static ATTEST_PEM_MAX])
{
	static const char head[] = "-----BEGIN PUBLIC KEY-----\n";
	static const char tail[] = "-----END PUBLIC KEY-----\n";
	uint8_t der[sizeof(rsa_head) + ATTEST_RSA_SIZE + sizeof(rsa_tail)], *p = der;
	char text[BASE64_LENGTH(sizeof(der)) + 1];
	size_t length;

	static_assert(sizeof(head) + sizeof(tail) + sizeof(text) + sizeof(text) / PEM_LINE + 1 <=
		      ATTEST_PEM_MAX, "room for the longest key");
	if (public->type == ATTEST_KEY_ECC) {
		p = put(p, ecc_head, sizeof(ecc_head));
		p = put(p, public->x, sizeof(public->x));
		p = put(p, public->y, sizeof(public->y));
	} else {
		p = put(p, rsa_head, sizeof(rsa_head));
		p = put(p, public->modulus, sizeof(public->modulus));
		p = put(p, rsa_tail, sizeof(rsa_tail));
	}
	base64_encode(der, (size_t)(p - der), text);
	ret = (char *)put((uint8_t *)ret, head, strlen(head));
	length = strlen(text);
	for (size_t i = 0; i < length; i += PEM_LINE) {
		size_t n = length - i < PEM_LINE ? length - i : PEM_LINE;

		ret = (char *)put((uint8_t *)ret, text + i, n);
		*ret++ = '\n';
	}
	memcpy(ret, tail, sizeof(tail));
}
