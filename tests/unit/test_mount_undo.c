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

/* Mounts of this test's own, which end with its process. */
static bool begin(void)
{
	if (!is_root())
		return false;
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount("", "/", "", MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mkdir("t", 0755), 0);
	ck_assert_int_eq(mkdir("src", 0755), 0);
	put_text("src/file", "src");
	return true;
}

/* Options are separated by commas, as in fstab(5). */
static int mount_text(const char *type, const char *source, const char *options,
	const char *target, struct err *e)
{
	static char copy[8192];
	const char *list[32];
	struct mount_spec m = {.type = type, .source = source, .options = list};
	char *save, *o;

	snprintf(copy, sizeof(copy), "%s", options);
	for (o = strtok_r(copy, ",", &save); o; o = strtok_r(NULL, ",", &save))
		list[m.n_options++] = o;
	return mount_all(&m, 1, here(target), here("scratch"), e);
}

static void assert_mount(const char *type, const char *source,
	const char *options, const char *target)
{
	struct err e = {0};
	int r = mount_text(type, source, options, target, &e);

	ck_assert_msg(r == 0, "%s %s: %s", type, options, e.msg);
}

static unsigned long flags_of(const char *path)
{
	struct statvfs v;

	ck_assert_int_eq(statvfs(path, &v), 0);
	return v.f_flag;
}

/* The lines of mountinfo that have text in them. */
static unsigned count_lines(const char *text)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	unsigned n = 0;

	ck_assert_ptr_nonnull(f);
	while (getline(&line, &size, f) > 0)
		n += strstr(line, text) != NULL;
	free(line);
	fclose(f);
	return n;
}

static unsigned count_mounts(void)
{
	return count_lines(here(""));
}

static void undo(const char *target)
{
	struct err e;

	ck_assert_int_eq(mount_undo(here(target), &e), 0);
}

/* ---- mounting ---- */

START_TEST(test_bind)
{
	if (!begin())
		return;
	assert_mount("bind", here("src"), "bind", "t");
	ck_assert(file_exists("t/file"));
	put_text("t/file", "written");
	ck_assert(!(flags_of("t") & (ST_RDONLY | ST_NOSUID)));
	undo("t");
	ck_assert(!file_exists("t/file"));
	ck_assert_uint_eq(count_mounts(), 0);
}
END_TEST

START_TEST(test_bind_flags)
{
	if (!begin())
		return;
	assert_mount("bind", here("src"), "bind,ro,nosuid,nodev,noexec", "t");
	ck_assert_uint_eq(
		flags_of("t") & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC),
		ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC);
	ck_assert_int_eq(open("t/file", O_WRONLY | O_CLOEXEC), -1);
	ck_assert_int_eq(errno, EROFS);
	put_text("src/file", "the source is as it was");
	undo("t");
	/* the last of a pair counts */
	assert_mount("bind", here("src"), "ro,nosuid,bind,rw,suid", "t");
	ck_assert(!(flags_of("t") & (ST_RDONLY | ST_NOSUID)));
}
END_TEST

START_TEST(test_rbind)
{
	if (!begin())
		return;
	ck_assert_int_eq(mkdir("src/sub", 0755), 0);
	assert_mount("tmpfs", "tmpfs", "", "src/sub");
	put_text("src/sub/below", "");
	assert_mount("bind", here("src"), "bind", "t");
	ck_assert(!file_exists("t/sub/below"));
	undo("t");
	assert_mount("bind", here("src"), "rbind,ro", "t");
	ck_assert(file_exists("t/sub/below"));
	ck_assert(flags_of("t") & ST_RDONLY);
	undo("t");
	ck_assert(file_exists("src/sub/below")); /* the source's own stays */
	ck_assert_uint_eq(count_mounts(), 1);
}
END_TEST

START_TEST(test_tmpfs_data)
{
	struct statvfs v;
	struct stat st;

	if (!begin())
		return;
	assert_mount(
		"tmpfs", "tmpfs", "nosuid,size=64k,mode=0711,noatime", "t");
	ck_assert_int_eq(statvfs("t", &v), 0);
	ck_assert_uint_eq(v.f_blocks * v.f_frsize, 65536);
	ck_assert(v.f_flag & ST_NOSUID);
	ck_assert(v.f_flag & ST_NOATIME);
	ck_assert_int_eq(stat("t", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0711);
}
END_TEST

START_TEST(test_overlay)
{
	char options[4096], text[16];

	if (!begin())
		return;
	assert_mount("tmpfs", "tmpfs", "", "src"); /* any will do below */
	ck_assert_int_eq(mkdir("src/lower", 0755), 0);
	ck_assert_int_eq(mkdir("src/upper", 0755), 0);
	ck_assert_int_eq(mkdir("src/work", 0755), 0);
	put_text("src/lower/file", "below");
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s",
		here("src/lower"), here("src/upper"), here("src/work"));
	assert_mount("overlay", "overlay", options, "t");
	put_text("t/file", "above");
	get_file("src/lower/file", text, sizeof(text));
	ck_assert_str_eq(text, "below");
	get_file("src/upper/file", text, sizeof(text));
	ck_assert_str_eq(text, "above");
	undo("t");
	undo("src");
	ck_assert_uint_eq(count_mounts(), 0);
}
END_TEST

START_TEST(test_propagation)
{
	if (!begin())
		return;
	assert_mount("bind", here("src"), "bind", "t");
	ck_assert_uint_eq(count_lines("shared:"), 0);
	undo("t");
	assert_mount("bind", here("src"), "bind,ro,rshared", "t");
	ck_assert_uint_eq(count_lines("shared:"), 1);
	ck_assert(flags_of("t") & ST_RDONLY);
	undo("t");
	assert_mount("tmpfs", "tmpfs", "unbindable", "t");
	ck_assert_uint_eq(count_lines("unbindable"), 1);
	undo("t");
}
END_TEST

START_TEST(test_refused)
{
	struct err e = {0};

	if (!begin())
		return;
	ck_assert_int_eq(mount_text("tmpfs", "tmpfs", "", "gone", &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "/gone'"));
	ck_assert_int_eq(symlink("src", "link"), 0);
	ck_assert_int_eq(
		mount_text("tmpfs", "tmpfs", "", "link", &e), -ENOTDIR);
	put_text("file", "");
	ck_assert_int_eq(
		mount_text("tmpfs", "tmpfs", "", "file", &e), -ENOTDIR);
	ck_assert_int_eq(mount_text("no-such-fs", "x", "", "t", &e), -ENODEV);
	ck_assert_ptr_nonnull(strstr(e.msg, "mount no-such-fs 'x' on '"));
	ck_assert_int_eq(
		mount_text("tmpfs", "tmpfs", "size=lots", "t", &e), -EINVAL);
	ck_assert_int_eq(
		mount_text("bind", here("gone"), "bind", "t", &e), -ENOENT);
	ck_assert_uint_eq(count_mounts(), 0);
}
END_TEST

/* A page of data, NUL included. */
/* ---- undoing ---- */

START_TEST(test_undo_nothing)
{
	if (!begin())
		return;
	undo("t");
	undo("gone");
	undo("src/file");
	undo("src/file/below");
}
END_TEST

START_TEST(test_undo_stacked_and_nested)
{
	if (!begin())
		return;
	ck_assert_int_eq(mkdir("t2", 0755), 0);
	assert_mount("tmpfs", "tmpfs", "", "t2");
	assert_mount("tmpfs", "tmpfs", "", "t");
	ck_assert_int_eq(mkdir("t/a", 0755), 0);
	assert_mount("tmpfs", "tmpfs", "", "t/a");
	assert_mount("tmpfs", "tmpfs", "", "t/a");
	assert_mount("bind", here("src"), "bind", "t"); /* hides those */
	assert_mount("tmpfs", "tmpfs", "", "t");
	ck_assert_int_eq(mkdir("t/b", 0755), 0);
	assert_mount("tmpfs", "tmpfs", "", "t/b");
	ck_assert_uint_eq(count_mounts(), 7);
	undo("t");
	ck_assert_uint_eq(count_mounts(), 1); /* t2 is another */
	undo("t");
	undo("t2");
}
END_TEST

START_TEST(test_undo_busy)
{
	char cwd[4096];
	struct err e;

	if (!begin())
		return;
	ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
	assert_mount("tmpfs", "tmpfs", "", "t");
	ck_assert_int_eq(mkdir("t/a", 0755), 0);
	assert_mount("tmpfs", "tmpfs", "", "t/a");
	strcat(cwd, "/t");
	ck_assert_int_eq(chdir("t/a"), 0);
	ck_assert_int_eq(mount_undo(cwd, &e), 0);
	ck_assert_uint_eq(count_lines(cwd), 0);
	*strrchr(cwd, '/') = '\0';
	ck_assert_int_eq(chdir(cwd), 0);
}
END_TEST

/* mountinfo writes these as \ooo: proc(5). */
START_TEST(test_undo_strange_names)
{
	static const char *const names[] = {
		"a b", "a\tb", "a\nb", "a\\b", "a\\040b", "a#b", "\xc3\xa9"};
	unsigned i;

	if (!begin())
		return;
	for (i = 0; i < LENGTH(names); i++) {
		ck_assert_int_eq(mkdir(names[i], 0755), 0);
		assert_mount("tmpfs", "tmpfs", "", names[i]);
		ck_assert_uint_eq(count_mounts(), 1);
		undo(names[i]);
		ck_assert_uint_eq(count_mounts(), 0);
	}
}
END_TEST

/* The way there may be a link, the place itself is none. */
START_TEST(test_undo_links)
{
	if (!begin())
		return;
	assert_mount("tmpfs", "tmpfs", "", "t");
	ck_assert_int_eq(mkdir("t/a", 0755), 0);
	assert_mount("tmpfs", "tmpfs", "", "t/a");
	ck_assert_int_eq(symlink("t", "link"), 0);
	undo("link");
	ck_assert_uint_eq(count_mounts(), 2);
	undo("link/a");
	ck_assert_uint_eq(count_mounts(), 1);
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	undo("dangling");
	undo("t");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_bind, test_bind_flags, test_rbind,
		test_tmpfs_data, test_overlay, test_propagation, test_refused,
		test_undo_nothing, test_undo_stacked_and_nested, test_undo_busy,
		test_undo_strange_names, test_undo_links, NULL};

	return suite_run("mount_undo", tests);
}
