/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base64.h"

#include <errno.h>

#include "test.h"

/* RFC 4648, section 10, and octets whose digits are all the others. */
static const struct {
	const char *octets;
	const char *text;
} vectors[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xbf\x10\x92", "+/+/EJI=" },
};

static void the_vectors_of_the_rfc_are_written_and_read(void)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		size_t size = strlen(vectors[i].octets), length = strlen(vectors[i].text), n;
		uint8_t octets[16];
		char text[32];

		test_case = vectors[i].text;
		base64_encode((const uint8_t *)vectors[i].octets, size, text);
		CHECK_STR(text, vectors[i].text);
		CHECK_EQ(BASE64_LENGTH(size), length);
		CHECK_EQ(base64_decode(vectors[i].text, length, octets, size, &n), 0);
		CHECK_MEM(octets, n, vectors[i].octets, size);
		if (size)
			CHECK_EQ(base64_decode(vectors[i].text, length, octets, size - 1, &n),
				 -EMSGSIZE);
	}
}

static void a_text_can_be_read_where_it_is(void)
{
	char text[] = "Zm9vYmE=";
	size_t n;

	CHECK_EQ(base64_decode(text, 8, (uint8_t *)text, sizeof(text), &n), 0);
	CHECK_MEM(text, n, "fooba", 5);
}

static void anything_else_is_refused_and_changes_no_size(void)
{
	static const char *const cases[] = {
		"Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zg=a", "Zm=v", "Zg==Zg==",
		"Zh==", "Zm9=", "Zm 8", "Zm8\n", "Zm-_", "Zm9v\n",
	};
	uint8_t octets[16];
	size_t n = 7;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		test_case = cases[i];
		CHECK_EQ(base64_decode(cases[i], strlen(cases[i]), octets, sizeof(octets), &n),
			 -EBADMSG);
		CHECK_EQ(n, 7);
	}
	CHECK_EQ(base64_decode("Zm\0v", 4, octets, sizeof(octets), &n), -EBADMSG);
}

TEST_MAIN(the_vectors_of_the_rfc_are_written_and_read,
	  a_text_can_be_read_where_it_is,
	  anything_else_is_refused_and_changes_no_size)
