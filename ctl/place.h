/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h - the private folders of one container, and what lies in them.
 *
 *     ROOT/bundles/ID/               the OCI bundle; the shim works in here
 *     ROOT/state/ID/container.json   what it takes to clean up (record.h)
 *     ROOT/state/ID/stdin, stdout, stderr, events   FIFOs and a socket
 *     ROOT/state/ID/runtime/         the OCI runtime's own state
 *
 * (A bundle must be called as its container: some shims look for it there.)
 *
 * The state folder is locked (flock(2)) by whoever runs the container, so that
 * a folder without a lock is known to be left over.
 */
#ifndef WISP_CTL_PLACE_H
#define WISP_CTL_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/err.h"

#define CTL_PATH_MAX 1024

struct ctl_place {
	char root[CTL_PATH_MAX];
	char states[CTL_PATH_MAX], bundles[CTL_PATH_MAX]; /* all of them */
	char state[CTL_PATH_MAX];
	char record[CTL_PATH_MAX];
	char bundle[CTL_PATH_MAX];
	char config[CTL_PATH_MAX];
	char log[CTL_PATH_MAX];
	char in[CTL_PATH_MAX], out[CTL_PATH_MAX], err[CTL_PATH_MAX];
	char events[CTL_PATH_MAX];
	char runtime[CTL_PATH_MAX];
	int lock; /* a descriptor, or -1 */
};

/* Fills in the names. root NULL: /run/wisp, or $XDG_RUNTIME_DIR/wisp for
 * users other than root. */
int ctl_place_init(
	struct ctl_place *p, const char *root, const char *id, struct err *e);

/* Makes the folders (0700) and locks them. -EEXIST if there are some of that
 * name. */
int ctl_place_make(struct ctl_place *p, struct err *e);

/* Locks folders that are there. -EWOULDBLOCK if its container is being run. */
int ctl_place_lock(struct ctl_place *p);

/* Unlocks. */
void ctl_place_close(struct ctl_place *p);

/* Removes a tree, and nothing that is mounted in it. 0 also if it is gone. */
int ctl_remove_tree(const char *path, struct err *e);

/* Removes everything, or leaves the bundle's config.json and rootfs. */
int ctl_place_remove(struct ctl_place *p, bool keep_bundle, struct err *e);

/* mkdir(2) with parents. */
int ctl_make_dirs(const char *path, unsigned mode);

#endif
