/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands in for tpm2-tss's TCTI loader, which ESYS would call if it were given no
 * TCTI.  We always give it one, so the static binary need not hold the loader and
 * every TCTI it knows.
 */
#include <tss2/tss2_tctildr.h>

TSS2_RC Tss2_TctiLdr_Initialize(const char *name, TSS2_TCTI_CONTEXT **context)
{
	(void)name;
	(void)context;
	return TSS2_TCTI_RC_NOT_IMPLEMENTED;
}

void Tss2_TctiLdr_Finalize(TSS2_TCTI_CONTEXT **context)
{
	(void)context;
}
