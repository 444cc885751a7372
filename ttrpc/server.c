/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ttrpc/call.h"

struct service {
	struct list node;
	const char *name; /* borrowed, as all of these */
	const ProtobufCServiceDescriptor *desc;
	const ttrpc_handler *handlers;
	void *arg;
};

/* ---- finding the method ---- */

static const struct stream_method *find_stream(
	const struct ttrpc_server *s, const char *service, const char *method)
{
	struct list *n;

	for (n = s->streams.next; n != &s->streams; n = n->next) {
		const struct stream_method *m =
			list_entry(n, struct stream_method, node);

		if (strcmp(m->service, service) == 0 &&
			strcmp(m->desc->name, method) == 0)
			return m;
	}
	return NULL;
}

static const struct service *find_service(
	const struct ttrpc_server *s, const char *name)
{
	struct list *n;

	for (n = s->services.next; n != &s->services; n = n->next) {
		const struct service *v = list_entry(n, struct service, node);

		if (strcmp(v->name, name) == 0)
			return v;
	}
	return NULL;
}

bool server_has(const struct ttrpc_server *s, const char *service)
{
	struct list *n;

	for (n = s->streams.next; n != &s->streams; n = n->next) {
		if (strcmp(list_entry(n, struct stream_method, node)->service,
			    service) == 0)
			return true;
	}
	return find_service(s, service);
}

bool server_find(const struct ttrpc_server *s, const char *service,
	const char *method, struct target *ret)
{
	const struct service *v = find_service(s, service);
	const ProtobufCMethodDescriptor *m = NULL;

	memset(ret, 0, sizeof(*ret));
	ret->stream = find_stream(s, service, method);
	if (ret->stream) {
		ret->input = ret->stream->desc->input;
		return true;
	}
	if (v)
		m = protobuf_c_service_descriptor_get_method_by_name(
			v->desc, method);
	if (!m || !v->handlers[m - v->desc->methods])
		return false;
	ret->input = m->input;
	ret->handler = v->handlers[m - v->desc->methods];
	ret->arg = v->arg;
	return true;
}

/* ---- life ---- */

bool server_leave(struct ttrpc_server *s)
{
	if (--s->busy > 0 || !s->freed)
		return !s->freed;
	free(s);
	return false;
}

struct ttrpc_server *ttrpc_server_new(struct event_base *base)
{
	struct ttrpc_server *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->base = base;
	list_init(&s->services);
	list_init(&s->streams);
	list_init(&s->peers);
	list_init(&s->orphans);
	return s;
}

static void forget_calls(struct list *calls)
{
	struct list *n;

	while ((n = list_pop(calls)))
		call_forget(list_entry(n, struct ttrpc_call, node));
}

void ttrpc_server_free(struct ttrpc_server *s)
{
	struct list *n;

	if (!s)
		return;
	while ((n = list_pop(&s->peers))) {
		struct peer *p = list_entry(n, struct peer, node);

		forget_calls(&p->calls);
		conn_free(p->conn);
		free(p);
	}
	forget_calls(&s->orphans);
	while ((n = list_pop(&s->services)))
		free(list_entry(n, struct service, node));
	while ((n = list_pop(&s->streams)))
		free(list_entry(n, struct stream_method, node));
	s->freed = true;
	if (s->busy == 0)
		free(s);
}

int ttrpc_server_add(struct ttrpc_server *s, const char *name,
	const ProtobufCServiceDescriptor *desc, const ttrpc_handler *handlers,
	void *arg)
{
	struct service *v;

	if (find_service(s, name))
		return -EEXIST;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->name = name;
	v->desc = desc;
	v->handlers = handlers;
	v->arg = arg;
	list_add_tail(&s->services, &v->node);
	return 0;
}

int ttrpc_server_add_stream(struct ttrpc_server *s, const char *service,
	const ProtobufCMethodDescriptor *method, unsigned kind,
	const struct ttrpc_stream_handler *handler, void *arg)
{
	struct stream_method *m;

	if (find_stream(s, service, method->name))
		return -EEXIST;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->service = service;
	m->desc = method;
	m->kind = kind;
	m->handler = handler;
	m->arg = arg;
	list_add_tail(&s->streams, &m->node);
	return 0;
}

unsigned ttrpc_server_connections(const struct ttrpc_server *s)
{
	return s->n_peers;
}

void ttrpc_server_on_idle(
	struct ttrpc_server *s, void (*cb)(void *arg), void *arg)
{
	s->on_idle = cb;
	s->idle_arg = arg;
}

bool ttrpc_server_flushed(const struct ttrpc_server *s)
{
	struct list *n;

	for (n = s->peers.next; n != &s->peers; n = n->next) {
		if (!conn_is_flushed(list_entry(n, struct peer, node)->conn))
			return false;
	}
	return true;
}

static void each_call(const struct list *calls,
	void (*fn)(const struct ttrpc_call *call, void *arg), void *arg)
{
	struct list *n;

	for (n = calls->next; n != calls; n = n->next)
		fn(list_entry(n, struct ttrpc_call, node), arg);
}

void ttrpc_server_each_call(struct ttrpc_server *s,
	void (*fn)(const struct ttrpc_call *call, void *arg), void *arg)
{
	struct list *n;

	for (n = s->peers.next; n != &s->peers; n = n->next)
		each_call(&list_entry(n, struct peer, node)->calls, fn, arg);
	each_call(&s->orphans, fn, arg);
}
