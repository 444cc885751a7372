/* SPDX-License-Identifier: Apache-2.0 */
/*
 * release.h - the end of a container that did not end by itself: its wispctl
 * was killed, its shim died, or it never came to life.
 */
#ifndef WISP_CTL_RELEASE_H
#define WISP_CTL_RELEASE_H

#include "client/client.h"
#include "ctl/place.h"
#include "ctl/record.h"

/*
 * Kills and deletes the task and sends the shim away: by RPC if the shim
 * answers, otherwise by its `delete` command, and what that leaves by the OCI
 * runtime, where there is one. shim is the connection that is there, and is
 * consumed; with NULL, the shim is looked for. Every step has a deadline. 0 if
 * nothing is left but files.
 */
int ctl_release(struct client *c, const struct ctl_record *r,
	struct client_shim *shim, struct err *e);

/* Removes what the container leaves in its folder, or all of it. */
int ctl_release_files(
	struct ctl_place *p, const struct ctl_record *r, struct err *e);

/* Both, for a place that is locked, and is closed. Without a record in it, it
 * must be that old, because it may have been made just now. */
int ctl_release_place(struct client *c, struct ctl_place *p,
	unsigned unfilled_s, struct err *e);

/* All containers below the root (NULL: the default one) whose wispctl is gone;
 * but not detached ones whose shim lives. */
void ctl_release_all_left(struct client *c, const char *root);

/* For ctl_release() itself: what each system has besides the shim, once that
 * has gone. */
int ctl_release_runtime(
	struct client *c, const struct ctl_record *r, struct err *e);

#endif
