/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NVPCR_NVPCR_H
#define NVPCR_NVPCR_H

/*
 * NvPCRs: NV indices that are used as PCRs, and the gate that keeps their history
 * from being forged.
 *
 * The gate PCR's value allows an index's first write of a boot (the genesis).  Right
 * after it the gate PCR is extended by the anchor, which names every index: from then
 * on no index can begin anew, only be appended to.  An NvPCR that the TPM has no room
 * for lives on the next rung: its words go straight into the gate PCR.
 *
 * Functions here never print and know no log.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "tpm/tpm.h"

#define NVPCR_NAME_MAX		64	/* bytes, with NUL */
#define NVPCR_MAX		32	/* NvPCRs at most */
#define NVPCR_REASON_MAX	64	/* bytes, with NUL */
#define NVPCR_OWNER_MAX		96	/* bytes, with NUL */
#define NVPCR_ANCHOR_MAX	7168	/* bytes, with NUL: the anchor word */
#define NVPCR_GATE_DEFAULT	13	/* PCR */

#define NVPCR_GENESIS_WORD	"nvpcr-genesis:v1"
#define NVPCR_ANCHOR_PREFIX	"nvpcr-anchor:"	/* of every version */

/* A definition file.  Fields as in veritally.nvpcr(5). */
struct nvpcr_def {
	char name[NVPCR_NAME_MAX];
	uint32_t index;
	enum digest_alg alg;
	uint32_t priority;		/* lower is allocated first; default 1000 */
	bool orderly;			/* default true */
	const char *dir;		/* of its file, static; NULL if it has none */
};

struct nvpcr_defs {
	struct nvpcr_def defs[NVPCR_MAX];
	size_t n_defs;
};

/* The rungs of the ladder, best first. */
enum nvpcr_rung {
	NVPCR_RUNG_ORDERLY,		/* T0: gated index kept in the TPM's RAM */
	NVPCR_RUNG_NV,			/* T1: gated index in non-volatile memory */
	NVPCR_RUNG_PCR,			/* T2: every word into the gate PCR */
	NVPCR_RUNG_LOG,			/* T4: log only */
	NVPCR_RUNG_MAX,
};

/**
 * struct nvpcr - one NvPCR in this boot
 * @def:    its definition
 * @rung:   where its words go
 * @reason: why it is not on the first rung, one word such as "nv-space"; else empty
 * @name:   TPM Name with the WRITTEN attribute, for the first two rungs
 * @value:  value after the genesis, for the first two rungs
 * @owner:  whose index is at the handle if the reason is "foreign-index"; else empty
 *
 * Reasons: "not-orderly" (so defined), "st33-firmware", "nv-space", "kept" (found so),
 * "no-sha256-bank", "no-sha384-bank", "foreign-index", "index-written", "owner-auth",
 * "index-race", "define-refused", "undefine-refused", "genesis-refused",
 * "read-refused", "value-differs", "find-refused", "tpm-timeout", "tpm-error",
 * "no-bank", or what nvpcr_without_tpm() was told.
 */
struct nvpcr {
	struct nvpcr_def def;
	enum nvpcr_rung rung;
	char reason[NVPCR_REASON_MAX];
	struct tpm_name name;
	struct digest value;
	char owner[NVPCR_OWNER_MAX];
};

/**
 * struct nvpcr_gate - the gate PCR
 * @pcr:    its number
 * @banks:  active banks as in struct tpm_pcr; 0 if the TPM could not be asked
 * @values: in each active bank, before the anchor
 */
struct nvpcr_gate {
	unsigned int pcr;
	unsigned int banks;
	struct digest values[DIGEST_ALG_MAX];
};

/**
 * struct nvpcr_set - all NvPCRs of a boot
 * @gate:   the gate PCR before the anchor
 * @nvpcrs: ascending by handle
 * @reason: why none of them is in an index, one word; empty if one is
 */
struct nvpcr_set {
	struct nvpcr_gate gate;
	struct nvpcr nvpcrs[NVPCR_MAX];
	size_t n_nvpcrs;
	char reason[NVPCR_REASON_MAX];
};

const char *nvpcr_rung_name(enum nvpcr_rung rung);
int nvpcr_gate_check(unsigned int pcr, bool force);

int nvpcr_def_parse(const char *text, size_t size, struct nvpcr_def *ret,
		    const char **ret_reason);
int nvpcr_def_parse_any(const char *text, size_t size, struct nvpcr_def *ret,
			const char **ret_reason);
int nvpcr_defs_load(int root_fd, struct nvpcr_defs *ret,
		    void (*complain)(const char *path, const char *reason));

void nvpcr_public(const struct nvpcr_def *def, const struct nvpcr_gate *gate,
		  bool orderly, bool written, struct tpm_nv_public *ret);
void nvpcr_name(const struct nvpcr_def *def, const struct nvpcr_gate *gate, bool orderly,
		bool written, struct tpm_name *ret);
void nvpcr_genesis_value(enum digest_alg alg, struct digest *ret);

int nvpcr_allocate(struct tpm *tpm, const struct nvpcr_defs *defs, unsigned int gate_pcr,
		   struct nvpcr_set *ret);
int nvpcr_without_tpm(const struct nvpcr_defs *defs, unsigned int gate_pcr,
		      const char *reason, struct nvpcr_set *ret);
int nvpcr_anchor_word(const struct nvpcr_set *set, char ret[static NVPCR_ANCHOR_MAX]);
int nvpcr_gate_extend(struct tpm *tpm, const struct nvpcr_gate *gate, const char *word,
		      size_t word_size);
int nvpcr_extend(struct tpm *tpm, const struct nvpcr_set *set, const struct nvpcr *nvpcr,
		 const char *word, size_t word_size);
int nvpcr_read(struct tpm *tpm, const struct nvpcr *nvpcr, struct tpm_name *ret_name,
	       struct digest *ret_value);

/**
 * struct nvpcr_anchor - an anchor word taken apart
 * @n:      how many indices it names; 0 for a degraded one
 * @handles, @names, @values: of each, ascending by handle
 * @rung:   NVPCR_RUNG_PCR or NVPCR_RUNG_LOG for a degraded one
 * @reason: of a degraded one
 */
struct nvpcr_anchor {
	size_t n;
	uint32_t handles[NVPCR_MAX];
	struct tpm_name names[NVPCR_MAX];
	struct digest values[NVPCR_MAX];
	enum nvpcr_rung rung;
	char reason[NVPCR_REASON_MAX];
};

/* registry.c: cleaning up */

/* Outcomes of nvpcr_registry_undefine(). */
enum nvpcr_undefined {
	NVPCR_ABSENT = 1,		/* there is no such index */
	NVPCR_FOREIGN,			/* it is not ours */
	NVPCR_IN_USE,			/* it was written in this boot */
};

int nvpcr_registry_list(struct tpm *tpm, uint32_t *ret, size_t max, size_t *ret_n);
int nvpcr_registry_undefine(struct tpm *tpm, uint32_t handle, bool force,
			    char ret_owner[static NVPCR_OWNER_MAX]);

/* share.c: an NvPCR of systemd's */

/**
 * struct nvpcr_shared - what became of it
 * @handle: of the index
 * @reason: why it was not initialised, one word, static string; NULL if it was
 * @name:   TPM Name with the WRITTEN attribute
 * @value:  after the first write
 * @branch: digest of the policy that the first write satisfied
 */
struct nvpcr_shared {
	uint32_t handle;
	const char *reason;
	struct tpm_name name;
	struct digest value;
	struct digest branch;
};

int nvpcr_share(struct tpm *tpm, const struct nvpcr_def *def, const struct nvpcr_gate *gate,
		struct nvpcr_shared *ret);
bool nvpcr_share_is_ours(const struct tpm_nv_public *public,
			 const struct nvpcr_gate *gate);

int nvpcr_anchor_parse(const char *word, struct nvpcr_anchor *ret);

#endif /* NVPCR_NVPCR_H */
