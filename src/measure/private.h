/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MEASURE_PRIVATE_H
#define MEASURE_PRIVATE_H

/* Shared by the files of measure/ alone. */
#include "measure/measure.h"

/* measure.c */
void measure_aim_gate(const struct measure *m, struct eventlog_record *rec);
void measure_fill(const struct measure *m, const char *word, const char *event_type,
		  const char *source, struct eventlog_record *ret);
int measure_fall_to_pcr(struct measure *m, struct nvpcr *nvpcr, const char *reason);
int measure_lose_tpm(struct measure *m, const char *reason);

int measure_record(struct measure *m, struct nvpcr *nvpcr, struct eventlog_record *rec);

/* allocate.c */
int measure_allocate(struct measure *m);

/* adopt.c */
int measure_adopt(struct measure *m, struct measure_summary *summary);

/* user.c */
int measure_user_pcr_start(const char *rest, unsigned int gate,
			   struct eventlog_replay *replay);
int measure_user_adopt(struct measure *m, const struct measure_summary *summary);

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
int measure_control_accept(int fd, char *ret_request, size_t ret_request_size);
void measure_control_answer(int connection, const char *answer);

#endif /* MEASURE_PRIVATE_H */
