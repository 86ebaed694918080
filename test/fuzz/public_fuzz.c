/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "attest/attest.h"

/* Whatever the octets, a key that is taken has a Name and a PEM of the right length. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct attest_public public;
	char pem[ATTEST_PEM_MAX];
	struct tpm_name name;
	int r = attest_public_parse(data, size, &public);

	assert(r == 0 || r == -EBADMSG);
	if (r < 0)
		return 0;
	assert(public.fixed_size < size);
	attest_public_name(data, size, &name);
	assert(name.size == 34);
	attest_public_pem(&public, pem);
	assert(strlen(pem) == (public.type == ATTEST_KEY_ECC ? 178 : 451));
	return 0;
}
