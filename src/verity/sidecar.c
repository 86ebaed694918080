/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What tells the root hash of an image: a text beside it, the text of its signature
 * partition, or the UUIDs of its partitions.  Pure.
 *
 * Spec: UAPI.2 Discoverable Partitions Specification, "Verity"
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "verity/image.h"

#define ROOT_HASH_MIN	16		/* bytes */
#define JSON_DEPTH_MAX	8

/**
 * verity_sidecar_path() - name the file that lies beside an image
 * @image:    path of the image
 * @suffix:   such as ".roothash"; takes the place of the image's ".raw"
 * @ret:      path of the file
 * @ret_size: room in @ret in bytes
 *
 * Return: 0; -ENAMETOOLONG.
 */
int verity_sidecar_path(const char *image, const char *suffix, char *ret,
			size_t ret_size)
{
	size_t length = strlen(image);

	if (length > strlen(".raw") && !strcmp(image + length - strlen(".raw"), ".raw"))
		length -= strlen(".raw");
	if (length + strlen(suffix) >= ret_size)
		return -ENAMETOOLONG;
	(void)snprintf(ret, ret_size, "%.*s%s", (int)length, image, suffix);
	return 0;
}

static int parse_hex(const char *hex, struct verity_root_hash *ret)
{
	struct verity_root_hash hash;

	if (hex_decode(hex, hash.bytes, sizeof(hash.bytes), &hash.size) < 0 ||
	    hash.size < ROOT_HASH_MIN)
		return -EBADMSG;
	*ret = hash;
	return 0;
}

/**
 * verity_sidecar_parse() - read a file or an extended attribute that is a root hash
 * @text: hexadecimal digits, and maybe a line feed
 * @size: of @text in bytes
 * @ret:  the root hash
 *
 * Return: 0; -EBADMSG if it is nothing of the kind.
 */
int verity_sidecar_parse(const char *text, size_t size, struct verity_root_hash *ret)
{
	char hex[DIGEST_HEX_MAX];

	if (size && text[size - 1] == '\n')
		size--;
	if (size >= sizeof(hex) || memchr(text, '\0', size))
		return -EBADMSG;
	memcpy(hex, text, size);
	hex[size] = '\0';
	return parse_hex(hex, ret);
}

/* The digits of a UUID in the order of its text, which is where the hyphens must be. */
static int copy_digits(const char *uuid, char ret[static 32])
{
	if (strlen(uuid) != VERITY_UUID_MAX - 1)
		return -EBADMSG;
	for (int i = 0; uuid[i]; i++) {
		if ((uuid[i] == '-') != (i == 8 || i == 13 || i == 18 || i == 23))
			return -EBADMSG;
		if (uuid[i] != '-')
			*ret++ = uuid[i];
	}
	return 0;
}

/**
 * verity_sidecar_parse_uuids() - put the root hash together from two partitions' UUIDs
 * @data_uuid: of the data partition: the first half
 * @hash_uuid: of the hash partition: the second half
 * @ret:       the root hash if it has 256 bits; otherwise its first and last 128
 *
 * Return: 0; -EBADMSG if these are no UUIDs.
 */
int verity_sidecar_parse_uuids(const char *data_uuid, const char *hash_uuid,
			       struct verity_root_hash *ret)
{
	char hex[2 * 32 + 1] = "";

	if (copy_digits(data_uuid, hex) < 0 || copy_digits(hash_uuid, hex + 32) < 0)
		return -EBADMSG;
	return parse_hex(hex, ret);
}

/* NULL if there is no such text, or a NUL in it hides the rest. */
static const char *get_string(struct json_object *object, const char *key)
{
	struct json_object *value;
	const char *string;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	string = json_object_get_string(value);
	return strlen(string) == (size_t)json_object_get_string_len(value) ?
	       string : NULL;
}

/**
 * verity_sidecar_parse_signature() - read the text of a signature partition
 * @json: an object with the members rootHash and signature; NULs may follow
 * @size: of @json in bytes, NULs included
 * @ret:  the root hash; whether the signature is good is not looked at
 *
 * Return: 0; -EBADMSG if it is nothing of the kind; -ENOMEM.
 */
int verity_sidecar_parse_signature(const char *json, size_t size,
				   struct verity_root_hash *ret)
{
	_cleanup_tokener_ struct json_tokener *tokener = NULL;
	_cleanup_json_ struct json_object *object = NULL;
	const char *root_hash, *signature;
	size_t length = strnlen(json, size);

	tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, json, (int)length);
	if (!object || json_tokener_get_parse_end(tokener) != length ||
	    !json_object_is_type(object, json_type_object))
		return -EBADMSG;
	root_hash = get_string(object, "rootHash");
	signature = get_string(object, "signature");
	if (!root_hash || !signature || !*signature)
		return -EBADMSG;
	return parse_hex(root_hash, ret);
}
