/* SPDX-License-Identifier: Apache-2.0 */
/* host.h, file.h, spool.h, look.h and uri.h. */
#include "platform/host.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/uri.h"
#include "platform/file.h"
#include "platform/look.h"
#include "platform/spool.h"
#include "platform/windows/pipe.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_loop.h"

START_TEST(test_files)
{
	char *text, line[32];
	struct err e;
	int64_t pid;
	size_t n;

	ck_assert_int_eq(file_write("f", "42\nmore", 7), 0);
	ck_assert_int_eq(file_write("f", "43\nmore!", 8), 0);
	ck_assert_int_eq(file_read("f", 8, &text, &n, &e), 0);
	ck_assert_uint_eq(n, 8);
	ck_assert_str_eq(text, "43\nmore!");
	free(text);
	ck_assert_int_eq(file_read("f", 7, &text, &n, &e), -EFBIG);
	ck_assert_int_eq(file_read_tail("f", 5, &text, &n, &e), 0);
	ck_assert_str_eq(text, "more!");
	free(text);
	ck_assert_int_eq(file_read_into("f", line, sizeof(line)), 0);
	ck_assert_str_eq(line, "43");
	ck_assert_int_eq(file_read_into("f", line, 2), -EFBIG);
	ck_assert_int_eq(file_read_pid("f", &pid), 0);
	ck_assert_int_eq(pid, 43);
	ck_assert_int_eq(file_read(".", 100, &text, &n, &e), -EINVAL);
	ck_assert_int_eq(file_read("none", 100, &text, &n, &e), -ENOENT);
	ck_assert_int_eq(file_rename("f", "g"), 0);
	ck_assert_int_eq(file_check("f"), -ENOENT);
	ck_assert_int_eq(file_check("g"), 0);
	ck_assert_int_eq(file_remove("g"), 0);
	ck_assert_int_eq(file_remove("g"), 0);
}
END_TEST

START_TEST(test_folders)
{
	char path[FILE_PATH_MAX], buf[FILE_PATH_MAX];

	ck_assert_int_eq(file_make_folder("d"), 0);
	ck_assert_int_eq(file_make_folder("d"), 0);
	ck_assert_int_eq(file_make_folder("none/d"), -ENOENT);
	put_text("d/file", "x");
	ck_assert_int_eq(file_make_folder("d/file"), -ENOTDIR);
	ck_assert_int_eq(file_real_folder("d/../d", path), 0);
	ck_assert(file_is_absolute(path));
	ck_assert_ptr_null(strstr(path, ".."));
	ck_assert_int_eq(file_real_folder("d/file", path), -ENOTDIR);
	ck_assert_int_eq(file_make_folder("d/e"), 0);
	ck_assert_int_eq(file_remove_folder("d"), -ENOTEMPTY);
	ck_assert_int_eq(file_remove_folder("d/e"), 0);
	ck_assert_int_eq(file_remove_folder("d"), 0);
	ck_assert_int_eq(file_remove_folder("d"), 0);
	ck_assert_int_eq(file_working_folder(path, sizeof(path)), 0);
	ck_assert_int_eq(file_enter_folder("none"), -ENOENT);
	ck_assert_int_eq(file_enter_folder(path), 0);
	ck_assert_int_eq(file_working_folder(buf, sizeof(buf)), 0);
	ck_assert_str_eq(path, buf);
	ck_assert_int_lt(file_working_folder(buf, 2), 0);
	ck_assert_int_eq(file_link("to", "link"), -ENOSYS);
}
END_TEST

/* Beyond the 260 characters that most functions of the system stop at. */
START_TEST(test_long_path)
{
	char path[FILE_PATH_MAX], line[8];
	unsigned i;

	ck_assert_int_eq(file_working_folder(path, sizeof(path)), 0);
	for (i = 0; i < 12; i++) {
		strcat(path, "/a-folder-with-a-rather-long-name");
		ck_assert_int_eq(file_make_folder(path), 0);
	}
	strcat(path, "/file");
	ck_assert_uint_gt(strlen(path), 400);
	ck_assert_int_eq(file_write(path, "x", 1), 0);
	ck_assert_int_eq(file_read_into(path, line, sizeof(line)), 0);
	ck_assert_str_eq(line, "x");
}
END_TEST

START_TEST(test_paths)
{
	ck_assert(file_is_absolute("C:\\x"));
	ck_assert(file_is_absolute("c:/x"));
	ck_assert(file_is_absolute("\\\\.\\pipe\\x"));
	ck_assert(!file_is_absolute("/x"));
	ck_assert(!file_is_absolute("C:x"));
	ck_assert(!file_is_absolute(""));
	ck_assert(file_goes_up("C:\\a\\..\\b"));
	ck_assert(file_goes_up("C:/a/.."));
	ck_assert(!file_goes_up("C:\\a..\\..b\\..."));
	ck_assert_str_eq(file_of_uri("/C:/x"), "C:/x");
	ck_assert_str_eq(file_of_uri("/x"), "/x");
}
END_TEST

START_TEST(test_uris)
{
	static const struct {
		const char *text;
		enum uri_scheme scheme;
		const char *path;
	} good[] = {
		{"", URI_NULL, ""},
		{"\\\\.\\pipe\\ctr-x-stdout", URI_FIFO,
			"\\\\.\\pipe\\ctr-x-stdout"},
		{"file:///C:/logs/a%20b", URI_FILE, "C:/logs/a b"},
		{"binary:///C:/bin/log.exe?k=v", URI_BINARY, "C:/bin/log.exe"},
	};
	static const char *const bad[] = {"/run/fifo", "file:///etc/x",
		"file:///C:/a/../b", "\\\\.\\pipe\\..\\x", "C:x"};
	struct uri u;
	struct err e;
	unsigned i;

	for (i = 0; i < LENGTH(good); i++) {
		ck_assert_int_eq(uri_parse(good[i].text, &u, &e), 0);
		ck_assert_int_eq(u.scheme, good[i].scheme);
		ck_assert_str_eq(u.path, good[i].path);
	}
	for (i = 0; i < LENGTH(bad); i++)
		ck_assert_int_eq(uri_parse(bad[i], &u, &e), -EINVAL);
}
END_TEST

START_TEST(test_spool)
{
	struct event_base *base = event_base_new();
	struct stream *to, *from;
	struct endpoint *theirs;
	struct spool *s;
	char buf[32];
	wchar_t name[PIPE_NAME_MAX];
	HANDLE a, b;

	pipe_fresh_name(name);
	ck_assert_int_eq(pipe_listen(name, PIPE_ACCESS_DUPLEX, true, 1,
				 PIPE_FOR_ALL_OF_US, &a),
		0);
	ck_assert_int_eq(pipe_dial(name, GENERIC_READ | GENERIC_WRITE, &b), 0);
	ck_assert_int_eq(stream_from_handle(base, a, &to), 0);
	ck_assert_int_eq(stream_from_handle(base, b, &from), 0);
	ck_assert_int_eq(spool_open(".", 10, &s), 0);
	ck_assert_int_eq(spool_get(s, to), -ENODATA);
	ck_assert_int_eq(spool_put(s, "0123456789abc", 13), 10);
	ck_assert_int_eq(spool_put(s, "x", 1), -ENOBUFS);
	ck_assert_int_eq(spool_get(s, to), 10);
	ck_assert_uint_eq(read_some(base, from, buf, 10), 10);
	ck_assert_mem_eq(buf, "0123456789", 10);
	ck_assert_int_eq(spool_put(s, "abc", 3), 3);
	ck_assert_uint_eq(spool_used(s), 3);
	ck_assert_uint_eq(spool_skip(s), 3);
	spool_close(s);
	ck_assert_int_eq(spool_open("none", 10, &s), -ENOENT);
	stream_close(to);
	stream_close(from);
	ck_assert_int_eq(stream_pipe_from_child(base, &from, &theirs), 0);
	endpoint_close(theirs);
	stream_close(from);
	event_base_free(base);
}
END_TEST

START_TEST(test_look)
{
	struct look_process p;
	struct look_memory m;

	ck_assert_int_eq(look_process(GetCurrentProcessId(), &p), 0);
	ck_assert_ptr_nonnull(strstr(p.name, "windows_host"));
	ck_assert_int_ge(p.parent, 0); /* 0: somebody outside of Wine */
	ck_assert_uint_lt(p.age_ms, 3600000);
	ck_assert_int_eq(look_process(99999999, &p), -ESRCH);
	look_memory(GetCurrentProcessId(), &m);
	ck_assert_uint_gt(m.resident, 100);
}
END_TEST

static HANDLE log_client(void)
{
	return CreateFileW(L"\\\\.\\pipe\\containerd-shim-ns-id-log",
		GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
}

static const char *log_read(HANDLE h)
{
	static char buf[128];
	DWORD n = 0;

	buf[0] = '\0';
	if (ReadFile(h, buf, sizeof(buf) - 1, &n, NULL))
		buf[n] = '\0';
	return buf;
}

/* The newest client gets the lines. */
START_TEST(test_log)
{
	HANDLE first, second;
	unsigned i;

	ck_assert_int_eq(host_log_open("ns", "id"), 0);
	ck_assert_int_eq(host_log_write("nobody\n", 7), -EAGAIN);
	first = log_client();
	ck_assert_ptr_ne(first, INVALID_HANDLE_VALUE);
	ck_assert(wait_for(NULL, host_log_write("one\n", 4) == 0));
	ck_assert_str_eq(log_read(first), "one\n");
	second = log_client();
	ck_assert_ptr_ne(second, INVALID_HANDLE_VALUE);
	Sleep(50);
	ck_assert(wait_for(NULL, host_log_write("two\n", 4) == 0));
	ck_assert_str_eq(log_read(second), "two\n");
	ck_assert_str_eq(log_read(first), ""); /* it is over */
	/* nobody reads: nothing waits, and lines are dropped */
	for (i = 0; i < 100000 && host_log_write("more\n", 5) == 0; i++)
		;
	ck_assert_uint_lt(i, 100000);
	CloseHandle(first);
	CloseHandle(second);
	ck_assert(wait_for(NULL, host_log_write("gone\n", 5) == -EAGAIN));
}
END_TEST

START_TEST(test_own_dir)
{
	char first[FILE_PATH_MAX], again[FILE_PATH_MAX];
	struct err e;

	ck_assert_msg(
		host_own_dir("wisp-test", 200, first, sizeof(first), &e) == 0,
		"%s", e.msg);
	ck_assert_int_eq(
		host_own_dir("wisp-test", 200, again, sizeof(again), &e), 0);
	ck_assert_str_eq(first, again);
	ck_assert_int_eq(file_remove_folder(first), 0);
	/* what is there already is no folder */
	ck_assert_int_eq(file_write(first, "", 0), 0);
	ck_assert_int_eq(
		host_own_dir("wisp-test", 200, again, sizeof(again), &e), 0);
	ck_assert_str_ne(first, again); /* it has another place */
	ck_assert_int_eq(file_remove_folder(again), 0);
	ck_assert_int_eq(file_remove(first), 0);
}
END_TEST

static DWORD WINAPI let_go(void *h)
{
	Sleep(60);
	CloseHandle(h);
	return 0;
}

/* As a scanner or a daemon does, who reads it and shares less than all. */
static void hold(const wchar_t *name, DWORD share)
{
	HANDLE h = CreateFileW(
		name, GENERIC_READ, share, NULL, OPEN_EXISTING, 0, NULL);

	ck_assert_ptr_ne(h, INVALID_HANDLE_VALUE);
	CloseHandle(CreateThread(NULL, 0, let_go, h, 0, NULL));
}

START_TEST(test_held_files)
{
	char buf[16];

	ck_assert_int_eq(file_write("held", "1", 1), 0);
	hold(L"held", FILE_SHARE_READ | FILE_SHARE_WRITE);
	ck_assert_int_eq(file_write("held", "2", 1), 0);
	hold(L"held", 0);
	ck_assert_int_eq(file_read_into("held", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "2");
	hold(L"held", FILE_SHARE_READ | FILE_SHARE_WRITE);
	ck_assert_int_eq(file_rename("held", "other"), 0);
	hold(L"other", FILE_SHARE_READ | FILE_SHARE_WRITE);
	ck_assert_int_eq(file_remove("other"), 0);
	ck_assert_int_eq(file_check("other"), -ENOENT);
}
END_TEST

static void check_path(
	const char *begin, const char *end, const wchar_t *expect)
{
	wchar_t got[WIN_PATH_MAX];
	char path[1024], middle[260];

	memset(middle, 'a', sizeof(middle) - 1);
	middle[sizeof(middle) - 1] = '\0';
	snprintf(path, sizeof(path), "%s%s%s", begin, middle, end);
	ck_assert_int_eq(win_path(path, got), 0);
	ck_assert_msg(wcsncmp(got, expect, wcslen(expect)) == 0, "%ls", got);
	ck_assert_ptr_null(wcsstr(got, L".."));
	ck_assert_ptr_null(wcschr(got, L'/'));
}

/* Those that the system takes only with "\\?\", and then word by word. */
START_TEST(test_long_paths)
{
	char path[FILE_PATH_MAX], below[FILE_PATH_MAX], buf[16];
	wchar_t wide[WIN_PATH_MAX];
	unsigned i;

	check_path("C:/x/", "/..//y/./z", L"C:\\x\\y\\z");
	check_path("C:/", "/y", L"\\\\?\\C:\\aaaa");
	check_path("//server/share/", "/../y", L"\\\\server\\share\\y");
	check_path("//server/share/", "/y", L"\\\\?\\UNC\\server\\share\\aaa");
	check_path("//?/C:/", "/y", L"\\\\?\\C:\\aaaa");
	check_path("", "/y", L"\\\\?\\");
	ck_assert_int_eq(win_path("C:/short/../x", wide), 0);
	ck_assert_int_eq(wcscmp(wide, L"C:\\short\\..\\x"), 0);
	ck_assert_int_eq(win_path("", wide), -ENOENT);
	ck_assert_int_eq(win_path("\xff", wide), -EINVAL);
	ck_assert_int_eq(win_path("\xed\xa0\x80", wide), -EINVAL);
	snprintf(path, sizeof(path), "%s", here("deep"));
	ck_assert_int_eq(file_make_folder(path), 0);
	for (i = 0; i < 6; i++) {
		strcat(path,
			"/a-folder-whose-name-is-not-short-but-fifty-chars");
		ck_assert_int_eq(file_make_folder(path), 0);
	}
	snprintf(below, sizeof(below), "%s/./x/../f", path);
	ck_assert_int_eq(file_write(below, "deep", 4), 0);
	ck_assert_int_eq(
		file_read_into(strstr(path, "deep"), buf, 16), -EINVAL);
	snprintf(below, sizeof(below), "%s/f", strstr(path, "deep"));
	ck_assert_int_eq(file_read_into(below, buf, 16), 0);
	ck_assert_str_eq(buf, "deep");
	ck_assert_int_eq(file_enter_folder(path), -ENAMETOOLONG);
}
END_TEST

/* Whoever has the name must not be given our lines; when it is free, it is
 * ours. */
START_TEST(test_log_of_somebody_else)
{
	HANDLE theirs, first;

	host_log_open("ns", "other"); /* what was open before closes */
	ck_assert_int_eq(pipe_listen(L"\\\\.\\pipe\\containerd-shim-ns-id-log",
				 PIPE_ACCESS_DUPLEX, true, 0,
				 PIPE_FOR_ALL_OF_US, &theirs),
		0);
	ck_assert_int_eq(host_log_open("ns", "id"), -EADDRINUSE);
	ck_assert_int_eq(host_log_write("secret\n", 7), -EAGAIN);
	first = log_client(); /* whom they serve */
	ck_assert_ptr_ne(first, INVALID_HANDLE_VALUE);
	ck_assert_int_eq(host_log_write("secret\n", 7), -EAGAIN);
	ck_assert_ptr_eq(log_client(), INVALID_HANDLE_VALUE);
	CloseHandle(first);
	CloseHandle(theirs);
	ck_assert(wait_for(
		NULL, (host_log_write("lost\n", 5), first = log_client()) !=
			      INVALID_HANDLE_VALUE));
	ck_assert(wait_for(NULL, host_log_write("one\n", 4) == 0));
	ck_assert_str_eq(log_read(first), "one\n");
	CloseHandle(first);
	ck_assert(wait_for(NULL, host_log_write("gone\n", 5) == -EAGAIN));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_files, test_folders, test_long_path,
		test_paths, test_own_dir, test_held_files, test_long_paths,
		test_uris, test_spool, test_look, test_log,
		test_log_of_somebody_else, NULL};

	host_log_open(
		"ns", "before"); /* nothing closes it: one is always open */
	return suite_run("windows host", tests);
}
