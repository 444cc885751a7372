/* SPDX-License-Identifier: Apache-2.0 */
/* What there is of a run on Windows: everything is a handle, a process or a
 * file. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/place.h"
#include "ctl/stress/stress_look.h"
#include "platform/listener.h"
#include "platform/look.h"
#include "platform/tool.h"

#define DEPTH_MAX 16
#define CONTAINER_ROOTS "C:\\hpc" /* where bind filters are missing */

const char *const stress_open_word = "handle";

static const struct {
	const char *key, *title;
} names[STRESS_N_CLASSES] = {
	[STRESS_FD_EVENTFD] = {"handleEvents", "handles: events"},
	[STRESS_FD_FILE] = {"handleFiles", "handles: files, pipes"},
	[STRESS_FD_PROCESS] = {"handleProcesses", "handles: processes"},
	[STRESS_FD_THREAD] = {"handleThreads", "handles: threads"},
	[STRESS_FD_JOB] = {"handleJobs", "handles: jobs"},
	[STRESS_FD_OTHER] = {"handleOthers", "handles: others"},
	[STRESS_CHILDREN] = {"children", "children"},
	[STRESS_PROCESSES] = {"processes", "processes on the host"},
	[STRESS_MOUNTS] = {"roots", "roots in " CONTAINER_ROOTS},
	[STRESS_SOCKETS] = {"pipes", "pipes of shims"},
	[STRESS_FILES] = {"files", "files"},
	[STRESS_LEAVINGS] = {"leavings", "files in deleted bundles"},
};

const char *stress_class_title(enum stress_class c)
{
	return names[c].title;
}

const char *stress_class_key(enum stress_class c)
{
	return names[c].key;
}

enum stress_class stress_class_of(int64_t pid, const struct look_open *o)
{
	static const struct {
		const char *what;
		enum stress_class c;
	} kinds[] = {
		{"Event", STRESS_FD_EVENTFD},
		{"File", STRESS_FD_FILE},
		{"Process", STRESS_FD_PROCESS},
		{"Thread", STRESS_FD_THREAD},
		{"Job", STRESS_FD_JOB},
	};
	size_t i;

	(void)pid;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].what, o->what) == 0)
			return kinds[i].c;
	return STRESS_FD_OTHER;
}

void stress_look_into(
	struct stress_look *l, int64_t pid, int number, enum stress_class c)
{
	(void)l;
	(void)pid;
	(void)number;
	(void)c;
}

struct walk {
	struct stress_look *look;
	enum stress_class c;
	const char *dir;
	unsigned depth;
};

static void walk_one(const char *name, void *arg)
{
	struct walk *w = arg, below = *w;
	char *path = malloc(CTL_PATH_MAX);

	if (path && snprintf(path, CTL_PATH_MAX, "%s\\%s", w->dir, name) <
			    CTL_PATH_MAX) {
		stress_look_add(w->look, w->c, path);
		below.dir = path;
		below.depth++;
		if (below.depth < DEPTH_MAX) /* a file has nothing in it */
			tool_list(path, walk_one, &below);
	}
	free(path);
}

void stress_look_tree(
	struct stress_look *l, enum stress_class c, const char *dir)
{
	struct walk w = {l, c, dir, 0};

	tool_list(dir, walk_one, &w);
}

struct looking {
	struct stress_look *look;
	const struct stress_where *where;
};

/* The command lines of shims have the id, those of containers the tag. */
static void look_process_of(int64_t pid, void *arg)
{
	struct looking *x = arg;
	char command[2048], item[300];

	if (pid == getpid() || look_command(pid, command, sizeof(command)) == 0)
		return;
	if (!strstr(command, x->where->tag) && !strstr(command, x->where->dir))
		return;
	snprintf(item, sizeof(item), "process %" PRId64 ": %.250s", pid,
		command);
	stress_look_add(x->look, STRESS_PROCESSES, item);
}

static void look_root(const char *name, void *arg)
{
	struct looking *x = arg;
	char item[300];

	if (!strstr(name, x->where->tag))
		return;
	snprintf(item, sizeof(item), CONTAINER_ROOTS "\\%.250s", name);
	stress_look_add(x->look, STRESS_MOUNTS, item);
}

void stress_look_host(struct stress_look *l, const struct stress_where *w)
{
	struct looking x = {l, w};
	size_t i;

	look_all(look_process_of, &x);
	tool_list(CONTAINER_ROOTS, look_root, &x);
	for (i = 0; i < w->addresses->n; i++)
		if (listener_probe(w->addresses->items[i]) == 0)
			stress_look_add(
				l, STRESS_SOCKETS, w->addresses->items[i]);
	if (w->bundle)
		stress_look_tree(l, STRESS_FILES, w->bundle);
	stress_look_tree(l, STRESS_FILES, w->runtime);
}
