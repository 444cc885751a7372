/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/tool.h"

#include <string.h>

#include "platform/windows/win.h"

#define TRIES 100
#define MARKS 6

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

int tool_make_new_folder(char *path)
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
