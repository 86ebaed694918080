/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpm/tpm.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "test.h"

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void make_file(int root_fd, const char *path, const char *text)
{
	char dir[128];

	(void)snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = '\0';
	CHECK_EQ(io_make_dirs(root_fd, dir, 0755), 0);
	CHECK_EQ(io_replace_file(root_fd, path, text, strlen(text), 0644), 0);
}

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
		{ "bare machine", { { "/sys/kernel/x", "" } }, false },
		{ "empty class", { { "/sys/class/tpm/.keep", "" } }, false },
		{ "driver", { { "/sys/class/tpm/tpm0/tpm_version_major", "2\n" } }, true },
		{ "old kernel", { { "/sys/class/tpm/tpm0/dev", "10:224\n" } }, true },
		{ "TPM 1.2", { { "/sys/class/tpm/tpm0/tpm_version_major", "1\n" } }, false },
		{ "TPM 1.2 beside a table",
		  { { "/sys/class/tpm/tpm0/tpm_version_major", "1\n" },
		    { "/sys/firmware/acpi/tables/TPM2", "TPM2" } }, false },
		{ "both", { { "/sys/class/tpm/tpm0/tpm_version_major", "1\n" },
			    { "/sys/class/tpm/tpm1/tpm_version_major", "2\n" } }, true },
		{ "ACPI table", { { "/sys/firmware/acpi/tables/TPM2", "TPM2" } }, true },
		{ "table of TPM 1.2", { { "/sys/firmware/acpi/tables/TCPA", "TCPA" } }, false },
		{ "ACPI device", { { "/sys/bus/acpi/devices/MSFT0101:00/hid", "MSFT0101\n" } },
		  true },
		{ "another ACPI device", { { "/sys/bus/acpi/devices/PNP0C31:00/hid", "x" } },
		  false },
		{ "device tree on SPI", { { "/sys/bus/spi/devices/spi0.0/modalias",
		  "of:NtpmT(null)Cinfineon,slb9670Ctcg,tpm_tis-spi\n" } }, true },
		{ "another on SPI", { { "/sys/bus/spi/devices/spi0.0/modalias",
		  "of:NflashT(null)Cjedec,spi-nor\n" } }, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char root[] = "/tmp/expected-test.XXXXXX";
		int root_fd;

		test_case = cases[i].name;
		CHECK(mkdtemp(root));
		root_fd = open(root, O_PATH | O_DIRECTORY);
		for (size_t j = 0; j < 2 && cases[i].files[j].path; j++)
			make_file(root_fd, cases[i].files[j].path, cases[i].files[j].text);
		CHECK_EQ(tpm_is_expected(root_fd), cases[i].expected);
		(void)close(root_fd);
		(void)nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	}
}

TEST_MAIN(a_tpm_shows_in_many_places)
