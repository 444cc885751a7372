/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_tree.h - names in a tree that somebody else has filled.
 *
 * A layer may bring any symbolic link, and later layers write through it, as
 * they must where /lib leads to /usr/lib. So each name is walked one part at a
 * time, and a link is followed as it would be in the container: "/" is the
 * tree's root, and ".." stays in it (path_resolution(7), chroot(2)). Nothing
 * else may change the tree meanwhile.
 */
#ifndef WISP_CTL_IMAGE_TREE_H
#define WISP_CTL_IMAGE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/err.h"

/* Of a path below the root, NUL included: with the root's own path it must
 * stay below PATH_MAX, so that the tree can be removed again. */
#define IMAGE_PATH_MAX 2048
#define IMAGE_DEPTH_MAX 256 /* folders one in the other */

struct image_tree {
	int root;
	/* Hashes of the paths that the layer at hand has brought. */
	uint64_t *made;
	size_t n_made, room;
};

/* Where a name is: a folder, and a name in it. */
struct image_spot {
	int dir;                   /* O_PATH; image_spot_close() */
	char path[IMAGE_PATH_MAX]; /* without links; "" is the root */
	const char *base;          /* the last part, in path; "" is the root */
};

/* An existing folder is the root. */
int image_tree_open(struct image_tree *t, const char *path, struct err *e);
void image_tree_close(struct image_tree *t);

/*
 * Makes a name that came from outside plain: no "/" at the ends, no "//", no
 * ".". ret has IMAGE_PATH_MAX bytes. -EINVAL if it has a ".." or a part is too
 * long, -ENAMETOOLONG.
 */
int image_name_clean(const char *name, char *ret, struct err *e);

/*
 * Finds where a clean name is. Links on the way are followed, one at its end
 * is not. make: folders that are missing on the way are made (0755). -ENOENT,
 * -ENOTDIR, -ELOOP, -ENAMETOOLONG. On failure there is nothing to close.
 */
int image_tree_find(struct image_tree *t, const char *name, bool make,
	struct image_spot *ret, struct err *e);
void image_spot_close(struct image_spot *s);

/* Follows links at the end, too, and opens the regular file that is there for
 * reading. Returns the descriptor; -EINVAL if it is something else. */
int image_tree_open_file(struct image_tree *t, const char *name, struct err *e);

/* ---- layers ---- */

/* From now on all that there is, is below. */
void image_tree_new_layer(struct image_tree *t);

/* This path, and so the folders that lead to it, are of the layer at hand.
 * -ENOMEM. */
int image_tree_mark(struct image_tree *t, const char *path);

/* Removes what is there, whatever it is; 0 if there is nothing. */
int image_tree_remove(const struct image_spot *s, struct err *e);

/* Removes what lower layers have brought there (a whiteout); what is of this
 * layer stays. */
int image_tree_hide(
	struct image_tree *t, const struct image_spot *s, struct err *e);

/* The same for all that is in the folder s->dir, at path (an opaque one). */
int image_tree_hide_all(
	struct image_tree *t, int dir, const char *path, struct err *e);

#endif
