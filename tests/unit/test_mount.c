/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "util_test.h"

static struct err e;

/* A mount namespace of the test's own, with a tmpfs "m" that has a "root". */
static bool scene_begin(void)
{
	if (!is_root() || unshare(CLONE_NEWNS) < 0)
		return false;
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	ck_assert_int_eq(mkdir("m", 0755), 0);
	ck_assert_int_eq(mount("t", "m", "tmpfs", 0, "mode=755"), 0);
	ck_assert_int_eq(mkdir("m/root", 0755), 0);
	return true;
}

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int do_mount(const char *type, const char *source, const char *target,
	const char *const *options)
{
	struct mount_spec m = {.type = type,
		.source = source,
		.target = target,
		.options = options};

	while (options[m.n_options])
		m.n_options++;
	return mount_all(&m, 1, here("m/root"), here("m/scratch"), &e);
}

static void must_mount(const char *type, const char *source, const char *target,
	const char *const *options)
{
	ck_assert_msg(
		do_mount(type, source, target, options) == 0, "%s", e.msg);
}

static void must_fail(const char *type, const char *const *options, int code,
	const char *says)
{
	ck_assert_int_eq(do_mount(type, "x", NULL, options), code);
	ck_assert_msg(strstr(e.msg, says), "%s", e.msg);
}

static void undo(void)
{
	ck_assert_msg(mount_undo(here("m/root"), &e) == 0, "%s", e.msg);
	ck_assert(!file_exists("m/root/x"));
}

/* n layers with long names, each has a file of its own. */
static void make_layers(unsigned n, const char *name, char *option)
{
	char path[512], file[600];
	unsigned i;

	ck_assert_int_eq(mkdir("m/l", 0755), 0);
	option += sprintf(option, "lowerdir=");
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "m/l/%s%u", name, i);
		ck_assert_int_eq(mkdir(path, 0755), 0);
		snprintf(file, sizeof(file), "%s/f%u", path, i);
		put_text(file, "x");
		option += sprintf(option, "%s%s", i ? ":" : "", here(path));
	}
}

static void check_layers(unsigned n)
{
	char path[64];
	unsigned i;

	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "m/root/f%u", i);
		ck_assert_msg(file_exists(path), "no %s", path);
	}
}

static void many_layers(unsigned n, const char *name)
{
	static char option[256 * 1024];
	char upper[256], work[256], before[256], after[256];

	if (!scene_begin())
		return;
	make_layers(n, name, option);
	mkdir("m/u", 0755);
	mkdir("m/w", 0755);
	snprintf(upper, sizeof(upper), "upperdir=%s", here("m/u"));
	snprintf(work, sizeof(work), "workdir=%s", here("m/w"));
	ck_assert_ptr_nonnull(getcwd(before, sizeof(before)));
	must_mount("overlay", "overlay", NULL,
		OPTIONS("index=off", work, upper, option));
	ck_assert_ptr_nonnull(getcwd(after, sizeof(after)));
	ck_assert_str_eq(before, after);
	check_layers(n);
	put_text("m/root/x", "y");
	ck_assert(file_exists("m/u/x"));
	undo();
	must_mount("overlay", "overlay", NULL, OPTIONS(option, "ro", "nodev"));
	check_layers(n);
	ck_assert_int_eq(open("m/root/x", O_WRONLY | O_CREAT, 0600), -1);
	ck_assert_int_eq(errno, EROFS);
	undo();
}

START_TEST(test_overlay)
{
	many_layers(3, "layer");
}
END_TEST

/* Short enough once they are named from where they are. */
START_TEST(test_overlay_from_common_folder)
{
	many_layers(120, "layer-");
}
END_TEST

/* Not even then. */
START_TEST(test_overlay_by_layer)
{
	many_layers(120, "a-layer-with-a-name-that-is-as-long-as-a-digest-is-"
			 "0123456789abcdef-");
}
END_TEST

START_TEST(test_too_long)
{
	static char option[10000];

	if (!scene_begin())
		return;
	memset(option, 'a', sizeof(option) - 1);
	must_fail("tmpfs", OPTIONS(option), -E2BIG, "page of options");
	must_fail("overlay", OPTIONS(option), -E2BIG, "page of options");
	memcpy(option, "lowerdir=", 9);
	must_fail("overlay", OPTIONS(option), -E2BIG, "page of options");
}
END_TEST

START_TEST(test_refused_by_name)
{
	if (!scene_begin())
		return;
	must_fail("mkfs/ext4", OPTIONS("ro"), -EINVAL, "'mkfs/'");
	must_fail("format/mkfs/ext4", OPTIONS("ro"), -EINVAL, "'mkfs/ext4'");
	must_fail("bind", OPTIONS("X-containerd.mkdir.path=/a"), -EINVAL,
		"X-containerd.mkdir.path=/a");
	must_fail("mkdir/bind", OPTIONS("X-containerd.mkfs.fs=ext4"), -EINVAL,
		"X-containerd.mkfs.fs=ext4");
	must_fail("no-such-fs", OPTIONS("ro"), -ENODEV, "no-such-fs");
}
END_TEST

START_TEST(test_comments)
{
	if (!scene_begin())
		return;
	must_mount("tmpfs", "tmpfs", NULL,
		OPTIONS("X-mount.mkdir", "x-systemd.automount", "size=64k"));
	undo();
}
END_TEST

static void write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
}

/* In a user namespace what is mounted already keeps its flags, and a remount
 * that does not name them is refused. */
START_TEST(test_locked_flags)
{
	struct statvfs st;

	if (!scene_begin())
		return;
	ck_assert_int_eq(mkdir("m/locked", 0755), 0);
	ck_assert_int_eq(mount("t", "m/locked", "tmpfs",
				 MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
		0);
	ck_assert_int_eq(unshare(CLONE_NEWUSER | CLONE_NEWNS), 0);
	write_map("/proc/self/uid_map", "0 0 1");
	ck_assert_int_eq(mount(NULL, here("m/locked"), NULL,
				 MS_REMOUNT | MS_BIND | MS_RDONLY, NULL),
		-1);
	ck_assert_int_eq(errno, EPERM);
	must_mount("bind", here("m/locked"), NULL, OPTIONS("rbind", "ro"));
	ck_assert_int_eq(statvfs("m/root", &st), 0);
	ck_assert_uint_eq(
		st.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC),
		ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC);
	undo();
	/* and what is the initial namespace's to grant is refused by name */
	must_fail("bind", OPTIONS("bind", "uidmap=0:5:1", "gidmap=0:5:1"),
		-EPERM, "user namespace");
}
END_TEST

/* ---- targets below the root ---- */

START_TEST(test_targets)
{
	struct statvfs st;

	if (!scene_begin())
		return;
	must_mount("tmpfs", "tmpfs", NULL, OPTIONS("mode=755"));
	ck_assert_int_eq(mkdir("m/root/a", 0755), 0);
	must_mount("tmpfs", "tmpfs", "/a", OPTIONS("mode=755"));
	ck_assert_int_eq(mkdir("m/root/a/b", 0755), 0);
	put_text("m/x", "x");
	must_mount("bind", here("m"), "a/b", OPTIONS("rbind", "ro"));
	ck_assert(file_exists("m/root/a/b/x"));
	ck_assert_int_eq(statvfs("m/root/a/b", &st), 0);
	ck_assert(st.f_flag & ST_RDONLY);
	ck_assert_int_eq(statvfs("m/root/a", &st), 0);
	ck_assert(!(st.f_flag & ST_RDONLY));
	ck_assert_int_eq(do_mount("tmpfs", "t", "no", OPTIONS("ro")), -EINVAL);
	undo();
	ck_assert(!file_exists("m/root/a"));
}
END_TEST

/* No name leads out of the root. */
START_TEST(test_targets_stay_inside)
{
	static const char *const targets[] = {
		"../../out", "/../../../out", "abs", "rel", "abs/../../out"};
	size_t i;

	if (!scene_begin())
		return;
	ck_assert_int_eq(mkdir("m/out", 0755), 0);
	put_text("m/out/x", "x");
	must_mount("tmpfs", "tmpfs", NULL, OPTIONS("mode=755"));
	ck_assert_int_eq(symlink(here("m/out"), "m/root/abs"), 0);
	ck_assert_int_eq(symlink("../out", "m/root/rel"), 0);
	for (i = 0; i < LENGTH(targets); i++)
		ck_assert_int_eq(
			do_mount("tmpfs", "t", targets[i], OPTIONS("mode=755")),
			-EINVAL);
	/* what they mean inside */
	ck_assert_int_eq(mkdir("m/root/out", 0755), 0);
	must_mount("tmpfs", "tmpfs", "rel", OPTIONS("mode=755"));
	put_text("m/root/out/y", "y");
	ck_assert(file_exists("m/out/x") && !file_exists("m/out/y"));
	undo();
}
END_TEST

/* ---- loop devices ---- */

static unsigned loops_of(const char *file)
{
	char path[64], text[512];
	unsigned i, n = 0;

	for (i = 0; i < 64; i++) {
		snprintf(path, sizeof(path),
			"/sys/block/loop%u/loop/backing_file", i);
		if (!file_exists(path))
			continue;
		get_file(path, text, sizeof(text));
		n += strstr(text, file) != NULL;
	}
	return n;
}

START_TEST(test_loop)
{
	char command[512], image[256];
	struct statvfs st;
	int fd;

	if (!scene_begin() || access("/dev/loop-control", R_OK) < 0)
		return;
	snprintf(image, sizeof(image), "%s", here("m/image"));
	fd = open(image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(ftruncate(fd, 4 << 20), 0);
	close(fd);
	snprintf(command, sizeof(command), "/sbin/mke2fs -q -F -t ext4 %s",
		image);
	if (system(command) != 0)
		return;
	must_mount("ext4", image, NULL, OPTIONS("loop"));
	ck_assert_uint_eq(loops_of(image), 1);
	put_text("m/root/x", "kept");
	undo();
	ck_assert(wait_for(NULL, loops_of(image) == 0));
	must_mount("ext4", image, NULL, OPTIONS("ro", "loop"));
	ck_assert(file_exists("m/root/x"));
	ck_assert_int_eq(statvfs("m/root", &st), 0);
	ck_assert(st.f_flag & ST_RDONLY);
	ck_assert_int_eq(mount_undo(here("m/root"), &e), 0);
	ck_assert(wait_for(NULL, loops_of(image) == 0));
	/* and a mount that fails leaves no device */
	ck_assert_int_lt(
		do_mount("erofs", image, NULL, OPTIONS("loop", "ro")), 0);
	ck_assert(wait_for(NULL, loops_of(image) == 0));
	ck_assert_int_eq(
		do_mount("ext4", "/no/image", NULL, OPTIONS("loop")), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "/no/image"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_overlay,
		test_overlay_from_common_folder, test_overlay_by_layer,
		test_too_long, test_refused_by_name, test_comments,
		test_locked_flags, test_targets, test_targets_stay_inside,
		test_loop, NULL};

	return suite_run("mount", tests);
}
