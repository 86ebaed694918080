/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eventlog/record.h"

#include <errno.h>

#include "base/json.h"

#include "eventlog/eventlog_test.h"
#include "test.h"

#define ANCHOR		"nvpcr-anchor:v1:mode=none:no-tpm"
#define WORD		"dm-verity:v1:1:sha256:00:-:\"a\\b/c\""

/* The digests in here are those that sha1sum(1) and the like print. */
static const char nvpcr_text[] =
	"\x1e{\"recnum\":7,\"nv_index\":25187909,\"digests\":[{\"hashAlg\":\"sha256\","
	"\"digest\":\"3a3eae7f09e3ce25ddf42875d55a303e73f15ecdfbc4ca096e15bc0e72672d08\"}],"
	"\"content_type\":\"systemd\",\"content\":{\"nvIndexName\":\"verity\","
	"\"string\":\"dm-verity:v1:1:sha256:00:-:\\\"a\\\\b/c\\\"\","
	"\"bootId\":\"0123456789abcdef0123456789abcdef\",\"timestamp\":4200000,"
	"\"eventType\":\"dm-verity\",\"source\":\"uevent\",\"phase\":\"initrd\","
	"\"annotations\":{\"dmName\":\"root\",\"diskseq\":12}}}\n";
static const char pcr_text[] =
	"\x1e{\"recnum\":0,\"pcr\":13,\"digests\":[{\"hashAlg\":\"sha1\","
	"\"digest\":\"629e7443875276707243d89311cbdf177af369f3\"},{\"hashAlg\":\"sha384\","
	"\"digest\":\"9d7a7b52ccbb87abe5aeb3dcd374228af9e9b93df96ef75dab63b99bd83bb3de"
	"69e0262e71de967b6ae750da68d4b1f9\"}],"
	"\"content_type\":\"systemd\",\"content\":{"
	"\"string\":\"nvpcr-anchor:v1:mode=none:no-tpm\","
	"\"bootId\":\"0123456789abcdef0123456789abcdef\",\"timestamp\":4200000,"
	"\"eventType\":\"nvpcr-init\"}}\n";

static struct eventlog_record nvpcr_record(void)
{
	struct eventlog_record record = sample_record(7, WORD);

	CHECK_EQ(eventlog_annotate(&record, "dmName", "root"), 0);
	CHECK_EQ(eventlog_annotate_number(&record, "diskseq", 12), 0);
	return record;
}

static void a_record_has_these_octets(void)
{
	struct eventlog_record nvpcr = nvpcr_record();
	struct eventlog_record pcr = sample_pcr_record(0, ANCHOR);
	char text[EVENTLOG_RECORD_MAX];
	size_t size = 0;

	CHECK_EQ(eventlog_record_encode(&nvpcr, text, sizeof(text), &size), 0);
	CHECK_MEM(text, size, nvpcr_text, sizeof(nvpcr_text) - 1);
	CHECK_EQ(eventlog_record_encode(&pcr, text, sizeof(text), &size), 0);
	CHECK_MEM(text, size, pcr_text, sizeof(pcr_text) - 1);
	eventlog_record_done(&nvpcr);
}

static void these_octets_are_the_record(void)
{
	struct eventlog_record nvpcr = nvpcr_record();
	struct eventlog_record pcr = sample_pcr_record(0, ANCHOR);
	struct eventlog_record decoded;

	CHECK_EQ(eventlog_record_decode(nvpcr_text, sizeof(nvpcr_text) - 1, &decoded), 0);
	CHECK(same_record(&decoded, &nvpcr));
	CHECK_STR(eventlog_annotation(&decoded, "dmName"), "root");
	CHECK_STR(eventlog_annotation(&decoded, "diskseq"), "12");
	CHECK(!eventlog_annotation(&decoded, "dmUuid"));
	eventlog_record_done(&decoded);
	CHECK_EQ(eventlog_record_decode(pcr_text, sizeof(pcr_text) - 1, &decoded), 0);
	CHECK(same_record(&decoded, &pcr));
	CHECK(!eventlog_annotation(&decoded, "dmName"));
	eventlog_record_done(&decoded);
	eventlog_record_done(&nvpcr);
}

static void our_own_form_takes_no_json_parser(void)
{
	struct record_claims claims;
	struct eventlog_record scanned;

	CHECK(record_scan(nvpcr_text, sizeof(nvpcr_text) - 1, &scanned, &claims));
	CHECK_MEM(claims.text, claims.size, "{\"dmName\":\"root\",\"diskseq\":12}", 30);
	CHECK(record_scan(pcr_text, sizeof(pcr_text) - 1, &scanned, &claims));
	CHECK_EQ(claims.size, 0);
}

/* Both ways of reading must come to this, or both to nothing. */
static int decode_both_ways(const char *text, size_t size, struct eventlog_record *ret)
{
	struct json_tokener *tokener = record_tokener_new();
	struct eventlog_record parsed;
	int r, r_parsed;

	r = eventlog_record_decode(text, size, ret);
	r_parsed = record_parse(tokener, text, size, &parsed);
	CHECK_EQ(r, r_parsed);
	CHECK(r != 0 || same_record(ret, &parsed));
	eventlog_record_done(&parsed);
	json_tokener_freep(&tokener);
	return r;
}

/* nvpcr_text with the first @old replaced. */
static size_t edit(const char *old, const char *new, char ret[static 4096])
{
	const char *at = strstr(nvpcr_text, old);

	CHECK(at);
	return (size_t)snprintf(ret, 4096, "%.*s%s%s", at ? (int)(at - nvpcr_text) : 0,
				nvpcr_text, new, at ? at + strlen(old) : "");
}

/* What is wrong, and the edit that makes it so. */
static const struct {
	const char *name, *old, *new;
} broken[] = {
	{ "no start", "\x1e", "" },
	{ "other start", "\x1e", "\n" },
	{ "no end", "\n", "" },
	{ "two ends", "\n", "\n\n" },
	{ "an end inside", ",\"content\"", ",\n\"content\"" },
	{ "a tab", ",\"content\"", ",\t\"content\"" },
	{ "two objects", "}}}\n", "}}}{}\n" },
	{ "not closed", "}}}\n", "}}\n" },
	{ "a comma too many", "}}}\n", "},}}\n" },
	{ "an array", "\x1e{", "\x1e[{" },
	{ "a comment", "\x1e{", "\x1e{/**/" },
	{ "single quotes", "\"systemd\"", "'systemd'" },
	{ "no recnum", "\"recnum\":7,", "" },
	{ "recnum null", ":7,", ":null," },
	{ "recnum text", ":7,", ":\"7\"," },
	{ "recnum negative", ":7,", ":-7," },
	{ "recnum with a fraction", ":7,", ":7.0," },
	{ "recnum with an exponent", ":7,", ":7e0," },
	{ "recnum with a zero", ":7,", ":07," },
	{ "recnum out of range", ":7,", ":9223372036854775808," },
	{ "recnum out of any range", ":7,", ":99999999999999999999999," },
	{ "no index", "\"nv_index\":25187909,", "" },
	{ "index and pcr", "\"nv_index\":", "\"pcr\":1,\"nv_index\":" },
	{ "pcr null beside", "\"nv_index\":", "\"pcr\":null,\"nv_index\":" },
	{ "index text", "25187909", "\"25187909\"" },
	{ "index no NV index", "25187909", "2172671557" },
	{ "index past 32 bits", "25187909", "4320155205" },
	{ "pcr 24", "\"nv_index\":25187909", "\"pcr\":24" },
	{ "pcr with a name", "\"nv_index\":25187909", "\"pcr\":13" },
	{ "no digests", "\"digests\":", "\"other\":" },
	{ "digests an object", "[{\"hashAlg\"", "{\"a\":[{\"hashAlg\"" },
	{ "digests empty", "[{\"hashAlg\"", "[],\"a\":[{\"hashAlg\"" },
	{ "digest null", "[{\"hashAlg\"", "[null,{\"hashAlg\"" },
	{ "digest without value", "\"digest\":\"3a", "\"other\":\"3a" },
	{ "digest too short", "3a3e", "3a" },
	{ "digest too long", "3a3e", "3a3a3e" },
	{ "digest no hex", "3a3e", "3g3e" },
	{ "unknown algorithm", "sha256\",", "sm3_256\"," },
	{ "wrong algorithm", "sha256\",", "sha384\"," },
	{ "long algorithm", "sha256\",", "sha256sha256sha256\"," },
	{ "same algorithm twice", "[{\"hashAlg\"",
	  "[{\"hashAlg\":\"sha256\",\"digest\":\""
	  "0000000000000000000000000000000000000000000000000000000000000000\"},"
	  "{\"hashAlg\"" },
	{ "other content type", "\"systemd\"", "\"cel\"" },
	{ "no content type", "\"content_type\":\"systemd\",", "" },
	{ "no content", "\"content\":", "\"other\":" },
	{ "content text", "\"content\":", "\"content\":\"\",\"other\":" },
	{ "no name", "\"nvIndexName\":\"verity\",", "" },
	{ "name empty", "\"verity\"", "\"\"" },
	{ "name a number", "\"verity\"", "1" },
	{ "no word", "\"string\":", "\"other\":" },
	{ "word empty", "\"string\":", "\"string\":\"\",\"other\":" },
	{ "word with NUL", "dm-verity:v1", "dm-verity\\u0000:v1" },
	{ "word with a line feed", "dm-verity:v1", "dm-verity\\n:v1" },
	{ "word with DEL", "dm-verity:v1", "dm-verity\x7f:v1" },
	{ "word not ASCII", "dm-verity:v1", "dm-verit\xc3\xa4:v1" },
	{ "word escaped not ASCII", "dm-verity:v1", "dm-verit\\u00e4:v1" },
	{ "no boot ID", "\"bootId\":", "\"other\":" },
	{ "boot ID short", "0123456789abcdef\",", "0123456789abcde\"," },
	{ "boot ID long", "0123456789abcdef\",", "0123456789abcdef0\"," },
	{ "boot ID upper case", "0123456789abcdef\",", "0123456789ABCDEF\"," },
	{ "no timestamp", "\"timestamp\":", "\"other\":" },
	{ "timestamp text", "4200000", "\"4200000\"" },
	{ "timestamp out of range", "4200000", "18446744073709551615" },
	{ "no event type", "\"eventType\":", "\"other\":" },
	{ "event type empty", "\"eventType\":\"dm-verity\"", "\"eventType\":\"\"" },
	{ "source too long", "\"uevent\"", "\"ueventueventueve\"" },
	{ "source null", "\"uevent\"", "null" },
	{ "phase a number", "\"initrd\"", "1" },
	{ "annotations a list", "{\"dmName\"", "[],\"a\":{\"dmName\"" },
	{ "annotations null", "{\"dmName\"", "null,\"a\":{\"dmName\"" },
	{ "annotation an object", "\"root\"", "{}" },
	{ "annotation null", "\"root\"", "null" },
	{ "annotation with a fraction", "12}", "12.5}" },
	{ "annotation without name", "\"dmName\"", "\"\"" },
	{ "annotation with a bad name", "\"dmName\"", "\"dm\\u001bName\"" },
	{ "annotation with NUL", "root", "ro\\u0000ot" },
	{ "annotation not UTF-8", "root", "ro\xffot" },
	{ "not ASCII outside a text", "\x1e{", "\x1e{\xc3\xa4" },
	{ "a comment beside UTF-8", "root", "r\xc3\xb6t\",/**/\"a\":\"" },
	{ "a blank not ASCII", "\x1e{", "\x1e{\xc2\xa0" },
	{ "unknown not UTF-8", "\"bootId\"", "\"x\":\"\xff\",\"bootId\"" },
	{ "annotation a surrogate", "root", "ro\xed\xa0\x80ot" },
	{ "annotation too deep", "\"root\"", "[[[[[[[[[[1]]]]]]]]]]" },
	{ "annotation negative", "12}", "-12}" },
	{ "annotation out of range", "12}", "9223372036854775808}" },
	{ "annotation out of any range", "12}", "99999999999999999999999}" },
};

static void a_text_that_breaks_a_rule_is_refused(void)
{
	struct eventlog_record decoded;
	char text[4096];

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		size_t size = edit(broken[i].old, broken[i].new, text);

		test_case = broken[i].name;
		CHECK_EQ(decode_both_ways(text, size, &decoded), -EBADMSG);
		CHECK(!decoded.annotations);
	}
}

static void other_spellings_are_the_same_record(void)
{
	static const struct {
		const char *name, *old, *new;
	} cases[] = {
		{ "as it is", "root", "root" },
		{ "blanks", "\x1e{", "\x1e { " },
		{ "blanks at the end", "}}}\n", "} } } \n" },
		{ "an escape", "dm-verity:v1", "\\u0064m-verity:v1" },
		{ "an escaped slash", "a\\\\b/c", "a\\\\b\\/c" },
		{ "an escaped claim", "root", "\\u0072oot" },
		{ "an unknown member", "\"recnum\"", "\"x\":{\"y\":[1,null]},\"recnum\"" },
		{ "an unknown content", "\"bootId\"", "\"x\":1.5,\"bootId\"" },
		{ "an unknown end", "}}}\n", "}},\"x\":1}\n" },
		{ "digest in capitals", "3a3eae7f", "3A3EAE7F" },
		{ "the last of two", "\"recnum\":7", "\"recnum\":6,\"recnum\":7" },
	};
	struct eventlog_record expected = nvpcr_record(), decoded;
	char text[4096];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = edit(cases[i].old, cases[i].new, text);

		test_case = cases[i].name;
		CHECK_EQ(decode_both_ways(text, size, &decoded), 0);
		CHECK(same_record(&decoded, &expected));
		eventlog_record_done(&decoded);
	}
	eventlog_record_done(&expected);
}

static void a_cut_or_control_character_anywhere_is_refused(void)
{
	static const char bad[] = { '\0', '\x1e', '\n', '\x1b' };
	struct eventlog_record decoded;
	char text[sizeof(nvpcr_text)];
	size_t size = sizeof(nvpcr_text) - 1;

	for (size_t at = 0; at < size; at++) {
		CHECK_EQ(decode_both_ways(nvpcr_text, at, &decoded), -EBADMSG);
		for (size_t i = 0; i < sizeof(bad); i++) {
			memcpy(text, nvpcr_text, size);
			if (text[at] == bad[i])
				continue;
			text[at] = bad[i];
			CHECK_EQ(decode_both_ways(text, size, &decoded), -EBADMSG);
		}
	}
}

static void an_invalid_record_is_not_written(void)
{
	struct eventlog_record good = sample_record(7, WORD), cases[19];
	size_t n = 0, size = 4711;
	char text[EVENTLOG_RECORD_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cases[i] = good;
	cases[n++].word[0] = '\0';
	cases[n++].word[3] = '\n';
	cases[n++].word[3] = '\x80';
	cases[n++].word[3] = '\x7f';
	memset(cases[n++].word, 'a', sizeof(good.word));
	cases[n++].event_type[0] = '\0';
	cases[n++].event_type[0] = '\t';
	cases[n++].boot_id[31] = '\0';
	cases[n++].boot_id[31] = 'F';
	memset(cases[n++].boot_id, 'a', sizeof(good.boot_id));
	cases[n++].source[0] = '\x1b';
	cases[n++].phase[0] = '\x1b';
	cases[n++].nvpcr_name[0] = '\0';
	cases[n++].target = EVENTLOG_PCR;
	cases[n++].index = 0x81000001;
	cases[n++].n_digests = 0;
	cases[n++].n_digests = DIGEST_ALG_MAX + 1;
	cases[n].digests[1] = good.digests[0];
	cases[n++].n_digests = 2;
	cases[n++].recnum = UINT64_MAX;
	CHECK_EQ(n, sizeof(cases) / sizeof(cases[0]));
	for (size_t i = 0; i < n; i++)
		if (eventlog_record_encode(&cases[i], text, sizeof(text), &size) != -EINVAL)
			TEST_FAIL("row %zu is written", i);
	CHECK_EQ(size, 4711);
}

static void a_record_is_written_whole_or_not_at_all(void)
{
	struct eventlog_record record = nvpcr_record();
	char text[sizeof(nvpcr_text)];
	size_t size = sizeof(nvpcr_text) - 1, written;

	for (size_t max = 0; max < size; max++)
		CHECK_EQ(eventlog_record_encode(&record, text, max, &written), -EMSGSIZE);
	CHECK_EQ(eventlog_record_encode(&record, text, size, &written), 0);
	CHECK_EQ(written, size);
	eventlog_record_done(&record);
}

static void the_largest_record_fits(void)
{
	char word[EVENTLOG_WORD_MAX], key[16], text[EVENTLOG_RECORD_MAX];
	struct eventlog_record record, decoded;
	size_t size;
	int r = 0;

	memset(word, '\\', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	record = sample_record(INT64_MAX, word);
	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++)
		digest_compute(alg, word, strlen(word), &record.digests[alg]);
	record.n_digests = DIGEST_ALG_MAX;
	record.timestamp_us = INT64_MAX;
	memset(record.nvpcr_name, '"', sizeof(record.nvpcr_name) - 1);
	memset(record.event_type, '"', sizeof(record.event_type) - 1);
	memset(record.source, '"', sizeof(record.source) - 1);
	memset(record.phase, '"', sizeof(record.phase) - 1);
	for (int i = 0; r == 0; i++) {
		(void)snprintf(key, sizeof(key), "key%d", i);
		r = eventlog_annotate(&record, key, "\x01\x02\x03");
	}
	CHECK_EQ(r, -E2BIG);
	CHECK_EQ(eventlog_record_encode(&record, text, sizeof(text), &size), 0);
	CHECK_EQ(decode_both_ways(text, size, &decoded), 0);
	CHECK(same_record(&decoded, &record));
	eventlog_record_done(&decoded);
	eventlog_record_done(&record);
}

TEST_MAIN(a_record_has_these_octets,
	  these_octets_are_the_record,
	  our_own_form_takes_no_json_parser,
	  a_text_that_breaks_a_rule_is_refused,
	  other_spellings_are_the_same_record,
	  a_cut_or_control_character_anywhere_is_refused,
	  an_invalid_record_is_not_written,
	  a_record_is_written_whole_or_not_at_all,
	  the_largest_record_fits)
