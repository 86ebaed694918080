/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TEST_TREE_H
#define TEST_TREE_H

/*
 * Folders that a test fills and that are gone after it: roots for --sysroot, images.
 *
 * Whatever goes wrong while one is made ends the test program.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * struct tree - a temporary folder
 * @fd:   descriptor of the folder
 * @path: of the folder
 */
struct tree {
	int fd;
	char path[64];
};

static inline void tree_need(int good, const char *what)
{
	if (!good) {
		printf("Bail out! %s\n", what);
		exit(1);
	}
}

static inline struct tree tree_make(void)
{
	struct tree tree = { .path = "/tmp/veritally-test-XXXXXX" };

	tree_need(mkdtemp(tree.path) != NULL, "mkdtemp");
	tree.fd = open(tree.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	tree_need(tree.fd >= 0, tree.path);
	return tree;
}

static inline int tree_remove_one(const char *path, const struct stat *st, int type,
				  struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

/* For _cleanup_(tree_remove). */
static inline void tree_remove(struct tree *tree)
{
	(void)close(tree->fd);
	(void)nftw(tree->path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Makes the folders above @path, which is relative to the tree. */
static inline void tree_put_parents(const struct tree *tree, const char *path)
{
	char part[512];

	for (const char *slash = strchr(path, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		(void)mkdirat(tree->fd, part, 0755);
	}
}

static inline void tree_put_bytes(const struct tree *tree, const char *path,
				  const void *data, size_t size)
{
	int fd;

	tree_put_parents(tree, path);
	fd = openat(tree->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	tree_need(fd >= 0 && write(fd, data, size) == (ssize_t)size, path);
	(void)close(fd);
}

static inline void tree_put(const struct tree *tree, const char *path, const char *text)
{
	tree_put_bytes(tree, path, text, strlen(text));
}

static inline void tree_put_link(const struct tree *tree, const char *path,
				 const char *target)
{
	tree_put_parents(tree, path);
	tree_need(symlinkat(target, tree->fd, path) == 0, path);
}

#endif /* TEST_TREE_H */
