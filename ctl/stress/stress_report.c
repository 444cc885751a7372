/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/stress/stress_system.h"

#define TITLE_WIDTH 26
#define COLUMN_WIDTH 11

enum colour { PLAIN, GOOD, BAD };

/* Of stdout, where the report goes. */
static bool has_colours(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 &&
	       !(no && *no);
}

static void put(enum colour c, const char *text)
{
	if (c == PLAIN || !has_colours())
		fputs(text, stdout);
	else
		printf("\033[%sm%s\033[0m", c == GOOD ? "32" : "31", text);
}

static const char *name_of(const char *path)
{
	size_t i, at = 0;

	for (i = 0; path[i]; i++)
		if (path[i] == '/' || path[i] == '\\')
			at = i + 1;
	return path + at;
}

static const struct stress_finding *find(
	const struct stress_result *x, enum stress_class c)
{
	size_t i;

	for (i = 0; i < x->n_findings; i++)
		if (x->findings[i].class == c && !x->findings[i].at_end)
			return &x->findings[i];
	return NULL;
}

static void put_number(double value, int decimals)
{
	printf("%*.*f", COLUMN_WIDTH, decimals, value);
}

/* "+0.31" in a column; 0 without a sign. */
static void put_slope(double value, enum colour c)
{
	char text[32], cell[48];

	snprintf(text, sizeof(text), "%+.2f", value);
	if (strcmp(text, "+0.00") == 0 || strcmp(text, "-0.00") == 0)
		snprintf(text, sizeof(text), "0");
	snprintf(cell, sizeof(cell), "%*s", COLUMN_WIDTH, text);
	put(c, cell);
}

static const struct stress_round *last_of(const struct stress_result *x)
{
	return x->n_rounds ? &x->rounds[x->n_rounds - 1] : &x->before;
}

static void put_count(const struct stress_result *x, unsigned before,
	unsigned after, const struct stress_finding *f)
{
	double rounds = x->n_rounds ? (double)x->n_rounds : 1;

	put_number(before, 0);
	put_number(after, 0);
	if (f)
		put_slope(f->count.per_round, BAD);
	else
		put_slope(((double)after - before) / rounds, PLAIN);
	fputs("   ", stdout);
}

static void put_class(
	const struct stress_result *x, size_t n, enum stress_class c)
{
	size_t i;

	printf("%-*s", TITLE_WIDTH, stress_class_title(c));
	for (i = 0; i < n; i++)
		put_count(&x[i], x[i].before.count[c], last_of(&x[i])->count[c],
			find(&x[i], c));
	putchar('\n');
}

static void put_memory(const struct stress_result *x, size_t n,
	const char *title, size_t offset, bool pss)
{
	size_t i;

	printf("%-*s", TITLE_WIDTH, title);
	for (i = 0; i < n; i++) {
		const char *before = (const char *)&x[i].before,
			   *last = (const char *)last_of(&x[i]);
		const struct stress_memory *m = pss ? &x[i].pss : &x[i].own;

		put_number(*(const double *)(before + offset), 0);
		put_number(*(const double *)(last + offset), 0);
		if (m->verdict == STRESS_TOO_FEW)
			printf("%*s", COLUMN_WIDTH, "-");
		else
			put_slope(
				m->line.slope, x[i].memory_leaks ? BAD : PLAIN);
		fputs("   ", stdout);
	}
	putchar('\n');
}

static void put_heads(const struct stress_result *x, size_t n)
{
	size_t i;

	printf("%-*s", TITLE_WIDTH, "");
	for (i = 0; i < n; i++)
		printf("%*s   ", 3 * COLUMN_WIDTH, name_of(x[i].shim));
	printf("\n%-*s", TITLE_WIDTH, "");
	for (i = 0; i < n; i++)
		printf("%*s%*s%*s   ", COLUMN_WIDTH, "before", COLUMN_WIDTH,
			"after", COLUMN_WIDTH, "per round");
	putchar('\n');
}

static void put_table(const struct stress_result *x, size_t n)
{
	char title[64];
	size_t i;
	int c;

	put_heads(x, n);
	snprintf(title, sizeof(title), "%s, KiB", stress_memory_name);
	put_memory(x, n, title, offsetof(struct stress_round, pss), true);
	if (stress_memory_is_shared)
		put_memory(x, n, "private memory, KiB",
			offsetof(struct stress_round, own), false);
	printf("%-*s", TITLE_WIDTH, "threads");
	for (i = 0; i < n; i++)
		put_count(&x[i], x[i].before.threads, last_of(&x[i])->threads,
			NULL);
	putchar('\n');
	for (c = 0; c < STRESS_N_CLASSES; c++)
		if (stress_class_title((enum stress_class)c))
			put_class(x, n, (enum stress_class)c);
}

static void put_finding(const struct stress_finding *f)
{
	size_t i;

	if (f->at_end)
		printf("%u left when the shim had ended", f->count.more);
	else
		printf("%u more, %.2g per round since %s%.0u", f->count.more,
			f->count.per_round, f->since ? "round " : "the warm-up",
			f->since);
	for (i = 0; i < 3 && *f->examples[i]; i++)
		printf("\n      %s", f->examples[i]);
	putchar('\n');
}

static void put_memory_verdict(const struct stress_result *x)
{
	const struct stress_line *l = &x->pss.line;

	if (x->memory_leaks) {
		put(BAD, "  leak");
		printf(", memory: %.2f KiB of %s per round (+-%.2f), after a "
		       "warm-up of %zu rounds\n",
			l->slope, stress_memory_name, l->error, x->pss.warm_up);
	} else if (x->pss.verdict == STRESS_TOO_FEW) {
		puts("  memory: too few rounds to tell; 10 are enough");
	} else {
		printf("  memory: flat, %+.2f KiB of %s per round (+-%.2f), "
		       "after a warm-up of %zu rounds\n",
			l->slope, stress_memory_name, l->error, x->pss.warm_up);
	}
}

static void put_verdict(const struct stress_result *x)
{
	size_t i, n = x->n_findings + x->memory_leaks;

	printf("\n%s%s%s: %zu round%s in %.0f s, %u containers, %u execs\n",
		x->shim, *x->runtime ? ", with " : "", name_of(x->runtime),
		x->n_rounds, x->n_rounds == 1 ? "" : "s", x->seconds,
		x->containers, x->execs);
	put_memory_verdict(x);
	for (i = 0; i < x->n_findings; i++) {
		put(BAD, "  leak");
		printf(", %s: ", stress_class_title(x->findings[i].class));
		put_finding(&x->findings[i]);
	}
	for (i = 0; i < x->n_faults; i++) {
		const struct stress_fault *f = &x->faults[i];

		put(BAD, "  wrong");
		printf(", %s: %s, %u time%s, first in %s%.0u: %s\n",
			f->scenario, f->what, f->count,
			f->count == 1 ? "" : "s",
			f->round ? "round " : "the warm-up", f->round,
			f->example);
	}
	if (stress_result_is_clean(x))
		put(GOOD, "  no leak found\n");
	else
		printf("  %zu leak%s, %zu wrong result%s\n", n,
			n == 1 ? "" : "s", x->n_faults,
			x->n_faults == 1 ? "" : "s");
	if (x->interrupted)
		puts("  (it was interrupted)");
}

void stress_report(const struct stress_result *x, size_t n)
{
	size_t i;

	put_table(x, n);
	for (i = 0; i < n; i++)
		put_verdict(&x[i]);
	fflush(stdout);
}
