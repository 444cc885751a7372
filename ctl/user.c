/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/user.h"

#include <stdio.h>
#include <unistd.h>

#define TTY_GROUP 5

/* Whether id means something here; *all: every id means itself, as it does
 * only where nobody has made a user namespace. */
static bool has_id(const char *map, unsigned long id, bool *all)
{
	unsigned long inside, outside, n;
	FILE *f = fopen(map, "re");
	bool found = false;

	*all = !f; /* a kernel without user namespaces */
	if (!f)
		return true;
	while (fscanf(f, "%lu %lu %lu", &inside, &outside, &n) == 3) {
		found |= id >= inside && id - inside < n;
		*all |= inside == 0 && outside == 0 && n == UINT32_MAX;
	}
	fclose(f);
	return found;
}

void ctl_user_look(struct ctl_user *ret)
{
	bool all_uids, all_gids;

	ret->uid = geteuid();
	ret->gid = getegid();
	ret->needs_own = ret->uid != 0;
	has_id("/proc/self/uid_map", 0, &all_uids);
	ret->has_tty = has_id("/proc/self/gid_map", TTY_GROUP, &all_gids) &&
		       !ret->needs_own;
	ret->is_root = ret->uid == 0 && all_uids && all_gids;
	ret->unified = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
}

bool ctl_user_has_ids(uint32_t uid, uint32_t gid)
{
	bool all;

	if (geteuid() != 0)
		return uid == 0 && gid == 0;
	return has_id("/proc/self/uid_map", uid, &all) &&
	       has_id("/proc/self/gid_map", gid, &all);
}
