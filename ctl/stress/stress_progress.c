/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/say.h"
#include "ctl/stress/stress.h"

#define BAR 24
#define LINE_EVERY_S 10

static bool drawn;
static time_t last_line;

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void draw_bar(
	const struct stress_world *w, double share, const char *what)
{
	int full = (int)(share * BAR);
	const struct stress_result *x = w->result;
	char bar[BAR + 1], memory[48] = "";

	memset(bar, '.', BAR);
	memset(bar, '#', (size_t)(full < BAR ? full : BAR));
	bar[BAR] = '\0';
	if (x->n_rounds)
		snprintf(memory, sizeof(memory), "  %.0f KiB, %u fds",
			x->rounds[x->n_rounds - 1].pss,
			x->rounds[x->n_rounds - 1].fds);
	fprintf(stderr, "\r\033[K[%s] %3.0f%%  round %u%s  %s", bar,
		share > 1 ? 100 : share * 100, w->round, memory, what);
	drawn = true;
}

void stress_progress(
	const struct stress_world *w, double share, const char *what)
{
	struct timespec t;

	if (isatty(STDERR_FILENO)) {
		draw_bar(w, share, what);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &t);
	if (last_line && t.tv_sec < last_line + LINE_EVERY_S)
		return;
	last_line = t.tv_sec;
	ctl_say("stress: %s, round %u, %.0f %% done", name_of(w->result->shim),
		w->round, share > 1 ? 100 : share * 100);
}

void stress_progress_end(void)
{
	if (drawn)
		fputs("\r\033[K", stderr);
	drawn = false;
}
