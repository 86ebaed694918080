/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A policy: what a verifier wants to see; veritally-policy(5).  Pure.
 *
 * Strict, because a member that is misspelled would be one that is not looked at: what is
 * not known is refused.
 */
#include "attest/private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/number.h"

#define DEPTH_MAX	6	/* of JSON values; a policy needs 4 */
#define VERSION		1
#define PEM_BEGIN	"-----BEGIN CERTIFICATE-----"
#define PEM_END		"-----END CERTIFICATE-----"

/* The state of one reading. */
struct reading {
	struct attest_policy *policy;
	char *reason;
};

static int _printf_(2, 3) refuse(struct reading *reading, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(reading->reason, ATTEST_REASON_MAX, format, args);
	va_end(args);
	return -EBADMSG;
}

/* The text of a JSON string; NULL if it is none, or has a NUL in it. */
static const char *text_of(struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

/* How many are in an array; -EBADMSG if it is none. */
static int count(struct reading *reading, const char *key, struct json_object *array,
		 size_t *ret)
{
	if (!json_object_is_type(array, json_type_array))
		return refuse(reading, "'%s' is not an array", key);
	*ret = json_object_array_length(array);
	return 0;
}

static int take_texts(struct reading *reading, const char *key, struct json_object *array,
		      struct attest_texts *ret)
{
	size_t n = 0;
	int r = count(reading, key, array, &n);

	if (r < 0)
		return r;
	ret->texts = calloc(n + 1, sizeof(*ret->texts));
	if (!ret->texts)
		return -ENOMEM;
	for (; ret->n < n; ret->n++) {
		const char *text = text_of(json_object_array_get_idx(array, ret->n));

		if (!text || !*text)
			return refuse(reading, "'%s' has something else than texts", key);
		ret->texts[ret->n] = text;
	}
	return 0;
}

static int allow(struct reading *reading, const char *key, struct json_object *array,
		 const char *image)
{
	struct attest_policy *policy = reading->policy;
	struct attest_allowed *more;
	size_t n = 0;
	int r = count(reading, key, array, &n);

	if (r < 0)
		return r;
	more = realloc(policy->allowed, (policy->n_allowed + n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	policy->allowed = more;
	for (size_t i = 0; i < n; i++) {
		const char *text = text_of(json_object_array_get_idx(array, i));
		struct attest_allowed *allowed = &policy->allowed[policy->n_allowed];

		if (!text || attest_policy_digest(text, &allowed->sha256) < 0)
			return refuse(reading, "'%s' has something else than words and "
				      "digests", key);
		allowed->image = image;
		policy->n_allowed++;
	}
	return 0;
}

static int take_images(struct reading *reading, struct json_object *images)
{
	int r = 0;

	if (!json_object_is_type(images, json_type_object))
		return refuse(reading, "'images' is not an object");
	json_object_object_foreach(images, name, words) {
		if (r == 0)
			r = allow(reading, "images", words, name);
	}
	return r;
}

static int take_words(struct reading *reading, struct json_object *words)
{
	return allow(reading, "words", words, NULL);
}

static int take_required(struct reading *reading, struct json_object *value)
{
	return take_texts(reading, "required", value, &reading->policy->required);
}

static int take_sets(struct reading *reading, struct json_object *value)
{
	struct attest_texts *sets = &reading->policy->sets;
	int r = take_texts(reading, "sets", value, sets);

	for (size_t i = 0; r == 0 && i < sets->n; i++)
		if (strncmp(sets->texts[i], "set:v1:", strlen("set:v1:")) != 0)
			r = refuse(reading, "'sets' has something else than words of sets");
	return r;
}

static int take_options(struct reading *reading, struct json_object *value)
{
	return take_texts(reading, "options", value, &reading->policy->options);
}

static int take_user(struct reading *reading, struct json_object *value)
{
	struct attest_texts *user = &reading->policy->user;
	int r = take_texts(reading, "user", value, user);

	for (size_t i = 0; r == 0 && i < user->n; i++)
		if (strncmp(user->texts[i], "user:v1:", strlen("user:v1:")) != 0)
			r = refuse(reading, "'user' has something else than beginnings of "
				   "users' words");
	return r;
}

/* The octets between the lines of PEM. */
static int decode_pem(const char *text, uint8_t *ret, size_t ret_max, size_t *ret_size)
{
	const char *begin = strstr(text, PEM_BEGIN), *end = strstr(text, PEM_END);
	_cleanup_free_ char *digits = NULL;
	size_t n = 0;

	if (!begin || !end || end < begin + strlen(PEM_BEGIN) || strstr(end + 1, PEM_BEGIN))
		return -EBADMSG;
	digits = malloc((size_t)(end - begin));
	if (!digits)
		return -ENOMEM;
	for (begin += strlen(PEM_BEGIN); begin < end; begin++)
		if (!strchr(" \t\r\n", *begin))
			digits[n++] = *begin;
	return base64_decode(digits, n, ret, ret_max, ret_size);
}

static int take_signers(struct reading *reading, struct json_object *array)
{
	struct attest_policy *policy = reading->policy;
	uint8_t der[ATTEST_KEY_FILE_MAX];
	size_t n = 0, size;
	int r = count(reading, "signers", array, &n);

	if (r < 0)
		return r;
	policy->signers = calloc(n + 1, sizeof(*policy->signers));
	if (!policy->signers)
		return -ENOMEM;
	for (; policy->n_signers < n; policy->n_signers++) {
		const char *text = text_of(json_object_array_get_idx(array,
								     policy->n_signers));

		r = text ? decode_pem(text, der, sizeof(der), &size) : -EBADMSG;
		if (r == 0)
			r = attest_pkcs7_certificate(der, size,
						     &policy->signers[policy->n_signers]);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			return refuse(reading, "'signers' has something else than a "
				      "certificate in PEM, for RSA of 2048 bits or more, P-256 "
				      "or P-384");
	}
	return 0;
}

static int take_digests(struct reading *reading, const char *key,
			struct json_object *array, struct attest_pcr_rule *ret)
{
	size_t n = 0;
	int r = count(reading, key, array, &n);

	if (r < 0)
		return r;
	free(ret->digests);
	*ret = (struct attest_pcr_rule){ .given = true };
	ret->digests = calloc(n + 1, sizeof(*ret->digests));
	if (!ret->digests)
		return -ENOMEM;
	for (; ret->n < n; ret->n++) {
		const char *hex = text_of(json_object_array_get_idx(array, ret->n));
		enum digest_alg alg = DIGEST_SHA1;

		while (hex && alg < DIGEST_ALG_MAX && 2 * digest_size(alg) != strlen(hex))
			alg++;
		if (!hex || alg == DIGEST_ALG_MAX ||
		    digest_from_hex(alg, hex, &ret->digests[ret->n]) < 0)
			return refuse(reading, "'%s' has something else than digests", key);
	}
	return 0;
}

static int take_rules(struct reading *reading, const char *key, struct json_object *pcrs,
		      struct attest_pcr_rule rules[static ATTEST_PCRS])
{
	uint64_t pcr;
	int r = 0;

	reading->policy->has_pcrs = true;
	if (!json_object_is_type(pcrs, json_type_object))
		return refuse(reading, "'%s' is not an object", key);
	json_object_object_foreach(pcrs, number, digests) {
		if (r < 0)
			break;
		r = number_parse(number, ATTEST_PCRS - 1, &pcr) < 0 ?
		    refuse(reading, "'%s' has something else than PCRs", key) :
		    take_digests(reading, key, digests, &rules[pcr]);
	}
	return r;
}

static int take_pcrs(struct reading *reading, struct json_object *value)
{
	return take_rules(reading, "pcrs", value, reading->policy->pcrs);
}

static int take_events(struct reading *reading, struct json_object *value)
{
	return take_rules(reading, "events", value, reading->policy->events);
}

static int take_gate(struct reading *reading, struct json_object *value)
{
	return take_digests(reading, "gate", value, &reading->policy->gate);
}

static int take_gate_pcr(struct reading *reading, struct json_object *value)
{
	int64_t pcr = json_object_get_int64(value);

	if (!json_object_is_type(value, json_type_int) || pcr < 0 || pcr >= ATTEST_PCRS ||
	    nvpcr_gate_check((unsigned int)pcr, true) < 0)
		return refuse(reading, "'gate_pcr' is no PCR that can be the gate");
	reading->policy->gate_pcr = (uint32_t)pcr;
	return 0;
}

static int take_sources(struct reading *reading, struct json_object *value)
{
	return take_texts(reading, "sources", value, &reading->policy->sources);
}

static int take_modes(struct reading *reading, struct json_object *array)
{
	size_t n = 0;
	int r = count(reading, "modes", array, &n);

	for (size_t i = 0; r == 0 && i < n; i++) {
		enum attest_mode mode = attest_policy_mode(
			text_of(json_object_array_get_idx(array, i)));

		if (mode == ATTEST_MODE_MAX)
			r = refuse(reading, "'modes' has something else than measure, enforce "
				   "and signed");
		else
			reading->policy->modes |= 1U << mode;
	}
	return r;
}

static int take_guard(struct reading *reading, struct json_object *value)
{
	if (!json_object_is_type(value, json_type_boolean))
		return refuse(reading, "'guard' is not true or false");
	reading->policy->guard = json_object_get_boolean(value);
	return 0;
}

static int take_choice(struct reading *reading, const char *key, struct json_object *value,
		       bool *ret_allow)
{
	const char *text = text_of(value);

	if (!text || (strcmp(text, "allow") != 0 && strcmp(text, "refuse") != 0))
		return refuse(reading, "'%s' is neither \"allow\" nor \"refuse\"", key);
	*ret_allow = *text == 'a';
	return 0;
}

static int take_removed(struct reading *reading, struct json_object *value)
{
	bool allowed = true;
	int r = take_choice(reading, "removed", value, &allowed);

	reading->policy->refuse_removed = !allowed;
	return r;
}

static int take_lost(struct reading *reading, struct json_object *value)
{
	return take_choice(reading, "lost", value, &reading->policy->allow_lost);
}

static int take_degraded(struct reading *reading, struct json_object *value)
{
	return take_choice(reading, "degraded", value, &reading->policy->allow_degraded);
}

static int take_version(struct reading *reading, struct json_object *value)
{
	return json_object_is_type(value, json_type_int) &&
	       json_object_get_int64(value) == VERSION ? 0 :
	       refuse(reading, "'veritally-policy' is not %d", VERSION);
}

static const struct {
	const char *key;
	int (*take)(struct reading *reading, struct json_object *value);
} members[] = {
	{ "veritally-policy", take_version },
	{ "images", take_images },	{ "words", take_words },
	{ "required", take_required },	{ "sets", take_sets },
	{ "signers", take_signers },	{ "options", take_options },
	{ "pcrs", take_pcrs },		{ "events", take_events },
	{ "gate_pcr", take_gate_pcr },	{ "gate", take_gate },
	{ "sources", take_sources },	{ "modes", take_modes },
	{ "guard", take_guard },	{ "user", take_user },
	{ "removed", take_removed },	{ "lost", take_lost },
	{ "degraded", take_degraded },
};

static int take_member(struct reading *reading, const char *key, struct json_object *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (strcmp(key, members[i].key) == 0)
			return members[i].take(reading, value);
	return refuse(reading, "'%s' is not known", key);
}

static int take_all(struct reading *reading, struct json_object *root)
{
	int r = 0;

	if (!json_object_is_type(root, json_type_object))
		return refuse(reading, "it is not an object");
	if (!json_object_object_get_ex(root, members[0].key, NULL))
		return refuse(reading, "'%s' is missing", members[0].key);
	json_object_object_foreach(root, key, value) {
		if (r == 0)
			r = take_member(reading, key, value);
	}
	return r;
}

/**
 * attest_policy_parse() - read a policy
 * @text:       JSON
 * @size:       of @text in bytes
 * @ret:        the policy, for attest_policy_free()
 * @ret_reason: with -EBADMSG, what is wrong
 *
 * Return: 0; -EBADMSG; -ENOMEM.
 */
int attest_policy_parse(const char *text, size_t size, struct attest_policy **ret,
			char ret_reason[static ATTEST_REASON_MAX])
{
	_cleanup_(attest_policy_free) struct attest_policy *policy =
		calloc(1, sizeof(*policy));
	struct reading reading = { .policy = policy, .reason = ret_reason };
	int r;

	if (!policy)
		return -ENOMEM;
	policy->gate_pcr = NVPCR_GATE_DEFAULT;
	r = json_parse(text, size, DEPTH_MAX, &policy->root);
	if (r == -EBADMSG)
		return refuse(&reading, "it is not JSON");
	if (r == 0)
		r = take_all(&reading, policy->root);
	if (r < 0)
		return r;
	attest_policy_sort(policy);
	for (size_t i = 0; i < policy->required.n; i++)
		if (!attest_policy_allows(policy, policy->required.texts[i]))
			return refuse(&reading, "'required' has something that is not allowed: "
				      "%s", policy->required.texts[i]);
	*ret = take_ptr(policy);
	return 0;
}

/**
 * attest_policy_free() - free a policy
 * @policy: may point to NULL; is NULL afterwards
 */
void attest_policy_free(struct attest_policy **policy)
{
	struct attest_policy *p = take_ptr(*policy);

	if (!p)
		return;
	for (size_t i = 0; i < ATTEST_PCRS; i++) {
		free(p->pcrs[i].digests);
		free(p->events[i].digests);
	}
	free(p->gate.digests);
	free(p->allowed);
	free(p->required.texts);
	free(p->sets.texts);
	free(p->options.texts);
	free(p->user.texts);
	free(p->sources.texts);
	free(p->signers);
	(void)json_object_put(p->root);
	free(p);
}
