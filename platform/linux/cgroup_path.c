/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/cgroup_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/auto.h"

static FILE *open_proc(int64_t pid)
{
	char path[64];

	if (pid == 0)
		return fopen("/proc/self/cgroup", "re");
	snprintf(path, sizeof(path), "/proc/%lld/cgroup", (long long)pid);
	return fopen(path, "re");
}

/* Whether a comma separated list has this word. */
static bool list_has(const char *list, const char *word)
{
	size_t n = strlen(word);
	const char *p = list;

	while ((p = strstr(p, word))) {
		if ((p == list || p[-1] == ',') && (p[n] == ',' || !p[n]))
			return true;
		p += n;
	}
	return false;
}

/* "4:memory:/a/b" or "0::/a/b", in place. */
struct group_line {
	char *list; /* controllers; "" is the unified hierarchy */
	char *path;
};

static bool group_split(char *line, struct group_line *ret)
{
	line[strcspn(line, "\n")] = '\0';
	ret->list = strchr(line, ':');
	ret->path = ret->list ? strchr(ret->list + 1, ':') : NULL;
	if (!ret->path)
		return false;
	*ret->list++ = *ret->path++ = '\0';
	return *ret->list || strcmp(line, "0") == 0;
}

/* True if the line is the controller's. */
static bool group_is(const struct group_line *g, const char *controller)
{
	return *controller ? list_has(g->list, controller) : !*g->list;
}

static int path_within(int64_t pid, const char *controller, char *buf, size_t n)
{
	FILE *f = open_proc(pid);
	struct group_line g;
	char *line = NULL;
	size_t size = 0;
	int r = -ENOENT;

	if (!f)
		return -errno;
	while (r == -ENOENT && getline(&line, &size, f) > 0)
		if (group_split(line, &g) && group_is(&g, controller))
			r = (size_t)snprintf(buf, n, "%s", g.path) < n
				    ? 0
				    : -ENAMETOOLONG;
	free(line);
	fclose(f);
	return r;
}

/* mountinfo: id parent dev root point options [tags] - type source super */
struct mount_line {
	char *type, *super, *root, *point;
};

static bool mount_split(char *line, struct mount_line *ret)
{
	char *tail = strstr(line, " - "), *save;
	int i;

	if (!tail)
		return false;
	*tail = '\0';
	ret->type = strtok_r(tail + 3, " \n", &save);
	strtok_r(NULL, " \n", &save);
	ret->super = strtok_r(NULL, " \n", &save);
	if (!ret->type || !ret->super || strncmp(ret->type, "cgroup", 6) != 0)
		return false;
	strtok_r(line, " ", &save);
	for (i = 0; i < 2; i++)
		strtok_r(NULL, " ", &save);
	ret->root = strtok_r(NULL, " ", &save);
	ret->point = strtok_r(NULL, " ", &save);
	return ret->point != NULL;
}

static bool mount_is(const struct mount_line *m, const char *controller)
{
	if (!*controller)
		return strcmp(m->type, "cgroup2") == 0;
	return strcmp(m->type, "cgroup") == 0 && list_has(m->super, controller);
}

int cgroup_mount_point(
	const char *controller, char *point, char *root, size_t n)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	struct mount_line m;
	char *line = NULL;
	size_t size = 0;
	int ret = -ENOENT;

	if (!f)
		return -errno;
	while (ret == -ENOENT && getline(&line, &size, f) > 0) {
		if (!mount_split(line, &m) || !mount_is(&m, controller))
			continue;
		if (strlen(m.root) >= n || strlen(m.point) >= n) {
			ret = -ENAMETOOLONG;
			continue;
		}
		strcpy(root, m.root);
		strcpy(point, m.point);
		ret = 0;
	}
	free(line);
	fclose(f);
	return ret;
}

/* Where nearly every host has them (file-hierarchy(7) of systemd): a host with
 * thousands of mounts is spared the reading of its mountinfo. */
static bool usual_place(
	const char *controller, const char *within, char *buf, size_t n)
{
	const char *folder = *controller ? controller : "unified";
	int len;

	if (*controller || access("/sys/fs/cgroup/cgroup.procs", F_OK) < 0)
		len = snprintf(buf, n, "/sys/fs/cgroup/%s%s", folder, within);
	else
		len = snprintf(buf, n, "/sys/fs/cgroup%s", within);
	if (len < 0 || (size_t)len >= n || strstr(within, "/..") ||
		access(buf, F_OK) < 0)
		return false;
	if (buf[len - 1] == '/')
		buf[len - 1] = '\0';
	return true;
}

/* The part of a group's path that is below what is mounted. */
static const char *below(const char *within, const char *root)
{
	size_t len = strlen(root);

	if (len > 1 && strncmp(within, root, len) == 0 &&
		(within[len] == '/' || !within[len]))
		within += len;
	return strcmp(within, "/") == 0 ? "" : within;
}

int cgroup_path(int64_t pid, const char *controller, char *buf, size_t n)
{
	char within[CGROUP_PATH_MAX], point[CGROUP_PATH_MAX];
	char root[CGROUP_PATH_MAX];
	int r;

	r = path_within(pid, controller, within, sizeof(within));
	if (r == 0 && usual_place(controller, within, buf, n))
		return 0;
	if (r == 0)
		r = cgroup_mount_point(controller, point, root, sizeof(root));
	if (r < 0)
		return r;
	if ((size_t)snprintf(buf, n, "%s%s", point, below(within, root)) >= n)
		return -ENAMETOOLONG;
	return access(buf, F_OK) < 0 ? -errno : 0;
}

bool cgroup_path_mentions(int64_t pid, const char *text)
{
	FILE *f = open_proc(pid);
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	if (!f)
		return false;
	while (!found && getline(&line, &size, f) > 0)
		found = strstr(line, text) != NULL;
	free(line);
	fclose(f);
	return found;
}

static const char *const dir_names[CGROUP_V1_DIRS] = {
	[CGROUP_DIR_CPU] = "cpu",
	[CGROUP_DIR_CPUACCT] = "cpuacct",
	[CGROUP_DIR_MEMORY] = "memory",
	[CGROUP_DIR_PIDS] = "pids",
	[CGROUP_DIR_BLKIO] = "blkio",
	[CGROUP_DIR_HUGETLB] = "hugetlb",
	[CGROUP_DIR_RDMA] = "rdma",
};

/* The paths within their hierarchies. */
static void dirs_within(int64_t pid, struct cgroup_dirs *ret)
{
	FILE *f = open_proc(pid);
	struct group_line g;
	char *line = NULL;
	size_t i, size = 0;

	while (f && getline(&line, &size, f) > 0) {
		if (!group_split(line, &g))
			continue;
		for (i = 0; i < CGROUP_V1_DIRS; i++)
			if (!ret->v1[i] && group_is(&g, dir_names[i]))
				ret->v1[i] = strdup(g.path);
	}
	free(line);
	if (f)
		fclose(f);
}

static char *join(const struct mount_line *m, const char *within)
{
	const char *rest = below(within, m->root);
	size_t n = strlen(m->point) + strlen(rest) + 1;
	char *path = malloc(n);

	if (path)
		snprintf(path, n, "%s%s", m->point, rest);
	return path;
}

static void dirs_mounted(
	const struct cgroup_dirs *within, struct cgroup_dirs *ret)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	struct mount_line m;
	char *line = NULL;
	size_t i, size = 0;

	while (f && getline(&line, &size, f) > 0) {
		if (!mount_split(line, &m))
			continue;
		for (i = 0; i < CGROUP_V1_DIRS; i++)
			if (within->v1[i] && !ret->v1[i] &&
				mount_is(&m, dir_names[i]))
				ret->v1[i] = join(&m, within->v1[i]);
	}
	free(line);
	if (f)
		fclose(f);
}

void cgroup_dirs_find(int64_t pid, struct cgroup_dirs *ret)
{
	struct cgroup_dirs theirs = {{0}}, ours = {{0}};
	size_t i;

	memset(ret, 0, sizeof(*ret));
	dirs_within(pid, &theirs);
	dirs_within(0, &ours);
	for (i = 0; i < CGROUP_V1_DIRS; i++)
		if (theirs.v1[i] && ours.v1[i] &&
			strcmp(theirs.v1[i], ours.v1[i]) == 0)
			free(ptr_take(&theirs.v1[i]));
	dirs_mounted(&theirs, ret);
	cgroup_dirs_clear(&theirs);
	cgroup_dirs_clear(&ours);
}

void cgroup_dirs_clear(struct cgroup_dirs *dirs)
{
	size_t i;

	for (i = 0; i < CGROUP_V1_DIRS; i++)
		free(ptr_take(&dirs->v1[i]));
}
