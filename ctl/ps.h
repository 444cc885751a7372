/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ps.h - what `wispctl ps` lists: containers (ps.c), or one's processes
 * (ps_processes.c), as a table or as a JSON array.
 */
#ifndef WISP_CTL_PS_H
#define WISP_CTL_PS_H

#include <yajl/yajl_gen.h>

#include "ctl/table.h"
#include "ctl/target.h"

struct ps_view {
	struct table *table; /* NULL: JSON */
	yajl_gen g;          /* in the open array; NULL: a table */
};

int ps_view_open(struct ps_view *v, bool json,
	const struct table_column *columns, size_t n, struct err *e);

/* Prints, unless r is negative already, and frees. */
int ps_view_close(struct ps_view *v, int r, struct err *e);

/* Asks for a container's processes and lists them. */
int ps_processes(struct ctl_session *s, const char *id, struct err *e);

#endif
