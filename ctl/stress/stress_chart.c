/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/stress/chart.h"
#include "ctl/stress/stress_system.h"
#include "platform/file.h"

enum { MEMORY, FDS, N_PANELS };

static const char *name_of(const char *path)
{
	size_t i, at = 0;

	for (i = 0; path[i]; i++)
		if (path[i] == '/' || path[i] == '\\')
			at = i + 1;
	return path + at;
}

static void fill(struct ctl_chart_panel panels[N_PANELS],
	const struct stress_result *x, double *values)
{
	size_t i, k = panels[MEMORY].n;

	for (i = 0; i < x->n_rounds; i++) {
		values[i] = x->rounds[i].pss;
		values[x->n_rounds + i] = x->rounds[i].fds;
	}
	panels[MEMORY].lines[k] =
		(struct ctl_chart_line){name_of(x->shim), values, x->n_rounds};
	panels[FDS].lines[k] = (struct ctl_chart_line){
		name_of(x->shim), values + x->n_rounds, x->n_rounds};
	panels[MEMORY].n = panels[FDS].n = k + 1;
}

int stress_chart_write(const char *path, const struct stress_result *x,
	size_t n, struct err *e)
{
	char memory[96], open[64];
	struct ctl_chart_panel panels[N_PANELS] = {
		[MEMORY] = {.title = memory},
		[FDS] = {.title = open},
	};
	double *values[STRESS_SHIMS] = {NULL};
	char *text = NULL;
	size_t i;
	int r = 0;

	snprintf(memory, sizeof(memory),
		"Memory of the shim that lives on (%s, KiB)",
		stress_memory_name);
	snprintf(open, sizeof(open), "Its open %s", stress_open_name);
	for (i = 0; i < n && r == 0; i++) {
		values[i] = calloc(2 * x[i].n_rounds + 1, sizeof(double));
		if (values[i])
			fill(panels, &x[i], values[i]);
		else
			r = -ENOMEM;
	}
	if (r == 0)
		r = ctl_chart_make(
			"wispctl stress", "rounds", panels, N_PANELS, &text);
	if (r == 0)
		r = file_write(path, text, strlen(text));
	free(text);
	for (i = 0; i < n; i++)
		free(values[i]);
	return r < 0 ? err_sys(e, r, "write the chart '%s'", path) : 0;
}
