/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls of the service are understood exactly, or not at all. */
#include "measure/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "test.h"

#define EXTEND(p)	"{\"method\":\"io.systemd.PCRExtend.Extend\",\"parameters\":" p "}"

static char *reply;

static int parse(const char *text, struct measure_call *ret)
{
	bool oneway;

	free(reply);
	reply = NULL;
	return measure_varlink_parse(text, strlen(text), ret, &reply, &oneway);
}

static void a_call_is_taken_apart(void)
{
	struct measure_call call;

	CHECK_EQ(parse(EXTEND("{\"nvpcr\":\"a\",\"text\":\"b\\u0000c\",\"eventType\":"
			      "\"volume_key\"}"), &call), MEASURE_CALL_EXTEND);
	CHECK_STR(call.target, "a");
	CHECK_STR(call.type, "volume-key");
	CHECK_EQ(call.size, 3);
	CHECK(memcmp(call.data, "b\0c", 3) == 0 && call.is_text);
	measure_call_done(&call);
	CHECK_EQ(parse(EXTEND("{\"pcr\":15,\"data\":\"/+8=\",\"nvpcr\":null}"), &call),
		 MEASURE_CALL_EXTEND);
	CHECK_STR(call.target, "pcr:15");
	CHECK_EQ(call.size, 2);
	CHECK(memcmp(call.data, "\xff\xef", 2) == 0 && !call.is_text);
	measure_call_done(&call);
	CHECK_EQ(parse(EXTEND("{\"nvpcr\":\"a\",\"text\":\"\xc3\xa4\"}"), &call),
		 MEASURE_CALL_EXTEND);
	CHECK_EQ(call.size, 2);
	CHECK(memcmp(call.data, "\xc3\xa4", 2) == 0 && call.is_text);
	measure_call_done(&call);
}

static void what_is_wrong_with_a_call_is_named(void)
{
	static const struct {
		const char *text, *parameter;
	} calls[] = {
		{ "{\"method\":\"io.systemd.PCRExtend.Extend\"}", "\"pcr\"" },
		{ EXTEND("null"), "\"pcr\"" },
		{ EXTEND("{\"nvpcr\":\"a\",\"pcr\":1,\"text\":\"a\"}"), "\"pcr\"" },
		{ EXTEND("{\"pcr\":1.5,\"text\":\"a\"}"), "\"pcr\"" },
		{ EXTEND("{\"pcr\":24,\"text\":\"a\"}"), "\"pcr\"" },
		{ EXTEND("{\"nvpcr\":\"\",\"text\":\"a\"}"), "\"nvpcr\"" },
		{ EXTEND("{\"nvpcr\":\"a\",\"data\":\"\"}"), "\"data\"" },
		{ EXTEND("{\"nvpcr\":\"a\",\"data\":\"YQ\"}"), "\"data\"" },
		{ EXTEND("{\"nvpcr\":\"a\",\"data\":\"Y===\"}"), "\"data\"" },
		{ EXTEND("{\"nvpcr\":\"a\",\"data\":\"====\"}"), "\"data\"" },
		{ EXTEND("{\"nvpcr\":\"a\",\"data\":\"YR==\"}"), "\"data\"" },
		{ EXTEND("{\"nvpcr\":\"a\",\"data\":\"Y=Q=\"}"), "\"data\"" },
		{ EXTEND("{\"nvpcr\":\"a\",\"text\":\"a\",\"x\":1}"), "\"x\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct measure_call call;

		CHECK_EQ(parse(calls[i].text, &call), MEASURE_CALL_REPLY);
		CHECK(reply && strstr(reply, "org.varlink.service.InvalidParameter"));
		CHECK(reply && strstr(reply, calls[i].parameter));
	}
}

static void what_is_no_call_is_refused(void)
{
	static const char *const texts[] = {
		"", "{", "null", "[]", "7", "{}", "{\"method\":7}", "{} {}",
		"{\"method\":\"a.b\",\"parameters\":[]}", "{\"method\":\"\xff\"}",
		"{\"method\":\"\xc3\xa4\"} {}",
		"[[[[[[[[[[[[]]]]]]]]]]]]",
	};
	struct measure_call call;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		CHECK_EQ(parse(texts[i], &call), -EBADMSG);
}

static void other_methods_are_answered(void)
{
	struct measure_call call;

	CHECK_EQ(parse("{\"method\":\"org.varlink.service.GetInfo\"}", &call),
		 MEASURE_CALL_REPLY);
	CHECK(strstr(reply, "io.systemd.PCRExtend"));
	CHECK_EQ(parse("{\"method\":\"nonsense\"}", &call), MEASURE_CALL_REPLY);
	CHECK(strstr(reply, "MethodNotFound"));
	CHECK_EQ(parse("{\"method\":\"org.varlink.service.Reset\"}", &call),
		 MEASURE_CALL_REPLY);
	CHECK(strstr(reply, "MethodNotFound"));
	CHECK_EQ(parse("{\"method\":\"a.b.Reset\"}", &call), MEASURE_CALL_REPLY);
	CHECK(strstr(reply, "InterfaceNotFound\",\"parameters\":{\"interface\":\"a.b\"}"));
	CHECK_EQ(parse("{\"method\":\"org.varlink.service.GetInterfaceDescription\"}", &call),
		 MEASURE_CALL_REPLY);
	CHECK(strstr(reply, "InvalidParameter"));
	free(reply);
	reply = measure_varlink_errno(-ENOSPC);
	CHECK_STR(reply, "{\"error\":\"io.systemd.System\",\"parameters\":"
		  "{\"origin\":\"linux\",\"errno\":28}}");
	free(reply);
	reply = NULL;
}

TEST_MAIN(a_call_is_taken_apart, what_is_wrong_with_a_call_is_named,
	  what_is_no_call_is_refused, other_methods_are_answered)
