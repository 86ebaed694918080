/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attest/ak.h"

#include <errno.h>

#include "base/hex.h"
#include "test.h"

/* The P-256 key of public_test.c with other attributes. */
#define KEY(attributes)								\
	"\"public\":\"AFgAIwAL" attributes "AAABAAGAALAAMAEAAgvGsyxOUgpkRPIJ9DtuVWl7bzXnGJ" \
	"NRd71ltaA8N+bWkAIGuTlHE4T0HQDDdBzwJTXZMdpIBgpOnz33BQ/AmmikEY\""
#define AK	"AAUEcg"	/* 00050472 */

static int parse(const char *text)
{
	struct attest_enrolment enrolment;

	test_case = text;
	return attest_enrolment_parse(text, strlen(text), &enrolment);
}

static void keys_are_read_and_the_name_is_computed(void)
{
	static const char text[] =
		"{\"name\":\"000b00\"," KEY(AK) ",\"ek\":{" KEY("AAMAsg") "}}";
	struct attest_enrolment enrolment;
	char hex[2 * TPM_NAME_MAX + 1];

	CHECK_EQ(attest_enrolment_parse(text, strlen(text), &enrolment), 0);
	hex_encode(enrolment.ak_name.bytes, enrolment.ak_name.size, hex);
	CHECK_STR(hex, "000b7f05de8b8ff626f10f2b44ef744205ac5b090ce99c4453653b8f88e35995b7c2");
	CHECK_EQ(enrolment.ek.size, 0x5a);
}

static void a_key_that_proves_nothing_is_refused(void)
{
	static const char *const texts[] = {
		"{" KEY("AAQEcg") ",\"ek\":{" KEY(AK) "}}",	/* not restricted */
		"{" KEY("AAEEcg") ",\"ek\":{" KEY(AK) "}}",	/* does not sign */
		"{" KEY("AAUEcA") ",\"ek\":{" KEY(AK) "}}",	/* may leave the TPM */
		"{" KEY("AAcEcg") ",\"ek\":{" KEY(AK) "}}",	/* decrypts too */
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CHECK_EQ(parse(texts[i]), -EPERM);
}

static void anything_else_is_refused(void)
{
	static const char *const texts[] = {
		"", "{}", "[]", "1", "{\"public\":1}", "{" KEY(AK) "}", "{" KEY(AK) ",\"ek\":1}",
		"{" KEY(AK) ",\"ek\":{}}", "{\"public\":\"AAAA\",\"ek\":{" KEY(AK) "}}",
		"{\"public\":\"-\",\"ek\":{" KEY(AK) "}}", "{" KEY(AK) ",\"ek\":[" "]}",
		"{" KEY(AK) ",\"ek\":{" KEY(AK) "}} {}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CHECK_EQ(parse(texts[i]), -EBADMSG);
}

static void the_file_of_a_credential_is_written_and_read(void)
{
	const struct tpm_credential credential = {
		.blob = { .bytes = { 0, 2, 0xaa, 0xbb }, .size = 4 },
		.seed = { .bytes = { 0, 1, 0xcc }, .size = 3 },
	};
	static const uint8_t wanted[] = {
		0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1, 0, 2, 0xaa, 0xbb, 0, 1, 0xcc,
	};
	uint8_t file[ATTEST_CREDENTIAL_MAX], other[ATTEST_CREDENTIAL_MAX];
	size_t size = attest_credential_encode(&credential, file);
	struct tpm_credential read;
	enum attest_key_type type;

	CHECK_MEM(file, size, wanted, sizeof(wanted));
	CHECK_EQ(attest_credential_decode(file, size, &read, &type), 0);
	CHECK_EQ(type, ATTEST_KEY_ECC);
	CHECK_MEM(other, attest_credential_encode(&read, other), wanted, sizeof(wanted));
	for (size_t less = 0; less < size; less++)
		CHECK_EQ(attest_credential_decode(file, less, &read, &type), -EBADMSG);
	CHECK_EQ(attest_credential_decode(file, size + 1, &read, &type), -EBADMSG);
	for (size_t i = 0; i < 8; i++) {
		file[i] ^= 1;
		CHECK_EQ(attest_credential_decode(file, size, &read, &type), -EBADMSG);
		file[i] ^= 1;
	}
}

TEST_MAIN(keys_are_read_and_the_name_is_computed,
	  a_key_that_proves_nothing_is_refused,
	  anything_else_is_refused,
	  the_file_of_a_credential_is_written_and_read)
