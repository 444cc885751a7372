/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/win.h"

#define TRIES 100
#define MARKS 6

struct file_lock {
	HANDLE h;
};

/* Two that begin in the same moment have different pids. */
static void fill_marks(char *marks, unsigned try)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	unsigned long long seed = GetTickCount64() * 2654435761u +
				  GetCurrentProcessId() * 40503u + try * 7919u;
	int i;

	for (i = 0; i < MARKS; i++, seed /= 36)
		marks[i] = digits[seed % 36];
}

int file_make_new_folder(char *path)
{
	size_t n = strlen(path);
	wchar_t wide[WIN_PATH_MAX];
	unsigned try;
	int r;

	if (n < MARKS || strcmp(path + n - MARKS, "XXXXXX") != 0)
		return -EINVAL;
	for (try = 0; try < TRIES; try++) {
		fill_marks(path + n - MARKS, try);
		r = win_path(path, wide);
		if (r < 0)
			return r;
		if (CreateDirectoryW(wide, NULL))
			return 0;
		if (GetLastError() != ERROR_ALREADY_EXISTS)
			return win_last();
	}
	return -EEXIST;
}

int file_lock_folder(const char *path, struct file_lock **ret)
{
	char name[WIN_PATH_MAX];
	wchar_t wide[WIN_PATH_MAX];
	struct file_lock *l;
	int r = snprintf(name, sizeof(name), "%s/lock", path);

	if (r < 0 || r >= (int)sizeof(name))
		return -ENAMETOOLONG;
	r = win_path(name, wide);
	if (r < 0)
		return r;
	l = malloc(sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->h = CreateFileW(wide, GENERIC_WRITE | DELETE, 0, NULL, OPEN_ALWAYS,
		FILE_ATTRIBUTE_NORMAL | FILE_FLAG_DELETE_ON_CLOSE, NULL);
	if (!handle_is(l->h)) {
		r = win_last();
		free(l);
		return r == -EBUSY ? -EWOULDBLOCK : r;
	}
	*ret = l;
	return 0;
}

void file_unlock(struct file_lock *l)
{
	if (l)
		handle_close(&l->h);
	free(l);
}
