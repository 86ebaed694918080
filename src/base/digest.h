/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

/* Hash algorithms, and digests that know which one made them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE_MAX		64	/* bytes: SHA-512 */
#define DIGEST_HEX_MAX		(2 * DIGEST_SIZE_MAX + 1)

/* In the order of the TPM's algorithm identifiers. */
enum digest_alg {
	DIGEST_SHA1,
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512,
	DIGEST_ALG_MAX,
	DIGEST_ALG_INVALID = -22,	/* -EINVAL */
};

/**
 * struct digest - a hash value
 * @alg:   which algorithm made it, and so how many of @bytes count
 * @bytes: the value; octets from digest_size(@alg) on are zero
 */
struct digest {
	enum digest_alg alg;
	uint8_t bytes[DIGEST_SIZE_MAX];
};

/* A run of octets to hash; several of them are hashed as if they were one. */
struct digest_part {
	const void *data;
	size_t size;
};

const char *digest_alg_name(enum digest_alg alg);
enum digest_alg digest_alg_from_name(const char *name);
uint16_t digest_alg_tpm_id(enum digest_alg alg);
enum digest_alg digest_alg_from_tpm_id(uint16_t id);
size_t digest_size(enum digest_alg alg);

void digest_compute_parts(enum digest_alg alg, const struct digest_part *parts,
			  size_t n_parts, struct digest *ret);
void digest_compute(enum digest_alg alg, const void *data, size_t size,
		    struct digest *ret);
void digest_zero(enum digest_alg alg, struct digest *ret);
void digest_extend(struct digest *value, const struct digest *data);
bool digest_equal(const struct digest *a, const struct digest *b);
void digest_to_hex(const struct digest *digest, char ret[static DIGEST_HEX_MAX]);
int digest_from_hex(enum digest_alg alg, const char *hex, struct digest *ret);

#endif /* BASE_DIGEST_H */
