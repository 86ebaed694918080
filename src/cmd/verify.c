/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `verify`: does the TPM confirm the log? */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "base/cleanup.h"
#include "base/msg.h"

#include "cmd/cmd.h"

static const struct cmd_option option_table[] = {
	CMD_JSON_ROW,
	{ 0 },
};

static const struct {
	const char *name;
	int status;
} verdicts[] = {
	[MEASURE_MATCH]		= { "ok", CMD_OK },
	[MEASURE_CANNOT_TELL]	= { "cannot tell", CMD_FAILED },
	[MEASURE_DIFFERS]	= { "MISMATCH", CMD_MISMATCH },
};

static void print_text(const struct measure_report *report)
{
	for (size_t i = 0; i < report->n_findings; i++)
		(void)printf("%s\n", report->findings[i]);
	(void)printf("verify: %s (%" PRIu64 " records, %" PRIu64 " activations)\n",
		     verdicts[report->verdict].name, report->n_records,
		     report->n_activations);
	if (report->surplus)
		(void)puts("the last record is not in the TPM: its writer was interrupted");
}

static int print_json(const struct measure_report *report)
{
	struct json_object *object = json_object_new_object();
	struct json_object *findings = json_object_new_array();

	for (size_t i = 0; i < report->n_findings; i++)
		json_object_array_add(findings,
				      json_object_new_string(report->findings[i]));
	json_object_object_add(object, "verdict",
			       json_object_new_string(verdicts[report->verdict].name));
	json_object_object_add(object, "records", json_object_new_uint64(report->n_records));
	json_object_object_add(object, "activations",
			       json_object_new_uint64(report->n_activations));
	json_object_object_add(object, "surplus", json_object_new_boolean(report->surplus));
	json_object_object_add(object, "findings", findings);
	return cmd_print_json(object);
}

static int verify(const struct cmd_env *env, bool json)
{
	_cleanup_free_ struct measure_report *report = malloc(sizeof(*report));
	_cleanup_(tpm_closep) struct tpm *tpm = NULL;
	const char *reason;
	int r = cmd_open_tpm(env, &tpm, &reason);

	if (r != CMD_OK)
		return r;
	r = report ? measure_verify(env->root_fd, tpm, reason, report) : -ENOMEM;
	if (r == -ENOENT)
		return msg_error(CMD_FAILED, "cannot tell: there is no log, nothing was "
				 "measured in this boot");
	if (r < 0)
		return (msg_error(r, "cannot tell: the log cannot be read"), CMD_FAILED);
	if (json && print_json(report) != CMD_OK)
		return CMD_FAILED;
	if (!json)
		print_text(report);
	return verdicts[report->verdict].status;
}

static int run(const struct cmd *cmd, const struct cmd_env *env, int argc, char *argv[])
{
	bool json;
	int r = cmd_json_option(cmd, argc, argv, &json);

	return r == CMD_OPTIONS_END ? verify(env, json) : r;
}

const struct cmd cmd_verify = {
	.name = "verify",
	.synopsis = "",
	.summary = "compare the log with the TPM: status 0 if they agree, 3 if not",
	.options = option_table,
	.run = run,
};
