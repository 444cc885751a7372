/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/windows/util_loop.h"

#include <shellapi.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/util_test.h"

size_t read_some(struct event_base *base, struct stream *s, char *buf, size_t n)
{
	int64_t end = real_ms() + TEST_WAIT_MS;
	size_t got = 0;

	while (got < n && real_ms() < end) {
		ssize_t r = stream_read(s, buf + got, n - got);

		if (r == 0)
			break;
		if (r < 0 && r != -EAGAIN)
			ck_abort_msg("read: %s", strerror((int)-r));
		if (r > 0)
			got += (size_t)r;
		else
			loop_turn(base);
	}
	return got;
}

bool write_some(
	struct event_base *base, struct stream *s, const char *buf, size_t n)
{
	int64_t end = real_ms() + TEST_WAIT_MS;

	while (n > 0 && real_ms() < end) {
		ssize_t w = stream_write(s, buf, n);

		if (w < 0 && w != -EAGAIN)
			return false;
		if (w > 0) {
			buf += w;
			n -= (size_t)w;
		} else {
			loop_turn(base);
		}
	}
	return n == 0;
}

bool at_end(struct event_base *base, struct stream *s)
{
	char c;
	ssize_t r = -EAGAIN;

	return wait_for(base, (r = stream_read(s, &c, 1)) != -EAGAIN) && r == 0;
}

static void put(const void *data, size_t n)
{
	const char *p = data;
	DWORD w;

	while (n > 0 && WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), p, (DWORD)n,
				&w, NULL)) {
		p += w;
		n -= w;
	}
}

static void child_echo(void)
{
	char buf[4096];
	DWORD n;

	while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), buf, sizeof(buf), &n,
		       NULL) &&
		n > 0)
		put(buf, n);
}

static void child_burst(size_t n)
{
	char buf[8192];
	size_t i, at = 0;

	while (at < n) {
		size_t part = n - at < sizeof(buf) ? n - at : sizeof(buf);

		for (i = 0; i < part; i++)
			buf[i] = (char)((at + i) % 251);
		put(buf, part);
		at += part;
	}
}

/* Two streams, each with bytes of its own, a piece at a time. */
static void child_both(size_t n)
{
	HANDLE to[] = {GetStdHandle(STD_OUTPUT_HANDLE),
		GetStdHandle(STD_ERROR_HANDLE)};
	char buf[8192];
	size_t at, i, w;
	DWORD put_n;

	for (at = 0; at < n; at += sizeof(buf))
		for (w = 0; w < 2; w++) {
			for (i = 0; i < sizeof(buf); i++)
				buf[i] = (char)((at + i) * (w ? 7 : 1) % 251);
			if (!WriteFile(to[w], buf, sizeof(buf), &put_n, NULL))
				ExitProcess(95);
		}
}

/* How much is on stdin until its end, and FNV-1a of it. */
static void child_sum(void)
{
	unsigned long long hash = 14695981039346656037ull, n = 0;
	char buf[65536], text[64];
	DWORD got, i;

	while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), buf, sizeof(buf), &got,
		       NULL) &&
		got > 0)
		for (n += got, i = 0; i < got; i++)
			hash = (hash ^ (unsigned char)buf[i]) *
			       1099511628211ull;
	put(text,
		(size_t)snprintf(text, sizeof(text), "%llu %016llx", n, hash));
}

static void child_args(wchar_t **argv, int argc)
{
	static char text[131072];
	int i;

	for (i = 0; i < argc; i++)
		if (win_narrow(argv[i], text, sizeof(text)) == 0)
			put(text, strlen(text) + 1);
}

static void child_spawn(void)
{
	STARTUPINFOW si = {.cb = sizeof(si), .dwFlags = STARTF_USESTDHANDLES};
	wchar_t line[] = L"x child sleep", path[WIN_PATH_MAX];
	PROCESS_INFORMATION pi;

	GetModuleFileNameW(NULL, path, WIN_PATH_MAX);
	if (!CreateProcessW(path, line, NULL, NULL, FALSE, CREATE_NO_WINDOW,
		    NULL, NULL, &si, &pi))
		ExitProcess(99);
	put("spawned", 7);
	Sleep(60000);
}

static BOOL WINAPI ignore_event(DWORD event)
{
	(void)event;
	return TRUE;
}

/* A child that heeds no event, and has got as far as that; then it ends. */
static void child_leave(void)
{
	STARTUPINFOW si = {.cb = sizeof(si), .dwFlags = STARTF_USESTDHANDLES};
	wchar_t line[] = L"x child stubborn", path[WIN_PATH_MAX];
	PROCESS_INFORMATION pi;
	HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"wisp-test-stubborn");

	GetModuleFileNameW(NULL, path, WIN_PATH_MAX);
	if (!CreateProcessW(path, line, NULL, NULL, FALSE, CREATE_NO_WINDOW,
		    NULL, NULL, &si, &pi))
		ExitProcess(99);
	ExitProcess(WaitForSingleObject(ready, 20000) == 0 ? 3 : 98);
}

static void child_stubborn(void)
{
	HANDLE ready =
		OpenEventW(EVENT_MODIFY_STATE, FALSE, L"wisp-test-stubborn");

	SetConsoleCtrlHandler(ignore_event, TRUE);
	SetEvent(ready);
	Sleep(60000);
}

/* A child that has not run yet, and never will. */
static void child_freeze(void)
{
	STARTUPINFOW si = {.cb = sizeof(si), .dwFlags = STARTF_USESTDHANDLES};
	wchar_t line[] = L"x child sleep", path[WIN_PATH_MAX];
	PROCESS_INFORMATION pi;

	GetModuleFileNameW(NULL, path, WIN_PATH_MAX);
	ExitProcess(CreateProcessW(path, line, NULL, NULL, FALSE,
			    CREATE_NO_WINDOW | CREATE_SUSPENDED, NULL, NULL,
			    &si, &pi)
			    ? 3
			    : 99);
}

static void child_text(const wchar_t *wide)
{
	char text[4096];

	if (win_narrow(wide, text, sizeof(text)) == 0)
		put(text, strlen(text));
}

/* Wine gives no standard handles to who has a pseudo console, so it is asked
 * for by name; but those of somebody else must not be there. */
static void child_conout(void)
{
	HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE);
	HANDLE h = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE,
		FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0,
		NULL);
	DWORD n;

	if (handle_is(out) && !GetConsoleMode(out, &n))
		ExitProcess(96);
	if (h == INVALID_HANDLE_VALUE ||
		!WriteFile(h, "on a terminal\r\n", 15, &n, NULL))
		ExitProcess(98);
	Sleep(500); /* the console paints when it has time */
}

static HANDLE dial(const wchar_t *variable)
{
	wchar_t name[512];

	if (!GetEnvironmentVariableW(variable, name, 512))
		ExitProcess(97);
	return CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL,
		OPEN_EXISTING, 0, NULL);
}

/* As the loggers of a daemon on Windows. */
static void child_logger(const wchar_t *path)
{
	HANDLE out = dial(L"CONTAINER_STDOUT"), err = dial(L"CONTAINER_STDERR");
	HANDLE wait = dial(L"CONTAINER_WAIT");
	HANDLE file = CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ, NULL,
		CREATE_ALWAYS, 0, NULL);
	char buf[4096];
	DWORD n, w;

	CloseHandle(wait);
	while (ReadFile(out, buf, sizeof(buf), &n, NULL) && n > 0)
		WriteFile(file, buf, n, &w, NULL);
	while (ReadFile(err, buf, sizeof(buf), &n, NULL) && n > 0)
		WriteFile(file, buf, n, &w, NULL);
	WriteFile(file, ".", 1, &w, NULL);
}

void child_main(void)
{
	int argc;
	wchar_t **argv = CommandLineToArgvW(GetCommandLineW(), &argc);
	wchar_t buf[4096] = L"";

	if (argc < 3 || wcscmp(argv[1], L"child") != 0) {
		LocalFree(argv);
		return;
	}
	if (wcscmp(argv[2], L"exit") == 0)
		ExitProcess((UINT)wcstoul(argv[3], NULL, 0));
	if (wcscmp(argv[2], L"echo") == 0)
		child_echo();
	if (wcscmp(argv[2], L"burst") == 0)
		child_burst((size_t)wcstoul(argv[3], NULL, 0));
	if (wcscmp(argv[2], L"both") == 0)
		child_both((size_t)wcstoul(argv[3], NULL, 0));
	if (wcscmp(argv[2], L"sum") == 0)
		child_sum();
	if (wcscmp(argv[2], L"args") == 0)
		child_args(argv + 3, argc - 3);
	if (wcscmp(argv[2], L"hello") == 0)
		put("hello", 5);
	if (wcscmp(argv[2], L"sleep") == 0 && argc > 3)
		SetEvent(OpenEventW(EVENT_MODIFY_STATE, FALSE, argv[3]));
	if (wcscmp(argv[2], L"sleep") == 0 || wcscmp(argv[2], L"hello") == 0)
		Sleep(60000);
	if (wcscmp(argv[2], L"logger") == 0 && argc > 4)
		child_logger(argv[4]);
	if (wcscmp(argv[2], L"conout") == 0)
		child_conout();
	if (wcscmp(argv[2], L"spawn") == 0)
		child_spawn();
	if (wcscmp(argv[2], L"leave") == 0)
		child_leave();
	if (wcscmp(argv[2], L"freeze") == 0)
		child_freeze();
	if (wcscmp(argv[2], L"stubborn") == 0)
		child_stubborn();
	if (wcscmp(argv[2], L"env") == 0 &&
		GetEnvironmentVariableW(argv[3], buf, 4096))
		child_text(buf);
	if (wcscmp(argv[2], L"cwd") == 0 && GetCurrentDirectoryW(4096, buf))
		child_text(buf);
	ExitProcess(0);
}

const char *own_path(void)
{
	static char path[4096];
	wchar_t wide[WIN_PATH_MAX];

	GetModuleFileNameW(NULL, wide, WIN_PATH_MAX);
	ck_assert_int_eq(win_narrow(wide, path, sizeof(path)), 0);
	return path;
}
