/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/dump.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/stdio.h"
#include "platform/auto.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/look.h"
#include "platform/text.h"
#include "reaper/reaper.h"
#include "shim/explain.h"
#include "platform/json_write.h"
#include "shim/log.h"
#include "shim/logger.h"
#include "shim/publish.h"
#include "shim/runtime.h"
#include "shim/serve.h"
#include "shim/task.h"
#include "ttrpc/server.h"
#include "wisp.pb-c.h"

/* A ttrpc message has room for 4 MiB. */
#define DUMP_MAX (3 << 20)

struct dump {
	const struct dump_source *from;
	struct json_out out;
	bool truncated;
};

static bool has_room(struct dump *d)
{
	d->truncated |= d->out.n > DUMP_MAX;
	return !d->truncated;
}

static void put_time(
	struct json_out *o, const char *key, const struct timespec *at)
{
	char text[TEXT_TIME_MAX];

	text_time(at, text);
	json_text(o, key, text);
}

/* The members that tell of a process that may hang. */
static void put_process(struct json_out *o, int64_t pid)
{
	struct look_process lp;
	char state[2] = "";

	if (look_process(pid, &lp) < 0)
		return;
	state[0] = lp.state;
	json_text(o, "name", lp.name);
	json_text(o, "state", state);
	json_text(o, "command", lp.command);
	json_text(o, "waitsIn", lp.waits);
	if (lp.syscall >= 0)
		json_number(o, "syscall", lp.syscall);
	json_number(o, "processAgeMs", (int64_t)lp.age_ms);
}

/* ---- this process ---- */

static void put_open(const struct look_open *open, void *arg)
{
	struct dump *d = arg;

	if (!has_room(d))
		return;
	json_open(&d->out, NULL, '{');
	json_number(&d->out, "fd", open->number);
	json_text(&d->out, "what", open->what);
	if (open->waiting >= 0)
		json_number(&d->out, "waiting", open->waiting);
	if (open->room >= 0)
		json_number(&d->out, "room", open->room);
	json_close(&d->out);
}

static void put_self(struct dump *d)
{
	const struct serve_config *c = d->from->config;
	struct json_out *o = &d->out;
	char cwd[BUNDLE_PATH_MAX];
	struct look_process self;
	struct look_memory memory;
	struct timespec now;

	json_text(o, "version", WISP_VERSION);
	json_number(o, "pid", getpid());
	json_text(o, "namespace", c->ns);
	json_text(o, "id", c->id);
	json_text(o, "address", c->address);
	json_text(o, "cwd",
		file_working_folder(cwd, sizeof(cwd)) == 0 ? cwd : NULL);
	clock_gettime(CLOCK_REALTIME, &now);
	put_time(o, "time", &now);
	if (look_process(getpid(), &self) == 0)
		json_number(o, "uptimeMs", (int64_t)self.age_ms);
	look_memory(getpid(), &memory);
	json_open(o, "memory", '{');
	json_number(o, "residentKiB", (int64_t)memory.resident);
	json_number(o, "proportionalKiB", (int64_t)memory.proportional);
	json_number(o, "ownKiB", (int64_t)memory.own);
	json_close(o);
	json_open(o, "open", '[');
	look_open(getpid(), put_open, d);
	json_close(o);
}

/* ---- what it waits for ---- */

static void put_call(const struct ttrpc_call *call, void *arg)
{
	struct dump *d = arg;

	if (!has_room(d))
		return;
	json_open(&d->out, NULL, '{');
	json_text(&d->out, "service", ttrpc_call_service(call));
	json_text(&d->out, "method", ttrpc_call_method(call));
	json_number(&d->out, "ageMs", (int64_t)ttrpc_call_age_ms(call));
	json_bool(&d->out, "gone", ttrpc_call_is_canceled(call));
	json_close(&d->out);
}

static void put_calls(struct dump *d)
{
	json_number(&d->out, "connections",
		ttrpc_server_connections(d->from->server));
	json_open(&d->out, "calls", '[');
	ttrpc_server_each_call(d->from->server, put_call, d);
	json_close(&d->out);
}

static void put_events(struct dump *d)
{
	const struct serve_config *c = d->from->config;
	struct json_out *o = &d->out;
	struct publisher_state s;

	publisher_look(d->from->publisher, &s);
	json_open(o, "events", '{');
	json_text(o, "to",
		c->ttrpc_address && *c->ttrpc_address ? c->ttrpc_address
						      : c->publish_binary);
	json_bool(o, "connected", s.connected);
	json_number(o, "waiting", (int64_t)s.waiting);
	json_number(o, "bytes", (int64_t)s.bytes);
	json_number(o, "lost", (int64_t)s.lost);
	if (s.topic) {
		json_text(o, "topic", s.topic);
		json_number(o, "oldestMs", (int64_t)s.oldest_ms);
		json_bool(o, "sending", s.sending);
		json_number(o, "refusals", s.refusals);
	}
	if (s.failure) {
		json_text(o, "failure", s.failure);
		json_number(o, "failedMs", (int64_t)s.failed_ms);
	}
	json_close(o);
}

static void put_command(const struct runtime_pending *p, void *arg)
{
	struct dump *d = arg;
	struct json_out *o = &d->out;

	if (!has_room(d))
		return;
	json_open(o, NULL, '{');
	json_text(o, "container", p->id);
	json_text(o, "verb", p->verb);
	json_number(o, "pid", p->pid);
	json_number(o, "ageMs", (int64_t)p->age_ms);
	json_number(o, "limitMs", (int64_t)p->limit_ms);
	json_bool(o, "killed", p->killed);
	put_process(o, p->pid);
	json_close(o);
}

static void put_child(int64_t pid, void *arg)
{
	struct dump *d = arg;

	if (!has_room(d))
		return;
	json_open(&d->out, NULL, '{');
	json_number(&d->out, "pid", pid);
	put_process(&d->out, pid);
	json_close(&d->out);
}

static void put_processes(struct dump *d)
{
	struct json_out *o = &d->out;

	json_open(o, "commands", '[');
	runtime_each_call(put_command, d);
	json_close(o);
	json_open(o, "children", '[');
	look_children(getpid(), put_child, d);
	json_close(o);
	json_open(o, "exits", '{');
	json_number(o, "watched", reaper_claimed(d->from->reaper));
	json_number(o, "parked", reaper_parked(d->from->reaper));
	json_close(o);
}

/* ---- containers ---- */

static void put_stream(
	struct json_out *o, const struct proc *p, int fd, const char *uri)
{
	struct flow_stats fs;

	if (!p->stdio || !stdio_stats(p->stdio, fd, &fs))
		return;
	json_open(o, NULL, '{');
	json_number(o, "fd", fd);
	json_text(o, "uri", uri);
	json_text(o, "flow", fs.ended ? "ended" : flow_name(fs.state));
	json_bool(o, "diskFull", fs.disk_full);
	json_number(o, "in", (int64_t)fs.in);
	json_number(o, "out", (int64_t)fs.out);
	json_number(o, "lost", (int64_t)fs.lost);
	json_number(o, "spooled", (int64_t)fs.spooled);
	json_number(o, "waiting", (int64_t)fs.waiting);
	json_number(o, "unread", (int64_t)fs.unread);
	json_number(o, "stalls", (int64_t)fs.stalls);
	json_number(o, "stalledMs", (int64_t)fs.stalled_ms);
	json_close(o);
}

static void put_loggers(struct json_out *o, const struct loggers *l)
{
	const char *path;
	int64_t pid;
	unsigned i;
	bool ready;

	json_open(o, "loggers", '[');
	for (i = 0; loggers_look(l, i, &path, &pid, &ready); i++) {
		json_open(o, NULL, '{');
		json_text(o, "path", path);
		json_number(o, "pid", pid);
		json_bool(o, "ready", ready);
		json_close(o);
	}
	json_close(o);
}

static int64_t count(const struct waiter *w)
{
	int64_t n = 0;

	for (; w; w = w->next)
		n++;
	return n;
}

/* Opens an object and leaves it to the caller to close. */
static void open_proc(struct json_out *o, const char *key, const struct proc *p)
{
	json_open(o, key, '{');
	json_text(o, "id", p->id);
	json_text(o, "state", state_name(p->state));
	json_number(o, "pid", p->pid);
	json_bool(o, "terminal", p->terminal);
	json_bool(o, "exited", p->exited);
	if (p->exited) {
		json_number(o, "status", p->status);
		put_time(o, "exitedAt", &p->exited_at);
		json_bool(o, "told", p->published);
	}
	json_number(o, "waiters", count(p->waiters));
	json_number(o, "deleters", count(p->deleters));
	json_open(o, "stdio", '[');
	put_stream(o, p, 0, p->in);
	put_stream(o, p, 1, p->out);
	put_stream(o, p, 2, p->err);
	json_close(o);
	if (p->loggers)
		put_loggers(o, p->loggers);
}

static void put_task(struct task *t, void *arg)
{
	struct dump *d = arg;
	struct json_out *o = &d->out;
	char policy[POLICY_TEXT_MAX];
	const struct proc *p;

	if (!has_room(d))
		return;
	policy_text(&t->stdio_policy, policy);
	json_open(o, NULL, '{');
	json_text(o, "id", t->id);
	json_text(o, "bundle", t->bundle.dir);
	json_text(o, "group", t->bundle.group);
	json_text(o, "runtime", t->runtime.binary);
	json_text(o, "runtimeRoot", t->runtime_root);
	json_text(o, "policy", policy);
	json_bool(o, "cgroup", t->cgroup != NULL);
	json_number(o, "oomKills", (int64_t)t->oom_kills);
	json_bool(o, "mounted", t->mounted);
	json_bool(o, "releasing", t->releasing);
	explain_put(t->explain, o);
	open_proc(o, "init", &t->init);
	json_close(o);
	json_open(o, "execs", '[');
	for (p = t->execs; p && has_room(d); p = p->next) {
		open_proc(o, NULL, p);
		json_close(o);
	}
	json_close(o);
	json_close(o);
}

/* ---- the whole ---- */

/* For free(). */
static int dump_new(const struct dump_source *from, char **ret, size_t *ret_n)
{
	struct dump d = {.from = from};

	json_open(&d.out, NULL, '{');
	put_self(&d);
	put_calls(&d);
	put_events(&d);
	put_processes(&d);
	json_open(&d.out, "containers", '[');
	tasks_each(from->tasks, put_task, &d);
	json_close(&d.out);
	json_bool(&d.out, "truncated", d.truncated);
	json_close(&d.out);
	if (!json_ok(&d.out)) {
		free(d.out.data);
		return -ENOMEM;
	}
	*ret = d.out.data;
	*ret_n = d.out.n;
	return 0;
}

struct writing {
	const char *text;
	size_t n;
	int r;
	char path[BUNDLE_PATH_MAX];
};

static void write_at(struct task *t, void *arg)
{
	struct writing *w = arg;

	if (w->r == 0 || bundle_path(t->bundle.dir, DUMP_FILE, w->path) < 0)
		return;
	w->r = file_write(w->path, w->text, w->n);
}

void dump_write(const struct dump_source *d)
{
	struct writing w = {.r = -ENOENT};
	auto_free char *text = NULL;
	char cwd[BUNDLE_PATH_MAX];
	int r = dump_new(d, &text, &w.n);

	w.text = text;
	if (r == 0 && file_working_folder(cwd, sizeof(cwd)) == 0 &&
		bundle_path(cwd, DUMP_FILE, w.path) == 0)
		w.r = file_write(w.path, w.text, w.n);
	if (r == 0)
		tasks_each(d->tasks, write_at, &w);
	r = r < 0 ? r : w.r;
	if (r < 0)
		log_error(d->config->id, "no dump can be written: %s",
			strerror(-r));
	else
		log_info(d->config->id, "a dump is in '%s'", w.path);
}

static void rpc_dump(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	Wisp__V1__DumpResponse rs = WISP__V1__DUMP_RESPONSE__INIT;
	auto_free char *text = NULL;

	(void)m;
	if (dump_new(arg, &text, &rs.json.len) < 0) {
		ttrpc_call_fail(call, TTRPC_RESOURCE_EXHAUSTED, "no memory");
		return;
	}
	rs.json.data = (uint8_t *)text;
	ttrpc_call_reply(call, &rs.base);
	free(ptr_take(&text));
	host_trim_memory();
}

int dump_register(struct ttrpc_server *server, struct dump_source *d)
{
	static const ttrpc_handler handlers[] = {rpc_dump};

	return ttrpc_server_add(server, "wisp.v1.Shim",
		&wisp__v1__shim__descriptor, handlers, d);
}
