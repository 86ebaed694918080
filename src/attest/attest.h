/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ATTEST_ATTEST_H
#define ATTEST_ATTEST_H

/*
 * Proof for somebody else: what a TPM signs about a boot, and what follows from it.
 *
 * Functions here never print.  Evidence is hostile: whatever is in it was sent by the
 * machine that is judged, and only what the attestation key signs, or what folds to a
 * signed value, counts.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attest/ak.h"
#include "base/digest.h"

#define ATTEST_HEADER_MAX	(16U << 20)	/* bytes: everything but the log's records */
#define ATTEST_KEY_FILE_MAX	8192		/* bytes of a file with a public key */
#define ATTEST_POLICY_MAX	(64U << 20)	/* bytes */
#define ATTEST_REASON_MAX	256		/* bytes, with NUL */

/* policy.c: what a verifier wants to see; veritally-policy(5) */
struct attest_policy;

int attest_policy_parse(const char *text, size_t size, struct attest_policy **ret,
			char ret_reason[static ATTEST_REASON_MAX]);
void attest_policy_free(struct attest_policy **policy);

/* check.c */

/* What checking came to; the worst finding decides. */
enum attest_verdict {
	ATTEST_TRUSTED,
	ATTEST_CANNOT_TELL,	/* the verifier did not say what it takes to tell */
	ATTEST_NOT_TRUSTED,
};

/**
 * struct attest_finding - a condition that is not met
 * @verdict:   what it leads to
 * @condition: its name, a word; see veritally(8)
 * @expected, @found: may hold what the evidence claims, which may be any octets
 * @meaning:   one sentence, no full stop
 */
struct attest_finding {
	enum attest_verdict verdict;
	const char *condition;
	const char *expected;
	const char *found;
	const char *meaning;
};

/**
 * struct attest_demand - what evidence is checked against
 * @policy:     see attest_policy_parse()
 * @nonce:      what the TPM was to sign; NULL if it is not known
 * @nonce_size: of @nonce in bytes
 * @key:        the attestation key: PEM of the public key, or a TPM2B_PUBLIC; NULL if
 *              it is not known
 * @key_size:   of @key in bytes
 * @report:     called with each finding as soon as there is one
 * @ctx:        argument of @report
 */
struct attest_demand {
	const struct attest_policy *policy;
	const uint8_t *nonce;
	size_t nonce_size;
	const uint8_t *key;
	size_t key_size;
	void (*report)(void *ctx, const struct attest_finding *finding);
	void *ctx;
};

/* What was checked. */
struct attest_result {
	enum attest_verdict verdict;
	uint64_t n_findings;
	uint64_t n_records;
	uint64_t n_activations;
	char boot_id[33];	/* as the log claims; empty if it has no record */
};

int attest_check(int fd, const struct attest_demand *demand, struct attest_result *ret);

#endif /* ATTEST_ATTEST_H */
