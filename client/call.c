/* SPDX-License-Identifier: Apache-2.0 */
#include "client/call.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "client/link.h"
#include "client/messages.h"

struct pending {
	struct list link;
	struct client_call call;
	struct event *now; /* answers what is known; NULL for an RPC */
};

static void pending_free(struct pending *p)
{
	list_del(&p->link);
	if (p->now)
		event_free(p->now);
	free(p);
}

static int code_to_errno(enum ttrpc_code code)
{
	switch (code) {
	case TTRPC_OK:
		return 0;
	case TTRPC_CANCELED:
		return -ECANCELED;
	case TTRPC_INVALID_ARGUMENT:
		return -EINVAL;
	case TTRPC_DEADLINE_EXCEEDED:
		return -ETIMEDOUT;
	case TTRPC_NOT_FOUND:
		return -ENOENT;
	case TTRPC_ALREADY_EXISTS:
		return -EEXIST;
	case TTRPC_PERMISSION_DENIED:
		return -EACCES;
	case TTRPC_RESOURCE_EXHAUSTED:
		return -ENOBUFS;
	case TTRPC_FAILED_PRECONDITION:
		return -EBUSY;
	case TTRPC_UNIMPLEMENTED:
		return -ENOSYS;
	case TTRPC_UNAVAILABLE:
		return -ENOTCONN;
	default:
		return -EREMOTEIO;
	}
}

/* Frees first: the callback may free the shim, or make the next call. */
static void pending_finish(struct pending *p, const struct err *e)
{
	struct client_call call = p->call;

	pending_free(p);
	if (call.cb)
		call.cb(e, call.arg);
}

static void on_result(const struct ttrpc_result *r, void *arg)
{
	struct pending *p = arg;
	struct err e = {0};
	int code = code_to_errno(r->code);

	if (p->call.gone_is_fine && code == -ENOTCONN)
		code = 0;
	if (code < 0)
		err_set(&e, code, "%s",
			*r->message ? r->message : ttrpc_code_name(r->code));
	else if (p->call.apply && r->response)
		code = p->call.apply(r->response, p->call.owner, p->call.ret);
	if (code < 0 && !e.code)
		err_sys(&e, code, "the answer");
	pending_finish(p, &e);
}

static void on_now(evutil_socket_t fd, short what, void *arg)
{
	static const struct err none;

	(void)fd;
	(void)what;
	pending_finish(arg, &none);
}

static struct pending *pending_new(
	struct client_shim *s, const struct client_call *call)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->call = *call;
	p->call.request = NULL;
	list_add_tail(client_shim_calls(s), &p->link);
	return p;
}

int client_call(struct client_shim *s, const struct client_call *call)
{
	const ProtobufCServiceDescriptor *desc =
		&containerd__task__v3__task__descriptor;
	const ProtobufCMethodDescriptor *method;
	struct pending *p;
	int r;

	if (!client_shim_is_connected(s))
		return -ENOTCONN;
	if (call->service)
		desc = call->desc;
	method = protobuf_c_service_descriptor_get_method_by_name(
		desc, call->method);
	p = pending_new(s, call);
	if (!p)
		return -ENOMEM;
	r = ttrpc_client_call(client_shim_link(s),
		call->service ? call->service : client_shim_service(s), method,
		call->request, 0, client_shim_ns(s), on_result, p);
	if (r < 0)
		pending_free(p);
	else
		client_shim_count_rpc(s, call->method);
	return r;
}

int client_call_known(struct client_shim *s, const struct client_call *call)
{
	static const struct timeval now;
	struct pending *p = pending_new(s, call);

	if (!p)
		return -ENOMEM;
	p->now = evtimer_new(client_base(client_shim_client(s)), on_now, p);
	if (!p->now || event_add(p->now, &now) < 0) {
		pending_free(p);
		return -ENOMEM;
	}
	return 0;
}

void client_call_drop(struct client_shim *s, const void *owner)
{
	struct list *all = client_shim_calls(s), *node, *next;

	for (node = all->next; node != all; node = next) {
		struct pending *p = list_entry(node, struct pending, link);

		next = node->next;
		if (p->call.owner != owner)
			continue;
		if (p->now) {
			pending_free(p);
			continue;
		}
		p->call.apply = NULL;
		p->call.cb = NULL;
		p->call.owner = NULL;
	}
}

void client_call_cancel_all(struct client_shim *s)
{
	struct list *node;
	struct err e;

	err_set(&e, -ECANCELED, "the connection was closed");
	while ((node = list_pop(client_shim_calls(s))))
		pending_finish(list_entry(node, struct pending, link), &e);
}
