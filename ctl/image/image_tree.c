/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/image/image_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel, path_resolution(7) */

int image_tree_open(struct image_tree *t, const char *path, struct err *e)
{
	*t = (struct image_tree){.root = -1};
	t->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return t->root < 0 ? err_sys(e, -errno, "open '%s'", path) : 0;
}

void image_tree_close(struct image_tree *t)
{
	if (t->root >= 0)
		close(t->root);
	t->root = -1;
	free(t->made);
	t->made = NULL;
	t->n_made = t->room = 0;
}

static bool is_part(const char *part, size_t n, const char *what)
{
	return strlen(what) == n && memcmp(part, what, n) == 0;
}

int image_name_clean(const char *name, char *ret, struct err *e)
{
	size_t n, len = 0, depth = 0;
	const char *p;

	for (p = name; *p; p += n) {
		n = strcspn(p, "/");
		if (n == 0)
			n = 1; /* the slash */
		else if (is_part(p, n, ".."))
			return err_set(e, -EINVAL, "the name has a '..'");
		else if (n > NAME_MAX)
			return err_set(e, -ENAMETOOLONG,
				"a part of the name is longer than %d bytes",
				NAME_MAX);
		else if (len + n + 2 > IMAGE_PATH_MAX ||
			 depth == IMAGE_DEPTH_MAX)
			return err_set(e, -ENAMETOOLONG,
				"the name is longer than %d bytes, or deeper "
				"than %d folders",
				IMAGE_PATH_MAX - 1, IMAGE_DEPTH_MAX);
		else if (!is_part(p, n, ".")) {
			if (len > 0)
				ret[len++] = '/';
			memcpy(ret + len, p, n);
			len += n;
			depth++;
		}
	}
	ret[len] = '\0';
	return 0;
}

/* ---- walking ---- */

struct walk {
	struct image_tree *t;
	struct image_spot *s;
	char rest[PATH_MAX + IMAGE_PATH_MAX + 2]; /* of the way */
	size_t len;                               /* of s->path */
	unsigned depth, links;
	bool make;
};

static void move_to(struct walk *w, int dir)
{
	close(w->s->dir);
	w->s->dir = dir;
}

static int go_to_root(struct walk *w)
{
	int dir = openat(w->t->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	if (w->s->dir >= 0)
		close(w->s->dir);
	w->s->dir = dir;
	w->len = w->depth = 0;
	return 0;
}

static int go_up(struct walk *w)
{
	int dir;

	if (w->depth == 0)
		return 0;
	dir = openat(w->s->dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	move_to(w, dir);
	w->depth--;
	while (w->len > 0 && w->s->path[--w->len] != '/')
		;
	return 0;
}

static int append(struct walk *w, const char *part, size_t n)
{
	if (w->len + n + 2 > IMAGE_PATH_MAX || w->depth == IMAGE_DEPTH_MAX)
		return -ENAMETOOLONG;
	if (w->len > 0)
		w->s->path[w->len++] = '/';
	memcpy(w->s->path + w->len, part, n);
	w->len += n;
	w->depth++;
	return 0;
}

static int go_down(struct walk *w, const char *part)
{
	int r, dir = openat(w->s->dir, part,
		       O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	r = append(w, part, strlen(part));
	if (r < 0)
		close(dir);
	else
		move_to(w, dir);
	return r;
}

/* Its target comes before what is left of the way. */
static int follow(struct walk *w, const char *part, const char *rest)
{
	char target[PATH_MAX], left[sizeof(w->rest)];
	ssize_t n;

	if (++w->links > LINKS_MAX)
		return -ELOOP;
	n = readlinkat(w->s->dir, part, target, sizeof(target));
	if (n < 0)
		return -errno;
	if (n == (ssize_t)sizeof(target))
		return -ENAMETOOLONG;
	target[n] = '\0';
	strcpy(left, rest);
	if (snprintf(w->rest, sizeof(w->rest), "%s/%s", target, left) >=
		(int)sizeof(w->rest))
		return -ENAMETOOLONG;
	return target[0] == '/' ? go_to_root(w) : 0;
}

static int make_folder(const struct walk *w, const char *part)
{
	if (mkdirat(w->s->dir, part, 0755) < 0 ||
		fchmodat(w->s->dir, part, 0755, 0) < 0)
		return -errno;
	return 0;
}

static int step(struct walk *w, const char *part, const char *rest)
{
	struct stat st;
	int r = 0;

	if (strcmp(part, "..") == 0)
		return go_up(w);
	if (fstatat(w->s->dir, part, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		r = errno == ENOENT && w->make ? make_folder(w, part) : -errno;
		return r < 0 ? r : go_down(w, part);
	}
	if (S_ISLNK(st.st_mode))
		return follow(w, part, rest);
	return S_ISDIR(st.st_mode) ? go_down(w, part) : -ENOTDIR;
}

static int walk(struct walk *w)
{
	char part[NAME_MAX + 1];
	int r = go_to_root(w);
	size_t n;

	while (r == 0 && w->rest[0]) {
		n = strcspn(w->rest, "/");
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(part, w->rest, n);
		part[n] = '\0';
		n += strspn(w->rest + n, "/");
		memmove(w->rest, w->rest + n, strlen(w->rest + n) + 1);
		if (part[0] && strcmp(part, ".") != 0)
			r = step(w, part, w->rest);
	}
	return r;
}

static int find(struct image_tree *t, const char *name, bool make,
	struct image_spot *ret, unsigned *links)
{
	struct walk w = {.t = t, .s = ret, .make = make, .links = *links};
	const char *slash = strrchr(name, '/');
	const char *base = slash ? slash + 1 : name;
	int r;

	ret->dir = -1;
	snprintf(w.rest, sizeof(w.rest), "%.*s",
		(int)(slash ? slash - name : 0), name);
	r = walk(&w);
	*links = w.links;
	if (r == 0 && *base)
		r = append(&w, base, strlen(base));
	if (r < 0) {
		image_spot_close(ret);
		return r;
	}
	ret->path[w.len] = '\0';
	ret->base = ret->path + w.len - strlen(base);
	return 0;
}

int image_tree_find(struct image_tree *t, const char *name, bool make,
	struct image_spot *ret, struct err *e)
{
	unsigned links = 0;
	int r = find(t, name, make, ret, &links);

	if (r == -ENOTDIR)
		return err_set(e, r, "its folder is not a folder in the image");
	if (r == -ELOOP)
		return err_set(e, r, "its folder is a loop of links");
	return r < 0 ? err_sys(e, r, "its folder cannot be had") : 0;
}

void image_spot_close(struct image_spot *s)
{
	if (s->dir >= 0)
		close(s->dir);
	s->dir = -1;
}

/* A link at the end: its target, seen from its folder, is the next name. */
static int read_last(const struct image_spot *s, char *name, size_t n)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(s->dir, s->base, target, sizeof(target));
	int used;

	if (len < 0)
		return -errno;
	if (len == 0 || len == (ssize_t)sizeof(target))
		return -ENAMETOOLONG;
	target[len] = '\0';
	used = snprintf(name, n, "%.*s%s",
		target[0] == '/' ? 0 : (int)(s->base - s->path), s->path,
		target);
	return used >= (int)n ? -ENAMETOOLONG : 0;
}

/* Only a regular file is opened: a FIFO would wait, a device do who knows. */
static int open_spot(const struct image_spot *s, struct err *e)
{
	int fd = openat(s->dir, s->base,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, -errno, "open '%s'", s->path) : fd;
}

int image_tree_open_file(struct image_tree *t, const char *name, struct err *e)
{
	char at[PATH_MAX + IMAGE_PATH_MAX];
	struct image_spot s;
	unsigned links = 0;
	struct stat st;
	int r;

	snprintf(at, sizeof(at), "%s", name);
	do {
		r = find(t, at, false, &s, &links);
		if (r < 0)
			return err_sys(e, r, "open '%s'", name);
		if (fstatat(s.dir, s.base, &st, AT_SYMLINK_NOFOLLOW) < 0)
			r = err_sys(e, -errno, "open '%s'", name);
		else if (S_ISREG(st.st_mode))
			r = open_spot(&s, e);
		else if (!S_ISLNK(st.st_mode))
			r = err_set(e, -EINVAL, "'%s' is not a file", name);
		else if (++links > LINKS_MAX)
			r = err_sys(e, -ELOOP, "open '%s'", name);
		else
			r = read_last(&s, at, sizeof(at));
		image_spot_close(&s);
	} while (r == 0 && S_ISLNK(st.st_mode));
	return r;
}
