/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MEASURE_MEASURE_H
#define MEASURE_MEASURE_H

/*
 * The path of an activation: word, record, extend.
 *
 * This is the only folder that sees dm-verity, the TPM and the log together.  It is
 * silent but for the daemon's loop, measure_watch(), which speaks for itself.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/digest.h"
#include "eventlog/eventlog.h"
#include "nvpcr/nvpcr.h"
#include "tpm/tpm.h"
#include "verity/verity.h"

#define MEASURE_DIR		"/run/veritally"
#define MEASURE_LOCK		"/run/veritally/lock"
#define MEASURE_CONTROL		"/run/veritally/control"
#define MEASURE_SERVICE		"/run/veritally/io.systemd.PCRExtend"
#define MEASURE_MANIFEST	"/run/veritally/manifest.json"

#define MEASURE_WORD_MAX	2560	/* bytes, with NUL: the longest word of an activation */
#define MEASURE_USER_MAX	2304	/* bytes, with NUL: the longest word of a user */
#define MEASURE_PCRS		24	/* PCRs of a TPM */
#define MEASURE_REQUEST_MAX	2560	/* bytes, with NUL: of the daemon's control socket */
#define MEASURE_NVPCR		"verity" /* the NvPCR that activations go to */
#define MEASURE_NVPCR_INDEX	0x01805645 /* its handle, where nothing says another */

/* Values of a record's phase. */
#define MEASURE_PHASE_INITRD	"initrd"
#define MEASURE_PHASE_HOST	"host"

/* word.c: the measured words */
void measure_word(const struct verity_params *params, char ret[static MEASURE_WORD_MAX]);
int measure_word_set(const char *phase, const char *words[], size_t n_words,
		     char *ret, size_t ret_size);
bool measure_phase_is_valid(const char *phase);

/* live.c: the activations that are live and in the log */

/**
 * struct measure_live_entry - one target of one device
 * @device: where it is
 * @word:   its measured word; owned
 * @recnum: the record of its activation
 * @seen:   met by the sweep under way
 */
struct measure_live_entry {
	struct verity_device device;
	char *word;
	uint64_t recnum;
	bool seen;
};

struct measure_live {
	struct measure_live_entry *entries;
	size_t n_entries;
	size_t n_room;
};

struct measure_live_entry *measure_live_find(struct measure_live *live,
					     const struct verity_device *device,
					     const char *word);
bool measure_live_knows(const struct measure_live *live,
			const struct verity_device *device);
int measure_live_reserve(struct measure_live *live);
int measure_live_add(struct measure_live *live, const struct verity_device *device,
		     const char *word, uint64_t recnum);
void measure_live_drop(struct measure_live *live, struct measure_live_entry *entry);
void measure_live_unsee(struct measure_live *live, const struct verity_device *device);
struct measure_live_entry *measure_live_unseen(struct measure_live *live,
					       const struct verity_device *device);
void measure_live_done(struct measure_live *live);
int measure_live_set_word(const struct measure_live *live, const char *phase,
			  char *ret, size_t ret_size);

/* What is done next to systemd. */
enum measure_systemd {
	MEASURE_SYSTEMD_OFF,	/* nothing */
	MEASURE_SYSTEMD_OWN,	/* our records are copied to its log */
	MEASURE_SYSTEMD_SHARE,	/* and its NvPCR is initialised for it */
};

/**
 * struct measure_options - what the configuration decides
 * @root_fd:    directory that stands for "/"; borrowed
 * @tpm:        "auto", "none" or as tpm_open(); borrowed
 * @gate_pcr:   the gate PCR
 * @timeout_ms: for a TPM to appear, and for each of its commands
 * @phase:      MEASURE_PHASE_*
 * @log_only:   no TPM is wanted
 * @hook:       what the kernel hook shall do
 * @extend_gid: group that may use the service besides root; 0 if none
 * @systemd:    what is done next to systemd
 * @complain:   called with each definition file that cannot be used
 */
struct measure_options {
	int root_fd;
	const char *tpm;
	unsigned int gate_pcr;
	int timeout_ms;
	const char *phase;
	bool log_only;
	struct verity_hook_options hook;
	gid_t extend_gid;
	enum measure_systemd systemd;
	void (*complain)(const char *path, const char *reason);
};

/**
 * struct measure - a session of the log's one writer
 * @options:  as given to measure_open()
 * @lock_fd:  holds the writer's lock
 * @boot_id:  of this boot
 * @tpm:      NULL if there is none or it is being left alone
 * @log:      the log
 * @outlet:   its copy in systemd's log
 * @nvpcrs:   the NvPCRs and the gate PCR
 * @nvpcr:    the one of @nvpcrs that activations go to
 * @source:   where activations are announced
 * @live:     what is live and measured
 * @adopted:  the log was there before: no genesis, no anchor was made
 * @incomplete: something announced or live may not be recorded; only a sweep can tell
 * @pcrs: where the log has the PCRs that were extended on request; no bank if nowhere
 * @missed: announced activations that nobody could look at and the log does not tell of yet
 * @announced: what the hook announces and is being measured; NULL if nothing is
 * @heirs:    daemons that have shared the hook which the log says is armed; 0 if it says none
 * @heirloom: its name, as verity_source_name()
 * @covered:  the hook announced all that was activated since the last drain
 */
struct measure {
	struct measure_options options;
	int lock_fd;
	char boot_id[EVENTLOG_BOOT_ID_SIZE];
	struct tpm *tpm;
	struct eventlog log;
	struct eventlog_outlet outlet;
	struct nvpcr_set nvpcrs;
	struct nvpcr *nvpcr;
	struct verity_source source;
	struct measure_live live;
	bool adopted;
	bool incomplete;
	uint64_t missed;
	const struct verity_announcement *announced;
	unsigned int heirs;
	char heirloom[VERITY_SOURCE_NAME_MAX];
	bool covered;
	struct tpm_pcr pcrs[MEASURE_PCRS];
};

/* Outcomes of measure_open() and measure_start(). */
enum measure_outcome {
	MEASURE_BUSY = 1,	/* another process is the writer; see measure_writer() */
	MEASURE_MISMATCH,	/* adopted a log that the TPM contradicts; going on with it */
};

/* session.c */
int measure_open(struct measure *m, const struct measure_options *options);
void measure_close(struct measure *m);
pid_t measure_writer(int root_fd);
int measure_boot_id(int root_fd, char ret[static EVENTLOG_BOOT_ID_SIZE]);

int measure_open_tpm(const struct measure_options *options, struct tpm **ret,
		     const char **ret_reason);

/* start.c: from nothing or from an earlier writer to a state that can measure */
int measure_start(struct measure *m);

struct measure_summary;

/* share.c: systemd's NvPCR */
#define MEASURE_SHARE_MAX	320	/* bytes, with NUL: the longest word about it */
#define MEASURE_SHARE_INDICES	16

int measure_share_list(int root_fd, struct tpm *tpm, unsigned int pcr, uint32_t *ret);

/* registry.c: which NvPCRs there are */
int measure_registry_defs(int root_fd, struct nvpcr_defs *ret,
			  void (*complain)(const char *path, const char *reason));
int measure_registry_complete(int root_fd, const struct measure_summary *summary,
			      struct nvpcr_set *set);
int measure_registry_read(int root_fd, struct nvpcr_set *ret);

/* measure.c: the path itself */
int measure_activation(struct measure *m, const struct verity_activation *activation,
		       const char *source);
int measure_device(struct measure *m, const struct verity_device *device,
		   const char *source);
int measure_removal(struct measure *m, const struct verity_device *device,
		    const char *source);
int measure_sweep(struct measure *m, const char *source);
int measure_drain(struct measure *m);
int measure_sync(struct measure *m, const char *phase);

/* record.c: from a word to a record and an extension */
int measure_text(struct measure *m, const char *word, const char *event_type,
		 const char *source);
void measure_outlet_catch_up(struct measure *m);

/* hook.c: the kernel hook */
int measure_announced(struct measure *m, const struct verity_announcement *announcement);
int measure_hook_armed(struct measure *m);
int measure_hook_rearm(struct measure *m);
int measure_hook_check(struct measure *m);

/* user.c: what others want to have measured */

/**
 * struct measure_user - what somebody wants to have measured
 * @source:  "command" or "varlink"
 * @uid:     who, as the kernel says it
 * @type:    a kind of event, lower case; may be empty
 * @data:    borrowed
 * @size:    of @data in bytes
 * @is_text: @data is to be read by people
 */
struct measure_user {
	const char *source;
	uid_t uid;
	const char *type;
	const char *data;
	size_t size;
	bool is_text;
};

int measure_user_word(const struct measure_user *user, char ret[static MEASURE_USER_MAX]);
bool measure_user_is_word(const char *word, const char *source);
int measure_user(struct measure *m, const char *target, const char *word,
		 const char *event_type, const char **ret_reason);

/* handoff.c */
int measure_handoff_publish(const struct measure *m);
int measure_handoff(struct measure *m);
int measure_leave(struct measure *m);

/* watch.c: the daemon */
int measure_watch(struct measure *m, int ready_fd);

/* control.c: asking the daemon */
int measure_control_request(int root_fd, const char *request, int timeout_ms,
			    char *ret_answer, size_t ret_answer_size);

/* summary.c: what the log says, for adopting and for verifying */

/* An NvPCR that a "degraded" record names. */
struct measure_fallen {
	char name[NVPCR_NAME_MAX];
	char reason[NVPCR_REASON_MAX];
};

/**
 * struct measure_summary - the log read once
 * @replay:    all folds up to @vouched records
 * @n_records: all of them
 * @vouched:   how many of them the TPM can vouch for; less than @n_records only if the
 *             TPM was lost during the boot
 * @n_anchors: how many anchor records there are
 * @anchor:    the first of them
 * @gate:      the gate PCR before it, as that record claims
 * @pcrs:      bit for each PCR beside the gate of which a word says where it began
 * @fallen:    NvPCRs that are in the gate PCR since the anchor, or fell to it later
 * @names:     name of each index of @anchor
 * @share:     what was done about systemd's NvPCR: the word after "share:v1:"
 * @last:      the last record, without annotations
 * @live:      activations without a removal, if that was asked for
 * @source:    how activations were announced last, without what names the program
 * @hook:      the rest of the last word "hook:v1:", where it names a hook that is armed
 * @n_hooks:   how many such words there are since the last one that names none
 * @fault, @fault_recnum: first thing wrong in the log itself, enum eventlog_fault or
 *             MEASURE_FAULT_*, and where; 0 if there is none
 */
struct measure_summary {
	struct eventlog_replay replay;
	uint64_t n_records;
	uint64_t vouched;
	uint64_t n_anchors;
	uint64_t n_activations;
	struct nvpcr_anchor anchor;
	struct nvpcr_gate gate;
	uint32_t pcrs;
	struct measure_fallen fallen[NVPCR_MAX];
	size_t n_fallen;
	char lost_reason[NVPCR_REASON_MAX];
	char names[NVPCR_MAX][NVPCR_NAME_MAX];
	char boot_id[EVENTLOG_BOOT_ID_SIZE];
	char source[64];
	char share[MEASURE_SHARE_MAX];
	char hook[VERITY_SOURCE_NAME_MAX];
	unsigned int n_hooks;
	struct eventlog_record last;
	struct measure_live live;
	int fault;
	uint64_t fault_recnum;
};

/* Further values of measure_summary::fault. */
enum measure_fault {
	MEASURE_FAULT_TORN = 100,	/* the log ends inside a record */
	MEASURE_FAULT_MALFORMED,	/* octets that are no record */
	MEASURE_FAULT_ANCHOR,		/* an anchor that cannot be read */
	MEASURE_FAULT_BOOT_ID,		/* a record of another boot */
	MEASURE_FAULT_ORDER,		/* a measurement before the anchor */
	MEASURE_FAULT_PCR,		/* a PCR does not go on from where the log has it */
};

int measure_summarize(struct eventlog_reader *reader, bool track_live,
		      struct measure_summary *ret);
void measure_summary_done(struct measure_summary *summary);
const char *measure_fault_describe(int fault);
struct nvpcr *measure_find_nvpcr(struct nvpcr_set *set, const char *name);
void measure_summary_anchored(const struct measure_summary *summary,
			      struct nvpcr_set *ret);
void measure_summary_nvpcrs(const struct measure_summary *summary, struct nvpcr_set *ret);

/* verify.c */

/* What verifying came to. */
enum measure_verdict {
	MEASURE_MATCH,		/* log and TPM agree */
	MEASURE_CANNOT_TELL,	/* something that is needed is not there */
	MEASURE_DIFFERS,	/* they do not agree */
};

#define MEASURE_FINDINGS_MAX	16

/**
 * struct measure_report - what verifying found
 * @findings: one line each: what was expected, what was found
 */
struct measure_report {
	enum measure_verdict verdict;
	uint64_t n_records;
	uint64_t n_activations;
	bool surplus;		/* the last record is not in the TPM yet */
	size_t n_findings;
	char findings[MEASURE_FINDINGS_MAX][512];
};

int measure_verify(int root_fd, struct tpm *tpm, const char *no_tpm_reason,
		   struct measure_report *ret);

#endif /* MEASURE_MEASURE_H */
