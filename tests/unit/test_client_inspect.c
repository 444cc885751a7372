/* SPDX-License-Identifier: Apache-2.0 */
#include "client/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/listener.h"
#include "task.pb-c.h"
#include "ttrpc/server.h"
#include "util_test.h"
#include "wisp.pb-c.h"

/* A shim that has a dump, or not. */
static struct world {
	struct event_base *base;
	struct client *client;
	struct ttrpc_server *server;
	struct listener *listener;
	struct client_shim *shim;
	struct ttrpc_call *held; /* of Dump, if hold is set */
	bool hold;
} w;

static void answer_dump(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	Wisp__V1__DumpResponse a = WISP__V1__DUMP_RESPONSE__INIT;

	(void)request;
	(void)arg;
	ck_assert_str_eq(ttrpc_call_service(call), "wisp.v1.Shim");
	if (w.hold) {
		w.held = call;
		return;
	}
	a.json.data = (uint8_t *)"{\"pid\":7}";
	a.json.len = 9;
	ttrpc_call_reply(call, &a.base);
}

static void answer_state(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	const Containerd__Task__V3__StateRequest *q = (const void *)request;
	Containerd__Task__V3__StateResponse a =
		CONTAINERD__TASK__V3__STATE_RESPONSE__INIT;
	Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	char path[2000];

	(void)arg;
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	ck_assert_str_eq(q->id, "c1");
	ck_assert_str_eq(q->exec_id, "e1");
	at.seconds = 12;
	at.nanos = 34;
	a.status = CONTAINERD__V1__TYPES__STATUS__STOPPED;
	a.pid = 70;
	a.exit_status = 9;
	a.terminal = true;
	a.exited_at = &at;
	a.bundle = (char *)"/b";
#undef stdin
#undef stdout
#undef stderr
	a.stdin = (char *)"/in";
	a.stdout = path;
	ttrpc_call_reply(call, &a.base);
}

static const ttrpc_handler shim_handlers[] = {answer_dump};
static const ttrpc_handler task_handlers[17] = {answer_state};

static void on_connection(struct stream *s, void *arg)
{
	(void)arg;
	ck_assert_int_eq(ttrpc_server_accept(w.server, s), 0);
}

static void begin(bool has_dump)
{
	const char *path = here("s");
	char address[256];
	struct err e;

	memset(&w, 0, sizeof(w));
	snprintf(address, sizeof(address), "unix://%s", path);
	w.base = event_base_new();
	ck_assert_int_eq(client_new(w.base, &w.client, &e), 0);
	w.server = ttrpc_server_new(w.base);
	ttrpc_server_add(w.server, "containerd.task.v2.Task",
		&containerd__task__v3__task__descriptor, task_handlers, NULL);
	if (has_dump)
		ttrpc_server_add(w.server, "wisp.v1.Shim",
			&wisp__v1__shim__descriptor, shim_handlers, NULL);
	ck_assert_int_eq(listener_bind(address, &w.listener, &e), 0);
	ck_assert_int_eq(
		listener_start(w.listener, w.base, on_connection, NULL), 0);
	ck_assert_int_eq(
		client_shim_connect(w.client, "ns", address, 2, &w.shim, &e),
		0);
}

static void end(void)
{
	client_shim_free(w.shim);
	listener_close(w.listener);
	ttrpc_server_free(w.server);
	client_free(w.client);
	event_base_free(w.base);
}

static int ask_dump(char **ret, uint32_t timeout_ms, struct err *e)
{
	struct client_await *aw = client_await_new(w.client, timeout_ms);

	return client_await(
		aw, client_ask_dump(w.shim, ret, client_await_done, aw), e);
}

START_TEST(test_dump)
{
	char *text = (char *)"not yet";
	struct err e;

	begin(true);
	ck_assert_int_eq(ask_dump(&text, 0, &e), 0);
	ck_assert_str_eq(text, "{\"pid\":7}");
	free(text);
	ck_assert_uint_eq(client_shim_rpcs(w.shim), 1);
	end();
}
END_TEST

START_TEST(test_no_dump)
{
	char *text;
	struct err e;

	begin(false);
	ck_assert_int_eq(ask_dump(&text, 0, &e), -ENOSYS);
	ck_assert_ptr_null(text);
	end();
}
END_TEST

/* Who has stopped waiting gets no answer, when it comes after all. */
START_TEST(test_too_late)
{
	Wisp__V1__DumpResponse a = WISP__V1__DUMP_RESPONSE__INIT;
	char *text;
	struct err e;

	begin(true);
	w.hold = true;
	ck_assert_int_eq(ask_dump(&text, 50, &e), -ETIME);
	client_shim_forget_calls(w.shim);
	ttrpc_call_reply(w.held, &a.base);
	loop_settle(w.base);
	ck_assert_ptr_null(text);
	end();
}
END_TEST

START_TEST(test_state)
{
	struct client_await *aw;
	struct client_state s;
	struct err e;

	begin(false);
	aw = client_await_new(w.client, 0);
	ck_assert_int_eq(client_await(aw,
				 client_ask_state(w.shim, "c1", "e1", &s,
					 client_await_done, aw),
				 &e),
		0);
	ck_assert_int_eq(s.status, CLIENT_STOPPED);
	ck_assert_uint_eq(s.pid, 70);
	ck_assert_uint_eq(s.exit_status, 9);
	ck_assert_int_eq(s.exited_at.tv_sec, 12);
	ck_assert(s.terminal);
	ck_assert_str_eq(s.bundle, "/b");
	ck_assert_str_eq(s.stdio[0], "/in");
	ck_assert_uint_eq(strlen(s.stdio[1]), CLIENT_INSPECT_PATH_MAX - 1);
	ck_assert_str_eq(s.stdio[2], "");
	ck_assert_uint_eq(client_shim_rpcs(w.shim), 1);
	end();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_dump, test_no_dump, test_too_late, test_state, NULL};

	return suite_run("client_inspect", tests);
}
