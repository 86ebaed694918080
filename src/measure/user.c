/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What others want to have measured.
 *
 * Their words begin with "user:v1:", so that nobody can have a word of ours measured
 * for him.  They go to an NvPCR of this boot, or to a PCR that others extend too: that
 * one's value is read first, and where it is not what our log explains, the value is
 * measured as a word of its own, from which a verifier goes on.
 */
#include "measure/private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"

#define PREFIX		"user:v1:"
#define TARGET_PCR	"pcr:"
#define TEXT_MAX	2048	/* bytes of a text as it is written in a word */
#define TYPE_LETTERS	"abcdefghijklmnopqrstuvwxyz0123456789-"
#define TYPE_MAX	31

/* Writes printable ASCII but '%' as it is and all else as %XX; false if it is too long. */
static bool escape(const char *data, size_t size, char ret[static TEXT_MAX + 1])
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)data[i];
		bool plain = c >= ' ' && c <= '~' && c != '%';

		if (n + (plain ? 1 : 3) > TEXT_MAX)
			return false;
		ret[n++] = plain ? (char)c : '%';
		if (plain)
			continue;
		ret[n++] = digits[c >> 4];
		ret[n++] = digits[c & 15];
	}
	ret[n] = '\0';
	return true;
}

/**
 * measure_user_word() - the word of what somebody wants to have measured
 * @user: what, and who wants it
 * @ret:  `user:v1:<source>:<uid>:<type or ->:text:<text>`, or, for data and for a text
 *        that is too long, `user:v1:<source>:<uid>:<type or ->:data:<size>:<sha256>`
 *
 * Return: 0; -EINVAL if the type is none.
 */
int measure_user_word(const struct measure_user *user, char ret[static MEASURE_USER_MAX])
{
	const char *type = *user->type ? user->type : "-";
	char text[TEXT_MAX + 1], hex[DIGEST_HEX_MAX];
	struct digest digest;
	int length;

	if (strspn(type, TYPE_LETTERS) != strlen(type) || strlen(type) > TYPE_MAX)
		return -EINVAL;
	length = snprintf(ret, MEASURE_USER_MAX, PREFIX "%s:%u:%s:", user->source,
			  (unsigned int)user->uid, type);
	assert(length > 0 && length < 128);
	if (user->is_text && escape(user->data, user->size, text)) {
		(void)snprintf(ret + length, MEASURE_USER_MAX - (size_t)length, "text:%s",
			       text);
		return 0;
	}
	digest_compute(DIGEST_SHA256, user->data, user->size, &digest);
	digest_to_hex(&digest, hex);
	(void)snprintf(ret + length, MEASURE_USER_MAX - (size_t)length, "data:%zu:%s",
		       user->size, hex);
	return 0;
}

/**
 * measure_user_is_word() - whether a text is a word that @source may have measured
 */
bool measure_user_is_word(const char *word, const char *source)
{
	size_t length = strlen(PREFIX), n = strlen(source);

	if (strncmp(word, PREFIX, length) != 0 || strncmp(word + length, source, n) != 0 ||
	    word[length + n] != ':' || strlen(word) >= MEASURE_USER_MAX)
		return false;
	for (; *word; word++)
		if (*word < ' ' || *word > '~')
			return false;
	return true;
}

/* Why a PCR may not be extended on request; NULL if it may. */
static const char *refuse_pcr(const struct measure *m, uint64_t pcr)
{
	if (pcr == m->nvpcrs.gate.pcr)
		return "it is the gate PCR, which only the anchor and words without an index "
		       "may extend";
	if (pcr <= 7)
		return "PCRs 0 to 7 belong to the firmware";
	if (pcr == 10)
		return "PCR 10 belongs to IMA";
	if (pcr == 11 || pcr == 12)
		return "PCRs 11 and 12 belong to the boot stub and to what is sealed to them";
	if (pcr == 16 || pcr == 23)
		return "anybody can reset PCRs 16 and 23";
	if (pcr >= 17 && pcr <= 22)
		return "PCRs 17 to 22 belong to the dynamic launch";
	return pcr > 23 ? "there is no such PCR" : NULL;
}

static bool same_pcr(const struct tpm_pcr *a, const struct tpm_pcr *b)
{
	if (a->banks != b->banks)
		return false;
	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++)
		if (a->banks & 1U << alg && !digest_equal(&a->values[alg], &b->values[alg]))
			return false;
	return true;
}

/* Measures from which value a PCR goes on, unless the log explains that already. */
static int begin_pcr(struct measure *m, unsigned int pcr)
{
	char word[MEASURE_USER_MAX], was[DIGEST_HEX_MAX], hex[DIGEST_HEX_MAX];
	const struct tpm_pcr *before = &m->pcrs[pcr];
	struct tpm_pcr now;
	size_t length;
	int r;

	r = tpm_pcr_read(m->tpm, pcr, &now);
	if (r < 0 || same_pcr(&now, before))
		return r;
	if (!now.banks)
		return -ENODEV;
	length = (size_t)snprintf(word, sizeof(word), EVENTLOG_RESUME_PREFIX "%u", pcr);
	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++) {
		if (!(now.banks & 1U << alg))
			continue;
		digest_to_hex(&now.values[alg], hex);
		digest_to_hex(&before->values[alg], was);
		length += (size_t)snprintf(word + length, sizeof(word) - length, ":%s:%s:%s",
					   digest_alg_name(alg),
					   before->banks & 1U << alg ? was : "-", hex);
	}
	r = measure_text(m, word, "pcr", NULL);
	if (r == 0)
		m->pcrs[pcr] = now;
	return r;
}

/* Names a PCR other than the gate as what @rec extends, in each of its active banks. */
void measure_aim_pcr(const struct tpm_pcr *pcr, unsigned int number,
		     struct eventlog_record *rec)
{
	rec->target = EVENTLOG_PCR;
	rec->index = number;
	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++)
		if (pcr->banks & 1U << alg)
			digest_compute(alg, rec->word, strlen(rec->word),
				       &rec->digests[rec->n_digests++]);
}

/* One transaction as for NvPCRs, but without a rung to fall to. */
static int commit_pcr(struct measure *m, struct eventlog_record *rec)
{
	struct tpm_pcr *pcr = &m->pcrs[rec->index];
	int r = eventlog_begin(&m->log);

	if (r < 0)
		return r;
	measure_outlet_begin(m);
	r = eventlog_append(&m->log, rec);
	if (r == 0) {
		r = tpm_pcr_extend(m->tpm, rec->index, rec->digests, rec->n_digests);
		if (r == -EREMOTEIO)
			(void)eventlog_withdraw(&m->log);
	}
	measure_outlet_end(m);
	eventlog_end(&m->log);
	for (size_t i = 0; r == 0 && i < rec->n_digests; i++)
		digest_extend(&pcr->values[rec->digests[i].alg], &rec->digests[i]);
	return r;
}

static int extend_pcr(struct measure *m, const char *number, struct eventlog_record *rec,
		      const char **ret_reason)
{
	uint64_t pcr;
	int r;

	if (number_parse(number, UINT32_MAX, &pcr) < 0) {
		*ret_reason = "that is no number of a PCR";
		return -EPERM;
	}
	*ret_reason = refuse_pcr(m, pcr);
	if (*ret_reason)
		return -EPERM;
	if (!m->tpm || m->nvpcr->rung == NVPCR_RUNG_LOG) {
		*ret_reason = "there is no TPM";
		return -EPERM;
	}
	r = begin_pcr(m, (unsigned int)pcr);
	if (r == 0 && m->nvpcr->rung == NVPCR_RUNG_LOG)
		return -EIO;	/* it was lost just now */
	if (r == 0) {
		measure_aim_pcr(&m->pcrs[pcr], (unsigned int)pcr, rec);
		r = commit_pcr(m, rec);
	}
	if (r < 0 && tpm_is_dead(m->tpm) && m->nvpcr->rung != NVPCR_RUNG_LOG)
		(void)measure_lose_tpm(m, r == -ETIMEDOUT ? "tpm-timeout" : "tpm-error");
	return r;
}

/**
 * measure_user() - measure a word for somebody
 * @m:          session
 * @target:     name of an NvPCR, or "pcr:" and the number of a PCR
 * @word:       of measure_user_word()
 * @event_type: claim for the record
 * @ret_reason: with -EPERM, why it may not be: a static string; else unchanged
 *
 * Return: 0; -ENOENT if there is no such NvPCR in this boot; -EPERM; if a PCR was not
 * extended, -EREMOTEIO if the TPM refused, -EIO or -ETIMEDOUT if it was lost; a negative
 * errno of the log.
 */
int measure_user(struct measure *m, const char *target, const char *word,
		 const char *event_type, const char **ret_reason)
{
	struct eventlog_record rec;
	struct nvpcr *nvpcr;

	measure_fill(m, word, event_type, "user", &rec);
	if (strncmp(target, TARGET_PCR, strlen(TARGET_PCR)) == 0)
		return extend_pcr(m, target + strlen(TARGET_PCR), &rec, ret_reason);
	nvpcr = measure_find_nvpcr(&m->nvpcrs, target);
	return nvpcr ? measure_record(m, nvpcr, &rec) : -ENOENT;
}

/* Extends what the last record announced and its writer did not live to extend. */
static int complete(struct measure *m, const struct eventlog_record *last)
{
	struct nvpcr_gate pcr = { .pcr = last->index };

	for (size_t i = 0; i < last->n_digests; i++)
		pcr.banks |= 1U << last->digests[i].alg;
	return nvpcr_gate_extend(m->tpm, &pcr, last->word, strlen(last->word));
}

/**
 * measure_user_adopt() - go on with the PCRs where the log has them
 * @m:       session with a TPM
 * @summary: of the log
 *
 * A PCR that is not where the log has it was extended by others, which is no fault.
 *
 * Return: 0; otherwise as every command of the TPM.
 */
int measure_user_adopt(struct measure *m, const struct measure_summary *summary)
{
	bool behind = false;

	for (size_t i = 0; i < summary->replay.n_folds; i++) {
		const struct eventlog_fold *fold = &summary->replay.folds[i];
		struct tpm_pcr *pcr = &m->pcrs[fold->index % MEASURE_PCRS];
		struct tpm_pcr now;
		int r;

		if (fold->target != EVENTLOG_PCR || fold->index == summary->gate.pcr)
			continue;
		pcr->banks |= 1U << fold->value.alg;
		pcr->values[fold->value.alg] = fold->value;
		if (summary->last.target != EVENTLOG_PCR ||
		    summary->last.index != fold->index)
			continue;
		r = tpm_pcr_read(m->tpm, fold->index, &now);
		if (r < 0)
			return r;
		if (now.banks & 1U << fold->value.alg &&
		    measure_compare(fold, &now.values[fold->value.alg]) == MEASURE_BEHIND)
			behind = true;
	}
	return behind ? complete(m, &summary->last) : 0;
}
