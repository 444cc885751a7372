/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/stress/stress.h"

#include <errno.h>
#include <stdio.h>

#include "ctl/command.h"
#include "ctl/say.h"
#include "ctl/stress/stress_system.h"

static int report(const struct stress_options *o, const struct stress_result *x,
	size_t n, struct err *e)
{
	int r = 0;

	if (o->json)
		r = stress_report_json(o, x, n, e);
	else
		stress_report(x, n);
	if (r == 0 && o->chart)
		r = stress_chart_write(o->chart, x, n, e);
	return r;
}

/* What was measured before it was interrupted is told. */
static int stress(const struct stress_options *o, bool *clean, struct err *e)
{
	static struct stress_result results[STRESS_SHIMS];
	const char *shims[STRESS_SHIMS] = {o->shim, o->beside};
	size_t i, n = 0, all = o->beside ? 2 : 1;
	struct stress_options each = *o;
	int r = 0, told = 0;

	each.time_ms = (o->time_ms + all - 1) / all;
	for (i = 0; r == 0 && i < all; i++) {
		r = stress_run(&each, shims[i], &results[i], e);
		if (r == 0 || (r == -EINTR && results[i].n_rounds))
			n++;
	}
	*clean = n > 0 && stress_result_is_clean(&results[0]);
	if (n > 0 && (r == 0 || r == -EINTR))
		told = report(o, results, n, r == 0 ? e : NULL);
	for (i = 0; i < all; i++)
		stress_result_clear(&results[i]);
	return r < 0 ? r : told;
}

/* Better now than after hours. */
static int try_chart(const char *path, struct err *e)
{
	FILE *f = fopen(path, "ab");

	if (!f)
		return err_sys(e, -errno, "write the chart '%s'", path);
	fclose(f);
	return 0;
}

int ctl_stress(int argc, char **argv)
{
	struct stress_options o;
	struct err e = {0};
	bool clean = false;
	int r = stress_options_parse(&o, argc, argv, &e);

	if (r == 0 && o.help) {
		stress_help();
		return CTL_OK;
	}
	if (r == 0)
		r = stress_system_check(&o, &e);
	if (r == 0 && o.chart)
		r = try_chart(o.chart, &e);
	if (r == 0)
		r = stress(&o, &clean, &e);
	if (r < 0) {
		ctl_say("stress: %s", e.msg);
		return CTL_FAILED;
	}
	return clean ? CTL_OK : CTL_FOUND;
}
