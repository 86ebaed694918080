/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handing over: what the next writer, or a person, finds in /run/veritally.
 *
 * The manifest says what its writer held to be true when it wrote.  Nothing is decided
 * by it: log and TPM prove themselves, and the manifest only tells sooner what is wrong.
 */
#include "measure/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/io.h"
#include "base/json.h"

static int add(struct json_object *object, const char *key, struct json_object *value)
{
	if (!value || json_object_object_add(object, key, value) < 0) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

static int add_string(struct json_object *object, const char *key, const char *value)
{
	return add(object, key, json_object_new_string(value));
}

static int describe_nvpcr(const struct nvpcr *nvpcr, struct json_object *ret)
{
	char name[2 * TPM_NAME_MAX + 1], handle[16];
	int r;

	hex_encode(nvpcr->name.bytes, nvpcr->name.size, name);
	(void)snprintf(handle, sizeof(handle), "0x%08x", nvpcr->def.index);
	r = add_string(ret, "name", nvpcr->def.name);
	if (r == 0)
		r = add_string(ret, "rung", nvpcr_rung_name(nvpcr->rung));
	if (r == 0)
		r = add_string(ret, "reason", nvpcr->reason);
	if (r == 0 && nvpcr->rung < NVPCR_RUNG_PCR)
		r = add_string(ret, "handle", handle);
	if (r == 0 && nvpcr->rung < NVPCR_RUNG_PCR)
		r = add_string(ret, "tpmName", name);
	return r;
}

static int describe_nvpcrs(const struct nvpcr_set *set, struct json_object *array)
{
	for (size_t i = 0; i < set->n_nvpcrs; i++) {
		struct json_object *object = json_object_new_object();
		int r;

		if (!object || json_object_array_add(array, object) < 0) {
			json_object_put(object);
			return -ENOMEM;
		}
		r = describe_nvpcr(&set->nvpcrs[i], object);
		if (r < 0)
			return r;
	}
	return 0;
}

static int describe_counts(const struct measure *m, const struct verity_counts *counts,
			   struct json_object *ret)
{
	uint64_t runs = 0, run_ns = 0;
	int r = verity_source_run_time(&m->source, &runs, &run_ns);
	const struct {
		const char *key;
		uint64_t value;
	} members[] = {
		{ "announced", counts->events },
		{ "known", counts->known },
		{ "unwaited", counts->unwaited },
		{ "lastWaitUs", counts->last_wait_us },
		{ "longestWaitUs", counts->longest_wait_us },
		{ "runs", runs },
		{ "runTimeNs", run_ns },
	};

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(members); i++)
		r = add(ret, members[i].key, json_object_new_uint64(members[i].value));
	if (r == 0)
		r = add(ret, "callsCounted", json_object_new_boolean(counts->counted));
	return r < 0 ? r : add(ret, "sysctlGuarded",
			       json_object_new_boolean(counts->sysctl_guarded));
}

/* How activations are announced, and how that went. */
static int describe_source(const struct measure *m, struct json_object *ret)
{
	struct json_object *hook = json_object_new_object();
	char name[VERITY_SOURCE_NAME_MAX];
	struct verity_counts counts;
	int r;

	verity_source_name(&m->source, name);
	r = add(ret, "hook", hook);
	if (r == 0)
		r = add_string(ret, "source", name);
	if (r < 0 || !verity_source_counts(&m->source, &counts))
		return r;
	return describe_counts(m, &counts, hook);
}

static int describe(const struct measure *m, struct json_object *ret)
{
	struct json_object *nvpcrs = json_object_new_array();
	int r = add(ret, "nvpcrs", nvpcrs);

	if (r == 0)
		r = describe_nvpcrs(&m->nvpcrs, nvpcrs);
	if (r == 0)
		r = add(ret, "version", json_object_new_int(1));
	if (r == 0)
		r = add_string(ret, "bootId", m->boot_id);
	if (r == 0)
		r = add_string(ret, "phase", m->options.phase);
	if (r == 0)
		r = add(ret, "records", json_object_new_uint64(m->log.recnum));
	if (r == 0)
		r = add(ret, "logSize", json_object_new_uint64(m->log.size));
	if (r == 0)
		r = add(ret, "gatePcr", json_object_new_uint64(m->nvpcrs.gate.pcr));
	if (r == 0 && m->source.fd >= 0)
		r = describe_source(m, ret);
	return r;
}

/**
 * measure_handoff_publish() - write the manifest
 * @m: session that has started
 *
 * Return: 0; -ENOMEM or a negative errno of the file.
 */
int measure_handoff_publish(const struct measure *m)
{
	_cleanup_json_ struct json_object *manifest = json_object_new_object();
	const char *text;
	size_t length;
	int r;

	if (!manifest)
		return -ENOMEM;
	r = describe(m, manifest);
	if (r < 0)
		return r;
	text = json_object_to_json_string_length(
		manifest, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
	if (!text)
		return -ENOMEM;
	return io_replace_file(m->options.root_fd, MEASURE_MANIFEST, text, length, 0600);
}

/**
 * measure_handoff() - stop listening
 * @m: session that has started
 *
 * That nobody listens from here on is measured, where somebody did, unless the kernel hook
 * stays and keeps what it sees for the next writer; then the manifest is written.  The
 * source stays open if that could not be measured.
 *
 * Return: 0; a negative errno as measure_text() or measure_handoff_publish().
 */
int measure_handoff(struct measure *m)
{
	int r = 0;

	if (m->source.fd >= 0 && !verity_source_stays(&m->source))
		r = measure_text(m, "hook:v1:none:-", "hook", NULL);
	if (r < 0)
		return r;
	measure_outlet_catch_up(m);
	r = measure_handoff_publish(m);
	verity_source_close(&m->source);
	return r;
}

/**
 * measure_leave() - end the initramfs' part
 * @m: session that has started
 *
 * Everything activated so far is measured, and then their set; what the next writer
 * finds is published.
 *
 * Return: 0; a negative errno as measure_sync() or measure_handoff().
 */
int measure_leave(struct measure *m)
{
	int r = measure_sync(m, "leave-initrd");

	return r < 0 ? r : measure_handoff(m);
}
