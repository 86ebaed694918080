/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is what the TPM is said to have signed really signed by it, now, and of one moment?
 *
 * A restricted key signs nothing that begins like a statement of the TPM and is none, so
 * a good signature makes a statement the TPM's.  The nonce makes it a new one, equal
 * counters make all of them of one boot, and the audit session makes them one snapshot:
 * its digest is over every command and answer, and it is exclusive only if the TPM ran
 * no other command in between.
 *
 * Spec: TCG TPM 2.0 Library, Part 1, "Audit Session"; Part 2, "Attestation Structures"
 */
#include "attest/private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"

/* TPMA_OBJECT of a key that signs only what the TPM itself says. */
#define KEY_WANTED	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |		\
			 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_RESTRICTED |	\
			 TPMA_OBJECT_SIGN_ENCRYPT)
#define KEY_UNWANTED	TPMA_OBJECT_DECRYPT

#define HEX_MAX		(2 * TPM_NAME_MAX + 1)

static void to_hex(const uint8_t *data, size_t size, char ret[static HEX_MAX])
{
	hex_encode(data, size < TPM_NAME_MAX ? size : TPM_NAME_MAX, ret);
}

/* Without line ends and blanks, of which programs write more or less. */
static bool same_text(const char *a, const char *b, size_t b_size)
{
	for (const char *end = b + b_size; b < end; b++) {
		if (strchr(" \t\r\n", *b) && *b)
			continue;
		a += strspn(a, " \n");
		if (!*a || *a++ != *b)
			return false;
	}
	return a[strspn(a, "\n")] == '\0';
}

/* Whether what should be a key to compare with can be one at all. */
static bool is_key(const uint8_t *data, size_t size)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----";
	struct attest_public public;

	return memmem(data, size, pem, sizeof(pem) - 1) ||
	       attest_public_parse(data, size, &public) == 0;
}

static void check_key(struct attest_checking *c)
{
	const struct attest_demand *demand = c->demand;
	const struct attest_header *header = c->header;
	char pem[ATTEST_PEM_MAX], name[HEX_MAX];
	uint32_t attributes = header->ak.attributes;

	to_hex(header->ak_name.bytes, header->ak_name.size, name);
	attest_public_pem(&header->ak, pem);
	if (!demand->key)
		attest_find(c, ATTEST_CANNOT_TELL, "ak", "a key that is known to be in a TPM",
			    "without --ak anybody may have made this evidence",
			    "the key with the Name %s", name);
	else if (!is_key(demand->key, demand->key_size))
		attest_find(c, ATTEST_CANNOT_TELL, "ak", "a public key, PEM or TPM2B_PUBLIC",
			    "name the file that was kept when the machine was enrolled",
			    "a file of --ak that is neither");
	else if (!same_text(pem, (const char *)demand->key, demand->key_size) &&
		 (header->key.size != demand->key_size ||
		  memcmp(header->key.data, demand->key, demand->key_size) != 0))
		attest_find(c, ATTEST_NOT_TRUSTED, "ak", "the key of --ak",
			    "this evidence is of another machine, or of none",
			    "the key with the Name %s", name);
	if ((attributes & KEY_WANTED) != KEY_WANTED || attributes & KEY_UNWANTED)
		attest_find(c, ATTEST_NOT_TRUSTED, "ak-attributes",
			    "a restricted key that signs, of this TPM alone",
			    "such a key signs whatever it is given",
			    "attributes 0x%08" PRIx32, attributes);
}

static bool is_signed(const struct attest_public *key,
		      const struct attest_statement *statement)
{
	const TPMT_SIGNATURE *by = &statement->signature;
	struct attest_crypto_key public = { .type = ATTEST_CRYPTO_RSA };
	struct attest_crypto_signature signature;
	struct digest digest;

	if (key->type == ATTEST_KEY_ECC && by->sigAlg == TPM2_ALG_ECDSA) {
		public.type = ATTEST_CRYPTO_P256;
		public.n[0] = 4;
		memcpy(public.n + 1, key->x, ATTEST_EC_SIZE);
		memcpy(public.n + 1 + ATTEST_EC_SIZE, key->y, ATTEST_EC_SIZE);
		public.n_size = 1 + 2 * ATTEST_EC_SIZE;
		signature = (struct attest_crypto_signature){
			.scheme = ATTEST_SCHEME_ECDSA,
			.r = by->signature.ecdsa.signatureR.buffer,
			.r_size = by->signature.ecdsa.signatureR.size,
			.s = by->signature.ecdsa.signatureS.buffer,
			.s_size = by->signature.ecdsa.signatureS.size,
		};
	} else if (key->type == ATTEST_KEY_RSA &&
		   (by->sigAlg == TPM2_ALG_RSASSA || by->sigAlg == TPM2_ALG_RSAPSS)) {
		memcpy(public.n, key->modulus, ATTEST_RSA_SIZE);
		public.n_size = ATTEST_RSA_SIZE;
		public.e_size = 4;
		for (size_t i = 0; i < 4; i++)
			public.e[i] = (uint8_t)(key->exponent >> (24 - 8 * i));
		signature = (struct attest_crypto_signature){
			.scheme = by->sigAlg == TPM2_ALG_RSASSA ? ATTEST_SCHEME_RSASSA
								: ATTEST_SCHEME_RSAPSS,
			.r = by->signature.rsassa.sig.buffer,
			.r_size = by->signature.rsassa.sig.size,
		};
	} else {
		return false;
	}
	if (by->signature.any.hashAlg != TPM2_ALG_SHA256)
		return false;
	digest_compute(DIGEST_SHA256, statement->bytes.data, statement->bytes.size, &digest);
	return attest_crypto_verify(&public, &signature, &digest) == 0;
}

static void check_statement(struct attest_checking *c, const char *what,
			    const struct attest_statement *statement, TPM2_ST type)
{
	const struct attest_header *header = c->header;
	const TPMS_ATTEST *attest = &statement->attest;
	char expected[HEX_MAX], found[HEX_MAX];

	if (!is_signed(&header->ak, statement))
		attest_find(c, ATTEST_NOT_TRUSTED, "signature",
			    "a signature over SHA-256 by the evidence's key",
			    "what it says may have been said by anybody",
			    "the signature of the %s, which is not", what);
	if (attest->magic != TPM2_GENERATED_VALUE || attest->type != type) {
		(void)snprintf(expected, sizeof(expected), "ff544347 and type %04x", type);
		attest_find(c, ATTEST_NOT_TRUSTED, "statement", expected,
			    "this is not what a TPM says about it",
			    "%08x and type %04x in the %s", attest->magic, attest->type,
			    what);
	}
	to_hex(header->nonce, header->nonce_size, expected);
	to_hex(attest->extraData.buffer, attest->extraData.size, found);
	if (strcmp(expected, found) != 0)
		attest_find(c, ATTEST_NOT_TRUSTED, "nonce", expected,
			    "this statement was made for another evidence",
			    "%s in the %s", found, what);
}

static void check_nonce(struct attest_checking *c)
{
	const struct attest_demand *demand = c->demand;
	const struct attest_header *header = c->header;
	char expected[HEX_MAX], found[HEX_MAX];

	to_hex(header->nonce, header->nonce_size, found);
	if (!demand->nonce) {
		attest_find(c, ATTEST_CANNOT_TELL, "nonce", "the nonce that was asked for",
			    "without --nonce this may be old evidence", "%s", found);
		return;
	}
	to_hex(demand->nonce, demand->nonce_size, expected);
	if (strcmp(expected, found) != 0)
		attest_find(c, ATTEST_NOT_TRUSTED, "nonce", expected,
			    "this is old evidence, or an answer to somebody else", "%s",
			    found);
}

/* A statement must not be of another boot than the quote, nor older than the last. */
static void check_clock(struct attest_checking *c, const char *what,
			const struct attest_statement *statement,
			const struct attest_statement *before)
{
	const TPMS_ATTEST *quote = &c->header->quote.attest, *attest = &statement->attest;
	char expected[HEX_MAX];

	(void)snprintf(expected, sizeof(expected), "reset %" PRIu32 ", restart %" PRIu32,
		       quote->clockInfo.resetCount, quote->clockInfo.restartCount);
	if (attest->clockInfo.resetCount != quote->clockInfo.resetCount ||
	    attest->clockInfo.restartCount != quote->clockInfo.restartCount ||
	    attest->firmwareVersion != quote->firmwareVersion)
		attest_find(c, ATTEST_NOT_TRUSTED, "clock", expected,
			    "the TPM was reset between the two",
			    "reset %" PRIu32 ", restart %" PRIu32 " in the %s",
			    attest->clockInfo.resetCount, attest->clockInfo.restartCount,
			    what);
	if (attest->clockInfo.clock < before->attest.clockInfo.clock) {
		(void)snprintf(expected, sizeof(expected), "%" PRIu64 " ms or later",
			       before->attest.clockInfo.clock);
		attest_find(c, ATTEST_NOT_TRUSTED, "clock", expected,
			    "the statements are not of one session",
			    "%" PRIu64 " ms in the %s", attest->clockInfo.clock, what);
	}
}

/* Folds one command and its answer into the digest of an audit session. */
static void audit(struct digest *digest, TPM2_CC cc, const struct digest_part *names,
		  const struct attest_statement *statement, const struct digest_part *rest)
{
	const TPM2B_DATA *nonce = &statement->attest.extraData;
	const uint8_t code[] = { 0, 0, (uint8_t)(cc >> 8), (uint8_t)cc };
	const uint8_t nonce_size[] = { (uint8_t)(nonce->size >> 8), (uint8_t)nonce->size };
	const uint8_t size[] = { (uint8_t)(statement->bytes.size >> 8),
				 (uint8_t)statement->bytes.size };
	const struct digest_part command[] = {
		{ code, sizeof(code) }, names[0], names[1], names[2],
		{ nonce_size, sizeof(nonce_size) }, { nonce->buffer, nonce->size },
		{ "\x00\x10", 2 },			/* scheme: the key's */
		*rest,
	};
	const struct digest_part answer[] = {
		{ "\0\0\0", 4 }, { code, sizeof(code) }, { size, sizeof(size) },
		{ statement->bytes.data, statement->bytes.size },
		{ statement->signed_by.data, statement->signed_by.size },
	};
	struct digest hash;
	uint8_t both[2 * DIGEST_SIZE_MAX];
	struct digest_part parts[] = { { digest->bytes, 32 }, { both, 64 } };

	digest_compute_parts(DIGEST_SHA256, command, ARRAY_SIZE(command), &hash);
	memcpy(both, hash.bytes, 32);
	digest_compute_parts(DIGEST_SHA256, answer, ARRAY_SIZE(answer), &hash);
	memcpy(both + 32, hash.bytes, 32);
	digest_compute_parts(DIGEST_SHA256, parts, ARRAY_SIZE(parts), digest);
}

static void audit_index(struct digest *digest, const struct attest_header *header,
			const struct attest_header_index *index)
{
	static const uint8_t owner[] = { 0x40, 0x00, 0x00, 0x01 };
	const TPM2B_NAME *name = &index->statement.attest.attested.nv.indexName;
	const uint8_t size[] = { (uint8_t)(index->nv.dataSize >> 8),
				 (uint8_t)index->nv.dataSize, 0, 0 };
	const struct digest_part own = { name->name, name->size };
	const struct digest_part names[] = {
		{ header->ak_name.bytes, header->ak_name.size },
		index->by_owner ? (struct digest_part){ owner, sizeof(owner) } : own, own,
	};

	audit(digest, TPM2_CC_NV_Certify, names, &index->statement,
	      &(struct digest_part){ size, sizeof(size) });
}

/* Marshals a TPML_PCR_SELECTION; returns its size. */
static size_t put_selection(const TPML_PCR_SELECTION *selection, uint8_t *ret)
{
	uint8_t *p = ret;

	memcpy(p, (uint8_t[]){ 0, 0, 0, (uint8_t)selection->count }, 4);
	p += 4;
	for (uint32_t i = 0; i < selection->count; i++) {
		const TPMS_PCR_SELECTION *bank = &selection->pcrSelections[i];

		*p++ = (uint8_t)(bank->hash >> 8);
		*p++ = (uint8_t)bank->hash;
		*p++ = bank->sizeofSelect;
		memcpy(p, bank->pcrSelect, bank->sizeofSelect);
		p += bank->sizeofSelect;
	}
	return (size_t)(p - ret);
}

static void check_audit(struct attest_checking *c)
{
	const struct attest_header *header = c->header;
	const TPMS_SESSION_AUDIT_INFO *info = &header->audit.attest.attested.sessionAudit;
	const struct digest_part names[] = {
		{ header->ak_name.bytes, header->ak_name.size }, { "", 0 }, { "", 0 },
	};
	uint8_t selection[4 + sizeof(TPML_PCR_SELECTION)];
	struct digest digest;
	char expected[HEX_MAX], found[HEX_MAX];

	if (header->quote.attest.type != TPM2_ST_ATTEST_QUOTE ||
	    header->audit.attest.type != TPM2_ST_ATTEST_SESSION_AUDIT)
		return;
	if (info->exclusiveSession != TPM2_YES)
		attest_find(c, ATTEST_NOT_TRUSTED, "audit-exclusive", "YES",
			    "the TPM did something else between quote and indices, so they are "
			    "not of one moment", "%u", info->exclusiveSession);
	digest_zero(DIGEST_SHA256, &digest);
	audit(&digest, TPM2_CC_Quote, names, &header->quote, &(struct digest_part){
		selection, put_selection(&header->quote.attest.attested.quote.pcrSelect,
					 selection) });
	for (size_t i = 0; i < header->n_indices; i++)
		if (header->indices[i].statement.attest.type == TPM2_ST_ATTEST_NV)
			audit_index(&digest, header, &header->indices[i]);
	digest_to_hex(&digest, expected);
	to_hex(info->sessionDigest.buffer, info->sessionDigest.size, found);
	if (strcmp(expected, found) != 0)
		attest_find(c, ATTEST_NOT_TRUSTED, "audit-digest", expected,
			    "the TPM ran other commands in this session than the evidence "
			    "shows", "%s", found);
}

/* The PCRs that the quote covers, of the bank that the evidence gives values of. */
static uint32_t selected(const struct attest_header *header)
{
	const TPML_PCR_SELECTION *selection = &header->quote.attest.attested.quote.pcrSelect;
	const TPMS_PCR_SELECTION *bank = &selection->pcrSelections[0];
	uint32_t pcrs = 0;

	if (selection->count != 1 || bank->hash != digest_alg_tpm_id(header->bank))
		return 0;
	for (unsigned int i = 0; i < bank->sizeofSelect; i++)
		pcrs |= (uint32_t)bank->pcrSelect[i] << 8 * i;
	return pcrs;
}

static void check_quote(struct attest_checking *c)
{
	const struct attest_header *header = c->header;
	const TPM2B_DIGEST *quoted = &header->quote.attest.attested.quote.pcrDigest;
	struct digest_part parts[ATTEST_PCRS];
	char expected[HEX_MAX], found[HEX_MAX];
	struct digest digest;
	size_t n = 0;

	if (header->quote.attest.type != TPM2_ST_ATTEST_QUOTE)
		return;
	if (selected(header) != header->quoted) {
		(void)snprintf(expected, sizeof(expected), "PCRs 0x%06" PRIx32 " of %s",
			       header->quoted, digest_alg_name(header->bank));
		attest_find(c, ATTEST_NOT_TRUSTED, "quote", expected,
			    "the quote is not about the values in the evidence",
			    "PCRs 0x%06" PRIx32, selected(header));
	}
	for (size_t i = 0; i < ATTEST_PCRS; i++)
		if (header->quoted & 1U << i)
			parts[n++] = (struct digest_part){ header->pcrs[i].bytes,
							   digest_size(header->bank) };
	digest_compute_parts(DIGEST_SHA256, parts, n, &digest);
	digest_to_hex(&digest, expected);
	to_hex(quoted->buffer, quoted->size, found);
	if (strcmp(expected, found) != 0)
		attest_find(c, ATTEST_NOT_TRUSTED, "quote", expected,
			    "the values in the evidence are not those that the TPM quoted",
			    "%s", found);
}

/**
 * attest_statements_check() - check what the TPM signed, by itself
 */
void attest_statements_check(struct attest_checking *c)
{
	const struct attest_header *header = c->header;
	const struct attest_statement *before = &header->quote;

	check_key(c);
	check_nonce(c);
	check_statement(c, "quote", &header->quote, TPM2_ST_ATTEST_QUOTE);
	for (size_t i = 0; i < header->n_indices; i++) {
		const struct attest_statement *next = &header->indices[i].statement;

		check_statement(c, "statement about an index", next, TPM2_ST_ATTEST_NV);
		check_clock(c, "statement about an index", next, before);
		before = next;
	}
	check_statement(c, "audit", &header->audit, TPM2_ST_ATTEST_SESSION_AUDIT);
	check_clock(c, "audit", &header->audit, before);
	check_audit(c);
	check_quote(c);
}
