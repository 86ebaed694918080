/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The frame around each call of ESYS: deadline, dead rule, and one place where
 * response codes become errno values.
 *
 * ESYS cannot go on after an error that did not come from the TPM, and neither can
 * we: the answer to the lost command might arrive as the answer to the next one.  So
 * any such error is the connection's last.
 */
#include "tpm/private.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"

/**
 * tpm_command_begin() - get ready for one call of ESYS
 *
 * Return: 0; -ESHUTDOWN if the TPM is being left alone.
 */
int tpm_command_begin(struct tpm *tpm)
{
	if (tpm->dead)
		return -ESHUTDOWN;
	tpm->deadline_us = clock_us(CLOCK_MONOTONIC) +
			   (uint64_t)tpm->timeout_ms * CLOCK_MS;
	tpm->error = 0;
	tpm->response_size = 0;
	tpm_rc_set(tpm, 0);
	return 0;
}

static bool from_tpm(TSS2_RC rc)
{
	switch (rc & TSS2_RC_LAYER_MASK) {
	case TSS2_TPM_RC_LAYER:
	case TSS2_RESMGR_RC_LAYER:	/* the kernel's, behind /dev/tpmrm0 */
	case TSS2_RESMGR_TPM_RC_LAYER:
		return true;
	}
	return false;
}

/**
 * tpm_command_end() - turn the result of a call of ESYS into ours
 * @tpm: connection; its response code is set, and it is dead after -EBADMSG and
 *       errors of the transport
 * @rc:  what ESYS returned
 *
 * Return: 0; -EREMOTEIO if the TPM refused; -ETIMEDOUT or -EIO from the transport;
 * -ENOMEM; -EBADMSG if ESYS did not understand the answer.
 */
int tpm_command_end(struct tpm *tpm, TSS2_RC rc)
{
	if (rc == TSS2_RC_SUCCESS)
		return 0;
	if (tpm->error)
		return tpm->error;
	if (from_tpm(rc)) {
		tpm_rc_set(tpm, rc & ~TSS2_RC_LAYER_MASK);
		return -EREMOTEIO;
	}
	tpm->dead = true;
	return rc == TSS2_ESYS_RC_MEMORY ? -ENOMEM : -EBADMSG;
}
