/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The measured words of activations and of sets of them.
 *
 * Pure.  A word is made of nothing but what the kernel checks, so that it can be
 * predicted from the image file alone; veritally-log(5) has it byte by byte.
 */
#include "measure/measure.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"

static_assert(MEASURE_WORD_MAX > 128 + VERITY_ALGORITHM_MAX + 2 * DIGEST_SIZE_MAX +
	      2 * VERITY_SALT_MAX + VERITY_OPTIONS_MAX, "every activation has a word");
static_assert(EVENTLOG_WORD_MAX > MEASURE_WORD_MAX + 16, "so does its removal");
static_assert(EVENTLOG_WORD_MAX > NVPCR_ANCHOR_MAX, "an anchor fits in a record");

/**
 * measure_word() - the word of an activation
 * @params: what the kernel checks
 * @ret:    the word, terminated by NUL
 *
 * `dm-verity:v1:<format version>:<hash algorithm>:<root hash>:<salt or ->:<data block
 * size>:<hash block size>:<data blocks>:<options or ->:<signature>`; octets are written
 * in lower case hexadecimal, numbers in decimal, sizes in bytes.  A table that could not
 * be read has the word `dm-verity:v1:unreadable:<SHA-256 of its text>`.
 */
void measure_word(const struct verity_params *params, char ret[static MEASURE_WORD_MAX])
{
	char root_hash[2 * DIGEST_SIZE_MAX + 1], salt[2 * VERITY_SALT_MAX + 1];
	int length;

	hex_encode(params->root_hash, params->root_hash_size, root_hash);
	hex_encode(params->salt, params->salt_size, salt);
	if (params->unreadable) {
		(void)snprintf(ret, MEASURE_WORD_MAX, "dm-verity:v1:unreadable:%s",
			       root_hash);
		return;
	}
	length = snprintf(ret, MEASURE_WORD_MAX,
			  "dm-verity:v1:%" PRIu32 ":%s:%s:%s:%" PRIu32 ":%" PRIu32
			  ":%" PRIu64 ":%s:%s",
			  params->version, params->algorithm, root_hash,
			  *salt ? salt : "-", params->data_block_size,
			  params->hash_block_size, params->data_blocks,
			  *params->options ? params->options : "-",
			  params->kernel_signature ? "kernel" : "none");
	assert(length > 0 && length < MEASURE_WORD_MAX);
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void digest_words(const char *words[], size_t n_words, struct digest_part *parts,
			 struct digest *ret)
{
	if (n_words)
		qsort(words, n_words, sizeof(*words), compare_words);
	for (size_t i = 0; i < n_words; i++) {
		parts[2 * i] = (struct digest_part){ words[i], strlen(words[i]) };
		parts[2 * i + 1] = (struct digest_part){ "\n", 1 };
	}
	digest_compute_parts(DIGEST_SHA256, parts, 2 * n_words, ret);
}

/**
 * measure_word_set() - the word of a set of activations
 * @phase:    at whose end the set was live; see measure_phase_is_valid()
 * @words:    of its activations; sorted here
 * @n_words:  how many
 * @ret:      `set:v1:<phase>:<n>:<sha256>`, where the digest is that of all words in
 *            ascending order of their bytes, each followed by a line feed
 * @ret_size: room in @ret in bytes
 *
 * Return: 0; -ENOMEM; -EMSGSIZE if it does not fit.
 */
int measure_word_set(const char *phase, const char *words[], size_t n_words,
		     char *ret, size_t ret_size)
{
	_cleanup_free_ struct digest_part *parts = calloc(2 * n_words + 1, sizeof(*parts));
	char hex[DIGEST_HEX_MAX];
	struct digest digest;

	if (!parts)
		return -ENOMEM;
	digest_words(words, n_words, parts, &digest);
	digest_to_hex(&digest, hex);
	if (snprintf(ret, ret_size, "set:v1:%s:%zu:%s", phase, n_words, hex) >=
	    (int)ret_size)
		return -EMSGSIZE;
	return 0;
}

/**
 * measure_phase_is_valid() - whether a text can name a phase in a word
 *
 * Return: true for 1 to 32 lower case letters, digits and hyphens.
 */
bool measure_phase_is_valid(const char *phase)
{
	size_t length = strspn(phase, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length > 0 && length <= 32 && phase[length] == '\0';
}
