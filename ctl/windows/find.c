/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/find.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "platform/file.h"
#include "platform/process.h"

#define SHIM_NAME "containerd-shim-wisp-v1"

int ctl_find_self(char *ret, size_t n)
{
	return process_find_beside("wispctl", ret, n);
}

/* The shim works in another folder than this program. */
static int make_absolute(const char *path, char *ret, size_t n)
{
	char cwd[FILE_PATH_MAX];
	int len, r;

	if (file_is_absolute(path) || !strpbrk(path, "\\/:")) {
		len = snprintf(ret, n, "%s", path);
	} else {
		r = file_working_folder(cwd, sizeof(cwd));
		if (r < 0)
			return r;
		len = snprintf(ret, n, "%s\\%s", cwd, path);
	}
	return len < 0 || (size_t)len >= n ? -ENAMETOOLONG : 0;
}

int ctl_find_shim(const char *given, char *ret, size_t n, struct err *e)
{
	int r;

	if (given) {
		r = make_absolute(given, ret, n);
		if (r == 0 && !process_find(ret))
			r = -ENOENT;
		return r < 0 ? err_sys(e, r, "--shim '%s'", given) : 0;
	}
	if (process_find_beside(SHIM_NAME, ret, n) == 0)
		return 0;
	return err_set(e, -ENOENT,
		"no shim: " SHIM_NAME
		".exe is neither beside wispctl nor in PATH; "
		"pass --shim PATH");
}
