/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Can this evidence be trusted?
 *
 * What the TPM signed, the log, the way from one to the other, and the policy are checked
 * one after the other, and every condition that is not met is reported.  The log is read
 * once; what is kept of it does not grow with it.
 *
 * Why this suffices: the TPM clears the WRITTEN attribute of such an index at every reset,
 * and nothing else sets it but a first write, for which the policy wants the gate PCR at
 * the value before the anchor.  The Name is over attributes and policy.  So a certified
 * index of that Name had its first write before the first extend of the gate PCR, and all
 * it can have done since is to be extended.  Without the boot chain, that first extend may
 * have been anybody's.
 */
#include "attest/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOUND_MAX	1024	/* bytes, with NUL */
#define READ_SIZE	65536	/* bytes */

/* Takes the last character away, of which some octets may be missing. */
static void cut(char *text)
{
	size_t n = strlen(text);

	while (n && (text[n - 1] & 0xc0) == 0x80)
		n--;
	text[n ? n - 1 : 0] = '\0';
}

/**
 * attest_find() - report a condition that is not met
 * @verdict:   what it leads to
 * @condition: its name
 * @expected:  what would have been good
 * @meaning:   what it means that it is not so
 * @found:     what there is instead, for printf(3)
 */
void attest_find(struct attest_checking *c, enum attest_verdict verdict,
		 const char *condition, const char *expected, const char *meaning,
		 const char *found, ...)
{
	char text[FOUND_MAX];
	const struct attest_finding finding = {
		.verdict = verdict, .condition = condition, .expected = expected,
		.found = text, .meaning = meaning,
	};
	va_list args;

	va_start(args, found);
	if (vsnprintf(text, sizeof(text), found, args) >= (int)sizeof(text))
		cut(text);
	va_end(args);
	if (verdict > c->result->verdict)
		c->result->verdict = verdict;
	c->result->n_findings++;
	c->demand->report(c->demand->ctx, &finding);
}

/*
 * Reads up to the first line feed.  *ret_size is the size of that line without it; 0 if
 * there is none within the limit.
 */
static int read_line(int fd, char **ret, size_t *ret_size)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;

	*ret_size = 0;
	while (size < ATTEST_HEADER_MAX) {
		char *more = realloc(text, size + READ_SIZE), *end;
		ssize_t n;

		if (!more)
			return -ENOMEM;
		text = more;
		n = pread(fd, text + size, READ_SIZE, (off_t)size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		end = memchr(text + size, '\n', (size_t)n);
		size += (size_t)n;
		if (end) {
			*ret_size = (size_t)(end - text);
			*ret = take_ptr(text);
			return 0;
		}
	}
	return 0;
}

/* Return: 1 if there is a header, 0 if that was reported; a negative errno. */
static int read_header(struct attest_checking *c, int fd)
{
	const char *reason = "it does not begin with a header";
	_cleanup_free_ char *line = NULL;
	size_t size;
	int r = read_line(fd, &line, &size);

	if (r < 0)
		return r;
	r = -EBADMSG;
	if (size > 1 && line[0] == '\x1e')
		r = attest_header_parse(line + 1, size - 1, &c->header, &reason);
	if (r < 0 && r != -EBADMSG)
		return r;
	if (r == -EBADMSG) {
		attest_find(c, ATTEST_NOT_TRUSTED, "evidence", "evidence of veritally",
			    "it cannot be read, so it proves nothing", "something else: %s",
			    reason);
		return 0;
	}
	eventlog_reader_seek(c->reader, size + 1);
	return 1;
}

static int check_all(struct attest_checking *c)
{
	int r;

	attest_statements_check(c);
	r = attest_log_check(c);
	if (r < 0)
		return r;
	attest_anchor_check(c);
	attest_word_finish(c);
	attest_boot_check(c);
	return 0;
}

static void checking_free(struct attest_checking **checking)
{
	struct attest_checking *c = *checking;

	if (!c)
		return;
	eventlog_reader_close(&c->reader);
	attest_header_free(&c->header);
	free(c->live);
	free(c->sets_seen);
	free(c);
}

/**
 * attest_check() - check evidence
 * @fd:     of a regular file; its position is not used
 * @demand: what it is checked against; findings are reported to it
 * @ret:    what it came to
 *
 * Return: 0, whatever it came to; -ENOMEM; a negative errno of pread(2).
 */
int attest_check(int fd, const struct attest_demand *demand, struct attest_result *ret)
{
	_cleanup_(checking_free) struct attest_checking *c = calloc(1, sizeof(*c));
	int r;

	*ret = (struct attest_result){ .verdict = ATTEST_TRUSTED };
	if (!c)
		return -ENOMEM;
	c->demand = demand;
	c->result = ret;
	c->live = calloc(demand->policy->n_allowed + 1, sizeof(*c->live));
	c->sets_seen = calloc(demand->policy->sets.n + 1, sizeof(*c->sets_seen));
	if (!c->live || !c->sets_seen)
		return -ENOMEM;
	r = eventlog_reader_open_fd(fd, &c->reader);
	if (r == 0)
		r = read_header(c, fd);
	return r <= 0 ? r : check_all(c);
}
