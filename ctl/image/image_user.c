/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/image/image_user.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (4u << 20)
#define FIELDS 7 /* of passwd(5); group(5) has four */

static bool is_number(const char *text, uint32_t *ret)
{
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)*text) || strlen(text) > 10)
		return false;
	n = strtoull(text, &end, 10);
	if (*end || n >= UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static int read_fd(int fd, const char *name, char **ret, struct err *e)
{
	struct stat st;
	size_t have = 0, size;
	ssize_t n = 1;
	char *text;

	if (fstat(fd, &st) < 0)
		return err_sys(e, -errno, "read '%s'", name);
	if (st.st_size > FILE_MAX)
		return err_set(e, -EFBIG, "'%s' is too big", name);
	size = (size_t)st.st_size;
	text = malloc(size + 1);
	if (!text)
		return err_sys(e, -ENOMEM, "read '%s'", name);
	while (have < size && n > 0) {
		n = read(fd, text + have, size - have);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			have += (size_t)n;
	}
	if (n < 0) {
		free(text);
		return err_sys(e, -errno, "read '%s'", name);
	}
	text[have] = '\0';
	*ret = text;
	return 0;
}

/* *ret is NULL if the image has no such file. */
static int read_file(
	struct image_tree *t, const char *name, char **ret, struct err *e)
{
	struct err why = {0};
	int fd = image_tree_open_file(t, name, &why), r;

	*ret = NULL;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return err_set(e, fd, "%s", why.msg);
	r = read_fd(fd, name, ret, e);
	close(fd);
	return r;
}

/* The next line, cut in its fields, those that it lacks being empty. */
static void next_line(char **rest, char *fields[FIELDS])
{
	static char none[1];
	char *line = strsep(rest, "\n");
	size_t i;

	for (i = 0; i < FIELDS; i++) {
		fields[i] = strsep(&line, ":");
		if (!fields[i])
			fields[i] = none;
	}
}

/* By name first, then by number, as the entries come. */
static bool find_user(char *passwd, const char *user, char *name, size_t name_n,
	struct image_user *ret)
{
	uint32_t wanted = 0, uid, gid;
	bool numeric = is_number(user, &wanted);
	char *f[FIELDS];

	while (passwd) {
		next_line(&passwd, f);
		if (!is_number(f[2], &uid) || !is_number(f[3], &gid) ||
			(strcmp(f[0], user) != 0 &&
				!(numeric && uid == wanted)))
			continue;
		ret->uid = uid;
		ret->gid = gid;
		if (f[5][0] == '/')
			snprintf(ret->home, sizeof(ret->home), "%s", f[5]);
		snprintf(name, name_n, "%s", f[0]);
		return true;
	}
	ret->uid = wanted;
	return numeric;
}

static bool find_group(char *text, const char *group, uint32_t *ret)
{
	uint32_t wanted = 0, gid;
	bool numeric = is_number(group, &wanted);
	char *f[FIELDS];

	while (text) {
		next_line(&text, f);
		if (!is_number(f[2], &gid) || strcmp(f[0], group) != 0)
			continue;
		*ret = gid;
		return true;
	}
	if (numeric)
		*ret = wanted;
	return numeric;
}

static bool is_listed(char *list, const char *name)
{
	char *member;

	while ((member = strsep(&list, ",")))
		if (strcmp(member, name) == 0)
			return true;
	return false;
}

static void add_groups(char *text, const char *name, struct image_user *ret)
{
	char *f[FIELDS];
	uint32_t gid;

	while (text && *name) {
		next_line(&text, f);
		if (is_number(f[2], &gid) && is_listed(f[3], name) &&
			ret->n_groups < IMAGE_GROUPS_MAX)
			ret->groups[ret->n_groups++] = gid;
	}
}

static int find(char *passwd, char *group, const char *user,
	const char *wanted_group, struct image_user *ret, struct err *e)
{
	char name[256] = "";

	if (!find_user(passwd, user, name, sizeof(name), ret))
		return err_set(e, -ENOENT,
			"the image's /etc/passwd has no user '%.100s'", user);
	if (!*wanted_group)
		add_groups(group, name, ret);
	else if (!find_group(group, wanted_group, &ret->gid))
		return err_set(e, -ENOENT,
			"the image's /etc/group has no group '%.100s'",
			wanted_group);
	return 0;
}

int image_user_find(struct image_tree *t, const char *user,
	struct image_user *ret, struct err *e)
{
	char *passwd = NULL, *group = NULL, *own = strdup(user ? user : ""), *g;
	int r;

	*ret = (struct image_user){.home = "/"};
	if (!own)
		return err_sys(e, -ENOMEM, "user");
	g = own + strcspn(own, ":");
	if (*g)
		*g++ = '\0';
	r = read_file(t, "etc/passwd", &passwd, e);
	if (r == 0)
		r = read_file(t, "etc/group", &group, e);
	if (r == 0)
		r = find(passwd, group, *own ? own : "0", g, ret, e);
	free(passwd);
	free(group);
	free(own);
	return r;
}
