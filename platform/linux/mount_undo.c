/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/mount_one.h"
#include "platform/mount.h"

/* mountinfo writes space, tab, newline and backslash as \ooo: proc(5) */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] &&
			s[3]) {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 +
				       (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

static bool is_below(const char *path, const char *dir, size_t n)
{
	return strncmp(path, dir, n) == 0 && (path[n] == '/' || !path[n]);
}

/* The last mount on or below target, which is the topmost one. */
static bool last_mount_below(const char *target, char *ret, size_t n)
{
	size_t len = strlen(target), size = 0;
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	bool found = false;

	if (!f)
		return false;
	while (getline(&line, &size, f) > 0) {
		char *save, *point;
		int field;

		point = strtok_r(line, " ", &save);
		for (field = 1; point && field < 5; field++)
			point = strtok_r(NULL, " ", &save);
		if (!point)
			continue;
		unescape(point);
		if (!is_below(point, target, len) || strlen(point) >= n)
			continue;
		strcpy(ret, point);
		found = true;
	}
	free(line);
	fclose(f);
	return found;
}

/* More mounts than that on one rootfs is somebody's bug: stop. */
#define UNDO_MAX 1024

/* A busy mount goes with all that is on it, as soon as it is not busy. */
static int unmount(const char *point)
{
	if (umount2(point, UMOUNT_NOFOLLOW) == 0)
		return 0;
	if (errno == EBUSY && umount2(point, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	return -errno;
}

/* For a folder on which nothing is mounted itself. The kernel has to be asked
 * for all mounts there are, which may be thousands. */
static int undo_below(const char *dir, struct err *e)
{
	char point[4096];
	int i, r;

	for (i = 0; i < UNDO_MAX; i++) {
		if (!last_mount_below(dir, point, sizeof(point)))
			return 0;
		r = unmount(point);
		if (r < 0 && r != -EINVAL && r != -ENOENT)
			return err_sys(e, r, "unmount '%s'", point);
	}
	return err_set(e, -EBUSY, "unmount '%s': still mounted", dir);
}

int mount_undo(const char *target, struct err *e)
{
	char real[4096];
	struct stat st;
	int i, r = 0;

	/* a link leads away from where mount_all() can have mounted */
	if (lstat(target, &st) == 0 && S_ISLNK(st.st_mode))
		return 0;
	for (i = 0; i < UNDO_MAX && r == 0; i++)
		r = unmount(target);
	if (r == -EINVAL && i > 1) /* what was below has gone with it */
		return 0;
	if (!realpath(target, real))
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_sys(e, -errno, "unmount '%s'", target);
	return undo_below(real, e);
}

/* Up to the first that is not there: they are made in this order. */
static size_t count_points(const char *scratch)
{
	char path[4096];
	struct stat st;
	size_t n = 0;

	while ((size_t)snprintf(path, sizeof(path), "%s/%zu", scratch, n) <
			sizeof(path) &&
		lstat(path, &st) == 0)
		n++;
	return n;
}

static int undo_point(const char *path, struct err *e)
{
	int r = mount_undo(path, e);

	if (r == 0 && rmdir(path) < 0 && errno != ENOENT)
		r = err_sys(e, -errno, "remove '%s'", path);
	return r;
}

int mount_undo_all(const char *root, const char *scratch, struct err *e)
{
	char path[4096];
	size_t n = count_points(scratch);
	struct stat st;
	int r = mount_undo(root, e);

	if (r < 0 || lstat(scratch, &st) < 0)
		return r;
	snprintf(path, sizeof(path), "%s/" MOUNT_LOWER, scratch);
	r = undo_point(path, e);
	while (r == 0 && n-- > 0) {
		snprintf(path, sizeof(path), "%s/%zu", scratch, n);
		r = undo_point(path, e);
	}
	return r < 0 ? r : undo_point(scratch, e);
}
