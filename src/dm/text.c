/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device-mapper's texts: a table as dmsetup(8) prints it, and names as the kernel keeps
 * them.  Pure.
 */
#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "base/number.h"
#include "dm/internal.h"

/* Cuts the next word off @rest, which is then what follows one space. */
static char *cut_word(char **rest)
{
	char *word = *rest;
	size_t length = strcspn(word, " ");

	*rest = word + length;
	if (**rest)
		*(*rest)++ = '\0';
	return word;
}

static int parse_line(char *line, struct dm_target *ret)
{
	struct dm_target target;

	if (number_parse(cut_word(&line), UINT64_MAX, &target.start) < 0 ||
	    number_parse(cut_word(&line), UINT64_MAX, &target.length) < 0)
		return -EBADMSG;
	target.type = cut_word(&line);
	target.params = line;
	if (!*target.type)
		return -EBADMSG;
	*ret = target;
	return 0;
}

/**
 * dm_text_targets() - walk through the text of a table
 * @text:   lines "START LENGTH TYPE PARAMETERS"; is cut to pieces
 * @device: whose table it is
 * @fn:     called with each target in order
 * @ctx:    passed on to @fn
 *
 * Return: 0; what @fn returned to end the walk; -EBADMSG if a line is none.
 */
int dm_text_targets(char *text, const struct dm_device *device, dm_target_fn *fn,
		    void *ctx)
{
	struct dm_target target;
	char *line, *end;
	int r = 0;

	for (line = text; r == 0 && *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		r = parse_line(line, &target);
		if (r == 0)
			r = fn(ctx, device, &target);
	}
	return r;
}

/**
 * dm_text_unmangle() - give a name back the bytes that libdevmapper wrote as "\xHH"
 * @mangled:  name or UUID as the kernel keeps it
 * @ret:      as its creator gave it, terminated by NUL
 * @ret_size: room in @ret in bytes
 *
 * An escape of NUL is left as it is, for it would cut the name.
 *
 * Return: 0; -EMSGSIZE if it does not fit.
 */
int dm_text_unmangle(const char *mangled, char *ret, size_t ret_size)
{
	size_t n = 0, size;
	char digits[3] = "";
	uint8_t byte;

	for (; *mangled; n++) {
		if (n + 1 >= ret_size)
			return -EMSGSIZE;
		byte = (uint8_t)*mangled++;
		if (byte == '\\' && mangled[0] == 'x' && mangled[1] && mangled[2]) {
			memcpy(digits, mangled + 1, 2);
			if (hex_decode(digits, &byte, 1, &size) < 0 || !byte)
				byte = '\\';
			else
				mangled += 3;
		}
		ret[n] = (char)byte;
	}
	ret[n] = '\0';
	return 0;
}
