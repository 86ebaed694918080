/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Octets as hexadecimal text.  Pure. */
#include "base/hex.h"

#include <errno.h>
#include <string.h>

/**
 * hex_encode() - write octets in lower case hexadecimal
 * @data: octets
 * @size: how many
 * @ret:  room for 2 * @size + 1 bytes; terminated by NUL
 */
void hex_encode(const uint8_t *data, size_t size, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		*ret++ = digits[data[i] >> 4];
		*ret++ = digits[data[i] & 15];
	}
	*ret = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EBADMSG;
}

/**
 * hex_decode() - read octets written in hexadecimal
 * @hex:      text; all of it must be pairs of hexadecimal digits of either case
 * @ret:      the octets
 * @ret_max:  room in @ret in bytes
 * @ret_size: how many octets were read
 *
 * Return: 0; -EBADMSG if @hex is not hexadecimal; -EMSGSIZE if it does not fit.
 */
int hex_decode(const char *hex, uint8_t *ret, size_t ret_max, size_t *ret_size)
{
	size_t length = strlen(hex);

	if (length % 2)
		return -EBADMSG;
	if (length / 2 > ret_max)
		return -EMSGSIZE;
	for (size_t i = 0; i < length; i += 2) {
		int high = nibble(hex[i]), low = nibble(hex[i + 1]);

		if (high < 0 || low < 0)
			return -EBADMSG;
		ret[i / 2] = (uint8_t)(high << 4 | low);
	}
	*ret_size = length / 2;
	return 0;
}
