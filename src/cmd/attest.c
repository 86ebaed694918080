/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `attest`: evidence for somebody else. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attest/attest.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "base/msg.h"

#include "cmd/cmd.h"

#define NONCE	CMD_OPTION_OWN

static const struct cmd_option option_table[] = {
	{ "nonce", "HEX", "what the verifier gave: 8 to 32 bytes in hexadecimal", NONCE },
	{ "output", "FILE", "write the evidence there instead of to stdout", 'o' },
	CMD_HANDLE_ROW,
	{ 0 },
};

struct wanted {
	const char *output;
	struct attest_request request;
};

static int take_nonce(const char *text, struct attest_request *ret)
{
	int r = hex_decode(text, ret->nonce, sizeof(ret->nonce), &ret->nonce_size);

	if (r == -EBADMSG)
		return msg_error(CMD_USAGE, "--nonce=%s is not hexadecimal", text);
	if (r < 0 || ret->nonce_size < ATTEST_NONCE_MIN)
		return msg_error(CMD_USAGE, "--nonce must have 8 to 32 bytes");
	return CMD_OK;
}

static int take_options(const struct cmd *cmd, int argc, char *argv[], struct wanted *ret)
{
	int id, r = CMD_OK;

	while (r == CMD_OK && (id = cmd_next_option(cmd, argc, argv)) != CMD_OPTIONS_END) {
		switch (id) {
		case NONCE:
			r = take_nonce(optarg, &ret->request);
			break;
		case 'o':
			ret->output = optarg;
			break;
		case CMD_OPTION_HANDLE:
			r = cmd_take_handle(optarg, &ret->request.ak_handle);
			break;
		default:
			return id == CMD_OPTION_HELP ? CMD_OPTIONS_END : CMD_USAGE;
		}
	}
	if (r == CMD_OK)
		r = cmd_no_arguments(cmd, argc);
	if (r == CMD_OK && !ret->request.nonce_size)
		r = msg_error(CMD_USAGE, "attest needs --nonce, from who wants the evidence");
	return r;
}

/* Why there is no evidence. */
static int failed(const struct attest_snapshot *snapshot, int r)
{
	const struct tpm *tpm = snapshot->request.tpm;

	switch (r) {
	case ATTEST_NO_LOG:
		return msg_error(CMD_FAILED, "nothing was measured in this boot: there is no log");
	case ATTEST_NO_ANCHOR:
		return msg_error(CMD_FAILED, "the log has no anchor to begin with; see "
				 "'veritally verify'");
	case ATTEST_DISTURBED:
		return msg_error(CMD_FAILED, "other programs used the TPM in each of %u tries",
				 snapshot->n_attempts);
	case -ENODEV:
		return msg_error(CMD_FAILED, "the TPM has no bank of PCRs");
	case -EREMOTEIO:
		return msg_error(CMD_FAILED, "cannot %s: %s", snapshot->doing,
				 tpm_rc_describe(tpm));
	}
	if (r > 0)
		return cmd_ak_failed(tpm, snapshot->request.ak_handle, r);
	(void)msg_error(r, "cannot %s", snapshot->doing);
	return CMD_FAILED;
}

static void warn(const struct attest_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->n_indices; i++)
		if (snapshot->indices[i].missing)
			msg_warning(0, "the TPM has no index 0x%08x of NvPCR '%s' that was "
				    "written in this boot: it is not in the evidence",
				    snapshot->indices[i].handle, snapshot->indices[i].name);
	msg_debug("made with %llu TPM commands, in %u tries",
		  (unsigned long long)tpm_n_commands(snapshot->request.tpm),
		  snapshot->n_attempts);
}

/* Under another name first: a file of this name is whole, or is not there. */
static int write_file(const struct attest_snapshot *snapshot, const char *path)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkstemp(temporary);
	if (fd < 0)
		return -errno;
	r = attest_write(snapshot, fd);
	if (r == 0 && (fsync(fd) < 0 || rename(temporary, path) < 0))
		r = -errno;
	if (r < 0)
		(void)unlink(temporary);
	return r;
}

static int attest(const struct wanted *wanted)
{
	_cleanup_(attest_snapshot_free) struct attest_snapshot *snapshot = NULL;
	bool to_stdout = !wanted->output || strcmp(wanted->output, "-") == 0;
	int r = attest_collect(&wanted->request, &snapshot);

	if (!snapshot)
		return (msg_error(r, "cannot make evidence"), CMD_FAILED);
	if (r != 0)
		return failed(snapshot, r);
	warn(snapshot);
	r = to_stdout ? attest_write(snapshot, STDOUT_FILENO)
		      : write_file(snapshot, wanted->output);
	if (r < 0)
		(void)msg_error(r, "cannot write the evidence%s%s", to_stdout ? "" : " to ",
				to_stdout ? "" : wanted->output);
	return r < 0 ? CMD_FAILED : CMD_OK;
}

static int run(const struct cmd *cmd, const struct cmd_env *env, int argc, char *argv[])
{
	struct wanted wanted = { .request = {
		.root_fd = env->root_fd, .ak_handle = ATTEST_AK_HANDLE,
	} };
	_cleanup_(tpm_closep) struct tpm *tpm = NULL;
	int r = take_options(cmd, argc, argv, &wanted);

	if (r != CMD_OK)
		return r == CMD_OPTIONS_END ? CMD_OK : r;
	r = cmd_need_tpm(env, &tpm);
	if (r != CMD_OK)
		return r;
	r = measure_boot_id(env->root_fd, wanted.request.boot_id);
	if (r < 0)
		return (msg_error(r, "cannot read /proc/sys/kernel/random/boot_id"), CMD_FAILED);
	wanted.request.tpm = tpm;
	return attest(&wanted);
}

const struct cmd cmd_attest = {
	.name = "attest",
	.synopsis = "",
	.summary = "prove to somebody else what was measured in this boot",
	.options = option_table,
	.run = run,
};
