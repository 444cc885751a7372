/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/outside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/inspect.h"
#include "ctl/runtime_look.h"
#include "platform/cgroup.h"
#include "platform/file.h"
#include "platform/look.h"
#include "ttrpc/status.h"

#define CALL_MS 3000

/* Of any bytes; JSON is UTF-8. */
static void put_bytes(yajl_gen g, const char *key, const char *bytes)
{
	char text[sizeof(((struct look_process *)0)->command)];

	ttrpc_status_text(bytes, text, sizeof(text));
	ctl_json_put(g, key, text);
}

void ctl_outside_process(yajl_gen g, int64_t pid)
{
	struct look_process lp;
	char state[2] = "";

	if (look_process(pid, &lp) < 0)
		return;
	state[0] = lp.state;
	put_bytes(g, "name", lp.name);
	ctl_json_put(g, "state", state);
	put_bytes(g, "command", lp.command);
	ctl_json_put(g, "waitsIn", lp.waits);
	if (lp.syscall >= 0)
		ctl_json_put_number(g, "syscall", lp.syscall);
	ctl_json_put_number(g, "processAgeMs", (long long)lp.age_ms);
}

static void put_child(int64_t pid, void *arg)
{
	yajl_gen g = arg;

	yajl_gen_map_open(g);
	ctl_json_put_number(g, "pid", pid);
	ctl_outside_process(g, pid);
	yajl_gen_map_close(g);
}

static void put_open(const struct look_open *open, void *arg)
{
	yajl_gen g = arg;

	yajl_gen_map_open(g);
	ctl_json_put_number(g, "fd", open->number);
	put_bytes(g, "what", open->what);
	if (open->waiting >= 0)
		ctl_json_put_number(g, "waiting", open->waiting);
	if (open->room >= 0)
		ctl_json_put_number(g, "room", open->room);
	yajl_gen_map_close(g);
}

void ctl_outside_open(yajl_gen g, int64_t pid)
{
	yajl_gen_array_open(g);
	look_open(pid, put_open, g);
	yajl_gen_array_close(g);
}

static void put_self(yajl_gen g, const struct ctl_shim *s)
{
	struct look_memory m;
	struct look_process lp;

	ctl_json_put_number(g, "pid", s->pid);
	ctl_json_put(g, "namespace", s->ns);
	ctl_json_put(g, "address", s->address);
	if (!s->pid || look_process(s->pid, &lp) < 0)
		return;
	ctl_json_put(g, "program", lp.name);
	ctl_json_put_number(g, "uptimeMs", (long long)lp.age_ms);
	look_memory(s->pid, &m);
	ctl_json_put_map(g, "memory");
	ctl_json_put_number(g, "residentKiB", (long long)m.resident);
	ctl_json_put_number(g, "proportionalKiB", (long long)m.proportional);
	ctl_json_put_number(g, "ownKiB", (long long)m.own);
	yajl_gen_map_close(g);
	ctl_json_key(g, "open");
	ctl_outside_open(g, s->pid);
	ctl_json_key(g, "commands");
	runtime_look_commands(s->pid, s->id, g);
	ctl_json_put_array(g, "children");
	look_children(s->pid, put_child, g);
	yajl_gen_array_close(g);
}

static const char *status_name(enum client_status s)
{
	static const char *const names[] = {"unknown", "created", "running",
		"stopped", "paused", "pausing"};

	return s <= CLIENT_PAUSING ? names[s] : "unknown";
}

/* How full a FIFO of the shim's is: the fullest of those descriptors. */
struct filling {
	const char *path;
	int64_t waiting;
};

static void find_fifo(const struct look_open *open, void *arg)
{
	struct filling *f = arg;

	if (strcmp(open->what, f->path) == 0 && open->waiting > f->waiting)
		f->waiting = open->waiting;
}

static void put_stdio(
	yajl_gen g, const struct ctl_shim *s, const struct client_state *state)
{
	int fd;

	ctl_json_put_array(g, "stdio");
	for (fd = 0; fd < 3; fd++) {
		struct filling f = {state->stdio[fd], -1};

		if (!*f.path)
			continue;
		if (strncmp(f.path, "fifo://", 7) == 0)
			f.path += 7;
		look_open(s->pid, find_fifo, &f);
		yajl_gen_map_open(g);
		ctl_json_put_number(g, "fd", fd);
		ctl_json_put(g, "uri", state->stdio[fd]);
		if (f.waiting >= 0)
			ctl_json_put_number(g, "unread", f.waiting);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

static void put_container(
	yajl_gen g, const struct ctl_shim *s, const struct client_state *state)
{
	char day[32];
	struct tm tm;

	yajl_gen_map_open(g);
	ctl_json_put(g, "id", s->id);
	ctl_json_put(g, "bundle", *state->bundle ? state->bundle : s->bundle);
	ctl_json_put_map(g, "init");
	ctl_json_put(g, "id", "");
	ctl_json_put(g, "state", status_name(state->status));
	ctl_json_put_number(g, "pid", state->pid);
	ctl_json_put_bool(g, "terminal", state->terminal);
	ctl_json_put_bool(g, "exited", state->exited_at.tv_sec > 0);
	if (state->exited_at.tv_sec > 0) {
		gmtime_r(&state->exited_at.tv_sec, &tm);
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%SZ", &tm);
		ctl_json_put_number(g, "status", state->exit_status);
		ctl_json_put(g, "exitedAt", day);
	}
	put_stdio(g, s, state);
	yajl_gen_map_close(g);
	yajl_gen_map_close(g);
}

static int ask_state(struct client_shim *shim, const char *id,
	struct client_state *ret, struct err *e)
{
	struct client_await *aw =
		client_await_new(client_shim_client(shim), CALL_MS);
	int r = client_await(aw,
		client_ask_state(shim, id, "", ret, client_await_done, aw), e);

	client_shim_forget_calls(shim);
	if (r == -ETIME)
		err_set(e, r, "State: no answer within %d s", CALL_MS / 1000);
	return r;
}

int64_t ctl_outside_init(const struct ctl_shim *s)
{
	struct look_process lp;
	char path[600];
	int64_t pid;

	if (!*s->via)
		return 0;
	snprintf(path, sizeof(path), "%s/init.pid", s->via);
	/* an old pid may be somebody else's by now: a shim is the parent */
	if (file_read_pid(path, &pid) < 0 || look_process(pid, &lp) < 0 ||
		lp.state == 'Z' || lp.parent != s->pid)
		return 0;
	return pid;
}

int ctl_outside_dump(struct client_shim *shim, const struct ctl_shim *s,
	const char *why, char **ret)
{
	struct client_state state = {0};
	yajl_gen g = yajl_gen_alloc(NULL);
	struct err e = {0};
	int r = -1;

	if (!g)
		return -ENOMEM;
	if (shim)
		r = ask_state(shim, s->id, &state, &e);
	if (r < 0)
		state.pid = (uint32_t)ctl_outside_init(s);
	yajl_gen_map_open(g);
	ctl_json_put_bool(g, "outside", true);
	if (r < 0)
		ctl_json_put(g, "error", shim ? e.msg : why);
	put_self(g, s);
	ctl_json_put_array(g, "containers");
	put_container(g, s, &state);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	return ctl_json_take(g, ret);
}

/* Without any call. */
static void put_group(yajl_gen g, int64_t init, const char *why)
{
	struct cgroup *cg;
	struct err e;

	if (!init || cgroup_open(init, &cg, &e) < 0) {
		ctl_json_text(g, why);
		return;
	}
	yajl_gen_array_open(g);
	cgroup_each_pid(cg, put_child, g);
	yajl_gen_array_close(g);
	cgroup_close(cg);
}

static void put_pids(yajl_gen g, const struct client_pids *pids)
{
	size_t i;

	yajl_gen_array_open(g);
	for (i = 0; i < pids->n; i++) {
		yajl_gen_map_open(g);
		ctl_json_put_number(g, "pid", pids->pids[i].pid);
		if (*pids->pids[i].exec_id)
			ctl_json_put(g, "exec", pids->pids[i].exec_id);
		ctl_outside_process(g, pids->pids[i].pid);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

void ctl_outside_processes(struct client_shim *shim, const struct ctl_shim *s,
	int64_t init, yajl_gen g)
{
	struct client_container k = {.ns = s->ns, .id = s->id};
	struct client_task *t = shim ? client_task_new(shim, &k) : NULL;
	struct client_await *aw;
	struct client_pids pids = {0};
	struct err e = {0};
	int r;

	if (!t) {
		put_group(g, init, shim ? "no memory" : "nobody to ask");
		return;
	}
	aw = client_await_new(client_shim_client(shim), CALL_MS);
	r = client_await(
		aw, client_task_pids(t, &pids, client_await_done, aw), &e);
	client_task_free(t);
	if (r < 0) {
		put_group(g, init, r == -ETIME ? "no answer" : e.msg);
		return;
	}
	put_pids(g, &pids);
	client_pids_clear(&pids);
}
