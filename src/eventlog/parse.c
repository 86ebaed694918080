/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading records, whatever way they are written, with json-c.
 *
 * Pure.  Members that are not ours are passed over, so that a later version may add
 * some.  Of members of the same name the last one counts, as json-c has it.
 */
#include "eventlog/record.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

#define NESTING_MAX	8	/* of JSON values; a record of ours needs 4 */

static int get(struct json_object *from, const char *key, enum json_type type,
	       struct json_object **ret)
{
	if (!json_object_object_get_ex(from, key, ret) || !json_object_is_type(*ret, type))
		return -EBADMSG;
	return 0;
}

static int get_number(struct json_object *from, const char *key, uint64_t max,
		      uint64_t *ret)
{
	struct json_object *value;

	if (get(from, key, json_type_int, &value) < 0 || json_object_get_int64(value) < 0 ||
	    json_object_get_uint64(value) > max)
		return -EBADMSG;
	*ret = json_object_get_uint64(value);
	return 0;
}

static int get_text(struct json_object *from, const char *key, char *ret, size_t ret_max)
{
	struct json_object *value;
	size_t length;

	if (get(from, key, json_type_string, &value) < 0)
		return -EBADMSG;
	length = (size_t)json_object_get_string_len(value);
	if (length >= ret_max)
		return -EBADMSG;
	memcpy(ret, json_object_get_string(value), length + 1);
	return strlen(ret) == length ? 0 : -EBADMSG;
}

static int get_optional_text(struct json_object *from, const char *key, char *ret,
			     size_t ret_max)
{
	*ret = '\0';
	return json_object_object_get_ex(from, key, NULL) ?
	       get_text(from, key, ret, ret_max) : 0;
}

/* A record names either an NV index or a PCR. */
static int decode_index(struct json_object *root, struct eventlog_record *ret)
{
	bool is_pcr = json_object_object_get_ex(root, "pcr", NULL);
	bool is_nv = json_object_object_get_ex(root, "nv_index", NULL);
	uint64_t index;

	if (is_pcr == is_nv ||
	    get_number(root, is_pcr ? "pcr" : "nv_index", UINT32_MAX, &index) < 0)
		return -EBADMSG;
	ret->target = is_pcr ? EVENTLOG_PCR : EVENTLOG_NV_INDEX;
	ret->index = (uint32_t)index;
	return 0;
}

static int decode_digest(struct json_object *item, struct digest *ret)
{
	char name[16], hex[DIGEST_HEX_MAX];
	enum digest_alg alg;

	if (!json_object_is_type(item, json_type_object) ||
	    get_text(item, "hashAlg", name, sizeof(name)) < 0 ||
	    get_text(item, "digest", hex, sizeof(hex)) < 0)
		return -EBADMSG;
	alg = digest_alg_from_name(name);
	if (alg < 0)
		return -EBADMSG;
	return digest_from_hex(alg, hex, ret);
}

static int decode_digests(struct json_object *root, struct eventlog_record *ret)
{
	struct json_object *digests;

	if (get(root, "digests", json_type_array, &digests) < 0 ||
	    json_object_array_length(digests) > DIGEST_ALG_MAX)
		return -EBADMSG;
	ret->n_digests = json_object_array_length(digests);
	for (size_t i = 0; i < ret->n_digests; i++)
		if (decode_digest(json_object_array_get_idx(digests, i),
				  &ret->digests[i]) < 0)
			return -EBADMSG;
	return 0;
}

/* Borrowed from @content; an empty object is as good as none. */
static int decode_annotations(struct json_object *content, struct eventlog_record *ret)
{
	struct json_object *annotations;

	if (!json_object_object_get_ex(content, "annotations", &annotations))
		return 0;
	if (!json_object_is_type(annotations, json_type_object))
		return -EBADMSG;
	if (json_object_object_length(annotations))
		ret->annotations = annotations;
	return 0;
}

static int decode_content(struct json_object *root, struct eventlog_record *ret)
{
	struct json_object *content;
	char type[sizeof(RECORD_CONTENT_TYPE)];

	if (get_text(root, "content_type", type, sizeof(type)) < 0 ||
	    strcmp(type, RECORD_CONTENT_TYPE) != 0 ||
	    get(root, "content", json_type_object, &content) < 0)
		return -EBADMSG;
	return decode_annotations(content, ret) ?:
	       get_optional_text(content, "nvIndexName", ret->nvpcr_name,
				 sizeof(ret->nvpcr_name)) ?:
	       get_text(content, "string", ret->word, sizeof(ret->word)) ?:
	       get_text(content, "bootId", ret->boot_id, sizeof(ret->boot_id)) ?:
	       get_number(content, "timestamp", INT64_MAX, &ret->timestamp_us) ?:
	       get_text(content, "eventType", ret->event_type, sizeof(ret->event_type)) ?:
	       get_optional_text(content, "source", ret->source, sizeof(ret->source)) ?:
	       get_optional_text(content, "phase", ret->phase, sizeof(ret->phase));
}

static int decode(struct json_object *root, struct eventlog_record *ret)
{
	if (!json_object_is_type(root, json_type_object) ||
	    get_number(root, "recnum", INT64_MAX, &ret->recnum) < 0 ||
	    decode_index(root, ret) < 0 || decode_digests(root, ret) < 0 ||
	    decode_content(root, ret) < 0 || !record_is_valid(ret))
		return -EBADMSG;
	return 0;
}

/* Between 0x1E and 0x0A a record is one line: no control character, NUL included. */
static bool is_framed(const char *text, size_t size)
{
	bool control = false;

	if (size < 2 || size > EVENTLOG_RECORD_MAX || text[0] != RECORD_START ||
	    text[size - 1] != RECORD_END)
		return false;
	for (size_t i = 1; i < size - 1; i++)
		control |= (unsigned char)text[i] < ' ';
	return !control;
}

/**
 * record_tokener_new() - what record_parse() needs
 *
 * Return: a tokener that can be used for one record after the other, or NULL.
 */
struct json_tokener *record_tokener_new(void)
{
	return json_tokener_new_ex(NESTING_MAX);
}

static struct json_object *parse_as(struct json_tokener *tokener, int flags,
				    const char *text, size_t size)
{
	_cleanup_json_ struct json_object *root = NULL;

	json_tokener_reset(tokener);
	json_tokener_set_flags(tokener, flags);
	root = json_tokener_parse_ex(tokener, text, (int)size);
	return json_tokener_get_parse_end(tokener) == size ? take_ptr(root) : NULL;
}

/**
 * record_parse_json() - parse a text of JSON
 * @tokener: of record_tokener_new()
 * @text:    borrowed for the call
 * @size:    of @text in bytes, at most EVENTLOG_RECORD_MAX
 *
 * The strict mode of json-c 0.18 takes every octet above 0x7f for a control character
 * (its issue 875).  So strictness is asked about the text with those octets masked,
 * which may be in strings only, where they change nothing; and if there are any, the
 * text itself is then read without it.  May go when no distribution has 0.18 any more.
 *
 * Return: what @text is, all of it; NULL if it is not JSON.
 */
struct json_object *record_parse_json(struct json_tokener *tokener, const char *text,
				      size_t size)
{
	_cleanup_json_ struct json_object *root = NULL;
	char masked[EVENTLOG_RECORD_MAX];
	bool is_ascii = true;

	memcpy(masked, text, size);
	for (size_t i = 0; i < size; i++) {
		if (masked[i] & 0x80) {
			masked[i] = 'x';
			is_ascii = false;
		}
	}
	root = parse_as(tokener, JSON_TOKENER_STRICT, masked, size);
	if (!root || is_ascii)
		return take_ptr(root);
	return parse_as(tokener, JSON_TOKENER_VALIDATE_UTF8, text, size);
}

/**
 * record_parse() - read a record, whatever way it is written
 * @tokener: of record_tokener_new()
 *
 * Return: as eventlog_record_decode().
 */
int record_parse(struct json_tokener *tokener, const char *text, size_t size,
		 struct eventlog_record *ret)
{
	_cleanup_json_ struct json_object *root = NULL;
	int r;

	ret->annotations = NULL;
	if (!is_framed(text, size))
		return -EBADMSG;
	root = record_parse_json(tokener, text + 1, size - 2);
	r = decode(root, ret);
	ret->annotations = r < 0 ? NULL : json_object_get(ret->annotations);
	return r;
}
