/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening and closing a connection, and what is remembered about it. */
#include "tpm/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const char *after(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

static int open_transport(const char *conf, int root_fd, int timeout_ms,
			  struct tpm_transport *ret)
{
	const char *rest;

	rest = after(conf, "device:");
	if (rest && rest[0] == '/')
		return tpm_transport_device(rest, root_fd, timeout_ms, ret);
	rest = after(conf, "swtpm:");
	if (rest)
		return tpm_transport_swtpm(rest, timeout_ms, ret);
	return -EINVAL;
}

/**
 * tpm_open() - connect to the TPM that a configuration names
 * @conf:       "device:PATH", "swtpm:host=ADDRESS,port=NUMBER" or "swtpm:path=SOCKET"
 * @root_fd:    the root directory that PATH is seen from
 * @timeout_ms: how long to wait for the device to appear, and later for the answer to
 *              each command
 * @ret:        the connection; caller closes
 *
 * Sends no command.
 *
 * Return: 0; -EINVAL if @conf is not understood; -ENOTTY if PATH is no device;
 * -ENOMEM; a negative errno of open(2) or connect(2).
 */
int tpm_open(const char *conf, int root_fd, int timeout_ms, struct tpm **ret)
{
	struct tpm_transport transport;
	int r;

	r = open_transport(conf, root_fd, timeout_ms, &transport);
	if (r < 0)
		return r;
	return tpm_open_transport(&transport, timeout_ms, ret);
}

/**
 * tpm_open_transport() - use a TPM by a given transport
 * @transport:  becomes the connection's; closed here if that fails
 * @timeout_ms: how long to wait for the answer to each command
 * @ret:        the connection; caller closes
 *
 * The library must not print: functions of ours are silent.  Its own switch for that
 * is an environment variable, which is set unless somebody has set it already.
 *
 * Return: 0; -ENOMEM.
 */
int tpm_open_transport(const struct tpm_transport *transport, int timeout_ms,
		       struct tpm **ret)
{
	_cleanup_(tpm_closep) struct tpm *tpm = calloc(1, sizeof(*tpm));

	if (!tpm) {
		if (transport->close)
			transport->close(transport->ctx);
		return -ENOMEM;
	}
	tpm->transport = *transport;
	tpm->timeout_ms = timeout_ms;
	tpm_tcti_init(tpm);
	(void)setenv("TSS2_LOG", "all+NONE", /* overwrite= */ 0);
	if (Esys_Initialize(&tpm->esys, (TSS2_TCTI_CONTEXT *)&tpm->tcti,
			    /* abiVersion= */ NULL) != TSS2_RC_SUCCESS)
		return -ENOMEM;
	*ret = take_ptr(tpm);
	return 0;
}

/**
 * tpm_close() - end a connection
 * @tpm: may be NULL
 *
 * Sends no command.  A device that did not answer in time stays open until the process
 * ends, because closing it would wait for the answer.
 */
void tpm_close(struct tpm *tpm)
{
	if (!tpm)
		return;
	if (tpm->esys)
		Esys_Finalize(&tpm->esys);
	if (tpm->transport.close)
		tpm->transport.close(tpm->transport.ctx);
	free(tpm);
}

/**
 * tpm_closep() - tpm_close() for _cleanup_
 */
void tpm_closep(struct tpm **tpm)
{
	tpm_close(*tpm);
}

/**
 * tpm_is_dead() - whether the TPM is being left alone after a transport error
 */
bool tpm_is_dead(const struct tpm *tpm)
{
	return tpm->dead;
}

/**
 * tpm_n_commands() - how many commands were sent, those sent again included
 */
uint64_t tpm_n_commands(const struct tpm *tpm)
{
	return tpm->n_commands;
}
