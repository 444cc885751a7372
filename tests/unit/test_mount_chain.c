/* SPDX-License-Identifier: Apache-2.0 */
/* format/ and mkdir/: mounts that speak of each other. */
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

#include "platform/mount.h"
#include "util_oom.h"
#include "util_test.h"

static struct err e;

/* A mount namespace of the test's own, with a tmpfs "m" that has a "root" and
 * two layers. */
static bool begin(void)
{
	if (!is_root() || unshare(CLONE_NEWNS) < 0)
		return false;
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	ck_assert_int_eq(mkdir("m", 0755), 0);
	ck_assert_int_eq(mount("t", "m", "tmpfs", 0, "mode=755"), 0);
	mkdir("m/root", 0755);
	mkdir("m/l0", 0755);
	mkdir("m/l1", 0755);
	put_text("m/l0/f0", "x");
	put_text("m/l1/f1", "x");
	return true;
}

#define SPEC(type_, source_, ...)                                         \
	((struct mount_spec){.type = (type_),                             \
		.source = (source_),                                      \
		.options = (const char *const[]){__VA_ARGS__},            \
		.n_options = sizeof((const char *const[]){__VA_ARGS__}) / \
			     sizeof(char *)})

static int do_all(const struct mount_spec *m, size_t n)
{
	return mount_all(m, n, here("m/root"), here("m/scratch"), &e);
}

static void must(const struct mount_spec *m, size_t n)
{
	ck_assert_msg(do_all(m, n) == 0, "%s", e.msg);
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
	ck_assert_msg(
		mount_undo_all(here("m/root"), here("m/scratch"), &e) == 0,
		"%s", e.msg);
	ck_assert_uint_eq(count_mounts(), 0);
	ck_assert(!file_exists("m/scratch"));
}

static void must_fail(
	const struct mount_spec *m, size_t n, int code, const char *says)
{
	int r = do_all(m, n);

	ck_assert_msg(r == code, "%d: %s", r, r < 0 ? e.msg : "it works");
	ck_assert_msg(strstr(e.msg, says), "%s", e.msg);
	undo();
}

/* containerd's docs/mounts.md has this one, with a tmpfs for the xfs. */
START_TEST(test_overlay)
{
	struct stat st;

	if (!begin())
		return;
	const struct mount_spec m[] = {
		SPEC("bind", here("m/l0"), "bind", "ro"),
		SPEC("bind", here("m/l1"), "bind", "ro"),
		SPEC("tmpfs", "tmpfs", "mode=755"),
		SPEC("format/mkdir/overlay", "overlay",
			"X-containerd.mkdir.path={{ mount 2 }}/upper:0711:7:8",
			"X-containerd.mkdir.path={{ mount 2 }}/work",
			"upperdir={{ mount 2 }}/upper",
			"workdir={{ mount 2 }}/work",
			"lowerdir={{ overlay 0 1 }}"),
	};

	must(m, 4);
	ck_assert_uint_eq(count_mounts(), 4);
	ck_assert(file_exists("m/root/f0") && file_exists("m/root/f1"));
	put_text("m/root/new", "x");
	ck_assert(file_exists("m/scratch/2/upper/new"));
	ck_assert_int_eq(stat("m/root", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0711);
	ck_assert_uint_eq(st.st_uid, 7);
	ck_assert_uint_eq(st.st_gid, 8);
	ck_assert_int_eq(stat("m/scratch/2/work", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	undo();
	undo();
}
END_TEST

/* Templates are filled before folders are made, in whatever order it says. */
START_TEST(test_bind)
{
	if (!begin())
		return;
	const struct mount_spec m[] = {
		SPEC("tmpfs", "tmpfs", "mode=755"),
		SPEC("mkdir/format/bind", "{{ mount 0 }}/a/b",
			"X-containerd.mkdir.path={{ mount 0 }}/a:755",
			"X-containerd.mkdir.path={{ mount 0 }}/a/b/:0700",
			"rbind"),
		SPEC("tmpfs", "tmpfs", "mode=700"),
	};

	must(m, 3); /* the last is on the root, too */
	ck_assert_uint_eq(count_mounts(), 3);
	ck_assert(file_exists("m/scratch/0/a/b"));
	ck_assert(!file_exists("m/scratch/1"));
	undo();
	must(m, 2);
	put_text("m/root/x", "x");
	ck_assert(file_exists("m/scratch/0/a/b/x"));
	undo();
}
END_TEST

/* Braces are text where the type does not speak of them. */
START_TEST(test_plain)
{
	if (!begin())
		return;
	mkdir("m/{{ mount 0 }}", 0755);
	put_text("m/{{ mount 0 }}/x", "x");
	const struct mount_spec m[] = {
		SPEC("tmpfs", "tmpfs", "mode=755"),
		SPEC("bind", here("m/{{ mount 0 }}"), "bind"),
	};

	must(m, 2);
	ck_assert(file_exists("m/root/x"));
	ck_assert(!file_exists("m/scratch"));
	undo();
}
END_TEST

/* What a snapshot has is not changed. */
START_TEST(test_folder_exists)
{
	struct stat st;

	if (!begin())
		return;
	mkdir("m/l0/upper", 0755);
	ck_assert_int_eq(chown("m/l0/upper", 5, 6), 0);
	const struct mount_spec m[] = {
		SPEC("bind", here("m/l0"), "bind"),
		SPEC("format/mkdir/bind", "{{ mount 0 }}/upper",
			"X-containerd.mkdir.path={{ mount 0 }}/upper:700:1:1",
			"bind"),
	};

	must(m, 2);
	ck_assert_int_eq(stat("m/root", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0755);
	ck_assert_uint_eq(st.st_uid, 5);
	undo();
}
END_TEST

/* No link on an earlier mount leads out of it. */
START_TEST(test_folder_stays_inside)
{
	if (!begin())
		return;
	mkdir("m/out", 0755);
	ck_assert_int_eq(symlink(here("m/out"), "m/l0/abs"), 0);
	ck_assert_int_eq(symlink("../../out", "m/l0/rel"), 0);
	ck_assert_int_eq(symlink("l1", "m/l0/last"), 0);
	mkdir("m/l0/l1", 0755);
	static const char *const paths[] = {"{{ mount 0 }}/abs/x",
		"{{ mount 0 }}/rel/x", "{{ mount 0 }}/last"};
	size_t i;

	for (i = 0; i < LENGTH(paths); i++) {
		char option[256];

		snprintf(option, sizeof(option), "X-containerd.mkdir.path=%s",
			paths[i]);
		const struct mount_spec m[] = {
			SPEC("bind", here("m/l0"), "bind"),
			SPEC("format/mkdir/tmpfs", "tmpfs", option),
		};
		ck_assert_msg(do_all(m, 2) < 0, "%s works", paths[i]);
		ck_assert_msg(strstr(e.msg, "mkdir.path"), "%s", e.msg);
		undo();
	}
	ck_assert(!file_exists("m/out/x"));
}
END_TEST

START_TEST(test_bad_folders)
{
	static const char *const bad[] = {"", "x", "/", "/a/../b",
		"/a:", "/a:8", "/a:01000", "/a:rwx", "/a:755:1",
		"/a:755:1:", "/a:755:1:x", "/a:755:-1:1", "/a:755:4294967295:1",
		"/a:755:1:1:1", "{{ mount 0 }}/a"};
	char option[256];
	size_t i;

	if (!begin())
		return;
	for (i = 0; i < LENGTH(bad); i++) {
		snprintf(option, sizeof(option), "X-containerd.mkdir.path=%s",
			bad[i]);
		must_fail(&SPEC("mkdir/tmpfs", "tmpfs", option), 1, -EINVAL,
			option);
	}
	must_fail(&SPEC("mkdir/tmpfs", "tmpfs",
			  "X-containerd.mkdir.path=/no/such/parent"),
		1, -EINVAL, "/no/such/parent");
	must_fail(&SPEC("mkdir/tmpfs", "tmpfs", "X-containerd.mkdir.x=/a"), 1,
		-EINVAL, "X-containerd.mkdir.x=/a");
	must_fail(&SPEC("tmpfs", "tmpfs", "X-containerd.mkdir.path=/a"), 1,
		-EINVAL, "X-containerd.mkdir.path=/a");
	put_text("m/file", "x");
	snprintf(option, sizeof(option), "X-containerd.mkdir.path=%s",
		here("m/file"));
	must_fail(&SPEC("mkdir/tmpfs", "tmpfs", option), 1, -ENOTDIR, "m/file");
}
END_TEST

/* Whichever fails, those before it are undone. */
START_TEST(test_each_may_fail)
{
	size_t i;

	if (!begin())
		return;
	for (i = 0; i < 4; i++) {
		struct mount_spec m[] = {
			SPEC("tmpfs", "tmpfs", "mode=755"),
			SPEC("tmpfs", "tmpfs", "mode=755"),
			SPEC("format/overlay", "o",
				"lowerdir={{ overlay 0 1 }}"),
			SPEC("tmpfs", "tmpfs", "ro"),
		};

		must(m, 4);
		undo();
		m[i] = SPEC("format/no-such-fs", "x", "ro");
		must_fail(m, 4, -ENODEV, "no-such-fs");
		m[i] = SPEC("format/tmpfs", "{{ mount 9 }}", "ro");
		must_fail(m, 4, -EINVAL, "{{ mount 9 }}");
	}
}
END_TEST

/* Each allocation may be the one that fails (__wrap_malloc and so on). */
START_TEST(test_oom)
{
	char root[256], scratch[256];

	if (!begin())
		return;
	snprintf(root, sizeof(root), "%s", here("m/root"));
	snprintf(scratch, sizeof(scratch), "%s", here("m/scratch"));
	const struct mount_spec m[] = {
		SPEC("tmpfs", "tmpfs", "mode=755"),
		SPEC("format/mkdir/bind", "{{ mount 0 }}/a",
			"X-containerd.mkdir.path={{ mount 0 }}/a", "bind"),
	};
	OOM_SWEEP(n)
	{
		int r;
		bool failed;

		oom_at(n);
		r = mount_all(m, 2, root, scratch, &e);
		failed = oom_off();
		/* without a shorter copy it goes on with the long one */
		ck_assert_msg(r == 0 || (failed && r == -ENOMEM), "%d", r);
		undo();
	}
	ck_assert_uint_gt(oom_count(), 5);
}
END_TEST

/* A short text that asks for gigabytes. */
START_TEST(test_too_much)
{
	enum { N = 200 };
	static struct mount_spec m[N + 1];
	static const char *options[5000];
	static const char *const bind[] = {"bind"};
	char layer[256];
	size_t i;

	if (!begin())
		return;
	snprintf(layer, sizeof(layer), "%s", here("m/l0"));
	for (i = 0; i < N; i++)
		m[i] = (struct mount_spec){.type = "bind",
			.source = layer,
			.options = bind,
			.n_options = 1};
	for (i = 0; i < LENGTH(options); i++)
		options[i] = "x={{ overlay 0 199 }}";
	m[N] = (struct mount_spec){.type = "format/overlay",
		.source = "o",
		.options = options,
		.n_options = LENGTH(options)};
	must_fail(m, N + 1, -E2BIG, "too long");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_overlay, test_bind, test_plain,
		test_folder_exists, test_folder_stays_inside, test_bad_folders,
		test_each_may_fail, test_oom, test_too_much, NULL};

	return suite_run("mount_chain", tests);
}
