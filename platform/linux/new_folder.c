/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "platform/tool.h"

int tool_make_new_folder(char *path)
{
	return mkdtemp(path) ? 0 : -errno;
}
