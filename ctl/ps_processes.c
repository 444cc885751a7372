/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "ctl/json.h"
#include "ctl/ps.h"
#include "ctl/units.h"
#include "platform/look.h"

static const struct table_column process_columns[] = {
	{.heading = "PID", .right = true},
	{.heading = "USER"},
	{.heading = "AGE", .right = true},
	{.heading = "EXEC", .optional = true},
	{.heading = "COMMAND", .keep = 12},
};

static void add_process(struct ps_view *v, const struct client_pid *p)
{
	char user[64], age[UNITS_MAX];
	struct look_process lp;
	int64_t uid;

	look_user(p->pid, user, sizeof(user), &uid);
	if (look_process(p->pid, &lp) < 0)
		return; /* it has just ended */
	if (v->table) {
		table_add(v->table, "%u", p->pid);
		table_add(v->table, "%s", user);
		table_add(v->table, "%s", units_age(lp.age_ms, age));
		table_add(v->table, "%s", p->exec_id);
		table_add(v->table, "%s", *lp.command ? lp.command : lp.name);
		return;
	}
	yajl_gen_map_open(v->g);
	ctl_json_put_number(v->g, "pid", p->pid);
	if (uid >= 0)
		ctl_json_put_number(v->g, "uid", uid);
	ctl_json_put_bytes(v->g, "user", user);
	ctl_json_put_number(v->g, "ageMs", (long long)lp.age_ms);
	if (*p->exec_id)
		ctl_json_put_bytes(v->g, "exec", p->exec_id);
	ctl_json_put_bytes(v->g, "name", lp.name);
	ctl_json_put_bytes(v->g, "command", lp.command);
	yajl_gen_map_close(v->g);
}

int ps_processes(struct ctl_session *s, const char *id, struct err *e)
{
	struct client_pids pids = {0};
	struct client_await *aw;
	struct ctl_target t;
	struct ps_view v;
	size_t i;
	int r = ctl_target_open(&t, s, id, e);

	/* under its numbers we would see somebody else */
	if (r == 0 && t.where.pid && !look_is_numbered_alike(t.where.pid))
		r = err_set(e, -ENOTSUP,
			"its shim, process %" PRId64
			", is in a pid namespace of its own: try `nsenter -t "
			"%" PRId64 " -p -m wispctl ps %s`",
			t.where.pid, t.where.pid, id);
	if (r == 0) {
		aw = ctl_target_await(&t);
		r = client_await(aw,
			client_task_pids(t.task, &pids, client_await_done, aw),
			e);
	}
	ctl_target_close(&t);
	if (r == 0)
		r = ps_view_open(&v, s->o->json, process_columns,
			sizeof(process_columns) / sizeof(process_columns[0]),
			e);
	if (r == 0) {
		for (i = 0; i < pids.n; i++)
			add_process(&v, &pids.pids[i]);
		r = ps_view_close(&v, 0, e);
	}
	client_pids_clear(&pids);
	return r;
}
