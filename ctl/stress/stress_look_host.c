/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <dirent.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/place.h"
#include "ctl/stress/stress_look.h"
#include "platform/look.h"

#define DEPTH_MAX 16
#define HIERARCHIES_MAX 64

static void walk(struct stress_look *l, enum stress_class c, const char *dir,
	unsigned depth, bool folders_only)
{
	char path[CTL_PATH_MAX];
	struct dirent *d;
	struct stat st;
	DIR *open = opendir(dir);

	while (open && (d = readdir(open))) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, d->d_name) >=
				(int)sizeof(path) ||
			lstat(path, &st) < 0)
			continue;
		if (!folders_only || S_ISDIR(st.st_mode))
			stress_look_add(l, c, path);
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			walk(l, c, path, depth + 1, folders_only);
	}
	if (open)
		closedir(open);
}

void stress_look_tree(
	struct stress_look *l, enum stress_class c, const char *dir)
{
	walk(l, c, dir, 0, false);
}

/* NULs become blanks. False if there is nothing. */
static bool read_words(const char *path, char *buf, size_t n)
{
	FILE *f = fopen(path, "re");
	size_t got = 0, i;

	if (f) {
		got = fread(buf, 1, n - 1, f);
		fclose(f);
	}
	for (i = 0; i < got; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	buf[got] = '\0';
	return got > 0;
}

static void look_process_of(
	struct stress_look *l, const struct stress_where *w, const char *pid)
{
	char path[64], command[2048], cgroup[4096], item[300];
	struct look_process p;
	bool ours;

	snprintf(path, sizeof(path), "/proc/%.20s/cmdline", pid);
	/* none: the kernel's; a zombie, which is told of its parent; or it is
	 * just becoming another program, as a container is right after its
	 * start */
	if (!read_words(path, command, sizeof(command)) &&
		(look_process(atoll(pid), &p) < 0 || p.state == 'Z'))
		return;
	ours = strstr(command, w->tag) || strstr(command, w->dir);
	snprintf(path, sizeof(path), "/proc/%.20s/cgroup", pid);
	if (!ours && read_words(path, cgroup, sizeof(cgroup)))
		ours = strstr(cgroup, w->tag);
	if (!ours)
		return;
	snprintf(item, sizeof(item), "process %.20s: %.250s", pid, command);
	stress_look_add(l, STRESS_PROCESSES, item);
}

static void look_processes(struct stress_look *l, const struct stress_where *w)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]) &&
			atoi(d->d_name) != getpid())
			look_process_of(l, w, d->d_name);
	if (dir)
		closedir(dir);
}

/* The fifth word of a line in mountinfo is where it is mounted: proc(5). */
static void look_mounts_in(
	struct stress_look *l, const struct stress_where *w, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL, at[CTL_PATH_MAX];
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0)
		if (sscanf(line, "%*s %*s %*s %*s %1023s", at) == 1 &&
			(strstr(at, w->dir) || strstr(at, w->tag)))
			stress_look_add(l, STRESS_MOUNTS, at);
	free(line);
	if (f)
		fclose(f);
}

static bool same_namespace(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_ino == y.st_ino;
}

static void look_mounts(struct stress_look *l, const struct stress_where *w)
{
	char ns[64], path[64];

	look_mounts_in(l, w, "/proc/self/mountinfo");
	snprintf(ns, sizeof(ns), "/proc/%lld/ns/mnt", (long long)w->shim);
	snprintf(
		path, sizeof(path), "/proc/%lld/mountinfo", (long long)w->shim);
	if (w->shim && !same_namespace(ns, "/proc/self/ns/mnt"))
		look_mounts_in(l, w, path);
}

static void look_cgroups_in(
	struct stress_look *l, const struct stress_where *w, const char *root)
{
	char path[CTL_PATH_MAX];
	DIR *dir = opendir(root);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		if (!strstr(d->d_name, w->tag) ||
			snprintf(path, sizeof(path), "%s/%s", root,
				d->d_name) >= (int)sizeof(path))
			continue;
		stress_look_add(l, STRESS_CGROUPS, path);
		walk(l, STRESS_CGROUPS, path, 0, true);
	}
	if (dir)
		closedir(dir);
}

/* One hierarchy may be mounted more than once. */
static void look_cgroups(struct stress_look *l, const struct stress_where *w)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	dev_t seen[HIERARCHIES_MAX];
	size_t n = 0, i;
	struct mntent *m;
	struct stat st;

	while (mounts && n < HIERARCHIES_MAX && (m = getmntent(mounts))) {
		if ((strcmp(m->mnt_type, "cgroup") != 0 &&
			    strcmp(m->mnt_type, "cgroup2") != 0) ||
			stat(m->mnt_dir, &st) < 0)
			continue;
		for (i = 0; i < n && seen[i] != st.st_dev; i++)
			;
		if (i < n)
			continue;
		seen[n++] = st.st_dev;
		look_cgroups_in(l, w, m->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
}

/* Num RefCount Protocol Flags Type St Inode Path: proc_net(5). */
static void look_sockets(struct stress_look *l, const struct stress_where *w)
{
	FILE *f = fopen("/proc/net/unix", "re");
	char line[512], path[256];
	struct stat st;
	size_t i;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %255s", path) !=
				1 ||
			strcmp(path, w->events) == 0)
			continue;
		if (strstr(path, w->dir))
			stress_look_add(l, STRESS_SOCKETS, path);
	}
	if (f)
		fclose(f);
	for (i = 0; i < w->addresses->n; i++)
		if (lstat(w->addresses->items[i], &st) == 0)
			stress_look_add(
				l, STRESS_SOCKETS, w->addresses->items[i]);
}

void stress_look_host(struct stress_look *l, const struct stress_where *w)
{
	look_processes(l, w);
	look_mounts(l, w);
	look_cgroups(l, w);
	look_sockets(l, w);
	if (w->bundle)
		stress_look_tree(l, STRESS_FILES, w->bundle);
	stress_look_tree(l, STRESS_FILES, w->runtime);
}
