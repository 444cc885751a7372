/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_user.h - who an image's "User" is, by the image's own /etc/passwd and
 * /etc/group (image-spec, config.md: user, uid, user:group, uid:gid, uid:group,
 * user:gid).
 *
 * As docker has it: a number needs no entry; a user without ":group" gets the
 * groups whose lists name that user.
 */
#ifndef WISP_CTL_IMAGE_USER_H
#define WISP_CTL_IMAGE_USER_H

#include <stddef.h>
#include <stdint.h>

#include "ctl/image/image_tree.h"

#define IMAGE_GROUPS_MAX 64

struct image_user {
	uint32_t uid, gid;
	uint32_t groups[IMAGE_GROUPS_MAX]; /* besides gid */
	size_t n_groups;
	char home[256]; /* "/" if nothing is known of it */
};

/* user NULL or "": root. -ENOENT if the image has no such name. */
int image_user_find(struct image_tree *t, const char *user,
	struct image_user *ret, struct err *e);

#endif
