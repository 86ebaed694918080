/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The firmware's event log, as far as it says what a PCR held when the kernel took over.
 *
 * Pure.  The first event is in the old form and its data names the algorithms of all
 * others.  Everything is little-endian, and nothing is taken on trust: a log that is cut
 * off, or whose lengths do not add up, says nothing.
 *
 * Spec: TCG PC Client Platform Firmware Profile, "Event Logging"
 */
#include "eventlog/eventlog.h"

#include <errno.h>
#include <string.h>

#define EV_NO_ACTION	3	/* informs only, extends nothing */
#define SIGNATURE	"Spec ID Event03"
#define ALGORITHMS_MAX	16

struct reader {
	const uint8_t *p;
	size_t left;
	bool failed;
};

struct algorithms {
	size_t n;
	struct {
		uint16_t id;
		uint16_t size;
	} list[ALGORITHMS_MAX];
};

/* Steps over @size octets; NULL, now and for ever, if there are not so many. */
static const uint8_t *take(struct reader *reader, size_t size)
{
	const uint8_t *p = reader->p;

	if (reader->failed || size > reader->left) {
		reader->failed = true;
		return NULL;
	}
	reader->p += size;
	reader->left -= size;
	return p;
}

static uint32_t take_number(struct reader *reader, size_t size)
{
	const uint8_t *p = take(reader, size);
	uint32_t number = 0;

	for (size_t i = 0; p && i < size; i++)
		number |= (uint32_t)p[i] << 8 * i;
	return number;
}

static uint32_t take_32(struct reader *reader)
{
	return take_number(reader, 4);
}

static uint16_t take_16(struct reader *reader)
{
	return (uint16_t)take_number(reader, 2);
}

/* The first event: its data says which digests every other event carries. */
static int read_header(struct reader *reader, struct algorithms *ret)
{
	const uint8_t *signature;

	(void)take(reader, 4 + 4 + 20 + 4);	/* PCR, type, SHA-1, size of the data */
	signature = take(reader, sizeof(SIGNATURE));
	if (!signature || memcmp(signature, SIGNATURE, sizeof(SIGNATURE)) != 0)
		return -EBADMSG;
	(void)take(reader, 4 + 4);		/* platform class, versions */
	ret->n = take_32(reader);
	if (ret->n > ALGORITHMS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < ret->n; i++) {
		ret->list[i].id = take_16(reader);
		ret->list[i].size = take_16(reader);
	}
	(void)take(reader, take_number(reader, 1));	/* the vendor's own */
	return reader->failed ? -EBADMSG : 0;
}

static size_t size_of(const struct algorithms *algorithms, uint16_t id)
{
	for (size_t i = 0; i < algorithms->n; i++)
		if (algorithms->list[i].id == id)
			return algorithms->list[i].size;
	return SIZE_MAX;
}

/* Finds the digest of @alg among those of one event; NULL if it has none. */
static const uint8_t *take_digests(struct reader *reader,
				   const struct algorithms *algorithms,
				   enum digest_alg alg)
{
	uint32_t n = take_32(reader);
	const uint8_t *found = NULL;

	for (uint32_t i = 0; i < n && !reader->failed; i++) {
		uint16_t id = take_16(reader);
		size_t size = size_of(algorithms, id);
		const uint8_t *digest = take(reader, size);

		if (id == digest_alg_tpm_id(alg) && size == digest_size(alg))
			found = digest;
	}
	return found;
}

static int fold_event(struct reader *reader, const struct algorithms *algorithms,
		      uint32_t pcr, struct digest *value)
{
	struct digest digest = { .alg = value->alg };
	uint32_t event_pcr = take_32(reader), type = take_32(reader);
	const uint8_t *bytes = take_digests(reader, algorithms, value->alg);

	(void)take(reader, take_32(reader));
	if (reader->failed)
		return -EBADMSG;
	if (event_pcr != pcr || type == EV_NO_ACTION)
		return 0;
	if (!bytes)
		return -EBADMSG;
	memcpy(digest.bytes, bytes, digest_size(value->alg));
	digest_extend(value, &digest);
	return 0;
}

/**
 * eventlog_firmware_fold() - what a PCR held when the firmware's log ended
 * @data: the log, as the kernel's binary_bios_measurements gives it
 * @size: of @data in bytes
 * @pcr:  number, not 0, whose first value depends on who started the TPM
 * @alg:  of the bank
 * @ret:  the value; zeros if nothing extended it
 *
 * Return: 0; -EBADMSG if the log is none, or has no digests of @alg.
 */
int eventlog_firmware_fold(const uint8_t *data, size_t size, uint32_t pcr,
			   enum digest_alg alg, struct digest *ret)
{
	struct reader reader = { .p = data, .left = size };
	struct algorithms algorithms;
	struct digest value;
	int r;

	r = read_header(&reader, &algorithms);
	digest_zero(alg, &value);
	while (r == 0 && reader.left)
		r = fold_event(&reader, &algorithms, pcr, &value);
	if (r < 0)
		return r;
	*ret = value;
	return 0;
}
