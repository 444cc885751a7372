/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/task_options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MAX_MS (24 * 3600 * 1000.0)

/* "10", "0.5", "10s", "500ms", "2m" */
static int parse_time(const char *text, uint32_t *ret)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"m", 60000}};
	double n;
	char *end;
	size_t i;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	n = strtod(text, &end);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		n *= units[i].ms;
		if (!(n <= TIMEOUT_MAX_MS))
			return -EINVAL;
		*ret = n > 0 && n < 1 ? 1 : (uint32_t)n;
		return 0;
	}
	return -EINVAL;
}

/* 1: it is none of these. */
static int take_common(
	struct ctl_task_options *o, int opt, const char *arg, struct err *e)
{
	switch (opt) {
	case 'n':
		o->ns = arg;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	case CTL_OPT_ROOT:
		o->root = arg;
		return 0;
	case CTL_OPT_DEBUG:
		o->debug = true;
		return 0;
	case CTL_OPT_TIMEOUT:
		if (parse_time(arg, &o->timeout_ms) == 0)
			return 0;
		return err_set(e, -EINVAL,
			"--timeout '%s': use seconds, or 500ms, 2m; up to a "
			"day",
			arg);
	default:
		return 1;
	}
}

static int bad_option(char **argv, int opt, struct err *e)
{
	const char *name = argv[0], *given = argv[optind - 1];

	if (opt == ':')
		return err_set(e, -EINVAL,
			"option '%s' needs a value; see `wispctl %s --help`",
			given, name);
	if (optopt && optopt < 256)
		return err_set(e, -EINVAL,
			"there is no option -%c; see `wispctl %s --help`",
			optopt, name);
	return err_set(e, -EINVAL,
		"option '%s' is not understood; see `wispctl %s --help`", given,
		name);
}

int ctl_task_options_parse(struct ctl_task_options *o, int argc, char **argv,
	const char *letters, const struct option *long_options,
	ctl_task_option each, void *own, int *ret_first, struct err *e)
{
	bool first_only = *letters == '+';
	char all[64];
	int opt, r;

	snprintf(all, sizeof(all), "%s:n:h%s", first_only ? "+" : "",
		letters + first_only);
	optind = 0; /* glibc: forget an earlier scan */
	while ((opt = getopt_long(argc, argv, all, long_options, NULL)) != -1) {
		if (opt == '?' || opt == ':')
			return bad_option(argv, opt, e);
		r = take_common(o, opt, optarg, e);
		if (r > 0)
			r = each(own, opt, optarg, e);
		if (r < 0)
			return r;
		if (o->help)
			return 0;
	}
	*ret_first = optind;
	return 0;
}

int ctl_task_options_output(
	struct ctl_task_options *o, const char *arg, struct err *e)
{
	o->json = strcmp(arg, "json") == 0;
	if (!o->json && strcmp(arg, "text") != 0)
		return err_set(
			e, -EINVAL, "--output '%s': use text or json", arg);
	return 0;
}

int ctl_task_options_count(
	const char *command, int n, int min, int max, struct err *e)
{
	if (n < min)
		return err_set(e, -EINVAL,
			"which container? See `wispctl %s --help`", command);
	if (max >= 0 && n > max)
		return err_set(e, -EINVAL,
			"too many arguments; see `wispctl %s --help`", command);
	return 0;
}
