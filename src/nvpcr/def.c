/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of a definition file.  Pure. */
#include "nvpcr/nvpcr.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

#define DEPTH_MAX		8
#define PRIORITY_DEFAULT	1000
#define NAME_LETTERS		"abcdefghijklmnopqrstuvwxyz0123456789-"

/* Handles that are not for us.  Spec: TCG Registry of Reserved TPM 2.0 Handles; UAPI.19 */
static const struct {
	uint32_t first;
	uint32_t last;
	const char *reason;
} taken[] = {
	{ 0x01500000, 0x01500000, "'nvIndex' belongs to another program" },
	{ 0x01500432, 0x01500432, "'nvIndex' belongs to another program" },
	{ 0x01000000, 0x013fffff, "'nvIndex' is reserved for the TPM's manufacturer" },
	{ 0x01400000, 0x017fffff, "'nvIndex' is reserved for the platform's manufacturer" },
	{ 0x01c00000, 0x01c8ffff, "'nvIndex' is reserved for certificates" },
	{ 0x01d10200, 0x01d10224, "'nvIndex' belongs to systemd" },
	{ 0x01d10225, 0x01d10225, "'nvIndex' belongs to the Linux kernel" },
};

static const char *take_name(struct json_object *object, struct nvpcr_def *def)
{
	struct json_object *value;
	const char *name;
	size_t length;

	if (!json_object_object_get_ex(object, "name", &value))
		return "'name' is missing";
	if (!json_object_is_type(value, json_type_string))
		return "'name' is not a string";
	name = json_object_get_string(value);
	length = (size_t)json_object_get_string_len(value);
	if (length == 0 || strspn(name, NAME_LETTERS) != length)
		return "'name' has other characters than a-z, 0-9 and -";
	if (length >= sizeof(def->name))
		return "'name' is too long";
	memcpy(def->name, name, length + 1);
	return NULL;
}

static const char *take_index(struct json_object *object, struct nvpcr_def *def)
{
	struct json_object *value;
	int64_t index;

	if (!json_object_object_get_ex(object, "nvIndex", &value))
		return "'nvIndex' is missing";
	if (!json_object_is_type(value, json_type_int))
		return "'nvIndex' is not a decimal number, without quotes";
	index = json_object_get_int64(value);
	if (index < 0x01000000 || index > 0x01ffffff)
		return "'nvIndex' is no handle of an NV index";
	def->index = (uint32_t)index;
	return NULL;
}

static const char *take_alg(struct json_object *object, struct nvpcr_def *def)
{
	struct json_object *value;

	def->alg = DIGEST_SHA256;
	if (!json_object_object_get_ex(object, "algorithm", &value))
		return NULL;
	if (!json_object_is_type(value, json_type_string))
		return "'algorithm' is not a string";
	def->alg = digest_alg_from_name(json_object_get_string(value));
	if (def->alg != DIGEST_SHA256 && def->alg != DIGEST_SHA384)
		return "'algorithm' is neither sha256 nor sha384";
	return NULL;
}

static const char *take_priority(struct json_object *object, struct nvpcr_def *def)
{
	struct json_object *value;
	int64_t priority;

	def->priority = PRIORITY_DEFAULT;
	if (!json_object_object_get_ex(object, "priority", &value))
		return NULL;
	if (!json_object_is_type(value, json_type_int))
		return "'priority' is not an integer";
	priority = json_object_get_int64(value);
	if (priority < 0 || priority > UINT32_MAX)
		return "'priority' is out of range";
	def->priority = (uint32_t)priority;
	return NULL;
}

static const char *take_orderly(struct json_object *object, struct nvpcr_def *def)
{
	struct json_object *value;

	def->orderly = true;
	if (!json_object_object_get_ex(object, "orderly", &value))
		return NULL;
	if (!json_object_is_type(value, json_type_boolean))
		return "'orderly' is neither true nor false";
	def->orderly = json_object_get_boolean(value);
	return NULL;
}

/**
 * nvpcr_def_parse_any() - read a definition, whoever owns its handle
 *
 * Arguments and outcomes are those of nvpcr_def_parse().
 */
int nvpcr_def_parse_any(const char *text, size_t size, struct nvpcr_def *ret,
			const char **ret_reason)
{
	static const char *(*const takers[])(struct json_object *, struct nvpcr_def *) = {
		take_name, take_index, take_alg, take_priority, take_orderly,
	};
	_cleanup_json_ struct json_object *object = NULL;
	struct nvpcr_def def = { .name = "" };
	int r;

	r = json_parse(text, size, DEPTH_MAX, &object);
	if (r == 0 && !json_object_is_type(object, json_type_object))
		r = -EBADMSG;
	if (r == -EBADMSG)
		*ret_reason = "is not a JSON object, where numbers are decimal";
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(takers); i++) {
		const char *reason = takers[i](object, &def);

		if (reason) {
			*ret_reason = reason;
			return -EBADMSG;
		}
	}
	*ret = def;
	return 0;
}

/**
 * nvpcr_def_parse() - read a definition
 * @text:       JSON; borrowed for the call
 * @size:       of @text in bytes
 * @ret:        the definition
 * @ret_reason: what is wrong, a static string; set only with -EBADMSG
 *
 * Members that are not known are ignored, so that a file may say more to others.
 *
 * Return: 0; -EBADMSG; -ENOMEM.
 */
int nvpcr_def_parse(const char *text, size_t size, struct nvpcr_def *ret,
		    const char **ret_reason)
{
	struct nvpcr_def def;
	int r = nvpcr_def_parse_any(text, size, &def, ret_reason);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		if (def.index < taken[i].first || def.index > taken[i].last)
			continue;
		*ret_reason = taken[i].reason;
		return -EBADMSG;
	}
	*ret = def;
	return 0;
}
