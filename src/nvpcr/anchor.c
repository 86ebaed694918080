/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The anchor word, which closes the gate.  Pure.
 *
 *	nvpcr-anchor:v1:<n>:<0x%08x handle>:<Name hex>:<value hex>...
 *	nvpcr-anchor:v1:mode=pcr:<reason>	no index; words go into the gate PCR
 *	nvpcr-anchor:v1:mode=none:<reason>	no index and no PCR
 *
 * One word has one spelling: a parser that took another would let two logs differ and
 * mean the same.
 */
#include "nvpcr/nvpcr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"

#define PREFIX		"nvpcr-anchor:v1:"
#define MODE_PCR	"mode=pcr:"
#define MODE_NONE	"mode=none:"
#define NAME_HEX_MAX	(2 * TPM_NAME_MAX + 1)
#define REASON_LETTERS	"abcdefghijklmnopqrstuvwxyz0123456789-"

static bool is_anchored(const struct nvpcr *nvpcr)
{
	return nvpcr->rung <= NVPCR_RUNG_NV;
}

static int write_index(const struct nvpcr *nvpcr, char *p, size_t room)
{
	char name[NAME_HEX_MAX], value[DIGEST_HEX_MAX];

	hex_encode(nvpcr->name.bytes, nvpcr->name.size, name);
	digest_to_hex(&nvpcr->value, value);
	return snprintf(p, room, ":0x%08x:%s:%s", nvpcr->def.index, name, value);
}

static int write_degraded(const struct nvpcr_set *set, char ret[static NVPCR_ANCHOR_MAX])
{
	const char *mode = MODE_NONE;

	for (size_t i = 0; i < set->n_nvpcrs; i++)
		if (set->nvpcrs[i].rung == NVPCR_RUNG_PCR)
			mode = MODE_PCR;
	(void)snprintf(ret, NVPCR_ANCHOR_MAX, PREFIX "%s%s", mode, set->reason);
	return 0;
}

/**
 * nvpcr_anchor_word() - write the anchor word of a set
 * @set: the set, ascending by handle
 * @ret: the word, terminated by NUL
 *
 * Only the NvPCRs of the first two rungs are named.
 *
 * Return: 0; -EMSGSIZE if it does not fit, which NVPCR_MAX rules out.
 */
int nvpcr_anchor_word(const struct nvpcr_set *set, char ret[static NVPCR_ANCHOR_MAX])
{
	size_t n = 0, length;

	for (size_t i = 0; i < set->n_nvpcrs; i++)
		n += is_anchored(&set->nvpcrs[i]);
	if (n == 0)
		return write_degraded(set, ret);
	length = (size_t)snprintf(ret, NVPCR_ANCHOR_MAX, PREFIX "%zu", n);
	for (size_t i = 0; i < set->n_nvpcrs; i++) {
		if (!is_anchored(&set->nvpcrs[i]))
			continue;
		length += (size_t)write_index(&set->nvpcrs[i], ret + length,
					      NVPCR_ANCHOR_MAX - length);
		if (length >= NVPCR_ANCHOR_MAX)
			return -EMSGSIZE;
	}
	return 0;
}

static int parse_degraded(const char *text, enum nvpcr_rung rung,
			  struct nvpcr_anchor *ret)
{
	size_t length = strlen(text);

	if (length == 0 || length >= sizeof(ret->reason) ||
	    strspn(text, REASON_LETTERS) != length)
		return -EBADMSG;
	ret->rung = rung;
	memcpy(ret->reason, text, length + 1);
	return 0;
}

/* Text in hexadecimal as we write it: lower case. */
static int parse_hex(const char *text, uint8_t *ret, size_t room, size_t *ret_size)
{
	if (strspn(text, "0123456789abcdef") != strlen(text) ||
	    hex_decode(text, ret, room, ret_size) < 0)
		return -EBADMSG;
	return 0;
}

static int parse_handle(const char *text, uint32_t *ret)
{
	uint8_t bytes[4];
	size_t size;

	if (strncmp(text, "0x", 2) != 0 ||
	    parse_hex(text + 2, bytes, sizeof(bytes), &size) < 0 || size != sizeof(bytes))
		return -EBADMSG;
	*ret = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | bytes[3];
	return 0;
}

static int parse_name(const char *text, struct tpm_name *ret, enum digest_alg *ret_alg)
{
	enum digest_alg alg;

	if (parse_hex(text, ret->bytes, sizeof(ret->bytes), &ret->size) < 0 ||
	    ret->size <= 2)
		return -EBADMSG;
	alg = digest_alg_from_tpm_id((uint16_t)(ret->bytes[0] << 8 | ret->bytes[1]));
	if (alg < 0 || ret->size != 2 + digest_size(alg))
		return -EBADMSG;
	*ret_alg = alg;
	return 0;
}

static int parse_value(const char *text, enum digest_alg alg, struct digest *ret)
{
	if (strspn(text, "0123456789abcdef") != strlen(text))
		return -EBADMSG;
	return digest_from_hex(alg, text, ret);
}

/* Reads the next index out of the three words at *@next. */
static int parse_index(char **next, uint32_t *ret_handle, struct tpm_name *ret_name,
		       struct digest *ret_value)
{
	const char *handle = strsep(next, ":");
	const char *name = strsep(next, ":");
	const char *value = strsep(next, ":");
	enum digest_alg alg;

	if (!value)
		return -EBADMSG;
	if (parse_handle(handle, ret_handle) < 0 || parse_name(name, ret_name, &alg) < 0)
		return -EBADMSG;
	return parse_value(value, alg, ret_value);
}

static int parse_count(const char *text, size_t *ret)
{
	unsigned long n = strtoul(text, NULL, 10);
	char again[24];

	(void)snprintf(again, sizeof(again), "%lu", n);
	if (strcmp(text, again) != 0 || n == 0 || n > NVPCR_MAX)
		return -EBADMSG;
	*ret = n;
	return 0;
}

static int parse_indices(const char *text, struct nvpcr_anchor *ret)
{
	char copy[NVPCR_ANCHOR_MAX], *next = copy;
	size_t length = strlen(text);
	uint32_t last = 0;
	int r;

	if (length >= sizeof(copy))
		return -EBADMSG;
	memcpy(copy, text, length + 1);
	r = parse_count(strsep(&next, ":"), &ret->n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ret->n; i++) {
		r = parse_index(&next, &ret->handles[i], &ret->names[i], &ret->values[i]);
		if (r < 0 || ret->handles[i] <= last)
			return -EBADMSG;
		last = ret->handles[i];
	}
	return next ? -EBADMSG : 0;
}

/**
 * nvpcr_anchor_parse() - take an anchor word apart
 * @word: text
 * @ret:  what it says
 *
 * Return: 0; -EBADMSG if it is no anchor word, or not spelled as nvpcr_anchor_word()
 * spells it.
 */
int nvpcr_anchor_parse(const char *word, struct nvpcr_anchor *ret)
{
	struct nvpcr_anchor anchor = { .n = 0 };
	const char *rest = word + strlen(PREFIX);
	int r;

	if (strncmp(word, PREFIX, strlen(PREFIX)) != 0)
		return -EBADMSG;
	if (strncmp(rest, MODE_PCR, strlen(MODE_PCR)) == 0)
		r = parse_degraded(rest + strlen(MODE_PCR), NVPCR_RUNG_PCR, &anchor);
	else if (strncmp(rest, MODE_NONE, strlen(MODE_NONE)) == 0)
		r = parse_degraded(rest + strlen(MODE_NONE), NVPCR_RUNG_LOG, &anchor);
	else
		r = parse_indices(rest, &anchor);
	if (r < 0)
		return r;
	*ret = anchor;
	return 0;
}
