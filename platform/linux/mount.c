/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "platform/linux/loop.h"
#include "platform/linux/overlay.h"

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
	bool loop, direct;
	char *data; /* room for all options */
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

static void args_add_data(struct mount_args *a, const char *option)
{
	size_t len = strlen(option);

	if (a->n)
		a->data[a->n++] = ',';
	memcpy(a->data + a->n, option, len + 1);
	a->n += len;
}

static int args_add(struct mount_args *a, const char *option)
{
	const struct mount_flag *f = FLAG_FIND(mount_flags, option);

	if (f) {
		a->flags = (a->flags & ~f->clear) | f->set;
		return 0;
	}
	f = FLAG_FIND(mount_propagation, option);
	if (f) {
		a->propagation = f->set;
		return 0;
	}
	if (strcmp(option, "loop") == 0)
		a->loop = true;
	else if (strcmp(option, "direct-io") == 0)
		a->direct = true;
	else if (strncasecmp(option, "x-", 2) != 0) /* mount(8): a comment */
		args_add_data(a, option);
	return 0;
}

/* What somebody else should have acted upon already, or nobody does: to leave
 * it out would make another mount of it. */
static int check_spec(const struct mount_spec *m, struct err *e)
{
	const char *slash = strchr(m->type, '/');
	size_t i;

	if (slash)
		return err_set(e, -EINVAL,
			"mount type '%s': '%.*s' is for the daemon's mount "
			"manager, which has not resolved it",
			m->type, (int)(slash - m->type + 1), m->type);
	for (i = 0; i < m->n_options; i++) {
		const char *option = m->options[i];

		if (strncmp(option, "X-containerd.", 13) == 0)
			return err_set(e, -EINVAL,
				"mount option '%s' is for the daemon's mount "
				"manager, which has not acted upon it",
				option);
		if (strncmp(option, "uidmap=", 7) == 0 ||
			strncmp(option, "gidmap=", 7) == 0)
			return err_set(e, -ENOSYS,
				"mount option '%s': idmapped mounts are not "
				"implemented",
				option);
	}
	return 0;
}

static int args_parse(
	struct mount_args *a, const struct mount_spec *m, struct err *e)
{
	size_t i, n = 1;

	for (i = 0; i < m->n_options; i++)
		n += strlen(m->options[i]) + 1;
	a->data = malloc(n);
	if (!a->data)
		return err_set(e, -ENOMEM, "no memory for mount options");
	for (i = 0; i < m->n_options; i++)
		args_add(a, m->options[i]);
	a->data[a->n] = '\0';
	/* it speaks of the loop device; anywhere else it is the file system's
	 */
	if (a->direct && !a->loop)
		args_add_data(a, "direct-io");
	return 0;
}

/* A bind mount takes its flags from its source, and others only when it is
 * remounted: mount(2). */
#define BIND_FLAGS                                                   \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | \
		MS_NODIRATIME | MS_RELATIME)

static int mount_new(const struct mount_spec *m, const char *source,
	const char *target, const struct mount_args *a)
{
	if (a->n >= MOUNT_DATA_MAX)
		return strcmp(m->type, "overlay") == 0
			       ? overlay_mount_long(
					 source, target, a->flags, a->data)
			       : -E2BIG;
	return mount(source, target, m->type, a->flags, a->n ? a->data : NULL) <
			       0
		       ? -errno
		       : 0;
}

/* A place below a root, as a name for system calls that no link leads
 * elsewhere: proc(5), /proc/PID/fd. */
struct place {
	int fd;
	char name[32];
};

/* openat2(2): links are followed as if root were "/". */
static int place_open(const char *root, const char *below, struct place *ret)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	auto_fd int fd = -1;

	fd = open(root, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (below && below[strspn(below, "/")]) {
		int sub =
			(int)syscall(SYS_openat2, fd, below, &how, sizeof(how));

		if (sub < 0)
			return -errno;
		close(fd);
		fd = sub;
	}
	ret->fd = fd_take(&fd);
	snprintf(ret->name, sizeof(ret->name), "/proc/self/fd/%d", ret->fd);
	return 0;
}

/* A target that is not there is the request's fault: an earlier mount has to
 * have it. (-ENOENT would be the container to a client.) */
static int check_target(
	const struct mount_spec *m, const char *root, struct err *e)
{
	struct place place = {.fd = -1};
	int r = place_open(root, m->target, &place);

	fd_close(&place.fd);
	if (r == -ENOENT || r == -ENOTDIR)
		return err_set(e, -EINVAL,
			"mount target '%s': there is no such place in '%s'",
			m->target ? m->target : "", root);
	return r < 0 ? err_sys(e, r, "mount target '%s' in '%s'",
			       m->target ? m->target : "", root)
		     : 0;
}

/* What is done to a mount once it is there; place is on top of it. */
static int mount_finish(const char *name, const struct mount_args *a)
{
	unsigned long remount = a->flags & BIND_FLAGS;

	if ((a->flags & MS_BIND) && remount &&
		mount(NULL, name, NULL, MS_REMOUNT | MS_BIND | remount, NULL) <
			0)
		return -errno;
	if (a->propagation && mount(NULL, name, NULL, a->propagation, NULL) < 0)
		return -errno;
	return 0;
}

static int mount_at(const struct mount_spec *m, const char *source,
	const char *root, const struct mount_args *a)
{
	struct place place = {.fd = -1};
	int r = place_open(root, m->target, &place);

	if (r < 0)
		return r;
	r = mount_new(m, source, place.name, a);
	close(place.fd);
	if (r < 0 || !((a->flags & BIND_FLAGS) || a->propagation))
		return r;
	r = place_open(root, m->target, &place); /* now on top of it */
	if (r < 0)
		return r;
	r = mount_finish(place.name, a);
	if (r < 0)
		umount2(place.name, MNT_DETACH);
	close(place.fd);
	return r;
}

static int mount_args(const struct mount_spec *m, const char *root,
	const struct mount_args *a, struct err *e)
{
	const char *source = m->source;
	auto_fd int loop = -1; /* open until it is mounted */
	char device[32];
	int r;

	if (a->loop) {
		loop = loop_attach(m->source, a->flags & MS_RDONLY, a->direct,
			device, sizeof(device), e);
		if (loop < 0)
			return loop;
		source = device;
	}
	r = check_target(m, root, e);
	if (r < 0)
		return r;
	r = mount_at(m, source, root, a);
	if (r == -E2BIG)
		return err_set(e, r,
			"mount %s on '%s': more than a page of options",
			m->type, root);
	if (r < 0)
		return err_sys(e, r, "mount %s '%s' on '%s%s%s'", m->type,
			m->source, root, m->target && *m->target ? "/" : "",
			m->target ? m->target : "");
	return 0;
}

int mount_one(const struct mount_spec *m, const char *root, struct err *e)
{
	struct mount_args a = {0};
	struct stat st;
	int r = check_spec(m, e);

	if (r < 0)
		return r;
	if (lstat(root, &st) < 0)
		return err_sys(e, -errno, "mount on '%s'", root);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, -ENOTDIR, "mount on '%s': no folder", root);
	r = args_parse(&a, m, e);
	if (r == 0)
		r = mount_args(m, root, &a, e);
	free(a.data);
	return r;
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
		return errno == ENOENT || errno == ENOTDIR
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
