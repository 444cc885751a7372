/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats.h - `wispctl stats`: what containers use, as their shims tell it.
 *
 * stats.c has the command; stats_ask.c asks, round by round; stats_show.c shows
 * a round.
 */
#ifndef WISP_CTL_STATS_H
#define WISP_CTL_STATS_H

#include <time.h>

#include "client/stats.h"
#include "ctl/target.h"

struct ctl_stats_row {
	const char *id;
	struct ctl_target target;
	struct client_stats last, now;
	struct timespec last_at, at; /* CLOCK_MONOTONIC; 0: no answer yet */
	bool has_percent;
	double percent; /* of one CPU */
	bool done;      /* this round's answer has come */
	struct err err; /* why there is none */
};

struct ctl_stats {
	struct ctl_stats_row *rows;
	size_t n;
};

/* A round: all are asked at once. Whoever has no answer in time is asked no
 * more. 0, or -EINTR. */
int ctl_stats_ask(struct ctl_stats *s, struct client *c, uint32_t timeout_ms);
bool ctl_stats_all_failed(const struct ctl_stats *s);

/* A table on stdout. width, rows 0: as many as need be; eol ends a line.
 * -ENOMEM. */
int ctl_stats_show(const struct ctl_stats *s, unsigned width, size_t rows,
	const char *eol);

/* One document, on a line. */
int ctl_stats_show_json(const struct ctl_stats *s);

#endif
