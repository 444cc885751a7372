/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update.c - `wispctl update`: other limits for a container that runs.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/json.h"
#include "ctl/run_options.h"
#include "ctl/say.h"
#include "ctl/target.h"
#include "platform/auto.h"
#include "platform/file.h"

#define FILE_MAX (1u << 20)
#define PERIOD_US 100000
#define QUOTA_MIN_US 1000 /* the kernel's */

enum {
	OPT_CPUS = CTL_OPT_OWN,
	OPT_QUOTA,
	OPT_PERIOD,
	OPT_SHARES,
	OPT_PIDS,
	OPT_RESOURCES,
};

struct update_options {
	struct ctl_task_options common;
	const char *file;
	long long memory, quota, period, shares, pids; /* UNSET: as it is */
	double cpus;                                   /* 0: as it is */
};

#define UNSET (-2) /* -1 is "no limit" */

static const struct option long_options[] = {
	{"memory", required_argument, NULL, 'm'},
	{"cpus", required_argument, NULL, OPT_CPUS},
	{"cpu-quota", required_argument, NULL, OPT_QUOTA},
	{"cpu-period", required_argument, NULL, OPT_PERIOD},
	{"cpu-shares", required_argument, NULL, OPT_SHARES},
	{"pids", required_argument, NULL, OPT_PIDS},
	{"resources", required_argument, NULL, OPT_RESOURCES},
	CTL_TASK_LONG_OPTIONS,
};

static void help(void)
{
	fputs("Usage: wispctl update [OPTIONS] ID...\n\n"
	      "Changes the limits of a container while it runs. What is not "
	      "named stays.\n\n"
	      "  -m, --memory SIZE     bytes, or 512k, 64m, 2g; -1: no limit\n"
	      "      --cpus N          so many CPUs at the most, 1.5 say: "
	      "short "
	      "for quota and\n                        period\n"
	      "      --cpu-quota US    CPU time in a period, in microseconds; "
	      "-1: no limit\n"
	      "      --cpu-period US   microseconds (the kernel's default: "
	      "100000)\n"
	      "      --cpu-shares N    weight beside others, 2 to 262144 "
	      "(usual: 1024); on\n                        cgroup v2 the "
	      "runtime "
	      "makes cpu.weight of it\n"
	      "      --pids N          processes and threads; -1: no limit\n"
	      "      --resources FILE  all of that and more, as JSON: "
	      "`linux.resources` of the\n                        OCI runtime "
	      "spec; alone\n",
		stdout);
	fputs(CTL_TASK_HELP, stdout);
	fputs("\nA daemon that started the container is not told, and goes on "
	      "showing the limits\nthat it has set.\n"
	      "ID may be the beginning of one that was made up, 3f2a say.\n"
	      "\nExit status: 0; 125 if the runtime refused.\n"
	      "\nExamples:\n"
	      "  wispctl update -m 128m --pids 100 web\n"
	      "  wispctl update --cpus 0.5 web\n"
	      "  wispctl update --resources limits.json -n moby 3f2a\n",
		stdout);
}

static int set_number(long long *to, const char *name, const char *arg,
	long long min, long long max, bool or_none, struct err *e)
{
	long long n;
	char *end;

	errno = 0;
	n = strtoll(arg, &end, 10);
	if (isspace((unsigned char)*arg) || end == arg || *end || errno ||
		n > max || (n < min && !(or_none && n == -1)))
		return err_set(e, -EINVAL,
			"--%s '%s': use a number from %lld to %lld%s", name,
			arg, min, max, or_none ? ", or -1 for no limit" : "");
	*to = n;
	return 0;
}

static int set_memory(struct update_options *o, const char *arg, struct err *e)
{
	uint64_t n;

	if (strcmp(arg, "-1") == 0) {
		o->memory = -1;
		return 0;
	}
	if (ctl_parse_size(arg, &n) < 0 || n == 0)
		return err_set(e, -EINVAL,
			"--memory '%s': use bytes, or 512k, 64m, 2g; -1 for no "
			"limit",
			arg);
	o->memory = (long long)n;
	return 0;
}

static int set_cpus(struct update_options *o, const char *arg, struct err *e)
{
	char *end;

	o->cpus = strtod(arg, &end);
	if (!isdigit((unsigned char)*arg) || *end || !(o->cpus <= 10000) ||
		o->cpus * PERIOD_US < QUOTA_MIN_US)
		return err_set(e, -EINVAL,
			"--cpus '%s': use a number of CPUs from 0.01 on, 1.5 "
			"say",
			arg);
	return 0;
}

static int set(void *own, int opt, const char *arg, struct err *e)
{
	struct update_options *o = own;

	switch (opt) {
	case 'm':
		return set_memory(o, arg, e);
	case OPT_CPUS:
		return set_cpus(o, arg, e);
	case OPT_QUOTA:
		return set_number(&o->quota, "cpu-quota", arg, QUOTA_MIN_US,
			LLONG_MAX / 1000, true, e);
	case OPT_PERIOD:
		return set_number(&o->period, "cpu-period", arg, QUOTA_MIN_US,
			1000000, false, e);
	case OPT_SHARES:
		return set_number(
			&o->shares, "cpu-shares", arg, 2, 262144, false, e);
	case OPT_PIDS:
		return set_number(&o->pids, "pids", arg, 1, INT_MAX, true, e);
	default:
		o->file = arg;
		return 0;
	}
}

static bool has_cpu(const struct update_options *o)
{
	return o->quota != UNSET || o->period != UNSET || o->shares != UNSET;
}

static int check(struct update_options *o, struct err *e)
{
	bool any;

	if (o->cpus > 0 && (o->quota != UNSET || o->period != UNSET))
		return err_set(e, -EINVAL,
			"--cpus is short for --cpu-quota and --cpu-period: use "
			"it or them");
	if (o->cpus > 0) {
		o->period = PERIOD_US;
		o->quota = (long long)(o->cpus * PERIOD_US + 0.5);
	}
	any = has_cpu(o) || o->memory != UNSET || o->pids != UNSET;
	if (o->file && any)
		return err_set(e, -EINVAL,
			"--resources and other limits exclude each other; put "
			"them into '%s'",
			o->file);
	if (!o->file && !any)
		return err_set(
			e, -EINVAL, "which limit? See `wispctl update --help`");
	return 0;
}

static void put_if(yajl_gen g, const char *key, long long n)
{
	if (n != UNSET)
		ctl_json_put_number(g, key, n);
}

static int make_resources(const struct update_options *o, char **ret)
{
	yajl_gen g = yajl_gen_alloc(NULL);

	if (!g)
		return -ENOMEM;
	yajl_gen_map_open(g);
	if (o->memory != UNSET) {
		ctl_json_put_map(g, "memory");
		ctl_json_put_number(g, "limit", o->memory);
		yajl_gen_map_close(g);
	}
	if (has_cpu(o)) {
		ctl_json_put_map(g, "cpu");
		put_if(g, "quota", o->quota);
		put_if(g, "period", o->period);
		put_if(g, "shares", o->shares);
		yajl_gen_map_close(g);
	}
	if (o->pids != UNSET) {
		ctl_json_put_map(g, "pids");
		ctl_json_put_number(g, "limit", o->pids);
		yajl_gen_map_close(g);
	}
	yajl_gen_map_close(g);
	return ctl_json_take(g, ret);
}

static int resources(const struct update_options *o, char **ret, struct err *e)
{
	yajl_val checked;
	size_t n;
	int r;

	if (!o->file) {
		r = make_resources(o, ret);
		return r < 0 ? err_sys(e, r, "make resources") : 0;
	}
	r = ctl_json_read(o->file, FILE_MAX, &checked, e);
	if (r < 0)
		return r;
	yajl_tree_free(checked);
	return file_read(o->file, FILE_MAX, ret, &n, e);
}

static int update_one(struct ctl_target *t, void *arg, struct err *e)
{
	struct client_await *aw = ctl_target_await(t);

	return client_await(
		aw, client_task_update(t->task, arg, client_await_done, aw), e);
}

int ctl_update(int argc, char **argv)
{
	struct update_options o = {.common.timeout_ms = CTL_TASK_TIMEOUT_MS,
		.memory = UNSET,
		.quota = UNSET,
		.period = UNSET,
		.shares = UNSET,
		.pids = UNSET};
	auto_free char *text = NULL;
	struct err e = {0};
	int first, r;

	r = ctl_task_options_parse(
		&o.common, argc, argv, "m:", long_options, set, &o, &first, &e);
	if (r == 0 && o.common.help) {
		help();
		return CTL_OK;
	}
	if (r == 0)
		r = ctl_task_options_count(argv[0], argc - first, 1, -1, &e);
	if (r == 0)
		r = check(&o, &e);
	if (r == 0)
		r = resources(&o, &text, &e);
	if (r == 0)
		return ctl_target_each(
			argv[0], &o.common, argv + first, update_one, text);
	ctl_say("%s", e.msg);
	return CTL_FAILED;
}
