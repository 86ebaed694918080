/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdint.h>

int number_parse(const char *text, uint64_t max, uint64_t *ret);

#endif /* BASE_NUMBER_H */
