/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "client/program.h"
#include "ctl/place.h"

#define BUSYBOX_TIMEOUT_MS 10000
#define ADVICE "`apt-get install busybox-static`, or pass --rootfs DIR"

static const char *const busybox_paths[] = {
	"/bin/busybox", "/usr/bin/busybox", "/bin/busybox.static", NULL};

static const struct folder {
	const char *path;
	mode_t mode;
} folders[] = {
	{"bin", 0755},
	{"dev", 0755},
	{"etc", 0755},
	{"proc", 0755},
	{"root", 0700},
	{"run", 0755},
	{"sys", 0755},
	{"tmp", 01777},
	{"usr", 0755},
	{"var", 0755},
};

static const struct small_file {
	const char *path, *text;
} files[] = {
	{"etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
		       "nobody:x:65534:65534:nobody:/:/bin/false\n"},
	{"etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"},
	{"etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"},
};

/* Where these are looked for by scripts. */
static const char *const links[][2] = {
	{"sbin", "bin"}, {"usr/bin", "../bin"}, {"usr/sbin", "../bin"}};

struct listing {
	int dir; /* of bin */
	bool done;
	struct err err;
};

/* A program that has an interpreter needs libraries, which the tree lacks. */
static bool is_static(const char *path)
{
	unsigned char head[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	n = read(fd, head, sizeof(head));
	close(fd);
	return n > 64 && memcmp(head, "\177ELF", 4) == 0 &&
	       !memmem(head, (size_t)n, "/ld-linux", 9) &&
	       !memmem(head, (size_t)n, "/ld-musl", 8);
}

static const char *find_busybox(struct err *e)
{
	size_t i;

	for (i = 0; busybox_paths[i]; i++)
		if (is_static(busybox_paths[i]))
			return busybox_paths[i];
	err_set(e, -ENOENT, "no static busybox to make a rootfs from: " ADVICE);
	return NULL;
}

static int copy_range(int from, int to)
{
	ssize_t n;

	do {
		n = sendfile(to, from, NULL, 1u << 30);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}

static int copy_program(const char *from, int dir, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out, r;

	if (in < 0)
		return -errno;
	out = openat(dir, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	r = out < 0 ? -errno : copy_range(in, out);
	if (out >= 0 && (fchmod(out, 0755) < 0 || close(out) < 0) && r == 0)
		r = -errno;
	close(in);
	return r;
}

static int write_file(int dir, const struct small_file *f)
{
	int fd = openat(
		dir, f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	size_t n = strlen(f->text);
	ssize_t w;

	if (fd < 0)
		return -errno;
	w = write(fd, f->text, n);
	if (close(fd) < 0 || w < 0)
		return -errno;
	return (size_t)w == n ? 0 : -EIO;
}

static int make_skeleton(int dir)
{
	size_t i;
	int r = 0;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdirat(dir, folders[i].path, 0700) < 0 ||
			fchmodat(dir, folders[i].path, folders[i].mode, 0) < 0)
			return -errno;
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlinkat(links[i][1], dir, links[i][0]) < 0)
			return -errno;
	for (i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++)
		r = write_file(dir, &files[i]);
	return r;
}

static bool is_applet_name(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, "busybox") != 0;
}

static void on_listed(const struct client_program_result *r, void *arg)
{
	struct listing *l = arg;
	char *text = strndup(r->out, r->out_n), *name, *rest = NULL;

	l->done = true;
	l->err = r->err;
	if (!l->err.code && (!text || r->status != 0))
		err_set(&l->err, -EIO, "`busybox --list` failed");
	for (name = text ? strtok_r(text, "\n", &rest) : NULL;
		name && !l->err.code; name = strtok_r(NULL, "\n", &rest))
		if (is_applet_name(name) &&
			symlinkat("busybox", l->dir, name) < 0 &&
			errno != EEXIST)
			err_sys(&l->err, -errno, "link '%s'", name);
	free(text);
}

static int link_applets(
	struct client *c, const char *busybox, int bin, struct err *e)
{
	const char *argv[] = {busybox, "--list", NULL};
	struct client_program_spec spec = {
		.argv = argv, .timeout_ms = BUSYBOX_TIMEOUT_MS};
	struct listing l = {.dir = bin};
	int r;

	r = client_program_run(c, &spec, on_listed, &l, e);
	if (r < 0)
		return r;
	r = client_run_until(c, &l.done, 0);
	if (r < 0) {
		client_program_drop(c, &l);
		return err_set(e, r, "interrupted");
	}
	if (l.err.code)
		*e = l.err;
	return l.err.code;
}

static int fill(struct client *c, const char *busybox, int dir, struct err *e)
{
	int bin, r;

	r = make_skeleton(dir);
	if (r < 0)
		return err_sys(e, r, "cannot write");
	bin = openat(dir, "bin", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (bin < 0)
		return err_sys(e, -errno, "cannot open bin");
	r = copy_program(busybox, bin, "busybox");
	if (r < 0)
		err_sys(e, r, "cannot copy '%s'", busybox);
	else
		r = link_applets(c, busybox, bin, e);
	close(bin);
	return r;
}

int ctl_rootfs_make(struct client *c, const char *dir, struct err *e)
{
	const char *busybox = find_busybox(e);
	int fd, r;

	if (!busybox)
		return -ENOENT;
	if (mkdir(dir, 0755) < 0 || chmod(dir, 0755) < 0)
		return err_sys(e, -errno, "rootfs '%s'", dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, -errno, "rootfs '%s'", dir);
	r = fill(c, busybox, fd, e);
	close(fd);
	if (r < 0)
		err_prefix(e, "rootfs '%s'", dir);
	return r;
}

static bool can_hold_programs(const char *dir)
{
	struct statvfs v;

	return statvfs(dir, &v) == 0 && !(v.f_flag & (ST_NOEXEC | ST_RDONLY)) &&
	       access(dir, W_OK | X_OK) == 0;
}

int ctl_rootfs_choose(const char *bundle, const char *id, char *ret,
	size_t ret_n, struct err *e)
{
	static const char *const others[] = {"/var/lib", "/var/tmp", "/tmp"};
	size_t i;
	int n = -1;

	if (can_hold_programs(bundle))
		n = snprintf(ret, ret_n, "%s/rootfs", bundle);
	for (i = 0; n < 0 && i < sizeof(others) / sizeof(others[0]); i++)
		if (can_hold_programs(others[i]))
			n = snprintf(ret, ret_n, "%s/wisp-%s", others[i], id);
	if (n < 0)
		return err_set(e, -EACCES,
			"no writable folder that allows programs for a rootfs; "
			"pass --rootfs DIR");
	if ((size_t)n >= ret_n)
		return err_set(
			e, -ENAMETOOLONG, "rootfs: the path is too long");
	return 0;
}
