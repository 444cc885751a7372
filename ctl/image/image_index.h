/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_index.h - where in a tar archive each file stands.
 */
#ifndef WISP_CTL_IMAGE_INDEX_H
#define WISP_CTL_IMAGE_INDEX_H

#include <stdint.h>

#include "ctl/image/image_job.h"

struct image_index;

/* Reads the archive *fd. If it is compressed, *fd is replaced by a file that
 * has it decompressed, in scratch, without a name. */
int image_index_read(int *fd, const char *scratch, struct image_job *job,
	struct image_index **ret, struct err *e);
void image_index_free(struct image_index *x);

/* Where the header of a file begins; links are followed. -ENOENT, -ELOOP. */
int image_index_find(const struct image_index *x, const char *name,
	int64_t *ret_at, struct err *e);

#endif
