/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A snapshot as veritally-evidence(5) has it: a header, and the log behind it.
 *
 * The log is copied in pieces, however long it is.
 */
#include "attest/ak.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/json.h"

#define FIRMWARE_LOG	"/sys/kernel/security/tpm0/binary_bios_measurements"
#define PIECE_SIZE	65536	/* bytes */

static int add(struct json_object *object, const char *key, struct json_object *value)
{
	if (!value || json_object_object_add(object, key, value) < 0) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

static int add_text(struct json_object *object, const char *key, const char *text)
{
	return add(object, key, json_object_new_string(text));
}

static int add_octets(struct json_object *object, const char *key, const void *data,
		      size_t size)
{
	_cleanup_free_ char *text = malloc(BASE64_LENGTH(size) + 1);

	if (!text)
		return -ENOMEM;
	base64_encode(data, size, text);
	return add_text(object, key, text);
}

/* An object that is a member of @object; NULL if there is no memory. */
static struct json_object *add_object(struct json_object *object, const char *key)
{
	struct json_object *child = json_object_new_object();

	return child && add(object, key, child) == 0 ? child : NULL;
}

static int add_signed(struct json_object *object, const char *key,
		      const struct tpm_signed *statement)
{
	struct json_object *child = add_object(object, key);
	int r;

	if (!child)
		return -ENOMEM;
	r = add_octets(child, "attest", statement->attest.bytes, statement->attest.size);
	return r < 0 ? r : add_octets(child, "signature", statement->signature.bytes,
				      statement->signature.size);
}

static int add_keys(struct json_object *header, const struct attest_snapshot *snapshot)
{
	const struct attest_certificate *certificate = &snapshot->certificate;
	struct json_object *ak = add_object(header, "ak");
	int r;

	if (!ak)
		return -ENOMEM;
	r = add_octets(ak, "public", snapshot->ak.public.bytes, snapshot->ak.public.size);
	if (r == 0 && certificate->size)
		r = add_octets(ak, "ek_certificate", certificate->der, certificate->size);
	return r;
}

static int add_pcrs(struct json_object *header, const struct attest_snapshot *snapshot)
{
	struct json_object *pcrs = add_object(header, "pcrs");
	struct json_object *bank = pcrs ? add_object(pcrs, digest_alg_name(snapshot->bank))
					: NULL;
	int r = bank ? 0 : -ENOMEM;

	for (unsigned int pcr = 0; r == 0 && pcr < TPM_PCRS; pcr++) {
		char hex[DIGEST_HEX_MAX], number[4];

		if (!(snapshot->pcrs & 1u << pcr))
			continue;
		(void)snprintf(number, sizeof(number), "%u", pcr);
		digest_to_hex(&snapshot->values[pcr], hex);
		r = add_text(bank, number, hex);
	}
	return r;
}

static int add_index(struct json_object *array, const struct attest_snapshot *snapshot,
		     const struct attest_certified *index)
{
	struct json_object *object = json_object_new_object();
	int r;

	if (!object || json_object_array_add(array, object) < 0) {
		json_object_put(object);
		return -ENOMEM;
	}
	r = add_text(object, "name", index->name);
	if (r == 0)
		r = add_octets(object, "public", index->public.bytes, index->public.size);
	if (r == 0)
		r = add_text(object, "auth", snapshot->as_owner ? "owner" : "index");
	return r < 0 ? r : add_signed(object, "certify", &index->certify);
}

static int add_indices(struct json_object *header, const struct attest_snapshot *snapshot)
{
	struct json_object *array = json_object_new_array();
	int r = add(header, "nvpcrs", array);

	for (size_t i = 0; r == 0 && i < snapshot->n_indices; i++)
		if (!snapshot->indices[i].missing)
			r = add_index(array, snapshot, &snapshot->indices[i]);
	return r;
}

static int add_firmware_log(struct json_object *header,
			    const struct attest_snapshot *snapshot)
{
	_cleanup_free_ char *log = NULL;
	size_t size;
	int r;

	r = io_read_file(snapshot->request.root_fd, FIRMWARE_LOG, ATTEST_FIRMWARE_LOG_MAX,
			 &log, &size);
	if (r == -ENOMEM)
		return r;
	return r < 0 ? 0 : add_octets(header, "firmware_log", log, size);
}

static int describe(const struct attest_snapshot *snapshot, struct json_object *header)
{
	const struct attest_request *request = &snapshot->request;
	char nonce[2 * ATTEST_NONCE_MAX + 1];
	int r;

	hex_encode(request->nonce, request->nonce_size, nonce);
	r = add(header, "veritally-evidence", json_object_new_int(1));
	if (r == 0)
		r = add_text(header, "nonce", nonce);
	if (r == 0)
		r = add_text(header, "boot_id", request->boot_id);
	if (r == 0)
		r = add_keys(header, snapshot);
	if (r == 0)
		r = add_signed(header, "quote", &snapshot->quote);
	if (r == 0)
		r = add_pcrs(header, snapshot);
	if (r == 0)
		r = add_indices(header, snapshot);
	if (r == 0)
		r = add_signed(header, "audit", &snapshot->audit);
	return r < 0 ? r : add_firmware_log(header, snapshot);
}

static int write_header(const struct attest_snapshot *snapshot, int fd)
{
	_cleanup_json_ struct json_object *header = json_object_new_object();
	const char *text;
	size_t length;
	int r;

	if (!header)
		return -ENOMEM;
	r = describe(snapshot, header);
	if (r < 0)
		return r;
	text = json_object_to_json_string_length(
		header, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
	if (!text)
		return -ENOMEM;
	r = io_write_all(fd, "\x1e", 1);
	if (r == 0)
		r = io_write_all(fd, text, length);
	return r < 0 ? r : io_write_all(fd, "\n", 1);
}

static int copy_log(const struct attest_snapshot *snapshot, int fd)
{
	_cleanup_free_ char *piece = malloc(PIECE_SIZE);
	uint64_t offset = 0;

	if (!piece)
		return -ENOMEM;
	while (offset < snapshot->log_size) {
		uint64_t left = snapshot->log_size - offset;
		ssize_t n = pread(snapshot->log_fd, piece,
				  left < PIECE_SIZE ? (size_t)left : PIECE_SIZE,
				  (off_t)offset);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ESTALE;
		r = io_write_all(fd, piece, (size_t)n);
		if (r < 0)
			return r;
		offset += (uint64_t)n;
	}
	return 0;
}

/**
 * attest_write() - write evidence
 * @snapshot: of attest_collect()
 * @fd:       where to
 *
 * Return: 0; -ESTALE if the log was cut short meanwhile; -ENOMEM; a negative errno of
 * the files.
 */
int attest_write(const struct attest_snapshot *snapshot, int fd)
{
	int r = write_header(snapshot, fd);

	return r < 0 ? r : copy_log(snapshot, fd);
}
