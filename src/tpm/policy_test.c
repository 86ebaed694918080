/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpm/tpm.h"

#include <errno.h>

#include "base/hex.h"
#include "test.h"

static void check_hex(const struct digest *digest, const char *expected)
{
	char hex[DIGEST_HEX_MAX];

	digest_to_hex(digest, hex);
	CHECK_STR(hex, expected);
}

/* Values that a TPM gave for gate PCR 13 of all zeros. */
static void digests_are_those_a_tpm_computes(void)
{
	struct digest zero, a, b, either;

	digest_zero(DIGEST_SHA256, &zero);
	tpm_policy_pcr(DIGEST_SHA256, 13, &zero, &a);
	check_hex(&a, "ea07badf162f2c454bdf5aa5e4976b6f7189f2023edfa316fdf58c15d26ec814");
	tpm_policy_nv_written(DIGEST_SHA256, &b);
	check_hex(&b, "f7887d158ae8d38be0ac5319f37a9e07618bf54885453c7a54ddb0c6a6193beb");
	tpm_policy_or(&a, &b, &either);
	check_hex(&either,
		  "9984dffb9328672f2eb31228d1dacca177bc2de44471937a04113819d880fdc4");
}

static void the_order_of_branches_counts(void)
{
	struct digest a, b, one, other;

	tpm_policy_nv_written(DIGEST_SHA256, &a);
	digest_zero(DIGEST_SHA256, &b);
	tpm_policy_or(&a, &b, &one);
	tpm_policy_or(&b, &a, &other);
	CHECK(!digest_equal(&one, &other));
}

static void a_name_needs_a_policy_of_its_algorithm(void)
{
	struct tpm_nv_public public = {
		.handle = 0x01805645, .name_alg = DIGEST_SHA256, .attributes = 0x0a060048,
		.policy = { .alg = DIGEST_SHA384 }, .data_size = 32,
	};
	struct tpm_name name;

	CHECK_EQ(tpm_name_compute(&public, &name), -EINVAL);
	public.name_alg = DIGEST_SHA384;
	CHECK_EQ(tpm_name_compute(&public, &name), 0);
	CHECK_EQ(name.size, 2 + 48);
	CHECK_EQ(name.bytes[1], 0x0c);
}

static void names_of_other_sizes_differ(void)
{
	struct tpm_name a = { .size = 34 }, b = { .size = 50 }, none = { .size = 0 };

	CHECK(tpm_name_equal(&a, &a));
	CHECK(!tpm_name_equal(&a, &b));
	CHECK(!tpm_name_equal(&a, &none));
}

TEST_MAIN(digests_are_those_a_tpm_computes,
	  the_order_of_branches_counts,
	  a_name_needs_a_policy_of_its_algorithm,
	  names_of_other_sizes_differ)
