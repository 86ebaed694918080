/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ATTEST_PRIVATE_H
#define ATTEST_PRIVATE_H

/* What the files that check evidence share; no door. */
#include "attest/crypto.h"
#include "attest/header.h"
#include "base/cleanup.h"

/**
 * struct attest_allowed - a word that may be measured
 * @sha256: of the word
 * @image:  name of the image that it is the word of; NULL if of none
 */
struct attest_allowed {
	struct digest sha256;
	const char *image;
};

/* Texts that are borrowed from the policy's JSON. */
struct attest_texts {
	const char **texts;
	size_t n;
};

/**
 * struct attest_pcr_rule - what a PCR may hold
 * @given:    the policy says something about it
 * @digests:  values, or digests of events
 */
struct attest_pcr_rule {
	bool given;
	struct digest *digests;
	size_t n;
};

/* How a mode is spelled in a hook's word; measuring only is not spelled. */
enum attest_mode {
	ATTEST_MODE_MEASURE,
	ATTEST_MODE_ENFORCE,
	ATTEST_MODE_SIGNED,
	ATTEST_MODE_MAX,
};

/**
 * struct attest_policy - a policy; see veritally-policy(5)
 * @root:     what the texts are borrowed from
 * @allowed:  ascending by digest
 * @required: names of images, words, or digests
 * @sets:     words of sets
 * @options:  that an image with a signature may be activated with
 * @user:     what words of users may begin with
 * @signers:  keys of the certificates
 * @has_pcrs: the policy says what the boot chain must be
 * @pcrs:     values
 * @events:   what the firmware may have measured
 * @gate_pcr: the gate PCR
 * @gate:     what it may have held before the anchor
 * @sources:  kinds of hook; none if any will do
 * @modes:    bit 1 << enum attest_mode; 0 if any will do
 * @guard:    the hook must guard itself
 * @refuse_removed, @allow_lost, @allow_degraded: how to take such words
 */
struct attest_policy {
	struct json_object *root;
	struct attest_allowed *allowed;
	size_t n_allowed;
	struct attest_texts required;
	struct attest_texts sets;
	struct attest_texts options;
	struct attest_texts user;
	struct attest_crypto_key *signers;
	size_t n_signers;
	bool has_pcrs;
	struct attest_pcr_rule pcrs[ATTEST_PCRS];
	struct attest_pcr_rule events[ATTEST_PCRS];
	uint32_t gate_pcr;
	struct attest_pcr_rule gate;
	struct attest_texts sources;
	unsigned int modes;
	bool guard;
	bool refuse_removed;
	bool allow_lost;
	bool allow_degraded;
};

/* allowed.c: the words that a policy allows */
enum attest_mode attest_policy_mode(const char *text);
int attest_policy_digest(const char *text, struct digest *ret);
void attest_policy_sort(struct attest_policy *policy);
size_t attest_policy_find(const struct attest_policy *policy, const struct digest *sha256);
bool attest_policy_allows(const struct attest_policy *policy, const char *required);

/**
 * struct attest_checking - one check under way
 * @demand:     what it is against
 * @result:     so far
 * @header:     of the evidence
 * @reader:     at the log
 * @replay:     of it
 * @n_anchors:  how many there were
 * @anchor:     the first
 * @gate:       the gate PCR before it, as that record claims
 * @live:       how often each of the policy's allowed words is live
 * @sets_seen:  which of the policy's sets there were
 * @faulty:     the log has a fault that was reported
 * @listening:  a hook that the policy wants is armed
 * @n_unlistened: activations while none was
 * @n_words:    findings about words so far
 * @n_uncovered: records that nothing depends on
 * @uncovered:  the first of them
 */
struct attest_checking {
	const struct attest_demand *demand;
	struct attest_result *result;
	struct attest_header *header;
	struct eventlog_reader *reader;
	struct eventlog_replay replay;
	uint64_t n_anchors;
	struct nvpcr_anchor anchor;
	struct nvpcr_gate gate;
	uint32_t *live;
	bool *sets_seen;
	bool faulty;
	bool listening;
	uint64_t n_unlistened;
	uint64_t n_words;
	uint64_t n_uncovered;
	char uncovered[80];
};

/* check.c */
void attest_find(struct attest_checking *c, enum attest_verdict verdict,
		 const char *condition, const char *expected, const char *meaning,
		 const char *found, ...) _printf_(6, 7);

/* statement.c: what the TPM signed */
void attest_statements_check(struct attest_checking *c);

/* log.c: the records */
int attest_log_check(struct attest_checking *c);

/* word.c: what was measured */
int attest_word_check(struct attest_checking *c, const struct eventlog_record *rec);
void attest_word_finish(struct attest_checking *c);

/* anchor.c: from the log to what the TPM signed */
void attest_anchor_check(struct attest_checking *c);

/* boot.c: before the log */
void attest_boot_check(struct attest_checking *c);

#endif /* ATTEST_PRIVATE_H */
