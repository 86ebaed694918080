/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ATTEST_ATTEST_H
#define ATTEST_ATTEST_H

/*
 * Proof for somebody else: what a TPM signs about a boot.
 *
 * Functions here never print.
 */
#include "attest/ak.h"

#endif /* ATTEST_ATTEST_H */
