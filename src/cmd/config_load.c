/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding the configuration: the first main file there is, then all drop-ins in the
 * order of their names, then the kernel command line, dracut's additions first.
 */
#include "cmd/config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"

#define DROP_INS_MAX	64

static const char *const main_files[] = {
	"/etc/veritally.conf", "/run/veritally.conf", "/usr/lib/veritally/veritally.conf",
};

/* In the order of their precedence: a name in the first hides it in the others. */
static const char *const drop_in_dirs[] = {
	"/etc/veritally.conf.d", "/run/veritally.conf.d", "/usr/lib/veritally.conf.d",
};

static const char *const cmdline_dirs[] = { "/etc/cmdline.d" };

typedef void parse_fn(struct config *config, const char *where, char *text,
		      config_complain_fn *complain);

static int load_file(struct config *config, int root_fd, const char *path,
		     parse_fn *parse, config_complain_fn *complain)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	r = io_read_file(root_fd, path, CONFIG_FILE_MAX, &text, &size);
	if (r < 0)
		return r;
	if (memchr(text, '\0', size)) {
		complain(path, "", "holds a NUL byte");
		return 0;
	}
	parse(config, path, text, complain);
	return 0;
}

struct drop_in {
	char name[NAME_MAX + 1];
	const char *dir;
};

static int compare_names(const void *a, const void *b)
{
	const struct drop_in *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool is_listed(const struct drop_in *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return true;
	return false;
}

static size_t list_dir(int root_fd, const char *path, struct drop_in *list, size_t n)
{
	_cleanup_close_ int fd = io_open(root_fd, path, O_RDONLY | O_DIRECTORY, 0);
	_cleanup_dir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (dir)
		(void)take_fd(fd);
	while (dir && n < DROP_INS_MAX && (entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);

		if (length < 6 || strcmp(entry->d_name + length - 5, ".conf") != 0 ||
		    is_listed(list, n, entry->d_name))
			continue;
		memcpy(list[n].name, entry->d_name, length + 1);
		list[n++].dir = path;
	}
	return n;
}

static void load_dirs(struct config *config, int root_fd, const char *const dirs[],
		      size_t n_dirs, parse_fn *parse, config_complain_fn *complain)
{
	_cleanup_free_ struct drop_in *list = calloc(DROP_INS_MAX, sizeof(*list));
	char path[PATH_MAX];
	size_t n = 0;

	if (!list)
		return;
	for (size_t i = 0; i < n_dirs; i++)
		n = list_dir(root_fd, dirs[i], list, n);
	qsort(list, n, sizeof(*list), compare_names);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", list[i].dir, list[i].name);
		(void)load_file(config, root_fd, path, parse, complain);
	}
}

static int load_main(struct config *config, int root_fd, config_complain_fn *complain)
{
	for (size_t i = 0; i < ARRAY_SIZE(main_files); i++) {
		int r = load_file(config, root_fd, main_files[i], config_parse_file,
				  complain);

		if (r != -ENOENT)
			return r;
	}
	return 0;
}

/* A file that the user names is the user's, whatever stands for "/". */
static int load_given(struct config *config, const char *file,
		      config_complain_fn *complain)
{
	_cleanup_close_ int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *path = realpath(file, NULL);

	if (root_fd < 0 || !path)
		return -errno;
	return load_file(config, root_fd, path, config_parse_file, complain);
}

/**
 * config_load() - find and read the whole configuration
 * @ret:      the settings
 * @root_fd:  directory that stands for "/"
 * @file:     a file that is read instead of all files; NULL for none
 * @complain: called with everything that cannot be used
 *
 * Return: 0; a negative errno if @file cannot be read.
 */
int config_load(struct config *ret, int root_fd, const char *file,
		config_complain_fn *complain)
{
	int r;

	config_init(ret);
	if (file) {
		r = load_given(ret, file, complain);
		if (r < 0)
			return r;
	} else {
		r = load_main(ret, root_fd, complain);
		if (r < 0)
			complain("veritally.conf", strerror(-r), "so it is not read");
		load_dirs(ret, root_fd, drop_in_dirs, ARRAY_SIZE(drop_in_dirs),
			  config_parse_file, complain);
	}
	(void)load_file(ret, root_fd, "/etc/cmdline", config_parse_cmdline, complain);
	load_dirs(ret, root_fd, cmdline_dirs, ARRAY_SIZE(cmdline_dirs),
		  config_parse_cmdline, complain);
	(void)load_file(ret, root_fd, "/proc/cmdline", config_parse_cmdline, complain);
	return 0;
}
