/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `check`: can evidence of another machine be trusted? */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <json-c/json.h>

#include "attest/attest.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "base/msg.h"

#include "cmd/cmd.h"

enum {
	OPTION_EVIDENCE = CMD_OPTION_OWN,
	OPTION_POLICY,
	OPTION_NONCE,
	OPTION_AK,
};

static const struct cmd_option option_table[] = {
	CMD_JSON_ROW,
	{ "evidence", "FILE", "what 'veritally attest' wrote", OPTION_EVIDENCE },
	{ "policy", "FILE", "what is wanted; see veritally-policy(5)", OPTION_POLICY },
	{ "nonce", "HEX", "what 'veritally attest' was given", OPTION_NONCE },
	{ "ak", "FILE", "the machine's attestation key: PEM or TPM2B_PUBLIC", OPTION_AK },
	{ 0 },
};

static const struct {
	const char *name;
	int status;
} verdicts[] = {
	[ATTEST_TRUSTED]	= { "trusted", CMD_OK },
	[ATTEST_CANNOT_TELL]	= { "cannot tell", CMD_FAILED },
	[ATTEST_NOT_TRUSTED]	= { "NOT TRUSTED", CMD_MISMATCH },
};

/* What the command line says, and what is made of it. */
struct request {
	bool json;
	const char *evidence;
	const char *policy_path;
	const char *key_path;
	bool has_nonce;
	uint8_t nonce[ATTEST_NONCE_MAX];
	struct attest_demand demand;
	uint64_t n_printed;
};

static void print_text(void *ctx, const struct attest_finding *finding)
{
	(void)ctx;
	(void)printf("%s: expected ", finding->condition);
	cmd_print_claim(finding->expected);
	(void)printf("; found ");
	cmd_print_claim(finding->found);
	(void)printf(": %s\n", finding->meaning);
}

/* Findings are printed as they come: there may be more of them than fit in memory. */
static void print_json(void *ctx, const struct attest_finding *finding)
{
	struct request *request = ctx;
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "condition",
			       json_object_new_string(finding->condition));
	json_object_object_add(object, "verdict",
			       json_object_new_string(verdicts[finding->verdict].name));
	json_object_object_add(object, "expected", json_object_new_string(finding->expected));
	json_object_object_add(object, "found", json_object_new_string(finding->found));
	json_object_object_add(object, "meaning", json_object_new_string(finding->meaning));
	(void)printf("%s\n  %s", request->n_printed++ ? "," : "",
		     json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
						    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

static void print_result(const struct request *request, const struct attest_result *result)
{
	const char *verdict = verdicts[result->verdict].name;

	if (request->json)
		(void)printf("\n],\"verdict\":\"%s\",\"records\":%" PRIu64
			     ",\"activations\":%" PRIu64 ",\"boot_id\":\"%s\"}\n", verdict,
			     result->n_records, result->n_activations, result->boot_id);
	else
		(void)printf("check: %s (%" PRIu64 " records, %" PRIu64 " activations)\n",
			     verdict, result->n_records, result->n_activations);
}

/* Reads a file that was named on the command line; *ret has a NUL behind it. */
static int read_file(const char *path, size_t max, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *data = NULL;
	size_t size = 0, room = 0;
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && size <= max) {
		if (size + 1 >= room) {
			char *more = realloc(data, room += room ?: 4096);

			if (!more)
				return msg_error(CMD_FAILED, "out of memory");
			data = more;
		}
		n = read(fd, data + size, room - size - 1);
		size += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		return (msg_error(-errno, "cannot read %s", path), CMD_FAILED);
	if (size > max)
		return msg_error(CMD_FAILED, "%s is too large", path);
	data[size] = '\0';
	*ret = take_ptr(data);
	*ret_size = size;
	return CMD_OK;
}

static int open_evidence(const char *path, int *ret)
{
	struct stat st;

	*ret = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*ret < 0 || fstat(*ret, &st) < 0)
		return (msg_error(-errno, "cannot read %s", path), CMD_FAILED);
	if (!S_ISREG(st.st_mode))
		return msg_error(CMD_FAILED, "%s is not a regular file", path);
	return CMD_OK;
}

static int read_policy(const char *path, struct attest_policy **ret)
{
	_cleanup_free_ char *text = NULL;
	char reason[ATTEST_REASON_MAX];
	size_t size;
	int r = read_file(path, ATTEST_POLICY_MAX, &text, &size);

	if (r != CMD_OK)
		return r;
	r = attest_policy_parse(text, size, ret, reason);
	if (r == -EBADMSG)
		return msg_error(CMD_USAGE, "%s is no policy: %s", path, reason);
	return r < 0 ? (msg_error(r, "cannot read %s", path), CMD_FAILED) : CMD_OK;
}

static int check(struct request *request)
{
	_cleanup_(attest_policy_free) struct attest_policy *policy = NULL;
	_cleanup_free_ char *key = NULL;
	_cleanup_close_ int fd = -1;
	struct attest_result result;
	int r = read_policy(request->policy_path, &policy);

	if (r == CMD_OK && request->key_path)
		r = read_file(request->key_path, ATTEST_KEY_FILE_MAX, &key,
				  &request->demand.key_size);
	if (r == CMD_OK)
		r = open_evidence(request->evidence, &fd);
	if (r != CMD_OK)
		return r;
	request->demand.policy = policy;
	request->demand.key = (const uint8_t *)key;
	request->demand.nonce = request->has_nonce ? request->nonce : NULL;
	request->demand.report = request->json ? print_json : print_text;
	request->demand.ctx = request;
	if (request->json)
		(void)printf("{\"findings\":[");
	r = attest_check(fd, &request->demand, &result);
	if (r < 0) {
		result.verdict = ATTEST_CANNOT_TELL;
		(void)msg_error(r, "cannot tell: %s cannot be read", request->evidence);
	}
	print_result(request, &result);
	return verdicts[result.verdict].status;
}

static int take_nonce(struct request *request, const char *hex)
{
	request->has_nonce = hex_decode(hex, request->nonce, sizeof(request->nonce),
					&request->demand.nonce_size) == 0 &&
			     request->demand.nonce_size >= ATTEST_NONCE_MIN;
	return request->has_nonce ? CMD_OPTIONS_END :
	       msg_error(CMD_USAGE, "--nonce=%s is not %d to %d bytes in hexadecimal", hex,
			 ATTEST_NONCE_MIN, ATTEST_NONCE_MAX);
}

static int parse(const struct cmd *cmd, int argc, char *argv[], struct request *ret)
{
	int id, r = CMD_OPTIONS_END;

	while (r == CMD_OPTIONS_END &&
	       (id = cmd_next_option(cmd, argc, argv)) != CMD_OPTIONS_END) {
		if (id == CMD_OPTION_JSON)
			ret->json = true;
		else if (id == OPTION_EVIDENCE)
			ret->evidence = optarg;
		else if (id == OPTION_POLICY)
			ret->policy_path = optarg;
		else if (id == OPTION_AK)
			ret->key_path = optarg;
		else if (id == OPTION_NONCE)
			r = take_nonce(ret, optarg);
		else
			return id == CMD_OPTION_HELP ? CMD_OK : CMD_USAGE;
	}
	return r;
}

static int run(const struct cmd *cmd, const struct cmd_env *env, int argc, char *argv[])
{
	struct request request = { 0 };
	int r = parse(cmd, argc, argv, &request);

	(void)env;
	if (r != CMD_OPTIONS_END)
		return r;
	if (cmd_no_arguments(cmd, argc) != CMD_OK)
		return CMD_USAGE;
	if (!request.evidence || !request.policy_path)
		return msg_error(CMD_USAGE, "check needs --evidence=FILE and --policy=FILE");
	return check(&request);
}

const struct cmd cmd_check = {
	.name = "check",
	.synopsis = "",
	.summary = "check evidence of a machine: status 0 if it is trusted, 3 if not",
	.options = option_table,
	.run = run,
};
