/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client/client.h"
#include "ctl/record.h"
#include "ctl/rootfs.h"
#include "util_test.h"

static struct ctl_place made(const char *id)
{
	struct ctl_place p;

	ck_assert_int_eq(ctl_place_init(&p, "root", id, NULL), 0);
	ck_assert_int_eq(ctl_place_make(&p, NULL), 0);
	return p;
}

START_TEST(test_make_and_remove)
{
	struct ctl_place p = made("c1"), again;
	struct err e;

	ck_assert_str_eq(p.bundle, here("root/bundles/c1"));
	ck_assert(file_exists("root/bundles/c1"));
	ck_assert(file_exists("root/state/c1/runtime"));
	ck_assert_int_eq(ctl_place_init(&again, "root", "c1", NULL), 0);
	ck_assert_int_eq(ctl_place_make(&again, &e), -EEXIST);
	ck_assert_ptr_nonnull(strstr(e.msg, "the name is taken"));
	ck_assert(file_exists("root/state/c1/runtime"));
	put_text("root/bundles/c1/config.json", "{}");
	put_text("root/bundles/c1/init.pid", "1");
	ck_assert_int_eq(mkdir("root/bundles/c1/rootfs", 0700), 0);
	ck_assert_int_eq(ctl_place_remove(&p, true, NULL), 0);
	ck_assert(file_exists("root/bundles/c1/config.json"));
	ck_assert(file_exists("root/bundles/c1/rootfs"));
	ck_assert(!file_exists("root/bundles/c1/init.pid"));
	ck_assert(!file_exists("root/state/c1"));
	/* what was kept keeps its name */
	ck_assert_int_eq(ctl_place_make(&again, &e), -EEXIST);
	ck_assert_ptr_nonnull(strstr(e.msg, "bundles/c1"));
	ck_assert(!file_exists("root/state/c1"));
	ck_assert_int_eq(ctl_place_remove(&again, false, NULL), 0);
	ck_assert(!file_exists("root/bundles/c1"));
}
END_TEST

START_TEST(test_lock)
{
	struct ctl_place p = made("c1"), other;

	ck_assert_int_eq(ctl_place_init(&other, "root", "c1", NULL), 0);
	ck_assert_int_eq(ctl_place_lock(&other), -EWOULDBLOCK);
	ctl_place_close(&p);
	ck_assert_int_eq(ctl_place_lock(&other), 0);
	ctl_place_close(&other);
	ctl_place_close(&other);
}
END_TEST

/* Left by who was killed before there was a record. */
START_TEST(test_remove_empty)
{
	struct timespec old[2] = {{1, 0}, {1, 0}};
	struct ctl_place p = made("c1");

	ctl_place_remove_empty(&p, 10); /* too young */
	ck_assert(file_exists("root/state/c1"));
	put_text("root/state/c1/container.json.new", "{");
	ck_assert_int_eq(utimensat(AT_FDCWD, "root/state/c1", old, 0), 0);
	ck_assert_int_eq(ctl_place_lock(&p), 0);
	ctl_place_remove_empty(&p, 10);
	ck_assert(!file_exists("root/state/c1"));
	ck_assert(!file_exists("root/bundles/c1"));
}
END_TEST

START_TEST(test_long_root)
{
	char root[2000];
	struct ctl_place p;
	struct err e;

	memset(root, 'x', sizeof(root) - 1);
	root[0] = '/';
	root[sizeof(root) - 1] = '\0';
	ck_assert_int_eq(ctl_place_init(&p, root, "c1", &e), -ENAMETOOLONG);
}
END_TEST

/* Nothing outside is touched, by way of links or of mounts. */
START_TEST(test_remove_tree)
{
	ck_assert_int_eq(mkdir("outside", 0700), 0);
	put_text("outside/precious", "x");
	ck_assert_int_eq(mkdir("tree", 0700), 0);
	ck_assert_int_eq(mkdir("tree/sub", 0000), 0);
	ck_assert_int_eq(symlink("../outside", "tree/link"), 0);
	ck_assert_int_eq(symlink("outside", "link"), 0);
	if (is_root()) {
		ck_assert_int_eq(mkdir("tree/mnt", 0700), 0);
		ck_assert_int_eq(
			mount("outside", "tree/mnt", NULL, MS_BIND, NULL), 0);
	}
	ck_assert_int_eq(ctl_remove_tree("tree", NULL), 0);
	ck_assert(!file_exists("tree"));
	ck_assert(file_exists("outside/precious"));
	ck_assert_int_eq(ctl_remove_tree("link", NULL), 0);
	ck_assert(!file_exists("link"));
	ck_assert(file_exists("outside/precious"));
	ck_assert_int_eq(ctl_remove_tree("tree", NULL), 0); /* gone already */
}
END_TEST

START_TEST(test_record)
{
	struct ctl_record r = {.container = {.ns = "ns",
				       .id = "c1",
				       .bundle = "/b",
				       .shim = "/s",
				       .runtime = "/usr/bin/crun",
				       .runtime_root = "/r"},
		.address = "unix:///a",
		.version = 3,
		.keep = true};
	struct ctl_place p = made("c1");
	struct ctl_record got;
	struct err e;

	ck_assert_int_eq(ctl_record_read(&p, &got, &e), -ENOENT);
	ck_assert_int_eq(ctl_record_write(&p, &r, NULL), 0);
	ck_assert_int_eq(ctl_record_read(&p, &got, NULL), 0);
	ck_assert_str_eq(got.container.ns, "ns");
	ck_assert_str_eq(got.container.id, "c1");
	ck_assert_str_eq(got.container.bundle, "/b");
	ck_assert_str_eq(got.container.shim, "/s");
	ck_assert_str_eq(got.container.runtime, "/usr/bin/crun");
	ck_assert_str_eq(got.container.runtime_root, "/r");
	ck_assert_ptr_null(got.container.events);
	ck_assert_ptr_null(got.rootfs);
	ck_assert_str_eq(got.address, "unix:///a");
	ck_assert_uint_eq(got.version, 3);
	ck_assert(got.keep);
	ctl_record_clear(&got);
	put_text(p.record, "{\"id\":\"c1\"}");
	ck_assert_int_eq(ctl_record_read(&p, &got, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "not complete"));
	ctl_place_close(&p);
}
END_TEST

START_TEST(test_rootfs)
{
	struct event_base *base = event_base_new();
	struct client *c;
	struct stat st;
	char target[64];
	int r;

	ck_assert_int_eq(client_new(base, &c, NULL), 0);
	r = ctl_rootfs_make(c, "rootfs", NULL);
	if (r != -ENOENT) { /* no busybox-static here */
		ck_assert_int_eq(r, 0);
		ck_assert_int_eq(stat("rootfs/bin/busybox", &st), 0);
		ck_assert_uint_eq(st.st_mode & 07777, 0755);
		ck_assert_uint_eq(st.st_nlink, 1); /* nobody else's */
		ck_assert_int_eq(readlink("rootfs/bin/sh", target, 64), 7);
		ck_assert_int_eq(stat("rootfs/tmp", &st), 0);
		ck_assert_uint_eq(st.st_mode & 07777, 01777);
		ck_assert(file_exists("rootfs/etc/passwd"));
		ck_assert_int_eq(ctl_rootfs_make(c, "rootfs", NULL), -EEXIST);
	}
	client_free(c);
	event_base_free(base);
}
END_TEST

START_TEST(test_rootfs_place)
{
	char path[256];

	ck_assert_int_eq(
		ctl_rootfs_choose(here("."), "c1", path, sizeof(path), NULL),
		0);
	ck_assert_ptr_nonnull(strstr(path, "/./rootfs"));
	if (!is_root())
		return;
	ck_assert_int_eq(mkdir("noexec", 0700), 0);
	ck_assert_int_eq(mount("tmpfs", "noexec", "tmpfs", MS_NOEXEC, NULL), 0);
	ck_assert_int_eq(
		ctl_rootfs_choose("noexec", "c1", path, sizeof(path), NULL), 0);
	ck_assert_ptr_nonnull(strstr(path, "/wisp-c1"));
	ck_assert_int_eq(umount("noexec"), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_make_and_remove, test_lock,
		test_remove_empty, test_long_root, test_remove_tree,
		test_record, test_rootfs, test_rootfs_place, NULL};

	return suite_run("ctl place", tests);
}
