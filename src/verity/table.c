/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parameters of a live table's verity target.  Pure.
 *
 * VERSION DATA_DEV HASH_DEV DATA_BLOCK_SIZE HASH_BLOCK_SIZE DATA_BLOCKS HASH_START
 * ALGORITHM ROOT_HASH SALT|- [N ARGUMENT...]
 *
 * The devices and where the hashes start vary between boots and decide nothing: whatever
 * is there, only data that hashes to ROOT_HASH gets through.  The optional arguments do
 * decide: some of them make the kernel check less.  So every argument counts unless it
 * is known not to matter, and one that nobody has heard of yet is kept word by word: it
 * must never measure like none.
 *
 * Spec: Linux, Documentation/admin-guide/device-mapper/verity.rst
 */
#include "verity/table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/number.h"

#define PARAMS_MAX	4096	/* bytes of text, with NUL */
#define OPTIONS_MAX	64	/* words after N */
#define BLOCK_SIZE_MIN	512
#define BLOCK_SIZE_MAX	(1U << 20)

#define LETTERS_AND_DIGITS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define PLAIN LETTERS_AND_DIGITS "_.()-"

enum field {
	VERSION, DATA_DEV, HASH_DEV, DATA_BLOCK_SIZE, HASH_BLOCK_SIZE, DATA_BLOCKS,
	HASH_START, ALGORITHM, ROOT_HASH, SALT, N_OPTIONS, FIELD_MAX
};

/* Arguments that are more or less than one word of the list of options. */
static const struct {
	const char *name;
	bool has_value;
	bool counts;		/* its name belongs to the list */
	bool is_signature;
} known[] = {
	{ "use_fec_from_device",    true,  true,  false },
	{ "fec_roots",              true,  false, false },
	{ "fec_blocks",             true,  false, false },
	{ "fec_start",              true,  false, false },
	{ "try_verify_in_tasklet",  false, false, false },
	{ "root_hash_sig_key_desc", true,  false, true  },
};

/* Splits @text at its separators, into at most @max words. */
static int split(char *text, const char *separator, const char **words, size_t max,
		 size_t *ret_n)
{
	size_t n = 0;

	for (char *word = strtok_r(text, separator, &text); word;
	     word = strtok_r(NULL, separator, &text)) {
		if (n == max)
			return -EBADMSG;
		words[n++] = word;
	}
	*ret_n = n;
	return 0;
}

static int parse_device(const char *text, uint32_t *ret_major, uint32_t *ret_minor)
{
	const char *colon = strchr(text, ':');
	uint64_t major, minor;
	char first[16];

	if (!colon || (size_t)(colon - text) >= sizeof(first))
		return -EBADMSG;
	(void)snprintf(first, sizeof(first), "%.*s", (int)(colon - text), text);
	if (number_parse(first, UINT32_MAX, &major) < 0 ||
	    number_parse(colon + 1, UINT32_MAX, &minor) < 0)
		return -EBADMSG;
	*ret_major = (uint32_t)major;
	*ret_minor = (uint32_t)minor;
	return 0;
}

/**
 * verity_table_is_algorithm() - whether a text can be a hash algorithm's name
 *
 * Names become part of measured words, whose separators they must not contain.
 */
bool verity_table_is_algorithm(const char *name)
{
	size_t length = strspn(name, PLAIN);

	return length > 0 && length < VERITY_ALGORITHM_MAX && !name[length];
}

/**
 * verity_table_is_block_size() - whether a number of bytes can be a block's size
 */
bool verity_table_is_block_size(uint64_t size)
{
	return size >= BLOCK_SIZE_MIN && size <= BLOCK_SIZE_MAX && !(size & (size - 1));
}

static int parse_sizes(const char *const *words, struct verity_params *params)
{
	uint64_t version, data_block_size, hash_block_size, hash_start;

	const struct {
		enum field field;
		uint64_t max;
		uint64_t *value;
	} numbers[] = {
		{ VERSION, 1, &version },
		{ DATA_BLOCK_SIZE, UINT32_MAX, &data_block_size },
		{ HASH_BLOCK_SIZE, UINT32_MAX, &hash_block_size },
		{ DATA_BLOCKS, UINT64_MAX, &params->data_blocks },
		{ HASH_START, UINT64_MAX, &hash_start },
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (number_parse(words[numbers[i].field], numbers[i].max,
					numbers[i].value) < 0)
			return -EBADMSG;
	if (!verity_table_is_block_size(data_block_size) ||
	    !verity_table_is_block_size(hash_block_size))
		return -EBADMSG;
	params->version = (uint32_t)version;
	params->data_block_size = (uint32_t)data_block_size;
	params->hash_block_size = (uint32_t)hash_block_size;
	return 0;
}

static int parse_hashes(const char *const *words, struct verity_params *params)
{
	if (!verity_table_is_algorithm(words[ALGORITHM]))
		return -EBADMSG;
	memcpy(params->algorithm, words[ALGORITHM], strlen(words[ALGORITHM]));
	if (hex_decode(words[ROOT_HASH], params->root_hash, sizeof(params->root_hash),
		       &params->root_hash_size) < 0 || !params->root_hash_size)
		return -EBADMSG;
	if (!strcmp(words[SALT], "-"))
		return 0;
	if (hex_decode(words[SALT], params->salt, sizeof(params->salt),
		       &params->salt_size) < 0 || !params->salt_size)
		return -EBADMSG;
	return 0;
}

/* Puts @word, which is not in @list yet, where it belongs in the sorted list. */
static void insert(const char **list, size_t *n, const char *word)
{
	size_t i = 0;

	while (i < *n && strcmp(list[i], word) < 0)
		i++;
	if (i < *n && !strcmp(list[i], word))
		return;
	memmove(list + i + 1, list + i, (*n - i) * sizeof(*list));
	list[i] = word;
	++*n;
}

/* Writes the list with commas; bytes that could be mistaken become "%HH". */
static int write_list(const char *const *list, size_t n, char *ret, size_t ret_size)
{
	size_t used = 0;
	int length;

	for (size_t i = 0; i < n; i++) {
		if (i)
			ret[used++] = ',';
		for (const char *c = list[i]; *c; c++) {
			length = snprintf(ret + used, ret_size - used,
					  strchr(PLAIN, *c) ? "%c" : "%%%02X",
					  (unsigned char)*c);
			/* room for a comma as well */
			if (length < 0 || used + (size_t)length + 1 >= ret_size)
				return -EBADMSG;
			used += (size_t)length;
		}
	}
	ret[used] = '\0';
	return 0;
}

static int parse_options(const char *const *words, size_t n, struct verity_params *params)
{
	const char *list[OPTIONS_MAX];
	size_t n_list = 0;

	for (size_t i = 0; i < n; i++) {
		const char *word = words[i];
		bool counts = true;

		for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
			if (strcmp(word, known[k].name) != 0)
				continue;
			counts = known[k].counts;
			if (known[k].has_value && ++i == n)
				return -EBADMSG;
			if (known[k].is_signature)
				params->kernel_signature = true;
		}
		if (counts)
			insert(list, &n_list, word);
	}
	return write_list(list, n_list, params->options, sizeof(params->options));
}

/**
 * verity_table_parse() - read the parameters of a live verity target
 * @text: as the kernel prints them
 * @ret:  what they say; all of it is kernel facts
 *
 * Return: 0; -EBADMSG if it is not exactly such a text, or too long for @ret.
 */
int verity_table_parse(const char *text, struct verity_params *ret)
{
	const char *words[FIELD_MAX + OPTIONS_MAX];
	struct verity_params params = { .version = 0 };
	uint32_t major, minor;
	uint64_t n_options = 0;
	char copy[PARAMS_MAX];
	size_t n;

	if (strlen(text) >= sizeof(copy))
		return -EBADMSG;
	memcpy(copy, text, strlen(text) + 1);
	if (split(copy, " ", words, ARRAY_SIZE(words), &n) < 0 || n <= SALT)
		return -EBADMSG;
	if (n > N_OPTIONS &&
	    number_parse(words[N_OPTIONS], OPTIONS_MAX, &n_options) < 0)
		return -EBADMSG;
	if (n_options != (n > FIELD_MAX ? n - FIELD_MAX : 0))
		return -EBADMSG;
	if (parse_device(words[DATA_DEV], &major, &minor) < 0 ||
	    parse_device(words[HASH_DEV], &major, &minor) < 0 ||
	    parse_sizes(words, &params) < 0 || parse_hashes(words, &params) < 0 ||
	    parse_options(words + FIELD_MAX, (size_t)n_options, &params) < 0)
		return -EBADMSG;
	*ret = params;
	return 0;
}

static bool counts(const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(option, known[i].name) == 0)
			return known[i].counts;
	return true;
}

/**
 * verity_options_normalize() - bring options as a person lists them into the form that
 * struct verity_params has
 * @list: names, separated by commas, in any order
 * @ret:  the same, sorted, each once, without those that change nothing
 *
 * Return: 0; -EINVAL if it is no such list, or too long.
 */
int verity_options_normalize(const char *list, char ret[static VERITY_OPTIONS_MAX])
{
	const char *words[OPTIONS_MAX], *sorted[OPTIONS_MAX];
	char copy[VERITY_OPTIONS_MAX];
	size_t n, n_sorted = 0;

	if (strlen(list) >= sizeof(copy) || strspn(list, PLAIN ",") != strlen(list))
		return -EINVAL;
	memcpy(copy, list, strlen(list) + 1);
	if (split(copy, ",", words, ARRAY_SIZE(words), &n) < 0)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (counts(words[i]))
			insert(sorted, &n_sorted, words[i]);
	return write_list(sorted, n_sorted, ret, VERITY_OPTIONS_MAX) < 0 ? -EINVAL : 0;
}

/**
 * verity_table_data_device() - which block device holds a verity target's data
 * @text:      the target's parameters as the kernel prints them
 * @ret_major: of the device's number
 * @ret_minor: of the device's number
 *
 * Return: 0; -EBADMSG if the text does not say it.
 */
int verity_table_data_device(const char *text, uint32_t *ret_major, uint32_t *ret_minor)
{
	size_t length;
	char device[32];

	text += strspn(text, " ");
	text += strcspn(text, " ");
	text += strspn(text, " ");
	length = strcspn(text, " ");
	if (length >= sizeof(device))
		return -EBADMSG;
	memcpy(device, text, length);
	device[length] = '\0';
	return parse_device(device, ret_major, ret_minor);
}
