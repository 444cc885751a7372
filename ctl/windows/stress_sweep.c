/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl/place.h"
#include "ctl/say.h"
#include "ctl/stress/stress.h"
#include "platform/process.h"
#include "platform/tool.h"

#define PREFIX "stress-"
#define LOCKED_BY_S 10 /* a new folder has its lock by then */
#define TRIES 40
#define PAUSE_US 50000
#define SIGNAL_KILL 9

static void kill_one(int64_t pid)
{
	struct process_ref *ref;

	if (pid <= 4 || process_ref_open(pid, &ref) < 0) /* 4: the system */
		return;
	process_ref_signal(ref, SIGNAL_KILL);
	process_ref_close(ref);
}

/* True if there were any. */
static bool kill_all(const struct stress_where *w)
{
	struct stress_look l = {0};
	const struct stress_items *x = &l.items[STRESS_PROCESSES];
	size_t i;
	bool any;

	stress_look_host(&l, w);
	for (i = 0; i < x->n; i++)
		kill_one(atoll(x->items[i] + strlen("process ")));
	any = x->n > 0;
	stress_look_clear(&l);
	return any;
}

/* Jobs, pipes and handles end with the processes that have them. */
void stress_sweep(const struct stress_where *w)
{
	int tries;

	for (tries = 0; tries < TRIES && kill_all(w); tries++)
		usleep(PAUSE_US);
}

static void sweep_one(const char *dir, const char *tag)
{
	struct stress_items none = {0};
	struct stress_where w = {.tag = tag,
		.dir = dir,
		.runtime = dir,
		.events = "",
		.addresses = &none};
	struct err e = {0};

	stress_sweep(&w);
	if (ctl_remove_tree(dir, &e) < 0)
		ctl_say("stress: what a killed run has left cannot be removed: "
			"%s",
			e.msg);
}

static void sweep_if_left(const char *name, void *arg)
{
	const char *root = arg;
	char dir[CTL_PATH_MAX];
	struct stat st;
	int lock;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 ||
		strlen(name) != strlen(PREFIX "XXXXXX") ||
		snprintf(dir, sizeof(dir), "%s/%s", root, name) >=
			(int)sizeof(dir) ||
		stat(dir, &st) < 0 || !S_ISDIR(st.st_mode) ||
		time(NULL) < st.st_mtime + LOCKED_BY_S)
		return;
	lock = tool_lock(dir);
	if (lock < 0)
		return;
	tool_unlock(lock); /* what is open stays */
	sweep_one(dir, name);
}

void stress_sweep_all(const char *root)
{
	tool_list(root, sweep_if_left, (void *)root);
}
