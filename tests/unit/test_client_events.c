/* SPDX-License-Identifier: Apache-2.0 */
#include "client/events.h"

#include <errno.h>
#include <string.h>

#include "client/client.h"
#include "events.pb-c.h"
#include "events_service.pb-c.h"
#include "ttrpc/client.h"
#include "util_test.h"

#define SERVICE "containerd.services.events.ttrpc.v1.Events"

struct world {
	struct event_base *base;
	struct client_events *events;
	struct ttrpc_client *shim;
	/* the last event, and how many */
	enum client_event_type type;
	char text[512];
	unsigned n, n_answers;
	enum ttrpc_code code;
};

static void on_event(const struct client_event *ev, void *arg)
{
	struct world *w = arg;

	w->n++;
	w->type = ev->type;
	snprintf(w->text, sizeof(w->text),
		"%lld %s %s %s/%s b=%s c=%s io=%s,%s,%s,%d pid=%u st=%u "
		"at=%lld",
		(long long)ev->at.tv_sec, ev->ns, ev->topic, ev->container_id,
		ev->exec_id, ev->bundle, ev->checkpoint, ev->in, ev->out,
		ev->err, ev->terminal, ev->pid, ev->exit_status,
		(long long)ev->exited_at.tv_sec);
}

static void on_answer(const struct ttrpc_result *r, void *arg)
{
	struct world *w = arg;

	w->n_answers++;
	w->code = r->code;
}

static void world_init(struct world *w)
{
	struct stream *s;

	*w = (struct world){.base = event_base_new()};
	ck_assert_int_eq(client_events_new(w->base, here("events"), on_event, w,
				 &w->events, NULL),
		0);
	ck_assert_int_eq(stream_connect(w->base, here("events"), &s, NULL), 0);
	w->shim = ttrpc_client_new(w->base, s, NULL, NULL);
	ck_assert_ptr_nonnull(w->shim);
}

static void world_clear(struct world *w)
{
	ttrpc_client_free(w->shim);
	client_events_free(w->events);
	ck_assert(!file_exists("events"));
	event_base_free(w->base);
}

static void forward(struct world *w, Containerd__Types__Envelope *env)
{
	Containerd__Services__Events__Ttrpc__V1__ForwardRequest q =
		CONTAINERD__SERVICES__EVENTS__TTRPC__V1__FORWARD_REQUEST__INIT;
	const ProtobufCServiceDescriptor *d =
		&containerd__services__events__ttrpc__v1__events__descriptor;
	unsigned before = w->n_answers;

	q.envelope = env;
	ck_assert_int_eq(ttrpc_client_call(w->shim, SERVICE, &d->methods[0],
				 &q.base, 0, NULL, on_answer, w),
		0);
	ck_assert(wait_for(w->base, w->n_answers > before));
}

static void forward_message(
	struct world *w, const char *topic, const ProtobufCMessage *m)
{
	Containerd__Types__Envelope env = CONTAINERD__TYPES__ENVELOPE__INIT;
	Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
	uint8_t data[512];

	at.seconds = 99;
	any.type_url = "whatever"; /* the topic decides */
	any.value.data = data;
	any.value.len = protobuf_c_message_pack(m, data);
	env.timestamp = &at;
	env.namespace_ = "ns";
	env.topic = (char *)topic;
	env.event = &any;
	forward(w, &env);
	ck_assert_int_eq(w->code, TTRPC_OK);
}

START_TEST(test_create)
{
	Containerd__Events__TaskCreate c =
		CONTAINERD__EVENTS__TASK_CREATE__INIT;
	Containerd__Events__TaskIO io = CONTAINERD__EVENTS__TASK_IO__INIT;
	struct world w;

	world_init(&w);
	c.container_id = "c1";
	c.bundle = "/b";
	c.checkpoint = "/c";
	c.pid = 7;
	forward_message(&w, "/tasks/create", &c.base);
	ck_assert_int_eq(w.type, CLIENT_EVENT_CREATE);
	ck_assert_str_eq(w.text,
		"99 ns /tasks/create c1/ b=/b c=/c io=,,,0 pid=7 st=0 at=0");
	io.stdin = "/i";
	io.stdout = "/o";
	io.stderr = "/e";
	io.terminal = true;
	c.io = &io;
	forward_message(&w, "/tasks/create", &c.base);
	ck_assert_str_eq(w.text,
		"99 ns /tasks/create c1/ b=/b c=/c io=/i,/o,/e,1 pid=7 st=0 "
		"at=0");
	ck_assert_uint_eq(w.n, 2);
	world_clear(&w);
}
END_TEST

/* TaskExit has the container's id where it means init. */
START_TEST(test_exit)
{
	Containerd__Events__TaskExit x = CONTAINERD__EVENTS__TASK_EXIT__INIT;
	Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	struct world w;

	world_init(&w);
	at.seconds = 5;
	x.container_id = "c1";
	x.id = "c1";
	x.pid = 7;
	x.exit_status = 137;
	x.exited_at = &at;
	forward_message(&w, "/tasks/exit", &x.base);
	ck_assert_int_eq(w.type, CLIENT_EVENT_EXIT);
	ck_assert_str_eq(w.text,
		"99 ns /tasks/exit c1/ b= c= io=,,,0 pid=7 st=137 at=5");
	x.id = "e1";
	forward_message(&w, "/tasks/exit", &x.base);
	ck_assert_str_eq(w.text,
		"99 ns /tasks/exit c1/e1 b= c= io=,,,0 pid=7 st=137 at=5");
	world_clear(&w);
}
END_TEST

START_TEST(test_the_others)
{
	Containerd__Events__TaskStart s = CONTAINERD__EVENTS__TASK_START__INIT;
	Containerd__Events__TaskExecAdded a =
		CONTAINERD__EVENTS__TASK_EXEC_ADDED__INIT;
	Containerd__Events__TaskExecStarted x =
		CONTAINERD__EVENTS__TASK_EXEC_STARTED__INIT;
	Containerd__Events__TaskOOM o = CONTAINERD__EVENTS__TASK_OOM__INIT;
	Containerd__Events__TaskDelete d =
		CONTAINERD__EVENTS__TASK_DELETE__INIT;
	struct world w;

	world_init(&w);
	s.container_id = a.container_id = x.container_id = o.container_id =
		d.container_id = "c1";
	a.exec_id = x.exec_id = d.id = "e1";
	s.pid = x.pid = d.pid = 7;
	d.exit_status = 3;
	forward_message(&w, "/tasks/start", &s.base);
	ck_assert_int_eq(w.type, CLIENT_EVENT_START);
	forward_message(&w, "/tasks/exec-added", &a.base);
	ck_assert_int_eq(w.type, CLIENT_EVENT_EXEC_ADDED);
	forward_message(&w, "/tasks/exec-started", &x.base);
	ck_assert_int_eq(w.type, CLIENT_EVENT_EXEC_STARTED);
	ck_assert_str_eq(w.text,
		"99 ns /tasks/exec-started c1/e1 b= c= io=,,,0 pid=7 st=0 "
		"at=0");
	forward_message(&w, "/tasks/oom", &o.base);
	ck_assert_int_eq(w.type, CLIENT_EVENT_OOM);
	forward_message(&w, "/tasks/delete", &d.base);
	ck_assert_int_eq(w.type, CLIENT_EVENT_DELETE);
	ck_assert_str_eq(w.text,
		"99 ns /tasks/delete c1/e1 b= c= io=,,,0 pid=7 st=3 at=0");
	world_clear(&w);
}
END_TEST

START_TEST(test_odd_ones)
{
	Containerd__Types__Envelope env = CONTAINERD__TYPES__ENVELOPE__INIT;
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
	struct world w;

	world_init(&w);
	env.topic = "/tasks/unheard-of";
	forward(&w, &env);
	ck_assert_int_eq(w.code, TTRPC_OK);
	ck_assert_int_eq(w.type, CLIENT_EVENT_OTHER);
	env.topic = "/tasks/exit"; /* without, and with a broken message */
	forward(&w, &env);
	ck_assert_int_eq(w.type, CLIENT_EVENT_OTHER);
	any.value.data = (uint8_t *)"\x0a\xff";
	any.value.len = 2;
	env.event = &any;
	forward(&w, &env);
	ck_assert_int_eq(w.type, CLIENT_EVENT_OTHER);
	ck_assert_uint_eq(w.n, 3);
	forward(&w, NULL);
	ck_assert_int_eq(w.code, TTRPC_INVALID_ARGUMENT);
	ck_assert_uint_eq(w.n, 3);
	world_clear(&w);
}
END_TEST

START_TEST(test_settle)
{
	struct client *c;
	struct world w;

	world_init(&w);
	ck_assert_int_eq(client_new(w.base, &c, NULL), 0);
	loop_settle(w.base);
	client_events_settle(w.events, c, 20); /* time over */
	ttrpc_client_free(w.shim);
	w.shim = NULL;
	client_events_settle(w.events, c, TEST_WAIT_MS);
	client_events_settle(w.events, c, TEST_WAIT_MS); /* none there */
	client_free(c);
	world_clear(&w);
}
END_TEST

START_TEST(test_socket_taken)
{
	struct client_events *events;
	struct world w;
	struct err e;

	world_init(&w);
	ck_assert_int_eq(client_events_new(w.base, here("events"), on_event, &w,
				 &events, &e),
		-EADDRINUSE);
	ck_assert(file_exists("events"));
	world_clear(&w);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_create, test_exit, test_the_others,
		test_odd_ones, test_settle, test_socket_taken, NULL};

	return suite_run("client events", tests);
}
