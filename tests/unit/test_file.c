/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

/* ---- reading ---- */

static void assert_read(const char *path, size_t max, const char *want)
{
	size_t n = 99;
	char *text;
	struct err e;

	ck_assert_int_eq(file_read(path, max, &text, &n, &e), 0);
	ck_assert_uint_eq(n, strlen(want));
	ck_assert_mem_eq(text, want, n + 1); /* with its NUL */
	free(text);
}

static void assert_unread(const char *path, size_t max, int error)
{
	char *text = (char *)"untouched";
	struct err e = {0};
	size_t n = 99;

	ck_assert_int_eq(file_read(path, max, &text, &n, &e), error);
	ck_assert_int_eq(e.code, error);
	ck_assert_ptr_nonnull(strstr(e.msg, path));
	ck_assert_str_eq(text, "untouched");
	ck_assert_uint_eq(n, 99);
	ck_assert_int_eq(file_read(path, max, &text, &n, NULL), error);
}

START_TEST(test_read_limit)
{
	put_text("file", "12345");
	assert_read("file", 100, "12345");
	assert_read("file", 5, "12345");
	assert_unread("file", 4, -EFBIG);
	assert_unread("file", 0, -EFBIG);
	put_text("file", "");
	assert_read("file", 0, "");
	/* holes are as large as they say */
	ck_assert_int_eq(truncate("file", 1LL << 40), 0);
	assert_unread("file", 1024, -EFBIG);
	assert_unread("gone", 1024, -ENOENT);
}
END_TEST

START_TEST(test_read_nul)
{
	size_t n;
	char *text;

	put_file("file", "a\0b\n", 4);
	ck_assert_int_eq(file_read("file", 10, &text, &n, NULL), 0);
	ck_assert_uint_eq(n, 4);
	ck_assert_mem_eq(text, "a\0b\n", 5);
	free(text);
}
END_TEST

START_TEST(test_read_what_is_no_file)
{
	char buf[8];

	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_eq(mkdir("dir", 0700), 0);
	assert_unread("fifo", 10, -EINVAL);
	assert_unread("dir", 10, -EINVAL);
	assert_unread("/dev/zero", 10, -EINVAL);
	ck_assert_int_eq(file_read_into("dir", buf, sizeof(buf)), -EISDIR);
	ck_assert_int_le(file_read_into("fifo", buf, sizeof(buf)), 0);
}
END_TEST

START_TEST(test_read_into)
{
	char buf[8];

	put_text("file", "ab\ncd\n");
	ck_assert_int_eq(file_read_into("file", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "ab");
	put_text("file", "");
	ck_assert_int_eq(file_read_into("file", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "");
	put_text("file", "1234567");
	ck_assert_int_eq(file_read_into("file", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "1234567");
	ck_assert_int_eq(file_read_into("gone", buf, sizeof(buf)), -ENOENT);
	ck_assert_str_eq(buf, "1234567");
}
END_TEST

/* file.h: "the same", so a part is no answer. */
START_TEST(test_read_into_too_small)
{
	char buf[8];

	put_text("file", "12345678");
	ck_assert_int_eq(file_read_into("file", buf, sizeof(buf)), -EFBIG);
}
END_TEST

/* ---- writing ---- */

static void assert_content(const char *want)
{
	char buf[64];

	get_file("file", buf, sizeof(buf));
	ck_assert_str_eq(buf, want);
	ck_assert(!file_exists("file.new"));
}

START_TEST(test_write)
{
	struct stat st;

	umask(0);
	ck_assert_int_eq(file_write("file", "one", 3), 0);
	assert_content("one");
	ck_assert_int_eq(stat("file", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(file_write("file", "", 0), 0);
	assert_content("");
	put_text("file.new", "left by one that crashed");
	ck_assert_int_eq(file_write("file", "two", 3), 0);
	assert_content("two");
	ck_assert_int_eq(file_write("no/file", "x", 1), -ENOENT);
}
END_TEST

/* Whoever has it open keeps the old content: it is another file now. */
START_TEST(test_write_is_atomic)
{
	char buf[8] = "";
	int fd;

	ck_assert_int_eq(file_write("file", "old", 3), 0);
	fd = open("file", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(link("file", "too"), 0);
	ck_assert_int_eq(file_write("file", "new", 3), 0);
	ck_assert_int_eq(read(fd, buf, sizeof(buf)), 3);
	ck_assert_str_eq(buf, "old");
	close(fd);
	get_file("too", buf, sizeof(buf));
	ck_assert_str_eq(buf, "old");
	assert_content("new");
}
END_TEST

/* No room: the old content stays, and no part of the new one. */
START_TEST(test_write_fails)
{
	struct rlimit was, few;
	int r;

	ck_assert_int_eq(file_write("file", "old", 3), 0);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	few = was;
	few.rlim_cur = 4;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &few), 0);
	r = file_write("file", "newer", 5);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	ck_assert_int_eq(r, -EFBIG);
	assert_content("old");
}
END_TEST

START_TEST(test_write_folder_in_the_way)
{
	ck_assert_int_eq(mkdir("file", 0700), 0);
	ck_assert_int_eq(file_write("file", "x", 1), -EISDIR);
	ck_assert(!file_exists("file.new"));
	ck_assert_int_eq(mkdir("two.new", 0700), 0);
	ck_assert_int_eq(file_write("two", "x", 1), -EEXIST);
}
END_TEST

START_TEST(test_write_follows_no_link)
{
	char buf[16];
	struct stat st;

	put_text("precious", "precious");
	ck_assert_int_eq(symlink("precious", "file.new"), 0);
	ck_assert_int_eq(file_write("file", "x", 1), 0);
	ck_assert_int_eq(unlink("file"), 0);
	/* a link at the place itself is replaced */
	ck_assert_int_eq(symlink("precious", "file"), 0);
	ck_assert_int_eq(file_write("file", "x", 1), 0);
	assert_content("x");
	ck_assert_int_eq(lstat("file", &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	get_file("precious", buf, sizeof(buf));
	ck_assert_str_eq(buf, "precious");
}
END_TEST

/* In a child, which can be given up when it blocks. */
START_TEST(test_write_fifo_in_the_way)
{
	pid_t pid;

	ck_assert_int_eq(mkfifo("file", 0600), 0);
	ck_assert_int_eq(file_write("file", "one", 3), 0);
	assert_content("one"); /* replaced */
	ck_assert_int_eq(mkfifo("file.new", 0600), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		signal(SIGALRM, SIG_DFL); /* it is Check's */
		alarm(10);
		file_write("file", "two", 3);
		_exit(0);
	}
	ck_assert_int_eq(reap(pid), 0);
}
END_TEST

/* ---- pid files ---- */

START_TEST(test_pid)
{
	static const struct {
		const char *text;
		int64_t pid;
	} cases[] = {{"1", 1}, {"4194304", 4194304}, {"7\n", 7},
		{"7\nmore\n", 7}, {"2147483647", 2147483647},
		{"2147483648", -EINVAL}, {"", -EINVAL}, {"\n", -EINVAL},
		{"0", -EINVAL}, {"-7", -EINVAL}, {"7x", -EINVAL},
		{"x7", -EINVAL}, {"0x7", -EINVAL}, {"7 8", -EINVAL},
		{"7.5", -EINVAL}, {"99999999999999999999", -EINVAL},
		{"18446744073709551623", -EINVAL},
		{"99999999999999999999999999999999999999999", -EINVAL}};
	int64_t pid;
	unsigned i;

	for (i = 0; i < LENGTH(cases); i++) {
		put_text("pid", cases[i].text);
		pid = 42;
		if (cases[i].pid < 0) {
			ck_assert_int_eq(
				file_read_pid("pid", &pid), (int)cases[i].pid);
			ck_assert_int_eq(pid, 42);
		} else {
			ck_assert_int_eq(file_read_pid("pid", &pid), 0);
			ck_assert_int_eq(pid, cases[i].pid);
		}
	}
	ck_assert_int_eq(file_read_pid("gone", &pid), -ENOENT);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_eq(file_read_pid("fifo", &pid), -EINVAL);
}
END_TEST

/* A part of a number is another number. */
START_TEST(test_pid_after_zeros)
{
	int64_t pid = 42;

	put_text("pid", "00000000000000000000000000000123456");
	ck_assert_int_eq(file_read_pid("pid", &pid), -EINVAL);
}
END_TEST

START_TEST(test_tail)
{
	char *text;
	size_t n;

	put_text("file", "0123456789");
	ck_assert_int_eq(file_read_tail("file", 4, &text, &n, NULL), 0);
	ck_assert_str_eq(text, "6789");
	ck_assert_uint_eq(n, 4);
	free(text);
	ck_assert_int_eq(file_read_tail("file", 10, &text, &n, NULL), 0);
	ck_assert_str_eq(text, "0123456789");
	free(text);
	ck_assert_int_eq(file_read_tail("none", 4, &text, &n, NULL), -ENOENT);
}
END_TEST

START_TEST(test_goes_up)
{
	static const char *const up[] = {
		"..", "../x", "/..", "/a/..", "/a//../b", "a/../", "/a/.."};
	static const char *const not [] = {
		"", "/", "...", "/a..", "/..a/b", "a/.../b", "/.", "/a/.b"};
	size_t i;

	for (i = 0; i < LENGTH(up); i++)
		ck_assert_msg(file_goes_up(up[i]), "%s", up[i]);
	for (i = 0; i < LENGTH(not ); i++)
		ck_assert_msg(!file_goes_up(not [i]), "%s", not [i]);
}
END_TEST

START_TEST(test_folders)
{
	char real[FILE_PATH_MAX];

	ck_assert_int_eq(file_make_folder("d"), 0);
	ck_assert_int_eq(file_make_folder("d"), 0);
	put_text("d/file", "x");
	ck_assert_int_eq(file_make_folder("d/file"), -ENOTDIR);
	ck_assert_int_eq(file_make_folder("none/d"), -ENOENT);
	ck_assert_int_eq(file_link("file", "d/link"), 0);
	ck_assert_int_eq(file_link("../d", "d/link"), 0); /* replaces it */
	ck_assert_int_eq(file_link("x", "d/file"), -EEXIST);
	ck_assert_int_eq(file_real_folder("./d/link/", real), 0);
	ck_assert_str_eq(real, here("d"));
	ck_assert_int_eq(file_real_folder("d/file", real), -ENOTDIR);
	ck_assert_int_eq(file_real_folder("none", real), -ENOENT);
	ck_assert_int_eq(file_make_folder("d/deep"), 0);
	ck_assert_int_eq(file_remove_folder("d"), -ENOTEMPTY);
	ck_assert(!file_exists("d/file"));
	ck_assert_int_eq(file_remove_folder("d/deep"), 0);
	ck_assert_int_eq(file_remove_folder("d"), 0);
	ck_assert_int_eq(file_remove_folder("d"), 0);
}
END_TEST

START_TEST(test_out_of_memory)
{
	char *text, buf[8];
	size_t n_read;
	int64_t pid;
	int r;

	oom_begin();
	put_text("file", "12");
	OOM_SWEEP(n)
	{
		oom_at(n);
		r = file_read("file", 10, &text, &n_read, NULL);
		if (oom_off())
			ck_assert_int_eq(r, -ENOMEM);
		else
			free(text);
	}
	/* the exit path uses these */
	oom_all();
	r = file_write("file", "34", 2);
	r |= file_read_into("file", buf, sizeof(buf));
	r |= file_read_pid("file", &pid);
	oom_off();
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(pid, 34);
}
END_TEST

START_TEST(test_check_remove_rename)
{
	ck_assert_int_eq(file_check("file"), -ENOENT);
	put_text("file", "x");
	ck_assert_int_eq(file_check("file"), 0);
	ck_assert_int_eq(file_check("file/x"), -ENOTDIR);
	put_text("other", "y");
	ck_assert_int_eq(file_rename("file", "other"), 0);
	ck_assert_int_eq(file_rename("file", "other"), -ENOENT);
	ck_assert_int_eq(file_remove("other"), 0);
	ck_assert_int_eq(file_remove("other"), 0);
	ck_assert_int_eq(file_check("other"), -ENOENT);
	ck_assert_int_lt(file_remove("."), 0);
}
END_TEST

START_TEST(test_working_folder)
{
	char before[FILE_PATH_MAX], after[FILE_PATH_MAX];

	ck_assert_int_eq(file_working_folder(before, sizeof(before)), 0);
	ck_assert(file_is_absolute(before));
	ck_assert(!file_is_absolute("d"));
	ck_assert_int_eq(file_make_passage("d"), 0);
	ck_assert_int_eq(file_make_passage("d"), 0);
	ck_assert_int_eq(file_enter_folder("none"), -ENOENT);
	ck_assert_int_eq(file_enter_folder("d"), 0);
	ck_assert_int_eq(file_working_folder(after, sizeof(after)), 0);
	ck_assert_int_eq(strncmp(before, after, strlen(before)), 0);
	ck_assert_str_eq(after + strlen(before) + 1, "d");
	ck_assert_int_lt(file_working_folder(after, 2), 0);
	ck_assert_int_eq(file_enter_folder(".."), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_read_limit, test_read_nul,
		test_read_what_is_no_file, test_read_into,
		test_read_into_too_small, test_write, test_write_is_atomic,
		test_write_fails, test_write_folder_in_the_way,
		test_write_follows_no_link, test_write_fifo_in_the_way,
		test_pid, test_pid_after_zeros, test_tail, test_goes_up,
		test_folders, test_check_remove_rename, test_working_folder,
		test_out_of_memory, NULL};

	return suite_run("file", tests);
}
