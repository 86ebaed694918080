/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The header of evidence.  Pure.
 *
 * This takes apart and judges nothing: what comes out has the form that
 * veritally-evidence(5) gives it, and sizes that fit.
 */
#include "attest/header.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_mu.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/number.h"

#define DEPTH_MAX	8	/* of JSON values; a reading needs 5 */
#define VERSION		1

/* The state of one reading: what is wrong is said by the first who finds it. */
struct reading {
	struct attest_header *header;
	const char *reason;
};

static int refuse(struct reading *reading, const char *reason)
{
	if (!reading->reason)
		reading->reason = reason;
	return -EBADMSG;
}

static int get(struct reading *reading, struct json_object *from, const char *key,
	       enum json_type type, struct json_object **ret)
{
	if (!json_object_object_get_ex(from, key, ret) ||
	    !json_object_is_type(*ret, type))
		return refuse(reading, key);
	return 0;
}

static int get_text(struct reading *reading, struct json_object *from, const char *key,
		    char *ret, size_t ret_max)
{
	struct json_object *value;
	size_t length;

	if (get(reading, from, key, json_type_string, &value) < 0)
		return -EBADMSG;
	length = (size_t)json_object_get_string_len(value);
	if (length >= ret_max || strlen(json_object_get_string(value)) != length)
		return refuse(reading, key);
	memcpy(ret, json_object_get_string(value), length + 1);
	return 0;
}

static int get_blob(struct reading *reading, struct json_object *from, const char *key,
		    struct attest_blob *ret)
{
	struct json_object *value;
	size_t length;

	if (get(reading, from, key, json_type_string, &value) < 0)
		return -EBADMSG;
	length = (size_t)json_object_get_string_len(value);
	ret->data = malloc(length + 1);
	if (!ret->data)
		return -ENOMEM;
	if (base64_decode(json_object_get_string(value), length, ret->data, length,
			  &ret->size) < 0)
		return refuse(reading, key);
	return 0;
}

static int get_statement(struct reading *reading, struct json_object *from,
			 const char *key, struct attest_statement *ret)
{
	struct json_object *object;
	size_t offset = 0;
	int r;

	if (get(reading, from, key, json_type_object, &object) < 0)
		return -EBADMSG;
	r = get_blob(reading, object, "attest", &ret->bytes) ?:
	    get_blob(reading, object, "signature", &ret->signed_by);
	if (r < 0)
		return r;
	if (Tss2_MU_TPMS_ATTEST_Unmarshal(ret->bytes.data, ret->bytes.size, &offset,
					  &ret->attest) || offset != ret->bytes.size)
		return refuse(reading, "attest");
	offset = 0;
	if (Tss2_MU_TPMT_SIGNATURE_Unmarshal(ret->signed_by.data, ret->signed_by.size,
					     &offset, &ret->signature) ||
	    offset != ret->signed_by.size)
		return refuse(reading, "signature");
	return 0;
}

static int take_nonce(struct reading *reading, struct json_object *root)
{
	struct attest_header *header = reading->header;
	char hex[2 * ATTEST_NONCE_MAX + 1];
	int r = get_text(reading, root, "nonce", hex, sizeof(hex));

	if (r < 0)
		return r;
	if (hex_decode(hex, header->nonce, sizeof(header->nonce),
		       &header->nonce_size) < 0)
		return refuse(reading, "nonce");
	return 0;
}

static int take_key(struct reading *reading, struct json_object *root)
{
	struct attest_header *header = reading->header;
	struct json_object *object;
	int r;

	if (get(reading, root, "ak", json_type_object, &object) < 0)
		return -EBADMSG;
	r = get_blob(reading, object, "public", &header->key);
	if (r < 0)
		return r;
	if (attest_public_parse(header->key.data, header->key.size, &header->ak) < 0)
		return refuse(reading, "public");
	attest_public_name(header->key.data, header->key.size, &header->ak_name);
	return 0;
}

static int take_pcr(struct reading *reading, const char *number, struct json_object *value)
{
	struct attest_header *header = reading->header;
	uint64_t pcr;

	if (number_parse(number, ATTEST_PCRS - 1, &pcr) < 0 ||
	    !json_object_is_type(value, json_type_string) ||
	    digest_from_hex(header->bank, json_object_get_string(value),
			    &header->pcrs[pcr]) < 0)
		return refuse(reading, "pcrs");
	header->quoted |= 1U << pcr;
	return 0;
}

static int take_pcrs(struct reading *reading, struct json_object *root)
{
	struct json_object *banks, *values = NULL;
	int r = 0;

	if (get(reading, root, "pcrs", json_type_object, &banks) < 0 ||
	    json_object_object_length(banks) != 1)
		return refuse(reading, "pcrs");
	json_object_object_foreach(banks, name, bank) {
		reading->header->bank = digest_alg_from_name(name);
		values = bank;
	}
	if (reading->header->bank < 0 || !json_object_is_type(values, json_type_object))
		return refuse(reading, "pcrs");
	json_object_object_foreach(values, number, value) {
		if (r == 0)
			r = take_pcr(reading, number, value);
	}
	return r;
}

static int take_public(struct reading *reading, struct json_object *object,
		       struct attest_header_index *ret)
{
	size_t offset = 0;
	int r = get_blob(reading, object, "public", &ret->public);

	if (r < 0)
		return r;
	if (ret->public.size < 2 ||
	    (size_t)(ret->public.data[0] << 8 | ret->public.data[1]) != ret->public.size - 2)
		return refuse(reading, "public");
	ret->public.size -= 2;
	memmove(ret->public.data, ret->public.data + 2, ret->public.size);
	if (Tss2_MU_TPMS_NV_PUBLIC_Unmarshal(ret->public.data, ret->public.size, &offset,
					     &ret->nv) || offset != ret->public.size)
		return refuse(reading, "public");
	return 0;
}

static int take_index(struct reading *reading, struct json_object *object,
		      struct attest_header_index *ret)
{
	char auth[8];
	int r;

	if (!json_object_is_type(object, json_type_object))
		return refuse(reading, "nvpcrs");
	r = get_text(reading, object, "name", ret->name, sizeof(ret->name)) ?:
	    get_text(reading, object, "auth", auth, sizeof(auth)) ?:
	    take_public(reading, object, ret) ?:
	    get_statement(reading, object, "certify", &ret->statement);
	if (r < 0)
		return r;
	ret->by_owner = strcmp(auth, "owner") == 0;
	if (!ret->by_owner && strcmp(auth, "index") != 0)
		return refuse(reading, "auth");
	return 0;
}

static int take_indices(struct reading *reading, struct json_object *root)
{
	struct attest_header *header = reading->header;
	struct json_object *array;
	int r = get(reading, root, "nvpcrs", json_type_array, &array);

	if (r == 0 && json_object_array_length(array) > NVPCR_MAX)
		return refuse(reading, "nvpcrs");
	for (size_t i = 0; r == 0 && i < json_object_array_length(array); i++)
		r = take_index(reading, json_object_array_get_idx(array, i),
			       &header->indices[header->n_indices++]);
	return r;
}

static int take_firmware_log(struct reading *reading, struct json_object *root)
{
	if (!json_object_object_get_ex(root, "firmware_log", NULL))
		return 0;
	return get_blob(reading, root, "firmware_log", &reading->header->firmware_log);
}

static int take_version(struct reading *reading, struct json_object *root)
{
	struct json_object *version;

	if (!json_object_is_type(root, json_type_object))
		return refuse(reading, "it is not an object");
	if (get(reading, root, "veritally-evidence", json_type_int, &version) < 0)
		return -EBADMSG;
	return json_object_get_int64(version) == VERSION ? 0 :
	       refuse(reading, "veritally-evidence");
}

static int take_all(struct reading *reading, struct json_object *root)
{
	struct attest_header *header = reading->header;

	return take_version(reading, root) ?: take_nonce(reading, root) ?:
	       get_text(reading, root, "boot_id", header->boot_id,
			sizeof(header->boot_id)) ?:
	       take_key(reading, root) ?:
	       get_statement(reading, root, "quote", &header->quote) ?:
	       take_pcrs(reading, root) ?: take_indices(reading, root) ?:
	       get_statement(reading, root, "audit", &header->audit) ?:
	       take_firmware_log(reading, root);
}

/**
 * attest_header_parse() - take a header apart
 * @text:       one object of JSON, without its frame
 * @size:       of @text in bytes
 * @ret:        what it holds, for attest_header_free()
 * @ret_reason: with -EBADMSG, what is missing or wrong: a static string
 *
 * Return: 0; -EBADMSG; -ENOMEM.
 */
int attest_header_parse(const char *text, size_t size, struct attest_header **ret,
			  const char **ret_reason)
{
	_cleanup_(attest_header_free) struct attest_header *header =
		calloc(1, sizeof(*header));
	struct reading reading = { .header = header };
	_cleanup_json_ struct json_object *root = NULL;
	int r;

	if (!header)
		return -ENOMEM;
	r = json_parse(text, size, DEPTH_MAX, &root);
	if (r == -EBADMSG)
		(void)refuse(&reading, "it is not JSON");
	if (r == 0)
		r = take_all(&reading, root);
	if (r < 0) {
		*ret_reason = reading.reason;
		return r;
	}
	*ret = take_ptr(header);
	return 0;
}

static void statement_done(struct attest_statement *statement)
{
	free(statement->bytes.data);
	free(statement->signed_by.data);
}

/**
 * attest_header_free() - free a header
 * @header: may point to NULL; is NULL afterwards
 */
void attest_header_free(struct attest_header **header)
{
	struct attest_header *e = take_ptr(*header);

	if (!e)
		return;
	statement_done(&e->quote);
	statement_done(&e->audit);
	for (size_t i = 0; i < e->n_indices; i++) {
		statement_done(&e->indices[i].statement);
		free(e->indices[i].public.data);
	}
	free(e->key.data);
	free(e->firmware_log.data);
	free(e);
}
