/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts that show other owners. What a file system or an overlay takes depends
 * on the kernel: overlay from 5.19 on, tmpfs from 6.3 on. */
#include "platform/linux/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/mount.h"
#include "util_test.h"

static struct err e;

START_TEST(test_maps)
{
	static const char *const bad[] = {"", ",", "0", "0:1", "0:1:", ":1:1",
		"0:1:0", "0:1:1:1", "-1:1:1", "0:1:1,", ",0:1:1",
		"0:1:1,,1:2:1", "0:1:4294967296", "4294967295:0:1", "0: 1:1",
		"0:1:1 ", "a:b:c", "0x0:1:1"};
	static char many[16 * 400];
	size_t i, n = 0;
	int fd;

	if (!is_root())
		return;
	for (i = 0; i < LENGTH(bad); i++) {
		ck_assert_msg(idmap_open(bad[i], "0:1:1", &e) == -EINVAL,
			"'%s' is taken", bad[i]);
		ck_assert_msg(strstr(e.msg, bad[i]), "%s", e.msg);
		ck_assert_int_eq(idmap_open("0:1:1", bad[i], &e), -EINVAL);
		ck_assert_ptr_nonnull(strstr(e.msg, "gidmap"));
	}
	for (i = 0; i < 400; i++)
		n += (size_t)sprintf(
			many + n, "%s%zu:%zu:1", i ? "," : "", i, 100000 + i);
	ck_assert_int_eq(idmap_open(many, "0:1:1", &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "page"));
	fd = idmap_open("0:100000:1000,1000:0:1", "0:5:4294967290", &e);
	ck_assert_msg(fd >= 0, "%s", e.msg);
	close(fd);
	/* refused by the kernel: they overlap */
	ck_assert_int_eq(idmap_open("0:1:2,1:7:1", "0:1:1", &e), -EINVAL);
	/* nobody is left: not as a child of any kind */
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

/* A mount namespace of the test's own, with a tmpfs "m" with "root" and "l". */
static bool begin(void)
{
	if (!is_root() || unshare(CLONE_NEWNS) < 0)
		return false;
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	ck_assert_int_eq(mkdir("m", 0755), 0);
	ck_assert_int_eq(mount("t", "m", "tmpfs", 0, "mode=755"), 0);
	mkdir("m/root", 0755);
	mkdir("m/l", 0755);
	mkdir("m/l/1", 0755);
	mkdir("m/l/2", 0755);
	put_text("m/l/1/a", "x");
	put_text("m/l/2/b", "x");
	ck_assert_int_eq(chown("m/l/2/b", 33, 44), 0);
	return true;
}

static int map_mount(
	const char *type, const char *source, const char *const *options)
{
	struct mount_spec m = {
		.type = type, .source = source, .options = options};

	while (options[m.n_options])
		m.n_options++;
	return mount_all(&m, 1, here("m/root"), here("m/scratch"), &e);
}

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define MAPS "uidmap=0:100000:1000", "gidmap=0:200000:40,40:7:10"

/* False if this kernel has none for it. */
static bool mapped(int r)
{
	if (r == 0)
		return true;
	ck_assert_msg(r == -EINVAL || r == -ENOSYS, "%d: %s", r, e.msg);
	fprintf(stderr, "not tested here: %s\n", e.msg);
	return false;
}

static void check_owner(const char *path, unsigned uid, unsigned gid)
{
	struct stat st;

	ck_assert_msg(stat(path, &st) == 0, "%s: %s", path, strerror(errno));
	ck_assert_uint_eq(st.st_uid, uid);
	ck_assert_uint_eq(st.st_gid, gid);
}

static unsigned count_mounts(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[8192];
	unsigned n = 0;

	while (fgets(line, sizeof(line), f))
		n += strstr(line, here("m/")) != NULL;
	fclose(f);
	return n;
}

static void undo(void)
{
	ck_assert_int_eq(
		mount_undo_all(here("m/root"), here("m/scratch"), &e), 0);
	ck_assert_uint_eq(count_mounts(), 0);
	ck_assert(!file_exists("m/scratch"));
}

START_TEST(test_bind)
{
	struct statvfs st;

	if (!begin() || !mapped(map_mount("bind", here("m/l"),
				OPTIONS("rbind", "ro", MAPS))))
		return;
	check_owner("m/root/1/a", 100000, 200000);
	check_owner("m/root/2/b", 100033, 11);
	check_owner("m/l/2/b", 33, 44);
	ck_assert_int_eq(statvfs("m/root", &st), 0);
	ck_assert(st.f_flag & ST_RDONLY);
	ck_assert_uint_eq(count_mounts(), 1);
	undo();
	/* what is written comes back as it was */
	ck_assert_int_eq(
		map_mount("bind", here("m/l"), OPTIONS("bind", MAPS)), 0);
	ck_assert_int_eq(chown("m/root/1/a", 100001, 200002), 0);
	check_owner("m/l/1/a", 1, 2);
	ck_assert_int_eq(chown("m/root/1/a", 1, 2), -1); /* not in the map */
	undo();
}
END_TEST

START_TEST(test_new_file_system)
{
	if (!begin() ||
		!mapped(map_mount("tmpfs", "t", OPTIONS("mode=755", MAPS))))
		return;
	check_owner("m/root", 100000, 200000);
	ck_assert_uint_eq(count_mounts(), 1);
	undo();
}
END_TEST

static const char *option(char *buf, const char *name, const char *path)
{
	sprintf(buf, "%s=%s", name, here(path));
	return buf;
}

START_TEST(test_overlay)
{
	char lower[1024], upper[512], work[512];

	if (!begin())
		return;
	mkdir("m/u", 0755);
	mkdir("m/w", 0755);
	ck_assert_int_eq(chown("m/u", 100000, 200000), 0);
	snprintf(lower, sizeof(lower), "lowerdir=%s:%s", here("m/l/1"),
		here("m/l/2"));
	if (!mapped(map_mount("overlay", "o",
		    OPTIONS(option(work, "workdir", "m/w"), lower, MAPS,
			    option(upper, "upperdir", "m/u")))))
		return;
	check_owner("m/root", 100000, 200000);
	check_owner("m/root/a", 100000, 200000);
	check_owner("m/root/b", 100033, 11);
	/* copied up, it belongs to whom it seems to */
	put_text("m/root/b", "y");
	check_owner("m/u/b", 100033, 11);
	check_owner("m/l/2/b", 33, 44);
	ck_assert_uint_eq(count_mounts(), 1);
	ck_assert(!file_exists("m/scratch"));
	undo();
	/* one layer alone, with its parent as the folder in common */
	ck_assert_msg(map_mount("overlay", "o",
			      OPTIONS(option(lower, "lowerdir", "m/l/2"),
				      option(work, "workdir", "m/w"), MAPS,
				      option(upper, "upperdir", "m/u"))) == 0,
		"%s", e.msg);
	check_owner("m/root/b", 100033, 11);
	undo();
}
END_TEST

/* More layers than a page of options has room for. */
START_TEST(test_long_overlay)
{
	enum { N = 150 };
	static char lower[N * 300];
	char path[256];
	size_t n, i;

	if (!begin())
		return;
	n = (size_t)sprintf(lower, "lowerdir=");
	for (i = 0; i < N; i++) {
		snprintf(path, sizeof(path),
			"m/l/a-layer-with-a-long-name-as-they-are-%zu", i);
		mkdir(path, 0755);
		n += (size_t)sprintf(
			lower + n, "%s%s", i ? ":" : "", here(path));
	}
	strcat(path, "/last");
	put_text(path, "x");
	if (!mapped(map_mount("overlay", "o", OPTIONS(lower, MAPS))))
		return;
	check_owner("m/root/last", 100000, 200000);
	undo();
}
END_TEST

START_TEST(test_refused)
{
	char lower[1024];

	if (!begin())
		return;
	ck_assert_int_eq(
		map_mount("bind", here("m/l"), OPTIONS("bind", "uidmap=0:1:1")),
		-EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "uidmap without gidmap"));
	ck_assert_int_eq(
		map_mount("bind", here("m/l"), OPTIONS("bind", "gidmap=0:1:1")),
		-EINVAL);
	ck_assert_int_eq(map_mount("bind", here("m/l"),
				 OPTIONS("gidmap=0:1:1", "uidmap=0:1")),
		-EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "uidmap=0:1"));
	ck_assert_int_eq(map_mount("bind", here("m/no"), OPTIONS("bind", MAPS)),
		-ENOENT);
	/* proc(5) takes no map on any kernel so far */
	ck_assert_int_eq(
		map_mount("proc", "proc", OPTIONS("ro", MAPS)), -EINVAL);
	ck_assert_msg(strstr(e.msg, "takes no map"), "%s", e.msg);
	undo();
	ck_assert_int_eq(
		map_mount("overlay", "o", OPTIONS("ro", MAPS)), -EINVAL);
	ck_assert_msg(strstr(e.msg, "in common"), "%s", e.msg);
	snprintf(lower, sizeof(lower), "lowerdir=%s::%s", here("m/l/1"),
		here("m/l/2"));
	ck_assert_int_eq(
		map_mount("overlay", "o", OPTIONS(lower, MAPS)), -EINVAL);
	ck_assert_int_eq(
		map_mount("overlay", "o", OPTIONS("lowerdir=/a:/b", MAPS)),
		-EINVAL);
	ck_assert_int_lt(
		map_mount("overlay", "o",
			OPTIONS(option(lower, "lowerdir", "m/l/no"), MAPS)),
		0);
	undo();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_maps, test_bind,
		test_new_file_system, test_overlay, test_long_overlay,
		test_refused, NULL};

	return suite_run("idmap", tests);
}
