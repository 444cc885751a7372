/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "ctl/tail.h"
#include "util_test.h"

struct read_back {
	char text[1 << 16], err[1 << 16];
	size_t n, err_n, lines;
};

/* All that is in the log, put together again. */
static void read_back(const char *path, struct read_back *ret)
{
	struct ctl_tail t;
	char *line;

	memset(ret, 0, sizeof(*ret));
	ck_assert_int_eq(ctl_tail_open(&t, path, false, NULL), 0);
	while ((line = ctl_tail_next(&t))) {
		struct ctl_output_entry x;
		char *to;

		ck_assert_int_eq(ctl_output_parse(line, &x), 0);
		to = x.is_err ? ret->err + ret->err_n : ret->text + ret->n;
		ck_assert_uint_lt(ret->n + ret->err_n + x.text_n, 1 << 16);
		memcpy(to, x.text, x.text_n);
		*(x.is_err ? &ret->err_n : &ret->n) += x.text_n;
		ret->lines++;
	}
	ck_assert(!t.gap);
	ctl_tail_close(&t);
}

START_TEST(test_as_docker_has_it)
{
	struct ctl_output o;
	char text[4096];
	const char *path = here("log");

	ck_assert_int_eq(ctl_output_open(&o, path, 1 << 20, NULL), 0);
	ck_assert_int_eq(ctl_output_add(&o, false, "a \"b\"\\\n\tc", 9), 0);
	ck_assert_int_eq(ctl_output_add(&o, true, "\xc3\xa9\n", 3), 0);
	ctl_output_close(&o);
	get_file(path, text, sizeof(text));
	ck_assert_ptr_eq(
		strstr(text, "{\"log\":\"a \\\"b\\\"\\\\\\n\",\"stream\":"
			     "\"stdout\",\"time\":\"20"),
		text);
	ck_assert_ptr_nonnull(strstr(text, "\n{\"log\":\"\\tc\",\"stream\":"));
	ck_assert_ptr_nonnull(strstr(
		text, "\n{\"log\":\"\xc3\xa9\\n\",\"stream\":\"stderr\","));
	ck_assert_ptr_null(strstr(text, "bytes"));
}
END_TEST

START_TEST(test_every_byte_comes_back)
{
	static struct read_back got;
	static char want[40000];
	struct ctl_output o;
	const char *path = here("log");
	size_t i;

	for (i = 0; i < sizeof(want); i++)
		want[i] = (char)(i * 7 + i / 251);
	ck_assert_int_eq(ctl_output_open(&o, path, 1 << 20, NULL), 0);
	ck_assert_int_eq(ctl_output_add(&o, false, want, 30000), 0);
	ck_assert_int_eq(ctl_output_add(&o, true, "\xff", 1), 0);
	ck_assert_int_eq(ctl_output_add(&o, false, want + 30000, 10000), 0);
	ctl_output_close(&o);
	read_back(path, &got);
	ck_assert_uint_eq(got.n, sizeof(want));
	ck_assert_mem_eq(got.text, want, sizeof(want));
	ck_assert_uint_eq(got.err_n, 1);
	ck_assert_mem_eq(got.err, "\xff", 1);
}
END_TEST

/* A writer that was killed in the middle of a line; the next one goes on. */
START_TEST(test_torn_line)
{
	static const char whole[] =
		"{\"log\":\"one\\n\",\"stream\":\"stdout\",\"time\":\"x\"}\n";
	static struct read_back got;
	struct ctl_output o;
	char text[4096];
	const char *path = here("log");

	snprintf(text, sizeof(text), "%s{\"log\":\"tw", whole);
	put_text(path, text);
	ck_assert_int_eq(ctl_output_open(&o, path, 1 << 20, NULL), 0);
	ck_assert_uint_eq(o.size, strlen(whole));
	ck_assert_int_eq(ctl_output_add(&o, false, "two\n", 4), 0);
	ctl_output_close(&o);
	read_back(path, &got);
	ck_assert_str_eq(got.text, "one\ntwo\n");
	put_text(path, "no line at all");
	ck_assert_int_eq(ctl_output_open(&o, path, 1 << 20, NULL), 0);
	ck_assert_uint_eq(o.size, 0);
	ctl_output_close(&o);
}
END_TEST

START_TEST(test_rotation)
{
	static struct read_back got;
	struct ctl_output o;
	struct stat st;
	const char *path = here("log");
	char line[32];
	int i;

	ck_assert_int_eq(ctl_output_open(&o, path, 4096, NULL), 0);
	for (i = 0; i < 200; i++) {
		snprintf(line, sizeof(line), "%d\n", i);
		ck_assert_int_eq(
			ctl_output_add(&o, false, line, strlen(line)), 0);
	}
	ctl_output_close(&o);
	ck_assert(file_exists(here("log.1")) && !file_exists(here("log.2")));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_le(st.st_size, 4096 + 200);
	read_back(path, &got);
	ck_assert_uint_gt(got.lines, 50);
	ck_assert_uint_lt(got.lines, 120);
	ck_assert_ptr_nonnull(strstr(got.text, "198\n199\n"));
}
END_TEST

/* A file that cannot grow, as on a full disk: what is lost is told, and what
 * was there stays whole. */
START_TEST(test_full_disk)
{
	static struct read_back got;
	static char much[20000];
	struct rlimit full = {8192, RLIM_INFINITY}, room;
	struct ctl_output o;
	const char *path = here("log");

	memset(much, 'x', sizeof(much));
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(ctl_output_open(&o, path, 1 << 20, NULL), 0);
	ck_assert_int_eq(ctl_output_add(&o, false, "before\n", 7), 0);
	getrlimit(RLIMIT_FSIZE, &room);
	setrlimit(RLIMIT_FSIZE, &full);
	ck_assert_int_eq(ctl_output_add(&o, false, much, sizeof(much)), -EFBIG);
	room.rlim_cur = room.rlim_max;
	setrlimit(RLIMIT_FSIZE, &room);
	ck_assert_int_eq(ctl_output_add(&o, false, "after\n", 6), 0);
	ctl_output_close(&o);
	read_back(path, &got);
	ck_assert_str_eq(got.text, "before\nafter\n");
	ck_assert_ptr_nonnull(strstr(got.err, "20000 bytes"));
}
END_TEST

START_TEST(test_foreign_lines)
{
	static const char *const wrong[] = {"", "x", "{}", "{\"log\":\"",
		"{\"log\":\"\\", "{\"log\":\"\\u00", "{\"log\":\"\\u1234\"",
		"{\"log\":\"\\x\"", "{\"log\":\"a\",\"stream\":\"stdout\"}",
		"{\"log\":\"a\",\"time\":\"x"};
	struct ctl_output_entry x;
	char line[128];
	size_t i;

	for (i = 0; i < LENGTH(wrong); i++) {
		strcpy(line, wrong[i]);
		ck_assert_msg(
			ctl_output_parse(line, &x) == -EINVAL, "%s", wrong[i]);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_as_docker_has_it,
		test_every_byte_comes_back, test_torn_line, test_rotation,
		test_full_disk, test_foreign_lines, NULL};

	return suite_run("ctl_output", tests);
}
