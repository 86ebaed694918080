/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signatures by RSA are openssl's, that on P-256 is of RFC 6979, A.2.5. */
#include "attest/crypto.h"

#include <errno.h>

#include "base/hex.h"
#include "test.h"

#define P256_KEY								\
	"0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"	\
	"7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define P256_R	"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
#define P256_S	"f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"

static const char modulus[] =
	"b8d9349e459e97c465bb021e55475e86feb4c255b40a4b10c7e96b6f9768ddce"
	"f1414df9aabc526e1f7ba5520472e24fac36a2d1fcaa71254e356ad72f4e1bb7"
	"851ff8da8afa68e3428da4c4c0efa1fbd829214e2f3235195181b98b6b905d4a"
	"4dd82fabc84f29f8876f2b9966b555618ef28d708d8ecc58950c8791818de2a7"
	"eaab1c440b1a9903647840a496911726e26cf3bddcb74c586dfaad47cee2028b"
	"a2b00cb42ec0490abc075090d336e2bf259d0ff399cceb232824c0ce3557d4db"
	"b218a41a7a774dab0a704a3621f49375a15b21da077586f488ef83090bf16587"
	"33a6b4b41bab3433691db39e3442797f3c56fed87df9f19138c79610b936cd69";
static const char pss[] =
	"4cff3e55b75ddeab1d287434b1d5ceaecf21594c491e74f4a0b8d56c95893a4a"
	"bbe1699d238f88ac4b4b4661167044d6b0def4f892c0749309ec6307cbd07cbd"
	"b78b1cf6a7cd959fe30a188c4a4cbe16e009c17605919b99f396cd8a283d76a5"
	"421542d7a7742d7ef2e89a2acc00550db0b625059ee25eadbca87b1c418d4ec1"
	"6b2c2911e4f028f96cc979dc06756fdb36048dbe9fe772fe604d80d7d1119b39"
	"24bfdc6fc16641a79ffc4508eeb30ed31adec69b790257c04c6044a406d0028b"
	"1f79961e49f4bb84f0ec186ac6ace0fb968c911aeea227f520654fd6f8eda6b2"
	"39f278a87769e0074cb9277c6f9e6fcb2c9186b1308d6bfcec20924017d7dbb9";
static const char rsassa[] =
	"82e21fd593093a58730acccc58869b58a6849d06ce31bf84108b5ccc6136be55"
	"38cd12f40581bc4d8398e363c813d1585d08575a17fa1c018f0f780e72477025"
	"c66b1160e4f8d7f1790c6765917b1b7cf6d6c45c77fe20ba410e256baf517123"
	"9844d9773aa6fe866d0a5d2cb3254bf192e7e2fbd45b7b50d51674f81dc572c5"
	"abb80d25b1b683e99985edbcb2bd3100b5cc03d33735000f6ec6f645c92a6749"
	"aa04b693497b18a0bbda7736722586907a9a2acfeb2cbe3773da3f8481d2bba7"
	"fdcf4d901a3f990cce02a329e0b63851b9c2dee710b5362ab47c0ca5b438b1f5"
	"06631605afbbcb7f478105da3b1136c42c628e9697732681f9fe8eb357426be0";

/* A signature of "sample" in two runs of octets of its own. */
struct example {
	struct attest_crypto_key key;
	uint8_t r[256];
	uint8_t s[32];
	struct attest_crypto_signature signature;
	struct digest digest;
};

static void make(struct example *e, enum attest_scheme scheme, const char *key,
		 const char *r, const char *s)
{
	*e = (struct example){
		.key.type = scheme == ATTEST_SCHEME_ECDSA ? ATTEST_CRYPTO_P256
							  : ATTEST_CRYPTO_RSA,
		.key.e = { 1, 0, 1 }, .key.e_size = 3, .signature.scheme = scheme,
	};
	CHECK_EQ(hex_decode(key, e->key.n, sizeof(e->key.n), &e->key.n_size), 0);
	CHECK_EQ(hex_decode(r, e->r, sizeof(e->r), &e->signature.r_size), 0);
	CHECK_EQ(hex_decode(s, e->s, sizeof(e->s), &e->signature.s_size), 0);
	e->signature.r = e->r;
	e->signature.s = e->s;
	digest_compute(DIGEST_SHA256, "sample", 6, &e->digest);
}

static int verify(const struct example *e)
{
	return attest_crypto_verify(&e->key, &e->signature, &e->digest);
}

static void check_example(struct example *e)
{
	CHECK_EQ(verify(e), 0);
	for (size_t i = 0; i < e->signature.r_size; i += 5) {
		e->r[i] ^= 1;
		CHECK_EQ(verify(e), -EBADMSG);
		e->r[i] ^= 1;
	}
	for (size_t i = 0; i < e->signature.s_size; i += 5) {
		e->s[i] ^= 1;
		CHECK_EQ(verify(e), -EBADMSG);
		e->s[i] ^= 1;
	}
	for (size_t i = 0; i < e->key.n_size; i += 9) {
		e->key.n[i] ^= 4;
		CHECK_EQ(verify(e), -EBADMSG);
		e->key.n[i] ^= 4;
	}
	e->digest.bytes[31] ^= 1;
	CHECK_EQ(verify(e), -EBADMSG);
	e->digest.bytes[31] ^= 1;
	CHECK_EQ(verify(e), 0);
}

static void a_signature_on_p256_is_verified(void)
{
	struct example e;

	make(&e, ATTEST_SCHEME_ECDSA, P256_KEY, P256_R, P256_S);
	check_example(&e);
	e.signature.r_size = 0;
	CHECK_EQ(verify(&e), -EBADMSG);
}

static void a_signature_by_rsa_is_verified(void)
{
	struct example e;

	make(&e, ATTEST_SCHEME_RSASSA, modulus, rsassa, "");
	check_example(&e);
	make(&e, ATTEST_SCHEME_RSAPSS, modulus, pss, "");
	check_example(&e);
	e.signature.r_size--;
	CHECK_EQ(verify(&e), -EBADMSG);
}

static void scheme_and_key_must_fit(void)
{
	struct example e;

	make(&e, ATTEST_SCHEME_RSAPSS, modulus, rsassa, "");
	CHECK_EQ(verify(&e), -EBADMSG);
	make(&e, ATTEST_SCHEME_RSASSA, modulus, pss, "");
	CHECK_EQ(verify(&e), -EBADMSG);
	e.signature.scheme = ATTEST_SCHEME_ECDSA;
	CHECK_EQ(verify(&e), -EBADMSG);
	make(&e, ATTEST_SCHEME_ECDSA, P256_KEY, P256_R, P256_S);
	e.key.type = ATTEST_CRYPTO_P384;
	CHECK_EQ(verify(&e), -EBADMSG);
	e.key.type = ATTEST_CRYPTO_RSA;
	CHECK_EQ(verify(&e), -EBADMSG);
}

static void sha_1_does_not_count(void)
{
	struct example e;

	make(&e, ATTEST_SCHEME_ECDSA, P256_KEY, P256_R, P256_S);
	e.digest.alg = DIGEST_SHA1;
	CHECK_EQ(verify(&e), -EBADMSG);
}

TEST_MAIN(a_signature_on_p256_is_verified, a_signature_by_rsa_is_verified,
	  scheme_and_key_must_fit, sha_1_does_not_count)
