/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/mount_one.h"

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
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/linux/fd.h"
#include "platform/linux/fuse.h"
#include "platform/linux/idmap.h"
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
	const char *uids, *gids; /* the spec's; NULL: not mapped */
	char *data;              /* room for all options */
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

static void args_add(struct mount_args *a, const char *option)
{
	const struct mount_flag *f = FLAG_FIND(mount_flags, option);

	if (f) {
		a->flags = (a->flags & ~f->clear) | f->set;
		return;
	}
	f = FLAG_FIND(mount_propagation, option);
	if (f) {
		a->propagation = f->set;
		return;
	}
	if (strcmp(option, "loop") == 0)
		a->loop = true;
	else if (strcmp(option, "direct-io") == 0)
		a->direct = true;
	else if (strncmp(option, "uidmap=", 7) == 0)
		a->uids = option + 7;
	else if (strncmp(option, "gidmap=", 7) == 0)
		a->gids = option + 7;
	else if (strncasecmp(option, "x-", 2) != 0) /* mount(8): a comment */
		args_add_data(a, option);
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
	if (!a->uids != !a->gids)
		return err_set(e, -EINVAL,
			"mount options: %s without %s: a mapped mount needs "
			"both",
			a->uids ? "uidmap" : "gidmap",
			a->uids ? "gidmap" : "uidmap");
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

/* openat2(2): links are followed as if root were "/". */
int place_open(const char *root, const char *below, struct place *ret)
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

/* In a user namespace some flags of what is bound cannot be taken away, and a
 * remount without them is refused: mount_namespaces(7), locked. */
static int remount_bind(const char *name, unsigned long flags)
{
	struct statvfs st;

	flags |= MS_REMOUNT | MS_BIND;
	if (mount(NULL, name, NULL, flags, NULL) == 0)
		return 0;
	if (errno != EPERM || statvfs(name, &st) < 0)
		return -errno;
	/* these are the same bits for statvfs(3) and mount(2) */
	flags |= st.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC |
				     ST_NOATIME | ST_NODIRATIME);
	flags |= st.f_flag & ST_RELATIME ? MS_RELATIME : 0;
	return mount(NULL, name, NULL, flags, NULL) < 0 ? -errno : 0;
}

/* What is done to a mount once it is there; place is on top of it. */
static int mount_finish(const char *name, const struct mount_args *a)
{
	unsigned long remount = a->flags & BIND_FLAGS;
	int r = 0;

	if ((a->flags & MS_BIND) && remount)
		r = remount_bind(name, remount);
	if (r == 0 && a->propagation &&
		mount(NULL, name, NULL, a->propagation, NULL) < 0)
		r = -errno;
	return r;
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

/* Puts a mapped copy of a mount in its place. */
static int mount_map(
	const struct mount_spec *m, const char *root, int userns, struct err *e)
{
	struct place place = {.fd = -1};
	auto_fd int tree = -1;
	int r = place_open(root, m->target, &place);

	if (r < 0)
		return err_sys(e, r, "id-map the mount on '%s'", root);
	tree = idmap_clone(place.name, userns, false, e);
	umount2(place.name, MNT_DETACH);
	close(place.fd);
	if (tree < 0) {
		err_prefix(
			e, "mount %s '%s' on '%s'", m->type, m->source, root);
		return tree;
	}
	r = place_open(root, m->target, &place);
	if (r == 0) {
		r = idmap_attach(tree, place.name);
		close(place.fd);
	}
	return r < 0 ? err_sys(e, r, "attach the id-mapped mount to '%s'", root)
		     : 0;
}

/* Devices that go when they are neither open nor mounted. */
struct loops {
	int *fds;
	size_t n;
};

static void loops_close(struct loops *l)
{
	while (l->n > 0)
		close(l->fds[--l->n]);
	free(l->fds);
}

static int loops_add(struct loops *l, const char *file,
	const struct mount_args *a, char *buf, size_t n, struct err *e)
{
	int *more = realloc(l->fds, (l->n + 1) * sizeof(*more));
	int fd;

	if (!more)
		return err_set(e, -ENOMEM, "no memory for loop devices");
	l->fds = more;
	fd = loop_attach(file, a->flags & MS_RDONLY, a->direct, buf, n, e);
	if (fd < 0)
		return fd;
	l->fds[l->n++] = fd;
	return 0;
}

/* An erofs may have its data in other files than the one it is in:
 * device=FILE, as often as need be. They are loop devices if it is one. */
static int loops_add_devices(
	struct loops *l, struct mount_args *a, struct err *e)
{
	auto_free char *old = ptr_take(&a->data);
	char device[48] = "device=", *save, *word;
	size_t words = 1;
	int r = 0;

	for (word = old; (word = strchr(word, ',')); word++)
		words++;
	a->data = malloc(words * (strlen(old) + sizeof(device)));
	if (!a->data)
		return err_set(e, -ENOMEM, "no memory for mount options");
	a->n = 0;
	a->data[0] = '\0';
	for (word = strtok_r(old, ",", &save); word && r == 0;
		word = strtok_r(NULL, ",", &save)) {
		if (strncmp(word, "device=", 7) == 0) {
			r = loops_add(l, word + 7, a, device + 7,
				sizeof(device) - 7, e);
			word = device;
		}
		args_add_data(a, word);
	}
	return r;
}

static int mount_source(const struct mount_spec *m, const char *source,
	const char *root, const struct mount_args *a, struct err *e)
{
	int r = check_target(m, root, e);

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

static int mount_loop(const struct mount_spec *m, const char *root,
	struct mount_args *a, struct err *e)
{
	struct loops loops = {0}; /* open until they are mounted */
	char device[32];
	int r;

	if (!a->loop)
		return mount_source(m, m->source, root, a, e);
	r = loops_add(&loops, m->source, a, device, sizeof(device), e);
	if (r == 0 && strcmp(m->type, "erofs") == 0)
		r = loops_add_devices(&loops, a, e);
	if (r == 0)
		r = mount_source(m, device, root, a, e);
	loops_close(&loops);
	return r;
}

/* Below a mapped copy of its layers, which it holds from then on. */
static int mount_mapped_overlay(const struct mount_spec *m, const char *root,
	const char *scratch, struct mount_args *a, int userns, struct err *e)
{
	char at[4096], *data;
	int r;

	if ((size_t)snprintf(at, sizeof(at), "%s/" MOUNT_LOWER, scratch) >=
		sizeof(at))
		return err_sys(e, -ENAMETOOLONG, "folder '%s'", scratch);
	mkdir(scratch, 0700);
	r = file_make_folder(at);
	if (r < 0)
		return err_sys(e, r, "make the folder '%s'", at);
	r = overlay_map_lower(a->data, at, userns, &data, e);
	if (r == 0) {
		free(a->data);
		a->data = data;
		a->n = strlen(data);
		r = mount_source(m, m->source, root, a, e);
		umount2(at, MNT_DETACH | UMOUNT_NOFOLLOW);
	}
	rmdir(at);
	rmdir(scratch); /* if it is not in use for anything else */
	return r;
}

static int mount_mapped(const struct mount_spec *m, const char *root,
	const char *scratch, struct mount_args *a, struct err *e)
{
	auto_fd int userns = idmap_open(a->uids, a->gids, e);
	int r;

	if (userns < 0)
		return userns;
	if (strcmp(m->type, "overlay") == 0)
		return mount_mapped_overlay(m, root, scratch, a, userns, e);
	r = mount_loop(m, root, a, e);
	return r < 0 ? r : mount_map(m, root, userns, e);
}

/* The program is not one for links: it gets the true path. */
static int mount_fuse(
	const struct mount_spec *m, const char *root, struct err *e)
{
	struct place place = {.fd = -1};
	char path[4096];
	ssize_t n;
	int r = check_target(m, root, e);

	if (r < 0)
		return r;
	r = place_open(root, m->target, &place);
	n = r < 0 ? r : readlink(place.name, path, sizeof(path) - 1);
	if (r == 0 && n < 0)
		r = -errno;
	fd_close(&place.fd);
	if (r < 0)
		return err_sys(e, r, "mount %s on '%s'", m->type, root);
	path[n] = '\0';
	r = fuse_mount(m, path, e);
	if (r < 0)
		err_prefix(
			e, "mount %s '%s' on '%s'", m->type, m->source, path);
	return r;
}

int mount_one(const struct mount_spec *m, const char *root, const char *scratch,
	struct err *e)
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
	if (fuse_is_type(m->type))
		return mount_fuse(m, root, e);
	r = args_parse(&a, m, e);
	if (r == 0)
		r = a.uids ? mount_mapped(m, root, scratch, &a, e)
			   : mount_loop(m, root, &a, e);
	free(a.data);
	return r;
}

int mount_find_rootfs(const char *root, const char *scratch,
	struct mount_rootfs *ret, struct err *e)
{
	char *path = strdup(root);

	(void)scratch;
	if (!path)
		return err_set(e, -ENOMEM, "no memory for '%s'", root);
	*ret = (struct mount_rootfs){.path = path};
	return 0;
}

int mount_find_disks(
	const char *scratch, struct mount_rootfs *ret, struct err *e)
{
	(void)scratch;
	(void)ret;
	return err_set(e, -ENOENT, "there are no such layers on Linux");
}

int mount_describe_rootfs(const char *path, const char *const *folders,
	size_t n, struct mount_rootfs *ret, struct err *e)
{
	(void)path;
	(void)folders;
	(void)n;
	(void)ret;
	return err_set(e, -ENOSYS, "there are no such layers on Linux");
}

void mount_rootfs_clear(struct mount_rootfs *m)
{
	free(m->path);
	m->path = NULL;
}
