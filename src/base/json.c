/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parsing JSON strictly.  Pure. */
#include "base/json.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

static int parse_as(int flags, const char *text, size_t size, int depth,
		    struct json_object **ret)
{
	_cleanup_tokener_ struct json_tokener *tokener = json_tokener_new_ex(depth);
	_cleanup_json_ struct json_object *object = NULL;

	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, flags);
	object = json_tokener_parse_ex(tokener, text, (int)size);
	if (json_tokener_get_error(tokener) != json_tokener_success || !object)
		return -EBADMSG;
	*ret = take_ptr(object);
	return 0;
}

/**
 * json_parse() - parse a text of JSON, all of it
 * @text:  borrowed for the call
 * @size:  of @text in bytes
 * @depth: how deep values may be nested
 * @ret:   what it is, for json_object_put()
 *
 * The strict mode of json-c 0.18 takes every octet above 0x7f for a control character, so
 * a text that has one is read twice: strictly with those octets masked, which may be in
 * strings only, and then as it is.
 *
 * Return: 0; -EBADMSG if it is not JSON, is null, or has something behind it; -ENOMEM.
 */
int json_parse(const char *text, size_t size, int depth, struct json_object **ret)
{
	_cleanup_json_ struct json_object *object = NULL;
	_cleanup_free_ char *masked = NULL;
	bool is_ascii = true;
	int r;

	if (size > INT_MAX || memchr(text, '\0', size))
		return -EBADMSG;
	for (size_t i = 0; i < size; i++)
		is_ascii &= !(text[i] & 0x80);
	if (is_ascii)
		return parse_as(JSON_TOKENER_STRICT, text, size, depth, ret);
	masked = malloc(size);
	if (!masked)
		return -ENOMEM;
	for (size_t i = 0; i < size; i++)
		masked[i] = text[i] & 0x80 ? 'x' : text[i];
	r = parse_as(JSON_TOKENER_STRICT, masked, size, depth, &object);
	return r < 0 ? r : parse_as(JSON_TOKENER_VALIDATE_UTF8, text, size, depth, ret);
}
