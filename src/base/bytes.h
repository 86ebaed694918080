/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct bytes - memory that is read from its beginning to its end
 * @p:      what comes next; borrowed
 * @left:   how many octets are left
 * @failed: more was wanted than there was; nothing is given any more
 */
struct bytes {
	const uint8_t *p;
	size_t left;
	bool failed;
};

const uint8_t *bytes_take(struct bytes *bytes, size_t size);
uint32_t bytes_take_be(struct bytes *bytes, size_t size);
uint32_t bytes_take_le(struct bytes *bytes, size_t size);

#endif /* BASE_BYTES_H */
