/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/scan.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/json.h"
#include "platform/file.h"
#include "platform/look.h"

#define WORDS_MAX 8192

/* ---- arrays ---- */

/* Room for one more of size bytes behind n; NULL if there is no memory. */
static void *add_one(void *array, size_t n, size_t size)
{
	if (n & (n - 1))
		return array;
	return realloc(array, (n ? 2 * n : 1) * size);
}

static struct scan_container *add_container(
	struct scan_shim *s, const char *id, const char *via)
{
	void *more = add_one(s->containers, s->n, sizeof(*s->containers));
	struct scan_container *c;

	if (!more)
		return NULL;
	s->containers = more;
	c = &s->containers[s->n++];
	memset(c, 0, sizeof(*c));
	snprintf(c->id, sizeof(c->id), "%s", id);
	snprintf(c->via, sizeof(c->via), "%s", via);
	return c;
}

/* ---- what a bundle tells ---- */

static bool read_bootstrap(
	const char *via, char *address, size_t n, unsigned *ret_version)
{
	static const char *const version[] = {"version", NULL};
	const char *text;
	char path[600];
	yajl_val v, number;

	snprintf(path, sizeof(path), "%s/bootstrap.json", via);
	if (ctl_json_read(path, 65536, &v, NULL) < 0)
		return false;
	text = ctl_json_get(v, "address");
	number = yajl_tree_get(v, (const char **)version, yajl_t_number);
	if (text)
		snprintf(address, n, "%s", text);
	if (number && YAJL_IS_INTEGER(number))
		*ret_version = (unsigned)YAJL_GET_INTEGER(number);
	yajl_tree_free(v);
	return *address;
}

static bool read_address(
	const char *via, char *address, size_t n, unsigned *ret_version)
{
	char path[600];

	*address = '\0';
	*ret_version = 2;
	if (read_bootstrap(via, address, n, ret_version))
		return true;
	snprintf(path, sizeof(path), "%s/address", via);
	if (file_read_into(path, address, n) == 0 && *address)
		return true;
	*address = '\0';
	return false;
}

/* Of a container's init; whose child it is tells whose container. */
static void read_init(struct scan_container *c, int64_t *ret_parent)
{
	struct look_process lp;
	char path[600];
	int64_t pid;

	*ret_parent = 0;
	snprintf(path, sizeof(path), "%s/init.pid", c->via);
	if (file_read_pid(path, &pid) < 0)
		return;
	c->made = true;
	if (look_process(pid, &lp) < 0 || lp.state == 'Z')
		return;
	c->pid = pid;
	*ret_parent = lp.parent;
}

/* ---- processes ---- */

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

/* Where it works, which is the bundle of its first container. */
static int read_folder(struct scan_shim *s)
{
	struct stat above = {0}, st;
	char path[1200];
	bool gone;
	ssize_t n;

	snprintf(s->folder, sizeof(s->folder), "/proc/%" PRId64 "/cwd", s->pid);
	n = readlink(s->folder, s->bundle, sizeof(s->bundle) - 1);
	s->hidden = n < 0 && (errno == EACCES || errno == EPERM);
	s->bundle[n > 0 ? n : 0] = '\0';
	snprintf(path, sizeof(path), "/proc/%" PRId64 "/root%s", s->pid,
		s->bundle);
	gone = n <= 0 ||
	       (ends_with(s->bundle, " (deleted)") && stat(path, &st) < 0);
	if (gone && n > 0)
		s->bundle[n - (ssize_t)strlen(" (deleted)")] = '\0';
	snprintf(path, sizeof(path), "%s/..", s->folder);
	if (stat(path, &above) == 0) {
		s->dev = above.st_dev;
		s->ino = above.st_ino;
	}
	return add_container(s, s->words.id, gone ? "" : s->folder) ? 0
								    : -ENOMEM;
}

static int look_at(int64_t pid, struct scan_shim *ret)
{
	char words[WORDS_MAX];
	struct look_process lp;
	ssize_t n = look_words(pid, words, sizeof(words));
	int r;

	memset(ret, 0, sizeof(*ret));
	if (n <= 0 || !scan_parse(words, (size_t)n, &ret->words) ||
		look_process(pid, &lp) < 0)
		return -ESRCH;
	ret->pid = pid;
	ret->parent = lp.parent;
	ret->is_wisp = strcmp(lp.name, "wisp-shim") == 0;
	ret->age_ms = lp.age_ms;
	ret->threads = lp.threads;
	r = read_folder(ret);
	if (r < 0 || !*ret->containers->via)
		return r;
	read_address(
		ret->folder, ret->address, sizeof(ret->address), &ret->version);
	return 0;
}

static bool is_same(const struct scan_shim *a, const struct scan_shim *b)
{
	return strcmp(a->words.ns, b->words.ns) == 0 &&
	       strcmp(a->words.id, b->words.id) == 0;
}

/* `start`, of which the shim is a child, and a child that is about to be a
 * program of its own, have the shim's command line, too. The shim leads a group
 * of processes; so may `start`, but not that child. */
static bool is_passing(const struct scan *all, const struct scan_shim *s)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		const struct scan_shim *o = &all->shims[i];
		bool leads = getpgid((pid_t)o->pid) == o->pid;

		if (o->parent == s->pid && is_same(o, s) && leads)
			return true;
		if (s->parent == o->pid && is_same(o, s) &&
			getpgid((pid_t)s->pid) != s->pid)
			return true;
	}
	return false;
}

static void drop_passing(struct scan *all)
{
	size_t i, n = 0;

	for (i = 0; i < all->n; i++)
		all->shims[i].passing = is_passing(all, &all->shims[i]);
	for (i = 0; i < all->n; i++) {
		if (all->shims[i].passing)
			free(all->shims[i].containers);
		else
			all->shims[n++] = all->shims[i];
	}
	all->n = n;
}

static int find_processes(const char *ns, struct scan *all, struct err *e)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;
	int r = 0;

	if (!dir)
		return err_sys(e, -errno, "read /proc");
	while (r == 0 && (d = readdir(dir))) {
		int64_t pid = strtoll(d->d_name, NULL, 10);
		struct scan_shim s;
		void *more;

		if (pid <= 0)
			continue;
		r = look_at(pid, &s);
		if (r == -ESRCH || (ns && strcmp(ns, s.words.ns) != 0)) {
			free(s.containers);
			r = 0;
			continue;
		}
		more = r == 0 ? add_one(all->shims, all->n, sizeof(s)) : NULL;
		if (!more) {
			free(s.containers);
			r = -ENOMEM;
			break;
		}
		all->shims = more;
		all->shims[all->n++] = s;
	}
	closedir(dir);
	return r < 0 ? err_sys(e, r, "look for shims") : 0;
}

/* ---- bundles beside those of the shims ---- */

static bool is_in(const struct scan_shim *s, const struct scan_shim *folder)
{
	return s->ino == folder->ino && s->dev == folder->dev && s->ino;
}

static bool is_beside(const struct scan_shim *s, const struct scan_shim *folder)
{
	return is_in(s, folder) && !strcmp(s->words.ns, folder->words.ns);
}

/* Whose container the bundle is: the address tells, or, for a shim whose first
 * container's bundle is gone, whose child the container is. */
static struct scan_shim *owner_of(struct scan *all,
	const struct scan_shim *folder, const char *address, int64_t parent)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		struct scan_shim *s = &all->shims[i];

		if (is_beside(s, folder) &&
			(*s->address ? !strcmp(s->address, address)
				     : s->pid == parent))
			return s;
	}
	return NULL;
}

static bool is_own(
	const struct scan *all, const struct scan_shim *folder, const char *id)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (is_beside(&all->shims[i], folder) &&
			strcmp(all->shims[i].words.id, id) == 0)
			return true;
	return false;
}

static int take_beside(
	struct scan *all, const struct scan_shim *folder, const char *id)
{
	struct scan_container c = {0}, *to;
	struct scan_shim *s;
	char address[512];
	unsigned version;
	int64_t parent;

	if (strlen(id) >= sizeof(c.id) || is_own(all, folder, id))
		return 0;
	snprintf(c.via, sizeof(c.via), "%s/../%s", folder->folder, id);
	if (!read_address(c.via, address, sizeof(address), &version))
		return 0;
	read_init(&c, &parent);
	s = owner_of(all, folder, address, parent);
	if (!s)
		return 0;
	if (!*s->address) {
		snprintf(s->address, sizeof(s->address), "%s", address);
		s->version = version;
	}
	snprintf(c.via, sizeof(c.via), "%s/../%s", s->folder, id);
	to = add_container(s, id, c.via);
	if (!to)
		return -ENOMEM;
	to->made = c.made;
	to->pid = c.pid;
	return 0;
}

static int look_beside(struct scan *all, const struct scan_shim *folder)
{
	struct dirent *d;
	char path[80];
	int r = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/..", folder->folder);
	dir = opendir(path);
	while (dir && r == 0 && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			r = take_beside(all, folder, d->d_name);
	if (dir)
		closedir(dir);
	return r;
}

/* The bundle of each, as the shim sees it. */
static void name_bundles(struct scan_shim *s)
{
	const char *end = strrchr(s->bundle, '/');
	size_t i;

	snprintf(s->containers[0].bundle, sizeof(s->containers[0].bundle), "%s",
		s->bundle);
	for (i = 1; end && i < s->n; i++)
		snprintf(s->containers[i].bundle,
			sizeof(s->containers[i].bundle), "%.*s/%s",
			(int)(end - s->bundle), s->bundle, s->containers[i].id);
}

static int find_bundles(struct scan *all)
{
	size_t i, j;
	int r = 0;

	for (i = 0; r == 0 && i < all->n; i++) {
		struct scan_shim *s = &all->shims[i];
		int64_t parent = 0;

		if (*s->containers->via)
			read_init(&s->containers[0], &parent);
		/* an old pid may be somebody else's by now */
		if (s->containers->pid && parent != s->pid &&
			(s->is_wisp || strstr(s->words.program, "runc")))
			s->containers->pid = 0;
		for (j = 0; j < i && !is_beside(&all->shims[j], s); j++)
			;
		if (j == i && s->ino)
			r = look_beside(all, s);
	}
	for (i = 0; i < all->n; i++)
		name_bundles(&all->shims[i]);
	return r;
}

int scan_shims(const char *ns, struct scan *ret, struct err *e)
{
	struct scan all = {0};
	int r = find_processes(ns, &all, e);

	if (r == 0) {
		drop_passing(&all);
		r = find_bundles(&all);
		if (r < 0)
			err_sys(e, r, "look for containers");
	}
	if (r < 0)
		scan_clear(&all);
	else
		*ret = all;
	return r;
}

void scan_clear(struct scan *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		free(s->shims[i].containers);
	free(s->shims);
	*s = (struct scan){0};
}
