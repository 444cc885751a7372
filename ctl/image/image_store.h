/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_store.h - an image as files with names: a folder, or a tar archive of
 * one, as it is or compressed.
 *
 * An archive is read once for its names; after that each file is found by where
 * it stands. A compressed one is decompressed into a file without a name first.
 */
#ifndef WISP_CTL_IMAGE_STORE_H
#define WISP_CTL_IMAGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ctl/image/image_job.h"

struct archive;
struct image_store;

/* scratch is a folder for that file. Counts in job what it decompresses. */
int image_store_open(const char *path, const char *scratch,
	struct image_job *job, struct image_store **ret, struct err *e);
void image_store_close(struct image_store *s);

bool image_store_has(const struct image_store *s, const char *name);

/* A whole small file, with a NUL behind it, for the caller to free. -ENOENT,
 * -EFBIG. */
int image_store_read(const struct image_store *s, const char *name, size_t max,
	char **ret, size_t *ret_n, struct err *e);

/* A file that is read in pieces, one file at a time; the store outlives it. */
struct image_blob;
int image_blob_open(const struct image_store *s, const char *name,
	struct image_blob **ret, struct err *e);
void image_blob_close(struct image_blob *b);
uint64_t image_blob_size(const struct image_blob *b);

/* The next piece, valid until the next call; 0 at the end; -errno. */
ssize_t image_blob_read(struct image_blob *b, const void **ret, struct err *e);

/* Whether libarchive did it: ARCHIVE_OK, or ARCHIVE_WARN, which it says of a
 * name that is not in the locale's character set, and hands out as it is. */
bool image_archive_ok(int r);

/* What libarchive says went wrong with a, as -errno. */
int image_archive_error(struct archive *a, const char *what, struct err *e);

#endif
