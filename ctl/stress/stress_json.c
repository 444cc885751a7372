/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/json.h"
#include "ctl/stress/stress.h"

static void put_real(yajl_gen g, const char *key, double value)
{
	ctl_json_key(g, key);
	yajl_gen_double(g, value);
}

static void put_counts(yajl_gen g, const struct stress_round *r)
{
	int c;

	for (c = 0; c < STRESS_N_CLASSES; c++)
		if (stress_class_key((enum stress_class)c))
			ctl_json_put_number(g,
				stress_class_key((enum stress_class)c),
				r->count[c]);
}

static void put_round(yajl_gen g, const struct stress_round *r)
{
	yajl_gen_map_open(g);
	put_real(g, "pssKiB", r->pss);
	put_real(g, "privateKiB", r->own);
	put_real(g, "rssKiB", r->rss);
	ctl_json_put_number(g, "fds", r->fds);
	ctl_json_put_number(g, "threads", r->threads);
	put_counts(g, r);
	yajl_gen_map_close(g);
}

static void put_memory(
	yajl_gen g, const char *key, const struct stress_memory *m)
{
	static const char *const verdicts[] = {
		[STRESS_FLAT] = "flat",
		[STRESS_GROWS] = "grows",
		[STRESS_TOO_FEW] = "tooFewRounds",
	};

	ctl_json_put_map(g, key);
	ctl_json_put(g, "verdict", verdicts[m->verdict]);
	ctl_json_put_number(g, "warmUpRounds", (long long)m->warm_up);
	put_real(g, "meanKiB", m->line.mean);
	put_real(g, "slopeKiBPerRound", m->line.slope);
	put_real(g, "slopeError", m->line.error);
	yajl_gen_map_close(g);
}

static void put_finding(yajl_gen g, const struct stress_finding *f)
{
	size_t i;

	yajl_gen_map_open(g);
	ctl_json_put(g, "class", stress_class_key(f->class));
	ctl_json_put_bool(g, "atEnd", f->at_end);
	ctl_json_put_number(g, "count", f->count.more);
	if (!f->at_end) {
		put_real(g, "perRound", f->count.per_round);
		ctl_json_put_number(g, "sinceRound", f->since);
	}
	ctl_json_put_array(g, "examples");
	for (i = 0; i < 3 && *f->examples[i]; i++)
		ctl_json_text(g, f->examples[i]);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
}

/* In the same form as the others: how much, and since when. */
static void put_memory_leak(yajl_gen g, const struct stress_result *x)
{
	const struct stress_memory *m = &x->pss;
	double rounds = (double)(x->n_rounds - m->warm_up);

	yajl_gen_map_open(g);
	ctl_json_put(g, "class", "memory");
	ctl_json_put_bool(g, "atEnd", false);
	ctl_json_put_number(g, "count", (long long)(m->line.slope * rounds));
	put_real(g, "perRound", m->line.slope);
	ctl_json_put_number(g, "sinceRound", (long long)m->warm_up + 1);
	ctl_json_put_array(g, "examples");
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
}

static void put_fault(yajl_gen g, const struct stress_fault *f)
{
	yajl_gen_map_open(g);
	ctl_json_put(g, "scenario", f->scenario);
	ctl_json_put(g, "what", f->what);
	ctl_json_put(g, "example", f->example);
	ctl_json_put_number(g, "count", f->count);
	ctl_json_put_number(g, "firstRound", f->round);
	yajl_gen_map_close(g);
}

static const char *verdict_of(const struct stress_result *x)
{
	if (stress_result_is_clean(x))
		return "clean";
	return x->n_findings || x->memory_leaks ? "leaks" : "wrong";
}

static void put_result(yajl_gen g, const struct stress_result *x)
{
	size_t i;

	yajl_gen_map_open(g);
	ctl_json_put(g, "shim", x->shim);
	ctl_json_put(g, "runtime", x->runtime);
	ctl_json_put(g, "verdict", verdict_of(x));
	ctl_json_put_bool(g, "interrupted", x->interrupted);
	put_real(g, "seconds", x->seconds);
	ctl_json_put_number(g, "containers", x->containers);
	ctl_json_put_number(g, "execs", x->execs);
	put_memory(g, "pss", &x->pss);
	put_memory(g, "private", &x->own);
	ctl_json_put_array(g, "leaks");
	if (x->memory_leaks)
		put_memory_leak(g, x);
	for (i = 0; i < x->n_findings; i++)
		put_finding(g, &x->findings[i]);
	yajl_gen_array_close(g);
	ctl_json_put_array(g, "wrong");
	for (i = 0; i < x->n_faults; i++)
		put_fault(g, &x->faults[i]);
	yajl_gen_array_close(g);
	ctl_json_key(g, "before");
	put_round(g, &x->before);
	ctl_json_put_array(g, "rounds");
	for (i = 0; i < x->n_rounds; i++)
		put_round(g, &x->rounds[i]);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
}

int stress_report_json(const struct stress_options *o,
	const struct stress_result *x, size_t n, struct err *e)
{
	yajl_gen g = yajl_gen_alloc(NULL);
	char *text;
	size_t i;
	int r;

	if (!g)
		return err_sys(e, -ENOMEM, "JSON");
	yajl_gen_config(g, yajl_gen_beautify, 1);
	yajl_gen_map_open(g);
	ctl_json_put_number(g, "atOnce", o->at_once);
	ctl_json_put_array(g, "scenarios");
	for (i = 0; i < o->n_scenarios; i++)
		ctl_json_text(g, o->scenarios[i]->name);
	yajl_gen_array_close(g);
	ctl_json_put_array(g, "shims");
	for (i = 0; i < n; i++)
		put_result(g, &x[i]);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	r = ctl_json_take(g, &text);
	if (r < 0)
		return err_sys(e, r, "JSON");
	fputs(text, stdout);
	free(text);
	return fflush(stdout) == 0 ? 0 : err_sys(e, -errno, "write");
}
