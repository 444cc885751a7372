/* SPDX-License-Identifier: Apache-2.0 */
/* root, what is run in it, and hooks: the files of this host. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ctl/spec/check.h"
#include "platform/auto.h"
#include "platform/file.h"

#define MOUNTS_MAX 1000 /* that are looked at for each name */

static const struct doc_node *in_process(
	const struct check *c, const char *key, enum doc_type type)
{
	return doc_get_type(doc_get(c->doc.top, "process"), key, type);
}

/* Whether something is mounted there, of which we know nothing. */
static bool is_mounted_over(const struct check *c, const char *path)
{
	const struct doc_node *i =
		doc_get_type(c->doc.top, "mounts", DOC_ARRAY);
	const char *at;
	size_t n;

	for (i = i ? i->first : NULL; i; i = i->next) {
		at = doc_get_text(i, "destination");
		if (i->index >= MOUNTS_MAX)
			return true; /* who knows */
		n = at ? strlen(at) : 0;
		while (n > 0 && at[n - 1] == '/')
			n--;
		if (at && strncmp(path, at, n) == 0 &&
			(path[n] == '/' || !path[n]))
			return true;
	}
	return false;
}

/* As the container sees it: links lead no further than the root. 0 or a
 * negative errno. */
static int look_inside(int root, const char *path, struct stat *ret)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, ret) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* 0: can be run; -ENOENT, -EACCES; or something that tells us nothing. */
static int look_for(const struct check *c, int root, const char *path)
{
	struct stat st = {0};
	int r = is_mounted_over(c, path) ? -EBUSY
					 : look_inside(root, path, &st);

	if (r == -ENOTDIR || r == -ELOOP)
		return -ENOENT;
	if (r < 0)
		return r;
	return S_ISREG(st.st_mode) && (st.st_mode & 0111) ? 0 : -EACCES;
}

static int look_along(
	const struct check *c, int root, const char *dirs, const char *name)
{
	char path[FILE_PATH_MAX];
	int r, found = -ENOENT;

	while (true) {
		size_t n = strcspn(dirs, ":");

		if (n < sizeof(path)) {
			snprintf(path, sizeof(path), "%.*s/%s", (int)n, dirs,
				name);
			r = look_for(c, root, path);
			if (r != -ENOENT)
				found = r;
			if (r != -ENOENT && r != -EACCES)
				return r;
		}
		if (!dirs[n])
			return found;
		dirs += n + 1;
	}
}

static const char *path_variable(const struct check *c)
{
	const struct doc_node *i = in_process(c, "env", DOC_ARRAY);
	const char *found = NULL;

	for (i = i ? i->first : NULL; i; i = i->next)
		if (doc_text(i) && strncmp(i->text, "PATH=", 5) == 0)
			found = i->text + 5;
	return found;
}

static void check_program(struct check *c, int root)
{
	const struct doc_node *args = in_process(c, "args", DOC_ARRAY);
	const struct doc_node *cwd = in_process(c, "cwd", DOC_STRING);
	const char *name = args ? doc_text(args->first) : NULL;
	const char *dirs = path_variable(c);
	char path[FILE_PATH_MAX];
	int r;

	if (!name || !*name)
		return;
	if (strchr(name, '/')) {
		snprintf(path, sizeof(path), "%s%s%s",
			name[0] == '/' || !cwd ? "" : cwd->text,
			name[0] == '/' ? "" : "/", name);
		r = look_for(c, root, path);
	} else if (dirs && strlen(dirs) < FILE_PATH_MAX) {
		r = look_along(c, root, dirs, name);
	} else {
		return; /* told already */
	}
	if (r == -ENOENT)
		check_warn(
			c, args->first, "'%.80s' is not in the rootfs", name);
	else if (r == -EACCES)
		check_warn(c, args->first,
			"'%.80s' is in the rootfs, but cannot be executed",
			name);
	if (r == -ENOENT && !strchr(name, '/'))
		check_hint(c, "looked for along PATH=%.300s", dirs);
}

/* runc wants no link there. */
static void check_rootfs(struct check *c, const struct doc_node *path)
{
	auto_free char *full = NULL, *real = NULL;
	int fd, n;

	n = asprintf(&full, "%s%s%s", path->text[0] == '/' ? "" : c->bundle,
		path->text[0] == '/' ? "" : "/", path->text);
	if (n < 0) {
		full = NULL;
		c->no_memory = true;
		return;
	}
	while (n > 1 && full[n - 1] == '/')
		full[--n] = '\0';
	real = realpath(full, NULL);
	fd = real ? open(real, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0) {
		check_error(
			c, path, "'%.200s': %s", path->text, strerror(errno));
		if (path->text[0] != '/')
			check_hint(c, "it is looked for in the bundle: %.300s",
				full);
		return;
	}
	check_program(c, fd);
	close(fd);
}

void check_root(struct check *c)
{
	const struct doc_node *root = doc_get(c->doc.top, "root");
	const struct doc_node *path = doc_get_type(root, "path", DOC_STRING);

	if (c->os == CHECK_WINDOWS)
		return;
	if (!root) {
		check_missing(c, c->doc.top, "root",
			"is missing: the container has no files");
		return;
	}
	if (!path)
		return;
	if (!*path->text)
		check_error(c, path, "is empty");
	else if (c->bundle)
		check_rootfs(c, path);
}

static void check_hook(
	struct check *c, const struct doc_node *v, bool on_host, bool matters)
{
	const struct doc_node *path = doc_get_type(v, "path", DOC_STRING);
	const struct doc_node *timeout = doc_get(v, "timeout");
	long long n;

	if (timeout && doc_int(timeout, &n) && n < 1)
		check_error(c, timeout, "%lld must be at least 1 second", n);
	if (!path)
		return;
	if (path->text[0] != '/') {
		check_error(c, path, "'%.80s' must be an absolute path",
			path->text);
	} else if (on_host && c->bundle && access(path->text, X_OK) < 0) {
		const char *why = strerror(errno);

		if (matters)
			check_error(c, path, "'%.200s' cannot be run: %s",
				path->text, why);
		else
			check_warn(c, path, "'%.200s' cannot be run: %s",
				path->text, why);
	}
}

/* config.md, "POSIX-platform Hooks": a hook after the start only warns. */
void check_hooks(struct check *c)
{
	static const struct {
		const char *name;
		bool on_host, matters;
	} kinds[] = {{"prestart", true, true}, {"createRuntime", true, true},
		{"createContainer", true, true},
		{"startContainer", false, true}, {"poststart", true, false},
		{"poststop", true, false}};
	const struct doc_node *hooks = doc_get_type(
				      c->doc.top, "hooks", DOC_OBJECT),
			      *v;
	size_t i;

	if (hooks && c->os == CHECK_WINDOWS) {
		check_warn_key(c, hooks, "mean nothing on Windows");
		return;
	}
	for (i = 0; hooks && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		v = doc_get_type(hooks, kinds[i].name, DOC_ARRAY);
		for (v = v ? v->first : NULL; v; v = v->next)
			check_hook(c, v, kinds[i].on_host, kinds[i].matters);
	}
}
