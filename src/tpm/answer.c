/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Structures as the TPM sent them.
 *
 * What a TPM has signed, and what a Name is a digest of, is passed on octet for octet.
 * ESYS takes structures apart, so they are read from the answer that is still at hand.
 * It has unmarshalled them all before, so their lengths hold; they are checked again.
 */
#include "tpm/private.h"

#include <errno.h>
#include <string.h>

#define HEADER_SIZE	10	/* bytes: tag, size, response code */

struct octets {
	const uint8_t *p;
	size_t left;
};

static int parameters(const struct tpm *tpm, enum tpm_answer kind, struct octets *ret)
{
	static const size_t offsets[] = {
		[TPM_ANSWER_BARE] = HEADER_SIZE,
		[TPM_ANSWER_AUTHORIZED] = HEADER_SIZE + 4,
		[TPM_ANSWER_CREATED] = HEADER_SIZE + 4 + 4,
	};
	const uint8_t *p = tpm->response + offsets[kind];
	size_t size;

	if (tpm->response_size < offsets[kind])
		return -EBADMSG;
	size = tpm->response_size - offsets[kind];
	if (kind != TPM_ANSWER_BARE) {
		size_t said = (size_t)p[-4] << 24 | (size_t)p[-3] << 16 |
			      (size_t)p[-2] << 8 | p[-1];

		if (said > size)
			return -EBADMSG;
		size = said;
	}
	*ret = (struct octets){ .p = p, .left = size };
	return 0;
}

/* A structure that begins with its size, which is taken along. */
static int take_2b(struct octets *from, struct tpm_octets *ret)
{
	size_t size;

	if (from->left < 2)
		return -EBADMSG;
	size = 2 + ((size_t)from->p[0] << 8 | from->p[1]);
	if (size > from->left || size > sizeof(ret->bytes))
		return -EBADMSG;
	ret->size = size;
	memcpy(ret->bytes, from->p, size);
	from->p += size;
	from->left -= size;
	return 0;
}

/**
 * tpm_answer_2b() - take a sized structure from the answer to the last command
 * @tpm:   connection
 * @kind:  of answer
 * @index: how many sized structures come before it
 * @ret:   it, with its size
 *
 * Return: 0; -EBADMSG.
 */
int tpm_answer_2b(const struct tpm *tpm, enum tpm_answer kind, size_t index,
		  struct tpm_octets *ret)
{
	struct octets from;
	int r = parameters(tpm, kind, &from);

	for (size_t i = 0; r == 0 && i <= index; i++)
		r = take_2b(&from, ret);
	return r;
}

/**
 * tpm_answer_signed() - take from the answer to the last command what was signed
 * @tpm: connection; the command had authorizations
 * @ret: statement and signature
 *
 * Return: 0; -EBADMSG.
 */
int tpm_answer_signed(const struct tpm *tpm, struct tpm_signed *ret)
{
	struct octets from;
	int r = parameters(tpm, TPM_ANSWER_AUTHORIZED, &from);

	if (r == 0)
		r = take_2b(&from, &ret->attest);
	if (r < 0)
		return r;
	if (from.left == 0 || from.left > sizeof(ret->signature.bytes))
		return -EBADMSG;
	ret->attest.size -= 2;
	memmove(ret->attest.bytes, ret->attest.bytes + 2, ret->attest.size);
	ret->signature.size = from.left;
	memcpy(ret->signature.bytes, from.p, from.left);
	return 0;
}
