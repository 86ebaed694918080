/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DM_INTERNAL_H
#define DM_INTERNAL_H

/* What the files of dm/ share. */
#include "base/cleanup.h"
#include "dm/dm.h"

int dm_kernel_list(int root_fd, dm_device_fn *fn, void *ctx);
int dm_kernel_table(int root_fd, uint32_t major, uint32_t minor, dm_target_fn *fn,
		    void *ctx);

int dm_recorded_list(int root_fd, dm_device_fn *fn, void *ctx);
int dm_recorded_table(int root_fd, uint32_t major, uint32_t minor, dm_target_fn *fn,
		      void *ctx);

int dm_text_targets(char *text, const struct dm_device *device, dm_target_fn *fn,
		    void *ctx) _must_check_;
int dm_text_unmangle(const char *mangled, char *ret, size_t ret_size) _must_check_;

#endif /* DM_INTERNAL_H */
