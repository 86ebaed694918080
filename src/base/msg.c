/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Diagnostics for people: to stderr, and in an initramfs to the kernel's log too,
 * because nobody reads a service's stderr there.
 */
#include "base/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

static enum msg_level msg_max = MSG_INFO;
static bool msg_kmsg;

/**
 * msg_init() - choose what is said and where
 * @level:   least important level that is printed
 * @to_kmsg: also write to /dev/kmsg
 */
void msg_init(enum msg_level level, bool to_kmsg)
{
	msg_max = level;
	msg_kmsg = to_kmsg;
}

static void write_kmsg(enum msg_level level, const char *text)
{
	static const int priorities[] = {	/* facility daemon (3), syslog's severities */
		[MSG_ERROR] = 3 << 3 | 3, [MSG_WARNING] = 3 << 3 | 4,
		[MSG_INFO] = 3 << 3 | 6, [MSG_DEBUG] = 3 << 3 | 7,
	};
	_cleanup_close_ int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0)
		(void)dprintf(fd, "<%d>veritally: %s\n", priorities[level], text);
}

/**
 * msg_print() - say one thing in one line
 * @level:  how important it is
 * @r:      0, or a negative errno whose description is appended
 * @format: printf(3) format; lower case, no full stop
 */
void msg_print(enum msg_level level, int r, const char *format, ...)
{
	char text[1024];
	va_list args;
	int length;

	if (level > msg_max)
		return;
	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (r < 0 && length >= 0 && (size_t)length < sizeof(text))
		(void)snprintf(text + length, sizeof(text) - (size_t)length, ": %s",
			       strerror(-r));
	(void)fprintf(stderr, "veritally: %s\n", text);
	if (msg_kmsg)
		write_kmsg(level, text);
}
