/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2
#define MARK ".."
#define COLUMNS_MAX 24

struct table {
	const struct table_column *columns;
	size_t n;
	char **cells;
	size_t n_cells;
	bool no_memory;
};

struct table *table_new(const struct table_column *columns, size_t n)
{
	struct table *t =
		n <= COLUMNS_MAX ? calloc(1, sizeof(struct table)) : NULL;

	if (t) {
		t->columns = columns;
		t->n = n;
	}
	return t;
}

void table_free(struct table *t)
{
	size_t i;

	for (i = 0; t && i < t->n_cells; i++)
		free(t->cells[i]);
	if (t)
		free(t->cells);
	free(t);
}

static bool make_room(struct table *t)
{
	size_t n = t->n_cells;
	char **more;

	if (n & (n - 1))
		return true;
	more = realloc(t->cells, (n ? 2 * n : 1) * sizeof(*t->cells));
	if (more)
		t->cells = more;
	return more != NULL;
}

void table_add(struct table *t, const char *fmt, ...)
{
	char text[TABLE_CELL_MAX], *cell = NULL;
	va_list ap;
	size_t i;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (i = 0; text[i]; i++)
		if (text[i] < 0x20 || text[i] >= 0x7f)
			text[i] = '?';
	if (make_room(t))
		cell = strdup(text);
	if (cell)
		t->cells[t->n_cells++] = cell;
	t->no_memory |= !cell;
}

static bool is_empty(const char *cell)
{
	return !*cell || strcmp(cell, "-") == 0;
}

/* 0: the column is not shown. */
static unsigned width_of(const struct table *t, size_t column)
{
	size_t i, n = strlen(t->columns[column].heading);
	bool any = !t->columns[column].optional;

	for (i = column; i < t->n_cells; i += t->n) {
		any |= !is_empty(t->cells[i]);
		if (strlen(t->cells[i]) > n)
			n = strlen(t->cells[i]);
	}
	return any ? (unsigned)n : 0;
}

static unsigned sum(const struct table *t, const unsigned *widths)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (widths[i])
			n += widths[i] + (n ? GAP : 0);
	return n;
}

/* The widest of those that may be cut is made narrower, until all fits. */
static void fit(const struct table *t, unsigned *widths, unsigned width)
{
	unsigned n = sum(t, widths);

	while (n > width) {
		size_t i, widest = t->n;

		for (i = 0; i < t->n; i++)
			if (t->columns[i].keep &&
				widths[i] > t->columns[i].keep &&
				(widest == t->n || widths[i] > widths[widest]))
				widest = i;
		if (widest == t->n)
			return;
		widths[widest]--;
		n--;
	}
}

static void put_cell(const char *text, unsigned width, bool right, bool last)
{
	unsigned n = (unsigned)strlen(text);

	if (n > width && width > strlen(MARK))
		printf("%.*s" MARK, (int)(width - strlen(MARK)), text);
	else if (n > width)
		printf("%.*s", (int)width, text);
	else
		printf("%*s%s%*s", right ? (int)(width - n) : 0, "", text,
			right || last ? 0 : (int)(width - n), "");
}

static void put_row(const struct table *t, char *const *cells,
	const unsigned *widths, const char *end)
{
	size_t i, last = 0, shown = 0;

	for (i = 0; i < t->n; i++)
		if (widths[i])
			last = i;
	for (i = 0; i < t->n; i++) {
		if (!widths[i])
			continue;
		if (shown++ > 0)
			printf("%*s", GAP, "");
		put_cell(cells ? cells[i] : t->columns[i].heading, widths[i],
			t->columns[i].right, i == last);
	}
	fputs(end, stdout);
}

int table_print(
	const struct table *t, unsigned width, size_t rows_max, const char *end)
{
	unsigned widths[COLUMNS_MAX] = {0};
	size_t i, rows = t->n_cells / t->n;

	if (t->no_memory)
		return -ENOMEM;
	for (i = 0; i < t->n; i++)
		widths[i] = width_of(t, i);
	if (width > 0)
		fit(t, widths, width);
	if (rows_max > 0 && rows > rows_max)
		rows = rows_max;
	put_row(t, NULL, widths, end);
	for (i = 0; i < rows; i++)
		put_row(t, t->cells + i * t->n, widths, end);
	return 0;
}
