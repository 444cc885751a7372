/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top_show.h - what tasks use as people, or programs, read it. On stdout.
 */
#ifndef WISP_CTL_TOP_SHOW_H
#define WISP_CTL_TOP_SHOW_H

#include "ctl/top_rows.h"

/* As many rows as there is room for (0: all), each line ends in end. A blank
 * width is as in table_print(). -ENOMEM. */
int top_show(const struct top *t, enum top_sort sort, unsigned width,
	size_t lines, const char *end);

/* One object on one line. -ENOMEM. */
int top_show_json(const struct top *t);

const char *top_sort_name(enum top_sort sort);

#endif
