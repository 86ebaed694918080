/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd's NvPCR "verity", initialised for it where it cannot do so itself.
 *
 * systemd wants a signing key for that.  Where there is none, and nothing else speaks
 * against it, we do what it would have done: the first write, the record in PCR 9 that
 * names the index, and the file by which its later writers know that it was done.  The
 * first write comes before our anchor, which closes the gate for this index too.  What
 * was decided is a word of our log, whatever it was.
 *
 * PCR 9 is systemd's, and so is the record in it: it stands in systemd's log alone.
 */
#include "measure/private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/io.h"

#define NAME		"verity"
#define FIRST		0x01d10200	/* of the handles of systemd's NvPCRs */
#define LAST		0x01d1020f
#define SYSTEMD_PCR	9
#define FILE_SIZE_MAX	16384		/* bytes */
#define AUTH_FOLDER	"/run/systemd/nvpcr"
#define AUTH		AUTH_FOLDER "/" NAME ".auth"
#define KEY		"tpm2-pcr-public-key.pem"

static const char *const definitions[] = {
	"/etc/nvpcr/" NAME ".nvpcr", "/run/nvpcr/" NAME ".nvpcr",
	"/usr/local/lib/nvpcr/" NAME ".nvpcr", "/usr/lib/nvpcr/" NAME ".nvpcr",
};

/* With one of these systemd can initialise its NvPCRs by itself. */
static const char *const keys[] = {
	"/.extra/" KEY, "/run/systemd/" KEY, "/etc/systemd/" KEY, "/usr/lib/systemd/" KEY,
};

/* The definition that counts; why there is none otherwise. */
static const char *find_definition(int root_fd, struct nvpcr_def *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(definitions); i++) {
		_cleanup_free_ char *text = NULL;
		const char *reason;
		char target[16];
		size_t size;

		if (io_read_link(root_fd, definitions[i], target, sizeof(target)) == 0 &&
		    strcmp(target, "/dev/null") == 0)
			return "no-definition";
		if (io_read_file(root_fd, definitions[i], FILE_SIZE_MAX, &text, &size) < 0)
			continue;
		if (nvpcr_def_parse_any(text, size, ret, &reason) < 0 ||
		    strcmp(ret->name, NAME) != 0 || ret->alg != DIGEST_SHA256 ||
		    ret->index < FIRST || ret->index > LAST)
			return "bad-definition";
		return NULL;
	}
	return "no-definition";
}

/* What speaks against it; NULL if nothing does. */
static const char *refuse(const struct measure *m, struct nvpcr_def *ret)
{
	int root_fd = m->options.root_fd;

	if (strcmp(m->options.phase, MEASURE_PHASE_INITRD) != 0)
		return "not-initrd";
	if (m->nvpcrs.gate.pcr == SYSTEMD_PCR)
		return "gate-pcr-9";
	if (!io_exists(root_fd, "/run/systemd/system"))
		return "no-systemd";
	if (io_exists(root_fd, AUTH))
		return "initialised";
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (io_exists(root_fd, keys[i]))
			return "systemd-key";
	return find_definition(root_fd, ret);
}

/**
 * measure_share_begin() - before the anchor: the first write
 * @m:   session that allocates, with a TPM
 * @ret: what became of it
 *
 * Return: 0; as every command of the TPM if that failed.
 */
int measure_share_begin(struct measure *m, struct nvpcr_shared *ret)
{
	struct nvpcr_def def;

	*ret = (struct nvpcr_shared){ .reason = refuse(m, &def) };
	return ret->reason ? 0 : nvpcr_share(m->tpm, &def, &m->nvpcrs.gate, ret);
}

/* systemd's record of the first write, in PCR 9 and in systemd's log. */
static int record_name(struct measure *m, struct nvpcr_shared *shared, const char *name)
{
	struct eventlog_record rec;
	struct tpm_pcr pcr;
	char word[256];
	int r = tpm_pcr_read(m->tpm, SYSTEMD_PCR, &pcr);

	if (r < 0)
		return r;
	(void)snprintf(word, sizeof(word), "nvpcr-init:" NAME ":0x%" PRIx32 ":%s",
		       shared->handle, name);
	measure_fill(m, word, "nvpcr-init", NULL, &rec);
	measure_aim_pcr(&pcr, SYSTEMD_PCR, &rec);
	measure_outlet_begin(m);
	if (m->outlet.fd < 0) {
		shared->reason = "log-busy";
		return 0;
	}
	r = tpm_pcr_extend(m->tpm, SYSTEMD_PCR, rec.digests, rec.n_digests);
	if (r == 0 && eventlog_outlet_add(&m->outlet, &rec) < 0)
		eventlog_outlet_abandon(&m->outlet);
	measure_outlet_end(m);
	return r;
}

/* The file that tells systemd's writers which policy the first write had. */
static int leave_auth(const struct measure *m, const struct nvpcr_shared *shared)
{
	int root_fd = m->options.root_fd;
	char hex[DIGEST_HEX_MAX];
	int r;

	digest_to_hex(&shared->branch, hex);
	r = io_make_dirs(root_fd, AUTH_FOLDER, 0755);
	if (r == 0)
		r = io_chmod(root_fd, AUTH_FOLDER, 0755);
	if (r == 0)
		r = io_replace_file(root_fd, AUTH, hex, strlen(hex), 0644);
	return r;
}

/**
 * measure_share_end() - after the anchor: tell systemd, and the log
 * @m:      session
 * @shared: of measure_share_begin()
 *
 * Return: 0; a negative errno of the log, or as every command of the TPM.
 */
int measure_share_end(struct measure *m, struct nvpcr_shared *shared)
{
	char name[2 * TPM_NAME_MAX + 1] = "", value[DIGEST_HEX_MAX], word[MEASURE_SHARE_MAX];
	int r = 0;

	if (!m->tpm || m->nvpcr->rung == NVPCR_RUNG_LOG)
		shared->reason = "no-tpm";
	if (!shared->reason) {
		hex_encode(shared->name.bytes, shared->name.size, name);
		r = record_name(m, shared, name);
	}
	if (r == -EREMOTEIO)
		shared->reason = "refused";
	else if (r < 0)
		return r;
	if (!shared->reason && leave_auth(m, shared) < 0)
		shared->reason = "no-file";
	digest_to_hex(&shared->value, value);
	if (shared->reason)
		(void)snprintf(word, sizeof(word), "share:v1:none:%s", shared->reason);
	else
		(void)snprintf(word, sizeof(word), "share:v1:0x%08" PRIx32 ":%s:%s",
			       shared->handle, name, value);
	return measure_text(m, word, "share", NULL);
}

/**
 * measure_share_check() - whether an index that was initialised is still the same
 * @tpm:  connection
 * @rest: of the word, after "share:v1:"
 *
 * Return: 0; 1 if it is not; as every command if the TPM failed.
 */
int measure_share_check(struct tpm *tpm, const char *rest)
{
	char *end, hex[2 * TPM_NAME_MAX + 1];
	unsigned long handle = strtoul(rest, &end, 16);
	size_t length = strcspn(end + (*end == ':'), ":");
	struct tpm_name name;
	int r;

	if (*end != ':')
		return 0;	/* none was */
	r = tpm_nv_find(tpm, (uint32_t)handle, &name);
	if (r)
		return r > 0 ? 1 : r;
	hex_encode(name.bytes, name.size, hex);
	return strlen(hex) != length || strncmp(end + 1, hex, length) != 0;
}

/**
 * measure_share_list() - find the indices that were initialised for systemd
 * @root_fd: directory that stands for "/"
 * @tpm:     connection
 * @pcr:     the gate PCR
 * @ret:     room for MEASURE_SHARE_INDICES handles
 *
 * What is told from systemd's own by its policy: so only those of a gate of zeros, of
 * the gate's value now, and of what this boot's log says that it was.
 *
 * Return: how many there are; otherwise as every command.
 */
int measure_share_list(int root_fd, struct tpm *tpm, unsigned int pcr, uint32_t *ret)
{
	struct nvpcr_gate gates[3] = {
		{ .pcr = pcr, .banks = 1U << DIGEST_SHA256 }, { .pcr = pcr },
	};
	_cleanup_free_ struct nvpcr_set *set = calloc(1, sizeof(*set));
	struct tpm_nv_public public;
	struct tpm_pcr now;
	int n = 0, r;

	if (!set)
		return -ENOMEM;
	digest_zero(DIGEST_SHA256, &gates[0].values[DIGEST_SHA256]);
	r = tpm_pcr_read(tpm, pcr, &now);
	if (r < 0)
		return r;
	gates[1].banks = now.banks;
	memcpy(gates[1].values, now.values, sizeof(now.values));
	if (measure_registry_read(root_fd, set) == 0)
		gates[2] = set->gate;
	for (uint32_t handle = FIRST; handle <= LAST; handle++) {
		r = tpm_nv_read_public(tpm, handle, &public);
		if (r < 0)
			return r;
		for (size_t i = 0; r == 0 && i < ARRAY_SIZE(gates); i++) {
			if (!nvpcr_share_is_ours(&public, &gates[i]))
				continue;
			ret[n++] = handle;
			break;
		}
	}
	return n;
}
