/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_layer.h - one layer of an image is put on top of those below it
 * (image-spec, layer.md).
 *
 * The layer is hostile: whatever its entries are called and wherever their
 * links lead, nothing but the tree is written to. Names with ".." are refused,
 * absolute ones begin at the tree's root, links on the way are followed inside
 * of it (image_tree.h). Attributes: owner, mode, times, and of extended ones
 * user.*, security.capability and POSIX ACLs.
 */
#ifndef WISP_CTL_IMAGE_LAYER_H
#define WISP_CTL_IMAGE_LAYER_H

#include <time.h>

#include "ctl/image/image_job.h"
#include "ctl/image/image_tree.h"

struct archive;
struct archive_entry;
struct image_stream;

/* Unpacks the archive, to its end. Messages begin with the entry's name. */
int image_layer_apply(struct image_tree *t, struct image_stream *s,
	struct image_job *job, struct err *e);

/* image_entry.c: makes one entry, of which a holds the data, at a spot that
 * is not the root, in the place of what may be there. */
int image_entry_make(struct image_tree *t, const struct image_spot *at,
	struct archive *a, struct archive_entry *entry, struct image_job *job,
	struct err *e);

/* image_attr.c: owner, mode and extended attributes of what is at a spot, the
 * root included; and its times, which come last. */
int image_attr_set(const struct image_spot *at, struct archive_entry *entry,
	struct image_job *job, struct err *e);
int image_attr_set_times(
	const struct image_spot *at, const struct timespec times[2]);
void image_attr_times(struct archive_entry *entry, struct timespec ret[2]);

#endif
