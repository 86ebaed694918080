/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One record of the log as text.
 *
 * Pure.  A record is one line of compact JSON between 0x1E and 0x0A (RFC 7464).
 * Outside annotations every text in it is printable ASCII, so that nothing has to be
 * guessed about how to print, compare or hash it.  record_is_valid() holds the rules
 * that encoding and decoding share; what decodes therefore always encodes again.
 *
 * Spec: TCG Canonical Event Log Format, "Canonical Event Log Encoding: JSON"; the
 * content members are those of systemd's log of the same kind.
 */
#include "eventlog/record.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

#define PCR_LAST	23
#define NV_INDEX_FIRST	0x01000000
#define NV_INDEX_LAST	0x01ffffff

/**
 * record_is_text() - whether a text of our own is fit for a record
 * @text: must end with NUL within @max bytes
 * @max:  size of the array it is in
 *
 * Return: true if it is printable ASCII, or empty.
 */
bool record_is_text(const char *text, size_t max)
{
	const char *end = memchr(text, '\0', max);

	if (!end)
		return false;
	for (; text < end; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static bool is_boot_id(const char text[static EVENTLOG_BOOT_ID_SIZE])
{
	return text[EVENTLOG_BOOT_ID_SIZE - 1] == '\0' &&
	       strspn(text, "0123456789abcdef") == EVENTLOG_BOOT_ID_SIZE - 1;
}

static bool is_index(enum eventlog_target target, uint32_t index)
{
	if (target == EVENTLOG_PCR)
		return index <= PCR_LAST;
	return target == EVENTLOG_NV_INDEX && index >= NV_INDEX_FIRST &&
	       index <= NV_INDEX_LAST;
}

/* At least one digest, and none twice of the same algorithm. */
static bool are_digests(const struct digest *digests, size_t n_digests)
{
	unsigned int seen = 0;

	if (n_digests < 1 || n_digests > DIGEST_ALG_MAX)
		return false;
	for (size_t i = 0; i < n_digests; i++) {
		if ((unsigned int)digests[i].alg >= DIGEST_ALG_MAX ||
		    seen & 1U << digests[i].alg)
			return false;
		seen |= 1U << digests[i].alg;
	}
	return true;
}

/**
 * record_is_valid() - the rules for whatever is written and for whatever was read
 */
bool record_is_valid(const struct eventlog_record *record)
{
	return record->recnum <= INT64_MAX && record->timestamp_us <= INT64_MAX &&
	       is_index(record->target, record->index) &&
	       are_digests(record->digests, record->n_digests) &&
	       record_is_text(record->nvpcr_name, sizeof(record->nvpcr_name)) &&
	       (record->target == EVENTLOG_PCR) == !*record->nvpcr_name &&
	       record_is_text(record->word, sizeof(record->word)) && *record->word &&
	       record_is_text(record->event_type, sizeof(record->event_type)) &&
	       *record->event_type && is_boot_id(record->boot_id) &&
	       record_is_text(record->source, sizeof(record->source)) &&
	       record_is_text(record->phase, sizeof(record->phase)) &&
	       record_annotations_ok(record->annotations);
}

/* Moves @value into an object, or frees it. */
static int put(struct json_object *to, const char *key, struct json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_object_add(to, key, value) < 0) {
		(void)json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

static int put_text(struct json_object *to, const char *key, const char *text)
{
	return put(to, key, json_object_new_string(text));
}

static int put_optional_text(struct json_object *to, const char *key, const char *text)
{
	return *text ? put_text(to, key, text) : 0;
}

static int encode_digest(const struct digest *digest, struct json_object *to)
{
	struct json_object *item = json_object_new_object();
	char hex[DIGEST_HEX_MAX];

	if (!item || json_object_array_add(to, item) < 0) {
		(void)json_object_put(item);
		return -ENOMEM;
	}
	digest_to_hex(digest, hex);
	return put_text(item, "hashAlg", digest_alg_name(digest->alg)) ?:
	       put_text(item, "digest", hex);
}

static int encode_digests(const struct eventlog_record *record, struct json_object *to)
{
	struct json_object *digests = json_object_new_array();
	int r;

	r = put(to, "digests", digests);
	for (size_t i = 0; r == 0 && i < record->n_digests; i++)
		r = encode_digest(&record->digests[i], digests);
	return r;
}

static int encode_annotations(struct json_object *annotations, struct json_object *to)
{
	if (!annotations || !json_object_object_length(annotations))
		return 0;
	return put(to, "annotations", json_object_get(annotations));
}

static int encode_content(const struct eventlog_record *record, struct json_object *to)
{
	struct json_object *content = json_object_new_object();

	return put(to, "content", content) ?:
	       put_optional_text(content, "nvIndexName", record->nvpcr_name) ?:
	       put_text(content, "string", record->word) ?:
	       put_text(content, "bootId", record->boot_id) ?:
	       put(content, "timestamp", json_object_new_uint64(record->timestamp_us)) ?:
	       put_text(content, "eventType", record->event_type) ?:
	       put_optional_text(content, "source", record->source) ?:
	       put_optional_text(content, "phase", record->phase) ?:
	       encode_annotations(record->annotations, content);
}

/**
 * eventlog_record_encode() - write a record as text
 * @record:   borrowed for the call
 * @ret:      0x1E, one line of JSON, 0x0A; not terminated by NUL
 * @ret_max:  room in @ret; EVENTLOG_RECORD_MAX is enough for every record whose
 *            annotations were added by eventlog_annotate()
 * @ret_size: size of what was written
 *
 * Return: 0; -EINVAL if the record breaks a rule, such as a word that is empty or not
 * printable ASCII; -EMSGSIZE if it does not fit; -ENOMEM.
 */
int eventlog_record_encode(const struct eventlog_record *record,
			   char *ret, size_t ret_max, size_t *ret_size)
{
	_cleanup_json_ struct json_object *root = NULL;
	const char *index = record->target == EVENTLOG_PCR ? "pcr" : "nv_index";
	const char *text;
	size_t length;
	int r;

	if (!record_is_valid(record))
		return -EINVAL;
	root = json_object_new_object();
	if (!root)
		return -ENOMEM;
	r = put(root, "recnum", json_object_new_uint64(record->recnum)) ?:
	    put(root, index, json_object_new_int64(record->index)) ?:
	    encode_digests(record, root) ?:
	    put_text(root, "content_type", RECORD_CONTENT_TYPE) ?:
	    encode_content(record, root);
	if (r < 0)
		return r;
	text = json_object_to_json_string_length(root, JSON_C_TO_STRING_PLAIN |
						 JSON_C_TO_STRING_NOSLASHESCAPE, &length);
	if (!text)
		return -ENOMEM;
	if (length + 2 > ret_max)
		return -EMSGSIZE;
	ret[0] = RECORD_START;
	memcpy(ret + 1, text, length);
	ret[length + 1] = RECORD_END;
	*ret_size = length + 2;
	return 0;
}

/**
 * record_decode() - eventlog_record_decode() for one record after the other
 * @tokener:   of record_tokener_new()
 * @annotated: false to leave annotations out, which is much faster
 */
int record_decode(struct json_tokener *tokener, const char *text, size_t size,
		  bool annotated, struct eventlog_record *ret)
{
	struct record_claims claims;
	int r;

	ret->annotations = NULL;
	if (!record_scan(text, size, ret, &claims)) {
		r = record_parse(tokener, text, size, ret);
	} else {
		r = record_is_valid(ret) ? 0 : -EBADMSG;
		if (r == 0 && annotated && claims.size) {
			ret->annotations = record_parse_json(tokener, claims.text, claims.size);
			r = ret->annotations ? 0 : -ENOMEM;
		}
	}
	if (r < 0 || !annotated)
		eventlog_record_done(ret);
	return r;
}

/**
 * eventlog_record_decode() - read a record
 * @text: with 0x1E and 0x0A
 * @size: of @text in bytes
 * @ret:  the record, of which eventlog_record_done() releases the annotations; after a
 *        failure its content is undefined and there is nothing to release
 *
 * Return: 0; -EBADMSG if @text is anything else than one record; -ENOMEM.
 */
int eventlog_record_decode(const char *text, size_t size, struct eventlog_record *ret)
{
	_cleanup_tokener_ struct json_tokener *tokener = record_tokener_new();

	ret->annotations = NULL;
	return tokener ? record_decode(tokener, text, size, true, ret) : -ENOMEM;
}

/**
 * eventlog_record_done() - release what a record owns
 * @record: may be used again afterwards
 */
void eventlog_record_done(struct eventlog_record *record)
{
	(void)json_object_put(record->annotations);
	record->annotations = NULL;
}
