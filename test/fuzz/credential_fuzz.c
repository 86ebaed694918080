/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "attest/attest.h"

/* Whatever the octets, a file that is taken is written the same again; and whatever the
 * text, keys that are taken have a Name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t file[ATTEST_CREDENTIAL_MAX];
	struct attest_enrolment enrolment;
	struct tpm_credential credential;
	enum attest_key_type type;

	if (attest_credential_decode(data, size, &credential, &type) == 0)
		assert(attest_credential_encode(&credential, file) == size &&
		       memcmp(file, data, size) == 0);
	if (attest_enrolment_parse((const char *)data, size, &enrolment) == 0)
		assert(enrolment.ak_name.size == 34 && enrolment.ek.size > 2);
	return 0;
}
