/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MEASURE_PRIVATE_H
#define MEASURE_PRIVATE_H

/* Shared by the files of measure/ alone. */
#include "measure/measure.h"

struct pollfd;

/* record.c */
void measure_aim_gate(const struct measure *m, struct eventlog_record *rec);
void measure_fill(const struct measure *m, const char *word, const char *event_type,
		  const char *source, struct eventlog_record *ret);
int measure_fall_to_pcr(struct measure *m, struct nvpcr *nvpcr, const char *reason);
int measure_lose_tpm(struct measure *m, const char *reason);
void measure_outlet_begin(struct measure *m);
void measure_outlet_end(struct measure *m);
int measure_record(struct measure *m, struct nvpcr *nvpcr, struct eventlog_record *rec);

int measure_annotate_device(struct eventlog_record *rec,
			    const struct verity_device *device);
int measure_annotate_claims(struct eventlog_record *rec,
			    const struct verity_claims *claims);

/* hook.c */
bool measure_hook_follows(const struct measure *m,
			  const struct verity_activation *activation);
int measure_hook_annotate(const struct measure *m,
			  const struct verity_activation *activation,
			  struct eventlog_record *rec);

/* allocate.c */
int measure_allocate(struct measure *m);

/* share.c */
int measure_share_begin(struct measure *m, struct nvpcr_shared *ret);
int measure_share_end(struct measure *m, struct nvpcr_shared *shared);
int measure_share_check(struct tpm *tpm, const char *rest);

/* adopt.c */
int measure_adopt(struct measure *m, struct measure_summary *summary);

/* user.c */
void measure_aim_pcr(const struct tpm_pcr *pcr, unsigned int number,
		     struct eventlog_record *rec);
int measure_user_adopt(struct measure *m, const struct measure_summary *summary);

/* varlink.c */

/**
 * struct measure_call - a call of Extend
 * @target:  as for measure_user()
 * @type:    kind of event, as the log spells it; may be empty
 * @data:    what to measure; owned
 * @size:    of @data in bytes
 * @is_text: it was given as text
 */
struct measure_call {
	char target[NVPCR_NAME_MAX];
	char type[32];
	char *data;
	size_t size;
	bool is_text;
};

/* Outcomes of measure_varlink_parse(). */
enum measure_called {
	MEASURE_CALL_EXTEND = 1,	/* something is to be measured */
	MEASURE_CALL_REPLY,		/* the reply is there already */
};

int measure_varlink_parse(const char *text, size_t size, struct measure_call *ret,
			  char **ret_reply, bool *ret_oneway);
void measure_call_done(struct measure_call *call);
char *measure_varlink_done(void);
char *measure_varlink_error(const char *error, const char *key, const char *value);
char *measure_varlink_errno(int r);

/* service.c */
#define MEASURE_CLIENTS_MAX	64	/* connections of the service at a time */
#define MEASURE_SERVICE_FDS	(1 + MEASURE_CLIENTS_MAX)

struct measure_service;

int measure_service_open(struct measure *m, struct measure_service **ret);
void measure_service_close(struct measure_service **service);
int measure_service_prepare(struct measure_service *service, struct pollfd *fds);
void measure_service_run(struct measure_service *service, const struct pollfd *fds);

/* summary.c */

/* How a value that the TPM holds compares with the fold of the log. */
enum measure_agreement {
	MEASURE_AGREES,
	MEASURE_BEHIND,		/* the TPM has not seen the last record */
	MEASURE_DISAGREES,
};

enum measure_agreement measure_compare(const struct eventlog_fold *fold,
				       const struct digest *actual);

/* origin.c */
enum digest_alg measure_gate_unexplained(int root_fd, const struct nvpcr_gate *gate);

/* control.c */
int measure_control_open(int root_fd);
void measure_control_close(int root_fd, int *fd);
int measure_control_accept(int fd);
int measure_control_receive(int connection, char *ret, size_t ret_size);
void measure_control_answer(int connection, const char *answer);

#endif /* MEASURE_PRIVATE_H */
