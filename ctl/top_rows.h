/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top_rows.h - the tasks of this host and what they use, from one look to the
 * next.
 */
#ifndef WISP_CTL_TOP_ROWS_H
#define WISP_CTL_TOP_ROWS_H

#include <stddef.h>

#include "ctl/scan.h"
#include "ctl/usage.h"

struct top_row {
	char ns[SCAN_ID_MAX], id[SCAN_ID_MAX], program[64];
	int64_t pid, shim_pid;
	struct cgroup *cgroup; /* NULL: it has none of its own */
	struct usage now;
	uint64_t at_ns; /* of CLOCK_MONOTONIC, when that was read */
	/* Since the last look; nothing before the second one. */
	bool has_rates;
	double cpu;           /* percent of one CPU */
	double read, written; /* bytes in a second */
	bool seen, asked;
	int64_t told_pid; /* of init, as the shim said when it was asked */
};

enum top_sort { TOP_CPU, TOP_MEMORY, TOP_PIDS, TOP_IO, TOP_NAME };

struct top {
	const char *ns;         /* NULL: all */
	const char *const *ids; /* beginnings of ids; n_ids 0: all */
	size_t n_ids;
	struct top_row *rows;
	size_t n;
};

/* Looks again: rows come and go. A shim that leaves no pid in the bundle is
 * asked for it (State), once for each task. */
int top_look(struct top *t, struct err *e);

/* The most first. */
void top_sort(struct top *t, enum top_sort by);

void top_clear(struct top *t);

#endif
