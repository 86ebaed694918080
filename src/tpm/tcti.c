/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What ESYS talks to instead of a TCTI of its own: hands each command to the
 * transport, counts it, and sends it again while the TPM asks for that.
 *
 * ESYS, too, sends a command again after some response codes, five times without a
 * pause.  That is too hasty for a TPM that tests itself, so we do it here, with
 * growing pauses within the command's deadline; when the time is over, ESYS gets the
 * last answer again without a word to the TPM.
 */
#include "tpm/private.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define HEADER_SIZE	10	/* bytes: tag, size, response code */
#define PAUSE_MAX_MS	64
#define TCTI_MAGIC	0x7665726974616c6cULL

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool asks_for_retry(const uint8_t *response)
{
	switch (get_be32(response + 6)) {
	case TPM2_RC_RETRY:
	case TPM2_RC_NV_RATE:
	case TPM2_RC_NV_UNAVAILABLE:
	case TPM2_RC_TESTING:
	case TPM2_RC_YIELDED:
		return true;
	}
	return false;
}

/* Sends @command once. */
static int exchange(struct tpm *tpm, const uint8_t *command, size_t size)
{
	size_t response_size = sizeof(tpm->response);
	int r;

	tpm->n_commands++;
	r = tpm->transport.transmit(tpm->transport.ctx, command, size, tpm->response,
				    &response_size, clock_left_ms(tpm->deadline_us));
	if (r == -ETIMEDOUT || r == -ETIME)	/* -ETIME: the kernel's own deadline */
		return -ETIMEDOUT;
	if (r < 0)
		return -EIO;
	if (response_size < HEADER_SIZE || response_size > sizeof(tpm->response) ||
	    get_be32(tpm->response + 2) != response_size)
		return -EBADMSG;
	tpm->response_size = response_size;
	return 0;
}

static void wait_ms(int ms)
{
	struct timespec pause = { .tv_nsec = ms * 1000000L };

	(void)nanosleep(&pause, NULL);
}

/* Sends @command until the TPM gives an answer that is one. */
static int exchange_patiently(struct tpm *tpm, const uint8_t *command, size_t size)
{
	int pause_ms = 1;
	int r;

	while ((r = exchange(tpm, command, size)) == 0 && asks_for_retry(tpm->response)) {
		if (pause_ms >= clock_left_ms(tpm->deadline_us))
			return 0;
		wait_ms(pause_ms);
		if (pause_ms < PAUSE_MAX_MS)
			pause_ms *= 2;
	}
	return r;
}

static TSS2_RC tcti_transmit(TSS2_TCTI_CONTEXT *context, size_t size,
			     const uint8_t *command)
{
	struct tpm *tpm = (struct tpm *)context;

	if (tpm->dead)
		return TSS2_TCTI_RC_IO_ERROR;
	if (tpm->response_size)		/* ESYS sends the command in hand again */
		return TSS2_RC_SUCCESS;
	tpm->error = exchange_patiently(tpm, command, size);
	if (tpm->error == 0)
		return TSS2_RC_SUCCESS;
	tpm->dead = true;
	return TSS2_TCTI_RC_IO_ERROR;
}

static TSS2_RC tcti_receive(TSS2_TCTI_CONTEXT *context, size_t *size, uint8_t *response,
			    int32_t timeout)
{
	struct tpm *tpm = (struct tpm *)context;

	(void)timeout;
	if (!tpm->response_size)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	if (response && *size < tpm->response_size)
		return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
	if (response)
		memcpy(response, tpm->response, tpm->response_size);
	*size = tpm->response_size;
	return TSS2_RC_SUCCESS;
}

/**
 * tpm_tcti_init() - make @tpm something that ESYS can talk to
 */
void tpm_tcti_init(struct tpm *tpm)
{
	tpm->tcti = (TSS2_TCTI_CONTEXT_COMMON_V1){
		.magic = TCTI_MAGIC,
		.version = 1,
		.transmit = tcti_transmit,
		.receive = tcti_receive,
	};
}
