/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

/*
 * Scope-bound ownership.
 *
 * A local that owns something carries one of these attributes and a starting
 * value that means "nothing owned" (NULL or -1).  Ownership leaves the function
 * through take_ptr() or take_fd() and in no other way, so that one function can
 * be checked for leaks without reading any other.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn)	__attribute__((cleanup(fn)))
#define _cleanup_free_	_cleanup_(freep)
#define _cleanup_close_	_cleanup_(closep)
#define _cleanup_dir_	_cleanup_(closedirp)
#define _must_check_	__attribute__((warn_unused_result))
#define _printf_(f, a)	__attribute__((format(printf, f, a)))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

#define take_ptr(p) ({ __typeof__(p) taken_ = (p); (p) = NULL; taken_; })
#define take_fd(fd) ({ int taken_ = (fd); (fd) = -1; taken_; })

#endif /* BASE_CLEANUP_H */
