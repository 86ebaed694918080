/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpm/tpm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "test.h"

static const struct digest data = { .alg = DIGEST_SHA256 };

static void configurations_that_make_no_sense_are_refused(void)
{
	static const char *const confs[] = {
		"", "none", "device", "device:", "device:dev/tpm0", "/dev/tpmrm0", "mssim:",
		"swtpm:path=", "swtpm:port=0", "swtpm:port=65536", "swtpm:port=x",
		"swtpm:port=2321x", "swtpm:port=+1", "swtpm:host=tpm.example",
		"swtpm:", "swtpm:host=127.0.0.1,mode=x",
	};

	for (size_t i = 0; i < sizeof(confs) / sizeof(confs[0]); i++) {
		struct tpm *tpm = NULL;

		test_case = confs[i];
		CHECK_EQ(tpm_open(confs[i], AT_FDCWD, 0, &tpm), -EINVAL);
		CHECK(!tpm);
	}
}

static void a_file_is_no_device(void)
{
	char path[] = "/tmp/open-test.XXXXXX", conf[64];
	int fd = mkstemp(path), root_fd = open("/", O_PATH | O_DIRECTORY);
	struct tpm *tpm = NULL;
	struct stat st;

	(void)snprintf(conf, sizeof(conf), "device:%s", path);
	CHECK_EQ(tpm_open(conf, root_fd, 0, &tpm), -ENOTTY);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 0);
	(void)close(root_fd);
	(void)close(fd);
	(void)unlink(path);
}

static void a_missing_device_is_waited_for_until_the_deadline(void)
{
	char root[] = "/tmp/open-test.XXXXXX";
	uint64_t start = clock_us(CLOCK_MONOTONIC), took;
	struct tpm *tpm = NULL;
	int root_fd;

	CHECK(mkdtemp(root));
	root_fd = open(root, O_PATH | O_DIRECTORY);
	CHECK_EQ(tpm_open("device:/dev/tpmrm0", root_fd, 60, &tpm), -ENOENT);
	took = clock_us(CLOCK_MONOTONIC) - start;
	CHECK(took >= 60 * CLOCK_MS);
	CHECK(took < CLOCK_S);
	(void)close(root_fd);
	(void)rmdir(root);
}

static void a_device_that_answers_nothing_is_an_error(void)
{
	int root_fd = open("/", O_PATH | O_DIRECTORY);
	struct tpm *tpm = NULL;

	CHECK_EQ(tpm_open("device:/dev/null", root_fd, 100, &tpm), 0);
	CHECK_EQ(tpm_pcr_extend(tpm, 13, &data, 1), -EIO);
	CHECK(tpm_is_dead(tpm));
	tpm_close(tpm);
	(void)close(root_fd);
}

/* A socket that takes connections and never says a word. */
static void silence_ends_at_the_deadline(void)
{
	char dir[] = "/tmp/open-test.XXXXXX", conf[80];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct tpm *tpm = NULL;
	uint64_t start;

	CHECK(mkdtemp(dir));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/tpm", dir);
	(void)snprintf(conf, sizeof(conf), "swtpm:path=%s/tpm", dir);
	CHECK_EQ(tpm_open(conf, AT_FDCWD, 50, &tpm), -ENOENT);
	CHECK_EQ(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_EQ(listen(fd, 8), 0);
	CHECK_EQ(tpm_open(conf, AT_FDCWD, 50, &tpm), 0);
	start = clock_us(CLOCK_MONOTONIC);
	CHECK_EQ(tpm_pcr_extend(tpm, 13, &data, 1), -ETIMEDOUT);
	CHECK(clock_us(CLOCK_MONOTONIC) - start >= 50 * CLOCK_MS);
	CHECK(clock_us(CLOCK_MONOTONIC) - start < CLOCK_S);
	CHECK_EQ(tpm_pcr_extend(tpm, 13, &data, 1), -ESHUTDOWN);
	tpm_close(tpm);
	(void)close(fd);
	(void)unlink(address.sun_path);
	(void)rmdir(dir);
}

static void closing_nothing_is_harmless(void)
{
	struct tpm *tpm = NULL;

	tpm_close(NULL);
	tpm_closep(&tpm);
}

TEST_MAIN(configurations_that_make_no_sense_are_refused,
	  a_file_is_no_device,
	  a_missing_device_is_waited_for_until_the_deadline,
	  a_device_that_answers_nothing_is_an_error,
	  silence_ends_at_the_deadline,
	  closing_nothing_is_harmless)
