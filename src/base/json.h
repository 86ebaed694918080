/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_JSON_H
#define BASE_JSON_H

/* Strict parsing, and scope-bound ownership of what json-c hands out. */
#include <json-c/json.h>

#include "base/cleanup.h"

#define _cleanup_json_		_cleanup_(json_putp)
#define _cleanup_tokener_	_cleanup_(json_tokener_freep)

static inline void json_putp(struct json_object **object)
{
	(void)json_object_put(*object);
}

static inline void json_tokener_freep(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

int json_parse(const char *text, size_t size, int depth, struct json_object **ret);

#endif /* BASE_JSON_H */
