/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "ctl/stats.h"

static double ns_between(const struct timespec *a, const struct timespec *b)
{
	return (double)(b->tv_sec - a->tv_sec) * 1e9 +
	       (double)(b->tv_nsec - a->tv_nsec);
}

static void on_stats(const struct err *e, void *arg)
{
	struct ctl_stats_row *row = arg;
	double ns;

	row->done = true;
	row->err = *e;
	row->has_percent = false;
	if (e->code < 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &row->at);
	ns = ns_between(&row->last_at, &row->at);
	if (row->last_at.tv_sec == 0 || ns <= 0 ||
		row->now.cpu_ns < row->last.cpu_ns)
		return;
	row->percent = 100 * (double)(row->now.cpu_ns - row->last.cpu_ns) / ns;
	row->has_percent = true;
}

static void ask(struct ctl_stats_row *row)
{
	int r;

	row->done = row->err.code < 0; /* it will not answer any more */
	if (row->done)
		return;
	row->last = row->now;
	row->last_at = row->at;
	r = client_task_stats(row->target.task, &row->now, on_stats, row);
	if (r < 0)
		row->err.code = err_sys(&row->err, r, "cannot ask the shim");
	row->done = r < 0;
}

int ctl_stats_ask(struct ctl_stats *s, struct client *c, uint32_t timeout_ms)
{
	uint32_t ms = timeout_ms;
	size_t i;
	int r;

	for (i = 0; i < s->n; i++)
		ask(&s->rows[i]);
	for (i = 0; i < s->n; i++) {
		struct ctl_stats_row *row = &s->rows[i];

		r = client_run_until(c, &row->done, ms);
		if (r == -EINTR)
			return r;
		if (r == 0)
			continue;
		err_set(&row->err, r, "no answer after %u ms", timeout_ms);
		client_task_free(row->target.task);
		row->target.task = NULL;
		ms = 1; /* the time of all is over */
	}
	return 0;
}

bool ctl_stats_all_failed(const struct ctl_stats *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->rows[i].err.code == 0)
			return false;
	return true;
}
