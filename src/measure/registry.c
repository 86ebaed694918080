/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which NvPCRs there are: by definition, and in this boot.
 *
 * The log decides what a boot has: what the anchor does not name has no index until the
 * next boot, whatever definitions say meanwhile.
 */
#include "measure/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Ships as a definition file too; this one serves where that is not installed. */
static const struct nvpcr_def default_def = {
	.name = MEASURE_NVPCR, .index = MEASURE_NVPCR_INDEX, .alg = DIGEST_SHA256,
	.priority = 300, .orderly = true,
};

static void drop_def(struct nvpcr_defs *defs, size_t i)
{
	memmove(&defs->defs[i], &defs->defs[i + 1],
		(--defs->n_defs - i) * sizeof(defs->defs[0]));
}

/* What took its handle gives way, and so does the least important of too many. */
static void add_default(struct nvpcr_defs *defs)
{
	size_t i = 0;

	for (size_t k = 0; k < defs->n_defs; k++)
		if (defs->defs[k].index == default_def.index)
			drop_def(defs, k);
	if (defs->n_defs == NVPCR_MAX)
		defs->n_defs--;
	while (i < defs->n_defs && defs->defs[i].priority <= default_def.priority)
		i++;
	memmove(&defs->defs[i + 1], &defs->defs[i],
		(defs->n_defs++ - i) * sizeof(defs->defs[0]));
	defs->defs[i] = default_def;
}

/**
 * measure_registry_defs() - the definitions, one for activations among them
 * @root_fd:  directory that stands for "/"
 * @ret:      they
 * @complain: as for nvpcr_defs_load()
 *
 * Return: 0; -ENOMEM.
 */
int measure_registry_defs(int root_fd, struct nvpcr_defs *ret,
			  void (*complain)(const char *path, const char *reason))
{
	int r = nvpcr_defs_load(root_fd, ret, complain);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ret->n_defs; i++)
		if (strcmp(ret->defs[i].name, MEASURE_NVPCR) == 0)
			return 0;
	add_default(ret);
	return 0;
}

/**
 * measure_registry_complete() - add the NvPCRs that only definitions tell of
 * @root_fd: directory that stands for "/"
 * @summary: of the log
 * @set:     of measure_summary_nvpcrs()
 *
 * Without a TPM the log names none of them, and nothing is lost by asking the files.
 *
 * Return: 0; -ENOMEM.
 */
int measure_registry_complete(int root_fd, const struct measure_summary *summary,
			      struct nvpcr_set *set)
{
	_cleanup_free_ struct nvpcr_defs *defs = malloc(sizeof(*defs));
	int r;

	if (summary->anchor.n || summary->anchor.rung != NVPCR_RUNG_LOG)
		return 0;
	r = defs ? measure_registry_defs(root_fd, defs, NULL) : -ENOMEM;
	for (size_t i = 0; r == 0 && i < defs->n_defs; i++) {
		struct nvpcr *nvpcr;

		if (measure_find_nvpcr(set, defs->defs[i].name) ||
		    set->n_nvpcrs == NVPCR_MAX)
			continue;
		nvpcr = &set->nvpcrs[set->n_nvpcrs++];
		*nvpcr = (struct nvpcr){ .def = defs->defs[i], .rung = NVPCR_RUNG_LOG };
		memcpy(nvpcr->reason, summary->anchor.reason, sizeof(nvpcr->reason));
	}
	return r;
}

/**
 * measure_registry_read() - the NvPCRs of this boot
 * @root_fd: directory that stands for "/"
 * @ret:     they, on the rungs where they are now
 *
 * Return: 0; -ENOENT if nothing was measured in this boot; -ENOMEM or a negative errno
 * of the log's file.
 */
int measure_registry_read(int root_fd, struct nvpcr_set *ret)
{
	_cleanup_free_ struct measure_summary *summary = calloc(1, sizeof(*summary));
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	char boot_id[EVENTLOG_BOOT_ID_SIZE];
	int r;

	if (!summary)
		return -ENOMEM;
	r = measure_boot_id(root_fd, boot_id);
	if (r == 0)
		r = eventlog_reader_open(root_fd, EVENTLOG_PATH, &reader);
	if (r == 0)
		r = measure_summarize(reader, false, summary);
	if (r < 0)
		return r;
	if (!summary->n_anchors || strcmp(boot_id, summary->boot_id) != 0)
		return -ENOENT;
	measure_summary_nvpcrs(summary, ret);
	return measure_registry_complete(root_fd, summary, ret);
}
