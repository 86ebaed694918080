/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading memory that may end too early; that it did is asked for once, at the end. */
#include "base/bytes.h"

/**
 * bytes_take() - step over octets
 *
 * Return: the first of @size octets; NULL, now and for ever, if there are not so many.
 */
const uint8_t *bytes_take(struct bytes *bytes, size_t size)
{
	const uint8_t *p = bytes->p;

	if (bytes->failed || size > bytes->left) {
		bytes->failed = true;
		return NULL;
	}
	bytes->p += size;
	bytes->left -= size;
	return p;
}

/**
 * bytes_take_be() - read a number of at most 4 octets, the highest first
 *
 * Return: the number; 0 if there are not so many octets.
 */
uint32_t bytes_take_be(struct bytes *bytes, size_t size)
{
	const uint8_t *p = bytes_take(bytes, size);
	uint32_t number = 0;

	for (size_t i = 0; p && i < size; i++)
		number = number << 8 | p[i];
	return number;
}

/**
 * bytes_take_le() - as bytes_take_be(), the lowest octet first
 */
uint32_t bytes_take_le(struct bytes *bytes, size_t size)
{
	const uint8_t *p = bytes_take(bytes, size);
	uint32_t number = 0;

	for (size_t i = 0; p && i < size; i++)
		number |= (uint32_t)p[i] << 8 * i;
	return number;
}
