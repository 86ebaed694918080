/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Annotations: claims about an activation, such as a device's name.
 *
 * Pure.  They come from device names, paths and the like, in which any octet may
 * occur; JSON is UTF-8, so what is not becomes U+FFFD.  No digest covers them.  They
 * are an object of texts, natural numbers and booleans, and their size has a limit, so
 * that no claim can keep a record from being written.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/cleanup.h"
#include "eventlog/record.h"

#define REPLACEMENT	"\xef\xbf\xbd"	/* U+FFFD */

/*
 * Length of the UTF-8 sequence at @s, which ends with NUL; 0 if there is none.
 * Surrogates, characters past U+10FFFF and longer forms than needed are none.
 */
static size_t utf8_length(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

/* A copy of @text with U+FFFD for each octet that is not part of UTF-8. */
static char *utf8_clean(const char *text)
{
	char *clean = malloc(strlen(text) * (sizeof(REPLACEMENT) - 1) + 1);
	char *to = clean;

	if (!clean)
		return NULL;
	while (*text) {
		size_t length = utf8_length(text);

		if (length == 0)
			to = mempcpy(to, REPLACEMENT, sizeof(REPLACEMENT) - 1);
		else
			to = mempcpy(to, text, length);
		text += length ?: 1;
	}
	*to = '\0';
	return clean;
}

static bool utf8_is_clean(const char *text)
{
	while (*text) {
		size_t length = utf8_length(text);

		if (length == 0)
			return false;
		text += length;
	}
	return true;
}

static bool is_claim(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_string: {
		const char *text = json_object_get_string(value);

		return strlen(text) == (size_t)json_object_get_string_len(value) &&
		       utf8_is_clean(text);
	}
	case json_type_int:
		return json_object_get_int64(value) >= 0 &&
		       json_object_get_uint64(value) <= INT64_MAX;
	case json_type_boolean:
		return true;
	default:
		return false;
	}
}

/**
 * record_annotations_ok() - whether a record may carry these annotations
 * @annotations: NULL for none
 */
bool record_annotations_ok(struct json_object *annotations)
{
	if (!annotations)
		return true;
	if (!json_object_is_type(annotations, json_type_object))
		return false;
	json_object_object_foreach(annotations, key, value) {
		if (!*key || !record_is_text(key, strlen(key) + 1) || !is_claim(value))
			return false;
	}
	return true;
}

/* Puts @value, which it takes over, in @record unless that gets too large. */
static int annotate(struct eventlog_record *record, const char *key,
		    struct json_object *value)
{
	const int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
	size_t size = 0;

	if (!record->annotations)
		record->annotations = json_object_new_object();
	if (!value || !record->annotations ||
	    json_object_object_add(record->annotations, key, value) < 0) {
		(void)json_object_put(value);
		return -ENOMEM;
	}
	if (!json_object_to_json_string_length(record->annotations, flags, &size))
		return -ENOMEM;
	if (size <= EVENTLOG_ANNOTATIONS_MAX)
		return 0;
	json_object_object_del(record->annotations, key);
	return -E2BIG;
}

/**
 * eventlog_annotate() - attach a claim to a record
 * @record: must have been initialized, be it with zeros
 * @key:    printable ASCII; an earlier claim of this name goes
 * @value:  any octets; what is not UTF-8 is replaced by U+FFFD
 *
 * Return: 0; -EINVAL if @key is no name; -E2BIG if all annotations together would
 * exceed EVENTLOG_ANNOTATIONS_MAX: the record is then good without this one; -ENOMEM.
 */
int eventlog_annotate(struct eventlog_record *record, const char *key, const char *value)
{
	_cleanup_free_ char *clean = NULL;

	if (!*key || !record_is_text(key, strlen(key) + 1))
		return -EINVAL;
	if (strlen(value) > EVENTLOG_ANNOTATIONS_MAX)
		return -E2BIG;
	clean = utf8_clean(value);
	if (!clean)
		return -ENOMEM;
	return annotate(record, key, json_object_new_string(clean));
}

/**
 * eventlog_annotate_number() - attach a number to a record
 * @value: at most INT64_MAX, or it is -EINVAL
 *
 * Return: as eventlog_annotate().
 */
int eventlog_annotate_number(struct eventlog_record *record, const char *key,
			     uint64_t value)
{
	if (value > INT64_MAX || !*key || !record_is_text(key, strlen(key) + 1))
		return -EINVAL;
	return annotate(record, key, json_object_new_uint64(value));
}

/**
 * eventlog_annotation() - look up an annotation
 *
 * Return: its text, or its number in decimal; NULL if there is none of this name.
 * Control characters may be in it.  It lives as long as the record's annotations.
 */
const char *eventlog_annotation(const struct eventlog_record *record, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(record->annotations, key, &value))
		return NULL;
	return json_object_get_string(value);
}
