/* SPDX-License-Identifier: Apache-2.0 */
#include "client/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/events.h"
#include "client/stats.h"
#include "google/protobuf/empty.pb-c.h"
#include "platform/listener.h"
#include "runc_options.pb-c.h"
#include "task.pb-c.h"
#include "ttrpc/server.h"
#include "util_test.h"

#define V2 "containerd.task.v2.Task"
#define V3 "containerd.task.v3.Task"

/* A shim that answers as it is told, and counts what it is asked. */
struct world {
	struct event_base *base;
	struct client *client;
	struct ttrpc_server *server;
	struct listener *listener;
	struct client_container container;
	struct client_shim *shim;
	struct client_task *task;
	unsigned n_calls, n_lost;
	char service[64], method[32], ns[32], asked[128];
	struct ttrpc_call *held; /* of Wait and ResizePty, if hold is set */
	bool hold;
	char *stats_url;         /* NULL: as it should be */
	enum ttrpc_code fail;    /* answer with this */
	struct client_await *aw; /* for the next call */
};

static void note(struct world *w, struct ttrpc_call *call)
{
	const char *ns =
		ttrpc_call_metadata(call, "containerd-namespace-ttrpc");

	w->n_calls++;
	snprintf(
		w->service, sizeof(w->service), "%s", ttrpc_call_service(call));
	snprintf(w->method, sizeof(w->method), "%s", ttrpc_call_method(call));
	snprintf(w->ns, sizeof(w->ns), "%s", ns ? ns : "(none)");
}

static bool refused(struct world *w, struct ttrpc_call *call)
{
	note(w, call);
	if (w->fail)
		ttrpc_call_fail(call, w->fail, "as told");
	return w->fail != TTRPC_OK;
}

static void answer_empty(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	Google__Protobuf__Empty a = GOOGLE__PROTOBUF__EMPTY__INIT;

	(void)request;
	if (!refused(arg, call))
		ttrpc_call_reply(call, &a.base);
}

static void answer_state(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	Containerd__Task__V3__StateResponse a =
		CONTAINERD__TASK__V3__STATE_RESPONSE__INIT;

	(void)request;
	a.pid = 70;
	a.status = CONTAINERD__V1__TYPES__STATUS__PAUSED;
	a.stdin = "/i";
	a.stderr = "/e";
	a.terminal = true;
	if (!refused(arg, call))
		ttrpc_call_reply(call, &a.base);
}

static void answer_create(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	const Containerd__Task__V3__CreateTaskRequest *q =
		(const void *)request;
	Containerd__Task__V3__CreateTaskResponse a =
		CONTAINERD__TASK__V3__CREATE_TASK_RESPONSE__INIT;
	Containerd__Runc__V1__Options *o = NULL;
	struct world *w = arg;

	if (q->options)
		o = containerd__runc__v1__options__unpack(
			NULL, q->options->value.len, q->options->value.data);
	snprintf(w->asked, sizeof(w->asked), "%s %s %d %s,%s,%s %s %s%s", q->id,
		q->bundle, q->terminal, q->stdin, q->stdout, q->stderr,
		o ? o->binary_name : "?", o ? o->root : "?", q->checkpoint);
	if (o)
		containerd__runc__v1__options__free_unpacked(o, NULL);
	a.pid = 70;
	if (!refused(w, call))
		ttrpc_call_reply(call, &a.base);
}

static void answer_start(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	const Containerd__Task__V3__StartRequest *q = (const void *)request;
	Containerd__Task__V3__StartResponse a =
		CONTAINERD__TASK__V3__START_RESPONSE__INIT;

	a.pid = *q->exec_id ? 80 : 70;
	if (!refused(arg, call))
		ttrpc_call_reply(call, &a.base);
}

static void answer_delete(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	Containerd__Task__V3__DeleteResponse a =
		CONTAINERD__TASK__V3__DELETE_RESPONSE__INIT;

	(void)request;
	a.exit_status = 9;
	if (!refused(arg, call))
		ttrpc_call_reply(call, &a.base);
}

static void answer_pids(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	Containerd__Task__V3__PidsResponse a =
		CONTAINERD__TASK__V3__PIDS_RESPONSE__INIT;
	Containerd__V1__Types__ProcessInfo one =
		CONTAINERD__V1__TYPES__PROCESS_INFO__INIT;
	Containerd__V1__Types__ProcessInfo two = one, *all[] = {&one, &two};
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;

	(void)request;
	one.pid = 70;
	two.pid = 80;
	any.type_url = "type.googleapis.com/containerd.runc.v1.ProcessDetails";
	any.value.data = (uint8_t *)"\x0a\x02"
				    "e1";
	any.value.len = 4;
	two.info = &any;
	a.processes = all;
	a.n_processes = 2;
	if (!refused(arg, call))
		ttrpc_call_reply(call, &a.base);
}

static void answer_wait(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	Containerd__Task__V3__WaitResponse a =
		CONTAINERD__TASK__V3__WAIT_RESPONSE__INIT;
	Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	struct world *w = arg;

	(void)request;
	if (w->hold) {
		note(w, call);
		w->held = call;
		return;
	}
	a.exit_status = 3;
	at.seconds = 55;
	a.exited_at = &at;
	if (!refused(w, call))
		ttrpc_call_reply(call, &a.base);
}

static void answer_resize(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	const Containerd__Task__V3__ResizePtyRequest *q = (const void *)request;
	Google__Protobuf__Empty a = GOOGLE__PROTOBUF__EMPTY__INIT;
	struct world *w = arg;

	snprintf(w->asked, sizeof(w->asked), "%s %s %ux%u", q->id, q->exec_id,
		q->width, q->height);
	if (w->hold) {
		note(w, call);
		w->held = call;
		return;
	}
	if (!refused(w, call))
		ttrpc_call_reply(call, &a.base);
}

static void answer_stats(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	Containerd__Task__V3__StatsResponse a =
		CONTAINERD__TASK__V3__STATS_RESPONSE__INIT;
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
	struct world *w = arg;

	(void)request;
	any.type_url = w->stats_url ? w->stats_url
				    : "io.containerd.cgroups.v2.Metrics";
	any.value.data = (uint8_t *)"\x0a\x02\x08\x07"; /* pids.current */
	any.value.len = 4;
	a.stats = &any;
	if (!refused(w, call))
		ttrpc_call_reply(call, &a.base);
}

static void answer_update(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	const Containerd__Task__V3__UpdateTaskRequest *q =
		(const void *)request;
	Google__Protobuf__Empty a = GOOGLE__PROTOBUF__EMPTY__INIT;
	struct world *w = arg;

	snprintf(w->asked, sizeof(w->asked), "%s %s %.*s", q->id,
		strrchr(q->resources->type_url, '/'),
		(int)q->resources->value.len, q->resources->value.data);
	if (!refused(w, call))
		ttrpc_call_reply(call, &a.base);
}

static void answer_checkpoint(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	const Containerd__Task__V3__CheckpointTaskRequest *q =
		(const void *)request;
	Containerd__Runc__V1__CheckpointOptions *o =
		containerd__runc__v1__checkpoint_options__unpack(
			NULL, q->options->value.len, q->options->value.data);
	Google__Protobuf__Empty a = GOOGLE__PROTOBUF__EMPTY__INIT;
	struct world *w = arg;

	snprintf(w->asked, sizeof(w->asked), "%s %s %s %s,%s %d%d%d%d%d", q->id,
		q->path, q->options->type_url, o->work_path, o->parent_path,
		o->exit, o->open_tcp, o->external_unix_sockets, o->terminal,
		o->file_locks);
	containerd__runc__v1__checkpoint_options__free_unpacked(o, NULL);
	if (!refused(w, call))
		ttrpc_call_reply(call, &a.base);
}

static void answer_connect(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	Containerd__Task__V3__ConnectResponse a =
		CONTAINERD__TASK__V3__CONNECT_RESPONSE__INIT;

	(void)request;
	a.shim_pid = 60;
	a.task_pid = 70;
	a.version = "v";
	if (!refused(arg, call))
		ttrpc_call_reply(call, &a.base);
}

/* In the descriptor's order. */
static const ttrpc_handler handlers[] = {answer_state, answer_create,
	answer_start, answer_delete, answer_pids, answer_empty, answer_empty,
	answer_checkpoint, answer_empty, answer_empty, answer_resize,
	answer_empty, answer_update, answer_wait, answer_stats, answer_connect,
	answer_empty};

static void on_connection(struct stream *s, void *arg)
{
	struct world *w = arg;

	ck_assert_int_eq(ttrpc_server_accept(w->server, s), 0);
}

static void on_lost(void *arg)
{
	struct world *w = arg;

	w->n_lost++;
}

static void world_init_version(struct world *w, unsigned version)
{
	const ProtobufCServiceDescriptor *d =
		&containerd__task__v3__task__descriptor;

	*w = (struct world){.base = event_base_new()};
	w->container = (struct client_container){.ns = "ns1",
		.id = "c1",
		.bundle = "/b",
		.runtime = "crun",
		.runtime_root = "/r"};
	ck_assert_int_eq(client_new(w->base, &w->client, NULL), 0);
	w->server = ttrpc_server_new(w->base);
	ck_assert_int_eq(ttrpc_server_add(w->server, V2, d, handlers, w), 0);
	ck_assert_int_eq(ttrpc_server_add(w->server, V3, d, handlers, w), 0);
	ck_assert_int_eq(listener_bind(here("shim"), &w->listener, NULL), 0);
	ck_assert_int_eq(
		listener_start(w->listener, w->base, on_connection, w), 0);
	ck_assert_int_eq(client_shim_connect(w->client, "ns1", here("shim"),
				 version, &w->shim, NULL),
		0);
	client_shim_on_lost(w->shim, on_lost, w);
	w->task = client_task_new(w->shim, &w->container);
	ck_assert_ptr_nonnull(w->task);
	w->aw = client_await_new(w->client, 0);
}

static void world_init(struct world *w)
{
	world_init_version(w, 3);
}

static void world_clear(struct world *w)
{
	free(w->aw);
	client_task_free(w->task);
	client_shim_free(w->shim);
	listener_close(w->listener);
	ttrpc_server_free(w->server);
	client_free(w->client);
	event_base_free(w->base);
}

/* Awaits a call that has begun with DONE. */
static int await_call(struct world *w, int begun, struct err *e)
{
	int r = client_await(w->aw, begun, e);

	w->aw = client_await_new(w->client, 0);
	return r;
}

/* The same; exactly one RPC was sent for it, `method`. */
static int one_rpc(
	struct world *w, int begun, const char *method, struct err *e)
{
	unsigned long before = client_shim_rpcs(w->shim);
	unsigned calls = w->n_calls;
	int r = await_call(w, begun, e);

	loop_settle(w->base);
	ck_assert_uint_eq(w->n_calls, calls + 1);
	ck_assert_uint_eq(before, calls + 1);
	ck_assert_str_eq(w->method, method);
	return r;
}

#define DONE client_await_done, w.aw
#define ONE(method, call) ck_assert_int_eq(one_rpc(&w, call, method, NULL), 0)

/* Go's shims answer calls of one connection in any order, so there is one. */
START_TEST(test_sizes_come_in_order)
{
	Google__Protobuf__Empty a = GOOGLE__PROTOBUF__EMPTY__INIT;
	struct client_process *init;
	struct world w;

	world_init(&w);
	init = client_task_init(w.task);
	w.hold = true;
	client_process_set_size(init, 80, 25);
	client_process_set_size(init, 80, 99);
	client_process_set_size(init, 80, 24);
	loop_settle(w.base);
	ck_assert_uint_eq(w.n_calls, 1);
	ck_assert_str_eq(w.asked, "c1  80x25");
	w.hold = false;
	ttrpc_call_reply(w.held, &a.base);
	loop_settle(w.base);
	ck_assert_uint_eq(w.n_calls, 2);
	ck_assert_str_eq(w.asked, "c1  80x24");
	w.fail = TTRPC_FAILED_PRECONDITION;
	client_process_set_size(init, 1, 2);
	loop_settle(w.base);
	w.fail = TTRPC_OK;
	client_process_set_size(init, 3, 4);
	loop_settle(w.base);
	ck_assert_uint_eq(w.n_calls, 4);
	ck_assert_str_eq(w.asked, "c1  3x4");
	w.hold = true;
	client_process_set_size(init, 5, 6);
	loop_settle(w.base);
	client_task_free(w.task); /* before there is an answer */
	w.task = NULL;
	ttrpc_call_reply(w.held, &a.base);
	loop_settle(w.base);
	world_clear(&w);
}
END_TEST

START_TEST(test_one_rpc_each)
{
	struct client_shim_info info;
	struct client_process *init, *exec;
	struct client_stdio io = {.in = "/i", .out = "/o", .err = "/e"};
	struct client_pids pids;
	struct client_exit how;
	struct world w;

	world_init(&w);
	init = client_task_init(w.task);
	ck_assert_int_eq(client_process_status(init), CLIENT_UNKNOWN);
	ONE("Create", client_task_create(w.task, &io, DONE));
	ck_assert_str_eq(w.asked, "c1 /b 0 /i,/o,/e crun /r");
	ck_assert_str_eq(w.ns, "ns1");
	ck_assert_str_eq(w.service, V3);
	ck_assert_int_eq(client_process_status(init), CLIENT_CREATED);
	ONE("Start", client_process_start(init, DONE));
	ck_assert_uint_eq(client_process_pid(init), 70);
	ck_assert_int_eq(client_process_status(init), CLIENT_RUNNING);
	ONE("Exec", client_task_exec(w.task, "e1", "{}", &io, DONE, &exec));
	ck_assert_int_eq(client_process_status(exec), CLIENT_CREATED);
	ONE("Start", client_process_start(exec, DONE));
	ck_assert_uint_eq(client_process_pid(exec), 80);
	ONE("Pids", client_task_pids(w.task, &pids, DONE));
	ck_assert_uint_eq(pids.n, 2);
	ck_assert_str_eq(pids.pids[0].exec_id, "");
	ck_assert_str_eq(pids.pids[1].exec_id, "e1");
	client_pids_clear(&pids);
	ONE("Pause", client_task_pause(w.task, DONE));
	ck_assert_int_eq(client_process_status(init), CLIENT_PAUSED);
	ONE("Resume", client_task_resume(w.task, DONE));
	ck_assert_int_eq(client_process_status(init), CLIENT_RUNNING);
	ONE("State", client_process_refresh(init, DONE));
	ck_assert_int_eq(client_process_status(init), CLIENT_PAUSED);
	ONE("CloseIO", client_process_close_stdin(init, DONE));
	ONE("Kill", client_process_kill(init, 9, true, DONE));
	ck_assert(!client_process_exit(init, NULL));
	ONE("Wait", client_process_wait(init, DONE));
	ck_assert(client_process_exit(init, &how));
	ck_assert_uint_eq(how.pid, 70);
	ck_assert_uint_eq(how.status, 3);
	ck_assert_int_eq(how.at.tv_sec, 55);
	ONE("Delete", client_process_delete(exec, DONE));
	ck_assert_int_eq(client_process_status(exec), CLIENT_GONE);
	ck_assert(client_process_exit(exec, &how));
	ck_assert_uint_eq(how.status, 9);
	ONE("Delete", client_process_delete(init, DONE));
	ck_assert(client_process_exit(init, &how));
	ck_assert_uint_eq(how.status, 3); /* what was known first */
	ONE("Connect", client_shim_ask_info(w.shim, "c1", &info, DONE));
	ck_assert_uint_eq(info.shim_pid, 60);
	ONE("Shutdown", client_shim_shutdown(w.shim, "c1", DONE));
	world_clear(&w);
}
END_TEST

START_TEST(test_version_2)
{
	struct client_stdio io = {.terminal = true};
	struct world w;

	world_init_version(&w, 2);
	ONE("Create", client_task_create(w.task, &io, DONE));
	ck_assert_str_eq(w.asked, "c1 /b 1 ,, crun /r");
	ck_assert_str_eq(w.service, V2);
	world_clear(&w);
}
END_TEST

START_TEST(test_one_rpc_each_2)
{
	struct client_checkpoint how = {
		.path = "/c", .work = "/w", .parent = "/p", .file_locks = true};
	struct client_stdio io = {.out = "/o"};
	struct client_stats stats;
	struct world w;

	world_init(&w);
	w.container.checkpoint = "/c";
	ONE("Create", client_task_create(w.task, &io, DONE));
	ck_assert_str_eq(w.asked, "c1 /b 0 ,/o, crun /r/c");
	ONE("Stats", client_task_stats(w.task, &stats, DONE));
	ck_assert_uint_eq(stats.cgroup, 2);
	ck_assert_uint_eq(stats.pids, 7);
	ONE("Update", client_task_update(w.task, "{\"pids\":{}}", DONE));
	ck_assert_str_eq(w.asked, "c1 /LinuxResources {\"pids\":{}}");
	ONE("Checkpoint", client_task_checkpoint(w.task, &how, DONE));
	ck_assert_str_eq(w.asked,
		"c1 /c containerd.runc.v1.CheckpointOptions /w,/p 00001");
	how = (struct client_checkpoint){.path = "/c",
		.exit = true,
		.open_tcp = true,
		.external_unix_sockets = true,
		.terminal = true};
	ONE("Checkpoint", client_task_checkpoint(w.task, &how, DONE));
	ck_assert_str_eq(
		w.asked, "c1 /c containerd.runc.v1.CheckpointOptions , 11110");
	w.stats_url = "io.other.Metrics";
	ck_assert_int_eq(one_rpc(&w, client_task_stats(w.task, &stats, DONE),
				 "Stats", NULL),
		-EREMOTEIO);
	world_clear(&w);
}
END_TEST

/* One State call, and what it told is not asked again. */
START_TEST(test_attach)
{
	struct client_process *init, *exec;
	struct client_task *t;
	struct client_stdio io;
	struct world w;

	world_init(&w);
	ONE("State", client_task_attach(w.shim, &w.container, DONE, &t));
	init = client_task_init(t);
	ck_assert_uint_eq(client_process_pid(init), 70);
	ck_assert_int_eq(client_process_status(init), CLIENT_PAUSED);
	client_process_stdio(init, &io);
	ck_assert_str_eq(io.in, "/i");
	ck_assert_ptr_null(io.out);
	ck_assert_str_eq(io.err, "/e");
	ck_assert(io.terminal);
	exec = client_task_process(t, "e1");
	ck_assert_ptr_eq(client_task_process(t, "e1"), exec);
	ck_assert_ptr_eq(client_task_process(t, ""), init);
	ONE("Wait", client_process_wait(exec, DONE));
	ck_assert_int_eq(
		await_call(&w, client_process_wait(exec, DONE), NULL), 0);
	ck_assert_uint_eq(w.n_calls, 2);
	client_task_free(t);
	world_clear(&w);
}
END_TEST

static void note_method(const char *method, void *arg)
{
	strcat(strcat(arg, method), " ");
}

START_TEST(test_on_call)
{
	char said[64] = "";
	struct world w;

	world_init(&w);
	client_shim_on_call(w.shim, note_method, said);
	ONE("Pause", client_task_pause(w.task, DONE));
	ONE("Resume", client_task_resume(w.task, DONE));
	ck_assert_str_eq(said, "Pause Resume ");
	world_clear(&w);
}
END_TEST

static struct client_event event_of(enum client_event_type type)
{
	return (struct client_event){
		.type = type, .ns = "ns1", .container_id = "c1", .exec_id = ""};
}

/* What an event told is not asked again. */
START_TEST(test_known_from_events)
{
	struct client_event ev = event_of(CLIENT_EVENT_EXIT);
	struct client_process *init;
	struct client_exit how;
	struct world w;

	world_init(&w);
	init = client_task_init(w.task);
	ev.container_id = "other";
	ev.exit_status = 1;
	client_task_learn(w.task, &ev);
	ev.container_id = "c1";
	ev.ns = "other";
	client_task_learn(w.task, &ev);
	ck_assert(!client_process_exit(init, NULL));
	ev.ns = "ns1";
	ev.pid = 70;
	ev.exit_status = 137;
	ev.exited_at.tv_sec = 44;
	client_task_learn(w.task, &ev);
	ck_assert_int_eq(
		await_call(&w, client_process_wait(init, DONE), NULL), 0);
	ck_assert_uint_eq(w.n_calls, 0);
	ck_assert_uint_eq(client_shim_rpcs(w.shim), 0);
	ck_assert(client_process_exit(init, &how));
	ck_assert_uint_eq(how.status, 137);
	ck_assert_int_eq(how.at.tv_sec, 44);
	ev = event_of(CLIENT_EVENT_START); /* late: changes nothing */
	client_task_learn(w.task, &ev);
	ck_assert_int_eq(client_process_status(init), CLIENT_STOPPED);
	ev = event_of(CLIENT_EVENT_OOM);
	client_task_learn(w.task, &ev);
	ck_assert(client_task_had_oom(w.task));
	world_clear(&w);
}
END_TEST

START_TEST(test_errors)
{
	static const struct {
		enum ttrpc_code code;
		int error;
	} all[] = {{TTRPC_NOT_FOUND, -ENOENT}, {TTRPC_ALREADY_EXISTS, -EEXIST},
		{TTRPC_FAILED_PRECONDITION, -EBUSY},
		{TTRPC_UNIMPLEMENTED, -ENOSYS},
		{TTRPC_INVALID_ARGUMENT, -EINVAL},
		{TTRPC_DEADLINE_EXCEEDED, -ETIMEDOUT},
		{TTRPC_UNKNOWN, -EREMOTEIO}, {TTRPC_INTERNAL, -EREMOTEIO}};
	struct world w;
	struct err e;
	size_t i;

	world_init(&w);
	for (i = 0; i < LENGTH(all); i++) {
		w.fail = all[i].code;
		ck_assert_int_eq(
			one_rpc(&w,
				client_process_start(
					client_task_init(w.task), DONE),
				"Start", &e),
			all[i].error);
		ck_assert_str_eq(e.msg, "as told");
	}
	ck_assert_int_eq(client_process_status(client_task_init(w.task)),
		CLIENT_UNKNOWN);
	world_clear(&w);
}
END_TEST

static void count(const struct err *e, void *arg)
{
	(void)e;
	++*(unsigned *)arg;
}

/* Handles go while calls are open: nobody hears of them any more. */
START_TEST(test_freed_with_open_calls)
{
	struct client_event ev = event_of(CLIENT_EVENT_EXIT);
	struct client_process *init, *exec;
	struct client_stdio io = {0};
	unsigned n = 0;
	struct world w;

	world_init(&w);
	init = client_task_init(w.task);
	w.hold = true;
	ck_assert_int_eq(client_process_wait(init, count, &n), 0);
	ck_assert_int_eq(
		client_task_exec(w.task, "e1", "{}", &io, count, &n, &exec), 0);
	client_process_free(exec);
	client_task_learn(w.task, &ev);
	ck_assert_int_eq(client_process_wait(init, count, &n), 0); /* known */
	client_task_free(w.task);
	w.task = NULL;
	ck_assert(wait_for(w.base, w.held && w.n_calls == 2));
	ttrpc_call_fail(w.held, TTRPC_CANCELED, "");
	loop_settle(w.base);
	ck_assert_uint_eq(n, 0);
	world_clear(&w);
}
END_TEST

START_TEST(test_shim_lost)
{
	struct client_process *init;
	struct world w;
	struct err e;

	world_init(&w);
	init = client_task_init(w.task);
	w.hold = true;
	ck_assert_int_eq(client_process_wait(init, DONE), 0);
	ck_assert(wait_for(w.base, w.held));
	ttrpc_server_free(w.server);
	ttrpc_call_fail(w.held, TTRPC_CANCELED, "");
	ck_assert_int_eq(await_call(&w, 0, &e), -ENOTCONN);
	ck_assert(wait_for(w.base, w.n_lost == 1));
	ck_assert(!client_shim_is_connected(w.shim));
	ck_assert_int_eq(client_process_start(init, DONE), -ENOTCONN);
	w.server = ttrpc_server_new(w.base);
	world_clear(&w);
}
END_TEST

/* The shim may be gone before it has answered. */
START_TEST(test_shutdown_unanswered)
{
	struct world w;

	world_init(&w);
	loop_settle(w.base);
	ck_assert_int_eq(client_shim_shutdown(w.shim, "c1", DONE), 0);
	ttrpc_server_free(w.server);
	ck_assert_int_eq(await_call(&w, 0, NULL), 0);
	w.server = ttrpc_server_new(w.base);
	world_clear(&w);
}
END_TEST

/* Who has given up is not hurt by an answer, or by there never being one. */
START_TEST(test_given_up)
{
	struct client_process *init;
	struct world w;

	world_init(&w);
	init = client_task_init(w.task);
	free(w.aw);
	w.hold = true;
	w.aw = client_await_new(w.client, 50);
	ck_assert_int_eq(
		await_call(&w, client_process_wait(init, DONE), NULL), -ETIME);
	ttrpc_call_fail(w.held, TTRPC_NOT_FOUND, "");
	loop_settle(w.base);
	client_interrupt(w.client, true);
	ck_assert_int_eq(
		await_call(&w, client_process_wait(init, DONE), NULL), -EINTR);
	client_interrupt(w.client, false);
	w.held = NULL;
	ck_assert(wait_for(w.base, w.held));
	client_task_free(w.task);
	w.task = NULL;
	ttrpc_call_fail(w.held, TTRPC_NOT_FOUND, "");
	world_clear(&w);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_sizes_come_in_order,
		test_one_rpc_each, test_one_rpc_each_2, test_attach,
		test_on_call, test_version_2, test_known_from_events,
		test_errors, test_freed_with_open_calls, test_shim_lost,
		test_shutdown_unanswered, test_given_up, NULL};

	return suite_run("client task", tests);
}
