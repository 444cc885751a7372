/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - rows of text in columns, cut to the width of a terminal.
 *
 * Cells are shown in ASCII; what is not is a '?', so that nothing a container
 * is called does anything to the terminal.
 */
#ifndef WISP_CTL_TABLE_H
#define WISP_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/err.h"

#define TABLE_CELL_MAX 256

struct table_column {
	const char *heading;
	bool right;    /* numbers */
	unsigned keep; /* how narrow it may be made, 0: never */
	bool optional; /* left out if all its cells are "" or "-" */
};

struct table;

/* columns is borrowed. NULL: no memory. */
struct table *table_new(const struct table_column *columns, size_t n);
void table_free(struct table *t);

/* Cells are set one after the other, row by row, and cut to TABLE_CELL_MAX. No
 * memory is told by table_print(). */
void table_add(struct table *t, const char *fmt, ...) ERR_PRINTF(2, 3);

/* As many rows as are full, below the headings, on stdout. width 0: as wide as
 * need be. rows_max 0: all. end is what each line ends in. -ENOMEM. */
int table_print(const struct table *t, unsigned width, size_t rows_max,
	const char *end);

/* How wide a table on stdout may be: of the terminal; 0 if it is none. */
unsigned table_width(void);

#endif
