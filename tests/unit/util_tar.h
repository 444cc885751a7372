/* SPDX-License-Identifier: Apache-2.0 */
/*
 * util_tar.h - tar archives as anybody may write them, and their unpacking.
 *
 * Everything is in the test's own folder: a layer in img/, the tree in root/.
 */
#ifndef WISP_TESTS_UTIL_TAR_H
#define WISP_TESTS_UTIL_TAR_H

#include <stddef.h>

#include "ctl/image/image_job.h"
#include "ctl/image/image_tree.h"

/* Begins a layer. */
void tar_begin(void);

/* Adds an entry of the type '0' (a file, with text as its data), '1' (a hard
 * link to text), '2' (a symbolic one), '5' (a folder), '6' (a FIFO). */
void tar_add(char type, const char *name, const char *text);

/* Writes it to img/layer. */
void tar_end(void);

/* A job without limits worth speaking of. */
struct image_job tar_job(void);

/* Puts img/layer on what is in root/, without digests. */
int tar_apply(struct image_tree *t, struct image_job *job, struct err *e);

#endif
