/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpm/tpm.h"

#include "base/cleanup.h"
#include "test.h"
#include "tree.h"

static void a_tpm_shows_in_many_places(void)
{
	static const struct {
		const char *name;
		struct {
			const char *path;
			const char *text;
		} files[2];
		bool expected;
	} cases[] = {
		{ "bare machine", { { "sys/kernel/x", "" } }, false },
		{ "empty class", { { "sys/class/tpm/.keep", "" } }, false },
		{ "driver", { { "sys/class/tpm/tpm0/tpm_version_major", "2\n" } }, true },
		{ "old kernel", { { "sys/class/tpm/tpm0/dev", "10:224\n" } }, true },
		{ "TPM 1.2", { { "sys/class/tpm/tpm0/tpm_version_major", "1\n" } }, false },
		{ "TPM 1.2 beside a table",
		  { { "sys/class/tpm/tpm0/tpm_version_major", "1\n" },
		    { "sys/firmware/acpi/tables/TPM2", "TPM2" } }, false },
		{ "both", { { "sys/class/tpm/tpm0/tpm_version_major", "1\n" },
			    { "sys/class/tpm/tpm1/tpm_version_major", "2\n" } }, true },
		{ "ACPI table", { { "sys/firmware/acpi/tables/TPM2", "TPM2" } }, true },
		{ "table of TPM 1.2", { { "sys/firmware/acpi/tables/TCPA", "TCPA" } }, false },
		{ "ACPI device", { { "sys/bus/acpi/devices/MSFT0101:00/hid", "MSFT0101\n" } },
		  true },
		{ "another ACPI device", { { "sys/bus/acpi/devices/PNP0C31:00/hid", "x" } },
		  false },
		{ "device tree on SPI", { { "sys/bus/spi/devices/spi0.0/modalias",
		  "of:NtpmT(null)Cinfineon,slb9670Ctcg,tpm_tis-spi\n" } }, true },
		{ "another on SPI", { { "sys/bus/spi/devices/spi0.0/modalias",
		  "of:NflashT(null)Cjedec,spi-nor\n" } }, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(tree_remove) struct tree tree = tree_make();

		test_case = cases[i].name;
		for (size_t j = 0; j < 2 && cases[i].files[j].path; j++)
			tree_put(&tree, cases[i].files[j].path, cases[i].files[j].text);
		CHECK_EQ(tpm_is_expected(tree.fd), cases[i].expected);
	}
}

TEST_MAIN(a_tpm_shows_in_many_places)
