/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/exit_code.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "ctl/command.h"

static bool contains(const char *text, const char *a, const char *b)
{
	return strcasestr(text, a) && (!b || strcasestr(text, b));
}

int ctl_exit_code(const struct err *e)
{
	const char *m = e->msg;

	if (e->code != -EREMOTEIO && e->code != -EINVAL && e->code != -ENOENT)
		return CTL_FAILED;
	if (contains(m, "restore failed", NULL) ||
		contains(m, "CRIU version check", NULL))
		return CTL_FAILED; /* it is criu that is not found */
	if (contains(m, "executable file", "not found") ||
		contains(m, "exec:", "no such file or directory") ||
		contains(m, "exec:", "stat "))
		return CTL_NOT_FOUND;
	if (contains(m, "exec", "permission denied") ||
		contains(m, "open executable", NULL) ||
		contains(m, "exec format error", NULL) ||
		contains(m, "exec", "is a directory"))
		return CTL_NOT_EXECUTABLE;
	return CTL_FAILED;
}
