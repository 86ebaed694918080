/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMD_CONFIG_H
#define CMD_CONFIG_H

/*
 * The configuration: files as veritally.conf(5) has them, then the kernel command line.
 */
#include <stdbool.h>
#include <stddef.h>

#include "verity/verity.h"

#define CONFIG_FILE_MAX	65536	/* bytes */

enum config_mode {
	CONFIG_MODE_MEASURE,	/* measure; nothing ever fails because of us */
	CONFIG_MODE_ENFORCE,	/* what cannot be measured is not activated */
	CONFIG_MODE_SIGNED,	/* nor is what the kernel verified no signature of */
	CONFIG_MODE_LOG,	/* keep the log, want no TPM */
	CONFIG_MODE_MAX,
};

enum config_systemd {
	CONFIG_SYSTEMD_AUTO,	/* as OWN where systemd runs, else as OFF */
	CONFIG_SYSTEMD_OWN,	/* copy our records to its log */
	CONFIG_SYSTEMD_SHARE,	/* and initialise its NvPCR */
	CONFIG_SYSTEMD_OFF,
	CONFIG_SYSTEMD_MAX,
};

/**
 * struct config - all settings
 * @enabled:    veritally does anything at all
 * @mode:       what is done
 * @tpm:        "auto", "none" or a connection as --tpm takes it
 * @gate_pcr:   the gate PCR
 * @extend_group: name of the group that may use the service; empty if none
 * @timeout_ms: how long to wait for a TPM to appear, and for each of its answers
 * @hook:       the best way of learning of activations that may be taken
 * @wait_ms:    how long an activation waits in the kernel until it is measured
 * @systemd:    what is done next to systemd
 * @guard:      root shall not be able to take the kernel hook away
 * @ring_kib:   room for what the kernel hook announces while nobody reads it
 */
struct config {
	bool enabled;
	enum config_mode mode;
	char tpm[256];
	unsigned int gate_pcr;
	unsigned int timeout_ms;
	enum verity_kind hook;
	unsigned int wait_ms;
	bool guard;
	unsigned int ring_kib;
	char extend_group[64];
	enum config_systemd systemd;
};

/* Called with what cannot be used: where it stands, the text, and why. */
typedef void config_complain_fn(const char *where, const char *text, const char *reason);

void config_init(struct config *ret);
const char *config_mode_name(enum config_mode mode);
const char *config_set(struct config *config, const char *key, const char *value);
void config_parse_file(struct config *config, const char *where, char *text,
		       config_complain_fn *complain);
void config_parse_cmdline(struct config *config, const char *where, char *text,
			  config_complain_fn *complain);
int config_load(struct config *ret, int root_fd, const char *file,
		config_complain_fn *complain);

#endif /* CMD_CONFIG_H */
