/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpm/private.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hex.h"
#include "test.h"

/* A connection that has just got this answer, header and all. */
static struct tpm *answered(const char *hex)
{
	struct tpm *tpm = calloc(1, sizeof(*tpm));

	if (tpm && hex_decode(hex, tpm->response, sizeof(tpm->response),
			      &tpm->response_size) < 0)
		TEST_FAIL("not hexadecimal");
	return tpm;
}

#define HEADER	"8002" "00000000" "00000000"

static void sized_structures_are_taken_with_their_size(void)
{
	static const struct {
		const char *answer;
		enum tpm_answer kind;
		size_t index;
		int r;
		const char *taken;
	} cases[] = {
		{ HEADER "0001aa" "0002bbcc", TPM_ANSWER_BARE, 0, 0, "0001aa" },
		{ HEADER "0001aa" "0002bbcc", TPM_ANSWER_BARE, 1, 0, "0002bbcc" },
		{ HEADER "0001aa" "0002bbcc", TPM_ANSWER_BARE, 2, -EBADMSG, NULL },
		{ HEADER "0000", TPM_ANSWER_BARE, 0, 0, "0000" },
		{ HEADER "0002aa", TPM_ANSWER_BARE, 0, -EBADMSG, NULL },
		{ HEADER "ffff", TPM_ANSWER_BARE, 0, -EBADMSG, NULL },
		{ HEADER "00", TPM_ANSWER_BARE, 0, -EBADMSG, NULL },
		{ HEADER, TPM_ANSWER_BARE, 0, -EBADMSG, NULL },
		{ "8002", TPM_ANSWER_BARE, 0, -EBADMSG, NULL },
		{ HEADER "00000003" "0001aa" "0000", TPM_ANSWER_AUTHORIZED, 0, 0, "0001aa" },
		{ HEADER "00000003" "0001aa" "0000", TPM_ANSWER_AUTHORIZED, 1, -EBADMSG, NULL },
		{ HEADER "00000004" "0001aa", TPM_ANSWER_AUTHORIZED, 0, -EBADMSG, NULL },
		{ HEADER "ffffffff" "0001aa", TPM_ANSWER_AUTHORIZED, 0, -EBADMSG, NULL },
		{ HEADER "000000", TPM_ANSWER_AUTHORIZED, 0, -EBADMSG, NULL },
		{ HEADER "80000001" "00000003" "0001aa", TPM_ANSWER_CREATED, 0, 0, "0001aa" },
		{ HEADER "80000001" "0000", TPM_ANSWER_CREATED, 0, -EBADMSG, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tpm *tpm = answered(cases[i].answer);
		char hex[2 * TPM_OCTETS_MAX + 1] = "";
		struct tpm_octets octets;

		test_case = cases[i].answer;
		CHECK_EQ(tpm_answer_2b(tpm, cases[i].kind, cases[i].index, &octets),
			 cases[i].r);
		if (cases[i].taken) {
			hex_encode(octets.bytes, octets.size, hex);
			CHECK_STR(hex, cases[i].taken);
		}
		free(tpm);
	}
}

static void a_structure_that_is_too_large_is_refused(void)
{
	struct tpm *tpm = answered(HEADER "0400");
	struct tpm_octets octets;

	tpm->response_size += 0x400;
	CHECK_EQ(tpm_answer_2b(tpm, TPM_ANSWER_BARE, 0, &octets), -EBADMSG);
	tpm->response[10] = 0x03;
	tpm->response[11] = 0xfe;
	CHECK_EQ(tpm_answer_2b(tpm, TPM_ANSWER_BARE, 0, &octets), 0);
	CHECK_EQ(octets.size, TPM_OCTETS_MAX);
	free(tpm);
}

static void a_statement_is_split_from_its_signature(void)
{
	struct tpm *tpm = answered(HEADER "00000006" "0002aabb" "cc01" "0000");
	struct tpm_signed statement;

	CHECK_EQ(tpm_answer_signed(tpm, &statement), 0);
	CHECK_MEM(statement.attest.bytes, statement.attest.size, "\xaa\xbb", 2ul);
	CHECK_MEM(statement.signature.bytes, statement.signature.size, "\xcc\x01", 2ul);
	free(tpm);
	tpm = answered(HEADER "00000004" "0002aabb" "0000");
	CHECK_EQ(tpm_answer_signed(tpm, &statement), -EBADMSG);
	free(tpm);
}

TEST_MAIN(sized_structures_are_taken_with_their_size,
	  a_structure_that_is_too_large_is_refused,
	  a_statement_is_split_from_its_signature)
