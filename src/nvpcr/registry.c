/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cleaning up: which of the TPM's indices are ours, and deleting those.
 *
 * An index is ours if its attributes, algorithm and size are those that
 * nvpcr_public() gives, whatever its policy and its handle: so indices of older
 * definitions and of other gate values are found too.
 */
#include "nvpcr/private.h"

#include <errno.h>

#include "base/cleanup.h"

#define INDICES_MAX	1024	/* that are looked at */

static bool is_ours(const struct tpm_nv_public *public)
{
	return (public->attributes & ~(TPM_NV_ORDERLY | TPM_NV_WRITTEN)) ==
		       NVPCR_ATTRIBUTES &&
	       (public->name_alg == DIGEST_SHA256 || public->name_alg == DIGEST_SHA384) &&
	       public->data_size == digest_size(public->name_alg);
}

/**
 * nvpcr_registry_list() - list the indices of the TPM that are ours
 * @tpm:   connection
 * @ret:   their handles, ascending; what does not fit is left out
 * @max:   room in @ret
 * @ret_n: how many there are in @ret
 *
 * Return: 0; -ENOMEM; otherwise as every command.
 */
int nvpcr_registry_list(struct tpm *tpm, uint32_t *ret, size_t max, size_t *ret_n)
{
	_cleanup_free_ uint32_t *handles = calloc(INDICES_MAX, sizeof(*handles));
	struct tpm_nv_public public;
	size_t n_handles, n = 0;
	int r;

	if (!handles)
		return -ENOMEM;
	r = tpm_nv_list(tpm, handles, INDICES_MAX, &n_handles);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_handles && n < max; i++) {
		r = tpm_nv_read_public(tpm, handles[i], &public);
		if (r < 0 && r != -EREMOTEIO)
			return r;
		if (r == 0 && is_ours(&public))
			ret[n++] = handles[i];
	}
	*ret_n = n;
	return 0;
}

/**
 * nvpcr_registry_undefine() - delete an index, if it is ours
 * @tpm:       connection
 * @handle:    of the index
 * @force:     also if it was written in this boot
 * @ret_owner: with NVPCR_FOREIGN, whose it looks like
 *
 * The TPM itself tells whether an index is in use: WRITTEN is cleared by each reset.
 *
 * Return: 0; NVPCR_ABSENT, NVPCR_FOREIGN or NVPCR_IN_USE; otherwise as every command.
 */
int nvpcr_registry_undefine(struct tpm *tpm, uint32_t handle, bool force,
			    char ret_owner[static NVPCR_OWNER_MAX])
{
	struct tpm_nv_public public;
	int r;

	r = tpm_nv_read_public(tpm, handle, &public);
	if (r == TPM_ABSENT)
		return NVPCR_ABSENT;
	if (r < 0)
		return r;
	if (r > 0) {
		(void)snprintf(ret_owner, NVPCR_OWNER_MAX, "an index of an unknown kind");
		return NVPCR_FOREIGN;
	}
	if (!is_ours(&public)) {
		nvpcr_owner_describe(&public, ret_owner);
		return NVPCR_FOREIGN;
	}
	if (public.attributes & TPM_NV_WRITTEN && !force)
		return NVPCR_IN_USE;
	r = tpm_nv_undefine(tpm, handle);
	return r > 0 ? (int)NVPCR_ABSENT : r;
}
