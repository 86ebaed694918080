/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ak show`, `challenge` and `activate`: binding the key to the TPM that it is in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <json-c/json.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "base/msg.h"

#include "cmd/ak.h"

#define FILE_SIZE_MAX	65536	/* bytes */

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static void add_octets(struct json_object *object, const char *key, const uint8_t *data,
		       size_t size)
{
	char text[BASE64_LENGTH(ATTEST_CERTIFICATE_MAX) + 1];

	base64_encode(data, size, text);
	add_text(object, key, text);
}

static void add_key(struct json_object *object, const struct tpm_key *key)
{
	char name[2 * TPM_NAME_MAX + 1], pem[ATTEST_PEM_MAX];
	struct attest_public public;

	if (attest_public_parse(key->public.bytes, key->public.size, &public) < 0)
		return;
	hex_encode(key->name.bytes, key->name.size, name);
	attest_public_pem(&public, pem);
	add_text(object, "type", attest_key_type_name(public.type));
	add_text(object, "name", name);
	add_octets(object, "public", key->public.bytes, key->public.size);
	add_text(object, "pem", pem);
}

static int show_json(struct tpm *tpm, const struct ak_wanted *wanted,
		     const struct tpm_key *ak, const struct attest_certificate *certificate)
{
	struct json_object *object, *child;
	struct tpm_key ek;
	char handle[16];
	int r = attest_ek_create(tpm, certificate->type, &ek);

	if (r < 0)
		return cmd_ak_failed(tpm, wanted->handle, r);
	object = json_object_new_object();
	child = json_object_new_object();
	(void)snprintf(handle, sizeof(handle), "0x%08x", wanted->handle);
	add_text(object, "handle", handle);
	add_key(object, ak);
	add_key(child, &ek);
	tpm_key_done(tpm, &ek);
	if (certificate->size)
		add_octets(child, "certificate", certificate->der, certificate->size);
	json_object_object_add(object, "ek", child);
	return cmd_print_json(object);
}

static int show_text(const struct ak_wanted *wanted, const struct tpm_key *ak,
		     const struct attest_certificate *certificate)
{
	char text[BASE64_LENGTH(ATTEST_CERTIFICATE_MAX) + 1];
	struct json_object *object = json_object_new_object();

	add_key(object, ak);
	(void)printf("%-6s 0x%08x\n", "handle", wanted->handle);
	json_object_object_foreach(object, key, value)
		if (strcmp(key, "type") == 0 || strcmp(key, "name") == 0)
			(void)printf("%-6s %s\n", key, json_object_get_string(value));
	(void)fputs(json_object_get_string(json_object_object_get(object, "pem")), stdout);
	json_object_put(object);
	if (!certificate->size) {
		(void)puts("the TPM has no certificate of its endorsement key");
		return CMD_OK;
	}
	base64_encode(certificate->der, certificate->size, text);
	(void)puts("-----BEGIN CERTIFICATE-----");
	for (const char *p = text; *p; p += strnlen(p, 64))
		(void)printf("%.64s\n", p);
	(void)puts("-----END CERTIFICATE-----");
	return CMD_OK;
}

static int show_pem(const struct attest_public *public)
{
	char pem[ATTEST_PEM_MAX];

	attest_public_pem(public, pem);
	(void)fputs(pem, stdout);
	return CMD_OK;
}

/**
 * ak_show() - show the attestation key, and what is known of the endorsement key
 *
 * Return: an exit status, after saying what is wrong.
 */
int ak_show(struct tpm *tpm, const struct ak_wanted *wanted)
{
	struct attest_certificate certificate;
	struct attest_public public;
	struct tpm_key ak;
	int r = attest_ak_find(tpm, wanted->handle, &ak, &public);

	if (r != 0)
		return cmd_ak_failed(tpm, wanted->handle, r);
	if (wanted->pem) {
		r = show_pem(&public);
	} else {
		r = attest_ek_certificate(tpm, &certificate);
		if (r == 0)
			r = wanted->json ? show_json(tpm, wanted, &ak, &certificate)
					 : show_text(wanted, &ak, &certificate);
	}
	if (r < 0)
		r = cmd_ak_failed(tpm, wanted->handle, r);
	tpm_key_done(tpm, &ak);
	return r;
}

/* Reads a file that was named on the command line, or standard input. */
static int read_file(const char *path, char *ret, size_t *ret_size)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	bool failed = !file;

	if (file) {
		*ret_size = fread(ret, 1, FILE_SIZE_MAX, file);
		failed = ferror(file);
		if (!failed && !feof(file) && fgetc(file) != EOF) {
			failed = true;
			errno = EFBIG;
		}
	}
	if (failed)
		(void)msg_error(-errno, "cannot read %s", path);
	if (file && file != stdin)
		(void)fclose(file);
	return failed ? CMD_FAILED : CMD_OK;
}

static int write_file(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "we");
	bool failed = !file || fwrite(data, 1, size, file) != size;

	if (file && fclose(file) != 0)
		failed = true;
	if (failed)
		(void)msg_error(-errno, "cannot write %s", path);
	return failed ? CMD_FAILED : CMD_OK;
}

static void print_secret(const uint8_t *secret, size_t size)
{
	char hex[2 * TPM_OCTETS_MAX + 1];

	hex_encode(secret, size, hex);
	(void)puts(hex);
}

/**
 * ak_challenge() - wrap a new secret for the TPM of a machine
 *
 * Return: an exit status, after saying what is wrong.
 */
int ak_challenge(struct tpm *tpm, const struct ak_wanted *wanted)
{
	uint8_t secret[ATTEST_SECRET_SIZE], file[ATTEST_CREDENTIAL_MAX];
	_cleanup_free_ char *text = malloc(FILE_SIZE_MAX);
	struct attest_enrolment enrolment;
	struct tpm_credential credential;
	size_t size;
	int r = text ? read_file(wanted->file, text, &size) : CMD_FAILED;

	if (r != CMD_OK)
		return r;
	r = attest_enrolment_parse(text, size, &enrolment);
	if (r == -EPERM)
		return msg_error(CMD_MISMATCH, "%s: the key may sign what the TPM did not make",
				 wanted->file);
	if (r < 0)
		return msg_error(CMD_FAILED, "%s is not what 'veritally ak show --json' prints",
				 wanted->file);
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return (msg_error(-errno, "cannot get random bytes"), CMD_FAILED);
	r = tpm_credential_make(tpm, &enrolment.ek, &enrolment.ak_name, secret,
				sizeof(secret), &credential);
	if (r < 0)
		return cmd_ak_failed(tpm, wanted->handle, r);
	r = write_file(wanted->output, file, attest_credential_encode(&credential, file));
	if (r == CMD_OK)
		print_secret(secret, sizeof(secret));
	return r;
}

static int activate(struct tpm *tpm, const struct ak_wanted *wanted, enum attest_key_type type,
		    const struct tpm_credential *credential)
{
	struct attest_public public;
	struct tpm_octets secret;
	struct tpm_key ak, ek;
	int r = attest_ak_find(tpm, wanted->handle, &ak, &public);

	if (r != 0)
		return cmd_ak_failed(tpm, wanted->handle, r);
	r = attest_ek_create(tpm, type, &ek);
	if (r == 0) {
		r = tpm_credential_activate(tpm, &ak, &ek, credential, &secret);
		tpm_key_done(tpm, &ek);
	}
	tpm_key_done(tpm, &ak);
	if (r != 0)
		return cmd_ak_failed(tpm, wanted->handle, r);
	print_secret(secret.bytes, secret.size);
	return CMD_OK;
}

/**
 * ak_activate() - read the secret that was wrapped for this TPM
 *
 * Return: an exit status, after saying what is wrong.
 */
int ak_activate(struct tpm *tpm, const struct ak_wanted *wanted)
{
	_cleanup_free_ char *data = malloc(FILE_SIZE_MAX);
	struct tpm_credential credential;
	enum attest_key_type type;
	size_t size;
	int r = data ? read_file(wanted->file, data, &size) : CMD_FAILED;

	if (r != CMD_OK)
		return r;
	if (attest_credential_decode((const uint8_t *)data, size, &credential, &type) < 0)
		return msg_error(CMD_FAILED, "%s is not what 'veritally ak challenge' wrote",
				 wanted->file);
	return activate(tpm, wanted, type, &credential);
}
