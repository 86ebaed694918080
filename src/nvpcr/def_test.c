/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nvpcr/nvpcr.h"

#include <errno.h>

#include "test.h"

#define NO_OBJECT	"is not a JSON object, where numbers are decimal"
#define NO_NUMBER	"'nvIndex' is not a decimal number, without quotes"

static void a_whole_definition_is_read(void)
{
	static const char text[] =
		"{ \"name\": \"verity\", \"nvIndex\": 25187909, \"algorithm\": \"sha384\","
		"  \"priority\": 300, \"orderly\": false, \"comment\": [ 1, { } ] }\n";
	struct nvpcr_def def;
	const char *reason = NULL;

	CHECK_EQ(nvpcr_def_parse(text, strlen(text), &def, &reason), 0);
	CHECK_STR(def.name, "verity");
	CHECK_EQ(def.index, 0x01805645);
	CHECK_EQ(def.alg, DIGEST_SHA384);
	CHECK_EQ(def.priority, 300);
	CHECK_EQ(def.orderly, false);
}

static void what_is_missing_has_a_default(void)
{
	static const char text[] = "{\"name\":\"a-1\",\"nvIndex\":25187910}";
	struct nvpcr_def def;
	const char *reason = NULL;

	CHECK_EQ(nvpcr_def_parse(text, strlen(text), &def, &reason), 0);
	CHECK_EQ(def.alg, DIGEST_SHA256);
	CHECK_EQ(def.priority, 1000);
	CHECK_EQ(def.orderly, true);
}

static void faults_are_named(void)
{
	static const struct {
		const char *text;
		const char *reason;
	} cases[] = {
		{ "", NO_OBJECT },
		{ "[]", NO_OBJECT },
		{ "{\"name\":\"a\",\"nvIndex\":25187910", NO_OBJECT },
		{ "{\"name\":\"a\",\"nvIndex\":25187910} x", NO_OBJECT },
		{ "{\"name\":\"a\",\"nvIndex\":25187910,}", NO_OBJECT },
		{ "{'name':'a','nvIndex':25187910}", NO_OBJECT },
		{ "{}", "'name' is missing" },
		{ "{\"name\":1}", "'name' is not a string" },
		{ "{\"name\":\"\"}", "'name' has other characters than a-z, 0-9 and -" },
		{ "{\"name\":\"A\"}", "'name' has other characters than a-z, 0-9 and -" },
		{ "{\"name\":\"a\\u0000\"}", "'name' has other characters than a-z, 0-9 and -" },
		{ "{\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
		  "'name' is too long" },
		{ "{\"name\":\"a\"}", "'nvIndex' is missing" },
		{ "{\"name\":\"a\",\"nvIndex\":\"25187910\"}", NO_NUMBER },
		{ "{\"name\":\"a\",\"nvIndex\":25187910.0}", NO_NUMBER },
		{ "{\"name\":\"a\",\"nvIndex\":16777215}",
		  "'nvIndex' is no handle of an NV index" },
		{ "{\"name\":\"a\",\"nvIndex\":33554432}",
		  "'nvIndex' is no handle of an NV index" },
		{ "{\"name\":\"a\",\"nvIndex\":-25187910}",
		  "'nvIndex' is no handle of an NV index" },
		{ "{\"name\":\"a\",\"nvIndex\":9223372036854775807}",
		  "'nvIndex' is no handle of an NV index" },
		{ "{\"name\":\"a\",\"nvIndex\":30474754}",
		  "'nvIndex' belongs to systemd" },
		{ "{\"name\":\"a\",\"nvIndex\":30474789}",
		  "'nvIndex' belongs to the Linux kernel" },
		{ "{\"name\":\"a\",\"nvIndex\":16777216}",
		  "'nvIndex' is reserved for the TPM's manufacturer" },
		{ "{\"name\":\"a\",\"nvIndex\":25165823}",
		  "'nvIndex' is reserved for the platform's manufacturer" },
		{ "{\"name\":\"a\",\"nvIndex\":29360130}",
		  "'nvIndex' is reserved for certificates" },
		{ "{\"name\":\"a\",\"nvIndex\":22020096}",
		  "'nvIndex' belongs to another program" },
		{ "{\"name\":\"a\",\"nvIndex\":22021170}",
		  "'nvIndex' belongs to another program" },
		{ "{\"name\":\"a\",\"nvIndex\":25187910,\"algorithm\":\"sha1\"}",
		  "'algorithm' is neither sha256 nor sha384" },
		{ "{\"name\":\"a\",\"nvIndex\":25187910,\"algorithm\":256}",
		  "'algorithm' is not a string" },
		{ "{\"name\":\"a\",\"nvIndex\":25187910,\"priority\":-1}",
		  "'priority' is out of range" },
		{ "{\"name\":\"a\",\"nvIndex\":25187910,\"priority\":4294967296}",
		  "'priority' is out of range" },
		{ "{\"name\":\"a\",\"nvIndex\":25187910,\"priority\":\"1\"}",
		  "'priority' is not an integer" },
		{ "{\"name\":\"a\",\"nvIndex\":25187910,\"orderly\":1}",
		  "'orderly' is neither true nor false" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nvpcr_def def;
		const char *reason = NULL;

		test_case = cases[i].text;
		CHECK_EQ(nvpcr_def_parse(cases[i].text, strlen(cases[i].text), &def,
					 &reason), -EBADMSG);
		CHECK_STR(reason, cases[i].reason);
	}
}

static void a_nul_ends_nothing(void)
{
	static const char text[] = "{\"name\":\"a\",\"nvIndex\":25187910}\0x";
	struct nvpcr_def def;
	const char *reason = NULL;

	CHECK_EQ(nvpcr_def_parse(text, sizeof(text) - 1, &def, &reason), -EBADMSG);
}

TEST_MAIN(a_whole_definition_is_read,
	  what_is_missing_has_a_default,
	  faults_are_named,
	  a_nul_ends_nothing)
