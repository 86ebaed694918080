/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the gate PCR started from.
 *
 * A second log in one boot, made after the first one was thrown away, is consistent in
 * itself: its gate just starts from the value that the first anchor left.  So a log is
 * worth something only if the value that it starts from can be explained without it: by
 * the firmware's log, and by the separator with which systemd ends the firmware's part.
 */
#include "measure/private.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"

#define FIRMWARE_LOG		"/sys/kernel/security/tpm0/binary_bios_measurements"
#define FIRMWARE_LOG_MAX	(8U << 20)	/* bytes */
#define OS_SEPARATOR		"os-separator"

static bool is_explained(const struct nvpcr_gate *gate, enum digest_alg alg,
			 const char *log, size_t log_size)
{
	struct digest value, separator;

	digest_zero(alg, &value);
	if (log)
		(void)eventlog_firmware_fold((const uint8_t *)log, log_size, gate->pcr, alg,
					     &value);
	if (digest_equal(&value, &gate->values[alg]))
		return true;
	digest_compute(alg, OS_SEPARATOR, strlen(OS_SEPARATOR), &separator);
	digest_extend(&value, &separator);
	return digest_equal(&value, &gate->values[alg]);
}

/**
 * measure_gate_unexplained() - whether the gate PCR started where a boot starts
 * @root_fd: directory that stands for "/"
 * @gate:    the gate PCR, as a log claims that it was before the anchor
 *
 * A bank's value is explained if it is what the firmware's log folds to, with systemd's
 * separator after it or without.  Without a log, or with one that cannot be read, the PCR
 * is taken to be untouched.
 *
 * Return: the first bank whose value is not explained; DIGEST_ALG_MAX if all are.
 */
enum digest_alg measure_gate_unexplained(int root_fd, const struct nvpcr_gate *gate)
{
	_cleanup_free_ char *log = NULL;
	size_t log_size = 0;
	int alg;

	(void)io_read_file(root_fd, FIRMWARE_LOG, FIRMWARE_LOG_MAX, &log, &log_size);
	for (alg = 0; alg < DIGEST_ALG_MAX; alg++)
		if (gate->banks & 1U << alg && !is_explained(gate, alg, log, log_size))
			break;
	return alg;
}
