/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/place.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl/user.h"
#include "platform/mount.h"
#include "platform/tool.h"

#define OPEN_FOLDERS 16 /* at a time, in a tree */
#define LOCK_TRIES 200
#define LOCK_PAUSE_US 10000

static int join(char *to, const char *a, const char *b)
{
	int n = snprintf(to, CTL_PATH_MAX, "%s/%s", a, b);

	return n < 0 || n >= CTL_PATH_MAX ? -ENAMETOOLONG : 0;
}

static int place_set_root(struct ctl_place *p, const char *root, struct err *e)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	char cwd[CTL_PATH_MAX];
	struct ctl_user user;
	int r;

	ctl_user_look(&user);
	if (!root && !user.is_root && xdg && *xdg == '/')
		r = join(p->root, xdg, "wisp");
	else if (!root)
		r = join(p->root, "/run", "wisp");
	else if (*root == '/')
		r = join(p->root, root, "");
	else if (getcwd(cwd, sizeof(cwd)))
		r = join(p->root, cwd, root);
	else
		r = -errno;
	if (r < 0)
		return err_sys(e, r, "--root '%s'", root ? root : "");
	while (strlen(p->root) > 1 && p->root[strlen(p->root) - 1] == '/')
		p->root[strlen(p->root) - 1] = '\0';
	return 0;
}

int ctl_place_init(
	struct ctl_place *p, const char *root, const char *id, struct err *e)
{
	int r;

	p->lock = p->guard_lock = -1;
	r = place_set_root(p, root, e);
	if (r < 0)
		return r;
	if (join(p->states, p->root, "state") < 0 ||
		join(p->bundles, p->root, "bundles") < 0 ||
		join(p->state, p->states, id) < 0 ||
		join(p->bundle, p->bundles, id) < 0 ||
		join(p->config, p->bundle, "config.json") < 0 ||
		join(p->log, p->bundle, "log") < 0 ||
		join(p->record, p->state, "container.json") < 0 ||
		join(p->in, p->state, "stdin") < 0 ||
		join(p->out, p->state, "stdout") < 0 ||
		join(p->err, p->state, "stderr") < 0 ||
		join(p->events, p->state, "events") < 0 ||
		join(p->runtime, p->state, "runtime") < 0 ||
		join(p->output, p->state, "log") < 0 ||
		join(p->attach, p->state, "attach") < 0)
		return err_set(e, -ENAMETOOLONG,
			"--root '%s' is too long a path", p->root);
	return 0;
}

int ctl_make_dirs(const char *path, unsigned mode)
{
	char dir[CTL_PATH_MAX], *p;

	if (strlen(path) >= sizeof(dir))
		return -ENAMETOOLONG;
	strcpy(dir, path);
	for (p = strchr(dir + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(dir, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(dir, mode) < 0 && errno != EEXIST ? -errno : 0;
}

int ctl_place_lock(struct ctl_place *p)
{
	p->lock = tool_lock(p->state);
	return p->lock < 0 ? p->lock : 0;
}

int ctl_place_lock_soon(struct ctl_place *p)
{
	int tries = 0, r;

	do {
		r = ctl_place_lock(p);
		if (r == -EWOULDBLOCK)
			usleep(LOCK_PAUSE_US);
	} while (r == -EWOULDBLOCK && ++tries < LOCK_TRIES);
	return r;
}

int ctl_place_lock_as_guard(struct ctl_place *p)
{
	p->guard_lock = tool_lock(p->runtime);
	return p->guard_lock < 0 ? p->guard_lock : 0;
}

int ctl_place_lock_left(struct ctl_place *p)
{
	int r = ctl_place_lock_as_guard(p);

	if (r == 0 || r == -ENOENT)
		r = ctl_place_lock(p);
	if (r < 0)
		ctl_place_close(p);
	return r;
}

static int make_own(const char *path, struct err *e)
{
	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, -errno, "cannot make '%s'", path);
	return err_set(e, -EEXIST,
		"the name is taken: remove '%s', or choose another --name",
		path);
}

int ctl_place_make(struct ctl_place *p, struct err *e)
{
	int r = ctl_make_dirs(p->states, 0700);

	if (r == 0)
		r = ctl_make_dirs(p->bundles, 0700);
	if (r < 0)
		return err_sys(e, r,
			"cannot make '%s' (choose another folder with --root)",
			p->root);
	r = make_own(p->state, e);
	if (r < 0)
		return r;
	r = ctl_place_lock(p);
	if (r < 0)
		err_sys(e, r, "cannot lock '%s'", p->state);
	if (r == 0)
		r = make_own(p->runtime, e);
	if (r == 0)
		r = make_own(p->bundle, e);
	if (r < 0) {
		ctl_remove_tree(p->state, NULL);
		ctl_place_close(p);
	}
	return r;
}

void ctl_place_close(struct ctl_place *p)
{
	tool_unlock(p->lock);
	tool_unlock(p->guard_lock);
	p->lock = p->guard_lock = -1;
}

static int remove_one(
	const char *path, const struct stat *st, int what, struct FTW *f)
{
	(void)st;
	(void)f;
	if (what == FTW_DP || what == FTW_DNR)
		rmdir(path);
	else
		unlink(path);
	return 0;
}

/* A bind mount of the same file system would look like a part of the tree, so
 * mounts go first; FTW_MOUNT keeps to one file system besides. */
static int remove_folder(const char *path, struct err *e)
{
	struct stat st;
	int r = mount_undo(path, e);

	if (r < 0)
		return r;
	nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	if (lstat(path, &st) == 0)
		return err_set(
			e, -ENOTEMPTY, "cannot remove all of '%s'", path);
	return 0;
}

int ctl_remove_tree(const char *path, struct err *e)
{
	struct stat st;
	char *real;
	int r;

	if (lstat(path, &st) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode))
		return unlink(path) < 0 ? -errno : 0;
	real = realpath(path, NULL); /* as the kernel lists mounts */
	if (!real)
		return err_sys(e, -errno, "cannot remove '%s'", path);
	r = remove_folder(real, e);
	free(real);
	return r;
}

static bool is_kept(const char *name)
{
	static const char *const kept[] = {
		".", "..", "config.json", "rootfs", "seccomp.log"};
	size_t i;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (strcmp(name, kept[i]) == 0)
			return true;
	return false;
}

static void strip_bundle(const struct ctl_place *p)
{
	DIR *d = opendir(p->bundle);
	char path[CTL_PATH_MAX];
	struct dirent *de;

	while (d && (de = readdir(d)))
		if (!is_kept(de->d_name) &&
			join(path, p->bundle, de->d_name) == 0)
			ctl_remove_tree(path, NULL);
	if (d)
		closedir(d);
}

int ctl_place_remove(struct ctl_place *p, bool keep_bundle, struct err *e)
{
	int r = 0;

	if (keep_bundle)
		strip_bundle(p);
	else
		r = ctl_remove_tree(p->bundle, e);
	if (r == 0)
		r = ctl_remove_tree(p->state, e); /* the record with it */
	ctl_place_close(p);
	return r;
}

void ctl_place_remove_empty(struct ctl_place *p, unsigned age_s)
{
	char half[CTL_PATH_MAX];
	struct stat st;

	if (fstat(p->lock, &st) == 0 &&
		st.st_mtim.tv_sec + (time_t)age_s <= time(NULL)) {
		/* see file_write() */
		if (join(half, p->state, "container.json.new") == 0)
			unlink(half);
		rmdir(p->runtime);
		rmdir(p->bundle);
		rmdir(p->state);
	}
	ctl_place_close(p);
}
