/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer does to a tree, and what it must not do to anything else. With
 * __wrap_malloc: the Nth allocation fails. */
#include "ctl/image/image_layer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util_oom.h"
#include "util_tar.h"
#include "util_test.h"

static struct image_tree tree;

static int apply(struct err *e)
{
	struct image_job job = tar_job();
	int r;

	tar_end();
	ck_assert_int_eq(image_tree_open(&tree, "root", NULL), 0);
	r = tar_apply(&tree, &job, e);
	image_tree_close(&tree);
	return r;
}

static void apply_well(void)
{
	struct err e = {0};

	ck_assert_msg(apply(&e) == 0, "%s", e.msg);
}

static void check_text(const char *path, const char *want)
{
	char text[256];

	get_file(path, text, sizeof(text));
	ck_assert_str_eq(text, want);
}

START_TEST(test_names)
{
	static const char *const names[][2] = {{"a/b", "a/b"}, {"/a/b/", "a/b"},
		{"./a//./b", "a/b"}, {".", ""}, {"///", ""},
		{"..a/b..", "..a/b.."}, {"a/.../b", "a/.../b"}, {"..", NULL},
		{"../a", NULL}, {"a/..", NULL}, {"a/../b", NULL},
		{"/..", NULL}};
	char got[IMAGE_PATH_MAX], name[IMAGE_PATH_MAX * 2];
	size_t i;

	for (i = 0; i < LENGTH(names); i++) {
		int r = image_name_clean(names[i][0], got, NULL);

		ck_assert_int_eq(r, names[i][1] ? 0 : -EINVAL);
		if (names[i][1])
			ck_assert_str_eq(got, names[i][1]);
	}
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(image_name_clean(name, got, NULL), -ENAMETOOLONG);
	for (i = 0; i < sizeof(name) - 1; i += 100)
		name[i] = '/';
	ck_assert_int_eq(image_name_clean(name, got, NULL), -ENAMETOOLONG);
	name[IMAGE_PATH_MAX] = '\0';
	ck_assert_int_eq(image_name_clean(name, got, NULL), 0);
	ck_assert_uint_eq(strlen(got), IMAGE_PATH_MAX - 1);
}
END_TEST

/* From what is asked for to where it is, in a tree with these links. */
START_TEST(test_find)
{
	static const char *const ways[][2] = {{"d/x", "d/x"}, {"up/x", "x"},
		{"d/up/x", "x"}, {"abs/x", "d/x"}, {"abs", "abs"},
		{"far/x", "d/x"}, {"root/x", "x"}, {"chain/x", "d/x"},
		{"d/e/back/x", "d/x"}, {"d/e/top/x", "d/x"}, {"loop/x", NULL},
		{"file/x", NULL}, {"gone/x", NULL}};
	struct image_spot s;
	size_t i;

	tar_begin();
	tar_add('5', "d/e", "");
	tar_add('2', "up", ".././../..");
	tar_add('2', "d/up", "..");
	tar_add('2', "abs", "/d");
	tar_add('2', "far", "../../../../../../../../../../../../d");
	tar_add('2', "root", "/");
	tar_add('2', "chain", "/far/../abs//");
	tar_add('2', "d/e/back", "../../d/e/../../chain");
	tar_add('2', "d/e/top", "/d");
	tar_add('2', "loop", "loop/x");
	tar_add('0', "file", "");
	apply_well();
	ck_assert_int_eq(image_tree_open(&tree, "root", NULL), 0);
	for (i = 0; i < LENGTH(ways); i++) {
		int r = image_tree_find(&tree, ways[i][0], false, &s, NULL);

		ck_assert_int_eq(r == 0, ways[i][1] != NULL);
		if (r == 0)
			ck_assert_str_eq(s.path, ways[i][1]);
		if (r == 0)
			image_spot_close(&s);
	}
	ck_assert_int_eq(
		image_tree_find(&tree, "far/new/x", true, &s, NULL), 0);
	ck_assert(file_exists("root/d/new"));
	image_spot_close(&s);
	image_tree_close(&tree);
}
END_TEST

START_TEST(test_layers)
{
	struct stat st;

	tar_begin();
	tar_add('0', "a/one", "1");
	tar_add('0', "a/two", "2");
	tar_add('0', "a/sub/low", "low");
	tar_add('0', "b", "lower");
	apply_well();
	check_text("root/a/sub/low", "low");
	tar_begin();
	tar_add('0', "a/three", "3");
	tar_add('0', "a/.wh.one", "");
	tar_add('0', "a/sub/high", "high");
	tar_add('0', "a/sub/.wh..wh..opq", "");
	tar_add('1', "hard", "/a/two");
	tar_add('5', "b", "");
	tar_add('0', "b/in", "in");
	tar_add('0', ".wh.b", "");
	apply_well();
	ck_assert(!file_exists("root/a/one"));
	ck_assert(!file_exists("root/a/sub/low"));
	check_text("root/a/sub/high", "high");
	check_text("root/a/three", "3");
	check_text("root/b/in", "in");
	ck_assert_int_eq(stat("root/a/two", &st), 0);
	ck_assert_uint_eq(st.st_nlink, 2);
	ck_assert_int_eq(stat("root/b", &st), 0);
	ck_assert_int_eq(st.st_mtime, 1000000000);
	ck_assert(!file_exists("root/.wh.b"));
}
END_TEST

/* Whatever they are, the folder beside the tree is as it was. */
START_TEST(test_hostile)
{
	static const struct {
		char type;
		const char *name, *text;
	} bad[] = {{'0', "../victim/f", "x"}, {'0', "a/../../victim/f", "x"},
		{'5', "../victim/d", ""}, {'2', "../victim/s", "x"},
		{'1', "h", "../victim/old"}, {'1', "h", "out/old"},
		{'1', "../victim/h", "ok"}, {'0', "../victim/.wh.old", ""},
		{'0', "../.wh.victim", ""}, {'0', ".wh...", ""},
		{'0', ".wh..", ""}, {'0', ".wh.", ""}, {'0', "d/.wh...", ""},
		{'0', "../victim/.wh..wh..opq", ""}, {'6', "../victim/p", ""},
		{'0', "", "x"}, {'0', ".", "x"}, {'2', "/", "x"},
		{'1', ".", "ok"}, {'0', ".wh.x/y", ""}};
	static const struct {
		char type;
		const char *name;
	} inside[] = {{'0', "out/new"}, {'0', "out/.wh.old"},
		{'0', "out/.wh..wh..opq"}, {'5', "out/d"}, {'6', "out/p"},
		{'0', "out2/new"}, {'0', "out2/.wh..wh..opq"}};
	char to[4200];
	size_t i;

	mkdir("victim", 0755);
	put_text("victim/old", "old");
	for (i = 0; i < LENGTH(bad) + LENGTH(inside); i++) {
		size_t j = i - LENGTH(bad);
		struct err e = {0};

		tar_begin();
		tar_add('0', "ok", "ok");
		tar_add('2', "out", here("victim"));
		snprintf(to, sizeof(to), "../../../../../../../../../..%s",
			here("victim"));
		tar_add('2', "out2", to);
		if (i < LENGTH(bad))
			tar_add(bad[i].type, bad[i].name, bad[i].text);
		else
			tar_add(inside[j].type, inside[j].name, "x");
		ck_assert_msg((apply(&e) == 0) == (i >= LENGTH(bad)), "%zu: %s",
			i, e.msg);
		ck_assert(rmdir("victim") < 0 && errno == ENOTEMPTY);
		check_text("victim/old", "old");
		ck_assert(!file_exists("victim/new"));
		ck_assert(!file_exists("victim/f"));
		ck_assert(!file_exists("victim/d"));
		ck_assert(!file_exists("victim/p"));
		ck_assert(!file_exists("victim/h"));
	}
}
END_TEST

START_TEST(test_limits)
{
	struct image_job job = tar_job();
	struct err e = {0};

	tar_begin();
	tar_add('0', "a", "1");
	tar_add('0', "b", "2");
	tar_end();
	ck_assert_int_eq(image_tree_open(&tree, "root", NULL), 0);
	job.max_entries = 1;
	ck_assert_int_eq(tar_apply(&tree, &job, &e), -EFBIG);
	job = tar_job();
	job.max_bytes = 1024;
	ck_assert_int_eq(tar_apply(&tree, &job, &e), -EFBIG);
	ck_assert_ptr_nonnull(strstr(e.msg, "--image-max-size"));
	image_tree_close(&tree);
}
END_TEST

/* Cut anywhere: an error, or nothing lost that was there. */
START_TEST(test_cut)
{
	char whole[8192];
	size_t n, cut;

	tar_begin();
	tar_add('0', "a", "some text");
	tar_add('2', "l", "a");
	tar_add('1', "h", "a");
	tar_end();
	n = get_file("img/layer", whole, sizeof(whole));
	ck_assert_int_eq(image_tree_open(&tree, "root", NULL), 0);
	for (cut = 0; cut < n; cut += 64) {
		struct image_job job = tar_job();
		struct err e = {0};
		int r;

		put_file("img/layer", whole, cut);
		r = tar_apply(&tree, &job, &e);
		ck_assert(r == e.code && r <= 0);
	}
	image_tree_close(&tree);
}
END_TEST

START_TEST(test_no_memory)
{
	unsigned fds = count_fds();

	tar_begin();
	tar_add('5', "d", "");
	tar_add('0', "d/a", "1");
	tar_add('0', "d/.wh.x", "");
	tar_add('1', "h", "d/a");
	tar_end();
	OOM_SWEEP(n)
	{
		struct image_job job = tar_job();
		struct err e = {0};
		bool hit;
		int r, opened = image_tree_open(&tree, "root", NULL);

		oom_at(n);
		r = tar_apply(&tree, &job, &e);
		hit = oom_off();
		image_tree_close(&tree);
		ck_assert_int_eq(opened, 0);
		ck_assert_int_eq(r, hit ? -ENOMEM : 0);
		ck_assert_uint_eq(count_fds(), fds);
	}
	check_text("root/h", "1");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_names, test_find, test_layers,
		test_hostile, test_limits, test_cut, test_no_memory, NULL};

	return suite_run("image layer", tests);
}
