/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/image/image.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/image/image_options.h"
#include "ctl/image/image_run.h"
#include "util_test.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

START_TEST(test_digest)
{
	static const char *const bad[] = {"", "sha256:", "sha256:" ABC "0",
		"sha512:" ABC, ABC, "sha256:../" ABC,
		"sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff6"
		"1f20015ad"};
	struct image_digest d = {0};
	char text[IMAGE_DIGEST_TEXT_MAX];
	struct err e = {0};
	size_t i;

	for (i = 0; i < LENGTH(bad); i++)
		ck_assert_int_eq(image_digest_parse(bad[i], &d, &e), -EINVAL);
	ck_assert_int_eq(image_digest_parse(NULL, &d, &e), -EINVAL);
	ck_assert_int_eq(image_digest_check_data(&d, "x", 1, "x", &e), 0);
	ck_assert_int_eq(image_digest_parse("sha256:" ABC, &d, &e), 0);
	image_digest_text(&d, text);
	ck_assert_str_eq(text, "sha256:" ABC);
	ck_assert_int_eq(image_digest_check_data(&d, "abc", 3, "x", &e), 0);
	ck_assert_int_eq(
		image_digest_check_data(&d, "abd", 3, "x", &e), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(e.msg, ABC));
}
END_TEST

START_TEST(test_tag)
{
	static const struct {
		const char *name, *tag;
		bool same;
	} cases[] = {{"docker.io/library/a:1", "docker.io/library/a:1", true},
		{"docker.io/library/a:1", "library/a:1", true},
		{"docker.io/library/a:1", "a:1", true},
		{"docker.io/library/a:1", "1", true},
		{"latest", "latest", true},
		{"docker.io/library/a:1", ":1", false},
		{"docker.io/library/aa:1", "a:1", false},
		{"host:5000/a", "5000/a", false}, {"a:1", "", false},
		{"a:11", "1", false}, {"1", "a:1", false}};
	size_t i;

	for (i = 0; i < LENGTH(cases); i++)
		ck_assert_msg(image_has_tag(cases[i].name, cases[i].tag) ==
				      cases[i].same,
			"%s %s", cases[i].name, cases[i].tag);
}
END_TEST

START_TEST(test_platform)
{
	static const char *const bad[] = {"", "linux", "linux/", "/amd64",
		"linux/amd64/", "linux/arm/v7/x", "Linux/amd64", "linux/a b"};
	struct image_platform want, have = {0};
	char text[IMAGE_PLATFORM_TEXT_MAX];
	size_t i;

	for (i = 0; i < LENGTH(bad); i++)
		ck_assert_int_eq(
			image_platform_parse(bad[i], &want, NULL), -EINVAL);
	ck_assert_int_eq(image_platform_parse("linux/arm/v7", &want, NULL), 0);
	ck_assert_str_eq(image_platform_text(&want, text), "linux/arm/v7");
	ck_assert(image_platform_fits(&want, &have)); /* nothing said */
	image_platform_set(&have, "linux", "arm", "v7");
	ck_assert(image_platform_fits(&want, &have));
	image_platform_set(&have, "linux", "arm", "v6");
	ck_assert(!image_platform_fits(&want, &have));
	image_platform_set(&have, "linux", "arm64", NULL);
	ck_assert(!image_platform_fits(&want, &have));
	ck_assert_int_eq(image_platform_parse(NULL, &want, NULL), 0);
	ck_assert_str_eq(want.os, "linux");
	ck_assert_str_ne(want.arch, "");
}
END_TEST

static void find_user(struct image_tree *t, const char *user, int r,
	uint32_t uid, uint32_t gid, size_t n_groups, const char *home)
{
	struct image_user u;
	struct err e = {0};

	ck_assert_msg(
		image_user_find(t, user, &u, &e) == r, "%s: %s", user, e.msg);
	if (r < 0)
		return;
	ck_assert_uint_eq(u.uid, uid);
	ck_assert_uint_eq(u.gid, gid);
	ck_assert_uint_eq(u.n_groups, n_groups);
	ck_assert_str_eq(u.home, home);
}

START_TEST(test_user)
{
	struct image_tree t;

	mkdir("root", 0755);
	mkdir("root/etc", 0755);
	ck_assert_int_eq(image_tree_open(&t, "root", NULL), 0);
	find_user(&t, NULL, 0, 0, 0, 0, "/");
	find_user(&t, "7:8", 0, 7, 8, 0, "/");
	find_user(&t, "me", -ENOENT, 0, 0, 0, "");
	put_text("root/etc/passwd",
		"# not an entry\n\n:::\nbad:x:-1:0::/b:\nshort\n+::::::\n"
		"root:x:0:0:root:/root:/bin/sh\n"
		"me:x:10:20:Me:/home/me:/bin/sh\n"
		"odd:x:11:21::no/path:\nlast:x:4294967294:1::/l:");
	put_text("root/etc/group",
		"wheel:x:5:you,me,root\nmine:x:20:\nother:x:6:me2,xme\n"
		"bad:x:99999999999:me\nsub:x:7:me");
	find_user(&t, "", 0, 0, 0, 1, "/root");
	find_user(&t, "me", 0, 10, 20, 2, "/home/me");
	find_user(&t, "10", 0, 10, 20, 2, "/home/me");
	find_user(&t, "me:other", 0, 10, 6, 0, "/home/me");
	find_user(&t, "me:77", 0, 10, 77, 0, "/home/me");
	find_user(&t, "me:none", -ENOENT, 0, 0, 0, "");
	find_user(&t, ":mine", 0, 0, 20, 0, "/root");
	find_user(&t, "odd", 0, 11, 21, 0, "/");
	find_user(&t, "last", 0, 4294967294u, 1, 0, "/l");
	find_user(&t, "4294967295", -ENOENT, 0, 0, 0, "");
	find_user(&t, "bad", -ENOENT, 0, 0, 0, "");
	image_tree_close(&t);
}
END_TEST

static void merge(const char *entrypoint, const char *const *entry,
	const char *const *cmd, char *const *given, const char *want)
{
	struct image_run x = {0};
	struct image_options o = {.entrypoint = entrypoint};
	char got[200] = "";
	size_t i;
	int r;

	x.image.config.entrypoint = (const char **)entry;
	x.image.config.cmd = (const char **)cmd;
	r = image_run_merge(&x, &o, given, NULL, 0, NULL);
	ck_assert_int_eq(r, want ? 0 : -EINVAL);
	for (i = 0; want && x.args[i]; i++) {
		strcat(got, x.args[i]);
		strcat(got, " ");
	}
	ck_assert_str_eq(got, want ? want : "");
	x.image.config.entrypoint = x.image.config.cmd = NULL;
	image_run_clear(&x);
}

START_TEST(test_command)
{
	static const char *const e[] = {"e1", "e2", NULL}, *const c[] = {
								   "c", NULL};
	char *given[] = {"g1", "g2", NULL}, *nothing[] = {NULL};

	merge(NULL, e, c, nothing, "e1 e2 c ");
	merge(NULL, e, c, given, "e1 e2 g1 g2 ");
	merge(NULL, NULL, c, nothing, "c ");
	merge(NULL, NULL, c, given, "g1 g2 ");
	merge("x", e, c, nothing, "x ");
	merge("x", e, c, given, "x g1 g2 ");
	merge("", e, c, given, "g1 g2 ");
	merge("", e, c, nothing, NULL);
	merge(NULL, NULL, NULL, nothing, NULL);
}
END_TEST

START_TEST(test_environment)
{
	static const char *own[] = {
		"A=1", "B=2", "A=3", "AB=4", "none", "=x", NULL};
	char *given[] = {"B=9", "C="}, *nothing[] = {"x", NULL};
	struct image_run x = {0};
	struct image_options o = {0};
	static const char *const want[] = {"A=3", "B=9", "AB=4", "C="};
	size_t i;

	x.image.config.env = own;
	x.image.config.cwd = "some/where";
	ck_assert_int_eq(
		image_run_merge(&x, &o, nothing, given, LENGTH(given), NULL),
		0);
	ck_assert_uint_eq(x.n_env, LENGTH(want));
	for (i = 0; i < LENGTH(want); i++)
		ck_assert_str_eq(x.env[i], want[i]);
	ck_assert_str_eq(x.cwd, "/some/where");
	x.image.config.env = NULL;
	image_run_clear(&x);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_digest, test_tag, test_platform,
		test_user, test_command, test_environment, NULL};

	return suite_run("image", tests);
}
