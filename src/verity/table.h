/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VERITY_TABLE_H
#define VERITY_TABLE_H

#include "base/cleanup.h"
#include "verity/verity.h"

int verity_table_data_device(const char *params, uint32_t *ret_major,
			     uint32_t *ret_minor) _must_check_;
bool verity_table_is_algorithm(const char *name);
bool verity_table_is_block_size(uint64_t size);

#endif /* VERITY_TABLE_H */
