/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h - the private folders of one container, and what lies in them.
 *
 *     ROOT/bundles/ID/               the OCI bundle; the shim works in here
 *     ROOT/state/ID/container.json   what it takes to clean up (record.h)
 *     ROOT/state/ID/stdin, stdout, stderr, events   FIFOs and a socket
 *     ROOT/state/ID/log, log.1       its output, if a keeper has it (output.h)
 *     ROOT/state/ID/attach           the keeper's socket (wire.h)
 *     ROOT/state/ID/runtime/         the OCI runtime's own state
 *     ROOT/events.log, events.log.1  everybody's events (journal.h)
 *
 * (A bundle must be called as its container: some shims look for it there.)
 *
 * The state folder is locked (flock(2)) by whoever runs the container (`wispctl
 * run`, or the keeper of one that is detached), and runtime/ by its guard, so
 * that folders without locks are known to be left over.
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
	char output[CTL_PATH_MAX], attach[CTL_PATH_MAX];
	int lock, guard_lock; /* descriptors, or -1 */
};

/* Fills in the names. root NULL: /run/wisp, or $XDG_RUNTIME_DIR/wisp for
 * users other than root. */
int ctl_place_init(
	struct ctl_place *p, const char *root, const char *id, struct err *e);

/* Makes the folders (0700) and locks them. -EEXIST if there are some of that
 * name. */
int ctl_place_make(struct ctl_place *p, struct err *e);

/* Lock folders that are there: as the one who runs the container, as its guard,
 * or as who found them. -EWOULDBLOCK if there is another one. */
int ctl_place_lock(struct ctl_place *p);
int ctl_place_lock_as_guard(struct ctl_place *p);
int ctl_place_lock_left(struct ctl_place *p);

/* As ctl_place_lock(), but waits for a while (2 s): the one before may be about
 * to let go. */
int ctl_place_lock_soon(struct ctl_place *p);

/* Unlocks. */
void ctl_place_close(struct ctl_place *p);

/* Removes a tree, and nothing that is mounted in it. 0 also if it is gone. */
int ctl_remove_tree(const char *path, struct err *e);

/* Removes everything, or leaves the bundle's config.json and rootfs. */
int ctl_place_remove(struct ctl_place *p, bool keep_bundle, struct err *e);

/* The same for locked folders that were about to be filled, if they are that
 * old: nothing goes that is not empty. */
void ctl_place_remove_empty(struct ctl_place *p, unsigned age_s);

/* mkdir(2) with parents. */
int ctl_make_dirs(const char *path, unsigned mode);

#endif
