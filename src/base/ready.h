/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_READY_H
#define BASE_READY_H

void ready_notify(int ready_fd, const char *state);

#endif /* BASE_READY_H */
