/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place on Windows: the same folders, but what carries bytes are pipes, which
 * have names and are in no folder. There is no guard, no keeper and no runtime.
 */
#include "ctl/place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "platform/file.h"
#include "platform/host.h"
#include "platform/tool.h"

#define LOCK_TRIES 200
#define LOCK_PAUSE_US 10000

static int join(char *to, const char *a, const char *b)
{
	int n = snprintf(to, CTL_PATH_MAX, "%s\\%s", a, b);

	return n < 0 || n >= CTL_PATH_MAX ? -ENAMETOOLONG : 0;
}

static int place_set_root(struct ctl_place *p, const char *root, struct err *e)
{
	char cwd[CTL_PATH_MAX], *c;
	size_t n;
	int r;

	if (!root)
		return host_own_dir(
			"wisp", sizeof(p->root), p->root, sizeof(p->root), e);
	if (file_is_absolute(root))
		r = (size_t)snprintf(p->root, sizeof(p->root), "%s", root) >=
				    sizeof(p->root)
			    ? -ENAMETOOLONG
			    : 0;
	else if (!*root || *root == '\\' || *root == '/' || root[1] == ':')
		r = -EINVAL; /* of the current drive, or of one's folder */
	else
		r = file_working_folder(cwd, sizeof(cwd));
	if (r == 0 && root && !file_is_absolute(root))
		r = join(p->root, cwd, root);
	if (r < 0)
		return err_sys(e, r, "--root '%s'", root ? root : "");
	for (c = p->root; *c; c++)
		if (*c == '/')
			*c = '\\';
	n = strlen(p->root);
	while (n > 3 && p->root[n - 1] == '\\')
		p->root[--n] = '\0';
	return 0;
}

/* Of two roots with a container of the same name one can run at a time: the
 * shim's pipe is named after namespace and container alone. */
static int name_pipe(char *to, const char *id, const char *what)
{
	int n = snprintf(
		to, CTL_PATH_MAX, "\\\\.\\pipe\\wispctl-%s-%s", id, what);

	return n < 0 || n >= CTL_PATH_MAX ? -ENAMETOOLONG : 0;
}

int ctl_place_init(
	struct ctl_place *p, const char *root, const char *id, struct err *e)
{
	int r;

	p->lock = p->guard_lock = -1;
	r = place_set_root(p, root, e);
	if (r < 0)
		return r;
	p->runtime[0] = p->output[0] = p->attach[0] = '\0';
	snprintf(p->log, sizeof(p->log),
		"\\\\.\\pipe\\containerd-shim-wisp-%s-log", id);
	if (join(p->states, p->root, "state") < 0 ||
		join(p->bundles, p->root, "bundles") < 0 ||
		join(p->state, p->states, id) < 0 ||
		join(p->bundle, p->bundles, id) < 0 ||
		join(p->config, p->bundle, "config.json") < 0 ||
		join(p->record, p->state, "container.json") < 0 ||
		name_pipe(p->in, id, "stdin") < 0 ||
		name_pipe(p->out, id, "stdout") < 0 ||
		name_pipe(p->err, id, "stderr") < 0 ||
		name_pipe(p->events, id, "events") < 0)
		return err_set(e, -ENAMETOOLONG,
			"--root '%s' is too long a path", p->root);
	return 0;
}

int ctl_make_dirs(const char *path, unsigned mode)
{
	char dir[CTL_PATH_MAX], *p;
	int r = 0;

	(void)mode; /* inherited from the folder above */
	if (strlen(path) >= sizeof(dir))
		return -ENAMETOOLONG;
	strcpy(dir, path);
	for (p = strchr(dir, '\\'); r == 0 && p; p = strchr(p + 1, '\\')) {
		*p = '\0';
		if (file_check(dir) < 0 && dir[0] && p[-1] != '\\')
			r = file_make_folder(dir);
		*p = '\\';
	}
	return r < 0 ? r : file_make_folder(dir);
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

int ctl_place_lock_left(struct ctl_place *p)
{
	return ctl_place_lock(p);
}

static int make_own(const char *path, struct err *e)
{
	int r;

	if (file_check(path) == 0)
		return err_set(e, -EEXIST,
			"the name is taken: `wispctl delete` it, or choose "
			"another --name ('%s' is there)",
			path);
	r = file_make_folder(path);
	return r < 0 ? err_sys(e, r, "cannot make '%s'", path) : 0;
}

/* Who comes second finds the folder locked. */
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
		return err_set(e, -EEXIST,
			"the name is taken by somebody who came just now: "
			"choose another --name");
	r = make_own(p->bundle, e);
	if (r < 0) {
		ctl_place_close(p);
		file_remove_folder(p->state);
	}
	return r;
}

void ctl_place_close(struct ctl_place *p)
{
	tool_unlock(p->lock);
	tool_unlock(p->guard_lock);
	p->lock = p->guard_lock = -1;
}

/* Whoever makes a place has it locked before its record is there. */
void ctl_place_remove_empty(struct ctl_place *p, unsigned age_s)
{
	(void)age_s;
	file_remove_folder(p->bundle);
	ctl_place_close(p);
	file_remove_folder(p->state);
}

/* A shim that has left may still be about to end, and a folder that a process
 * works in can't be removed. */
static int remove_soon(const char *path, struct err *e)
{
	int tries = 0, r;

	do {
		r = ctl_remove_tree(path, e);
		if (r < 0)
			usleep(LOCK_PAUSE_US);
	} while (r < 0 && ++tries < LOCK_TRIES);
	return r;
}

/* What was locked is removed after it was let go of: Windows keeps what is
 * open. Whoever locks it in between finds no record. */
int ctl_place_remove(struct ctl_place *p, bool keep_bundle, struct err *e)
{
	int r = keep_bundle ? 0 : remove_soon(p->bundle, e);

	if (r == 0) {
		r = file_remove(p->record);
		if (r < 0)
			err_sys(e, r, "cannot remove '%s'", p->record);
	}
	ctl_place_close(p);
	return r < 0 ? r : remove_soon(p->state, e);
}
