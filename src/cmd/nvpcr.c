/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `nvpcr`: the definitions, and what became of them in this boot.
 *
 * A row is made for each definition and for each NvPCR of this boot whose definition is
 * not there any more.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/cleanup.h"
#include "base/msg.h"

#include "cmd/cmd.h"

#define FILE_SIZE_MAX	16384	/* bytes, as nvpcr_defs_load() takes them */
#define NEXT_BOOT	"defined after the anchor: waits for the next boot"

static const struct cmd_option option_table[] = {
	CMD_JSON_ROW,
	{ 0 },
};

/* All that is known; @booted says whether @set is of this boot. */
struct registry {
	struct nvpcr_defs defs;
	struct nvpcr_set set;
	bool booted;
	bool refused;		/* a definition file was */
};

/* A definition file that is refused; nvpcr_defs_load() hands no context over. */
static bool any_refused;

static void complain(const char *path, const char *reason)
{
	any_refused = true;
	msg_warning(0, "%s: %s, ignoring this NvPCR", path, reason);
}

static int load(const struct cmd_env *env, struct registry *ret)
{
	int r;

	any_refused = false;
	r = measure_registry_defs(env->root_fd, &ret->defs, complain);
	if (r < 0)
		return (msg_error(r, "cannot read the definitions"), CMD_FAILED);
	ret->refused = any_refused;
	r = measure_registry_read(env->root_fd, &ret->set);
	ret->booted = r == 0;
	if (r < 0 && r != -ENOENT)
		msg_warning(r, "the log cannot be read");
	return CMD_OK;
}

/* An NvPCR whose handle changed is another one, and waits like a new one. */
static const struct nvpcr *in_this_boot(struct registry *registry,
					const struct nvpcr_def *def)
{
	const struct nvpcr *nvpcr = measure_find_nvpcr(&registry->set, def->name);

	if (!registry->booted || !nvpcr)
		return NULL;
	return nvpcr->rung > NVPCR_RUNG_NV || (nvpcr->def.index == def->index &&
					       nvpcr->def.alg == def->alg) ? nvpcr : NULL;
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static void describe_def(struct json_object *object, const struct nvpcr_def *def)
{
	char handle[16], path[256];

	(void)snprintf(handle, sizeof(handle), "0x%08" PRIx32, def->index);
	add_text(object, "name", def->name);
	if (def->index)
		add_text(object, "handle", handle);
	add_text(object, "algorithm", digest_alg_name(def->alg));
	if (!def->priority)
		return;
	json_object_object_add(object, "priority", json_object_new_int64(def->priority));
	json_object_object_add(object, "orderly", json_object_new_boolean(def->orderly));
	(void)snprintf(path, sizeof(path), "%s/%s.nvpcr", def->dir, def->name);
	add_text(object, "file", def->dir ? path : "built in");
}

static struct json_object *describe(struct registry *registry, const struct nvpcr_def *def,
				    const struct nvpcr *nvpcr)
{
	struct json_object *object = json_object_new_object();

	describe_def(object, def);
	if (nvpcr) {
		add_text(object, "rung", nvpcr_rung_name(nvpcr->rung));
		if (*nvpcr->reason)
			add_text(object, "reason", nvpcr->reason);
	} else if (registry->booted) {
		add_text(object, "reason", NEXT_BOOT);
	}
	return object;
}

static bool is_defined(const struct registry *registry, const char *name)
{
	for (size_t i = 0; i < registry->defs.n_defs; i++)
		if (strcmp(registry->defs.defs[i].name, name) == 0)
			return true;
	return false;
}

/* Definitions in the order in which they are allocated, then what is left of others. */
static struct json_object *describe_all(struct registry *registry, const char *name)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < registry->defs.n_defs; i++) {
		const struct nvpcr_def *def = &registry->defs.defs[i];

		if (!name || strcmp(name, def->name) == 0)
			json_object_array_add(array, describe(registry, def,
							      in_this_boot(registry, def)));
	}
	for (size_t i = 0; registry->booted && i < registry->set.n_nvpcrs; i++) {
		const struct nvpcr *nvpcr = &registry->set.nvpcrs[i];
		struct nvpcr_def def = nvpcr->def;

		if (is_defined(registry, def.name) || (name && strcmp(name, def.name) != 0))
			continue;
		def.priority = 0;
		json_object_array_add(array, describe(registry, &def, nvpcr));
	}
	return array;
}

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value = json_object_object_get(object, key);

	return value ? json_object_get_string(value) : "-";
}

static void print_rows(struct json_object *array)
{
	(void)puts("NAME             HANDLE      ALGORITHM  PRIORITY  RUNG        FILE, REASON");
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *row = json_object_array_get_idx(array, i);
		bool reason = json_object_object_get(row, "reason");

		(void)printf("%-16s %-11s %-10s %-9s %-11s %s%s%s%s\n", text_of(row, "name"),
			     text_of(row, "handle"), text_of(row, "algorithm"),
			     text_of(row, "priority"), text_of(row, "rung"),
			     text_of(row, "file"), reason ? " (" : "",
			     reason ? text_of(row, "reason") : "", reason ? ")" : "");
	}
}

static int print(struct json_object *array, bool json)
{
	if (json)
		return cmd_print_json(array);
	print_rows(array);
	json_object_put(array);
	return CMD_OK;
}

static int run_list(const struct cmd_env *env, bool json, int argc, char *argv[])
{
	_cleanup_free_ struct registry *registry = calloc(1, sizeof(*registry));
	int r = registry ? load(env, registry) : CMD_FAILED;

	(void)argv;
	if (argc > 0)
		return msg_error(CMD_USAGE, "nvpcr list takes no arguments");
	return r == CMD_OK ? print(describe_all(registry, NULL), json) : r;
}

static int run_show(const struct cmd_env *env, bool json, int argc, char *argv[])
{
	_cleanup_free_ struct registry *registry = calloc(1, sizeof(*registry));
	struct json_object *array, *row;
	int r;

	if (argc != 1)
		return msg_error(CMD_USAGE, "nvpcr show takes the name of one NvPCR");
	r = registry ? load(env, registry) : CMD_FAILED;
	if (r != CMD_OK)
		return r;
	array = describe_all(registry, argv[0]);
	if (!json_object_array_length(array)) {
		json_object_put(array);
		return msg_error(CMD_FAILED, "there is no NvPCR '%s'", argv[0]);
	}
	row = json_object_array_get_idx(array, 0);
	if (json) {
		r = cmd_print_json(json_object_get(row));
	} else {
		json_object_object_foreach(row, key, value)
			(void)printf("%-10s %s\n", key, json_object_get_string(value));
	}
	json_object_put(array);
	return r;
}

static int refuse(const char *path, const char *reason)
{
	(void)printf("%s: %s\n", path, reason);
	return CMD_MISMATCH;
}

/* What stands against @def beside the definitions in @defs; it joins them otherwise. */
static const char *join(struct nvpcr_defs *defs, const struct nvpcr_def *def)
{
	struct nvpcr_def *same = NULL;

	for (size_t i = 0; i < defs->n_defs; i++) {
		if (strcmp(defs->defs[i].name, def->name) == 0)
			same = &defs->defs[i];
		else if (defs->defs[i].index == def->index)
			return "'nvIndex' is used by another definition";
	}
	if (!same && defs->n_defs == NVPCR_MAX)
		return "is one definition too many";
	*(same ? same : &defs->defs[defs->n_defs++]) = *def;
	return NULL;
}

/* As if @path were put in place of, or beside, the installed definitions. */
static int check_file(struct nvpcr_defs *defs, const char *path)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	_cleanup_free_ char *text = malloc(FILE_SIZE_MAX + 1);
	FILE *file = fopen(path, "re");
	char name[NVPCR_NAME_MAX + 8];
	struct nvpcr_def def;
	const char *reason;
	size_t size;
	int r;

	if (!file || !text) {
		(void)msg_error(-errno, "cannot read %s", path);
		if (file)
			(void)fclose(file);
		return CMD_FAILED;
	}
	size = fread(text, 1, FILE_SIZE_MAX + 1, file);
	(void)fclose(file);
	if (size > FILE_SIZE_MAX)
		return refuse(path, "is too large");
	r = nvpcr_def_parse(text, size, &def, &reason);
	if (r == -EBADMSG)
		return refuse(path, reason);
	if (r < 0)
		return (msg_error(r, "cannot read %s", path), CMD_FAILED);
	(void)snprintf(name, sizeof(name), "%s.nvpcr", def.name);
	if (strcmp(name, base) != 0)
		return refuse(path, "'name' is not the name of the file");
	def.dir = NULL;
	reason = join(defs, &def);
	return reason ? refuse(path, reason) : CMD_OK;
}

static int run_check(const struct cmd_env *env, bool json, int argc, char *argv[])
{
	_cleanup_free_ struct registry *registry = calloc(1, sizeof(*registry));
	int worst = registry ? load(env, registry) : CMD_FAILED;

	if (json)
		return msg_error(CMD_USAGE, "nvpcr check has no --json");
	if (worst == CMD_OK && argc == 0 && registry->refused)
		worst = CMD_MISMATCH;
	for (int i = 0; i < argc && worst != CMD_FAILED; i++) {
		int r = check_file(&registry->defs, argv[i]);

		if (r != CMD_OK)
			worst = r;
	}
	return worst;
}

static const struct {
	const char *name;
	int (*run)(const struct cmd_env *env, bool json, int argc, char *argv[]);
} actions[] = {
	{ "list", run_list },
	{ "show", run_show },
	{ "check", run_check },
};

/* --json may stand before the action and after it. */
static int take_options(const struct cmd *cmd, int argc, char *argv[], bool *json)
{
	int id;

	optind = 0;
	while ((id = cmd_next_option(cmd, argc, argv)) == CMD_OPTION_JSON)
		*json = true;
	return id;
}

static int run(const struct cmd *cmd, const struct cmd_env *env, int argc, char *argv[])
{
	bool json = false;
	int id = take_options(cmd, argc, argv, &json);

	if (id == CMD_OPTIONS_END && optind < argc) {
		argc -= optind;
		argv += optind;
		id = take_options(cmd, argc, argv, &json);
	} else if (id == CMD_OPTIONS_END) {
		return msg_error(CMD_USAGE, "nvpcr takes list, show or check");
	}
	if (id != CMD_OPTIONS_END)
		return id == CMD_OPTION_HELP ? CMD_OK : CMD_USAGE;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (strcmp(argv[0], actions[i].name) == 0)
			return actions[i].run(env, json, argc - optind, argv + optind);
	return msg_error(CMD_USAGE, "nvpcr takes list, show or check, not '%s'", argv[0]);
}

const struct cmd cmd_nvpcr = {
	.name = "nvpcr",
	.synopsis = "list | show NAME | check [FILE...]",
	.summary = "show and check the definitions of NvPCRs and what became of them",
	.options = option_table,
	.run = run,
};
