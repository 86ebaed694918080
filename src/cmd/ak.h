/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_AK_H
#define CMD_AK_H

/* What the two files of `ak` share. */
#include "attest/attest.h"
#include "cmd/cmd.h"

/* What the command line says. */
struct ak_wanted {
	enum attest_key_type type;
	uint32_t handle;
	bool json;
	bool pem;
	const char *file;	/* argument of the action */
	const char *output;
};

int ak_show(struct tpm *tpm, const struct ak_wanted *wanted);
int ak_challenge(struct tpm *tpm, const struct ak_wanted *wanted);
int ak_activate(struct tpm *tpm, const struct ak_wanted *wanted);

#endif /* CMD_AK_H */
