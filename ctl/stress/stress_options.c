/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/stress/stress_system.h"

#define ROUNDS_MAX 1000000
#define DEFAULT_AT_ONCE 4
#define DEFAULT_ROUNDS 20
#define DEFAULT_SETTLE_MS 3000
#define TIME_MAX_MS (7ull * 24 * 3600 * 1000)

enum {
	OPT_ROUNDS = 256,
	OPT_TIME,
	OPT_SHIM,
	OPT_BESIDE,
	OPT_RUNTIME,
	OPT_ROOT,
	OPT_CHART,
	OPT_SETTLE,
};

static const struct option long_options[] = {
	{"at-once", required_argument, NULL, 'n'},
	{"rounds", required_argument, NULL, OPT_ROUNDS},
	{"time", required_argument, NULL, OPT_TIME},
	{"shim", required_argument, NULL, OPT_SHIM},
	{"beside", required_argument, NULL, OPT_BESIDE},
	{"runtime", required_argument, NULL, OPT_RUNTIME},
	{"root", required_argument, NULL, OPT_ROOT},
	{"chart", required_argument, NULL, OPT_CHART},
	{"settle", required_argument, NULL, OPT_SETTLE},
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

void stress_help(void)
{
	const struct stress_scenario *s;
	size_t i;

	printf("Usage: wispctl stress [OPTIONS] [SCENARIO...]\n\n"
	       "Makes containers by the dozen, round after round, and accounts "
	       "for what the shim\nand the host have more of than before: "
	       "%s\n\nScenarios (default: all of them, in each round):\n",
		stress_help_about);
	for (i = 0; (s = stress_scenario_at(i)); i++)
		printf("  %-16s %s\n", s->name, s->summary);
	puts("\n  -n, --at-once N     containers, or execs, at a time (4)\n"
	     "      --rounds N      (20; with --time: as many as there is time "
	     "for)\n"
	     "      --time TIME     stop after this: 90s, 10m, 2h, all shims "
	     "together\n"
	     "      --shim PATH     the shim (wisp's)\n"
	     "      --beside PATH   run another one after it, and show both");
	fputs(stress_help_runtime, stdout);
	printf("      --chart FILE    write memory and %s over rounds, as "
	       "SVG\n"
	       "      --settle TIME   how long things may take to vanish (3s)\n"
	       "      --root DIR      where all is kept (%s)\n",
		stress_open_name, stress_default_root());
	puts("  -o, --output FORM   text, json\n"
	     "  -h, --help          this text\n\n"
	     "Exit status: 0 no leak and no wrong result of the first shim; 1 "
	     "there is one;\n125 the run failed or was interrupted.\n\n"
	     "Examples:\n"
	     "  wispctl stress --time 10m --chart stress.svg\n"
	     "  wispctl stress --beside another-shim exec-storm\n"
	     "  wispctl stress -n 20 --rounds 50 -o json | jq "
	     "'.shims[].leaks'");
}

static int set_number(
	unsigned *to, const char *arg, unsigned most, struct err *e)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (!isdigit((unsigned char)*arg) || errno || *end || n > most ||
		n == 0)
		return err_set(e, -EINVAL, "'%s' is no number from 1 to %u",
			arg, most);
	*to = (unsigned)n;
	return 0;
}

/* "500ms", "90s", "10m", "2h"; a number alone is seconds. */
static int set_time(uint64_t *to_ms, const char *arg, struct err *e)
{
	static const struct {
		const char *name;
		unsigned ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"", 1000}, {"m", 60000},
		{"h", 3600000}};
	size_t i;
	double n;
	char *end;

	n = strtod(arg, &end);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (isdigit((unsigned char)*arg) &&
			strcmp(end, units[i].name) == 0 && n > 0 &&
			n * units[i].ms >= 1 &&
			n * units[i].ms <= TIME_MAX_MS) {
			*to_ms = (uint64_t)(n * units[i].ms);
			return 0;
		}
	return err_set(
		e, -EINVAL, "'%s' is no time; like 500ms, 90s, 10m, 2h", arg);
}

static int set_settle(uint32_t *to_ms, const char *arg, struct err *e)
{
	uint64_t ms;
	int r = set_time(&ms, arg, e);

	if (r == 0 && ms > 60000)
		return err_set(e, -EINVAL, "--settle: 60s at the most");
	if (r == 0)
		*to_ms = (uint32_t)ms;
	return r;
}

static int set_form(bool *json, const char *arg, struct err *e)
{
	*json = strcmp(arg, "json") == 0;
	return *json || strcmp(arg, "text") == 0
		       ? 0
		       : err_set(e, -EINVAL, "-o '%s' is unknown: text or json",
				 arg);
}

static int set_option(
	struct stress_options *o, int opt, const char *arg, struct err *e)
{
	switch (opt) {
	case 'n':
		return set_number(&o->at_once, arg, STRESS_AT_ONCE_MAX, e);
	case OPT_ROUNDS:
		return set_number(&o->rounds, arg, ROUNDS_MAX, e);
	case OPT_TIME:
		return set_time(&o->time_ms, arg, e);
	case OPT_SETTLE:
		return set_settle(&o->settle_ms, arg, e);
	case OPT_SHIM:
		o->shim = arg;
		return 0;
	case OPT_BESIDE:
		o->beside = arg;
		return 0;
	case OPT_RUNTIME:
		o->runtime = arg;
		return 0;
	case OPT_ROOT:
		o->root = arg;
		return 0;
	case OPT_CHART:
		o->chart = arg;
		return 0;
	case 'o':
		return set_form(&o->json, arg, e);
	case 'h':
		o->help = true;
		return 0;
	default:
		return err_set(e, -EINVAL, "see `wispctl stress --help`");
	}
}

static int add_scenario(
	struct stress_options *o, const char *name, struct err *e)
{
	const struct stress_scenario *s;
	size_t i;

	for (i = 0; (s = stress_scenario_at(i)); i++)
		if (strcmp(s->name, name) == 0)
			break;
	if (!s)
		return err_set(e, -EINVAL,
			"there is no scenario '%s'; see `wispctl stress "
			"--help`",
			name);
	if (o->n_scenarios == STRESS_SCENARIOS_MAX)
		return err_set(e, -EINVAL, "too many scenarios");
	o->scenarios[o->n_scenarios++] = s;
	return 0;
}

static void set_defaults(struct stress_options *o)
{
	const struct stress_scenario *s;

	if (!o->rounds && !o->time_ms)
		o->rounds = DEFAULT_ROUNDS;
	if (o->n_scenarios)
		return;
	while ((s = stress_scenario_at(o->n_scenarios)))
		o->scenarios[o->n_scenarios++] = s;
}

int stress_options_parse(
	struct stress_options *ret, int argc, char **argv, struct err *e)
{
	int opt, r = 0;

	*ret = (struct stress_options){
		.at_once = DEFAULT_AT_ONCE, .settle_ms = DEFAULT_SETTLE_MS};
	optind = 0;
	opterr = 0;
	while (r == 0 && (opt = getopt_long(argc, argv, ":n:o:h", long_options,
				  NULL)) != -1) {
		if (opt == '?' || opt == ':')
			return err_set(e, -EINVAL,
				"%s '%s'; see `wispctl "
				"stress --help`",
				opt == ':' ? "no value for" : "unknown option",
				argv[optind - 1]);
		r = set_option(ret, opt, optarg, e);
	}
	for (; r == 0 && optind < argc; optind++)
		r = add_scenario(ret, argv[optind], e);
	if (r == 0)
		set_defaults(ret);
	return r;
}
