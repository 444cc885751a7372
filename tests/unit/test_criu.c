/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/criu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

static struct err why;

START_TEST(test_names)
{
	struct criu c = {0};
	size_t i;

	for (i = 0; i < CRIU_NAMESPACES; i++) {
		ck_assert_int_eq(
			criu_set_empty(&c, criu_namespace(i), &why), 0);
		ck_assert(c.empty[i]);
	}
	ck_assert_str_eq(criu_namespace(CRIU_NAMESPACES), "");
	ck_assert_int_eq(criu_set_empty(&c, "--evil", &why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.msg, "'--evil'"));
	ck_assert_int_eq(criu_set_cgroups_mode(&c, "strict", &why), 0);
	ck_assert_str_eq(c.cgroups_mode, "strict");
	ck_assert_int_eq(criu_set_cgroups_mode(&c, "", &why), 0);
	ck_assert_ptr_null(c.cgroups_mode);
	ck_assert_int_eq(criu_set_cgroups_mode(&c, "Soft", &why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.msg, "'Soft'"));
}
END_TEST

static void relative(const char *image, const char *parent)
{
	char name[4096], path[8192], a[4096], b[4096];

	ck_assert_int_eq(
		criu_relative(image, parent, name, sizeof(name), &why), 0);
	ck_assert_int_ne(name[0], '/');
	snprintf(path, sizeof(path), "%s/%s", image, name);
	ck_assert_ptr_nonnull(realpath(path, a));
	if (*parent != '/') {
		snprintf(path, sizeof(path), "%s/%s", image, parent);
		parent = path;
	}
	ck_assert_ptr_nonnull(realpath(parent, b));
	ck_assert_str_eq(a, b);
}

START_TEST(test_relative)
{
	char name[16];

	mkdir("one", 0700);
	mkdir("two", 0700);
	mkdir("two/deep", 0700);
	ck_assert_int_eq(symlink("two/deep", "link"), 0);
	put_text("file", "");
	relative(here("one"), here("two"));
	relative(here("two"), "../one");
	relative(here("link"), here("one")); /* ".." there is not here */
	relative(here("one"), here("link"));
	relative(here("one"), "/");
	ck_assert_int_eq(criu_relative(here("one"), here("none"), name,
				 sizeof(name), &why),
		-EINVAL);
	ck_assert_ptr_nonnull(strstr(why.msg, "none"));
	ck_assert_int_eq(criu_relative(here("one"), here("file"), name,
				 sizeof(name), &why),
		-EINVAL);
	ck_assert_int_eq(criu_relative(here("none"), here("one"), name,
				 sizeof(name), &why),
		-EINVAL);
	ck_assert_int_eq(criu_relative(here("one"), here("two"), name, 8, &why),
		-ENAMETOOLONG);
}
END_TEST

START_TEST(test_round_trip)
{
	struct criu c = {.image = here("."),
		.open_tcp = true,
		.file_locks = true,
		.leave_running = true,
		.cgroups_mode = "full"};
	struct criu got = {.image = here("."), .terminal = true};

	c.empty[0] = c.empty[5] = true;
	ck_assert_int_eq(criu_save(&c, &why), 0);
	ck_assert_int_eq(criu_load(&got, &why), 0);
	ck_assert(got.open_tcp && got.file_locks);
	ck_assert(!got.external_unix_sockets && !got.terminal);
	ck_assert(!got.leave_running); /* not of the image */
	ck_assert_str_eq(got.cgroups_mode, "full");
	ck_assert(got.empty[0] && got.empty[5] && !got.empty[1]);
	c.image = here("none");
	ck_assert_int_eq(criu_save(&c, &why), -ENOENT);
}
END_TEST

START_TEST(test_image_of_others)
{
	struct criu c = {.image = here("."), .open_tcp = true};

	ck_assert_int_eq(criu_load(&c, &why), 0);
	ck_assert(c.open_tcp);
}
END_TEST

START_TEST(test_broken_options)
{
	static const char *const texts[] = {"", "{", "{\"open_tcp\": tru}",
		"{\"cgroups_mode\": \"--x\"}",
		"{\"empty_namespaces\": [\"network\", \"--x\"]}"};
	char big[8192];
	size_t i;

	for (i = 0; i < LENGTH(texts); i++) {
		struct criu c = {.image = here(".")};

		put_text("criu-options.json", texts[i]);
		ck_assert_msg(
			criu_load(&c, &why) == -EINVAL, "taken: %s", texts[i]);
		ck_assert_ptr_nonnull(strstr(why.msg, "criu-options.json"));
	}
	memset(big, ' ', sizeof(big));
	put_file("criu-options.json", big, sizeof(big));
	{
		struct criu c = {.image = here(".")};

		ck_assert_int_eq(criu_load(&c, &why), -EFBIG);
	}
	/* what is unknown, or of another type, is nothing */
	put_text("criu-options.json",
		"{\"new\": 1, \"open_tcp\": \"yes\", \"terminal\": true}");
	{
		struct criu c = {.image = here(".")};

		ck_assert_int_eq(criu_load(&c, &why), 0);
		ck_assert(!c.open_tcp && c.terminal);
	}
}
END_TEST

static const struct criu_work *work(bool ours)
{
	static struct criu_work w;

	snprintf(w.dir, sizeof(w.dir), "%s", here("work"));
	w.ours = ours;
	return &w;
}

static void explained(bool ours)
{
	memset(&why, 0, sizeof(why));
	err_set(&why, -EREMOTEIO, "restore failed");
	criu_explain(work(ours), "restore.log", here("bundle"), &why);
	ck_assert_int_eq(why.code, -EREMOTEIO);
}

#define LOG                                             \
	"(00.000001) Version: 4.2\n"                    \
	"(00.000002) Error (criu/a.c:1): zero\n"        \
	"(00.000003)      1: Error (criu/b.c:2): one\n" \
	"(00.000004) Warn  (criu/c.c:3): no\n"          \
	"(00.000005)      1: Error (criu/d.c:4): two\n" \
	"(00.000006) Error (criu/cr-restore.c:5): Restoring FAILED.\n"

#define QUOTED                                                    \
	"restore failed: Error (criu/b.c:2): one; "               \
	"Error (criu/d.c:4): two; "                               \
	"Error (criu/cr-restore.c:5): Restoring FAILED.; CRIU's " \
	"log is '"

START_TEST(test_explain)
{
	char want[2048];

	mkdir("work", 0700);
	mkdir("bundle", 0700);
	put_text("work/restore.log", LOG);
	explained(false);
	snprintf(want, sizeof(want), QUOTED "%s'", here("work/restore.log"));
	ck_assert_str_eq(why.msg, want);
	ck_assert(file_exists("work/restore.log"));
	explained(true);
	snprintf(want, sizeof(want), QUOTED "%s'",
		here("bundle/criu-restore.log"));
	ck_assert_str_eq(why.msg, want);
	ck_assert(!file_exists("work/restore.log"));
	ck_assert(file_exists("bundle/criu-restore.log"));
}
END_TEST

START_TEST(test_explain_without_a_log)
{
	mkdir("work", 0700);
	mkdir("bundle", 0700);
	explained(true);
	ck_assert_str_eq(why.msg, "restore failed");
	mkdir("work/restore.log", 0700);
	explained(true);
	ck_assert_str_eq(why.msg, "restore failed");
	rmdir("work/restore.log");
	put_file("work/restore.log", "\0\0\n", 3); /* nothing to quote */
	explained(false);
	ck_assert_ptr_nonnull(strstr(why.msg, "restore failed; CRIU's log"));
}
END_TEST

/* However long the log, and its lines. */
START_TEST(test_explain_a_long_log)
{
	static char text[300 * 1024];
	size_t n = sizeof(text);

	mkdir("work", 0700);
	mkdir("bundle", 0700);
	memset(text, 'x', n);
	memcpy(text + n - strlen(LOG) - 1, "\n" LOG, strlen(LOG) + 1);
	put_file("work/restore.log", text, n);
	explained(true);
	ck_assert_ptr_nonnull(strstr(why.msg, "(criu/d.c:4): two; "));
	memset(text, 'y', n);
	memcpy(text + n - 5000, "\nError (", 8);
	text[n - 1] = '\n';
	put_file("work/restore.log", text, n);
	explained(true);
	ck_assert_ptr_nonnull(strstr(why.msg, "Error (yyy"));
	ck_assert_uint_lt(strlen(why.msg), ERR_MSG_MAX);
}
END_TEST

START_TEST(test_work)
{
	struct criu_work w = {.ours = false};
	char given[1024];

	mkdir("bundle", 0700);
	criu_work_remove(&w);
	ck_assert_int_eq(criu_work_make(&w, here("bundle"), NULL, &why), 0);
	ck_assert(w.ours && file_exists("bundle/criu-work"));
	put_text("bundle/criu-work/dump.log", "x");
	criu_work_remove(&w);
	ck_assert(!file_exists("bundle/criu-work"));
	/* the operator's stays */
	snprintf(given, sizeof(given), "%s", here("given"));
	ck_assert_int_eq(criu_work_make(&w, here("bundle"), given, &why), 0);
	ck_assert(!w.ours && file_exists("given"));
	criu_work_remove(&w);
	ck_assert(file_exists("given"));
	ck_assert_int_eq(
		criu_work_make(&w, here("bundle"), "given", &why), -EINVAL);
	ck_assert_int_eq(criu_work_make(&w, here("none"), NULL, &why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.msg, "No such file"));
}
END_TEST

START_TEST(test_no_memory)
{
	struct criu c = {.image = "."};
	const struct criu_work *w = work(true);
	int r;

	put_text("criu-options.json", "{\"open_tcp\": true}");
	mkdir("work", 0700);
	mkdir("bundle", 0700);
	OOM_SWEEP(n)
	{
		oom_at(n);
		r = criu_load(&c, &why);
		ck_assert_int_eq(r, oom_off() ? -ENOMEM : 0);
	}
	OOM_SWEEP(n)
	{
		oom_at(n);
		r = criu_save(&c, &why);
		ck_assert_int_eq(r, oom_off() ? -ENOMEM : 0);
	}
	put_text("work/restore.log", LOG);
	err_set(&why, -EREMOTEIO, "restore failed");
	oom_all();
	criu_explain(w, "restore.log", "bundle", &why);
	oom_off();
	ck_assert_str_eq(why.msg, "restore failed");
	ck_assert(file_exists("work/restore.log"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_names, test_relative,
		test_round_trip, test_image_of_others, test_broken_options,
		test_explain, test_explain_without_a_log,
		test_explain_a_long_log, test_work, test_no_memory, NULL};

	return suite_run("criu", tests);
}
