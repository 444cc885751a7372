/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/stress/stress.h"

#define N_EXAMPLES 3

void stress_result_clear(struct stress_result *x)
{
	free(x->rounds);
	*x = (struct stress_result){0};
}

bool stress_result_is_clean(const struct stress_result *x)
{
	return x->n_findings == 0 && x->n_faults == 0 && !x->memory_leaks;
}

static void fill_round(struct stress_round *to, const struct stress_look *l)
{
	memcpy(to->count, l->count, sizeof(to->count));
	to->fds = l->fds;
	to->threads = l->threads;
	to->pss = l->pss;
	to->own = l->own;
	to->rss = l->rss;
}

void stress_result_warm(struct stress_result *x, const struct stress_look *l)
{
	fill_round(&x->warmed, l);
}

int stress_result_add_round(
	struct stress_result *x, const struct stress_look *l)
{
	if (x->n_rounds == x->size) {
		size_t size = x->size ? 2 * x->size : 64;
		struct stress_round *more =
			realloc(x->rounds, size * sizeof(*more));

		if (!more)
			return -ENOMEM;
		x->rounds = more;
		x->size = size;
	}
	fill_round(&x->rounds[x->n_rounds++], l);
	return 0;
}

/* Those that were not there before; if all were (a number is the same and what
 * it stands for is not), any. */
static void give_examples(struct stress_finding *f,
	const struct stress_items *before, const struct stress_items *after)
{
	size_t i, n = 0;

	for (i = 0; i < after->n && n < N_EXAMPLES; i++)
		if (!before || !stress_items_have(before, after->items[i]))
			snprintf(f->examples[n++], sizeof(f->examples[0]), "%s",
				after->items[i]);
}

static void judge_class(struct stress_result *x, enum stress_class c,
	const struct stress_look *first, const struct stress_look *last)
{
	bool strict = c >= STRESS_PROCESSES;
	size_t i, n = 0, since_round = strict ? 0 : 1;
	unsigned *y = malloc((x->n_rounds + 1) * sizeof(*y));
	struct stress_count count;
	struct stress_finding *f;

	if (!y)
		return;
	if (strict)
		y[n++] = x->warmed.count[c];
	for (i = 0; i < x->n_rounds; i++)
		y[n++] = x->rounds[i].count[c];
	stress_judge_count(y, n, first->count[c], strict, &count);
	free(y);
	if (!count.leaks)
		return;
	f = &x->findings[x->n_findings++];
	*f = (struct stress_finding){.class = c,
		.count = count,
		.since = (unsigned)(count.since + since_round)};
	give_examples(f, &first->items[c], &last->items[c]);
}

static void judge_memory(struct stress_result *x)
{
	double *y = malloc((x->n_rounds + 1) * sizeof(*y));
	size_t i;

	if (!y)
		return;
	for (i = 0; i < x->n_rounds; i++)
		y[i] = x->rounds[i].pss;
	stress_judge_memory(y, x->n_rounds, &x->pss);
	for (i = 0; i < x->n_rounds; i++)
		y[i] = x->rounds[i].own;
	stress_judge_memory(y, x->n_rounds, &x->own);
	free(y);
	/* PSS alone goes up whenever somebody who shared pages goes away */
	x->memory_leaks = x->pss.verdict == STRESS_GROWS &&
			  x->own.verdict == STRESS_GROWS;
}

void stress_result_judge(struct stress_result *x,
	const struct stress_look *first, const struct stress_look *last)
{
	int c;

	fill_round(&x->before, first);
	for (c = 0; c < STRESS_N_CLASSES; c++)
		judge_class(x, (enum stress_class)c, first, last);
	judge_memory(x);
}

static bool is_told(const struct stress_result *x, enum stress_class c)
{
	size_t i;

	for (i = 0; i < x->n_findings; i++)
		if (x->findings[i].class == c)
			return true;
	return false;
}

void stress_result_judge_end(
	struct stress_result *x, const struct stress_look *end)
{
	int c;

	for (c = STRESS_PROCESSES; c < STRESS_N_CLASSES; c++) {
		struct stress_finding *f = &x->findings[x->n_findings];

		if (!end->count[c] || is_told(x, (enum stress_class)c))
			continue;
		*f = (struct stress_finding){
			.class = (enum stress_class)c, .at_end = true};
		f->count.more = end->count[c];
		give_examples(f, NULL, &end->items[c]);
		x->n_findings++;
	}
}
