/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

void hex_encode(const uint8_t *data, size_t size, char *ret);
int hex_decode(const char *hex, uint8_t *ret, size_t ret_max, size_t *ret_size);

#endif /* BASE_HEX_H */
