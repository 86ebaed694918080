/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is what was measured what the policy wants?
 *
 * Every word after the anchor has to be one that the policy allows; words that it knows
 * nothing about are refused.  Annotations are claims: one of them may bring a signature,
 * which proves itself, and others name an image in what is reported.
 */
#include "attest/private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"

#define FINDINGS_MAX	100	/* about words, one by one */
#define SIGNATURE_MAX	EVENTLOG_ANNOTATIONS_MAX

static const char *after(const char *word, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(word, prefix, length) == 0 ? word + length : NULL;
}

/* What the record claims to be about; empty if it claims nothing. */
static const char *claim(const struct eventlog_record *rec)
{
	static const char *const keys[] = { "image", "backingFile", "dmName" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *text = eventlog_annotation(rec, keys[i]);

		if (text)
			return text;
	}
	return "";
}

/* Reports a word; after many of them only counts. */
static int refuse(struct attest_checking *c, const struct eventlog_record *rec,
		  const char *condition, const char *expected, const char *meaning)
{
	const char *name;
	int r;

	if (c->n_words++ >= FINDINGS_MAX) {
		c->result->verdict = ATTEST_NOT_TRUSTED;
		c->result->n_findings++;
		return 0;
	}
	r = eventlog_reader_annotate(c->reader);
	if (r < 0 && r != -EBADMSG)
		return r;
	name = r == 0 ? claim(rec) : "";
	attest_find(c, ATTEST_NOT_TRUSTED, condition, expected, meaning,
		    *name ? "record %" PRIu64 ": %s, which claims to be %s"
			  : "record %" PRIu64 ": %s%s", rec->recnum, rec->word, name);
	return 0;
}

static bool is_among(const struct attest_texts *texts, const char *text, size_t length)
{
	for (size_t i = 0; i < texts->n; i++)
		if (strlen(texts->texts[i]) == length &&
		    memcmp(texts->texts[i], text, length) == 0)
			return true;
	return false;
}

/* An index of struct attest_checking::live; SIZE_MAX if the word is not allowed. */
static size_t find_allowed(const struct attest_checking *c, const char *word)
{
	struct digest digest;

	digest_compute(DIGEST_SHA256, word, strlen(word), &digest);
	return attest_policy_find(c->demand->policy, &digest);
}

/* An activation's word has twelve fields, of which these count here. */
struct fields {
	const char *root_hash;
	size_t root_hash_size;
	const char *options;
	size_t options_size;
};

static bool split(const char *word, struct fields *ret)
{
	static const char prefix[] = "dm-verity:v1:";
	const char *field = word + sizeof(prefix) - 1;

	*ret = (struct fields){ 0 };
	for (size_t i = 0; *field; i++) {
		size_t length = strcspn(field, ":");

		if (i == 2) {
			ret->root_hash = field;
			ret->root_hash_size = length;
		} else if (i == 7) {
			ret->options = field;
			ret->options_size = length;
		}
		field += length;
		field += *field == ':';
	}
	return ret->options;
}

static bool may_have(const struct attest_policy *policy, const struct fields *fields)
{
	const char *option = fields->options, *end = option + fields->options_size;

	if (fields->options_size == 1 && *option == '-')
		return true;
	while (option < end) {
		size_t length = strcspn(option, ",:");

		if (!is_among(&policy->options, option, length))
			return false;
		option += length + 1;
	}
	return true;
}

/* Whether one of the policy's signers signed what was activated; a negative errno. */
static int is_signed(struct attest_checking *c, const struct eventlog_record *rec)
{
	const struct attest_policy *policy = c->demand->policy;
	uint8_t signature[SIGNATURE_MAX];
	struct fields fields;
	const char *text;
	size_t size;
	int r;

	if (!policy->n_signers || !split(rec->word, &fields) || !may_have(policy, &fields))
		return 0;
	r = eventlog_reader_annotate(c->reader);
	if (r < 0)
		return r == -EBADMSG ? 0 : r;
	text = eventlog_annotation(rec, "signature");
	if (!text || base64_decode(text, strlen(text), signature, sizeof(signature), &size) < 0)
		return 0;
	return attest_pkcs7_verify(signature, size, fields.root_hash, fields.root_hash_size,
				   policy->signers, policy->n_signers) == 0;
}

static int check_activation(struct attest_checking *c, const struct eventlog_record *rec)
{
	size_t i = find_allowed(c, rec->word);
	int r;

	c->result->n_activations++;
	if (!c->listening)
		c->n_unlistened++;
	if (i != SIZE_MAX) {
		c->live[i]++;
		return 0;
	}
	r = is_signed(c, rec);
	if (r != 0)
		return r < 0 ? r : 0;
	return refuse(c, rec, "image", c->demand->policy->n_signers ?
		      "an image that the policy allows, or that one of its signers signed" :
		      "an image that the policy allows",
		      "something else than the wanted images was activated");
}

static int check_removal(struct attest_checking *c, const struct eventlog_record *rec,
			 const char *word)
{
	size_t i = find_allowed(c, word);

	if (i != SIZE_MAX && c->live[i])
		c->live[i]--;
	else if (i != SIZE_MAX)
		return refuse(c, rec, "removed", "an activation before it",
			      "the log tells of a removal of what was not there");
	return c->demand->policy->refuse_removed ?
	       refuse(c, rec, "removed", "no removal", "an image is not there any more") : 0;
}

/* A lost hook's word tells what state it was in, but it is in none any more. */
static bool is_wanted_kind(const struct attest_policy *policy, const char *kind, size_t length)
{
	return policy->sources.n ? is_among(&policy->sources, kind, length)
				 : !after(kind, "lost-");
}

static bool is_wanted_hook(const struct attest_policy *policy, const char *rest)
{
	size_t kind = strcspn(rest, ":");
	const char *tag = rest + kind + (rest[kind] == ':');
	const char *options = tag + strcspn(tag, ":");
	enum attest_mode mode = ATTEST_MODE_MEASURE;
	bool guard = false;

	while (*options) {
		char option[16];
		size_t length = strcspn(++options, ",");

		(void)snprintf(option, sizeof(option), "%.*s", (int)length, options);
		if (attest_policy_mode(option) != ATTEST_MODE_MAX)
			mode = attest_policy_mode(option);
		guard |= strcmp(option, "guard") == 0;
		options += length;
	}
	return is_wanted_kind(policy, rest, kind) &&
	       (!policy->modes || policy->modes & 1U << mode) && (!policy->guard || guard);
}

static bool wants_hook(const struct attest_policy *policy)
{
	return policy->sources.n || policy->modes || policy->guard;
}

static int check_hook(struct attest_checking *c, const struct eventlog_record *rec,
		      const char *rest)
{
	if (!wants_hook(c->demand->policy))
		return 0;
	c->listening = is_wanted_hook(c->demand->policy, rest);
	if (c->listening)
		return 0;
	return refuse(c, rec, "source", "a source, a mode and a guard that the policy wants",
		      "activations may not have been seen in time, or not have been refused");
}

static bool same_phase(const char *set, const char *other)
{
	size_t length = strlen("set:v1:");

	length += strcspn(set + length, ":");
	return strncmp(set, other, length + 1) == 0;
}

static int check_set(struct attest_checking *c, const struct eventlog_record *rec)
{
	const struct attest_texts *sets = &c->demand->policy->sets;
	bool wanted = false;

	for (size_t i = 0; i < sets->n; i++) {
		wanted |= same_phase(sets->texts[i], rec->word);
		if (strcmp(sets->texts[i], rec->word) == 0) {
			c->sets_seen[i] = true;
			return 0;
		}
	}
	return wanted ? refuse(c, rec, "set", "a set that the policy names for this phase",
			       "other images were there than should have been") : 0;
}

/* Whether there was a set for the phase of set @i; reports it if @i is the first of it. */
static void check_phase(struct attest_checking *c, size_t i)
{
	const struct attest_texts *sets = &c->demand->policy->sets;
	bool seen = false;

	for (size_t k = 0; k < sets->n; k++) {
		if (!same_phase(sets->texts[i], sets->texts[k]))
			continue;
		if (k < i)
			return;
		seen |= c->sets_seen[k];
	}
	if (!seen)
		attest_find(c, ATTEST_NOT_TRUSTED, "set", sets->texts[i],
			    "the boot did not get there with these images",
			    "no such record");
}

static bool is_users(const struct attest_policy *policy, const char *word)
{
	for (size_t i = 0; i < policy->user.n; i++)
		if (after(word, policy->user.texts[i]))
			return true;
	return false;
}

static int check_degraded(struct attest_checking *c, const struct eventlog_record *rec)
{
	if (after(rec->word, "degraded:v1:log:"))
		return refuse(c, rec, "degraded", "a TPM all the time",
			      "the TPM was lost: nothing vouches for what follows");
	return c->demand->policy->allow_degraded ? 0 :
	       refuse(c, rec, "degraded", "an NV index for each NvPCR",
		      "the policy does not take an NvPCR that fell to the gate PCR");
}

static int check_resume(struct attest_checking *c, const struct eventlog_record *rec)
{
	uint32_t pcr;
	int r = eventlog_replay_resume(&c->replay, rec->word, c->gate.pcr, &pcr);

	return r != -EBADMSG ? r :
	       refuse(c, rec, "log", "where the log had the PCR",
		      "records that extended this PCR are not vouched for");
}

/**
 * attest_word_check() - check a word that comes after the anchor
 * @rec: borrowed from the reader; is read again if its annotations are needed
 *
 * Return: 0, whatever was found; -ENOMEM.
 */
int attest_word_check(struct attest_checking *c, const struct eventlog_record *rec)
{
	const struct attest_policy *policy = c->demand->policy;
	const char *rest;

	if (after(rec->word, "dm-verity:v1:"))
		return check_activation(c, rec);
	if ((rest = after(rec->word, "removed:v1:")))
		return check_removal(c, rec, rest);
	if (after(rec->word, "set:v1:"))
		return check_set(c, rec);
	if ((rest = after(rec->word, "hook:v1:")))
		return check_hook(c, rec, rest);
	if (after(rec->word, "degraded:v1:"))
		return check_degraded(c, rec);
	if (after(rec->word, EVENTLOG_RESUME_PREFIX))
		return check_resume(c, rec);
	if (after(rec->word, "share:v1:"))
		return 0;		/* of an index that no word of ours goes to */
	if (after(rec->word, "lost:v1:"))
		return policy->allow_lost ? 0 :
		       refuse(c, rec, "lost", "nothing lost",
			      "something may have been activated that is not in the log");
	if (is_users(policy, rec->word) || find_allowed(c, rec->word) != SIZE_MAX)
		return 0;
	return refuse(c, rec, "word", "a word that the policy allows",
		      "the policy does not know it");
}

static bool is_live(const struct attest_checking *c, const char *required)
{
	const struct attest_policy *policy = c->demand->policy;
	struct digest digest;
	bool is_image = false;

	for (size_t i = 0; i < policy->n_allowed; i++) {
		const struct attest_allowed *allowed = &policy->allowed[i];

		if (!allowed->image || strcmp(allowed->image, required) != 0)
			continue;
		is_image = true;
		if (c->live[attest_policy_find(policy, &allowed->sha256)])
			return true;
	}
	return !is_image && attest_policy_digest(required, &digest) == 0 &&
	       c->live[attest_policy_find(policy, &digest)];
}

/**
 * attest_word_finish() - check what must have been measured, after the log was read
 */
void attest_word_finish(struct attest_checking *c)
{
	const struct attest_policy *policy = c->demand->policy;

	if (c->n_words > FINDINGS_MAX)
		attest_find(c, ATTEST_NOT_TRUSTED, "word", "words that the policy allows",
			    "only the first are shown", "%" PRIu64 " more records",
			    c->n_words - FINDINGS_MAX);
	for (size_t i = 0; i < policy->required.n; i++)
		if (!is_live(c, policy->required.texts[i]))
			attest_find(c, ATTEST_NOT_TRUSTED, "required",
				    policy->required.texts[i],
				    "it was not activated, or is gone again",
				    "it is not live");
	for (size_t i = 0; i < policy->sets.n; i++)
		check_phase(c, i);
	if (wants_hook(policy) && c->n_unlistened)
		attest_find(c, ATTEST_NOT_TRUSTED, "source",
			    "a hook that the policy wants before any activation",
			    "nobody was there to see them in time",
			    "%" PRIu64 " activations without", c->n_unlistened);
	if (wants_hook(policy) && !c->listening)
		attest_find(c, ATTEST_NOT_TRUSTED, "source", "a hook that the policy wants",
			    "activations may not be seen now", "none at the end of the log");
}
