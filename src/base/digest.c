/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hash algorithms, and digests that know which one made them.
 *
 * Pure.  One table carries everything that depends on the algorithm: its name in
 * the log, its TPM identifier, its size and its implementation in libnettle.
 */
#include "base/digest.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <nettle/nettle-meta.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include "base/cleanup.h"
#include "base/hex.h"

union digest_state {
	struct sha1_ctx sha1;
	struct sha256_ctx sha256;
	struct sha512_ctx sha512;	/* SHA-384 too */
};

static const struct {
	const char *name;
	uint16_t tpm_id;
	const struct nettle_hash *hash;
} algs[] = {
	[DIGEST_SHA1]	= { "sha1",   0x0004, &nettle_sha1 },
	[DIGEST_SHA256]	= { "sha256", 0x000b, &nettle_sha256 },
	[DIGEST_SHA384]	= { "sha384", 0x000c, &nettle_sha384 },
	[DIGEST_SHA512]	= { "sha512", 0x000d, &nettle_sha512 },
};
static_assert(ARRAY_SIZE(algs) == DIGEST_ALG_MAX, "a row for every algorithm");

/**
 * digest_alg_name() - the algorithm's name in logs and definition files
 *
 * Return: a static string such as "sha256".
 */
const char *digest_alg_name(enum digest_alg alg)
{
	return algs[alg].name;
}

/**
 * digest_alg_from_name() - find an algorithm by its name in lower case
 *
 * Return: the algorithm, or DIGEST_ALG_INVALID.
 */
enum digest_alg digest_alg_from_name(const char *name)
{
	for (int i = 0; i < DIGEST_ALG_MAX; i++)
		if (strcmp(name, algs[i].name) == 0)
			return i;
	return DIGEST_ALG_INVALID;
}

/**
 * digest_alg_tpm_id() - the algorithm's TPM_ALG_ID
 *
 * Spec: TCG Algorithm Registry, "TPM_ALG_ID"
 */
uint16_t digest_alg_tpm_id(enum digest_alg alg)
{
	return algs[alg].tpm_id;
}

/**
 * digest_alg_from_tpm_id() - find an algorithm by its TPM_ALG_ID
 *
 * Return: the algorithm, or DIGEST_ALG_INVALID.
 */
enum digest_alg digest_alg_from_tpm_id(uint16_t id)
{
	for (int i = 0; i < DIGEST_ALG_MAX; i++)
		if (algs[i].tpm_id == id)
			return i;
	return DIGEST_ALG_INVALID;
}

/**
 * digest_size() - size in bytes of the algorithm's digests
 */
size_t digest_size(enum digest_alg alg)
{
	return algs[alg].hash->digest_size;
}

/**
 * digest_compute_parts() - hash several runs of octets as if they were one
 * @alg:     algorithm
 * @parts:   borrowed for the call
 * @n_parts: how many
 * @ret:     the digest
 */
void digest_compute_parts(enum digest_alg alg, const struct digest_part *parts,
			  size_t n_parts, struct digest *ret)
{
	const struct nettle_hash *hash = algs[alg].hash;
	union digest_state state;
	struct digest digest = { .alg = alg };

	assert(hash->context_size <= sizeof(state));
	hash->init(&state);
	for (size_t i = 0; i < n_parts; i++)
		hash->update(&state, parts[i].size, parts[i].data);
	hash->digest(&state, hash->digest_size, digest.bytes);
	*ret = digest;
}

/**
 * digest_compute() - hash one run of octets
 * @alg:  algorithm
 * @data: borrowed for the call
 * @size: of @data in bytes
 * @ret:  the digest
 */
void digest_compute(enum digest_alg alg, const void *data, size_t size,
		    struct digest *ret)
{
	digest_compute_parts(alg, &(struct digest_part){ data, size }, 1, ret);
}

/**
 * digest_zero() - the value a PCR and an NvPCR start from: all octets zero
 */
void digest_zero(enum digest_alg alg, struct digest *ret)
{
	*ret = (struct digest){ .alg = alg };
}

/**
 * digest_extend() - fold a digest into a value the way a PCR does
 * @value: becomes H(@value || @data), H being the algorithm of @value
 * @data:  borrowed for the call
 *
 * Spec: TCG TPM 2.0 Library, Part 1, "Extend of a PCR"; Part 3, "TPM2_NV_Extend"
 */
void digest_extend(struct digest *value, const struct digest *data)
{
	const struct digest_part parts[] = {
		{ value->bytes, digest_size(value->alg) },
		{ data->bytes, digest_size(data->alg) },
	};

	digest_compute_parts(value->alg, parts, ARRAY_SIZE(parts), value);
}

/**
 * digest_equal() - whether two digests have the same algorithm and the same value
 */
bool digest_equal(const struct digest *a, const struct digest *b)
{
	return a->alg == b->alg && memcmp(a->bytes, b->bytes, digest_size(a->alg)) == 0;
}

/**
 * digest_to_hex() - write a digest in lower case hexadecimal
 */
void digest_to_hex(const struct digest *digest, char ret[static DIGEST_HEX_MAX])
{
	hex_encode(digest->bytes, digest_size(digest->alg), ret);
}

/**
 * digest_from_hex() - read a digest written in hexadecimal
 * @alg: algorithm, which decides how long @hex must be
 * @hex: upper and lower case are both taken
 * @ret: the digest
 *
 * Return: 0; -EBADMSG if @hex is no hexadecimal or has another length.
 */
int digest_from_hex(enum digest_alg alg, const char *hex, struct digest *ret)
{
	struct digest digest = { .alg = alg };
	size_t size;
	int r;

	r = hex_decode(hex, digest.bytes, sizeof(digest.bytes), &size);
	if (r < 0)
		return r;
	if (size != digest_size(alg))
		return -EBADMSG;
	*ret = digest;
	return 0;
}
