/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_IO_H
#define BASE_IO_H

/*
 * Files below a root directory.
 *
 * Everything veritally reads or writes by path is looked up below a directory
 * descriptor, "/" in production and --sysroot=DIR otherwise.  Links are followed
 * as if that directory were the root, so that they cannot lead out of it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

int io_open(int root_fd, const char *path, int flags, mode_t mode);
int io_make_dirs(int root_fd, const char *path, mode_t mode);
int io_chmod(int root_fd, const char *path, mode_t mode);
bool io_exists(int root_fd, const char *path);
int io_read_file(int root_fd, const char *path, size_t max, char **ret, size_t *ret_size);
int io_read_line(int root_fd, const char *path, char *ret, size_t ret_size);
int io_read_link(int root_fd, const char *path, char *ret, size_t ret_size);
int io_write_all(int fd, const void *data, size_t size);
int io_replace_file(int root_fd, const char *path, const void *data, size_t size,
		    mode_t mode);

#endif /* BASE_IO_H */
