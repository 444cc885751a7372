/* SPDX-License-Identifier: Apache-2.0 */
/*
 * denials_tell.h - a denial in words, in the log and in a file: what denials.c
 * has counted.
 */
#ifndef WISP_SHIM_DENIALS_TELL_H
#define WISP_SHIM_DENIALS_TELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "platform/seccomp.h"

struct event_base;
struct stream;

/* What DENIALS_TABLE knows of a call. */
struct denials_words {
	char arch[16], name[40];
	char kinds[8];     /* of its arguments: see denials_tell.c */
	unsigned compared; /* bits: arguments that the profile looks at */
	char why[120];     /* what the profile says of it */
};

/* A kind of denial. */
struct denial {
	struct seccomp_call call; /* the first one */
	uint32_t verdict;
	struct denials_words words;
	char text[200]; /* the first one, with its arguments */
	uint64_t total, untold;
	time_t last_s; /* CLOCK_MONOTONIC */
};

struct denials_teller {
	struct event_base *base;
	const char *id, *bundle;
	struct stream *file; /* NULL: none yet */
	size_t n_file;       /* bytes in it */
	bool no_text;        /* the container's memory is slow to read */
};

void denials_find_words(const struct denials_teller *t,
	const struct seccomp_call *call, struct denials_words *ret);

/* Fills in k->text; within decide(). */
void denials_describe(struct denials_teller *t, struct denial *k);

/* Tells what is untold of it. */
void denials_tell(struct denials_teller *t, struct denial *k);
void denials_tell_others(struct denials_teller *t, uint64_t n);

bool denials_file_is_full(const struct denials_teller *t);
/* Replaces it by one with a line for each of these. */
void denials_file_renew(
	struct denials_teller *t, const struct denial *kinds, unsigned n_kinds);
void denials_file_close(struct denials_teller *t);

#endif
