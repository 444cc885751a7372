/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/stream_file.h"

#include <limits.h>

static void make_parents(wchar_t *path)
{
	wchar_t *p = path;

	for (p = wcschr(path, L'\\'); p; p = wcschr(p + 1, L'\\')) {
		*p = L'\0';
		CreateDirectoryW(path, NULL); /* opening tells */
		*p = L'\\';
	}
}

/* Only FILE_APPEND_DATA: every write is at the end (CreateFile, WriteFile). */
HANDLE stream_file_append(const wchar_t *path, bool inherit)
{
	SECURITY_ATTRIBUTES sa = {
		.nLength = sizeof(sa), .bInheritHandle = inherit};

	return CreateFileW(path, FILE_APPEND_DATA | SYNCHRONIZE,
		FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, &sa,
		OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
}

int stream_file_open(const char *path, HANDLE *ret)
{
	wchar_t wide[WIN_PATH_MAX];
	HANDLE h;
	int r = win_path(path, wide);

	if (r < 0)
		return r;
	make_parents(wide);
	h = stream_file_append(wide, false);
	if (h == INVALID_HANDLE_VALUE)
		return win_last();
	*ret = h;
	return 0;
}

ssize_t stream_file_write(HANDLE h, const void *buf, size_t n)
{
	DWORD got = 0;

	if (n > INT_MAX)
		n = INT_MAX;
	if (!WriteFile(h, buf, (DWORD)n, &got, NULL))
		return win_last();
	return got;
}
