/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `log`: print the measurement log. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/msg.h"

#include "cmd/cmd.h"

#define HEX_KEPT	12	/* digits of a longer hexadecimal number that are shown */

#define OPTION_CEL	CMD_OPTION_OWN

enum form {
	FORM_TEXT,
	FORM_JSON,
	FORM_CEL,
};

static const struct cmd_option option_table[] = {
	CMD_JSON_ROW,
	{ "cel", NULL, "print a Canonical Event Log in JSON, without claims", OPTION_CEL },
	{ 0 },
};

/* Prints a word with its long hexadecimal numbers cut short. */
static int print_short(const char *word)
{
	int width = 0;

	while (*word) {
		size_t digits = strspn(word, "0123456789abcdef");
		size_t kept = digits / 2 > HEX_KEPT ? HEX_KEPT : digits;

		if (!digits) {
			width += printf("%c", *word++);
			continue;
		}
		width += printf("%.*s%s", (int)kept, word, kept < digits ? ".." : "");
		word += digits;
	}
	return width;
}

static void print_claim(const struct eventlog_record *rec, const char *key)
{
	const char *text = eventlog_annotation(rec, key);

	if (!text)
		return;
	(void)printf("  %s=", key);
	cmd_print_claim(text);
}

static void print_text(const struct eventlog_record *rec)
{
	int width;

	(void)printf("%5" PRIu64 " %8" PRIu64 ".%03" PRIu64 "  %-7s%-9s", rec->recnum,
		     rec->timestamp_us / CLOCK_S, rec->timestamp_us / CLOCK_MS % 1000,
		     rec->phase, rec->source);
	if (rec->target == EVENTLOG_PCR)
		(void)printf("PCR %-7" PRIu32, rec->index);
	else
		(void)printf("%-11s", rec->nvpcr_name);
	width = print_short(rec->word);
	(void)printf("%*s", width < 80 ? 80 - width : 0, "");
	print_claim(rec, "dmName");
	print_claim(rec, "image");
	print_claim(rec, "backingFile");
	(void)putchar('\n');
}

static void print_json(const struct eventlog_record *rec)
{
	static char text[EVENTLOG_RECORD_MAX];
	static bool is_next;
	size_t size;

	if (eventlog_record_encode(rec, text, sizeof(text), &size) < 0 || size < 2)
		return;
	(void)printf("%s%.*s", is_next ? ",\n" : "", (int)size - 2, text + 1);
	is_next = true;
}

/* Only what every reader of such a log knows, and no claim of ours. */
static void print_cel(const struct eventlog_record *rec)
{
	struct eventlog_record plain = *rec;

	plain.annotations = NULL;
	*plain.source = *plain.phase = '\0';
	print_json(&plain);
}

static int print_all(struct eventlog_reader *reader, enum form form)
{
	static void (*const print[])(const struct eventlog_record *rec) = {
		[FORM_TEXT] = print_text, [FORM_JSON] = print_json, [FORM_CEL] = print_cel,
	};
	const struct eventlog_record *rec;
	int r;

	while ((r = eventlog_reader_next(reader, &rec)) == 0)
		print[form](rec);
	return r;
}

static int say_end(int r)
{
	if (r == EVENTLOG_END)
		return CMD_OK;
	if (r == EVENTLOG_TORN)
		return msg_error(CMD_FAILED, "the log ends in the middle of a record");
	if (r == EVENTLOG_MALFORMED)
		return msg_error(CMD_FAILED, "what follows in the log is no record of ours; "
				 "see 'veritally verify'");
	return (msg_error(r, "the log cannot be read"), CMD_FAILED);
}

static int run(const struct cmd *cmd, const struct cmd_env *env, int argc, char *argv[])
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	enum form form = FORM_TEXT;
	int id, r;

	while ((id = cmd_next_option(cmd, argc, argv)) != CMD_OPTIONS_END) {
		if (id != CMD_OPTION_JSON && id != OPTION_CEL)
			return id == CMD_OPTION_HELP ? CMD_OK : CMD_USAGE;
		form = id == OPTION_CEL ? FORM_CEL : FORM_JSON;
	}
	if (cmd_no_arguments(cmd, argc) != CMD_OK)
		return CMD_USAGE;
	r = eventlog_reader_open(env->root_fd, EVENTLOG_PATH, &reader);
	if (r == -ENOENT)
		return msg_error(CMD_FAILED, "there is no log, nothing was measured in this "
				 "boot");
	if (r < 0)
		return say_end(r);
	(void)puts(form ? "[" : "    #         TIME  PHASE  SOURCE   INTO       MEASURED WORD"
		   "                                                                     "
		   "CLAIMS (UNVERIFIED)");
	r = print_all(reader, form);
	if (form)
		(void)puts("\n]");
	return say_end(r);
}

const struct cmd cmd_log = {
	.name = "log",
	.synopsis = "",
	.summary = "print the measurement log",
	.options = option_table,
	.run = run,
};
