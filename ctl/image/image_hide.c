/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a layer hides of those below it, and what of a tree is its own
 * (image-spec, layer.md, "Whiteouts": they never hide what their own layer
 * brings, wherever in it they stand).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/image/image_tree.h"

#define HASH_BEGIN 14695981039346656037ull /* FNV-1a, 64 bits */
#define HASH_PRIME 1099511628211ull

static uint64_t hash_byte(uint64_t h, char c)
{
	return (h ^ (unsigned char)c) * HASH_PRIME;
}

/* 0 marks a free place. */
static uint64_t as_key(uint64_t h)
{
	return h ? h : 1;
}

static bool has(const struct image_tree *t, uint64_t key, size_t *ret_at)
{
	size_t i;

	for (i = key & (t->room - 1); t->made[i]; i = (i + 1) & (t->room - 1))
		if (t->made[i] == key)
			return true;
	*ret_at = i;
	return false;
}

static int grow(struct image_tree *t)
{
	struct image_tree wider = {.room = t->room ? 2 * t->room : 1024};
	size_t i, at;

	if (4 * (t->n_made + 1) <= 3 * t->room)
		return 0;
	wider.made = calloc(wider.room, sizeof(*wider.made));
	if (!wider.made)
		return -ENOMEM;
	for (i = 0; i < t->room; i++)
		if (t->made[i] && !has(&wider, t->made[i], &at))
			wider.made[at] = t->made[i];
	free(t->made);
	t->made = wider.made;
	t->room = wider.room;
	return 0;
}

static int add(struct image_tree *t, uint64_t key)
{
	int r = grow(t);
	size_t at;

	if (r == 0 && !has(t, key, &at)) {
		t->made[at] = key;
		t->n_made++;
	}
	return r;
}

void image_tree_new_layer(struct image_tree *t)
{
	if (t->made)
		memset(t->made, 0, t->room * sizeof(*t->made));
	t->n_made = 0;
}

int image_tree_mark(struct image_tree *t, const char *path)
{
	uint64_t h = HASH_BEGIN;
	int r = 0;

	for (; *path && r == 0; path++) {
		if (*path == '/')
			r = add(t, as_key(h));
		h = hash_byte(h, *path);
	}
	return r < 0 ? r : add(t, as_key(h));
}

static bool is_made(const struct image_tree *t, const char *path)
{
	uint64_t h = HASH_BEGIN;
	size_t at;

	while (*path)
		h = hash_byte(h, *path++);
	return t->made && has(t, as_key(h), &at);
}

/* ---- removing ---- */

static int remove_at(struct image_tree *t, int dir, const char *base,
	const char *path, struct err *e);

static int remove_child(struct image_tree *t, int dir, const char *name,
	const char *path, struct err *e)
{
	char below[IMAGE_PATH_MAX];

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "",
		    name) >= (int)sizeof(below))
		return err_sys(e, -ENAMETOOLONG, "remove '%s'", name);
	return remove_at(t, dir, name, below, e);
}

/* No deeper than IMAGE_DEPTH_MAX: that is how it was made. */
static int remove_children(
	struct image_tree *t, int dir, const char *path, struct err *e)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d) {
		r = err_sys(e, -errno, "read the folder '%s'", path);
		if (fd >= 0)
			close(fd);
		return r;
	}
	errno = 0;
	while (r == 0 && (de = readdir(d))) {
		r = remove_child(t, dir, de->d_name, path, e);
		errno = 0;
	}
	if (r == 0 && errno)
		r = err_sys(e, -errno, "read the folder '%s'", path);
	closedir(d);
	return r;
}

/* t NULL: whatever layer it is of. */
static int remove_at(struct image_tree *t, int dir, const char *base,
	const char *path, struct err *e)
{
	bool keep = t && is_made(t, path);
	int fd, r;

	if (!keep && unlinkat(dir, base, 0) == 0)
		return 0;
	fd = openat(dir, base, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || (keep && errno == ENOTDIR)))
		return 0;
	if (fd < 0)
		return err_sys(e, -errno, "remove '%s'", path);
	r = remove_children(t, fd, path, e);
	close(fd);
	if (r == 0 && !keep && unlinkat(dir, base, AT_REMOVEDIR) < 0)
		r = err_sys(e, -errno, "remove '%s'", path);
	return r;
}

int image_tree_remove(const struct image_spot *s, struct err *e)
{
	return remove_at(NULL, s->dir, s->base, s->path, e);
}

int image_tree_hide(
	struct image_tree *t, const struct image_spot *s, struct err *e)
{
	return remove_at(t, s->dir, s->base, s->path, e);
}

int image_tree_hide_all(
	struct image_tree *t, int dir, const char *path, struct err *e)
{
	return remove_children(t, dir, path, e);
}
