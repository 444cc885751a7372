/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/publish.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#include "events_service.pb-c.h"
#include "reaper/reaper.h"
#include "shim/log.h"
#include "shim/messages.h"
#include "ttrpc/client.h"

/* Between attempts: at first, and at the most. */
#define RETRY_MIN_MS 50
#define RETRY_MAX_MS 5000

/* How long the daemon may take for one event before we dial again. */
#define ANSWER_MS 60000

/* A daemon that answers, but refuses an event this often, never takes it. */
#define REFUSALS_MAX 8

#define EVENTS_SERVICE "containerd.services.events.ttrpc.v1.Events"

struct publisher_event {
	struct publisher_event *next;
	const char *topic, *type_name; /* static */
	struct timespec at;
	bool must_keep;
	size_t n, room;
	uint8_t data[];
};

struct publisher {
	struct event_base *base; /* borrowed */
	struct reaper *reaper;   /* borrowed */
	struct publisher_config config;
	struct publisher_event *head, **tail;
	size_t bytes, waiting, lost;
	struct ttrpc_client *client;
	struct event *retry;
	struct event *told; /* runs flushed() from the loop */
	bool busy;          /* the head is on its way */
	unsigned retry_ms, refusals;
	const char *failure; /* static: the last one */
	time_t failed_s;     /* CLOCK_MONOTONIC */
	int64_t child;       /* the publish binary that runs */
	void (*flushed)(void *arg);
	void *flushed_arg;
};

static void pump(struct publisher *p);

struct publisher_event *publisher_reserve(
	const ProtobufCMessage *part, size_t size)
{
	size_t n = part ? protobuf_c_message_get_packed_size(part) : 0;
	struct publisher_event *ev = calloc(1, sizeof(*ev) + n + size);

	if (!ev)
		return NULL;
	ev->room = n + size;
	ev->must_keep = true;
	if (part)
		ev->n = protobuf_c_message_pack(part, ev->data);
	return ev;
}

void publisher_unreserve(struct publisher_event *ev)
{
	free(ev);
}

static size_t cost(const struct publisher_event *ev)
{
	return sizeof(*ev) + ev->room;
}

static void unlink_event(struct publisher *p, struct publisher_event **at)
{
	struct publisher_event *ev = *at;

	if (at == &p->head)
		p->refusals = 0; /* they were this one's */
	*at = ev->next;
	if (!ev->next)
		p->tail = at;
	p->bytes -= cost(ev);
	p->waiting--;
	free(ev);
}

/* The head stays while it is on its way. */
static void make_room(struct publisher *p)
{
	struct publisher_event **at = &p->head;

	if (p->busy && *at)
		at = &(*at)->next;
	while (p->bytes > PUBLISHER_BYTES_MAX && *at) {
		if ((*at)->must_keep) {
			at = &(*at)->next;
			continue;
		}
		if (p->lost++ == 0)
			log_warn(NULL,
				"too many events wait for the daemon: "
				"the oldest that are no exits are dropped");
		unlink_event(p, at);
	}
}

static bool has_text(const char *s)
{
	return s && *s;
}

static void enqueue(struct publisher *p, struct publisher_event *ev,
	const char *topic, const char *type_name, const ProtobufCMessage *event)
{
	if (!has_text(p->config.ttrpc_address) && !has_text(p->config.binary)) {
		publisher_unreserve(ev); /* nobody wants to know */
		return;
	}
	ev->topic = topic;
	ev->type_name = type_name;
	ev->n += protobuf_c_message_pack(event, ev->data + ev->n);
	clock_gettime(CLOCK_REALTIME, &ev->at);
	ev->next = NULL;
	*p->tail = ev;
	p->tail = &ev->next;
	p->bytes += cost(ev);
	p->waiting++;
	make_room(p);
	pump(p);
}

void publisher_send(struct publisher *p, const char *topic,
	const char *type_name, const ProtobufCMessage *event)
{
	struct publisher_event *ev = publisher_reserve(
		NULL, protobuf_c_message_get_packed_size(event));

	if (!ev) {
		p->lost++;
		log_error(NULL, "no memory: event %s is lost", topic);
		return;
	}
	ev->must_keep = false;
	enqueue(p, ev, topic, type_name, event);
}

void publisher_send_reserved(struct publisher *p, struct publisher_event *room,
	const char *topic, const char *type_name, const ProtobufCMessage *event)
{
	size_t n = protobuf_c_message_get_packed_size(event);

	if (room->n + n <= room->room) {
		enqueue(p, room, topic, type_name, event);
		return;
	}
	p->lost++;
	log_error(NULL, "event %s of %zu bytes has no room for %zu", topic,
		room->n + n, room->room);
	publisher_unreserve(room);
}

static void try_again_later(struct publisher *p)
{
	struct timeval tv = {.tv_sec = p->retry_ms / 1000,
		.tv_usec = (p->retry_ms % 1000) * 1000};

	p->busy = false;
	event_add(p->retry, &tv);
	p->retry_ms *= 2;
	if (p->retry_ms > RETRY_MAX_MS)
		p->retry_ms = RETRY_MAX_MS;
}

static void note_failure(struct publisher *p, const char *why)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	p->failure = why;
	p->failed_s = now.tv_sec;
}

static void delivered(struct publisher *p)
{
	p->busy = false;
	p->retry_ms = RETRY_MIN_MS;
	p->refusals = 0;
	unlink_event(p, &p->head);
	if (p->head)
		pump(p);
	else
		event_active(p->told, EV_TIMEOUT, 0);
}

static void refused(struct publisher *p, const char *why)
{
	if (++p->refusals < REFUSALS_MAX) {
		try_again_later(p);
		return;
	}
	log_error(NULL, "the daemon refuses event %s: %s", p->head->topic, why);
	p->lost++;
	delivered(p);
}

static void on_closed(int error, void *arg)
{
	struct publisher *p = arg;

	(void)error;
	/* the call on it, if any, has had its answer already */
	ttrpc_client_free(p->client);
	p->client = NULL;
}

static void on_answer(const struct ttrpc_result *r, void *arg)
{
	struct publisher *p = arg;

	if (r->code != TTRPC_OK)
		note_failure(p, ttrpc_code_name(r->code));
	switch (r->code) {
	case TTRPC_OK:
		delivered(p);
		return;
	case TTRPC_DEADLINE_EXCEEDED: /* perhaps another connection will do */
		ttrpc_client_free(p->client);
		p->client = NULL;
		/* fall through */
	case TTRPC_CANCELED: /* we are being freed, or the daemon is */
	case TTRPC_UNAVAILABLE:
		try_again_later(p);
		break;
	default:
		refused(p, r->message);
	}
}

static bool dial(struct publisher *p)
{
	struct stream *s;
	struct err e;

	if (p->client)
		return true;
	if (stream_connect(p->base, p->config.ttrpc_address, &s, &e) < 0) {
		log_debug(NULL, "events: %s", e.msg);
		note_failure(p, "the daemon does not listen");
		return false;
	}
	p->client = ttrpc_client_new(p->base, s, on_closed, p);
	return p->client != NULL;
}

static void send_by_ttrpc(struct publisher *p)
{
	const struct publisher_event *ev = p->head;
	Containerd__Services__Events__Ttrpc__V1__ForwardRequest rq =
		CONTAINERD__SERVICES__EVENTS__TTRPC__V1__FORWARD_REQUEST__INIT;
	Containerd__Types__Envelope env = CONTAINERD__TYPES__ENVELOPE__INIT;
	Timestamp ts = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	Any any = GOOGLE__PROTOBUF__ANY__INIT;
	const ProtobufCServiceDescriptor *d =
		&containerd__services__events__ttrpc__v1__events__descriptor;

	ts.seconds = ev->at.tv_sec;
	ts.nanos = (int32_t)ev->at.tv_nsec;
	any.type_url = (char *)ev->type_name;
	any.value.data = (uint8_t *)ev->data;
	any.value.len = ev->n;
	env.timestamp = &ts;
	env.namespace_ = (char *)p->config.ns;
	env.topic = (char *)ev->topic;
	env.event = &any;
	rq.envelope = &env;
	if (!dial(p) ||
		ttrpc_client_call(p->client, EVENTS_SERVICE, &d->methods[0],
			&rq.base, ANSWER_MS, p->config.ns, on_answer, p) < 0)
		try_again_later(p);
}

static void on_binary_exit(const struct process_exit *x, void *arg)
{
	struct publisher *p = arg;

	p->child = 0;
	if (x->status == 0) {
		delivered(p);
		return;
	}
	note_failure(p, "the daemon's publish command failed");
	refused(p, "its publish command failed");
}

/* The Any goes into the pipe at once: a pipe holds 64 KiB (pipe(7)), and an
 * event that is larger can't be sent this way. */
static int run_binary(struct publisher *p, const uint8_t *data, size_t n)
{
	const char *const argv[] = {p->config.binary, "--address",
		p->config.grpc_address ? p->config.grpc_address : "", "publish",
		"--topic", p->head->topic, "--namespace", p->config.ns, NULL};
	struct process_spec spec = {.argv = argv, .dies_with_us = true};
	struct stream *in;
	struct err e;
	int r;

	r = stream_pipe_to_child(p->base, &in, &spec.endpoints[0]);
	if (r < 0)
		return r;
	if (stream_write(in, data, n) != (ssize_t)n)
		r = -EMSGSIZE;
	else
		r = reaper_spawn(
			p->reaper, &spec, on_binary_exit, p, &p->child, &e);
	endpoint_close(spec.endpoints[0]);
	stream_close(in);
	if (r < 0)
		log_warn(NULL, "event %s: %s", p->head->topic,
			r == -EMSGSIZE ? "too large for a pipe" : e.msg);
	return r;
}

static void send_by_binary(struct publisher *p)
{
	const struct publisher_event *ev = p->head;
	Any any = GOOGLE__PROTOBUF__ANY__INIT;
	uint8_t *data;
	size_t n;
	int r = -ENOMEM;

	any.type_url = (char *)ev->type_name;
	any.value.data = (uint8_t *)ev->data;
	any.value.len = ev->n;
	data = malloc(google__protobuf__any__get_packed_size(&any));
	if (data) {
		n = google__protobuf__any__pack(&any, data);
		r = run_binary(p, data, n);
	}
	free(data);
	if (r == -EMSGSIZE)
		p->refusals = REFUSALS_MAX;
	if (r < 0) {
		note_failure(p, "the daemon's publish command can't be run");
		refused(p, "it can't be passed on");
	}
}

static void pump(struct publisher *p)
{
	if (!p->head || p->busy || event_pending(p->retry, EV_TIMEOUT, NULL))
		return;
	p->busy = true;
	if (has_text(p->config.ttrpc_address))
		send_by_ttrpc(p);
	else
		send_by_binary(p);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	pump(arg);
}

void publisher_poke(struct publisher *p)
{
	p->retry_ms = RETRY_MIN_MS;
	event_del(p->retry);
	pump(p);
}

static void on_told(evutil_socket_t fd, short what, void *arg)
{
	struct publisher *p = arg;

	(void)fd;
	(void)what;
	if (!p->head && p->flushed)
		p->flushed(p->flushed_arg);
}

struct publisher *publisher_new(struct event_base *base, struct reaper *reaper,
	const struct publisher_config *config)
{
	struct publisher *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->base = base;
	p->reaper = reaper;
	p->config = *config;
	p->tail = &p->head;
	p->retry_ms = RETRY_MIN_MS;
	p->retry = event_new(base, -1, 0, on_retry, p);
	p->told = event_new(base, -1, 0, on_told, p);
	if (!p->retry || !p->told) {
		publisher_free(p);
		return NULL;
	}
	return p;
}

bool publisher_is_flushed(const struct publisher *p)
{
	return !p->head;
}

void publisher_on_flushed(struct publisher *p, void (*cb)(void *arg), void *arg)
{
	p->flushed = cb;
	p->flushed_arg = arg;
}

size_t publisher_waiting(const struct publisher *p)
{
	return p->waiting;
}

size_t publisher_lost(const struct publisher *p)
{
	return p->lost;
}

void publisher_look(const struct publisher *p, struct publisher_state *ret)
{
	struct timespec now;
	int64_t ms = 0;

	*ret = (struct publisher_state){
		.waiting = p->waiting,
		.bytes = p->bytes,
		.lost = p->lost,
		.sending = p->busy,
		.connected = p->client != NULL,
		.refusals = p->refusals,
		.failure = p->failure,
	};
	if (p->head) {
		clock_gettime(CLOCK_REALTIME, &now); /* as events are dated */
		ms = (int64_t)(now.tv_sec - p->head->at.tv_sec) * 1000 +
		     (now.tv_nsec - p->head->at.tv_nsec) / 1000000;
		ret->topic = p->head->topic;
	}
	ret->oldest_ms = ms > 0 ? (uint64_t)ms : 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (p->failure)
		ret->failed_ms = (uint64_t)(now.tv_sec - p->failed_s) * 1000;
}

void publisher_free(struct publisher *p)
{
	if (!p)
		return;
	ttrpc_client_free(p->client);
	if (p->child)
		reaper_forget(p->reaper, p->child);
	while (p->head) {
		struct publisher_event *next = p->head->next;

		free(p->head);
		p->head = next;
	}
	if (p->retry)
		event_free(p->retry);
	if (p->told)
		event_free(p->told);
	free(p);
}
