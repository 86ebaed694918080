/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of NV indices, computed without a TPM.  Pure. */
#include "tpm/tpm.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

static uint8_t *put_be16(uint8_t *p, uint16_t value)
{
	*p++ = (uint8_t)(value >> 8);
	*p++ = (uint8_t)value;
	return p;
}

static uint8_t *put_be32(uint8_t *p, uint32_t value)
{
	p = put_be16(p, (uint16_t)(value >> 16));
	return put_be16(p, (uint16_t)value);
}

/**
 * tpm_name_compute() - the Name that an index with this public area has
 *
 * Spec: TCG TPM 2.0 Library, Part 1, "Names"; Part 2, "TPMS_NV_PUBLIC"
 *
 * Return: 0; -EINVAL if the policy was not made with the algorithm of the Name.
 */
int tpm_name_compute(const struct tpm_nv_public *public, struct tpm_name *ret)
{
	size_t size = digest_size(public->name_alg);
	uint8_t area[16 + DIGEST_SIZE_MAX], *p = area;
	struct digest digest;

	if (public->policy.alg != public->name_alg)
		return -EINVAL;
	p = put_be32(p, public->handle);			/* nvIndex */
	p = put_be16(p, digest_alg_tpm_id(public->name_alg));	/* nameAlg */
	p = put_be32(p, public->attributes);			/* attributes */
	p = put_be16(p, (uint16_t)size);			/* authPolicy */
	memcpy(p, public->policy.bytes, size);
	p += size;
	p = put_be16(p, public->data_size);			/* dataSize */
	digest_compute(public->name_alg, area, (size_t)(p - area), &digest);

	memset(ret, 0, sizeof(*ret));
	p = put_be16(ret->bytes, digest_alg_tpm_id(public->name_alg));
	memcpy(p, digest.bytes, size);
	ret->size = 2 + size;
	return 0;
}

/**
 * tpm_name_equal() - whether two Names are the same
 */
bool tpm_name_equal(const struct tpm_name *a, const struct tpm_name *b)
{
	return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}
