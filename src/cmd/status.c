/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `status`: the NvPCRs, the log, and every live dm-verity device with its record.
 *
 * One object is filled from log, TPM and device-mapper; it is printed as it is for
 * machines, or laid out for people.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/json.h"
#include "base/msg.h"

#include "cmd/cmd.h"

#define CONTROL_MS	2000
#define MANIFEST_MAX	65536	/* bytes */

static const struct cmd_option option_table[] = {
	CMD_JSON_ROW,
	{ 0 },
};

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	add(object, key, json_object_new_string(text));
}

/* An index that its NvPCR fell from is still there to be read. */
static void fill_value(struct json_object *object, struct tpm *tpm,
		       const struct measure_summary *summary, const struct nvpcr *nvpcr)
{
	const struct eventlog_fold *fold = eventlog_replay_find(
		&summary->replay, EVENTLOG_NV_INDEX, nvpcr->def.index, nvpcr->def.alg);
	struct nvpcr index = *nvpcr;
	char hex[DIGEST_HEX_MAX];
	struct tpm_name name;
	struct digest value;
	int r;

	index.rung = NVPCR_RUNG_NV;
	r = tpm ? nvpcr_read(tpm, &index, &name, &value) : -ENODEV;

	add(object, "records", json_object_new_uint64(fold ? fold->n : 0));
	if (r == 0) {
		digest_to_hex(&value, hex);
		add_text(object, "value", hex);
		add(object, "agrees", json_object_new_boolean(
			fold && digest_equal(&fold->value, &value) &&
			tpm_name_equal(&name, &nvpcr->name)));
	} else {
		add_text(object, "unreadable",
			 r == TPM_ABSENT ? "the TPM has no such index" :
			 r == TPM_UNWRITTEN ? "it was not written in this boot" :
			 r == -EREMOTEIO ? tpm_rc_describe(tpm) :
			 r > 0 ? "it is another kind of index" : strerror(-r));
	}
}

static struct json_object *describe_nvpcr(struct tpm *tpm,
					  const struct measure_summary *summary,
					  const struct nvpcr *nvpcr)
{
	struct json_object *object = json_object_new_object();
	char handle[16], name[2 * TPM_NAME_MAX + 1];

	add_text(object, "name", nvpcr->def.name);
	add_text(object, "rung", nvpcr_rung_name(nvpcr->rung));
	if (*nvpcr->reason)
		add_text(object, "reason", nvpcr->reason);
	if (!nvpcr->name.size)
		return object;
	(void)snprintf(handle, sizeof(handle), "0x%08" PRIx32, nvpcr->def.index);
	hex_encode(nvpcr->name.bytes, nvpcr->name.size, name);
	add_text(object, "handle", handle);
	add_text(object, "tpmName", name);
	fill_value(object, tpm, summary, nvpcr);
	return object;
}

static void fill_log(struct json_object *status, struct tpm *tpm,
		     const struct measure_summary *summary)
{
	struct json_object *array = json_object_new_array();
	_cleanup_free_ struct nvpcr_set *set = malloc(sizeof(*set));

	add_text(status, "bootId", summary->boot_id);
	add(status, "records", json_object_new_uint64(summary->n_records));
	add(status, "activations", json_object_new_uint64(summary->n_activations));
	add_text(status, "source", summary->source);
	add(status, "gatePcr", json_object_new_uint64(summary->gate.pcr));
	add(status, "nvpcrs", array);
	if (!set)
		return;
	measure_summary_nvpcrs(summary, set);
	for (size_t i = 0; i < set->n_nvpcrs; i++)
		json_object_array_add(array,
				      describe_nvpcr(tpm, summary, &set->nvpcrs[i]));
}

struct listing {
	struct json_object *array;
	struct measure_summary *summary;
};

static int list_device(void *ctx, const struct verity_activation *activation)
{
	struct listing *listing = ctx;
	struct json_object *object = json_object_new_object();
	const struct measure_live_entry *entry;
	char word[MEASURE_WORD_MAX], number[32];

	measure_word(&activation->params, word);
	entry = measure_live_find(&listing->summary->live, &activation->device, word);
	(void)snprintf(number, sizeof(number), "%" PRIu32 ":%" PRIu32,
		       activation->device.major, activation->device.minor);
	add_text(object, "dev", number);
	add_text(object, "dmName", activation->claims.dm_name);
	add_text(object, "word", word);
	if (entry)
		add(object, "record", json_object_new_uint64(entry->recnum));
	json_object_array_add(listing->array, object);
	return 0;
}

/* What is in systemd's log of ours. */
static int fill_systemd(const struct cmd_env *env, struct json_object *status,
			const struct measure_summary *summary)
{
	struct json_object *object = json_object_new_object();
	struct measure_options options;
	bool incomplete = false;
	struct config config;
	uint64_t n, wanted = summary->vouched;
	int r = cmd_load_config(env, &config);

	if (!summary->anchor.n && summary->anchor.rung == NVPCR_RUNG_LOG)
		wanted = 0;
	add(status, "systemd", object);
	if (r != CMD_OK)
		return r;
	cmd_measure_options(env, &config, MEASURE_PHASE_HOST, &options);
	add(object, "copied", json_object_new_boolean(options.systemd != MEASURE_SYSTEMD_OFF));
	if (options.systemd == MEASURE_SYSTEMD_OFF)
		return CMD_OK;
	n = eventlog_outlet_count(env->root_fd, &incomplete);
	add(object, "records", json_object_new_uint64(n));
	add(object, "missing", json_object_new_uint64(wanted > n ? wanted - n : 0));
	add(object, "incomplete", json_object_new_boolean(incomplete));
	if (*summary->share)
		add_text(object, "share", summary->share);
	return CMD_OK;
}

/* How the kernel hook is doing: the daemon says it in its manifest. */
static void fill_hook(const struct cmd_env *env, struct json_object *status)
{
	_cleanup_json_ struct json_object *manifest = NULL;
	_cleanup_free_ char *text = NULL;
	struct json_object *hook;
	char answer[64];
	size_t size;

	(void)measure_control_request(env->root_fd, "publish", CONTROL_MS, answer,
				      sizeof(answer));
	if (io_read_file(env->root_fd, MEASURE_MANIFEST, MANIFEST_MAX, &text, &size) < 0 ||
	    json_parse(text, size, 8, &manifest) != 0 ||
	    !json_object_object_get_ex(manifest, "hook", &hook))
		return;
	add(status, "hook", json_object_get(hook));
}

static int fill(const struct cmd_env *env, struct json_object *status,
		struct measure_summary *summary)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	_cleanup_(tpm_closep) struct tpm *tpm = NULL;
	struct listing listing = { json_object_new_array(), summary };
	const char *reason;
	int r;

	fill_hook(env, status);
	add(status, "writer", json_object_new_int64(measure_writer(env->root_fd)));
	r = eventlog_reader_open(env->root_fd, EVENTLOG_PATH, &reader);
	if (r == 0)
		r = measure_summarize(reader, true, summary);
	if (r < 0 && r != -ENOENT)
		return (msg_error(r, "the log cannot be read"), CMD_FAILED);
	if (r == 0) {
		if (cmd_open_tpm(env, &tpm, &reason) != CMD_OK)
			return CMD_USAGE;
		fill_log(status, tpm, summary);
		if (fill_systemd(env, status, summary) != CMD_OK)
			return CMD_FAILED;
	}
	add(status, "devices", listing.array);
	r = verity_sweep(env->root_fd, list_device, &listing);
	if (r < 0)
		return (msg_error(r, "cannot ask device-mapper"), CMD_FAILED);
	return CMD_OK;
}

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value = json_object_object_get(object, key);

	return value ? json_object_get_string(value) : "-";
}

static void print_nvpcr(struct json_object *nvpcr)
{
	struct json_object *agrees = json_object_object_get(nvpcr, "agrees");

	(void)printf("\nNvPCR %s\n", text_of(nvpcr, "name"));
	(void)printf("  rung     %s", text_of(nvpcr, "rung"));
	if (json_object_object_get(nvpcr, "reason"))
		(void)printf(" (%s)", text_of(nvpcr, "reason"));
	(void)putchar('\n');
	if (!json_object_object_get(nvpcr, "handle"))
		return;
	(void)printf("  handle   %s\n", text_of(nvpcr, "handle"));
	(void)printf("  Name     %s\n", text_of(nvpcr, "tpmName"));
	(void)printf("  records  %s\n", text_of(nvpcr, "records"));
	if (!agrees) {
		(void)printf("  value    cannot be read: %s\n", text_of(nvpcr, "unreadable"));
		return;
	}
	(void)printf("  value    %s\n", text_of(nvpcr, "value"));
	(void)printf("  log      %s\n", json_object_get_boolean(agrees)
		     ? "agrees" : "DOES NOT AGREE: see 'veritally verify'");
}

/* "none:REASON", or "HANDLE:NAME:VALUE" */
static void print_share(const char *share)
{
	if (strncmp(share, "none:", 5) == 0)
		(void)printf("           its NvPCR is its own affair (%s)\n", share + 5);
	else
		(void)printf("           its NvPCR verity was initialised for it at %.10s\n",
			     share);
}

static void print_systemd(struct json_object *systemd)
{
	bool incomplete;

	if (!json_object_get_boolean(json_object_object_get(systemd, "copied"))) {
		(void)puts("systemd    not taken notice of");
		return;
	}
	incomplete = json_object_get_boolean(json_object_object_get(systemd, "incomplete"));
	(void)printf("systemd    %s records are in its log, %s are missing there%s\n",
		     text_of(systemd, "records"), text_of(systemd, "missing"),
		     incomplete ? "; a writer of it died, it is marked as incomplete" : "");
	if (json_object_object_get(systemd, "share"))
		print_share(text_of(systemd, "share"));
}

static void print_devices(struct json_object *devices)
{
	size_t n = json_object_array_length(devices);

	(void)printf("\nLive dm-verity devices: %zu\n", n);
	for (size_t i = 0; i < n; i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);
		bool measured = json_object_object_get(device, "record");

		(void)printf("  %-8s %s%-6s %s (name unverified: %s)\n",
			     text_of(device, "dev"), measured ? "record " : "NOT MEASURED",
			     measured ? text_of(device, "record") : "",
			     text_of(device, "word"), text_of(device, "dmName"));
	}
}

static void print_text(struct json_object *status)
{
	struct json_object *nvpcrs = json_object_object_get(status, "nvpcrs");
	int64_t writer = json_object_get_int64(json_object_object_get(status, "writer"));

	if (writer)
		(void)printf("Measuring  process %" PRId64 "\n", writer);
	else
		(void)puts("Measuring  nobody");
	if (nvpcrs) {
		(void)printf("Boot       %s\n", text_of(status, "bootId"));
		(void)printf("Log        %s records, %s activations\n",
			     text_of(status, "records"), text_of(status, "activations"));
		(void)printf("Source     %s\n", text_of(status, "source"));
		(void)printf("Gate       PCR %s\n", text_of(status, "gatePcr"));
		print_systemd(json_object_object_get(status, "systemd"));
	} else {
		(void)puts("Log        none: nothing was measured in this boot");
	}
	for (size_t i = 0; nvpcrs && i < json_object_array_length(nvpcrs); i++)
		print_nvpcr(json_object_array_get_idx(nvpcrs, i));
	print_devices(json_object_object_get(status, "devices"));
}

static int run(const struct cmd *cmd, const struct cmd_env *env, int argc, char *argv[])
{
	_cleanup_free_ struct measure_summary *summary = calloc(1, sizeof(*summary));
	struct json_object *status;
	bool json;
	int r = cmd_json_option(cmd, argc, argv, &json);

	if (r != CMD_OPTIONS_END)
		return r;
	status = json_object_new_object();
	if (!summary || !status)
		return msg_error(CMD_FAILED, "out of memory");
	r = fill(env, status, summary);
	measure_summary_done(summary);
	if (r == CMD_OK && json)
		return cmd_print_json(status);
	if (r == CMD_OK)
		print_text(status);
	json_object_put(status);
	return r;
}

const struct cmd cmd_status = {
	.name = "status",
	.synopsis = "",
	.summary = "show the NvPCRs, the log and every live dm-verity device",
	.options = option_table,
	.run = run,
};
