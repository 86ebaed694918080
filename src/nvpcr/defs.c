/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Definition files: which there are, and which of them count.
 *
 * A file in /etc hides those of the same name in /run and /usr/lib, even if it is
 * broken; an empty one or a link to /dev/null does nothing else.
 */
#include "nvpcr/nvpcr.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"

#define SUFFIX		".nvpcr"
#define FILES_MAX	64		/* files that are looked at */
#define FILE_SIZE_MAX	16384		/* bytes */

static const char *const dirs[] = {
	"/etc/veritally/nvpcr.d",
	"/run/veritally/nvpcr.d",
	"/usr/lib/veritally/nvpcr.d",
};

/* A file that no other one hides. */
struct file {
	char name[NAME_MAX + 1];	/* with suffix */
	const char *dir;
};

struct files {
	struct file files[FILES_MAX];
	size_t n_files;
};

struct loader {
	int root_fd;
	void (*complain)(const char *path, const char *reason);
};

static void tell(const struct loader *loader, const char *path, const char *reason)
{
	if (loader->complain)
		loader->complain(path, reason);
}

static bool has_suffix(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > strlen(SUFFIX) &&
	       strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

static bool is_hidden(const struct files *files, const char *name)
{
	for (size_t i = 0; i < files->n_files; i++)
		if (strcmp(files->files[i].name, name) == 0)
			return true;
	return false;
}

static void list_dir(const struct loader *loader, const char *path, struct files *files)
{
	_cleanup_close_ int fd = io_open(loader->root_fd, path, O_RDONLY | O_DIRECTORY, 0);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct file *file;

	if (!dir)
		return;
	(void)take_fd(fd);
	while ((entry = readdir(dir))) {
		if (!has_suffix(entry->d_name) || is_hidden(files, entry->d_name))
			continue;
		if (files->n_files == FILES_MAX) {
			tell(loader, path, "holds too many files");
			return;
		}
		file = &files->files[files->n_files++];
		(void)snprintf(file->name, sizeof(file->name), "%s", entry->d_name);
		file->dir = path;
	}
}

static bool is_masked(const struct loader *loader, const char *path)
{
	char target[PATH_MAX];

	return io_read_link(loader->root_fd, path, target, sizeof(target)) == 0 &&
	       strcmp(target, "/dev/null") == 0;
}

/* The definition in one file; 0 if there is one, and otherwise -ENOENT. */
static int load_file(const struct loader *loader, const struct file *file,
		     const char *path, struct nvpcr_def *ret)
{
	_cleanup_free_ char *text = NULL;
	const char *reason = NULL;
	size_t size, length = strlen(file->name) - strlen(SUFFIX);
	int r;

	if (is_masked(loader, path))
		return -ENOENT;
	r = io_read_file(loader->root_fd, path, FILE_SIZE_MAX, &text, &size);
	if (r < 0) {
		tell(loader, path, strerror(-r));
		return -ENOENT;
	}
	if (size == 0)
		return -ENOENT;
	r = nvpcr_def_parse(text, size, ret, &reason);
	if (r == 0 && (strlen(ret->name) != length ||
		       strncmp(ret->name, file->name, length) != 0)) {
		reason = "'name' is not the name of the file";
		r = -EBADMSG;
	}
	if (r == -EBADMSG)
		tell(loader, path, reason);
	ret->dir = file->dir;
	return r == -EBADMSG ? -ENOENT : r;
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static int compare_defs(const void *a, const void *b)
{
	const struct nvpcr_def *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return strcmp(x->name, y->name);
}

static const char *refuse(const struct nvpcr_defs *defs, const struct nvpcr_def *def)
{
	for (size_t i = 0; i < defs->n_defs; i++)
		if (defs->defs[i].index == def->index)
			return "'nvIndex' is used by another definition";
	return defs->n_defs == NVPCR_MAX ? "is one definition too many" : NULL;
}

static int load_all(const struct loader *loader, const struct files *files,
		    struct nvpcr_defs *defs)
{
	for (size_t i = 0; i < files->n_files; i++) {
		const struct file *file = &files->files[i];
		const char *reason;
		char path[PATH_MAX];
		struct nvpcr_def def;
		int r;

		(void)snprintf(path, sizeof(path), "%s/%s", file->dir, file->name);
		r = load_file(loader, file, path, &def);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		reason = refuse(defs, &def);
		if (reason)
			tell(loader, path, reason);
		else
			defs->defs[defs->n_defs++] = def;
	}
	return 0;
}

/**
 * nvpcr_defs_load() - read all definition files
 * @root_fd:  the root directory
 * @ret:      the definitions, ascending by priority, then by handle
 * @complain: called for each file that is refused, with its path and what is wrong;
 *            may be NULL
 *
 * Of two files with the same handle the one whose name sorts first is taken.
 *
 * Return: 0, also when there is none; -ENOMEM.
 */
int nvpcr_defs_load(int root_fd, struct nvpcr_defs *ret,
		    void (*complain)(const char *path, const char *reason))
{
	const struct loader loader = { .root_fd = root_fd, .complain = complain };
	_cleanup_free_ struct files *files = calloc(1, sizeof(*files));
	struct nvpcr_defs defs = { .n_defs = 0 };
	int r;

	if (!files)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		list_dir(&loader, dirs[i], files);
	qsort(files->files, files->n_files, sizeof(files->files[0]), compare_files);
	r = load_all(&loader, files, &defs);
	if (r < 0)
		return r;
	qsort(defs.defs, defs.n_defs, sizeof(defs.defs[0]), compare_defs);
	*ret = defs;
	return 0;
}
