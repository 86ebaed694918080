/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whatever the octets: as a certificate they have a key of a size that counts or none, and
 * as a signature they are by nobody whose key is not theirs.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>

#include "attest/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct attest_crypto_key key = { .type = ATTEST_CRYPTO_P256 };
	int r = attest_pkcs7_certificate(data, size, &key);

	assert(r == 0 || r == -EBADMSG);
	if (r == 0)
		assert(key.n_size && key.n_size <= sizeof(key.n) &&
		       key.e_size <= sizeof(key.e));
	key = (struct attest_crypto_key){ .type = ATTEST_CRYPTO_P256, .n = { 4 }, .n_size = 65 };
	r = attest_pkcs7_verify(data, size, "content", 7, &key, 1);
	assert(r == -EBADMSG || r == -EKEYREJECTED);
	return 0;
}
