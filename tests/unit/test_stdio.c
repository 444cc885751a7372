/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_scene.h"
#include "util_test.h"

enum { KIB = 1024 };

/* ---- bytes ---- */

START_TEST(test_three_fifos)
{
	scene_open();
	scene_put(scene.client[0], "typed");
	ck_assert_str_eq(scene_get(scene.proc[0]), "typed");
	scene_put(scene.proc[1], "said");
	scene_put(scene.proc[2], "cried");
	ck_assert_str_eq(scene_get(scene.client[1]), "said");
	ck_assert_str_eq(scene_get(scene.client[2]), "cried");
	ck_assert(loop_is_idle(scene.base));
	ck_assert_uint_eq(stdio_lost(scene.stdio), 0);
	scene_end();
}
END_TEST

START_TEST(test_ends_reach_the_client)
{
	scene_open();
	scene_put(scene.proc[1], "last");
	fd_close(&scene.proc[1]);
	ck_assert(stdio_is_unread(scene.stdio));
	ck_assert_str_eq(scene_get(scene.client[1]), "last");
	ck_assert(!stdio_is_unread(scene.stdio));
	scene_pass(10); /* it is looked whether that was taken */
	ck_assert(scene_at_end(scene.client[1]));
	ck_assert(!scene_at_end(scene.client[2]));
	fd_close(&scene.proc[2]);
	ck_assert(scene_at_end(scene.client[2]));
	/* nothing of that ended stdin */
	scene_put(scene.client[0], "more");
	ck_assert_str_eq(scene_get(scene.proc[0]), "more");
	scene_end();
}
END_TEST

/* Clients come and go; the process sees neither an end nor a broken pipe. */
START_TEST(test_reattach)
{
	int i;

	scene_open();
	for (i = 0; i < 3; i++)
		fd_close(&scene.client[i]);
	loop_settle(scene.base);
	ck_assert(!scene_at_end(scene.proc[0]));
	scene_put(scene.proc[1], "to nobody yet");
	loop_settle(scene.base);
	scene_open_client();
	ck_assert_str_eq(scene_get(scene.client[1]), "to nobody yet");
	scene_put(scene.client[0], "hello again");
	ck_assert_str_eq(scene_get(scene.proc[0]), "hello again");
	ck_assert(loop_is_idle(scene.base));
	scene_end();
}
END_TEST

START_TEST(test_no_client_at_all)
{
	scene_begin();
	scene_make_fifos();
	scene_open_stdio();
	scene_start();
	scene_put(scene.proc[1], "x");
	loop_settle(scene.base);
	ck_assert(!scene_at_end(scene.proc[0]));
	ck_assert(loop_is_idle(scene.base));
	scene_end();
}
END_TEST

/* The process ends, and only then somebody reads. */
START_TEST(test_client_comes_after_the_end)
{
	scene_begin();
	scene_make_fifos();
	scene_open_stdio();
	scene_start();
	scene_put(scene.proc[1], "famous last words");
	fd_close(&scene.proc[1]);
	loop_settle(scene.base);
	scene.client[1] = scene_open_fifo("out", O_RDONLY);
	ck_assert_str_eq(scene_get(scene.client[1]), "famous last words");
	scene_pass(2000);
	ck_assert(scene_at_end(scene.client[1]));
	scene_end();
}
END_TEST

START_TEST(test_null)
{
	struct endpoint *ends[3] = {(void *)1, (void *)1, (void *)1};
	int i;

	scene_begin();
	scene.config.in = "";
	scene_open_stdio();
	stdio_endpoints(scene.stdio, ends);
	for (i = 0; i < 3; i++)
		ck_assert_ptr_null(ends[i]);
	ck_assert_ptr_null(stdio_console_socket(scene.stdio));
	scene_start();
	stdio_close_stdin(scene.stdio);
	stdio_drain(scene.stdio, scene_drained, &scene);
	ck_assert_uint_eq(scene.drained, 0);
	loop_settle(scene.base);
	ck_assert_uint_eq(scene.drained, 1);
	ck_assert(!stdio_was_cut(scene.stdio));
	ck_assert_int_eq(stdio_resize(scene.stdio, 80, 24), -ENOTTY);
	scene_end();
}
END_TEST

static const char *uri_of(const char *scheme, const char *name)
{
	static char uris[4][4200];
	static unsigned next;
	char *uri = uris[next++ % LENGTH(uris)];

	snprintf(uri, sizeof(uris[0]), "%s://%s", scheme, here(name));
	return uri;
}

START_TEST(test_files)
{
	char text[64];

	scene_begin();
	put_text("log", "before\n");
	scene.config.out = scene.config.err = uri_of("file", "log");
	scene_open_stdio();
	scene_start();
	scene_put(scene.proc[1], "one\n");
	loop_settle(scene.base);
	scene_put(scene.proc[2], "two\n");
	loop_settle(scene.base);
	scene_put(scene.proc[1], "three\n");
	loop_settle(scene.base);
	get_file("log", text, sizeof(text));
	ck_assert_str_eq(text, "before\none\ntwo\nthree\n");
	ck_assert(loop_is_idle(scene.base));
	scene_end();
}
END_TEST

START_TEST(test_file_in_new_folders)
{
	struct stat st;
	char text[16];

	scene_begin();
	scene.config.out = uri_of("file", "a/b%20c/log");
	scene_open_stdio();
	scene_start();
	scene_put(scene.proc[1], "x");
	loop_settle(scene.base);
	get_file("a/b c/log", text, sizeof(text));
	ck_assert_str_eq(text, "x");
	ck_assert_int_eq(stat("a", &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0711);
	scene_end();
}
END_TEST

/* A disk without room, and the policy `drop`: the process goes on, the bytes
 * are counted. */
START_TEST(test_lost)
{
	int i;

	scene_begin();
	scene.config.out = scene.config.err = "file:///dev/full";
	scene.config.policy.kind = POLICY_DROP;
	scene_open_stdio();
	scene_start();
	for (i = 0; i < 100; i++) {
		scene_put(scene.proc[1], "0123456789");
		scene_put(scene.proc[2], "0123456789");
		loop_settle(scene.base);
	}
	fd_close(&scene.proc[1]);
	fd_close(&scene.proc[2]);
	stdio_drain(scene.stdio, scene_drained, &scene);
	loop_settle(scene.base);
	ck_assert_uint_eq(scene.drained, 1);
	ck_assert_uint_eq(stdio_lost(scene.stdio), 2000);
	ck_assert(!stdio_was_cut(scene.stdio));
	scene_end();
}
END_TEST

/* It is known while the process lives, too. */
START_TEST(test_lost_so_far)
{
	scene_begin();
	scene.config.out = "file:///dev/full";
	scene.config.policy.kind = POLICY_DROP;
	scene_open_stdio();
	scene_start();
	scene_put(scene.proc[1], "0123456789");
	loop_settle(scene.base);
	ck_assert_uint_eq(stdio_lost(scene.stdio), 10);
	scene_end();
}
END_TEST

static unsigned n_told;

static void told(int fd, const struct flow_stats *fs, void *arg)
{
	ck_assert_ptr_eq(arg, &n_told);
	ck_assert_int_eq(fd, 2);
	ck_assert_int_eq(fs->state, FLOW_DROPS);
	ck_assert(fs->disk_full);
	n_told++;
}

/* Counted for each stream, and still there when it has ended. */
START_TEST(test_stats)
{
	struct flow_stats fs;
	int i;

	scene_begin();
	scene_make_fifos();
	scene.config.out = NULL;
	scene.config.err = "file:///dev/full";
	scene.config.policy.kind = POLICY_DROP;
	scene.config.told = told;
	scene.config.told_arg = &n_told;
	scene_open_stdio();
	ck_assert(stdio_stats(scene.stdio, 0, &fs));
	ck_assert(!stdio_stats(scene.stdio, 1, &fs));
	scene_start();
	for (i = 0; i < 5; i++) {
		scene_put(scene.proc[2], "0123456789");
		loop_settle(scene.base);
	}
	ck_assert_uint_eq(n_told, 1);
	ck_assert(stdio_stats(scene.stdio, 2, &fs));
	ck_assert_uint_eq(fs.lost, 50);
	ck_assert_uint_eq(fs.in, 50);
	ck_assert(!fs.ended);
	fd_close(&scene.proc[2]);
	stdio_drain(scene.stdio, scene_drained, &scene);
	loop_settle(scene.base);
	ck_assert_uint_eq(scene.drained, 1);
	for (i = 0; i < 3; i += 2) {
		ck_assert(stdio_stats(scene.stdio, i, &fs));
		ck_assert_uint_eq(fs.lost, i == 0 ? 0 : 50);
		ck_assert(fs.ended);
	}
	ck_assert_uint_eq(stdio_lost(scene.stdio), 50);
	scene_end();
}
END_TEST

START_TEST(test_owner)
{
	struct endpoint *ends[3];
	struct stat st;
	int i;

	if (!is_root())
		return;
	scene_begin();
	scene_make_fifos();
	scene.config.uid = 1000;
	scene.config.gid = 2000;
	scene_open_stdio();
	stdio_endpoints(scene.stdio, ends);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(fstat(endpoint_fd(ends[i]), &st), 0);
		ck_assert_uint_eq(st.st_uid, 1000);
		ck_assert_uint_eq(st.st_gid, 2000);
	}
	scene_end();
}
END_TEST

/* ---- what is refused ---- */

static int try_open(struct err *e)
{
	unsigned fds = count_fds();
	int r = stdio_open(scene.base, &scene.config, &scene.stdio, e);

	ck_assert_ptr_null(scene.stdio);
	ck_assert_uint_eq(count_fds(), fds);
	ck_assert_int_eq(r, e->code);
	return r;
}

START_TEST(test_check)
{
	struct err e;

	ck_assert_int_eq(stdio_check(NULL, "", NULL, &e), 0);
	ck_assert_int_eq(stdio_check("/a", "file:///b", "/c", &e), 0);
	ck_assert_int_eq(stdio_check("x://", NULL, NULL, &e), -EINVAL);
	ck_assert_int_eq(strncmp(e.msg, "stdin: ", 7), 0);
	ck_assert_int_eq(stdio_check(NULL, "relative", NULL, &e), -EINVAL);
	ck_assert_int_eq(strncmp(e.msg, "stdout: ", 8), 0);
	ck_assert_int_eq(stdio_check(NULL, NULL, "/../a", &e), -EINVAL);
	ck_assert_int_eq(strncmp(e.msg, "stderr: ", 8), 0);
}
END_TEST

START_TEST(test_refused)
{
	struct err e;

	scene_begin();
	scene.config.in = here("missing");
	ck_assert_int_eq(try_open(&e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, here("missing")));
	put_text("file", "x");
	scene.config.in = here("file");
	ck_assert_int_eq(try_open(&e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "no FIFO"));
	ck_assert_int_eq(mkdir("dir", 0700), 0);
	scene.config.in = here("dir");
	ck_assert_int_lt(try_open(&e), 0);
	scene.config.in = uri_of("file", "file");
	ck_assert_int_eq(try_open(&e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "stdin"));
	scene.config.in = NULL;
	scene.config.out = uri_of("file", "dir");
	ck_assert_int_lt(try_open(&e), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "stdout"));
	scene.config.out = uri_of("file", "file/x");
	ck_assert_int_eq(try_open(&e), -ENOTDIR);
	scene_end();
}
END_TEST

/* One bad path, and none of the others is touched. */
START_TEST(test_nothing_is_opened_before_all_is_checked)
{
	static const char *const bad[] = {
		"relative", "http://x", "file://x", "file:///a%"};
	struct err e;
	size_t i;

	scene_begin();
	for (i = 0; i < LENGTH(bad); i++) {
		scene.config.out = uri_of("file", "new/log");
		scene.config.err = bad[i];
		ck_assert_int_eq(try_open(&e), -EINVAL);
		ck_assert(!file_exists("new"));
	}
	scene_end();
}
END_TEST

START_TEST(test_stdin_is_checked_like_the_others)
{
	struct err e;

	ck_assert_int_eq(stdio_check("file:///a", NULL, NULL, &e), -EINVAL);
}
END_TEST

START_TEST(test_unimplemented_is_known_before_anything_is_opened)
{
	struct err e;

	scene_begin();
	scene.config.out = uri_of("file", "new/log");
	scene.config.err = "binary:///bin/true";
	if (stdio_open(scene.base, &scene.config, &scene.stdio, &e) < 0) {
		ck_assert_int_eq(e.code, -ENOSYS);
		ck_assert(!file_exists("new"));
	}
	scene_end();
}
END_TEST

/* ---- the end of stdin ---- */

START_TEST(test_close_stdin)
{
	scene_open();
	scene_put(scene.client[0], "before");
	stdio_close_stdin(scene.stdio);
	stdio_close_stdin(scene.stdio);
	ck_assert_str_eq(scene_get(scene.proc[0]), "before");
	ck_assert(scene_at_end(scene.proc[0]));
	scene_put(scene.proc[1], "I go on");
	ck_assert_str_eq(scene_get(scene.client[1]), "I go on");
	stdio_close_stdin(scene.stdio);
	loop_settle(scene.base);
	scene_end();
}
END_TEST

START_TEST(test_close_stdin_before_start)
{
	scene_begin();
	scene_make_fifos();
	scene_open_stdio();
	scene_open_client();
	scene_put(scene.client[0], "early");
	stdio_close_stdin(scene.stdio);
	stdio_close_stdin(scene.stdio);
	loop_settle(scene.base);
	scene_start();
	ck_assert_str_eq(scene_get(scene.proc[0]), "early");
	ck_assert(scene_at_end(scene.proc[0]));
	scene_end();
}
END_TEST

/* The process does not read: all of it is kept for it all the same. */
START_TEST(test_close_stdin_while_blocked)
{
	static char buf[64 * KIB];
	size_t sent = 0, got = 0;
	ssize_t n;

	scene_open();
	while ((n = write(scene.client[0], buf, sizeof(buf))) > 0) {
		sent += (size_t)n;
		loop_settle(scene.base);
	}
	stdio_close_stdin(scene.stdio);
	loop_settle(scene.base);
	ck_assert_uint_gt(sent, 64 * KIB);
	do {
		n = read(scene.proc[0], buf, sizeof(buf));
		got += n > 0 ? (size_t)n : 0;
		loop_settle(scene.base);
	} while (n != 0 && got <= sent);
	ck_assert_uint_eq(got, sent);
	scene_end();
}
END_TEST

/* A process that closed its stdin has nothing more to be told. */
START_TEST(test_stdin_that_nobody_reads)
{
	scene_open();
	fd_close(&scene.proc[0]);
	scene_put(scene.client[0], "x");
	loop_settle(scene.base);
	stdio_close_stdin(scene.stdio);
	scene_put(scene.proc[1], "still here");
	ck_assert_str_eq(scene_get(scene.client[1]), "still here");
	ck_assert(loop_is_idle(scene.base));
	scene_end();
}
END_TEST

/* ---- memory ---- */

/* One life of a stdio, with the nth allocation failing. False: it was told
 * so, and nothing is left. */
static bool live(unsigned n)
{
	struct err e = {0};
	unsigned fds = count_fds();
	int r;

	oom_at(n);
	r = stdio_open(scene.base, &scene.config, &scene.stdio, &e);
	if (r == 0)
		r = stdio_start(scene.stdio, &e);
	if (oom_off() && r == 0) /* libevent's, which is tried again */
		r = -ENOMEM;
	ck_assert(r == 0 || r == -ENOMEM);
	stdio_close(scene.stdio);
	scene.stdio = NULL;
	ck_assert_uint_eq(count_fds(), fds);
	return r == 0;
}

START_TEST(test_out_of_memory)
{
	unsigned n = 1;

	oom_begin();
	scene_begin();
	scene_make_fifos();
	while (!live(n))
		n++;
	ck_assert_uint_gt(n, 10);
	scene_end();
}
END_TEST

/* ---- loggers ---- */

static void open_logger(const char *out)
{
	int fds[2];

	scene_begin();
	scene.config.out = out;
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	scene.client[1] = fds[0];
	ck_assert_int_eq(
		stream_from_fd(scene.base, fds[1], &scene.config.to_logger[0]),
		0);
}

START_TEST(test_logger)
{
	open_logger("binary:///bin/log?k=v");
	scene_open_stdio();
	scene_start();
	scene_put(scene.proc[1], "line");
	ck_assert_str_eq(scene_get(scene.client[1]), "line");
	fd_close(&scene.client[1]);
	scene_put(scene.proc[1], "more");
	loop_settle(scene.base);
	scene_put(scene.proc[1], "and more"); /* no EPIPE */
	loop_settle(scene.base);
	ck_assert_uint_eq(stdio_lost(scene.stdio), 12);
	stdio_drain(scene.stdio, scene_drained, &scene);
	fd_close(&scene.proc[1]);
	loop_settle(scene.base);
	ck_assert_uint_eq(scene.drained, 1);
	ck_assert(!stdio_was_cut(scene.stdio));
	scene_end();
}
END_TEST

START_TEST(test_logger_is_closed_on_failure)
{
	struct err e;

	open_logger("binary:///bin/log");
	scene.config.err = "relative";
	ck_assert_int_eq(
		stdio_open(scene.base, &scene.config, &scene.stdio, &e),
		-EINVAL);
	ck_assert(scene_at_end(scene.client[1]));
	scene_end();
}
END_TEST

START_TEST(test_logger_takes_no_input)
{
	struct err e;

	ck_assert_int_eq(
		stdio_check("binary:///bin/l", NULL, NULL, &e), -EINVAL);
	ck_assert_int_eq(
		stdio_check(NULL, "binary:///bin/l", "binary-v2:///bin/l", &e),
		0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_three_fifos,
		test_ends_reach_the_client, test_reattach,
		test_no_client_at_all, test_client_comes_after_the_end,
		test_null, test_files, test_file_in_new_folders, test_lost,
		test_lost_so_far, test_stats, test_owner, test_check,
		test_refused, test_nothing_is_opened_before_all_is_checked,
		test_stdin_is_checked_like_the_others,
		test_unimplemented_is_known_before_anything_is_opened,
		test_close_stdin, test_close_stdin_before_start,
		test_close_stdin_while_blocked, test_stdin_that_nobody_reads,
		test_out_of_memory, test_logger,
		test_logger_is_closed_on_failure, test_logger_takes_no_input,
		NULL};

	return suite_run("stdio", tests);
}
