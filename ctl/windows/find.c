/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/find.h"

#include <errno.h>

#include "platform/file.h"
#include "platform/process.h"

#define SHIM "containerd-shim-wisp-v1"

int ctl_find_self(char *ret, size_t n)
{
	return process_find_beside("wispctl", ret, n);
}

/* The shim is started in another folder: its path must be absolute. */
int ctl_find_shim(const char *given, char *ret, size_t n, struct err *e)
{
	char cwd[FILE_PATH_MAX];
	int r;

	if (!given)
		r = process_find_beside(SHIM, ret, n);
	else if (file_is_absolute(given))
		r = (size_t)snprintf(ret, n, "%s", given) < n ? 0
							      : -ENAMETOOLONG;
	else if (file_working_folder(cwd, sizeof(cwd)) == 0 &&
		 (size_t)snprintf(ret, n, "%s\\%s", cwd, given) < n &&
		 file_check(ret) == 0)
		r = 0;
	else /* in PATH */
		r = (size_t)snprintf(ret, n, "%s", given) < n ? 0
							      : -ENAMETOOLONG;
	if (r == 0 && !process_find(ret))
		r = -ENOENT;
	return r < 0 ? err_sys(e, r, "the shim '%s': use --shim",
			       given ? given : SHIM ".exe")
		     : 0;
}
