/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The endorsement key, and the certificate of it that the TPM's maker has left.
 *
 * Spec: TCG EK Credential Profile for TPM Family 2.0, templates L-1 and L-2
 */
#include "attest/ak.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

#define ECC_FIXED_SIZE	56	/* octets of a template before the key's own */
#define RSA_FIXED_SIZE	58
#define DER_SEQUENCE	0x30
#define DER_TWO_OCTETS	0x82	/* the length follows in so many */

/*
 * TPM2B_PUBLIC: fixedTPM, fixedParent, sensitiveDataOrigin, adminWithPolicy, restricted,
 * decrypt; SHA-256; PolicySecret of the endorsement hierarchy; AES-128 in mode CFB; the
 * key itself zeros.
 */
#define EK_COMMON									\
	0x00, 0x0b, 0x00, 0x03, 0x00, 0xb2, 0x00, 0x20, 0x83, 0x71, 0x97, 0x67, 0x44, 0x84,	\
	0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e,	\
	0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa, 0x00, 0x06,	\
	0x00, 0x80, 0x00, 0x43, 0x00, 0x10

static const uint8_t ecc_template[ECC_FIXED_SIZE + 2 * (2 + ATTEST_EC_SIZE)] = {
	0x00, 0x7a, 0x00, 0x23, EK_COMMON, 0x00, 0x03, 0x00, 0x10,
	[ECC_FIXED_SIZE] = 0x00, 0x20,
	[ECC_FIXED_SIZE + 2 + ATTEST_EC_SIZE] = 0x00, 0x20,
};
static const uint8_t rsa_template[RSA_FIXED_SIZE + 2 + ATTEST_RSA_SIZE] = {
	0x01, 0x3a, 0x00, 0x01, EK_COMMON, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
	[RSA_FIXED_SIZE] = 0x01, 0x00,
};

static const struct {
	uint32_t handle;
	enum attest_key_type type;
} certificates[] = {
	{ 0x01c00002, ATTEST_KEY_RSA },
	{ 0x01c0000a, ATTEST_KEY_ECC },
};

/* Some indices are larger than what is in them. */
static size_t der_size(const uint8_t *der, size_t size)
{
	size_t said;

	if (size < 4 || der[0] != DER_SEQUENCE || der[1] != DER_TWO_OCTETS)
		return 0;
	said = 4 + ((size_t)der[2] << 8 | der[3]);
	return said <= size ? said : 0;
}

/**
 * attest_ek_certificate() - read the certificate of the endorsement key
 * @tpm: connection
 * @ret: the certificate; none if the TPM has none, or one that cannot be read
 *
 * Return: 0; otherwise as every command.
 */
int attest_ek_certificate(struct tpm *tpm, struct attest_certificate *ret)
{
	*ret = (struct attest_certificate){ .type = ATTEST_KEY_ECC };
	for (size_t i = 0; i < ARRAY_SIZE(certificates) && !ret->size; i++) {
		int r = tpm_nv_read_data(tpm, certificates[i].handle, ret->der,
					 sizeof(ret->der), &ret->size);

		if (r < 0 && r != -EREMOTEIO && r != -EMSGSIZE)
			return r;
		ret->type = certificates[i].type;
		ret->size = r == 0 ? der_size(ret->der, ret->size) : 0;
	}
	if (!ret->size)
		ret->type = ATTEST_KEY_ECC;
	return 0;
}

/**
 * attest_ek_create() - have the TPM derive its endorsement key
 * @tpm:  connection
 * @type: of key
 * @ret:  the key, for tpm_key_done()
 *
 * Return: 0; otherwise as every command.
 */
int attest_ek_create(struct tpm *tpm, enum attest_key_type type, struct tpm_key *ret)
{
	if (type == ATTEST_KEY_RSA)
		return tpm_key_create(tpm, rsa_template, sizeof(rsa_template), ret);
	return tpm_key_create(tpm, ecc_template, sizeof(ecc_template), ret);
}
