/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - what becomes of output that has no room where it is to go: its
 * reader stalls, or the disk of its file is full.
 *
 *   block                     it waits, and in the end the container does
 *   drop                      it is dropped, whole lines where there are
 *                             lines, and counted: the container never waits
 *   spool[=SIZE][,then=block] it waits in a file, in order; beyond SIZE
 *   spool[=SIZE],then=drop    (bytes, or with k, m or g) as above
 *
 * A container says so in an annotation of its config.json; init and execs alike
 * follow it. Without one it is `block`, which loses nothing.
 */
#ifndef WISP_IO_POLICY_H
#define WISP_IO_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/err.h"

#define POLICY_ANNOTATION "io.wisp.stdio.policy"

/* A spool's bound for each stream: by default, and what may be asked for. */
#define POLICY_SPOOL_DEFAULT (16ULL << 20)
#define POLICY_SPOOL_MIN (4ULL << 10)
#define POLICY_SPOOL_MAX (1ULL << 40)

enum policy_kind { POLICY_BLOCK, POLICY_DROP, POLICY_SPOOL };

struct policy {
	enum policy_kind kind;
	bool then_drop;      /* POLICY_SPOOL: when the spool is full */
	uint64_t spool_size; /* POLICY_SPOOL: its bound, in bytes */
};

/* NULL and "" are `block`. -EINVAL says what is wrong, and what may be there.
 */
int policy_parse(const char *text, struct policy *ret, struct err *e);

/* As it would be written: "spool=16777216,then=block". */
#define POLICY_TEXT_MAX 48
void policy_text(const struct policy *p, char buf[POLICY_TEXT_MAX]);

/* What one stream's bytes do just now. */
enum flow_state {
	FLOW_FREE,
	FLOW_WAITS, /* told only of a full disk: a reader is often behind */
	FLOW_SPOOLS,
	FLOW_DROPS,
};
const char *flow_name(enum flow_state f);

/* The counters of one stream, since it was opened. All but the last two are
 * bytes, or as named. */
struct flow_stats {
	uint64_t in;      /* read from the source: out + lost + what is held */
	uint64_t out;     /* accepted by the destination */
	uint64_t lost;    /* dropped, refused, or left unread by a logger */
	uint64_t spooled; /* in the spool now */
	uint64_t waiting; /* now in the source, or on the way here */
	uint64_t unread;  /* now in the destination's FIFO or pipe */
	uint64_t stalls;  /* how often the destination had no room, */
	uint64_t stalled_ms; /* and for how long altogether */
	enum flow_state state;
	bool disk_full;
	bool ended; /* nothing moves any more */
};

#endif
