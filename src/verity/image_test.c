/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Images as veritysetup(8) and sfdisk(8) make them; what they will activate as must be
 * what veritysetup said when it made them.
 */
#include <errno.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "test.h"
#include "tree.h"
#include "verity/verity.h"

#define SALT	"1122334455667788990011223344556677889900112233445566778899001122"
#define KIB	((size_t)1024)
#define MIB	(1024 * KIB)

/* Where build_image() puts things; sfdisk counts in sectors of 512 bytes. */
#define DATA_START	MIB
#define HASH_START	(2 * MIB)
#define SIGNATURE_START	(3 * MIB)

struct types {
	const char *data, *hash, *signature;
};
static const struct types root_types = {
	"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5",
	"41092b05-9fc8-4523-994f-2def0408b176",
};
static const struct types usr_types = {
	"8484680c-9521-48c6-9c11-b0720656f69e", "77ff5f63-e7b6-4633-acf4-1565b864c0e6",
	"e7bb33fb-06cf-4e81-8273-e543b413e2e2",
};

/* Runs a script in the folder; what follows the script are its arguments. */
#define RUN(tree, script, ...) \
	run(tree, (const char *[]){ "sh", "-c", script, "sh", __VA_ARGS__ NULL })

static bool run(const struct tree *tree, const char **argv)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		if (fchdir(tree->fd) == 0)
			(void)execv("/bin/sh", (char **)argv);
		_exit(127);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static bool lacks_tools(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();

	return !RUN(&tree,
		    "{ command -v veritysetup && command -v sfdisk; } >/dev/null",);
}

/* Fills x.raw with @size bytes and hashes it into x.verity; the root hash comes back. */
static void format_data(const struct tree *tree, size_t size, const char *options,
			char ret[static DIGEST_HEX_MAX])
{
	_cleanup_free_ char *data = malloc(size);
	_cleanup_close_ int fd = -1;
	ssize_t n;

	tree_need(data != NULL, "malloc");
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 7 + i / 4096);
	tree_put_bytes(tree, "x.raw", data, size);
	tree_need(RUN(tree, ("veritysetup format --root-hash-file=hash $1 x.raw x.verity "
			     ">/dev/null"), options,), "veritysetup format");
	fd = openat(tree->fd, "hash", O_RDONLY | O_CLOEXEC);
	n = read(fd, ret, DIGEST_HEX_MAX - 1);
	tree_need(n > 0, "hash");
	ret[n] = '\0';
}

static void uuid_of(const char *hex, char ret[static 37])
{
	(void)snprintf(ret, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		       hex + 16, hex + 20);
}

/* Makes x.raw and x.verity one image ddi.raw; signed if there is a @signature. */
static void build_image(const struct tree *tree, const struct types *types,
			const char *root_hash, const char *signature)
{
	char data_uuid[37], hash_uuid[37];

	uuid_of(root_hash, data_uuid);
	uuid_of(root_hash + strlen(root_hash) - 32, hash_uuid);
	if (signature)
		tree_put(tree, "x.sig", signature);
	tree_need(RUN(tree,
		"rm -f ddi.raw && truncate -s 5M ddi.raw && {\n"
		"	echo label: gpt\n"
		"	echo start=2048,size=2048,type=$1,uuid=$2\n"
		"	echo start=4096,size=2048,type=$3,uuid=$4\n"
		"	[ ! -e x.sig ] || echo start=6144,size=2048,type=$5\n"
		"} | sfdisk -q --no-reread --no-tell-kernel ddi.raw >/dev/null 2>&1\n"
		"put() { dd if=$1 of=ddi.raw bs=1M seek=$2 conv=notrunc status=none; }\n"
		"put x.raw 1 && put x.verity 2 && { [ ! -e x.sig ] || put x.sig 3; }",
		types->data, data_uuid, types->hash, hash_uuid, types->signature,),
		"an image");
}

static void spoil(const struct tree *tree, const char *name, off_t offset)
{
	_cleanup_close_ int fd = openat(tree->fd, name, O_RDWR | O_CLOEXEC);
	char byte;

	tree_need(pread(fd, &byte, 1, offset) == 1, name);
	byte = (char)~byte;
	tree_need(pwrite(fd, &byte, 1, offset) == 1, name);
}

static int read_image(const struct tree *tree, const char *name, struct verity_image *ret)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", tree->path, name);
	return verity_image_read(path, "x86-64", ret);
}

static void check_root_hash(const struct verity_image *image, const char *want)
{
	char hex[DIGEST_HEX_MAX];

	hex_encode(image->params.root_hash, image->params.root_hash_size, hex);
	CHECK_STR(hex, want);
}

static void a_plain_image_is_read_with_what_lies_beside(void)
{
	static const struct {
		const char *options, *algorithm;
		size_t size;
		uint32_t version, data_block_size, hash_block_size;
		size_t salt_size;
	} rows[] = {
		{ "--salt=" SALT, "sha256", 400 * KIB, 1, 4096, 4096, 32 },
		{ "--salt=-", "sha256", 64 * KIB, 1, 4096, 4096, 0 },
		{ "--salt=" SALT " --format=0", "sha256", 900 * KIB, 0, 4096, 4096, 32 },
		{ "--salt=11 --hash=sha512", "sha512", 64 * KIB, 1, 4096, 4096, 1 },
		{ "--salt=11 --hash=sha1", "sha1", 64 * KIB, 1, 4096, 4096, 1 },
		{ "--salt=" SALT " --data-block-size=512 --hash-block-size=1024",
		  "sha256", 64 * KIB, 1, 512, 1024, 32 },
		{ "--salt=" SALT, "sha256", 4096, 1, 4096, 4096, 32 },
	};

	if (lacks_tools())
		TEST_SKIP("needs veritysetup and sfdisk");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(tree_remove) struct tree tree = tree_make();
		struct verity_image image;
		char hash[DIGEST_HEX_MAX];

		test_case = rows[i].options;
		format_data(&tree, rows[i].size, rows[i].options, hash);
		tree_put(&tree, "x.roothash", hash);
		CHECK_EQ(read_image(&tree, "x.raw", &image), 0);
		check_root_hash(&image, hash);
		CHECK_STR(image.params.algorithm, rows[i].algorithm);
		CHECK_EQ(image.params.version, rows[i].version);
		CHECK_EQ(image.params.data_block_size, rows[i].data_block_size);
		CHECK_EQ(image.params.hash_block_size, rows[i].hash_block_size);
		CHECK_EQ(image.params.data_blocks,
			 rows[i].size / rows[i].data_block_size);
		CHECK_EQ(image.params.salt_size, rows[i].salt_size);
		CHECK_STR(image.params.options, "");
		CHECK(!image.params.kernel_signature && !image.has_signature);
		CHECK_STR(image.origin, ".roothash");
	}
}

static void a_partitioned_image_needs_nothing_else(void)
{
	static const struct types *const rows[] = { &root_types, &usr_types };

	if (lacks_tools())
		TEST_SKIP("needs veritysetup and sfdisk");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(tree_remove) struct tree tree = tree_make();
		struct verity_image image;
		char hash[DIGEST_HEX_MAX], path[128];

		format_data(&tree, 400 * KIB, "--salt=" SALT, hash);
		build_image(&tree, rows[i], hash, NULL);
		CHECK_EQ(read_image(&tree, "ddi.raw", &image), 0);
		check_root_hash(&image, hash);
		CHECK_EQ(image.params.data_blocks, 100);
		CHECK_STR(image.origin, "partition UUIDs");
		CHECK(!image.has_signature);
		(void)snprintf(path, sizeof(path), "%s/ddi.raw", tree.path);
		CHECK_EQ(verity_image_read(path, "arm64", &image),
			 VERITY_IMAGE_NO_VERITY);
		CHECK_EQ(verity_image_read(path, "pdp11", &image), -EINVAL);
	}
}

static void a_signature_partition_names_any_root_hash(void)
{
	static const char *const rows[] = { "--salt=11", "--salt=11 --hash=sha512" };

	if (lacks_tools())
		TEST_SKIP("needs veritysetup and sfdisk");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(tree_remove) struct tree tree = tree_make();
		struct verity_image image;
		char hash[DIGEST_HEX_MAX], json[256];

		test_case = rows[i];
		format_data(&tree, 64 * KIB, rows[i], hash);
		(void)snprintf(json, sizeof(json),
			       "{\"rootHash\":\"%s\",\"signature\":\"MIIB\"}", hash);
		build_image(&tree, &root_types, hash, json);
		CHECK_EQ(read_image(&tree, "ddi.raw", &image), 0);
		check_root_hash(&image, hash);
		CHECK(image.has_signature);
		CHECK_STR(image.origin, "signature partition");
		tree_put(&tree, "ddi.roothash", hash);
		CHECK_EQ(read_image(&tree, "ddi.raw", &image), 0);
		tree_put(&tree, "ddi.roothash", SALT);
		CHECK_EQ(read_image(&tree, "ddi.raw", &image), VERITY_IMAGE_CONFLICT);
		spoil(&tree, "ddi.raw", SIGNATURE_START);
		unlinkat(tree.fd, "ddi.roothash", 0);
		CHECK_EQ(read_image(&tree, "ddi.raw", &image),
			 VERITY_IMAGE_BAD_ROOT_HASH);
	}
}

static void signature_files_are_seen(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct verity_image image;
	char hash[DIGEST_HEX_MAX];

	if (lacks_tools())
		TEST_SKIP("needs veritysetup and sfdisk");
	format_data(&tree, 64 * KIB, "--salt=11", hash);
	tree_put(&tree, "x.usrhash", hash);
	CHECK_EQ(read_image(&tree, "x.raw", &image), 0);
	CHECK(!image.has_signature);
	tree_put(&tree, "x.roothash.p7s", "signature");
	CHECK_EQ(read_image(&tree, "x.raw", &image), 0);
	CHECK(image.has_signature);
	tree_put(&tree, "x.roothash", SALT);
	CHECK_EQ(read_image(&tree, "x.raw", &image), VERITY_IMAGE_CONFLICT);
}

/* Each step breaks one more thing of a plain image. */
static void a_plain_image_that_will_not_work_is_told(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct verity_image image;
	char hash[DIGEST_HEX_MAX];

	if (lacks_tools())
		TEST_SKIP("needs veritysetup and sfdisk");
	format_data(&tree, 64 * KIB, "--salt=11", hash);
	CHECK_EQ(read_image(&tree, "x.raw", &image), VERITY_IMAGE_NO_ROOT_HASH);
	tree_put(&tree, "x.roothash", "not hexadecimal");
	CHECK_EQ(read_image(&tree, "x.raw", &image), VERITY_IMAGE_BAD_ROOT_HASH);
	tree_put(&tree, "x.roothash", SALT);
	CHECK_EQ(read_image(&tree, "x.raw", &image), VERITY_IMAGE_WRONG_ROOT_HASH);
	tree_put(&tree, "x.roothash", hash);
	CHECK_EQ(read_image(&tree, "x.raw", &image), 0);
	spoil(&tree, "x.verity", 8191);
	CHECK_EQ(read_image(&tree, "x.raw", &image), VERITY_IMAGE_WRONG_ROOT_HASH);
	tree_need(RUN(&tree, "truncate -s 8191 x.verity",), "truncate");
	CHECK_EQ(read_image(&tree, "x.raw", &image), VERITY_IMAGE_BAD_SUPERBLOCK);
	tree_need(RUN(&tree, "truncate -s 511 x.verity",), "truncate");
	CHECK_EQ(read_image(&tree, "x.raw", &image), VERITY_IMAGE_BAD_SUPERBLOCK);
	unlinkat(tree.fd, "x.verity", 0);
	CHECK_EQ(read_image(&tree, "x.raw", &image), VERITY_IMAGE_NO_VERITY);
	unlinkat(tree.fd, "x.raw", 0);
	CHECK_EQ(read_image(&tree, "x.raw", &image), -ENOENT);
	CHECK_EQ(read_image(&tree, ".", &image), -EISDIR);
}

static void data_that_is_cut_short_is_told(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct verity_image image;
	char hash[DIGEST_HEX_MAX];

	if (lacks_tools())
		TEST_SKIP("needs veritysetup and sfdisk");
	format_data(&tree, 64 * KIB, "--salt=11", hash);
	tree_put(&tree, "x.roothash", hash);
	tree_need(RUN(&tree, "truncate -s 65535 x.raw",), "truncate");
	CHECK_EQ(read_image(&tree, "x.raw", &image), VERITY_IMAGE_BAD_SUPERBLOCK);
}

/* Each row spoils one byte of a good partitioned image. */
static void a_partitioned_image_that_will_not_work_is_told(void)
{
	static const struct {
		off_t offset;
		int want;
	} rows[] = {
		{ HASH_START, VERITY_IMAGE_BAD_SUPERBLOCK },		/* magic */
		{ HASH_START + 8, VERITY_IMAGE_BAD_SUPERBLOCK },	/* version */
		{ HASH_START + 64, VERITY_IMAGE_BAD_SUPERBLOCK },	/* block size */
		{ HASH_START + 77, VERITY_IMAGE_BAD_SUPERBLOCK },	/* data blocks */
		{ HASH_START + 88, VERITY_IMAGE_WRONG_ROOT_HASH },	/* salt */
		{ HASH_START + 4096, VERITY_IMAGE_WRONG_ROOT_HASH },	/* tree */
	};

	if (lacks_tools())
		TEST_SKIP("needs veritysetup and sfdisk");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(tree_remove) struct tree tree = tree_make();
		struct verity_image image;
		char hash[DIGEST_HEX_MAX], row[32];

		(void)snprintf(row, sizeof(row), "row %zu", i);
		test_case = row;
		format_data(&tree, 64 * KIB, "--salt=11", hash);
		build_image(&tree, &root_types, hash, NULL);
		CHECK_EQ(read_image(&tree, "ddi.raw", &image), 0);
		spoil(&tree, "ddi.raw", rows[i].offset);
		CHECK_EQ(read_image(&tree, "ddi.raw", &image), rows[i].want);
	}
}

/* libblkid takes the copy at the end if there is one. */
static void a_broken_partition_table_is_told(void)
{
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct verity_image image;
	char hash[DIGEST_HEX_MAX];

	if (lacks_tools())
		TEST_SKIP("needs veritysetup and sfdisk");
	format_data(&tree, 64 * KIB, "--salt=11", hash);
	build_image(&tree, &root_types, hash, NULL);
	spoil(&tree, "ddi.raw", 512 + 8);
	CHECK_EQ(read_image(&tree, "ddi.raw", &image), 0);
	tree_need(RUN(&tree, "truncate -s 4M ddi.raw",), "truncate");
	CHECK_EQ(read_image(&tree, "ddi.raw", &image), VERITY_IMAGE_BAD_GPT);
	build_image(&tree, &root_types, hash, NULL);
	tree_need(RUN(&tree, "truncate -s 2M ddi.raw",), "truncate");
	CHECK_EQ(read_image(&tree, "ddi.raw", &image), VERITY_IMAGE_BAD_GPT);
}

static void partitions_that_do_not_belong_together_are_told(void)
{
	static const struct types twice = {
		.data = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
		.hash = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", .signature = "",
	};
	static const struct types mixed = {
		.data = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
		.hash = "77ff5f63-e7b6-4633-acf4-1565b864c0e6", .signature = "",
	};
	_cleanup_(tree_remove) struct tree tree = tree_make();
	struct verity_image image;
	char hash[DIGEST_HEX_MAX];

	if (lacks_tools())
		TEST_SKIP("needs veritysetup and sfdisk");
	format_data(&tree, 64 * KIB, "--salt=11", hash);
	build_image(&tree, &root_types, SALT, NULL);
	CHECK_EQ(read_image(&tree, "ddi.raw", &image), VERITY_IMAGE_WRONG_ROOT_HASH);
	tree_put(&tree, "ddi.roothash", hash);
	CHECK_EQ(read_image(&tree, "ddi.raw", &image), VERITY_IMAGE_CONFLICT);
	build_image(&tree, &twice, hash, NULL);
	CHECK_EQ(read_image(&tree, "ddi.raw", &image), VERITY_IMAGE_AMBIGUOUS);
	build_image(&tree, &mixed, hash, NULL);
	CHECK_EQ(read_image(&tree, "ddi.raw", &image), VERITY_IMAGE_NO_VERITY);
}

static void every_outcome_has_a_reason(void)
{
	for (int found = 1; found < VERITY_IMAGE_FOUND_MAX; found++)
		CHECK(strlen(verity_image_reason(found)) > 10);
}

TEST_MAIN(a_plain_image_is_read_with_what_lies_beside,
	  a_partitioned_image_needs_nothing_else,
	  a_signature_partition_names_any_root_hash, signature_files_are_seen,
	  a_plain_image_that_will_not_work_is_told, data_that_is_cut_short_is_told,
	  a_partitioned_image_that_will_not_work_is_told,
	  a_broken_partition_table_is_told,
	  partitions_that_do_not_belong_together_are_told, every_outcome_has_a_reason)
