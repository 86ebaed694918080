/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nvpcr/private.h"

#include "base/hex.h"
#include "test.h"

static const struct nvpcr_def def = {
	.name = "lab", .index = 0x01d10300, .alg = DIGEST_SHA256, .orderly = true,
};
static const struct nvpcr_gate gate = {
	.pcr = 13, .banks = 1u << DIGEST_SHA256,
	.values = { [DIGEST_SHA256] = { .alg = DIGEST_SHA256 } },
};

/* Names that a TPM gave to these indices, the gate PCR being 13 and zero. */
static void names_are_those_a_tpm_computes(void)
{
	static const struct {
		const char *name;
		bool orderly;
		bool written;
		uint32_t attributes;
		const char *head;
		const char *tail;
	} cases[] = {
		{ "orderly, unwritten", true, false, 0x0e060048, "000ba9f807ca", "48a0" },
		{ "orderly, written", true, true, 0x2e060048,
		  "000b1dd5a36ba93e42b4eeb8ea190d5f9386ff6f907e08c71cb278bb1f3b7aff1a01", "1a01" },
		{ "written", false, true, 0x2a060048, "000bef94756f", "1ca9" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tpm_nv_public public;
		char hex[2 * TPM_NAME_MAX + 1];
		struct tpm_name name;

		test_case = cases[i].name;
		nvpcr_public(&def, &gate, cases[i].orderly, cases[i].written, &public);
		CHECK_EQ(public.attributes, cases[i].attributes);
		CHECK_EQ(tpm_name_compute(&public, &name), 0);
		CHECK_EQ(name.size, 34);
		hex_encode(name.bytes, name.size, hex);
		CHECK(strncmp(hex, cases[i].head, strlen(cases[i].head)) == 0);
		CHECK_STR(hex + 64, cases[i].tail);
	}
}

static void the_policy_digest_is_the_one_a_tpm_computes(void)
{
	struct tpm_nv_public public;
	char hex[DIGEST_HEX_MAX];

	nvpcr_public(&def, &gate, false, false, &public);
	digest_to_hex(&public.policy, hex);
	CHECK_STR(hex, "9984dffb9328672f2eb31228d1dacca177bc2de44471937a04113819d880fdc4");
}

static void the_gate_value_decides_the_name(void)
{
	struct nvpcr_gate other = gate;
	struct tpm_nv_public a, b;
	struct tpm_name x, y;

	other.values[DIGEST_SHA256].bytes[31] = 1;
	nvpcr_public(&def, &gate, true, true, &a);
	nvpcr_public(&def, &other, true, true, &b);
	CHECK_EQ(tpm_name_compute(&a, &x), 0);
	CHECK_EQ(tpm_name_compute(&b, &y), 0);
	CHECK(!tpm_name_equal(&x, &y));
}

TEST_MAIN(names_are_those_a_tpm_computes,
	  the_policy_digest_is_the_one_a_tpm_computes,
	  the_gate_value_decides_the_name)
