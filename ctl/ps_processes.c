/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>

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

/* By the host's own file: a static program has no other way. */
static void user_of(uint32_t pid, char *ret, size_t n, long long *ret_uid)
{
	char path[64];
	struct passwd *p;
	struct stat st;
	FILE *f;

	snprintf(ret, n, "-");
	*ret_uid = -1;
	snprintf(path, sizeof(path), "/proc/%u", pid);
	if (stat(path, &st) < 0)
		return;
	*ret_uid = st.st_uid;
	snprintf(ret, n, "%u", st.st_uid);
	f = fopen("/etc/passwd", "re");
	while (f && (p = fgetpwent(f)))
		if (p->pw_uid == st.st_uid) {
			snprintf(ret, n, "%s", p->pw_name);
			break;
		}
	if (f)
		fclose(f);
}

static void add_process(struct ps_view *v, const struct client_pid *p)
{
	char user[64], age[UNITS_MAX];
	struct look_process lp;
	long long uid;

	user_of(p->pid, user, sizeof(user), &uid);
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
	ctl_json_put_number(v->g, "uid", uid);
	ctl_json_put_bytes(v->g, "user", user);
	ctl_json_put_number(v->g, "ageMs", (long long)lp.age_ms);
	if (*p->exec_id)
		ctl_json_put_bytes(v->g, "exec", p->exec_id);
	ctl_json_put_bytes(v->g, "name", lp.name);
	ctl_json_put_bytes(v->g, "command", lp.command);
	yajl_gen_map_close(v->g);
}

/* A shim in another pid namespace than ours has other numbers for them: what
 * we see under these is somebody else. */
static bool has_our_numbers(const struct ctl_target *t)
{
	struct stat ours, its;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/ns/pid", t->where.pid);
	return t->where.pid == 0 || stat(path, &its) < 0 ||
	       stat("/proc/self/ns/pid", &ours) < 0 ||
	       (its.st_ino == ours.st_ino && its.st_dev == ours.st_dev);
}

int ps_processes(struct ctl_session *s, const char *id, struct err *e)
{
	struct client_pids pids = {0};
	struct client_await *aw;
	struct ctl_target t;
	struct ps_view v;
	size_t i;
	int r = ctl_target_open(&t, s, id, e);

	if (r == 0 && !has_our_numbers(&t))
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
