/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Octets as Base64 text, with padding and without line breaks.  Pure.
 *
 * Spec: RFC 4648, section 4
 */
#include "base/base64.h"

#include <errno.h>
#include <string.h>

static const char digits[64] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * base64_encode() - write octets in Base64
 * @data: octets
 * @size: how many
 * @ret:  room for BASE64_LENGTH(@size) + 1 bytes; terminated by NUL
 */
void base64_encode(const uint8_t *data, size_t size, char *ret)
{
	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t bits = (uint32_t)data[i] << 16;

		if (left > 1)
			bits |= (uint32_t)data[i + 1] << 8;
		if (left > 2)
			bits |= data[i + 2];
		*ret++ = digits[bits >> 18];
		*ret++ = digits[bits >> 12 & 63];
		*ret++ = left > 1 ? digits[bits >> 6 & 63] : '=';
		*ret++ = left > 2 ? digits[bits & 63] : '=';
	}
	*ret = '\0';
}

/* Value of a digit; -EBADMSG if it is none. */
static int value_of(char c)
{
	const char *digit = memchr(digits, c, sizeof(digits));

	return digit ? (int)(digit - digits) : -EBADMSG;
}

/* Reads four characters of which the last @padding are "=". */
static int decode_four(const char *text, size_t padding, uint8_t *ret)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i < 4 - padding ? value_of(text[i]) : 0;

		if (value < 0)
			return value;
		bits = bits << 6 | (uint32_t)value;
	}
	if (bits & ((1u << 8 * padding) - 1))	/* there is one way to write a text */
		return -EBADMSG;
	for (size_t i = 0; i < 3 - padding; i++)
		ret[i] = (uint8_t)(bits >> (16 - 8 * i));
	return 0;
}

/**
 * base64_decode() - read octets written in Base64
 * @text:     borrowed for the call; may be where @ret is
 * @length:   of @text in bytes
 * @ret:      the octets
 * @ret_max:  room in @ret in bytes
 * @ret_size: how many octets were read
 *
 * Return: 0; -EBADMSG if @text is not exactly what base64_encode() would have written
 * for some octets; -EMSGSIZE if it does not fit.
 */
int base64_decode(const char *text, size_t length, uint8_t *ret, size_t ret_max,
		  size_t *ret_size)
{
	size_t padding, size = 0;

	if (length % 4)
		return -EBADMSG;
	padding = length == 0 || text[length - 1] != '=' ? 0 : text[length - 2] == '=' ? 2 : 1;
	if (length / 4 * 3 - padding > ret_max)
		return -EMSGSIZE;
	for (size_t i = 0; i < length; i += 4) {
		size_t missing = i + 4 == length ? padding : 0;
		int r = decode_four(text + i, missing, ret + size);

		if (r < 0)
			return r;
		size += 3 - missing;
	}
	*ret_size = size;
	return 0;
}
