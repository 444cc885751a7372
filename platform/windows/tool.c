/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/tool.h"

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>

#include "platform/host.h"
#include "platform/windows/win.h"

#define LOCK L"\\.lock"

static char *narrow(const wchar_t *text)
{
	int n = WideCharToMultiByte(
		CP_UTF8, WC_ERR_INVALID_CHARS, text, -1, NULL, 0, NULL, NULL);
	char *ret = n > 0 ? malloc((size_t)n) : NULL;

	if (ret)
		WideCharToMultiByte(CP_UTF8, 0, text, -1, ret, n, NULL, NULL);
	return ret;
}

/* What is no Unicode is left out, and so are the working directories of drives
 * ("=C:=C:\x"), which are the command interpreter's. */
static int set_environment(void)
{
	wchar_t *block = GetEnvironmentStringsW(), *p;
	char **all;
	size_t n = 0;

	if (!block)
		return -ENOMEM;
	for (p = block; *p; p += wcslen(p) + 1)
		n++;
	all = calloc(n + 1, sizeof(*all));
	n = 0;
	for (p = block; all && *p; p += wcslen(p) + 1) {
		all[n] = *p == L'=' ? NULL : narrow(p);
		if (all[n])
			n++;
	}
	FreeEnvironmentStringsW(block);
	if (!all)
		return -ENOMEM;
	_environ = all;
	return 0;
}

int tool_begin(int *argc, char ***argv)
{
	int r = host_arguments(argc, argv, NULL);

	/* no box that waits for somebody to press a button */
	SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX |
		     SEM_NOOPENFILEERRORBOX);
	return r < 0 ? r : set_environment();
}

int tool_lock(const char *folder)
{
	wchar_t path[WIN_PATH_MAX];
	HANDLE h;
	int fd, r = win_path(folder, path);

	if (r < 0)
		return r;
	if (wcslen(path) + wcslen(LOCK) >= WIN_PATH_MAX)
		return -ENAMETOOLONG;
	wcscat(path, LOCK);
	h = CreateFileW(path, GENERIC_WRITE | DELETE, 0, NULL, OPEN_ALWAYS,
		FILE_ATTRIBUTE_HIDDEN | FILE_FLAG_DELETE_ON_CLOSE, NULL);
	if (h == INVALID_HANDLE_VALUE) {
		r = win_last();
		return r == -EBUSY ? -EWOULDBLOCK : r;
	}
	/* -> a small number; closing that closes the handle */
	fd = _open_osfhandle((intptr_t)h, _O_WRONLY | _O_NOINHERIT);
	if (fd < 0)
		CloseHandle(h);
	return fd < 0 ? -EMFILE : fd;
}

void tool_unlock(int lock)
{
	if (lock >= 0)
		_close(lock);
}

int tool_list(const char *folder, void (*each)(const char *name, void *arg),
	void *arg)
{
	wchar_t path[WIN_PATH_MAX];
	char name[1024];
	WIN32_FIND_DATAW found;
	HANDLE h;
	int r = win_path(folder, path);

	if (r < 0)
		return r;
	if (wcslen(path) + 3 > WIN_PATH_MAX)
		return -ENAMETOOLONG;
	wcscat(path, L"\\*");
	h = FindFirstFileW(path, &found);
	if (h == INVALID_HANDLE_VALUE)
		return win_last();
	do {
		if (wcscmp(found.cFileName, L".") != 0 &&
			wcscmp(found.cFileName, L"..") != 0 &&
			win_narrow(found.cFileName, name, sizeof(name)) == 0)
			each(name, arg);
	} while (FindNextFileW(h, &found));
	FindClose(h);
	return 0;
}
