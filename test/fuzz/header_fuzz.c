/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the octets: they are a header whose parts have the sizes they say, or none. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "attest/header.h"
#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct attest_statement *statement)
{
	const TPMS_ATTEST *attest = &statement->attest;

	assert(statement->bytes.size && statement->signed_by.size);
	assert(attest->extraData.size <= sizeof(attest->extraData.buffer));
	if (attest->type == TPM2_ST_ATTEST_NV)
		assert(attest->attested.nv.indexName.size <=
		       sizeof(attest->attested.nv.indexName.name));
	if (attest->type == TPM2_ST_ATTEST_QUOTE)
		assert(attest->attested.quote.pcrSelect.count <= TPM2_NUM_PCR_BANKS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(attest_header_free) struct attest_header *header = NULL;
	const char *reason = NULL;
	int r = attest_header_parse((const char *)data, size, &header, &reason);

	assert(r == 0 || (r == -EBADMSG && reason && !header));
	if (r < 0)
		return 0;
	assert(header->nonce_size <= sizeof(header->nonce));
	assert(header->bank >= 0 && header->bank < DIGEST_ALG_MAX);
	assert(header->n_indices <= NVPCR_MAX && header->quoted >> ATTEST_PCRS == 0);
	look_at(&header->quote);
	look_at(&header->audit);
	for (size_t i = 0; i < header->n_indices; i++)
		look_at(&header->indices[i].statement);
	return 0;
}
