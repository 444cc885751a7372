/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/cgroup.h"
#include "platform/linux/cgroup_path.h"
#include "platform/linux/fd.h"

struct join {
	const char *path;
	bool unified;  /* which kind of hierarchy is looked for */
	unsigned seen; /* hierarchies of that kind */
	unsigned joined;
};

/* 0, -ENOENT if this hierarchy has no such group, or what the kernel says. */
static int join_at(const char *point, const char *path)
{
	char file[2 * CGROUP_PATH_MAX];
	auto_fd int fd = -1;

	snprintf(file, sizeof(file), "%s/%s/cgroup.procs", point, path);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd_write_all(fd, "0", 1);
}

/* mountinfo: id parent dev root point options [tags] - type source super */
static bool line_is(char *line, const char *type, const char **ret_point)
{
	char *tail = strstr(line, " - "), *save = NULL, *word;
	int i;

	if (!tail)
		return false;
	*tail = '\0';
	word = strtok_r(tail + 3, " \n", &save);
	if (!word || strcmp(word, type) != 0)
		return false;
	word = strtok_r(line, " ", &save);
	for (i = 1; word && i < 5; i++)
		word = strtok_r(NULL, " ", &save);
	*ret_point = word;
	return word && strlen(word) < CGROUP_PATH_MAX;
}

static int join_line(struct join *j, char *line, struct err *e)
{
	const char *point;
	int r;

	if (!line_is(line, j->unified ? "cgroup2" : "cgroup", &point))
		return 0;
	j->seen++;
	r = join_at(point, j->path);
	if (r == 0)
		j->joined++;
	else if (r != -ENOENT)
		return err_sys(e, r, "join cgroup '%s/%s'", point, j->path);
	return 0;
}

static int join_all(struct join *j, struct err *e)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	int r = 0;

	if (!f)
		return err_sys(e, -errno, "/proc/self/mountinfo");
	while (getline(&line, &size, f) > 0) {
		int one = join_line(j, line, e);

		r = r < 0 ? r : one; /* the others are tried all the same */
	}
	free(line);
	fclose(f);
	return r;
}

int cgroup_join(const char *path, struct err *e)
{
	struct join j = {.path = path + strspn(path, "/")};
	int r;

	if (strlen(path) >= CGROUP_PATH_MAX)
		return err_set(e, -ENAMETOOLONG, "cgroup path is too long");
	r = join_all(&j, e);
	if (r == 0 && j.seen == 0) {
		j.unified = true;
		r = join_all(&j, e);
	}
	if (r == 0 && j.joined == 0)
		r = err_set(e, -ENOENT, "there is no cgroup '%s'", path);
	return r;
}
