/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl/place.h"
#include "ctl/rootfs.h"
#include "ctl/say.h"
#include "ctl/stress/stress.h"
#include "platform/file.h"
#include "platform/tool.h"

#define PREFIX "stress-"
#define LOCKED_BY_S 10 /* a new folder has its lock by then */
#define TRIES 40
#define PAUSE_US 50000

/* True if there were any. */
static bool kill_all(const struct stress_where *w)
{
	struct stress_look l = {0};
	const struct stress_items *x = &l.items[STRESS_PROCESSES];
	size_t i;
	bool any;

	stress_look_host(&l, w);
	for (i = 0; i < x->n; i++) {
		int pid = atoi(x->items[i] + strlen("process "));

		if (pid > 1)
			kill(pid, SIGKILL);
	}
	any = x->n > 0;
	stress_look_clear(&l);
	return any;
}

void stress_sweep(const struct stress_where *w)
{
	struct stress_look l = {0};
	size_t i;
	int tries;

	for (tries = 0; tries < TRIES && kill_all(w); tries++)
		usleep(PAUSE_US);
	stress_look_host(&l, w);
	for (i = l.items[STRESS_MOUNTS].n; i > 0; i--)
		umount2(l.items[STRESS_MOUNTS].items[i - 1], MNT_DETACH);
	for (i = l.items[STRESS_CGROUPS].n; i > 0; i--)
		rmdir(l.items[STRESS_CGROUPS].items[i - 1]);
	for (i = 0; i < w->addresses->n; i++)
		unlink(w->addresses->items[i]);
	stress_look_clear(&l);
}

/* Shims leave their address in their bundles. */
static void find_addresses(const char *dir, struct stress_items *ret)
{
	char path[CTL_PATH_MAX], text[256];
	struct dirent *d;
	DIR *bundles;

	if (snprintf(path, sizeof(path), "%s/b", dir) >= (int)sizeof(path))
		return;
	bundles = opendir(path);
	while (bundles && (d = readdir(bundles)))
		if (d->d_name[0] != '.' &&
			snprintf(path, sizeof(path), "%s/b/%s/address", dir,
				d->d_name) < (int)sizeof(path) &&
			file_read_into(path, text, sizeof(text)) == 0 &&
			strncmp(text, "unix:///", 8) == 0)
			stress_items_add(ret, text + strlen("unix://"));
	if (bundles)
		closedir(bundles);
}

static void sweep_one(const char *dir, const char *tag)
{
	struct stress_items addresses = {0};
	struct stress_where w = {.tag = tag,
		.dir = dir,
		.runtime = dir,
		.events = "",
		.addresses = &addresses};
	char rootfs[PATH_MAX];
	struct err e = {0};

	find_addresses(dir, &addresses);
	stress_sweep(&w);
	stress_items_clear(&addresses);
	if (ctl_rootfs_choose(dir, tag, rootfs, sizeof(rootfs), NULL) == 0)
		ctl_remove_tree(rootfs, NULL);
	if (ctl_remove_tree(dir, &e) < 0)
		ctl_say("stress: what a killed run has left cannot be removed: "
			"%s",
			e.msg);
}

void stress_sweep_all(const char *root)
{
	char dir[CTL_PATH_MAX];
	struct dirent *d;
	struct stat st;
	DIR *all = opendir(root);
	int lock;

	while (all && (d = readdir(all))) {
		if (strncmp(d->d_name, PREFIX, strlen(PREFIX)) != 0 ||
			strlen(d->d_name) != strlen(PREFIX "XXXXXX") ||
			snprintf(dir, sizeof(dir), "%s/%s", root, d->d_name) >=
				(int)sizeof(dir) ||
			lstat(dir, &st) < 0 || !S_ISDIR(st.st_mode) ||
			time(NULL) < st.st_mtime + LOCKED_BY_S)
			continue;
		lock = tool_lock(dir);
		if (lock < 0)
			continue;
		sweep_one(dir, d->d_name);
		tool_unlock(lock);
	}
	if (all)
		closedir(all);
}
