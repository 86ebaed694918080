/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ak`: the attestation key. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/msg.h"

#include "cmd/ak.h"

enum {
	OPTION_TYPE = CMD_OPTION_OWN,
	OPTION_PEM,
};

static const struct cmd_option option_table[] = {
	{ "type", "TYPE", "of key to create: ecc (default) or rsa", OPTION_TYPE },
	{ "output", "FILE", "where to write the challenge", 'o' },
	{ "pem", NULL, "print the public key and nothing else", OPTION_PEM },
	CMD_HANDLE_ROW,
	CMD_JSON_ROW,
	{ 0 },
};

/**
 * cmd_take_handle() - read the handle of an attestation key
 *
 * Return: CMD_OK; CMD_USAGE after saying what is wrong.
 */
int cmd_take_handle(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long handle;

	errno = 0;
	handle = strtoul(text, &end, 0);
	if (errno || end == text || *end || handle < ATTEST_AK_FIRST || handle > ATTEST_AK_LAST)
		return msg_error(CMD_USAGE, "--handle=%s is not between 0x%08x and 0x%08x", text,
				 ATTEST_AK_FIRST, ATTEST_AK_LAST);
	*ret = (uint32_t)handle;
	return CMD_OK;
}

/**
 * cmd_need_tpm() - open the TPM for a verb that can do nothing without
 * @env: global options
 * @ret: owned by the caller
 *
 * Return: CMD_OK; CMD_USAGE or CMD_FAILED after saying why.
 */
int cmd_need_tpm(const struct cmd_env *env, struct tpm **ret)
{
	const char *reason;
	int r = cmd_open_tpm(env, ret, &reason);

	if (r == CMD_OK && !*ret)
		return msg_error(CMD_FAILED, "there is no TPM: %s", reason);
	return r;
}

/**
 * cmd_ak_failed() - say why something about the attestation key could not be done
 * @r: enum attest_ak_outcome, or a negative errno
 *
 * Return: CMD_FAILED.
 */
int cmd_ak_failed(const struct tpm *tpm, uint32_t handle, int r)
{
	switch (r) {
	case ATTEST_AK_ABSENT:
		return msg_error(CMD_FAILED, "there is no attestation key at 0x%08x; 'veritally "
				 "ak create' makes one", handle);
	case ATTEST_AK_FOREIGN:
		return msg_error(CMD_FAILED, "what is at 0x%08x is no attestation key of ours; "
				 "--handle names another place", handle);
	case ATTEST_AK_OTHER:
		return msg_error(CMD_FAILED, "the attestation key at 0x%08x is of another type",
				 handle);
	case -EREMOTEIO:
		return msg_error(CMD_FAILED, "the TPM refuses: %s", tpm_rc_describe(tpm));
	}
	(void)msg_error(r, "cannot use the TPM");
	return CMD_FAILED;
}

static int run_create(struct tpm *tpm, const struct ak_wanted *wanted)
{
	int r = attest_ak_create(tpm, wanted->handle, wanted->type);

	if (r == 0)
		msg_info("the attestation key is at 0x%08x now", wanted->handle);
	else if (r == ATTEST_AK_EXISTS)
		msg_info("the attestation key is at 0x%08x already", wanted->handle);
	else
		return cmd_ak_failed(tpm, wanted->handle, r);
	return CMD_OK;
}

static const struct {
	const char *name;
	bool takes_file;
	int (*run)(struct tpm *tpm, const struct ak_wanted *wanted);
} actions[] = {
	{ "create", false, run_create },
	{ "show", false, ak_show },
	{ "challenge", true, ak_challenge },
	{ "activate", true, ak_activate },
};

static int take_type(const char *text, enum attest_key_type *ret)
{
	for (int type = 0; type < ATTEST_KEY_MAX; type++) {
		if (strcmp(text, attest_key_type_name(type)) == 0) {
			*ret = type;
			return CMD_OK;
		}
	}
	return msg_error(CMD_USAGE, "--type=%s is neither ecc nor rsa", text);
}

static int take_options(const struct cmd *cmd, int argc, char *argv[], struct ak_wanted *ret)
{
	int id, r = CMD_OK;

	optind = 0;
	while (r == CMD_OK && (id = cmd_next_option(cmd, argc, argv)) != CMD_OPTIONS_END) {
		if (id == OPTION_TYPE)
			r = take_type(optarg, &ret->type);
		else if (id == CMD_OPTION_HANDLE)
			r = cmd_take_handle(optarg, &ret->handle);
		else if (id == 'o')
			ret->output = optarg;
		else if (id == OPTION_PEM)
			ret->pem = true;
		else if (id == CMD_OPTION_JSON)
			ret->json = true;
		else
			return id == CMD_OPTION_HELP ? CMD_OPTIONS_END : CMD_USAGE;
	}
	return r;
}

static int run_action(const struct cmd_env *env, struct ak_wanted *wanted, int argc,
		      char *argv[])
{
	_cleanup_(tpm_closep) struct tpm *tpm = NULL;
	size_t i = 0;
	int r;

	while (i < ARRAY_SIZE(actions) && strcmp(argv[0], actions[i].name) != 0)
		i++;
	if (i == ARRAY_SIZE(actions))
		return msg_error(CMD_USAGE, "ak takes create, show, challenge or activate, "
				 "not '%s'", argv[0]);
	if (argc - optind != actions[i].takes_file)
		return msg_error(CMD_USAGE, "ak %s takes %s", argv[0],
				 actions[i].takes_file ? "one file" : "no arguments");
	if ((actions[i].run == ak_challenge) != !!wanted->output)
		return msg_error(CMD_USAGE, "ak challenge, and nothing else, needs --output");
	wanted->file = argv[optind];
	r = cmd_need_tpm(env, &tpm);
	return r == CMD_OK ? actions[i].run(tpm, wanted) : r;
}

/* Options may stand before the action and after it. */
static int run(const struct cmd *cmd, const struct cmd_env *env, int argc, char *argv[])
{
	struct ak_wanted wanted = { .handle = ATTEST_AK_HANDLE };
	int r = take_options(cmd, argc, argv, &wanted);

	if (r == CMD_OK && optind == argc)
		r = msg_error(CMD_USAGE, "ak takes create, show, challenge or activate");
	if (r == CMD_OK) {
		argc -= optind;
		argv += optind;
		r = take_options(cmd, argc, argv, &wanted);
	}
	if (r != CMD_OK)
		return r == CMD_OPTIONS_END ? CMD_OK : r;
	return run_action(env, &wanted, argc, argv);
}

const struct cmd cmd_ak = {
	.name = "ak",
	.synopsis = "create | show | challenge FILE | activate FILE",
	.summary = "make, show and bind the key that signs evidence",
	.options = option_table,
	.run = run,
};
