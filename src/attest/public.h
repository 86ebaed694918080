/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ATTEST_PUBLIC_H
#define ATTEST_PUBLIC_H

/* Public keys of a TPM; part of the door. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tpm/tpm.h"

#define ATTEST_EC_SIZE		32	/* bytes of a coordinate: NIST P-256 */
#define ATTEST_RSA_SIZE		256	/* bytes of a modulus */
#define ATTEST_PEM_MAX		512	/* bytes, with NUL */

/* TPMA_OBJECT.  Spec: Part 2, "TPMA_OBJECT" */
#define ATTEST_KEY_FIXED_TPM	0x00000002u
#define ATTEST_KEY_RESTRICTED	0x00010000u
#define ATTEST_KEY_DECRYPT	0x00020000u
#define ATTEST_KEY_SIGN		0x00040000u

enum attest_key_type {
	ATTEST_KEY_ECC,			/* NIST P-256 */
	ATTEST_KEY_RSA,			/* 2048 bits */
	ATTEST_KEY_MAX,
};

/**
 * struct attest_public - the public area of a key
 * @type:       of key
 * @attributes: TPMA_OBJECT
 * @fixed_size: how many octets of the TPM2B_PUBLIC come before the key itself, so that
 *              they are the same for all keys of a template
 * @x, @y:      of an ECC key
 * @modulus:    of an RSA key
 * @exponent:   of an RSA key
 */
struct attest_public {
	enum attest_key_type type;
	uint32_t attributes;
	size_t fixed_size;
	union {
		struct {
			uint8_t x[ATTEST_EC_SIZE];
			uint8_t y[ATTEST_EC_SIZE];
		};
		struct {
			uint8_t modulus[ATTEST_RSA_SIZE];
			uint32_t exponent;
		};
	};
};

const char *attest_key_type_name(enum attest_key_type type);
int attest_public_parse(const uint8_t *data, size_t size, struct attest_public *ret);
void attest_public_name(const uint8_t *data, size_t size, struct tpm_name *ret);
void attest_public_pem(const struct attest_public *public, char ret[static ATTEST_PEM_MAX]);

#endif /* ATTEST_PUBLIC_H */
