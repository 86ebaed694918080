/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One snapshot of TPM and log.
 *
 * The TPM signs its PCRs and indices in an audit session that is exclusive as long as
 * nobody else has a command executed, so that nothing can have been extended in between.
 * The log belongs to it as it was when the first of these commands was executed: the
 * log's lock is held from before its size is taken until then, so no record can be in
 * the log only, or in the TPM only.
 *
 * After that the writer is free.  If it extends something meanwhile, the session is no
 * longer exclusive, and everything is tried again; after some tries the lock is held
 * for the whole session, so that a busy writer cannot keep evidence from being made.
 * Those who make evidence wait for each other by a lock on the log's folder.
 */
#include "attest/ak.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define LOG_FOLDER	"/run/log/veritally"
#define FREE_TRIES	3	/* in which the writer is free to disturb us */
#define TRIES_MAX	20
#define PAUSE_MS	10	/* after the first try; longer each time */
#define PCRS_OF_BOOT	0x5bffu	/* 0 to 9, 11, 12 and 14 */
#define WRITTEN_OCTET	8	/* of a TPM2B_NV_PUBLIC: size, handle, algorithm before it */

/* What one try came to, beside an error. */
enum outcome {
	DISTURBED = 1,		/* somebody else used the TPM */
	OWNER_LOCKED,		/* the owner has a password */
};

static void pause_ms(unsigned int ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	(void)nanosleep(&pause, NULL);
}

/* --- the log ----------------------------------------------------------------------- */

static int open_log(struct attest_snapshot *snapshot)
{
	struct stat st;

	snapshot->log_fd = io_open(snapshot->request.root_fd, EVENTLOG_PATH,
				   O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (snapshot->log_fd == -ENOENT)
		return ATTEST_NO_LOG;
	if (snapshot->log_fd < 0)
		return snapshot->log_fd;
	if (fstat(snapshot->log_fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

/* What the log calls an index; a claim, and kept only if it is a name. */
static void name_index(struct attest_snapshot *snapshot, const struct eventlog_record *record)
{
	struct attest_certified *index;

	if (record->target != EVENTLOG_NV_INDEX || snapshot->n_indices == NVPCR_MAX)
		return;
	index = &snapshot->indices[snapshot->n_indices++];
	index->handle = record->index;
	memcpy(index->name, record->nvpcr_name, sizeof(index->name));
}

/* The geneses before the anchor have named the indices, in whatever order. */
static void order_indices(struct attest_snapshot *snapshot, const struct nvpcr_anchor *anchor)
{
	struct attest_certified *named = snapshot->indices, swap;

	for (size_t i = 0; i < anchor->n; i++) {
		size_t k = i;

		while (k < snapshot->n_indices && named[k].handle != anchor->handles[i])
			k++;
		if (k < snapshot->n_indices) {
			swap = named[i];
			named[i] = named[k];
			named[k] = swap;
		} else {
			named[i] = (struct attest_certified){ .handle = anchor->handles[i] };
			if (snapshot->n_indices <= i)
				snapshot->n_indices = i + 1;
		}
	}
	snapshot->n_indices = anchor->n;
}

/* An index is bound to the gate in the bank of its own algorithm. */
static enum digest_alg bank_of(const struct nvpcr_anchor *anchor)
{
	for (size_t i = 1; i < anchor->n; i++)
		if (anchor->values[i].alg != anchor->values[0].alg)
			return DIGEST_SHA256;
	return anchor->n ? anchor->values[0].alg : DIGEST_SHA256;
}

/* Finds in the log which PCR is the gate, and which indices its anchor names. */
static int read_anchor(struct attest_snapshot *snapshot)
{
	_cleanup_(eventlog_reader_close) struct eventlog_reader *reader = NULL;
	const struct eventlog_record *record;
	struct nvpcr_anchor anchor;
	int r;

	r = eventlog_reader_open_fd(snapshot->log_fd, &reader);
	if (r < 0)
		return r;
	eventlog_reader_skip_annotations(reader);
	while ((r = eventlog_reader_next(reader, &record)) == 0) {
		if (record->target == EVENTLOG_PCR &&
		    nvpcr_anchor_parse(record->word, &anchor) == 0) {
			snapshot->gate = record->index;
			snapshot->bank = bank_of(&anchor);
			order_indices(snapshot, &anchor);
			return record->index < TPM_PCRS ? 0 : ATTEST_NO_ANCHOR;
		}
		name_index(snapshot, record);
	}
	return r < 0 ? r : ATTEST_NO_ANCHOR;
}

/* The size of the log without a last piece that is torn, and of all of the file. */
static int measure_log(struct attest_snapshot *snapshot, off_t *ret_file_size)
{
	char tail[EVENTLOG_RECORD_MAX];
	size_t size = sizeof(tail);
	const char *end;
	struct stat st;
	ssize_t n;

	if (fstat(snapshot->log_fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size < size)
		size = (size_t)st.st_size;
	n = pread(snapshot->log_fd, tail, size, st.st_size - (off_t)size);
	if (n < 0)
		return -errno;
	end = memrchr(tail, '\n', (size_t)n);
	snapshot->log_size = (uint64_t)st.st_size;
	if (end)
		snapshot->log_size -= (uint64_t)(tail + n - (end + 1));
	*ret_file_size = st.st_size;
	return 0;
}

static int lock_log(const struct attest_snapshot *snapshot, int operation)
{
	while (flock(snapshot->log_fd, operation) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* --- the TPM ----------------------------------------------------------------------- */

/* That of the indices, or else the strongest that there is. */
static int choose_bank(struct attest_snapshot *snapshot)
{
	struct tpm_pcr pcr;
	int r = tpm_pcr_read(snapshot->request.tpm, snapshot->gate, &pcr);

	if (r < 0)
		return r;
	if (!pcr.banks)
		return -ENODEV;
	if (pcr.banks & 1u << snapshot->bank)
		return 0;
	for (int alg = 0; alg < DIGEST_ALG_MAX; alg++)
		if (pcr.banks & 1u << alg)
			snapshot->bank = (enum digest_alg)alg;
	return 0;
}

static int read_pcrs(struct attest_snapshot *snapshot)
{
	snapshot->doing = "read the PCRs";
	snapshot->pcrs = PCRS_OF_BOOT | 1u << snapshot->gate;
	return tpm_pcr_read_bank(snapshot->request.tpm, snapshot->bank, &snapshot->pcrs,
				 snapshot->values);
}

static int find_indices(struct attest_snapshot *snapshot)
{
	snapshot->doing = "read the public area of an index";
	for (size_t i = 0; i < snapshot->n_indices; i++) {
		struct attest_certified *index = &snapshot->indices[i];
		const struct tpm_octets *public = &index->public;
		struct tpm_name name;
		int r = tpm_nv_octets(snapshot->request.tpm, index->handle, &index->public,
				      &name);

		if (r < 0)
			return r;
		index->missing = r > 0 || public->size < WRITTEN_OCTET + 4 ||
				 !(public->bytes[WRITTEN_OCTET] & TPM_NV_WRITTEN >> 24);
		if (!index->missing)
			index->size = (size_t)public->bytes[public->size - 2] << 8 |
				      public->bytes[public->size - 1];
	}
	return 0;
}

static int certify_all(struct attest_snapshot *snapshot, struct tpm_audit *audit)
{
	snapshot->doing = "certify an index";
	for (size_t i = 0; i < snapshot->n_indices; i++) {
		struct attest_certified *index = &snapshot->indices[i];
		int r = index->missing ? 0 : tpm_audit_certify(
			audit, index->handle, index->size, snapshot->as_owner,
			&index->certify);

		if (r != 0)
			return r;
	}
	snapshot->doing = "sign the digest of the session";
	return tpm_audit_digest(audit, &snapshot->audit);
}

/*
 * The quote, with the size of the log at that moment.  A writer does not wait for ever: if
 * the TPM takes too long he goes on without the lock, and the log has grown.
 */
static int quote(struct attest_snapshot *snapshot, struct tpm_audit *audit, bool keep_lock)
{
	off_t before = 0;
	struct stat st;
	int r = lock_log(snapshot, LOCK_SH);

	if (r == 0)
		r = measure_log(snapshot, &before);
	snapshot->doing = "quote the PCRs";
	if (r == 0)
		r = tpm_audit_quote(audit, snapshot->bank, snapshot->pcrs, &snapshot->quote);
	if (r == 0 && (fstat(snapshot->log_fd, &st) < 0 || st.st_size != before))
		r = DISTURBED;
	if (!keep_lock)
		(void)lock_log(snapshot, LOCK_UN);
	return r;
}

/*
 * Whether the statements are about one state, and this state is what was read: the quote
 * ends with the digest of the values, the audit with a flag and the session's digest.
 */
static bool is_undisturbed(const struct attest_snapshot *snapshot)
{
	const struct tpm_octets *quoted = &snapshot->quote.attest;
	const struct tpm_octets *audit = &snapshot->audit.attest;
	size_t size = digest_size(DIGEST_SHA256), n_parts = 0;
	struct digest_part parts[TPM_PCRS];
	struct digest digest;

	for (unsigned int pcr = 0; pcr < TPM_PCRS; pcr++)
		if (snapshot->pcrs & 1u << pcr)
			parts[n_parts++] = (struct digest_part){
				snapshot->values[pcr].bytes, digest_size(snapshot->bank),
			};
	digest_compute_parts(DIGEST_SHA256, parts, n_parts, &digest);
	return quoted->size > size && audit->size > size + 3 &&
	       memcmp(quoted->bytes + quoted->size - size, digest.bytes, size) == 0 &&
	       audit->bytes[audit->size - size - 3] == 1;
}

/* Return: 0; enum outcome; as every command. */
static int try_once(struct attest_snapshot *snapshot, bool keep_lock)
{
	const struct attest_request *request = &snapshot->request;
	struct tpm_audit audit = { 0 };
	int r = read_pcrs(snapshot);

	if (r == 0)
		r = find_indices(snapshot);
	if (r == 0)
		r = tpm_audit_start(request->tpm, &snapshot->ak, request->nonce,
				    request->nonce_size, &audit);
	if (r == 0)
		r = quote(snapshot, &audit, keep_lock);
	if (r == 0)
		r = certify_all(snapshot, &audit);
	if (keep_lock)
		(void)lock_log(snapshot, LOCK_UN);
	tpm_audit_end(&audit);
	if (r == 0)
		return is_undisturbed(snapshot) ? 0 : DISTURBED;
	if (r > 0 || (r == -EREMOTEIO && tpm_rc(request->tpm) == TPM_RC_CODE_EXCLUSIVE))
		return DISTURBED;
	if (r == -EREMOTEIO && snapshot->as_owner &&
	    tpm_rc(request->tpm) == TPM_RC_CODE_NV_OWNER_AUTH)
		return OWNER_LOCKED;
	return r;
}

static int try_often(struct attest_snapshot *snapshot)
{
	int r;

	do {
		r = try_once(snapshot, snapshot->n_attempts++ >= FREE_TRIES);
		if (r == OWNER_LOCKED)
			snapshot->as_owner = false;
		else if (r != DISTURBED)
			return r;
		pause_ms(PAUSE_MS * snapshot->n_attempts);
	} while (snapshot->n_attempts < TRIES_MAX);
	return ATTEST_DISTURBED;
}

static int prepare(struct attest_snapshot *snapshot)
{
	const struct attest_request *request = &snapshot->request;
	struct attest_public public;
	int r;

	snapshot->doing = "read the log";
	r = open_log(snapshot);
	if (r == 0)
		r = read_anchor(snapshot);
	if (r != 0)
		return r;
	snapshot->doing = "find the attestation key";
	r = attest_ak_find(request->tpm, request->ak_handle, &snapshot->ak, &public);
	if (r != 0)
		return r;
	snapshot->doing = "read the certificate of the endorsement key";
	r = attest_ek_certificate(request->tpm, &snapshot->certificate);
	if (r != 0)
		return r;
	snapshot->doing = "read the gate PCR";
	return choose_bank(snapshot);
}

/**
 * attest_collect() - have the TPM sign its state, and find the log that explains it
 * @request: copied; the connection is borrowed for the call
 * @ret:     the snapshot, for attest_snapshot_free(), also when this fails; NULL if
 *           there was no memory
 *
 * Return: 0; ATTEST_AK_ABSENT; ATTEST_AK_FOREIGN; an enum attest_collected; -ENODEV if no
 * bank of PCRs is active; otherwise as every command, or a negative errno of the log's
 * file.  snapshot->doing says what failed.
 */
int attest_collect(const struct attest_request *request, struct attest_snapshot **ret)
{
	_cleanup_close_ int folder = -1;
	struct attest_snapshot *snapshot = calloc(1, sizeof(*snapshot));
	int r;

	*ret = snapshot;
	if (!snapshot)
		return -ENOMEM;
	snapshot->request = *request;
	snapshot->log_fd = -1;
	snapshot->as_owner = true;
	folder = io_open(request->root_fd, LOG_FOLDER, O_RDONLY | O_DIRECTORY, 0);
	if (folder == -ENOENT)
		return ATTEST_NO_LOG;
	if (folder < 0)
		return folder;
	while (flock(folder, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	r = prepare(snapshot);
	if (r == 0)
		r = try_often(snapshot);
	tpm_key_done(request->tpm, &snapshot->ak);
	return r;
}

/**
 * attest_snapshot_free() - let go of a snapshot
 * @snapshot: may point to NULL; is NULL afterwards
 */
void attest_snapshot_free(struct attest_snapshot **snapshot)
{
	if (!*snapshot)
		return;
	closep(&(*snapshot)->log_fd);
	free(take_ptr(*snapshot));
}
