/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The activations that are live and in the log.
 *
 * No system calls.  An activation is known by its device and its word: the word holds
 * algorithm and root hash, and also the options, so that a reload which keeps the root
 * hash and switches checking off is an activation of its own.
 */
#include "measure/measure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static bool same_device(const struct verity_device *a, const struct verity_device *b)
{
	return a->major == b->major && a->minor == b->minor && a->diskseq == b->diskseq;
}

/**
 * measure_live_find() - find an activation
 * @live:   table
 * @device: where
 * @word:   its word
 *
 * Return: the entry, valid until the table changes; NULL if there is none.
 */
struct measure_live_entry *measure_live_find(struct measure_live *live,
					     const struct verity_device *device,
					     const char *word)
{
	for (size_t i = 0; i < live->n_entries; i++)
		if (same_device(&live->entries[i].device, device) &&
		    strcmp(live->entries[i].word, word) == 0)
			return &live->entries[i];
	return NULL;
}

/**
 * measure_live_knows() - whether anything of one life of a device is in the log
 */
bool measure_live_knows(const struct measure_live *live, const struct verity_device *device)
{
	for (size_t i = 0; i < live->n_entries; i++)
		if (same_device(&live->entries[i].device, device))
			return true;
	return false;
}

/**
 * measure_live_reserve() - be sure that one more activation can be remembered
 *
 * Return: 0 or -ENOMEM.
 */
int measure_live_reserve(struct measure_live *live)
{
	size_t n_room = live->n_room ? 2 * live->n_room : 16;
	struct measure_live_entry *entries;

	if (live->n_entries < live->n_room)
		return 0;
	entries = reallocarray(live->entries, n_room, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	live->entries = entries;
	live->n_room = n_room;
	return 0;
}

/**
 * measure_live_add() - remember an activation that is in the log
 * @live:   table
 * @device: where
 * @word:   copied
 * @recnum: of its record
 *
 * Return: 0 or -ENOMEM.
 */
int measure_live_add(struct measure_live *live, const struct verity_device *device,
		     const char *word, uint64_t recnum)
{
	_cleanup_free_ char *copy = strdup(word);
	int r;

	if (!copy)
		return -ENOMEM;
	r = measure_live_reserve(live);
	if (r < 0)
		return r;
	live->entries[live->n_entries++] = (struct measure_live_entry){
		.device = *device, .word = take_ptr(copy), .recnum = recnum, .seen = true,
	};
	return 0;
}

/**
 * measure_live_drop() - forget an activation
 * @live:  table
 * @entry: of it; invalid afterwards, like every other
 */
void measure_live_drop(struct measure_live *live, struct measure_live_entry *entry)
{
	free(entry->word);
	*entry = live->entries[--live->n_entries];
}

/* Whether @entry lies on @device; any device if that is NULL. */
static bool covered(const struct measure_live_entry *entry,
		    const struct verity_device *device)
{
	return !device || (entry->device.major == device->major &&
			   entry->device.minor == device->minor);
}

/**
 * measure_live_unsee() - begin to look which activations are still there
 * @live:   table
 * @device: only this device number's; NULL for all
 */
void measure_live_unsee(struct measure_live *live, const struct verity_device *device)
{
	for (size_t i = 0; i < live->n_entries; i++)
		if (covered(&live->entries[i], device))
			live->entries[i].seen = false;
}

/**
 * measure_live_unseen() - next activation that was not met since measure_live_unsee()
 *
 * Return: an entry, valid until the table changes; NULL if all were met.
 */
struct measure_live_entry *measure_live_unseen(struct measure_live *live,
					       const struct verity_device *device)
{
	for (size_t i = 0; i < live->n_entries; i++)
		if (!live->entries[i].seen && covered(&live->entries[i], device))
			return &live->entries[i];
	return NULL;
}

/**
 * measure_live_set_word() - the word of the set of all live activations
 *
 * Return: as measure_word_set().
 */
int measure_live_set_word(const struct measure_live *live, const char *phase,
			  char *ret, size_t ret_size)
{
	_cleanup_free_ const char **words = calloc(live->n_entries + 1, sizeof(*words));

	if (!words)
		return -ENOMEM;
	for (size_t i = 0; i < live->n_entries; i++)
		words[i] = live->entries[i].word;
	return measure_word_set(phase, words, live->n_entries, ret, ret_size);
}

/**
 * measure_live_done() - free the table's content
 */
void measure_live_done(struct measure_live *live)
{
	for (size_t i = 0; i < live->n_entries; i++)
		free(live->entries[i].word);
	free(live->entries);
	*live = (struct measure_live){ 0 };
}
