/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Length of @size octets as text, without NUL. */
#define BASE64_LENGTH(size)	(((size) + 2) / 3 * 4)

void base64_encode(const uint8_t *data, size_t size, char *ret);
int base64_decode(const char *text, size_t length, uint8_t *ret, size_t ret_max,
		  size_t *ret_size);

#endif /* BASE_BASE64_H */
