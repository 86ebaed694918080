/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rungs of the ladder.  Pure. */
#include "nvpcr/nvpcr.h"

#include <assert.h>

#include "base/cleanup.h"

static const char *const names[] = {
	[NVPCR_RUNG_ORDERLY]	= "nv-orderly",
	[NVPCR_RUNG_NV]		= "nv",
	[NVPCR_RUNG_PCR]	= "pcr",
	[NVPCR_RUNG_LOG]	= "log",
};
static_assert(ARRAY_SIZE(names) == NVPCR_RUNG_MAX, "a name for every rung");

/**
 * nvpcr_rung_name() - the rung's name in output
 *
 * Return: a static string.
 */
const char *nvpcr_rung_name(enum nvpcr_rung rung)
{
	return names[rung];
}
