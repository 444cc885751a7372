/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/mount.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* mount(2) copies at most a page of data, its last byte a NUL */
#define MOUNT_DATA_MAX 4096

static const struct mount_flag {
	const char *name;
	unsigned long set, clear;
} mount_flags[] = {
	{"async", 0, MS_SYNCHRONOUS},
	{"atime", 0, MS_NOATIME},
	{"bind", MS_BIND, 0},
	{"defaults", 0, 0},
	{"dev", 0, MS_NODEV},
	{"diratime", 0, MS_NODIRATIME},
	{"dirsync", MS_DIRSYNC, 0},
	{"exec", 0, MS_NOEXEC},
	{"lazytime", MS_LAZYTIME, 0},
	{"mand", MS_MANDLOCK, 0},
	{"noatime", MS_NOATIME, 0},
	{"nodev", MS_NODEV, 0},
	{"nodiratime", MS_NODIRATIME, 0},
	{"noexec", MS_NOEXEC, 0},
	{"nomand", 0, MS_MANDLOCK},
	{"norelatime", 0, MS_RELATIME},
	{"nostrictatime", 0, MS_STRICTATIME},
	{"nosuid", MS_NOSUID, 0},
	{"rbind", MS_BIND | MS_REC, 0},
	{"relatime", MS_RELATIME, 0},
	{"remount", MS_REMOUNT, 0},
	{"ro", MS_RDONLY, 0},
	{"rw", 0, MS_RDONLY},
	{"strictatime", MS_STRICTATIME, 0},
	{"suid", 0, MS_NOSUID},
	{"sync", MS_SYNCHRONOUS, 0},
};

static const struct mount_flag mount_propagation[] = {
	{"private", MS_PRIVATE, 0},
	{"rprivate", MS_PRIVATE | MS_REC, 0},
	{"rshared", MS_SHARED | MS_REC, 0},
	{"rslave", MS_SLAVE | MS_REC, 0},
	{"runbindable", MS_UNBINDABLE | MS_REC, 0},
	{"shared", MS_SHARED, 0},
	{"slave", MS_SLAVE, 0},
	{"unbindable", MS_UNBINDABLE, 0},
};

struct mount_args {
	unsigned long flags, propagation;
	char data[MOUNT_DATA_MAX];
	size_t n;
};

static const struct mount_flag *flag_find(
	const struct mount_flag *table, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

#define FLAG_FIND(table, name) \
	flag_find(table, sizeof(table) / sizeof((table)[0]), name)

static int args_add(struct mount_args *a, const char *option)
{
	const struct mount_flag *f = FLAG_FIND(mount_flags, option);
	size_t len = strlen(option);

	if (f) {
		a->flags = (a->flags & ~f->clear) | f->set;
		return 0;
	}
	f = FLAG_FIND(mount_propagation, option);
	if (f) {
		a->propagation = f->set;
		return 0;
	}
	if (a->n + len + 2 > sizeof(a->data))
		return -E2BIG;
	if (a->n)
		a->data[a->n++] = ',';
	memcpy(a->data + a->n, option, len + 1);
	a->n += len;
	return 0;
}

/* A bind mount takes its flags from its source, and others only when it is
 * remounted: mount(2). */
#define BIND_FLAGS                                                   \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | \
		MS_NODIRATIME | MS_RELATIME)

static int mount_with(
	const struct mount_spec *m, const char *target, struct mount_args *a)
{
	unsigned long remount = a->flags & BIND_FLAGS;

	if (mount(m->source, target, m->type, a->flags, a->n ? a->data : NULL) <
		0)
		return -errno;
	if ((a->flags & MS_BIND) && remount &&
		mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | remount,
			NULL) < 0)
		goto undo;
	if (a->propagation &&
		mount(NULL, target, NULL, a->propagation, NULL) < 0)
		goto undo;
	return 0;
undo:
	umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW);
	return -errno;
}

int mount_one(const struct mount_spec *m, const char *target, struct err *e)
{
	struct mount_args a = {0};
	struct stat st;
	size_t i;
	int r;

	if (lstat(target, &st) < 0)
		return err_sys(e, -errno, "mount on '%s'", target);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, -ENOTDIR, "mount on '%s': no folder", target);
	for (i = 0; i < m->n_options; i++) {
		r = args_add(&a, m->options[i]);
		if (r < 0)
			return err_set(e, r,
				"mount %s on '%s': more than a page of options",
				m->type, target);
	}
	r = mount_with(m, target, &a);
	if (r < 0)
		return err_sys(e, r, "mount %s '%s' on '%s'", m->type,
			m->source, target);
	return 0;
}

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

int mount_undo(const char *target, struct err *e)
{
	char real[4096], point[4096];
	struct stat st;
	int i;

	/* a link leads away from where mount_one() can have mounted */
	if (lstat(target, &st) == 0 && S_ISLNK(st.st_mode))
		return 0;
	if (!realpath(target, real))
		return errno == ENOENT
			       ? 0
			       : err_sys(e, -errno, "unmount '%s'", target);
	for (i = 0; i < UNDO_MAX; i++) {
		if (!last_mount_below(real, point, sizeof(point)))
			return 0;
		if (umount2(point, UMOUNT_NOFOLLOW) == 0 || errno == EINVAL)
			continue;
		if (umount2(point, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 &&
			errno != EINVAL && errno != ENOENT)
			return err_sys(e, -errno, "unmount '%s'", point);
	}
	return err_set(e, -EBUSY, "unmount '%s': still mounted", target);
}
