/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Binding the attestation key to the endorsement key: what the machine tells of both, and
 * the file that carries a credential to it.
 *
 * Pure.  The text is what `ak show --json` prints.  The file is that of tpm2-tools: a
 * magic number, a version, and the two structures of a credential.
 */
#include "attest/ak.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"

#define NESTING_MAX	4	/* of JSON values */

static const uint8_t file_head[] = { 0xba, 0xdc, 0xc0, 0xde, 0x00, 0x00, 0x00, 0x01 };

/* A member that is a public area of a key. */
static int get_public(struct json_object *from, struct tpm_octets *ret,
		      struct attest_public *ret_public)
{
	struct json_object *value;
	int r;

	if (!json_object_object_get_ex(from, "public", &value) ||
	    !json_object_is_type(value, json_type_string))
		return -EBADMSG;
	r = base64_decode(json_object_get_string(value),
			  (size_t)json_object_get_string_len(value), ret->bytes,
			  sizeof(ret->bytes), &ret->size);
	return r < 0 ? -EBADMSG : attest_public_parse(ret->bytes, ret->size, ret_public);
}

/**
 * attest_enrolment_parse() - read what a machine tells of its keys
 * @text: JSON; borrowed for the call
 * @size: of @text in bytes
 * @ret:  the keys; the Name is computed, not taken from @text
 *
 * Return: 0; -EBADMSG if it is something else; -EPERM if the attestation key could sign
 * what the TPM did not make, or leave the TPM; -ENOMEM.
 */
int attest_enrolment_parse(const char *text, size_t size, struct attest_enrolment *ret)
{
	const uint32_t must = ATTEST_KEY_FIXED_TPM | ATTEST_KEY_RESTRICTED | ATTEST_KEY_SIGN;
	_cleanup_json_ struct json_object *object = NULL;
	struct attest_public ak, ek;
	struct tpm_octets public;
	struct json_object *value;
	int r = json_parse(text, size, NESTING_MAX, &object);

	if (r == 0)
		r = get_public(object, &public, &ak);
	if (r == 0 && !json_object_object_get_ex(object, "ek", &value))
		r = -EBADMSG;
	if (r == 0)
		r = get_public(value, &ret->ek, &ek);
	if (r != 0)
		return r;
	if ((ak.attributes & (must | ATTEST_KEY_DECRYPT)) != must)
		return -EPERM;
	attest_public_name(public.bytes, public.size, &ret->ak_name);
	return 0;
}

/**
 * attest_credential_encode() - write a credential as a file has it
 *
 * Return: how many bytes of @ret it is.
 */
size_t attest_credential_encode(const struct tpm_credential *credential,
				uint8_t ret[static ATTEST_CREDENTIAL_MAX])
{
	uint8_t *p = ret;

	memcpy(p, file_head, sizeof(file_head));
	p += sizeof(file_head);
	memcpy(p, credential->blob.bytes, credential->blob.size);
	p += credential->blob.size;
	memcpy(p, credential->seed.bytes, credential->seed.size);
	return (size_t)(p + credential->seed.size - ret);
}

static const uint8_t *take_2b(const uint8_t *p, const uint8_t *end, struct tpm_octets *ret)
{
	size_t size;

	if (!p || end - p < 2)
		return NULL;
	size = 2 + ((size_t)p[0] << 8 | p[1]);
	if (size > (size_t)(end - p) || size > sizeof(ret->bytes))
		return NULL;
	memcpy(ret->bytes, p, size);
	ret->size = size;
	return p + size;
}

/**
 * attest_credential_decode() - read the file of a credential
 * @data:     borrowed for the call
 * @size:     of @data in bytes
 * @ret:      the credential
 * @ret_type: of the endorsement key that it is for
 *
 * Return: 0; -EBADMSG if it is something else.
 */
int attest_credential_decode(const uint8_t *data, size_t size, struct tpm_credential *ret,
			     enum attest_key_type *ret_type)
{
	const uint8_t *end = data + size, *p = data + sizeof(file_head);

	if (size < sizeof(file_head) || memcmp(data, file_head, sizeof(file_head)) != 0)
		return -EBADMSG;
	p = take_2b(p, end, &ret->blob);
	p = take_2b(p, end, &ret->seed);
	if (p != end)
		return -EBADMSG;
	/* for RSA as large as the modulus, for ECC a point */
	*ret_type = ret->seed.size == 2 + ATTEST_RSA_SIZE ? ATTEST_KEY_RSA : ATTEST_KEY_ECC;
	return 0;
}
