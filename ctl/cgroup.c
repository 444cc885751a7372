/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/cgroup.h"

#include <errno.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/place.h"

#define TRIES 50
#define PAUSE_US 10000

static void kill_members(const char *dir)
{
	char path[CTL_PATH_MAX];
	FILE *f;
	int pid;

	if (snprintf(path, sizeof(path), "%s/cgroup.procs", dir) >=
		(int)sizeof(path))
		return;
	f = fopen(path, "re");
	if (!f)
		return;
	while (fscanf(f, "%d", &pid) == 1)
		if (pid > 0)
			kill(pid, SIGKILL);
	fclose(f);
}

/* What was killed takes a moment to go. */
static void remove_one(const char *dir)
{
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		if (rmdir(dir) == 0 || errno != EBUSY)
			return;
		kill_members(dir);
		usleep(PAUSE_US);
	}
}

void ctl_cgroup_remove(const char *path)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char dir[CTL_PATH_MAX];
	struct mntent *m;

	if (!mounts)
		return;
	while ((m = getmntent(mounts))) {
		if (strcmp(m->mnt_type, "cgroup") != 0 &&
			strcmp(m->mnt_type, "cgroup2") != 0)
			continue;
		if (snprintf(dir, sizeof(dir), "%s%s", m->mnt_dir, path) <
			(int)sizeof(dir))
			remove_one(dir);
	}
	endmntent(mounts);
}
