/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_MSG_H
#define BASE_MSG_H

/*
 * Diagnostics for people.  Only cmd/ and the daemon's loop use this; everything
 * below them returns its errors.  "log" always means the measurement log.
 */
#include <stdbool.h>

#include "base/cleanup.h"

enum msg_level {
	MSG_ERROR,
	MSG_WARNING,
	MSG_INFO,
	MSG_DEBUG,
};

void msg_init(enum msg_level level, bool to_kmsg);
void msg_print(enum msg_level level, int r, const char *format, ...) _printf_(3, 4);

/* Prints "veritally: TEXT: reason" and is @r, so that a caller can return it. */
#define msg_error(r, ...) ({							\
	int msg_r_ = (r);							\
	msg_print(MSG_ERROR, msg_r_, __VA_ARGS__);				\
	msg_r_;									\
})
#define msg_warning(r, ...)	msg_print(MSG_WARNING, r, __VA_ARGS__)
#define msg_info(...)		msg_print(MSG_INFO, 0, __VA_ARGS__)
#define msg_debug(...)		msg_print(MSG_DEBUG, 0, __VA_ARGS__)

#endif /* BASE_MSG_H */
