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

#include "base/bytes.h"

#define EV_NO_ACTION	3	/* informs only, extends nothing */
#define SIGNATURE	"Spec ID Event03"
#define ALGORITHMS_MAX	16

struct algorithms {
	size_t n;
	struct {
		uint16_t id;
		uint16_t size;
	} list[ALGORITHMS_MAX];
};

static uint32_t take_32(struct bytes *reader)
{
	return bytes_take_le(reader, 4);
}

static uint16_t take_16(struct bytes *reader)
{
	return (uint16_t)bytes_take_le(reader, 2);
}

/* The first event: its data says which digests every other event carries. */
static int read_header(struct bytes *reader, struct algorithms *ret)
{
	const uint8_t *signature;

	(void)bytes_take(reader, 4 + 4 + 20 + 4);	/* PCR, type, SHA-1, size of the data */
	signature = bytes_take(reader, sizeof(SIGNATURE));
	if (!signature || memcmp(signature, SIGNATURE, sizeof(SIGNATURE)) != 0)
		return -EBADMSG;
	(void)bytes_take(reader, 4 + 4);		/* platform class, versions */
	ret->n = take_32(reader);
	if (ret->n > ALGORITHMS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < ret->n; i++) {
		ret->list[i].id = take_16(reader);
		ret->list[i].size = take_16(reader);
	}
	(void)bytes_take(reader, bytes_take_le(reader, 1));	/* the vendor's own */
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
static const uint8_t *take_digests(struct bytes *reader,
				   const struct algorithms *algorithms,
				   enum digest_alg alg)
{
	uint32_t n = take_32(reader);
	const uint8_t *found = NULL;

	for (uint32_t i = 0; i < n && !reader->failed; i++) {
		uint16_t id = take_16(reader);
		size_t size = size_of(algorithms, id);
		const uint8_t *digest = bytes_take(reader, size);

		if (id == digest_alg_tpm_id(alg) && size == digest_size(alg))
			found = digest;
	}
	return found;
}

/* One event, for whoever wants to know. */
static int take_event(struct bytes *reader, const struct algorithms *algorithms,
		      enum digest_alg alg,
		      int (*tell)(void *ctx, uint32_t pcr, const struct digest *digest),
		      void *ctx)
{
	struct digest digest = { .alg = alg };
	uint32_t pcr = take_32(reader), type = take_32(reader);
	const uint8_t *bytes = take_digests(reader, algorithms, alg);

	(void)bytes_take(reader, take_32(reader));
	if (reader->failed)
		return -EBADMSG;
	if (type == EV_NO_ACTION)
		return 0;
	if (bytes)
		memcpy(digest.bytes, bytes, digest_size(alg));
	return tell(ctx, pcr, bytes ? &digest : NULL);
}

/**
 * eventlog_firmware_each() - go through the events that extend something
 * @data:  the log, as the kernel's binary_bios_measurements gives it
 * @size:  of @data in bytes
 * @alg:   of the bank
 * @tell:  called with the PCR and the digest, NULL if there is none of @alg; stops when
 *         it does not return 0
 * @ctx:   argument of @tell
 *
 * Return: 0; -EBADMSG if the log is none; what @tell returned.
 */
int eventlog_firmware_each(const uint8_t *data, size_t size, enum digest_alg alg,
			   int (*tell)(void *ctx, uint32_t pcr, const struct digest *digest),
			   void *ctx)
{
	struct bytes reader = { .p = data, .left = size };
	struct algorithms algorithms;
	int r;

	r = read_header(&reader, &algorithms);
	while (r == 0 && reader.left)
		r = take_event(&reader, &algorithms, alg, tell, ctx);
	return r;
}

/* The fold of one PCR. */
struct fold {
	uint32_t pcr;
	struct digest value;
};

static int fold(void *ctx, uint32_t pcr, const struct digest *digest)
{
	struct fold *fold = ctx;

	if (pcr != fold->pcr)
		return 0;
	if (!digest)
		return -EBADMSG;
	digest_extend(&fold->value, digest);
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
	struct fold state = { .pcr = pcr };
	int r;

	digest_zero(alg, &state.value);
	r = eventlog_firmware_each(data, size, alg, fold, &state);
	if (r == 0)
		*ret = state.value;
	return r;
}
