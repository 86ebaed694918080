/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `undefine`: delete the NV indices that are ours. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/msg.h"

#include "cmd/cmd.h"

#define INDICES_MAX	256	/* that are deleted at once */

enum {
	OPTION_ALL = 256,
	OPTION_FORCE,
};

static const struct cmd_option option_table[] = {
	{ "all", NULL, "every index that is ours, whatever its definition", OPTION_ALL },
	{ "force", NULL, "also indices that are in use in this boot", OPTION_FORCE },
	{ 0 },
};

struct undefine {
	struct tpm *tpm;
	bool all;
	bool force;
};

/* Says what became of an index; one that is not there is what was wanted. */
static int tell(const struct undefine *undefine, int r, uint32_t handle, const char *name,
		const char *owner)
{
	char what[96];

	(void)snprintf(what, sizeof(what), "index 0x%08" PRIx32 "%s%s", handle,
		       name ? " of " : "", name ? name : "");
	switch (r) {
	case 0:
		msg_info("%s is deleted", what);
		return CMD_OK;
	case NVPCR_ABSENT:
		msg_info("there is no %s", what);
		return CMD_OK;
	case NVPCR_FOREIGN:
		return msg_error(CMD_FAILED, "%s is not ours: it looks like %s", what, owner);
	case NVPCR_IN_USE:
		return msg_error(CMD_FAILED, "%s is in use in this boot; --force deletes it "
				 "all the same", what);
	case -EREMOTEIO:
		return msg_error(CMD_FAILED, "%s cannot be deleted: %s", what,
				 tpm_rc_describe(undefine->tpm));
	default:
		return (msg_error(r, "%s cannot be deleted", what), CMD_FAILED);
	}
}

/* @name may be NULL. */
static int undefine_one(const struct undefine *undefine, uint32_t handle, const char *name)
{
	char owner[NVPCR_OWNER_MAX] = "";
	int r = nvpcr_registry_undefine(undefine->tpm, handle, undefine->force, owner);

	return tell(undefine, r, handle, name, owner);
}

/* Those that were initialised for systemd; the TPM tells if one is in use. */
static int undefine_shared(const struct cmd_env *env, const struct undefine *undefine)
{
	uint32_t handles[MEASURE_SHARE_INDICES];
	struct tpm_nv_public public;
	struct config config;
	int status, n, r;

	status = cmd_load_config(env, &config);
	if (status != CMD_OK)
		return status;
	n = measure_share_list(env->root_fd, undefine->tpm, config.gate_pcr, handles);
	if (n < 0)
		return (msg_error(n, "cannot look for indices of systemd's"), CMD_FAILED);
	for (int i = 0; i < n; i++) {
		r = tpm_nv_read_public(undefine->tpm, handles[i], &public);
		if (r == 0 && public.attributes & TPM_NV_WRITTEN && !undefine->force)
			r = NVPCR_IN_USE;
		else if (r == 0)
			r = tpm_nv_undefine(undefine->tpm, handles[i]);
		if (tell(undefine, r, handles[i], "systemd", "") != CMD_OK)
			status = CMD_FAILED;
	}
	return status;
}

static int undefine_all(const struct undefine *undefine)
{
	uint32_t handles[INDICES_MAX];
	int status = CMD_OK;
	size_t n;
	int r = nvpcr_registry_list(undefine->tpm, handles, INDICES_MAX, &n);

	if (r < 0)
		return (msg_error(r, "cannot list the TPM's indices"), CMD_FAILED);
	for (size_t i = 0; i < n; i++)
		if (undefine_one(undefine, handles[i], NULL) != CMD_OK)
			status = CMD_FAILED;
	return status;
}

/* Handle of an NvPCR: as defined, or as this boot has it. */
static uint32_t find_handle(const struct nvpcr_defs *defs, struct nvpcr_set *set,
			    const char *name)
{
	const struct nvpcr *nvpcr;

	for (size_t i = 0; i < defs->n_defs; i++)
		if (strcmp(defs->defs[i].name, name) == 0)
			return defs->defs[i].index;
	nvpcr = measure_find_nvpcr(set, name);
	return nvpcr ? nvpcr->def.index : 0;
}

static int undefine_named(const struct cmd_env *env, const struct undefine *undefine,
			  int n_names, char *names[])
{
	_cleanup_free_ struct nvpcr_defs *defs = calloc(1, sizeof(*defs));
	_cleanup_free_ struct nvpcr_set *set = calloc(1, sizeof(*set));
	int status = CMD_OK, r;

	r = defs && set ? measure_registry_defs(env->root_fd, defs, NULL) : -ENOMEM;
	if (r < 0)
		return (msg_error(r, "cannot read the definitions"), CMD_FAILED);
	(void)measure_registry_read(env->root_fd, set);
	for (int i = 0; i < n_names; i++) {
		uint32_t handle = find_handle(defs, set, names[i]);

		if (!handle)
			status = msg_error(CMD_FAILED, "no NvPCR '%s' is defined; --all finds "
					   "those without a definition too", names[i]);
		else if (undefine_one(undefine, handle, names[i]) != CMD_OK)
			status = CMD_FAILED;
	}
	return status;
}

static int undefine(const struct cmd_env *env, struct undefine *undefine, int n_names,
		    char *names[])
{
	_cleanup_(tpm_closep) struct tpm *tpm = NULL;
	const char *reason;
	int r = cmd_open_tpm(env, &tpm, &reason);

	if (r != CMD_OK)
		return r;
	if (!tpm)
		return msg_error(CMD_FAILED, "there is no TPM to ask: %s", reason);
	undefine->tpm = tpm;
	if (!undefine->all)
		return undefine_named(env, undefine, n_names, names);
	r = undefine_all(undefine);
	return undefine_shared(env, undefine) == CMD_OK ? r : CMD_FAILED;
}

static int run(const struct cmd *cmd, const struct cmd_env *env, int argc, char *argv[])
{
	struct undefine options = { .tpm = NULL };
	int id;

	while ((id = cmd_next_option(cmd, argc, argv)) != CMD_OPTIONS_END) {
		if (id == OPTION_ALL)
			options.all = true;
		else if (id == OPTION_FORCE)
			options.force = true;
		else
			return id == CMD_OPTION_HELP ? CMD_OK : CMD_USAGE;
	}
	if (options.all == (optind < argc))
		return msg_error(CMD_USAGE, "undefine takes %s names of NvPCRs or --all",
				 options.all ? "only one of" : "something to delete:");
	return undefine(env, &options, argc - optind, argv + optind);
}

const struct cmd cmd_undefine = {
	.name = "undefine",
	.synopsis = "[NAME...]",
	.summary = "delete the NV indices that are ours, and only those",
	.options = option_table,
	.run = run,
};
