/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Response codes, and the same in words. */
#include "tpm/private.h"

#include <stdio.h>

#include "base/cleanup.h"

/* Those that tell which handle, parameter or session is meant have that part cut off. */
static const struct {
	uint32_t code;
	const char *text;
} texts[] = {
	{ TPM2_RC_INITIALIZE,		"TPM was not started by the firmware" },
	{ TPM2_RC_FAILURE,		"TPM is in failure mode" },
	{ TPM2_RC_EXCLUSIVE,		"another command came between" },
	{ TPM2_RC_PCR_CHANGED,		"a PCR changed meanwhile" },
	{ TPM2_RC_AUTH_UNAVAILABLE,	"this authorization is not available" },
	{ TPM2_RC_COMMAND_CODE,		"TPM lacks the command" },
	{ TPM2_RC_NV_LOCKED,		"NV index is locked" },
	{ TPM2_RC_NV_AUTHORIZATION,	"NV index does not allow it" },
	{ TPM2_RC_NV_UNINITIALIZED,	"NV index is not written" },
	{ TPM2_RC_NV_SPACE,		"no room for an NV index" },
	{ TPM2_RC_NV_DEFINED,		"NV index exists already" },
	{ TPM2_RC_CONTEXT_GAP,		"too many sessions" },
	{ TPM2_RC_OBJECT_MEMORY,	"no memory for objects" },
	{ TPM2_RC_SESSION_MEMORY,	"no memory for sessions" },
	{ TPM2_RC_SESSION_HANDLES,	"no session handles left" },
	{ TPM2_RC_YIELDED,		"TPM was busy" },
	{ TPM2_RC_TESTING,		"TPM was testing itself" },
	{ TPM2_RC_NV_RATE,		"too many NV writes in a short time" },
	{ TPM2_RC_LOCKOUT,		"TPM is in dictionary attack lockout" },
	{ TPM2_RC_RETRY,		"TPM was busy" },
	{ TPM2_RC_NV_UNAVAILABLE,	"NV memory is not available" },
	{ TPM2_RC_HASH,			"hash algorithm is not supported" },
	{ TPM2_RC_ATTRIBUTES,		"inconsistent attributes" },
	{ TPM2_RC_VALUE,		"value is not the expected one" },
	{ TPM2_RC_HANDLE,		"no such handle" },
	{ TPM2_RC_AUTH_FAIL,		"wrong authorization" },
	{ TPM2_RC_SIZE,			"wrong size" },
	{ TPM2_RC_POLICY_FAIL,		"policy is not satisfied" },
	{ TPM2_RC_BAD_AUTH,		"wrong authorization" },
};

#define FORMAT_ONE	0x080u
#define FORMAT_ONE_CODE	0x0bfu

static const char *text_of(uint32_t rc)
{
	uint32_t code = rc & FORMAT_ONE ? rc & FORMAT_ONE_CODE : rc;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].code == code)
			return texts[i].text;
	return "TPM refused";
}

/**
 * tpm_rc_set() - remember a response code
 */
void tpm_rc_set(struct tpm *tpm, uint32_t rc)
{
	tpm->rc = rc;
	tpm->rc_text[0] = '\0';
	if (rc)
		(void)snprintf(tpm->rc_text, sizeof(tpm->rc_text), "%s (0x%03x)",
			       text_of(rc), rc);
}

/**
 * tpm_rc() - response code of the last command, 0 if the TPM did what was asked
 */
uint32_t tpm_rc(const struct tpm *tpm)
{
	return tpm->rc;
}

/**
 * tpm_rc_describe() - response code of the last command, in words and in hexadecimal
 *
 * Return: text that lives until the next command, such as "no room for an NV index
 * (0x14b)"; empty if the TPM did what was asked.
 */
const char *tpm_rc_describe(const struct tpm *tpm)
{
	return tpm->rc_text;
}

/**
 * tpm_rc_is_about_tpm() - whether the TPM refused because of the state that it is in
 *
 * Warnings are that, and the failure mode; any other code answers what was asked.
 *
 * Spec: TCG TPM 2.0 Library, Part 2, "TPM_RC"
 */
bool tpm_rc_is_about_tpm(const struct tpm *tpm)
{
	return tpm->rc == TPM2_RC_FAILURE || tpm->rc == TPM2_RC_INITIALIZE ||
	       (!(tpm->rc & FORMAT_ONE) && (tpm->rc & TPM2_RC_WARN) == TPM2_RC_WARN);
}
