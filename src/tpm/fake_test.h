/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TPM_FAKE_TEST_H
#define TPM_FAKE_TEST_H

/*
 * A transport that remembers every command and answers from a table of responses as
 * a TPM gives them, or from a script of refusals and errors.
 */
#include <errno.h>
#include <string.h>

#include <nettle/hmac.h>

#include "base/hex.h"
#include "tpm/tpm.h"

#define FAKE_COMMANDS_MAX	64

/* What the TPM does instead of obeying, in the order given; ended by a zero. */
struct fake_step {
	uint32_t code;		/* command that this step waits for; 0 ends the script */
	uint32_t rc;		/* refuse with this code */
	int error;		/* or fail the transport */
	const char *response;	/* or answer these octets, in hexadecimal */
};

struct fake {
	const struct fake_step *script;
	char commands[FAKE_COMMANDS_MAX][1024];	/* in hexadecimal */
	size_t n_commands;
};

#define FAKE_NONCE	"0000000000000000000000000000000000000000000000000000000000000000"
#define FAKE_NAME	"000b37bddd05a792479a9a48b39c9e0093d2f89bcf62ea3461f0981a69dcd9ec10b9"
#define FAKE_VALUE	"2222222222222222222222222222222222222222222222222222222222222222"
#define FAKE_POLICY	"3333333333333333333333333333333333333333333333333333333333333333"

/* Parts of responses behind the header. */
static const struct {
	uint32_t code;
	uint16_t tag;
	const char *body;
} fake_responses[] = {
	{ 0x122, 0x8002, "00000000" "0000" "01" "0000" },		/* NV_UndefineSpace */
	{ 0x12a, 0x8002, "00000000" "0000" "01" "0000" },		/* NV_DefineSpace */
	{ 0x136, 0x8002, "00000000" "0020" FAKE_NONCE "00" "0020" FAKE_NONCE },/* NV_Extend */
	{ 0x14e, 0x8002, "00000022" "0020" FAKE_VALUE "0000" "01" "0000" },/* NV_Read */
	{ 0x165, 0x8001, "" },						/* FlushContext */
	{ 0x169, 0x8001, "002e" "01805645" "000b" "0e060048" "0020" FAKE_POLICY "0020"
			 "0022" FAKE_NAME },				/* NV_ReadPublic */
	{ 0x171, 0x8001, "" },						/* PolicyOR */
	{ 0x176, 0x8001, "03000001" "0020" FAKE_NONCE },		/* StartAuthSession */
	{ 0x17f, 0x8001, "" },						/* PolicyPCR */
	{ 0x182, 0x8002, "00000000" "0000" "01" "0000" },		/* PCR_Extend */
	{ 0x18f, 0x8001, "" },						/* PolicyNvWritten */
};

static inline uint32_t fake_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void fake_header(uint8_t *p, uint16_t tag, size_t size, uint32_t rc)
{
	p[0] = (uint8_t)(tag >> 8);
	p[1] = (uint8_t)tag;
	for (int i = 0; i < 4; i++) {
		p[2 + i] = (uint8_t)(size >> (24 - 8 * i));
		p[6 + i] = (uint8_t)(rc >> (24 - 8 * i));
	}
}

/* The checksum that ESYS wants to see behind TPM2_NV_Extend: an HMAC without a key.
 * Spec: TCG TPM 2.0 Library, Part 1, "Response HMAC" */
static inline void fake_hmac(const uint8_t *command, uint8_t *response)
{
	static const uint8_t success_and_code[] = { 0, 0, 0, 0, 0, 0, 0x01, 0x36 };
	struct hmac_sha256_ctx hmac;
	struct digest parameters;

	digest_compute(DIGEST_SHA256, success_and_code, sizeof(success_and_code),
		       &parameters);
	hmac_sha256_set_key(&hmac, 0, success_and_code);
	hmac_sha256_update(&hmac, 32, parameters.bytes);
	hmac_sha256_update(&hmac, 32, response + 16);	/* nonceTPM */
	hmac_sha256_update(&hmac, 32, command + 28);	/* nonceCaller */
	hmac_sha256_update(&hmac, 1, response + 48);	/* sessionAttributes */
	hmac_sha256_digest(&hmac, 32, response + 51);
}

static inline int fake_obey(const uint8_t *command, uint32_t code, uint8_t *response,
			    size_t *response_size)
{
	for (size_t i = 0; i < sizeof(fake_responses) / sizeof(fake_responses[0]); i++) {
		size_t size;

		if (fake_responses[i].code != code)
			continue;
		if (hex_decode(fake_responses[i].body, response + 10, 1024, &size) < 0)
			return -EINVAL;
		fake_header(response, fake_responses[i].tag, 10 + size, 0);
		*response_size = 10 + size;
		if (code == 0x136)
			fake_hmac(command, response);
		return 0;
	}
	fake_header(response, 0x8001, 10, 0x143);
	*response_size = 10;
	return 0;
}

static inline int fake_transmit(void *ctx, const uint8_t *command, size_t command_size,
				uint8_t *response, size_t *response_size, int timeout_ms)
{
	struct fake *fake = ctx;
	uint32_t code = fake_be32(command + 6);

	(void)timeout_ms;
	if (fake->n_commands < FAKE_COMMANDS_MAX && command_size < 512)
		hex_encode(command, command_size, fake->commands[fake->n_commands]);
	fake->n_commands++;
	if (!fake->script || fake->script->code != code)
		return fake_obey(command, code, response, response_size);

	const struct fake_step *step = fake->script++;

	if (step->error)
		return step->error;
	if (step->response)
		return hex_decode(step->response, response, *response_size, response_size);
	fake_header(response, 0x8001, 10, step->rc);
	*response_size = 10;
	return 0;
}

static inline struct tpm *fake_open(struct fake *fake, const struct fake_step *script,
				    int timeout_ms)
{
	const struct tpm_transport transport = { .transmit = fake_transmit, .ctx = fake };
	struct tpm *tpm = NULL;

	memset(fake, 0, sizeof(*fake));
	fake->script = script;
	return tpm_open_transport(&transport, timeout_ms, &tpm) == 0 ? tpm : NULL;
}

#endif /* TPM_FAKE_TEST_H */
