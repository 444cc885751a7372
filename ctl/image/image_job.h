/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_job.h - the unpacking of one image: its limits, how far it is, and
 * what was left out.
 *
 * Whoever starts it fills in the first part; it is passed to all that read or
 * write much, which count in it.
 */
#ifndef WISP_CTL_IMAGE_JOB_H
#define WISP_CTL_IMAGE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/err.h"

#define IMAGE_BYTES_MAX (32ull << 30)
#define IMAGE_ENTRIES_MAX 2000000u

/* What could not be done, where that is no reason to fail. */
enum image_skip {
	IMAGE_SKIP_OWNER,
	IMAGE_SKIP_DEVICE,
	IMAGE_SKIP_XATTR,
	IMAGE_SKIP_SOCKET,
	IMAGE_N_SKIPS,
};

struct image_job {
	uint64_t max_bytes;   /* of all layers, decompressed */
	uint64_t max_entries; /* of all layers */
	/* An ordinary user: owners become that user, folders stay writable,
	 * devices are left out. */
	bool ordinary;
	/* Called again and again. Not 0: all ends with that -errno. May be
	 * NULL. */
	int (*tick)(struct image_job *j, struct err *e);
	void *arg;

	unsigned layer, n_layers; /* 1 is the first; 0: none yet */
	uint64_t done, all;       /* bytes of the layers as they are stored */
	uint64_t bytes, entries;  /* that count for the limits */
	unsigned skipped[IMAGE_N_SKIPS];
	char first[IMAGE_N_SKIPS][80]; /* the first one's name */
	int64_t began_ms, drawn_ms;    /* of the line; 0: not yet */
};

/* So many bytes were decompressed, so many entries read. -EFBIG if that is
 * more than allowed, or what tick() returned. */
int image_job_count(
	struct image_job *j, uint64_t bytes, uint64_t entries, struct err *e);

void image_job_skip(
	struct image_job *j, enum image_skip what, const char *name);

/* Tells of what was skipped, a line for each kind; name is the image's. */
void image_job_warn(const struct image_job *j, const char *name);

/* For tick(): draws how far it is on stderr, if that is a terminal, once it
 * takes long. The other one takes the line away. */
void image_job_draw(struct image_job *j);
void image_job_undraw(struct image_job *j);

#endif
