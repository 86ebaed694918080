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

#define DER_SEQUENCE	0x30
#define DER_TWO_OCTETS	0x82	/* the length follows in so many */

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
