/* SPDX-License-Identifier: Apache-2.0 */
#include "client/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/messages.h"
#include "events_service.pb-c.h"
#include "google/protobuf/empty.pb-c.h"
#include "platform/listener.h"
#include "ttrpc/server.h"

#define SERVICE "containerd.services.events.ttrpc.v1.Events"

struct client_events {
	char *address;
	struct listener *listener;
	struct ttrpc_server *server;
	client_event_cb cb;
	void *arg;
};

static struct timespec time_of(const Google__Protobuf__Timestamp *t)
{
	struct timespec ts = {0};

	if (t) {
		ts.tv_sec = t->seconds;
		ts.tv_nsec = t->nanos;
	}
	return ts;
}

static void decode_create(const void *m, struct client_event *ev)
{
	const Containerd__Events__TaskCreate *c = m;

	ev->container_id = c->container_id;
	ev->bundle = c->bundle;
	ev->checkpoint = c->checkpoint;
	ev->pid = c->pid;
	if (!c->io)
		return;
	ev->in = c->io->stdin;
	ev->out = c->io->stdout;
	ev->err = c->io->stderr;
	ev->terminal = c->io->terminal;
}

static void decode_start(const void *m, struct client_event *ev)
{
	const Containerd__Events__TaskStart *s = m;

	ev->container_id = s->container_id;
	ev->pid = s->pid;
}

static void decode_exec_added(const void *m, struct client_event *ev)
{
	const Containerd__Events__TaskExecAdded *x = m;

	ev->container_id = x->container_id;
	ev->exec_id = x->exec_id;
}

static void decode_exec_started(const void *m, struct client_event *ev)
{
	const Containerd__Events__TaskExecStarted *x = m;

	ev->container_id = x->container_id;
	ev->exec_id = x->exec_id;
	ev->pid = x->pid;
}

/* TaskExit says the container's id where it means init. */
static void decode_exit(const void *m, struct client_event *ev)
{
	const Containerd__Events__TaskExit *x = m;

	ev->container_id = x->container_id;
	if (strcmp(x->id, x->container_id) != 0)
		ev->exec_id = x->id;
	ev->pid = x->pid;
	ev->exit_status = x->exit_status;
	ev->exited_at = time_of(x->exited_at);
}

static void decode_oom(const void *m, struct client_event *ev)
{
	const Containerd__Events__TaskOOM *o = m;

	ev->container_id = o->container_id;
}

static void decode_paused(const void *m, struct client_event *ev)
{
	const Containerd__Events__TaskPaused *p = m;

	ev->container_id = p->container_id;
}

static void decode_resumed(const void *m, struct client_event *ev)
{
	const Containerd__Events__TaskResumed *r = m;

	ev->container_id = r->container_id;
}

static void decode_checkpointed(const void *m, struct client_event *ev)
{
	const Containerd__Events__TaskCheckpointed *c = m;

	ev->container_id = c->container_id;
	ev->checkpoint = c->checkpoint;
}

static void decode_delete(const void *m, struct client_event *ev)
{
	const Containerd__Events__TaskDelete *d = m;

	ev->container_id = d->container_id;
	if (strcmp(d->id, d->container_id) != 0)
		ev->exec_id = d->id;
	ev->pid = d->pid;
	ev->exit_status = d->exit_status;
	ev->exited_at = time_of(d->exited_at);
}

#define MESSAGE(m) &containerd__events__##m##__descriptor

static const struct kind {
	const char *topic;
	enum client_event_type type;
	const ProtobufCMessageDescriptor *message;
	void (*decode)(const void *m, struct client_event *ev);
} kinds[] = {
	{"/tasks/create", CLIENT_EVENT_CREATE, MESSAGE(task_create),
		decode_create},
	{"/tasks/start", CLIENT_EVENT_START, MESSAGE(task_start), decode_start},
	{"/tasks/exec-added", CLIENT_EVENT_EXEC_ADDED, MESSAGE(task_exec_added),
		decode_exec_added},
	{"/tasks/exec-started", CLIENT_EVENT_EXEC_STARTED,
		MESSAGE(task_exec_started), decode_exec_started},
	{"/tasks/exit", CLIENT_EVENT_EXIT, MESSAGE(task_exit), decode_exit},
	{"/tasks/oom", CLIENT_EVENT_OOM, MESSAGE(task_oom), decode_oom},
	{"/tasks/paused", CLIENT_EVENT_PAUSED, MESSAGE(task_paused),
		decode_paused},
	{"/tasks/resumed", CLIENT_EVENT_RESUMED, MESSAGE(task_resumed),
		decode_resumed},
	{"/tasks/checkpointed", CLIENT_EVENT_CHECKPOINTED,
		MESSAGE(task_checkpointed), decode_checkpointed},
	{"/tasks/delete", CLIENT_EVENT_DELETE, MESSAGE(task_delete),
		decode_delete},
};

static const struct kind *kind_of(const char *topic)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].topic, topic) == 0)
			return &kinds[i];
	return NULL;
}

enum client_event_type client_event_type_of(const char *topic)
{
	const struct kind *k = kind_of(topic);

	return k ? k->type : CLIENT_EVENT_OTHER;
}

static void event_init(
	struct client_event *ev, const Containerd__Types__Envelope *env)
{
	*ev = (struct client_event){.at = time_of(env->timestamp),
		.ns = env->namespace_,
		.topic = env->topic,
		.container_id = "",
		.exec_id = "",
		.bundle = "",
		.checkpoint = "",
		.in = "",
		.out = "",
		.err = ""};
}

/* Decodes and tells. An event that cannot be decoded is told as OTHER. */
static void envelope_tell(
	struct client_events *evs, const Containerd__Types__Envelope *env)
{
	const struct kind *k = kind_of(env->topic);
	ProtobufCMessage *m = NULL;
	struct client_event ev;

	event_init(&ev, env);
	if (k && env->event)
		m = protobuf_c_message_unpack(k->message, NULL,
			env->event->value.len, env->event->value.data);
	if (m) {
		ev.type = k->type;
		k->decode(m, &ev);
	}
	evs->cb(&ev, evs->arg);
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
}

static void on_forward(
	struct ttrpc_call *call, const ProtobufCMessage *request, void *arg)
{
	Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;
	const Containerd__Services__Events__Ttrpc__V1__ForwardRequest *q =
		(const void *)request;

	if (!q->envelope) {
		ttrpc_call_fail(
			call, TTRPC_INVALID_ARGUMENT, "no envelope given");
		return;
	}
	envelope_tell(arg, q->envelope);
	ttrpc_call_reply(call, &empty.base);
}

static const ttrpc_handler handlers[] = {on_forward};

static void on_connection(struct stream *s, void *arg)
{
	struct client_events *evs = arg;

	ttrpc_server_accept(evs->server, s); /* on failure the shim retries */
}

int client_events_new(struct event_base *base, const char *address,
	client_event_cb cb, void *arg, struct client_events **ret,
	struct err *e)
{
	struct client_events *evs = calloc(1, sizeof(*evs));
	int r = -ENOMEM;

	if (!evs)
		return err_sys(e, r, "events");
	evs->cb = cb;
	evs->arg = arg;
	evs->server = ttrpc_server_new(base);
	evs->address = strdup(address);
	if (evs->server && evs->address)
		r = ttrpc_server_add(evs->server, SERVICE,
			&containerd__services__events__ttrpc__v1__events__descriptor,
			handlers, evs);
	if (r < 0)
		err_sys(e, r, "events");
	else
		r = listener_bind(address, &evs->listener, e);
	if (r < 0)
		goto fail;
	r = listener_start(evs->listener, base, on_connection, evs);
	if (r < 0) {
		err_sys(e, r, "events");
		goto fail;
	}
	*ret = evs;
	return 0;
fail:
	client_events_free(evs);
	return r;
}

static void on_idle(void *arg)
{
	bool *idle = arg;

	*idle = true;
}

void client_events_settle(
	struct client_events *evs, struct client *c, uint32_t timeout_ms)
{
	bool idle = ttrpc_server_connections(evs->server) == 0;

	ttrpc_server_on_idle(evs->server, on_idle, &idle);
	client_run_until(c, &idle, timeout_ms);
	ttrpc_server_on_idle(evs->server, NULL, NULL);
}

void client_events_free(struct client_events *evs)
{
	if (!evs)
		return;
	if (evs->listener) {
		listener_close(evs->listener);
		listener_unlink(evs->address);
	}
	if (evs->server)
		ttrpc_server_free(evs->server);
	free(evs->address);
	free(evs);
}
