/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One record of the log as text.
 *
 * Pure.  A record is one line of compact JSON between 0x1E and 0x0A (RFC 7464).
 * Outside annotations every text in it is printable ASCII, so that nothing has to be
 * guessed about how to print, compare or hash it.  is_valid() holds the rules
 * that encoding and decoding share; what decodes therefore always encodes again.
 *
 * Members that are not ours are passed over, so that a later version may add some.  Of
 * members of the same name the last one counts, as json-c has it.
 *
 * Spec: TCG Canonical Event Log Format, "Canonical Event Log Encoding: JSON"; the
 * content members are those of systemd's log of the same kind.
 */
#include "eventlog/record.h"

#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "base/cleanup.h"
#include "base/hex.h"

#define CONTENT_TYPE	"systemd"
#define NESTING_MAX	8	/* of JSON values; a record of ours needs 4 */
#define PCR_LAST	23
#define NV_INDEX_FIRST	0x01000000
#define NV_INDEX_LAST	0x01ffffff

#define _cleanup_json_	_cleanup_(json_putp)

static void json_putp(struct json_object **object)
{
	(void)json_object_put(*object);
}

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

/* The rules for whatever is written and for whatever was read. */
static bool is_valid(const struct eventlog_record *record)
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

	if (!is_valid(record))
		return -EINVAL;
	root = json_object_new_object();
	if (!root)
		return -ENOMEM;
	r = put(root, "recnum", json_object_new_uint64(record->recnum)) ?:
	    put(root, index, json_object_new_int64(record->index)) ?:
	    encode_digests(record, root) ?:
	    put_text(root, "content_type", CONTENT_TYPE) ?:
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
	char type[sizeof(CONTENT_TYPE)];

	if (get_text(root, "content_type", type, sizeof(type)) < 0 ||
	    strcmp(type, CONTENT_TYPE) != 0 ||
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
	    decode_content(root, ret) < 0 || !is_valid(ret))
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

void record_tokener_freep(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

/* Return: what @text is, all of it; NULL if it is not JSON. */
static struct json_object *parse_as(struct json_tokener *tokener, int flags,
				    const char *text, size_t size)
{
	_cleanup_json_ struct json_object *root = NULL;

	json_tokener_reset(tokener);
	json_tokener_set_flags(tokener, flags);
	root = json_tokener_parse_ex(tokener, text, (int)size);
	return json_tokener_get_parse_end(tokener) == size ? take_ptr(root) : NULL;
}

/*
 * The strict mode of json-c 0.18 takes every octet above 0x7f for a control character
 * (its issue 875).  So strictness is asked about the text with those octets masked,
 * which may be in strings only, where they change nothing; and if there are any, the
 * text itself is then read without it.  May go when no distribution has 0.18 any more.
 */
static struct json_object *parse(struct json_tokener *tokener, const char *text,
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
	root = parse(tokener, text + 1, size - 2);
	r = decode(root, ret);
	ret->annotations = r < 0 ? NULL : json_object_get(ret->annotations);
	return r;
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
		r = is_valid(ret) ? 0 : -EBADMSG;
		if (r == 0 && annotated && claims.size) {
			ret->annotations = parse(tokener, claims.text, claims.size);
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
	_cleanup_(record_tokener_freep) struct json_tokener *tokener = record_tokener_new();

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
