/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attest/public.h"

#include <errno.h>

#include "base/base64.h"
#include "base/hex.h"
#include "test.h"

/* Of a software TPM; Name and PEM are what tpm2_readpublic of tpm2-tools 5.4 says. */
static const struct {
	enum attest_key_type type;
	const char *public;
	const char *name;
	const char *pem;
} keys[] = {
	{
		.type = ATTEST_KEY_ECC,
		.public = "AFgAIwALAAUEcgAAABAAGAALAAMAEAAgvGsyxOUgpkRPIJ9DtuVWl7bzXnGJNRd7"
			"1ltaA8N+bWkAIGuTlHE4T0HQDDdBzwJTXZMdpIBgpOnz33BQ/AmmikEY",
		.name = "000b7f05de8b8ff626f10f2b44ef744205ac5b090ce99c4453653b8f88e35995b7c2",
		.pem = "-----BEGIN PUBLIC KEY-----\n"
		       "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEvGsyxOUgpkRPIJ9DtuVWl7bzXnGJ\n"
		       "NRd71ltaA8N+bWlrk5RxOE9B0Aw3Qc8CU12THaSAYKTp899wUPwJpopBGA==\n"
		       "-----END PUBLIC KEY-----\n",
	},
	{
		.type = ATTEST_KEY_RSA,
		.public = "ARgAAQALAAUEcgAAABAAFAALCAAAAAAAAQC6vKLAQ3f8K9LMBIA3U/ZVgJKABpXT"
			"kHedblDIbEiEzOPnjYN1meM2vNDnQXGEfsYbvNWEC5ls8epSdbXVcnChqmWq7kEo"
			"4jenh7tIKcuI3A4QcBd0m8R+LcePvt9npF2JmRFyH1AjeJS2gyCwNvmdqKRPaMgR"
			"I9hYQIM1x69MDDmzpK7EqPzNBq84l8b6vXSfyTslicZFWzl4Kmw9AbYHR2PsW2Qk"
			"4e7iImJ2E5rWuGH2JxcjB8Ncq/6YcyQJjTvzU+Z05n3utdAYkNxZHARFtKNDuibE"
			"7VHeb/o32A2+rNFIneBID4J8Pf+PU41o2TqneOgQinCFRgO9tB6Wf5cZ",
		.name = "000b25163c7c0493ad3e66b9a9b4fd722f4cd1b57b34ddb8414dc8a930fc53d1b010",
		.pem = "-----BEGIN PUBLIC KEY-----\n"
		       "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuryiwEN3/CvSzASAN1P2\n"
		       "VYCSgAaV05B3nW5QyGxIhMzj542DdZnjNrzQ50FxhH7GG7zVhAuZbPHqUnW11XJw\n"
		       "oaplqu5BKOI3p4e7SCnLiNwOEHAXdJvEfi3Hj77fZ6RdiZkRch9QI3iUtoMgsDb5\n"
		       "naikT2jIESPYWECDNcevTAw5s6SuxKj8zQavOJfG+r10n8k7JYnGRVs5eCpsPQG2\n"
		       "B0dj7FtkJOHu4iJidhOa1rhh9icXIwfDXKv+mHMkCY0781PmdOZ97rXQGJDcWRwE\n"
		       "RbSjQ7omxO1R3m/6N9gNvqzRSJ3gSA+CfD3/j1ONaNk6p3joEIpwhUYDvbQeln+X\n"
		       "GQIDAQAB\n"
		       "-----END PUBLIC KEY-----\n",
	},
};

#define N_KEYS	(sizeof(keys) / sizeof(keys[0]))

static size_t octets_of(size_t i, uint8_t ret[static TPM_OCTETS_MAX])
{
	size_t size = 0;

	CHECK_EQ(base64_decode(keys[i].public, strlen(keys[i].public), ret, TPM_OCTETS_MAX,
			       &size), 0);
	test_case = attest_key_type_name(keys[i].type);
	return size;
}

static void keys_are_taken_apart(void)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		char pem[ATTEST_PEM_MAX], hex[2 * TPM_NAME_MAX + 1];
		uint8_t octets[TPM_OCTETS_MAX];
		struct attest_public public;
		struct tpm_name name;
		size_t size = octets_of(i, octets);

		CHECK_EQ(attest_public_parse(octets, size, &public), 0);
		CHECK_EQ(public.type, keys[i].type);
		CHECK_EQ(public.attributes, 0x00050472);
		attest_public_pem(&public, pem);
		CHECK_STR(pem, keys[i].pem);
		attest_public_name(octets, size, &name);
		hex_encode(name.bytes, name.size, hex);
		CHECK_STR(hex, keys[i].name);
	}
}

static void one_octet_less_or_more_is_refused(void)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		uint8_t octets[TPM_OCTETS_MAX + 1] = { 0 };
		struct attest_public public;
		size_t size = octets_of(i, octets);

		for (size_t less = 0; less < size; less++) {
			CHECK_EQ(attest_public_parse(octets, less, &public), -EBADMSG);
			if (less < 2)
				continue;
			uint8_t shorter[TPM_OCTETS_MAX];

			memcpy(shorter, octets, less);
			shorter[0] = (uint8_t)((less - 2) >> 8);
			shorter[1] = (uint8_t)(less - 2);
			CHECK_EQ(attest_public_parse(shorter, less, &public), -EBADMSG);
		}
		CHECK_EQ(attest_public_parse(octets, size + 1, &public), -EBADMSG);
		octets[1]++;
		CHECK_EQ(attest_public_parse(octets, size + 1, &public), -EBADMSG);
	}
}

static void other_kinds_of_keys_are_refused(void)
{
	static const struct {
		const char *what;
		size_t offset[ATTEST_KEY_MAX];	/* of an octet that is changed */
	} changes[] = {
		{ "type", { 3, 3 } },
		{ "hash", { 5, 5 } },
		{ "curve, bits", { 19, 18 } },
		{ "a coordinate of 33 octets, a modulus of 257", { 23, 25 } },
		{ "size, exponent", { 1, 21 } },
	};

	for (size_t i = 0; i < N_KEYS; i++) {
		for (size_t k = 0; k < sizeof(changes) / sizeof(changes[0]); k++) {
			uint8_t octets[TPM_OCTETS_MAX];
			struct attest_public public;
			size_t size = octets_of(i, octets);
			size_t offset = changes[k].offset[keys[i].type];

			test_case = changes[k].what;
			octets[offset] ^= 1;
			CHECK_EQ(attest_public_parse(octets, size, &public), -EBADMSG);
		}
	}
}

static void a_short_coordinate_is_filled_up(void)
{
	uint8_t octets[TPM_OCTETS_MAX];
	struct attest_public public;
	size_t size = octets_of(0, octets), x = 22;

	/* x without its first octet */
	memmove(octets + x + 2, octets + x + 3, size - x - 3);
	octets[x + 1] = 31;
	octets[1]--;
	CHECK_EQ(attest_public_parse(octets, size - 1, &public), 0);
	CHECK_EQ(public.x[0], 0);
	CHECK_MEM(public.x + 1, 31ul, octets + x + 2, 31ul);
}

TEST_MAIN(keys_are_taken_apart,
	  one_octet_less_or_more_is_refused,
	  other_kinds_of_keys_are_refused,
	  a_short_coordinate_is_filled_up)
