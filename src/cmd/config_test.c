/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmd/config.h"

#include "test.h"

static char complaints[1024];

static void complain(const char *where, const char *text, const char *reason)
{
	size_t used = strlen(complaints);

	(void)where;
	(void)reason;
	(void)snprintf(complaints + used, sizeof(complaints) - used, "%s;", text);
}

static struct config parse(void (*parser)(struct config *config, const char *where,
					  char *text, config_complain_fn *complain),
			   const char *text)
{
	struct config config;
	char copy[1024];

	(void)snprintf(copy, sizeof(copy), "%s", text);
	*complaints = '\0';
	config_init(&config);
	parser(&config, "here", copy, complain);
	return config;
}

static void defaults_are_as_documented(void)
{
	struct config config;

	config_init(&config);
	CHECK(config.enabled);
	CHECK_EQ(config.mode, CONFIG_MODE_MEASURE);
	CHECK_STR(config.tpm, "auto");
	CHECK_EQ(config.gate_pcr, 13);
	CHECK_EQ(config.timeout_ms, 5000);
}

static void a_file_is_read(void)
{
	struct config config = parse(config_parse_file,
		"# mode=measure\n;mode=measure\n\n  mode = log\t\ntimeout=7\r\n"
		"tpm=swtpm:host=h,port=1\ngate_pcr=8\ngate_pcr=9");

	CHECK_STR(complaints, "");
	CHECK_EQ(config.mode, CONFIG_MODE_LOG);
	CHECK_EQ(config.timeout_ms, 7000);
	CHECK_STR(config.tpm, "swtpm:host=h,port=1");
	CHECK_EQ(config.gate_pcr, 9);
}

static void what_cannot_be_used_changes_nothing(void)
{
	struct config config = parse(config_parse_file,
		"mode=nonsense\nmode=\ngate_pcr=16\ngate_pcr=15\ngate_pcr=13 \ngate_pcr=24\n"
		"gate_pcr=+8\ntimeout=0\ntimeout=601\ntimeout=1.5\ntpm=\nMODE=log\nnonsense\n"
		"guard=perhaps\nhook=kprobe\nwait=15001\nwait=-1\nring=2\nring=12\nring=131072\n"
		"systemd=yes\n");
	struct config defaults;

	config_init(&defaults);
	CHECK_STR(complaints, "mode;mode;gate_pcr;gate_pcr;gate_pcr;gate_pcr;timeout;timeout;"
		  "timeout;tpm;MODE;nonsense;guard;hook;wait;wait;ring;ring;ring;systemd;");
	CHECK_EQ(config.hook, defaults.hook);
	CHECK_EQ(config.wait_ms, defaults.wait_ms);
	CHECK_EQ(config.ring_kib, defaults.ring_kib);
	CHECK_EQ(config.systemd, defaults.systemd);
	CHECK_EQ(config.mode, defaults.mode);
	CHECK_EQ(config.gate_pcr, defaults.gate_pcr);
	CHECK_EQ(config.timeout_ms, defaults.timeout_ms);
	CHECK_STR(config.tpm, defaults.tpm);
}

static void the_command_line_is_read(void)
{
	static const struct {
		const char *text;
		bool enabled;
		unsigned int gate_pcr;
		const char *complaints;
	} cases[] = {
		{ "", true, 13, "" },
		{ "quiet splash", true, 13, "" },
		{ "rd.veritally=0", false, 13, "" },
		{ "veritally=0", false, 13, "" },
		{ "veritally=no", false, 13, "" },
		{ "veritally=0 rd.veritally=1", true, 13, "" },
		{ "veritally=0 veritally", true, 13, "" },
		{ "veritally=2", true, 13, "veritally;" },
		{ "rd.veritally.gate_pcr=8", true, 8, "" },
		{ "veritally.gate_pcr=8 rd.veritally.gate_pcr=9\n", true, 9, "" },
		{ "\"veritally.gate_pcr=8\"", true, 8, "" },
		{ "veritally.gate_pcr=\"8\" quiet", true, 8, "" },
		{ "x=\"a veritally=0\"", true, 13, "" },
		{ "veritallyx=0 xveritally=0 rd.rd.veritally=0", true, 13, "" },
		{ "veritally.nonsense=1", true, 13, "veritally.nonsense;" },
		{ "veritally.gate_pcr", true, 13, "veritally.gate_pcr;" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config config = parse(config_parse_cmdline, cases[i].text);

		test_case = cases[i].text;
		CHECK_EQ(config.enabled, cases[i].enabled);
		CHECK_EQ(config.gate_pcr, cases[i].gate_pcr);
		CHECK_STR(complaints, cases[i].complaints);
	}
}

static void values_with_blanks_can_be_quoted(void)
{
	struct config config = parse(config_parse_cmdline,
				     "veritally.tpm=\"swtpm:path=/a b\" quiet");

	CHECK_STR(config.tpm, "swtpm:path=/a b");
}

static void every_mode_has_a_name(void)
{
	for (int mode = 0; mode < CONFIG_MODE_MAX; mode++) {
		struct config config;

		config_init(&config);
		CHECK(config_set(&config, "mode", config_mode_name(mode)) == NULL);
		CHECK_EQ(config.mode, mode);
	}
}

TEST_MAIN(defaults_are_as_documented, a_file_is_read, what_cannot_be_used_changes_nothing,
	  the_command_line_is_read, values_with_blanks_can_be_quoted, every_mode_has_a_name)
