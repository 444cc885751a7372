/* SPDX-License-Identifier: Apache-2.0 */
/* The part of file.h that is about folders and paths. */
#include "platform/file.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/win.h"

static bool is_slash(char c)
{
	return c == '/' || c == '\\';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool file_is_absolute(const char *path)
{
	if (is_slash(path[0]) && is_slash(path[1]))
		return true;
	return is_letter(path[0]) && path[1] == ':' && is_slash(path[2]);
}

const char *file_of_uri(const char *path)
{
	return path[0] == '/' && file_is_absolute(path + 1) ? path + 1 : path;
}

bool file_goes_up(const char *path)
{
	const char *p;

	for (p = path; *p; p += strspn(p, "/\\")) {
		size_t n = strcspn(p, "/\\");

		if (n == 2 && strncmp(p, "..", 2) == 0)
			return true;
		p += n;
	}
	return false;
}

int file_working_folder(char *buf, size_t n)
{
	wchar_t wide[WIN_PATH_MAX];
	DWORD got = GetCurrentDirectoryW(WIN_PATH_MAX, wide);

	if (got == 0)
		return win_last();
	return got < WIN_PATH_MAX ? win_narrow(wide, buf, n) : -ENAMETOOLONG;
}

int file_enter_folder(const char *path)
{
	wchar_t wide[WIN_PATH_MAX];
	int r = win_folder(path, wide);

	if (r == 0 && !SetCurrentDirectoryW(wide))
		r = win_last();
	return r;
}

/* GetFinalPathNameByHandle says "\\?\C:\..." */
static int final_path(HANDLE h, char *ret)
{
	wchar_t wide[WIN_PATH_MAX], *from = wide;
	DWORD n = GetFinalPathNameByHandleW(
		h, wide, WIN_PATH_MAX, FILE_NAME_NORMALIZED);

	if (n == 0)
		return win_last();
	if (n >= WIN_PATH_MAX)
		return -ENAMETOOLONG;
	if (wcsncmp(wide, L"\\\\?\\", 4) == 0 && wide[5] == L':')
		from += 4;
	return win_narrow(from, ret, FILE_PATH_MAX);
}

int file_real_folder(const char *path, char *ret)
{
	wchar_t wide[WIN_PATH_MAX];
	auto_handle HANDLE h = NULL;
	DWORD attributes;
	int r = win_path(path, wide);

	if (r < 0)
		return r;
	attributes = GetFileAttributesW(wide);
	if (attributes == INVALID_FILE_ATTRIBUTES)
		return win_last();
	if (!(attributes & FILE_ATTRIBUTE_DIRECTORY))
		return -ENOTDIR;
	h = CreateFileW(wide, FILE_READ_ATTRIBUTES,
		FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
		OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
	return h == INVALID_HANDLE_VALUE ? win_last() : final_path(h, ret);
}

/* Who may do what in a folder is inherited from the one above it; below the
 * daemon's own, that is administrators alone. */
int file_make_folder(const char *path)
{
	wchar_t wide[WIN_PATH_MAX];
	int r = win_path(path, wide);

	if (r < 0 || CreateDirectoryW(wide, NULL))
		return r;
	r = win_last();
	if (r != -EEXIST)
		return r;
	return GetFileAttributesW(wide) & FILE_ATTRIBUTE_DIRECTORY ? 0
								   : -ENOTDIR;
}

int file_make_passage(const char *path)
{
	return file_make_folder(path);
}

static int remove_files(const wchar_t *folder)
{
	wchar_t path[WIN_PATH_MAX];
	WIN32_FIND_DATAW found;
	size_t n = wcslen(folder);
	HANDLE h;

	if (n + 3 > WIN_PATH_MAX)
		return -ENAMETOOLONG;
	/* what a junction leads to is somebody else's; it goes by itself */
	if (GetFileAttributesW(folder) != INVALID_FILE_ATTRIBUTES &&
		GetFileAttributesW(folder) & FILE_ATTRIBUTE_REPARSE_POINT)
		return 0;
	wcscat(wcscpy(path, folder), L"\\*");
	h = FindFirstFileW(path, &found);
	if (h == INVALID_HANDLE_VALUE)
		return win_last();
	do {
		if (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY ||
			n + 2 + wcslen(found.cFileName) > WIN_PATH_MAX)
			continue; /* RemoveDirectory() tells */
		wcscpy(path + n + 1, found.cFileName);
		DeleteFileW(path);
	} while (FindNextFileW(h, &found));
	FindClose(h);
	return 0;
}

static bool is_link(const wchar_t *path)
{
	DWORD a = GetFileAttributesW(path);

	return a != INVALID_FILE_ATTRIBUTES && a & FILE_ATTRIBUTE_REPARSE_POINT;
}

int file_remove_folder(const char *path)
{
	wchar_t wide[WIN_PATH_MAX];
	unsigned tries = 0;
	int r = win_path(path, wide);

	/* a link (a junction) to a folder is removed, not what it leads to */
	if (r == 0 && !is_link(wide))
		r = remove_files(wide);
	while (r == 0 && !RemoveDirectoryW(wide))
		if (!win_again(&tries))
			r = win_last();
	return r == -ENOENT ? 0 : r;
}

/* They need a privilege that a daemon need not have, and nothing on Windows
 * asks for one. */
int file_link(const char *to, const char *path)
{
	(void)to;
	(void)path;
	return -ENOSYS;
}
