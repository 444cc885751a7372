/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chart.h - lines over rounds, as an SVG that can be read on a light and on a
 * dark background.
 */
#ifndef WISP_CTL_CHART_H
#define WISP_CTL_CHART_H

#include <stddef.h>

struct ctl_chart_line {
	const char *name;
	const double *y; /* at x = 1, 2, ...; none is negative */
	size_t n;
};

/* One below the other; the lines of a panel have colours in their order, and
 * the legend is the first panel's. */
struct ctl_chart_panel {
	const char *title;
	struct ctl_chart_line lines[4];
	size_t n;
};

/* The text of the SVG, for the caller to free. -ENOMEM. */
int ctl_chart_make(const char *title, const char *x_title,
	const struct ctl_chart_panel *panels, size_t n, char **ret);

/* A distance between ticks that people like (1, 2 or 5 times a power of ten),
 * so that there are not more than n of them up to most. */
double ctl_chart_step(double most, unsigned n);

#endif
