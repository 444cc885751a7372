/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/exit_code.h"

#include <errno.h>
#include <string.h>

#include "ctl/command.h"

/* What shims say is a sentence; wisp's says which program, and why. A folder
 * that is not there is no program that is not there. */
int ctl_exit_code(const struct err *e)
{
	const char *m = strstr(e->msg, "cannot run '");

	if (!m || strstr(m, "' in folder '"))
		return CTL_FAILED;
	if (strstr(m, "no such program") || strstr(m, strerror(ENOENT)))
		return CTL_NOT_FOUND;
	if (strstr(m, strerror(EACCES)) || strstr(m, strerror(ENOEXEC)))
		return CTL_NOT_EXECUTABLE;
	return CTL_FAILED;
}
