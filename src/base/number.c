/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers as text.  Pure. */
#include "base/number.h"

#include <errno.h>

/**
 * number_parse() - read a whole text as a decimal number without a sign
 * @text: digits and nothing else
 * @max:  largest number taken
 * @ret:  the number
 *
 * Return: 0; -EBADMSG if @text is no such number or larger than @max.
 */
int number_parse(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*text)
		return -EBADMSG;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' ||
		    __builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value) ||
		    value > max)
			return -EBADMSG;
	}
	*ret = value;
	return 0;
}
