/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading records that are written exactly as eventlog_record_encode() writes them.
 *
 * Pure.  json-c allocates each value by itself, which under musl's malloc takes several
 * times as long as all hashing.  Almost every record of a log has the one form that the
 * encoder gives it, and that can be read off in place.  Whatever looks different in the
 * least (a blank, another order, an escape or an octet above 0x7e in an annotation) is
 * left to json-c.  So nothing is refused here, and what is accepted must be what json-c
 * would have made of it; a fuzzer compares the two.
 */
#include "eventlog/record.h"

#include <string.h>

#define NUMBER_DIGITS	18	/* as many as always fit */

struct scan {
	const char *p;
	const char *end;
};

static inline bool match(struct scan *s, const char *literal)
{
	size_t length = strlen(literal);

	if ((size_t)(s->end - s->p) < length || memcmp(s->p, literal, length) != 0)
		return false;
	s->p += length;
	return true;
}

static bool scan_number(struct scan *s, uint64_t *ret)
{
	const char *start = s->p;
	uint64_t value = 0;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9' && s->p - start < NUMBER_DIGITS)
		value = 10 * value + (uint64_t)(*s->p++ - '0');
	*ret = value;
	return s->p > start && (*start != '0' || s->p == start + 1);
}

/* Printable ASCII between quotes, with no escapes but \" and \\. */
static bool scan_text(struct scan *s, char *ret, size_t ret_max)
{
	if (!match(s, "\""))
		return false;
	for (size_t i = 0; s->p < s->end && i < ret_max; i++) {
		char c = *s->p++;

		if (c == '"') {
			ret[i] = '\0';
			return true;
		}
		if (c == '\\' && s->p < s->end)
			c = *s->p == '"' || *s->p == '\\' ? *s->p++ : '\0';
		if (c < ' ' || c > '~')
			return false;
		ret[i] = c;
	}
	return false;
}

static bool scan_optional_text(struct scan *s, const char *name, char *ret,
			       size_t ret_max)
{
	*ret = '\0';
	return !match(s, name) || scan_text(s, ret, ret_max);
}

static bool scan_digests(struct scan *s, struct eventlog_record *ret)
{
	char name[16], hex[DIGEST_HEX_MAX];

	for (ret->n_digests = 0; ret->n_digests < DIGEST_ALG_MAX; ret->n_digests++) {
		enum digest_alg alg;

		if (!match(s, ret->n_digests ? ",{\"hashAlg\":" : "{\"hashAlg\":"))
			break;
		if (!scan_text(s, name, sizeof(name)) || !match(s, ",\"digest\":") ||
		    !scan_text(s, hex, sizeof(hex)) || !match(s, "}"))
			return false;
		alg = digest_alg_from_name(name);
		if (alg < 0 || digest_from_hex(alg, hex, &ret->digests[ret->n_digests]) < 0)
			return false;
	}
	return match(s, "]");
}

static bool skip_plain_text(struct scan *s)
{
	if (!match(s, "\""))
		return false;
	while (s->p < s->end && *s->p >= ' ' && *s->p <= '~' && *s->p != '"' &&
	       *s->p != '\\')
		s->p++;
	return match(s, "\"");
}

static bool skip_annotations(struct scan *s)
{
	uint64_t number;

	do {
		if (match(s, "\"\"") || !skip_plain_text(s) || !match(s, ":") ||
		    !(skip_plain_text(s) || scan_number(s, &number)))
			return false;
	} while (match(s, ","));
	return match(s, "}");
}

static bool scan_content(struct scan *s, struct eventlog_record *ret,
			 struct record_claims *ret_claims)
{
	if (!scan_optional_text(s, "\"nvIndexName\":", ret->nvpcr_name,
				sizeof(ret->nvpcr_name)) ||
	    !match(s, *ret->nvpcr_name ? ",\"string\":" : "\"string\":") ||
	    !scan_text(s, ret->word, sizeof(ret->word)) ||
	    !match(s, ",\"bootId\":") || !scan_text(s, ret->boot_id, sizeof(ret->boot_id)) ||
	    !match(s, ",\"timestamp\":") || !scan_number(s, &ret->timestamp_us) ||
	    !match(s, ",\"eventType\":") ||
	    !scan_text(s, ret->event_type, sizeof(ret->event_type)) ||
	    !scan_optional_text(s, ",\"source\":", ret->source, sizeof(ret->source)) ||
	    !scan_optional_text(s, ",\"phase\":", ret->phase, sizeof(ret->phase)))
		return false;
	*ret_claims = (struct record_claims){ s->p, 0 };
	if (match(s, ",\"annotations\":{")) {
		ret_claims->text = s->p - 1;
		if (!skip_annotations(s))
			return false;
		ret_claims->size = (size_t)(s->p - ret_claims->text);
	}
	return match(s, "}");
}

/**
 * record_scan() - read a record off a text that is exactly as we write it
 * @text:       with 0x1E and 0x0A
 * @size:       of @text in bytes
 * @ret:        the record, but for its annotations; undefined if false is returned
 * @ret_claims: in @text: the annotations as JSON; empty if there are none
 *
 * Return: true; false if it takes a JSON parser to tell what @text is.
 */
bool record_scan(const char *text, size_t size, struct eventlog_record *ret,
		 struct record_claims *ret_claims)
{
	struct scan s = { text, text + size };
	uint64_t index;

	if (size > EVENTLOG_RECORD_MAX || !match(&s, "\x1e{\"recnum\":") ||
	    !scan_number(&s, &ret->recnum))
		return false;
	ret->target = match(&s, ",\"pcr\":") ? EVENTLOG_PCR : EVENTLOG_NV_INDEX;
	if (ret->target == EVENTLOG_NV_INDEX && !match(&s, ",\"nv_index\":"))
		return false;
	if (!scan_number(&s, &index) || index > UINT32_MAX || !match(&s, ",\"digests\":[") ||
	    !scan_digests(&s, ret) ||
	    !match(&s, ",\"content_type\":\"" RECORD_CONTENT_TYPE "\",\"content\":{") ||
	    !scan_content(&s, ret, ret_claims))
		return false;
	ret->index = (uint32_t)index;
	return match(&s, "}\n") && s.p == s.end;
}
