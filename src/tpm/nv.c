/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NV indices.
 *
 * ESYS knows an index by an object that it makes from the index's public area.  The
 * objects are kept, so that a measurement does not read the public area again.  ESYS
 * sends a checksum over the Name along, so the TPM refuses to extend an index that has
 * meanwhile become another one; the object is forgotten then.
 */
#include "tpm/private.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define NAME_HEADER	2	/* octets: the algorithm's identifier */
#define CHUNK_SIZE	512	/* bytes that every TPM reads at once */

static struct tpm_nv_object *find_object(struct tpm *tpm, uint32_t handle)
{
	for (size_t i = 0; i < TPM_NV_OBJECTS_MAX; i++)
		if (tpm->nv_objects[i].handle == handle)
			return &tpm->nv_objects[i];
	return NULL;
}

static void forget_object(struct tpm *tpm, uint32_t handle)
{
	struct tpm_nv_object *object = find_object(tpm, handle);

	if (!object)
		return;
	(void)Esys_TR_Close(tpm->esys, &object->tr);
	object->handle = 0;
}

static void remember_object(struct tpm *tpm, uint32_t handle, ESYS_TR tr)
{
	struct tpm_nv_object *object = find_object(tpm, 0);

	if (!object) {
		object = &tpm->nv_objects[tpm->nv_next++ % TPM_NV_OBJECTS_MAX];
		(void)Esys_TR_Close(tpm->esys, &object->tr);
	}
	*object = (struct tpm_nv_object){ .handle = handle, .tr = tr };
}

/* One NV_ReadPublic inside. */
static int make_object(struct tpm *tpm, uint32_t handle, ESYS_TR *ret)
{
	ESYS_TR tr = ESYS_TR_NONE;
	int r;

	r = tpm_command_begin(tpm);
	if (r < 0)
		return r;
	forget_object(tpm, handle);
	r = tpm_command_end(tpm, Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE,
						       ESYS_TR_NONE, ESYS_TR_NONE, &tr));
	if (tpm_is_absent(tpm, r))
		return TPM_ABSENT;
	if (r < 0)
		return r;
	remember_object(tpm, handle, tr);
	*ret = tr;
	return 0;
}

/**
 * tpm_nv_object() - what ESYS knows an index by
 * @tpm:    connection
 * @handle: of the index
 * @ret:    borrowed from @tpm
 *
 * Return: 0; TPM_ABSENT; otherwise as every command.
 */
int tpm_nv_object(struct tpm *tpm, uint32_t handle, ESYS_TR *ret)
{
	struct tpm_nv_object *object = find_object(tpm, handle);

	if (!object)
		return make_object(tpm, handle, ret);
	*ret = object->tr;
	return 0;
}

/**
 * tpm_nv_find() - look whether an index exists, and what its Name is
 * @tpm:    connection
 * @handle: of the index
 * @ret:    its Name
 *
 * One command, TPM2_NV_ReadPublic.
 *
 * Return: 0; TPM_ABSENT; TPM_UNKNOWN_TYPE if its Name is none that we know; otherwise
 * as every command.
 */
int tpm_nv_find(struct tpm *tpm, uint32_t handle, struct tpm_name *ret)
{
	_cleanup_(tpm_esys_freep) TPM2B_NAME *name = NULL;
	ESYS_TR tr;
	int r;

	forget_object(tpm, handle);
	r = make_object(tpm, handle, &tr);
	if (r)
		return r;
	switch (Esys_TR_GetName(tpm->esys, tr, &name)) {
	case TSS2_RC_SUCCESS:
		break;
	case TSS2_ESYS_RC_MEMORY:
		return -ENOMEM;
	default:			/* ESYS lacks the algorithm */
		return TPM_UNKNOWN_TYPE;
	}
	if (name->size <= NAME_HEADER || name->size > TPM_NAME_MAX)
		return TPM_UNKNOWN_TYPE;
	*ret = (struct tpm_name){ .size = name->size };
	memcpy(ret->bytes, name->name, name->size);
	return 0;
}

/**
 * tpm_nv_list() - list the handles of all indices
 * @tpm:   connection
 * @ret:   handles, ascending
 * @max:   room in @ret; what does not fit is left out
 * @ret_n: how many there are in @ret
 *
 * One command for some hundred indices.
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_GetCapability"
 *
 * Return: 0; otherwise as every command.
 */
int tpm_nv_list(struct tpm *tpm, uint32_t *ret, size_t max, size_t *ret_n)
{
	uint32_t next = TPM2_NV_INDEX_FIRST;
	TPMI_YES_NO more = TPM2_YES;
	size_t n = 0;

	while (more && n < max) {
		_cleanup_(tpm_esys_freep) TPMS_CAPABILITY_DATA *data = NULL;
		const TPML_HANDLE *list;
		int r;

		r = tpm_command_begin(tpm);
		if (r < 0)
			return r;
		r = tpm_command_end(tpm, Esys_GetCapability(
			tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
			TPM2_CAP_HANDLES, next, TPM2_MAX_CAP_HANDLES, &more, &data));
		if (r < 0)
			return r;
		list = &data->data.handles;
		if (data->capability != TPM2_CAP_HANDLES || (more && !list->count))
			return -EBADMSG;
		for (size_t i = 0; i < list->count && n < max; i++) {
			if (list->handle[i] < next)
				return -EBADMSG;
			ret[n++] = list->handle[i];
			next = list->handle[i] + 1;
		}
	}
	*ret_n = n;
	return 0;
}

/**
 * tpm_nv_octets() - read the public area of an index as the TPM has it
 * @tpm:        connection
 * @handle:     of the index
 * @ret_public: TPM2B_NV_PUBLIC
 * @ret_name:   its Name
 *
 * One command, TPM2_NV_ReadPublic.
 *
 * Return: as tpm_nv_find().
 */
int tpm_nv_octets(struct tpm *tpm, uint32_t handle, struct tpm_octets *ret_public,
		  struct tpm_name *ret_name)
{
	int r = tpm_nv_find(tpm, handle, ret_name);

	return r ? r : tpm_answer_2b(tpm, TPM_ANSWER_BARE, 0, ret_public);
}

static int from_esys(const TPMS_NV_PUBLIC *area, struct tpm_nv_public *ret)
{
	enum digest_alg alg = digest_alg_from_tpm_id(area->nameAlg);

	if (alg < 0)
		return TPM_UNKNOWN_TYPE;
	*ret = (struct tpm_nv_public){
		.handle = area->nvIndex,
		.name_alg = alg,
		.attributes = area->attributes,
		.policy = { .alg = alg },
		.data_size = area->dataSize,
	};
	if (area->authPolicy.size != 0 && area->authPolicy.size != digest_size(alg))
		return TPM_UNKNOWN_TYPE;
	memcpy(ret->policy.bytes, area->authPolicy.buffer, area->authPolicy.size);
	return 0;
}

/**
 * tpm_nv_read_public() - read the public area of an index
 * @tpm:    connection
 * @handle: of the index
 * @ret:    the public area; a policy of all zeros if the index has none
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_NV_ReadPublic"
 *
 * Return: 0; TPM_ABSENT; TPM_UNKNOWN_TYPE; otherwise as every command.
 */
int tpm_nv_read_public(struct tpm *tpm, uint32_t handle, struct tpm_nv_public *ret)
{
	_cleanup_(tpm_esys_freep) TPM2B_NV_PUBLIC *area = NULL;
	ESYS_TR tr;
	int r;

	r = tpm_nv_object(tpm, handle, &tr);
	if (r)
		return r;
	r = tpm_command_begin(tpm);
	if (r < 0)
		return r;
	r = tpm_command_end(tpm, Esys_NV_ReadPublic(tpm->esys, tr, ESYS_TR_NONE,
						    ESYS_TR_NONE, ESYS_TR_NONE, &area,
						    /* nvName= */ NULL));
	if (tpm_is_absent(tpm, r))
		return TPM_ABSENT;
	return r < 0 ? r : from_esys(&area->nvPublic, ret);
}

/**
 * tpm_nv_define() - create an index, under the owner's authorization
 * @tpm:    connection
 * @public: what it shall be; its own authorization value is empty
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_NV_DefineSpace"
 *
 * Return: 0; -EINVAL if the policy's algorithm is another than the Name's; otherwise
 * as every command.
 */
int tpm_nv_define(struct tpm *tpm, const struct tpm_nv_public *public)
{
	size_t size = digest_size(public->policy.alg);
	TPM2B_NV_PUBLIC area = { .nvPublic = {
		.nvIndex = public->handle,
		.nameAlg = digest_alg_tpm_id(public->name_alg),
		.attributes = public->attributes,
		.authPolicy = { .size = (UINT16)size },
		.dataSize = public->data_size,
	} };
	ESYS_TR tr = ESYS_TR_NONE;
	int r;

	if (public->policy.alg != public->name_alg)
		return -EINVAL;
	memcpy(area.nvPublic.authPolicy.buffer, public->policy.bytes, size);
	r = tpm_command_begin(tpm);
	if (r < 0)
		return r;
	forget_object(tpm, public->handle);
	r = tpm_command_end(tpm, Esys_NV_DefineSpace(tpm->esys, ESYS_TR_RH_OWNER,
						     ESYS_TR_PASSWORD, ESYS_TR_NONE,
						     ESYS_TR_NONE, /* auth= */ NULL,
						     &area, &tr));
	if (r < 0)
		return r;
	remember_object(tpm, public->handle, tr);
	return 0;
}

/**
 * tpm_nv_undefine() - delete an index, under the owner's authorization
 * @tpm:    connection
 * @handle: of the index
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_NV_UndefineSpace"
 *
 * Return: 0; TPM_ABSENT; otherwise as every command.
 */
int tpm_nv_undefine(struct tpm *tpm, uint32_t handle)
{
	ESYS_TR tr;
	int r;

	r = tpm_nv_object(tpm, handle, &tr);
	if (r)
		return r;
	r = tpm_command_begin(tpm);
	if (r < 0)
		return r;
	r = tpm_command_end(tpm, Esys_NV_UndefineSpace(tpm->esys, ESYS_TR_RH_OWNER, tr,
						       ESYS_TR_PASSWORD, ESYS_TR_NONE,
						       ESYS_TR_NONE));
	if (tpm_is_absent(tpm, r)) {
		forget_object(tpm, handle);
		return TPM_ABSENT;
	}
	if (r == 0)
		find_object(tpm, handle)->handle = 0;	/* ESYS has closed the object */
	return r;
}

static int extend_once(struct tpm *tpm, ESYS_TR tr, const struct tpm_policy *policy,
		       const struct digest *data)
{
	TPM2B_MAX_NV_BUFFER buffer = { .size = (UINT16)digest_size(data->alg) };
	ESYS_TR session;
	int r;

	memcpy(buffer.buffer, data->bytes, buffer.size);
	r = tpm_session_start(tpm, policy, &session);
	if (r < 0)
		return r;
	r = tpm_command_begin(tpm);
	if (r == 0)
		r = tpm_command_end(tpm, Esys_NV_Extend(tpm->esys, tr, tr, session,
							ESYS_TR_NONE, ESYS_TR_NONE,
							&buffer));
	if (r < 0)
		tpm_session_flush(tpm, session);
	else
		tpm_session_used(tpm, session);
	return r;
}

/**
 * tpm_nv_extend() - fold a digest into an index of type TPM_NT_EXTEND
 * @tpm:    connection
 * @handle: of the index
 * @policy: how its policy is satisfied
 * @data:   borrowed for the call
 *
 * Inside the TPM: value = H(value || data), H being the index's nameAlg.  Four
 * commands; one more the first time this connection meets the index.  While other PCRs
 * change under our feet, all is tried again until the deadline of a command is over.
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_NV_Extend"
 *
 * Return: 0; TPM_ABSENT; otherwise as every command.
 */
int tpm_nv_extend(struct tpm *tpm, uint32_t handle, const struct tpm_policy *policy,
		  const struct digest *data)
{
	uint64_t deadline_us = clock_us(CLOCK_MONOTONIC) +
			       (uint64_t)tpm->timeout_ms * CLOCK_MS;
	ESYS_TR tr;
	int r;

	r = tpm_nv_object(tpm, handle, &tr);
	if (r)
		return r;
	do {
		r = extend_once(tpm, tr, policy, data);
	} while (r == -EREMOTEIO && tpm->rc == TPM_RC_CODE_PCR_CHANGED &&
		 clock_left_ms(deadline_us) > 0);
	if (r == -EREMOTEIO)
		forget_object(tpm, handle);
	return tpm_is_absent(tpm, r) ? TPM_ABSENT : r;
}

static int read_as(struct tpm *tpm, ESYS_TR who, ESYS_TR tr, size_t size, size_t offset,
		   TPM2B_MAX_NV_BUFFER **ret)
{
	int r = tpm_command_begin(tpm);

	if (r < 0)
		return r;
	return tpm_command_end(tpm, Esys_NV_Read(tpm->esys, who, tr, ESYS_TR_PASSWORD,
						 ESYS_TR_NONE, ESYS_TR_NONE, (UINT16)size,
						 (UINT16)offset, ret));
}

/**
 * tpm_nv_read() - read the value of an index that holds a digest
 * @tpm:    connection
 * @handle: of the index
 * @alg:    algorithm of the digest, which says how many octets to read
 * @ret:    the value
 *
 * By the owner's authorization first, because it works in a dictionary attack lockout
 * and whatever the index's own authorization value is; then by the index's own, in
 * case the owner has a password.
 *
 * Spec: TCG TPM 2.0 Library, Part 3, "TPM2_NV_Read"
 *
 * Return: 0; TPM_ABSENT; TPM_UNWRITTEN; otherwise as every command.
 */
int tpm_nv_read(struct tpm *tpm, uint32_t handle, enum digest_alg alg,
		struct digest *ret)
{
	_cleanup_(tpm_esys_freep) TPM2B_MAX_NV_BUFFER *buffer = NULL;
	size_t size = digest_size(alg);
	ESYS_TR tr;
	int r;

	r = tpm_nv_object(tpm, handle, &tr);
	if (r)
		return r;
	r = read_as(tpm, ESYS_TR_RH_OWNER, tr, size, /* offset= */ 0, &buffer);
	if (r == -EREMOTEIO && tpm->rc != TPM_RC_CODE_NV_UNINITIALIZED &&
	    !tpm_is_absent(tpm, r))
		r = read_as(tpm, tr, tr, size, /* offset= */ 0, &buffer);
	if (tpm_is_absent(tpm, r))
		return TPM_ABSENT;
	if (r == -EREMOTEIO && tpm->rc == TPM_RC_CODE_NV_UNINITIALIZED)
		return TPM_UNWRITTEN;
	if (r < 0)
		return r;
	if (buffer->size != size)
		return -EBADMSG;
	digest_zero(alg, ret);
	memcpy(ret->bytes, buffer->buffer, size);
	return 0;
}

/**
 * tpm_nv_read_data() - read all of an ordinary index by its own authorization
 * @tpm:      connection
 * @handle:   of the index
 * @ret:      what it holds
 * @max:      room in @ret in bytes
 * @ret_size: of the index in bytes
 *
 * One command for the size, and one for every 512 bytes.
 *
 * Return: 0; TPM_ABSENT; TPM_UNWRITTEN; -EMSGSIZE; otherwise as every command.
 */
int tpm_nv_read_data(struct tpm *tpm, uint32_t handle, uint8_t *ret, size_t max,
		     size_t *ret_size)
{
	struct tpm_nv_public public;
	ESYS_TR tr = ESYS_TR_NONE;
	size_t size;
	int r;

	r = tpm_nv_read_public(tpm, handle, &public);
	if (r == 0)
		r = tpm_nv_object(tpm, handle, &tr);
	if (r == 0 && public.data_size > max)
		r = -EMSGSIZE;
	for (size_t got = 0; r == 0 && got < public.data_size; got += size) {
		_cleanup_(tpm_esys_freep) TPM2B_MAX_NV_BUFFER *buffer = NULL;

		size = public.data_size - got;
		if (size > CHUNK_SIZE)
			size = CHUNK_SIZE;
		r = read_as(tpm, tr, tr, size, got, &buffer);
		if (r == 0 && buffer->size != size)
			r = -EBADMSG;
		if (r == 0)
			memcpy(ret + got, buffer->buffer, size);
	}
	if (r == -EREMOTEIO && tpm->rc == TPM_RC_CODE_NV_UNINITIALIZED)
		return TPM_UNWRITTEN;
	if (r == 0)
		*ret_size = public.data_size;
	return r;
}
