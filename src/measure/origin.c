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

/* Without a log, or with one that cannot be read, the PCR is taken to be untouched. */
static void firmware_value(int root_fd, uint32_t pcr, enum digest_alg alg,
			   struct digest *ret)
{
	_cleanup_free_ char *data = NULL;
	size_t size;

	digest_zero(alg, ret);
	if (io_read_file(root_fd, FIRMWARE_LOG, FIRMWARE_LOG_MAX, &data, &size) == 0)
		(void)eventlog_firmware_fold((const uint8_t *)data, size, pcr, alg, ret);
}

/**
 * measure_gate_is_explained() - whether the gate PCR started where a boot starts
 * @root_fd: directory that stands for "/"
 * @gate:    the gate PCR, as a log claims that it was before the anchor
 * @alg:     of the bank
 *
 * Return: true if its value is what the firmware's log folds to, with systemd's
 * separator after it or without.
 */
bool measure_gate_is_explained(int root_fd, const struct nvpcr_gate *gate,
			       enum digest_alg alg)
{
	struct digest value, separator;

	firmware_value(root_fd, gate->pcr, alg, &value);
	if (digest_equal(&value, &gate->values[alg]))
		return true;
	digest_compute(alg, OS_SEPARATOR, strlen(OS_SEPARATOR), &separator);
	digest_extend(&value, &separator);
	return digest_equal(&value, &gate->values[alg]);
}
