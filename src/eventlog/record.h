/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EVENTLOG_RECORD_H
#define EVENTLOG_RECORD_H

/* What the files of this folder share about records; no door. */
#include <stdbool.h>
#include <stddef.h>

#include "eventlog/eventlog.h"

#define RECORD_START	'\x1e'	/* RFC 7464: record separator */
#define RECORD_END	'\n'
#define RECORD_CONTENT_TYPE "systemd"

struct json_object;
struct json_tokener;

/**
 * struct record_claims - where in a record's text its annotations are
 * @text: an object of JSON
 * @size: 0 if there are none
 */
struct record_claims {
	const char *text;
	size_t size;
};

/* record.c */
int record_decode(struct json_tokener *tokener, const char *text, size_t size,
		  bool annotated, struct eventlog_record *ret);
bool record_is_valid(const struct eventlog_record *record);
bool record_is_text(const char *text, size_t max);

/* parse.c */
struct json_tokener *record_tokener_new(void);
struct json_object *record_parse_json(struct json_tokener *tokener, const char *text,
				      size_t size);
int record_parse(struct json_tokener *tokener, const char *text, size_t size,
		 struct eventlog_record *ret);

/* canonical.c */
bool record_scan(const char *text, size_t size, struct eventlog_record *ret,
		 struct record_claims *ret_claims);

/* annotation.c */
bool record_annotations_ok(struct json_object *annotations);

#endif /* EVENTLOG_RECORD_H */
