/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_stream.h - the bytes of a layer's tar archive: decompressed, counted,
 * and both digests taken on the way, of what is stored and of what it holds.
 *
 *     blob -> digest -> gzip, zstd, xz, bzip2 or nothing -> diff_id -> reader
 */
#ifndef WISP_CTL_IMAGE_STREAM_H
#define WISP_CTL_IMAGE_STREAM_H

#include <stdint.h>
#include <sys/types.h>

#include "ctl/image/image_digest.h"
#include "ctl/image/image_job.h"

struct image_blob;
struct image_stream;

/* Borrows blob and job. */
int image_stream_new(struct image_blob *blob, struct image_job *job,
	struct image_stream **ret, struct err *e);
void image_stream_free(struct image_stream *s);

/* The next piece, valid until the next call; 0 at the end; -errno. */
ssize_t image_stream_read(
	struct image_stream *s, const void **ret, struct err *e);

/* Reads what is left, and compares: the digest of the blob, that of the
 * archive. -EBADMSG. */
int image_stream_finish(struct image_stream *s,
	const struct image_digest *digest, const struct image_digest *diff_id,
	struct err *e);

#endif
