/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.c - wisp-bench: what a shim costs, beside another one and beside the
 * runtime alone.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/report.h"
#include "client/program.h"
#include "ctl/find.h"

#define ROUNDS_MAX 100000
#define MIB_MAX 1000000
#define PEER "/usr/bin/containerd-shim-runc-v2"

enum {
	OPT_SHIM = 256,
	OPT_PEER,
	OPT_RUNTIME,
	OPT_JSON,
	OPT_ROUNDS,
	OPT_STREAMS,
	OPT_MIB,
	OPT_SHIMS,
	OPT_IDLE,
	OPT_CHECK,
};

static const struct option long_options[] = {
	{"shim", required_argument, NULL, OPT_SHIM},
	{"peer", required_argument, NULL, OPT_PEER},
	{"runtime", required_argument, NULL, OPT_RUNTIME},
	{"json", required_argument, NULL, OPT_JSON},
	{"rounds", required_argument, NULL, OPT_ROUNDS},
	{"streams", required_argument, NULL, OPT_STREAMS},
	{"mib", required_argument, NULL, OPT_MIB},
	{"idle-shims", required_argument, NULL, OPT_SHIMS},
	{"idle-seconds", required_argument, NULL, OPT_IDLE},
	{"check", no_argument, NULL, OPT_CHECK},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void help(void)
{
	puts("Usage: wisp-bench [OPTIONS]\n\n"
	     "Measures a shim beside another one, in turn, with the same "
	     "runtime and client.\nNeeds root. Medians are shown.\n\n"
	     "  --shim PATH         (default: containerd-shim-wisp-v1, beside "
	     "this program or in PATH)\n"
	     "  --peer PATH         (default: " PEER
	     ";\n                      `none` measures the shim alone)\n"
	     "  --runtime NAME      (default: runc, else crun)\n"
	     "  --json FILE         write the results there, too\n"
	     "  --rounds N          of create to delete (15); 0 skips this\n"
	     "  --streams N         of stdin to stdout (4); 0 skips this\n"
	     "  --mib N             in each stream (512)\n"
	     "  --idle-shims N      of each kind (20); 0 skips this\n"
	     "  --idle-seconds N    to count wakeups in (30)\n"
	     "  --check             fail if a target is missed");
}

void bench_progress(const char *what, unsigned done, unsigned all)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%s %u/%u", what, done + 1, all);
}

static void progress_end(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static int set_number(
	unsigned *to, const char *arg, unsigned most, struct err *e)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (!isdigit((unsigned char)*arg) || errno || *end || n > most)
		return err_set(
			e, -EINVAL, "'%s' is no number up to %u", arg, most);
	*to = (unsigned)n;
	return 0;
}

static int set_option(
	struct bench_options *o, int opt, const char *arg, struct err *e)
{
	switch (opt) {
	case OPT_SHIM:
		o->shim = arg;
		return 0;
	case OPT_PEER:
		o->peer = strcmp(arg, "none") == 0 ? NULL : arg;
		return 0;
	case OPT_RUNTIME:
		o->runtime = arg;
		return 0;
	case OPT_JSON:
		o->json = arg;
		return 0;
	case OPT_ROUNDS:
		return set_number(&o->rounds, arg, ROUNDS_MAX, e);
	case OPT_STREAMS:
		return set_number(&o->streams, arg, ROUNDS_MAX, e);
	case OPT_MIB:
		return set_number(&o->mib, arg, MIB_MAX, e);
	case OPT_SHIMS:
		return set_number(&o->idle_shims, arg, BENCH_IDLE_MAX, e);
	case OPT_IDLE:
		return set_number(&o->idle_s, arg, ROUNDS_MAX, e);
	case OPT_CHECK:
		o->check = true;
		return 0;
	default:
		return err_set(e, -EINVAL, "see `wisp-bench --help`");
	}
}

static int parse(struct bench_options *o, int argc, char **argv, struct err *e)
{
	int opt, r = 0;

	*o = (struct bench_options){.peer = PEER,
		.rounds = 15,
		.states = 200,
		.execs = 3,
		.mib = 512,
		.streams = 4,
		.idle_shims = 20,
		.idle_s = 30};
	while (r == 0 && (opt = getopt_long(
				  argc, argv, "h", long_options, NULL)) != -1) {
		if (opt == 'h') {
			help();
			exit(0);
		}
		r = set_option(o, opt, optarg, e);
	}
	return r;
}

static int find_shims(const struct bench_options *o, struct bench_results *x,
	char paths[BENCH_SHIMS][PATH_MAX], struct err *e)
{
	unsigned i;
	int r = ctl_find_shim(o->shim, paths[0], PATH_MAX, e);

	x->n_shims = o->peer ? 2 : 1;
	if (r == 0 && o->peer &&
		ctl_find_program(o->peer, paths[1], PATH_MAX) < 0)
		r = err_set(e, -ENOENT,
			"no shim '%s' to compare with: `apt-get install "
			"containerd`, or pass --peer PATH or --peer none",
			o->peer);
	for (i = 0; i < x->n_shims; i++)
		x->shims[i].path = paths[i];
	return r;
}

static void results_clear(struct bench_results *x)
{
	unsigned i;

	for (i = 0; i < BENCH_SHIMS; i++) {
		struct bench_shim *s = &x->shims[i];
		struct bench_samples *all[] = {&s->start, &s->create,
			&s->task_start, &s->kill, &s->delete, &s->sum,
			&s->start_over_program, &s->sum_over_bare, &s->exec,
			&s->state_us, &s->mb_per_s, &s->cpu_s_per_gb,
			&s->rss_kib, &s->pss_kib, &s->private_kib, &s->wakeups,
			&s->threads};
		size_t n;

		for (n = 0; n < sizeof(all) / sizeof(all[0]); n++)
			bench_samples_clear(all[n]);
	}
	bench_samples_clear(&x->program);
	bench_samples_clear(&x->bare);
}

static int measure(struct bench_world *w, const struct bench_options *o,
	struct bench_results *x, struct err *e)
{
	int r = bench_measure_latency(w, o, x, e);

	if (r == 0)
		r = bench_measure_streams(w, o, x, e);
	if (r == 0)
		r = bench_measure_idle(w, o, x, e);
	progress_end();
	return r;
}

struct version {
	char text[128];
	bool done;
};

static void on_version(const struct client_program_result *r, void *arg)
{
	struct version *v = arg;

	snprintf(v->text, sizeof(v->text), "%.*s", (int)strcspn(r->out, "\n"),
		r->out);
	v->done = true;
}

/* "runc version 1.1.5+ds1" */
static void ask_version(struct bench_world *w, struct version *v)
{
	const char *argv[] = {w->runtime, "--version", NULL};
	struct client_program_spec spec = {.argv = argv, .timeout_ms = 5000};

	if (client_program_run(w->client, &spec, on_version, v, NULL) == 0)
		client_run_until(w->client, &v->done, 0);
	client_program_drop(w->client, v);
}

static int bench(const struct bench_options *o, struct bench_results *x,
	struct bench_report *report, struct err *e)
{
	static char paths[BENCH_SHIMS][PATH_MAX];
	struct version version = {0};
	struct bench_world w;
	int r = find_shims(o, x, paths, e);

	if (r < 0)
		return r;
	r = bench_world_init(&w, o->runtime, e);
	if (r == 0)
		r = measure(&w, o, x, e);
	if (r == 0)
		ask_version(&w, &version);
	bench_world_clear(&w);
	if (r == 0)
		bench_report_make(report, x, o, version.text);
	return r;
}

int main(int argc, char **argv)
{
	struct bench_report report;
	struct bench_results x = {0};
	struct bench_options o;
	struct err e = {0};
	int r = parse(&o, argc, argv, &e);

	signal(SIGPIPE, SIG_IGN);
	if (r == 0 && geteuid() != 0)
		r = err_set(&e, -EPERM, "running containers needs root");
	if (r == 0)
		r = bench(&o, &x, &report, &e);
	results_clear(&x);
	if (r == 0) {
		bench_report_print(&report);
		if (o.json)
			r = bench_report_write_json(&report, o.json, &e);
	}
	if (r < 0) {
		fprintf(stderr, "wisp-bench: %s\n", e.msg);
		return 1;
	}
	return o.check && bench_report_missed(&report) ? 1 : 0;
}
