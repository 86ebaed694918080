/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files below a root directory.
 *
 * openat2(2) with RESOLVE_IN_ROOT does the confinement.  Where the root is the
 * real one and the kernel is too old for it (before 5.6), a plain openat(2) finds
 * the same file.
 */
#include "base/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

static const char *relative(const char *path)
{
	path += strspn(path, "/");
	return *path ? path : ".";
}

/**
 * io_open() - open a file below a root
 * @root_fd: the root directory
 * @path:    absolute path as seen from that root
 * @flags:   of open(2); O_CLOEXEC is added, and O_NOCTTY where openat2(2) allows it
 * @mode:    of a file that O_CREAT creates
 *
 * Return: a descriptor that the caller owns, or a negative errno of openat2(2).
 */
int io_open(int root_fd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY)),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, root_fd, relative(path), &how, sizeof(how));

	if (fd < 0 && errno == ENOSYS)
		fd = openat(root_fd, relative(path), (int)how.flags, mode);
	return fd < 0 ? -errno : (int)fd;
}

/**
 * io_make_dirs() - create a directory and those above it
 * @root_fd: the root directory
 * @path:    absolute path as seen from that root
 * @mode:    of @path itself; directories above it get 0755
 *
 * Return: 0, also when it was there before; a negative errno of mkdirat(2).
 */
int io_make_dirs(int root_fd, const char *path, mode_t mode)
{
	char part[PATH_MAX];
	size_t length = strlen(relative(path));

	if (length >= sizeof(part))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= length; i++) {
		if (i < length && relative(path)[i] != '/')
			continue;
		memcpy(part, relative(path), i);
		part[i] = '\0';
		if (mkdirat(root_fd, part, i < length ? 0755 : mode) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/**
 * io_chmod() - set the mode of what is at a path below a root, whatever the umask
 *
 * Return: 0; a negative errno of open or fchmod(2).
 */
int io_chmod(int root_fd, const char *path, mode_t mode)
{
	_cleanup_close_ int fd = io_open(root_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);

	if (fd < 0)
		return fd;
	return fchmod(fd, mode) < 0 ? -errno : 0;
}

/**
 * io_exists() - whether something is at a path below a root
 */
bool io_exists(int root_fd, const char *path)
{
	_cleanup_close_ int fd = io_open(root_fd, path, O_PATH, 0);

	return fd >= 0;
}

/**
 * io_read_file() - read a whole small file
 * @root_fd:  the root directory
 * @path:     absolute path as seen from that root
 * @max:      largest size taken, in bytes
 * @ret:      the content, followed by a NUL that is not counted; caller frees
 * @ret_size: its size in bytes
 *
 * Return: 0; -EFBIG if it is larger than @max; a negative errno of open or read.
 */
int io_read_file(int root_fd, const char *path, size_t max, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = io_open(root_fd, path, O_RDONLY | O_NONBLOCK, 0);
	_cleanup_free_ char *data = NULL;
	size_t size = 0;

	if (fd < 0)
		return fd;
	data = malloc(max + 2);
	if (!data)
		return -ENOMEM;
	while (size <= max) {
		ssize_t n = read(fd, data + size, max + 1 - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0) {
			data[size] = '\0';
			*ret = take_ptr(data);
			*ret_size = size;
			return 0;
		}
		size += (size_t)n;
	}
	return -EFBIG;
}

/**
 * io_read_line() - read the first line of a file such as a sysfs attribute
 * @root_fd:  the root directory
 * @path:     absolute path as seen from that root
 * @ret:      the line without its line feed, terminated by NUL
 * @ret_size: room in @ret in bytes
 *
 * Return: 0; -EMSGSIZE if the line does not fit; otherwise as io_read_file().
 */
int io_read_line(int root_fd, const char *path, char *ret, size_t ret_size)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0, length;
	int r;

	r = io_read_file(root_fd, path, 4096, &text, &size);
	if (r < 0)
		return r;
	assert(text);
	length = strcspn(text, "\n");
	if (length >= ret_size)
		return -EMSGSIZE;
	memcpy(ret, text, length);
	ret[length] = '\0';
	return 0;
}

/**
 * io_read_link() - read where a symbolic link points
 * @root_fd:  the root directory
 * @path:     absolute path as seen from that root, of the link itself
 * @ret:      the target as it is written, terminated by NUL
 * @ret_size: room in @ret in bytes
 *
 * Return: 0; -EMSGSIZE if it does not fit; -EINVAL if @path is no link; otherwise a
 * negative errno of open or readlinkat(2).
 */
int io_read_link(int root_fd, const char *path, char *ret, size_t ret_size)
{
	_cleanup_close_ int fd = io_open(root_fd, path, O_PATH | O_NOFOLLOW, 0);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", ret, ret_size);
	if (n < 0)
		return errno == ENOENT ? -EINVAL : -errno;
	if ((size_t)n >= ret_size)
		return -EMSGSIZE;
	ret[n] = '\0';
	return 0;
}

/**
 * io_write_all() - write until everything is written
 * @fd:   where to
 * @data: borrowed for the call
 * @size: of @data in bytes
 *
 * Return: 0; -EIO if the file takes no more without saying why; a negative errno of
 * write(2).  Part of @data may have been written when it fails.
 */
int io_write_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

/**
 * io_replace_file() - put a new file in the place of an old one, whole or not at all
 * @root_fd: the root directory
 * @path:    absolute path as seen from that root
 * @data:    content; borrowed for the call
 * @size:    of @data in bytes
 * @mode:    of the new file
 *
 * Return: 0; -ENAMETOOLONG; a negative errno of open, write, fsync or renameat(2).
 */
int io_replace_file(int root_fd, const char *path, const void *data, size_t size,
		    mode_t mode)
{
	_cleanup_close_ int fd = -1;
	char temporary[PATH_MAX];
	int r;

	if (snprintf(temporary, sizeof(temporary), "%s.new", relative(path)) >=
	    (int)sizeof(temporary))
		return -ENAMETOOLONG;
	fd = io_open(root_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
	if (fd < 0)
		return fd;
	r = io_write_all(fd, data, size);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(root_fd, temporary, root_fd, relative(path)) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(root_fd, temporary, 0);
	return r;
}
