/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/place.h"
#include "platform/file.h"
#include "platform/tool.h"

#define DEPTH_MAX 32

struct walk {
	const char *folder;
	unsigned depth;
};

static void remove_tree(const char *path, unsigned depth);

static void remove_one(const char *name, void *arg)
{
	struct walk *w = arg;
	char *path = malloc(CTL_PATH_MAX);

	if (path && snprintf(path, CTL_PATH_MAX, "%s\\%s", w->folder, name) <
			    CTL_PATH_MAX)
		remove_tree(path, w->depth + 1);
	free(path);
}

/* A folder is what can't be removed as a file. A junction goes by itself, and
 * what it leads to is not looked at. */
static void remove_tree(const char *path, unsigned depth)
{
	struct walk w = {path, depth};

	if (file_remove(path) == 0 || depth > DEPTH_MAX)
		return;
	if (file_remove_folder(path) == 0)
		return;
	tool_list(path, remove_one, &w);
	file_remove_folder(path);
}

int ctl_remove_tree(const char *path, struct err *e)
{
	if (file_check(path) == -ENOENT)
		return 0;
	remove_tree(path, 0);
	return file_check(path) == 0
		       ? err_set(e, -ENOTEMPTY, "cannot remove all of '%s'",
				 path)
		       : 0;
}
