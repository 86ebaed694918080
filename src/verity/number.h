/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VERITY_NUMBER_H
#define VERITY_NUMBER_H

#include <errno.h>
#include <stdint.h>

/**
 * verity_number_parse() - read a whole text as a decimal number without a sign
 *
 * Return: 0; -EBADMSG if @text is no such number or larger than @max.
 */
static inline int verity_number_parse(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*text)
		return -EBADMSG;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' ||
		    __builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value) ||
		    value > max)
			return -EBADMSG;
	}
	*ret = value;
	return 0;
}

#endif /* VERITY_NUMBER_H */
