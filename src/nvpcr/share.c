/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An NvPCR of systemd's, initialised without the key that systemd wants for that.
 *
 * systemd writes an index first under a policy that a key has signed, and later as
 * everybody may; it takes the first policy's digest from a file and does not ask what
 * it is of.  So an index whose first write was guarded by our gate is as good to it, and
 * the gate guards it as it does our own.
 */
#include "nvpcr/private.h"

#include <errno.h>
#include <stdio.h>

/* What systemd's readers expect: no more than ours without NO_DA. */
#define ATTRIBUTES	(NVPCR_ATTRIBUTES & ~TPM_NV_NO_DA)

static void make_public(const struct nvpcr_def *def, const struct nvpcr_gate *gate,
			bool orderly, bool written, struct tpm_nv_public *ret)
{
	nvpcr_public(def, gate, orderly, written, ret);
	ret->attributes &= ~TPM_NV_NO_DA;
}

/**
 * nvpcr_share_is_ours() - whether an index is one of nvpcr_share()
 * @public: its public area
 * @gate:   the gate PCR, as it may have been then
 */
bool nvpcr_share_is_ours(const struct tpm_nv_public *public, const struct nvpcr_gate *gate)
{
	const struct nvpcr_def def = { .index = public->handle, .alg = DIGEST_SHA256 };
	struct tpm_nv_public expected;

	if (!(gate->banks & 1U << DIGEST_SHA256))
		return false;
	make_public(&def, gate, false, false, &expected);
	return (public->attributes & ~(TPM_NV_ORDERLY | TPM_NV_WRITTEN)) == ATTRIBUTES &&
	       public->name_alg == expected.name_alg &&
	       public->data_size == expected.data_size &&
	       digest_equal(&public->policy, &expected.policy);
}

static int define(struct tpm *tpm, const struct nvpcr_def *def, const struct nvpcr_gate *gate,
		  bool *ret_orderly, const char **ret_reason)
{
	int r = -EREMOTEIO;

	for (int orderly = def->orderly; r == -EREMOTEIO && orderly >= 0; orderly--) {
		struct tpm_nv_public public;

		make_public(def, gate, orderly, false, &public);
		r = tpm_nv_define(tpm, &public);
		*ret_orderly = orderly;
	}
	if (r != -EREMOTEIO)
		return r;
	*ret_reason = tpm_rc(tpm) == TPM_RC_CODE_NV_SPACE ? "nv-space" :
		      tpm_rc(tpm) == TPM_RC_CODE_OWNER_AUTH ? "owner-auth" : "define-refused";
	return 0;
}

/* An index that is there is taken only if it is unwritten and made by us before. */
static int find_index(struct tpm *tpm, const struct nvpcr_def *def,
		      const struct nvpcr_gate *gate, bool *ret_orderly,
		      const char **ret_reason)
{
	struct tpm_nv_public public;
	int r = tpm_nv_read_public(tpm, def->index, &public);

	if (r == TPM_ABSENT)
		return define(tpm, def, gate, ret_orderly, ret_reason);
	if (r < 0)
		return r;
	*ret_orderly = r == 0 && public.attributes & TPM_NV_ORDERLY;
	if (r > 0 || (public.attributes & ~(TPM_NV_ORDERLY | TPM_NV_WRITTEN)) != ATTRIBUTES)
		*ret_reason = "foreign-index";
	else if (public.attributes & TPM_NV_WRITTEN)
		*ret_reason = "index-written";
	else if (!nvpcr_share_is_ours(&public, gate))
		*ret_reason = "other-policy";
	return 0;
}

/* The first write, and a look at what became of it. */
static int genesis(struct tpm *tpm, const struct nvpcr_def *def,
		   const struct nvpcr_gate *gate, struct nvpcr_shared *ret)
{
	struct digest zero, value;
	struct tpm_policy policy;
	int r;

	digest_zero(DIGEST_SHA256, &zero);
	digest_zero(DIGEST_SHA256, &ret->value);
	digest_extend(&ret->value, &zero);
	nvpcr_policy(def, gate, TPM_BRANCH_PCR, &policy);
	ret->branch = policy.a;
	r = tpm_nv_extend(tpm, def->index, &policy, &zero);
	if (r == 0)
		r = tpm_nv_read(tpm, def->index, DIGEST_SHA256, &value);
	if (r > 0 || (r == 0 && !digest_equal(&value, &ret->value)))
		ret->reason = "value-differs";
	return r > 0 ? 0 : r;
}

/**
 * nvpcr_share() - define and initialise an index as systemd would, but under our gate
 * @tpm:  connection
 * @def:  systemd's definition, of sha256
 * @gate: the gate PCR, before the anchor
 * @ret:  what became of it
 *
 * An index that is there and is not an unwritten one of ours is left alone.
 *
 * Return: 0, also if it could not be; as every command if the TPM failed, but never
 * -EREMOTEIO.
 */
int nvpcr_share(struct tpm *tpm, const struct nvpcr_def *def, const struct nvpcr_gate *gate,
		struct nvpcr_shared *ret)
{
	struct tpm_nv_public public;
	bool orderly = false;
	int r;

	*ret = (struct nvpcr_shared){ .handle = def->index };
	if (!(gate->banks & 1U << DIGEST_SHA256)) {
		ret->reason = "no-sha256-bank";
		return 0;
	}
	r = find_index(tpm, def, gate, &orderly, &ret->reason);
	if (r == 0 && !ret->reason)
		r = genesis(tpm, def, gate, ret);
	if (r == -EREMOTEIO) {
		ret->reason = "refused";
		return 0;
	}
	make_public(def, gate, orderly, true, &public);
	(void)tpm_name_compute(&public, &ret->name);
	return r;
}
