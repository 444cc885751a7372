/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/cgroup_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* "4:memory:/a/b" or "0::/a/b": true if the line is the controller's. */
static bool line_is(char *line, const char *controller, const char **ret_path)
{
	char *list, *path;

	line[strcspn(line, "\n")] = '\0';
	list = strchr(line, ':');
	path = list ? strchr(list + 1, ':') : NULL;
	if (!path)
		return false;
	*list++ = *path++ = '\0';
	*ret_path = path;
	if (!*controller)
		return strcmp(line, "0") == 0 && !*list;
	return list_has(list, controller);
}

static int path_within(int64_t pid, const char *controller, char *buf, size_t n)
{
	FILE *f = open_proc(pid);
	char *line = NULL;
	const char *path;
	size_t size = 0;
	int r = -ENOENT;

	if (!f)
		return -errno;
	while (r == -ENOENT && getline(&line, &size, f) > 0)
		if (line_is(line, controller, &path))
			r = (size_t)snprintf(buf, n, "%s", path) < n
				    ? 0
				    : -ENAMETOOLONG;
	free(line);
	fclose(f);
	return r;
}

/* mountinfo: id parent dev root point options [tags] - type source super */
static bool mount_is(
	char *line, const char *controller, char **ret_root, char **ret_point)
{
	char *tail = strstr(line, " - "), *save, *type, *super;
	int i;

	if (!tail)
		return false;
	*tail = '\0';
	type = strtok_r(tail + 3, " \n", &save);
	strtok_r(NULL, " \n", &save);
	super = strtok_r(NULL, " \n", &save);
	if (!type || !super)
		return false;
	if (!*controller ? strcmp(type, "cgroup2") != 0
			 : strcmp(type, "cgroup") != 0 ||
				   !list_has(super, controller))
		return false;
	strtok_r(line, " ", &save);
	for (i = 0; i < 2; i++)
		strtok_r(NULL, " ", &save);
	*ret_root = strtok_r(NULL, " ", &save);
	*ret_point = strtok_r(NULL, " ", &save);
	return *ret_point != NULL;
}

int cgroup_mount_point(
	const char *controller, char *point, char *root, size_t n)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, *r, *p;
	size_t size = 0;
	int ret = -ENOENT;

	if (!f)
		return -errno;
	while (ret == -ENOENT && getline(&line, &size, f) > 0) {
		if (!mount_is(line, controller, &r, &p))
			continue;
		if (strlen(r) >= n || strlen(p) >= n) {
			ret = -ENAMETOOLONG;
			continue;
		}
		strcpy(root, r);
		strcpy(point, p);
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

int cgroup_path(int64_t pid, const char *controller, char *buf, size_t n)
{
	char within[CGROUP_PATH_MAX], point[CGROUP_PATH_MAX];
	char root[CGROUP_PATH_MAX];
	const char *rest = within;
	size_t len;
	int r;

	r = path_within(pid, controller, within, sizeof(within));
	if (r == 0 && usual_place(controller, within, buf, n))
		return 0;
	if (r == 0)
		r = cgroup_mount_point(controller, point, root, sizeof(root));
	if (r < 0)
		return r;
	len = strlen(root);
	if (len > 1 && strncmp(within, root, len) == 0 &&
		(within[len] == '/' || !within[len]))
		rest = within + len;
	if (strcmp(rest, "/") == 0)
		rest = "";
	if ((size_t)snprintf(buf, n, "%s%s", point, rest) >= n)
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
