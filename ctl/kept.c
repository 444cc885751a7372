/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/kept.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/container.h"
#include "ctl/json.h"
#include "ctl/place.h"

#define CONFIG_MAX (16u << 20)

/* See ctl_rootfs_choose(): a tree that somebody else has made is not ours to
 * remove. */
static bool is_ours(const char *rootfs, const char *id)
{
	static const char *const folders[] = {"/var/lib", "/var/tmp", "/tmp"};
	char path[CTL_PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/wisp-%s", folders[i], id);
		if (strcmp(path, rootfs) == 0)
			return true;
	}
	return false;
}

static int remove_rootfs(const char *config, const char *id, struct err *e)
{
	static const char *path[] = {"root", "path", NULL};
	yajl_val all, rootfs;
	int r = 0;

	if (ctl_json_read(config, CONFIG_MAX, &all, NULL) < 0)
		return 0;
	rootfs = yajl_tree_get(all, path, yajl_t_string);
	if (rootfs && is_ours(rootfs->u.string, id))
		r = ctl_remove_tree(rootfs->u.string, e);
	yajl_tree_free(all);
	return r;
}

int ctl_kept_remove(const char *root, const char *id, struct err *e)
{
	struct ctl_place p;
	int r;

	if (!client_id_is_valid(id) || ctl_place_init(&p, root, id, NULL) < 0 ||
		access(p.bundle, F_OK) < 0 || access(p.state, F_OK) == 0)
		return -ENOENT;
	r = remove_rootfs(p.config, id, e);
	return r < 0 ? r : ctl_remove_tree(p.bundle, e);
}
