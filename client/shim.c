/* SPDX-License-Identifier: Apache-2.0 */
#include "client/shim.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/answer.h"
#include "client/call.h"
#include "client/command.h"
#include "client/link.h"
#include "client/messages.h"

#define CONNECT_RETRY_MS 10
#define CONNECT_TRIES 300

struct client_shim {
	struct client *client;                    /* borrowed */
	const struct client_container *container; /* borrowed; while starting */
	const char *ns;                           /* borrowed */
	struct client_answer answer;
	struct ttrpc_client *link; /* NULL until connected */
	bool lost;
	struct list calls;
	unsigned long rpcs;
	struct event *retry; /* NULL unless connecting was put off */
	unsigned tries;
	client_cb started; /* NULL once told */
	void *started_arg;
	void (*on_lost)(void *arg);
	void *on_lost_arg;
	void (*on_call)(const char *method, void *arg);
	void *on_call_arg;
};

struct list *client_shim_calls(struct client_shim *s)
{
	return &s->calls;
}

struct ttrpc_client *client_shim_link(struct client_shim *s)
{
	return s->link;
}

const char *client_shim_service(const struct client_shim *s)
{
	return s->answer.version == 2 ? "containerd.task.v2.Task"
				      : "containerd.task.v3.Task";
}

const char *client_shim_ns(const struct client_shim *s)
{
	return s->ns;
}

void client_shim_count_rpc(struct client_shim *s, const char *method)
{
	s->rpcs++;
	if (s->on_call)
		s->on_call(method, s->on_call_arg);
}

void client_shim_on_call(struct client_shim *s,
	void (*cb)(const char *method, void *arg), void *arg)
{
	s->on_call = cb;
	s->on_call_arg = arg;
}

unsigned long client_shim_rpcs(const struct client_shim *s)
{
	return s->rpcs;
}

bool client_shim_is_connected(const struct client_shim *s)
{
	return s->link && !s->lost;
}

const char *client_shim_address(const struct client_shim *s)
{
	return s->answer.address;
}

unsigned client_shim_version(const struct client_shim *s)
{
	return s->answer.version;
}

struct client *client_shim_client(const struct client_shim *s)
{
	return s->client;
}

void client_shim_on_lost(
	struct client_shim *s, void (*cb)(void *arg), void *arg)
{
	s->on_lost = cb;
	s->on_lost_arg = arg;
}

static struct client_shim *shim_new(struct client *c, const char *ns)
{
	struct client_shim *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->client = c;
	s->ns = ns;
	list_init(&s->calls);
	return s;
}

void client_shim_free(struct client_shim *s)
{
	if (!s)
		return;
	client_program_drop(s->client, s);
	ttrpc_client_free(s->link);
	s->link = NULL;
	client_call_cancel_all(s);
	if (s->retry)
		event_free(s->retry);
	free(s);
}

static void on_closed(int error, void *arg)
{
	struct client_shim *s = arg;

	(void)error;
	s->lost = true;
	if (s->on_lost)
		s->on_lost(s->on_lost_arg);
}

static int shim_dial(struct client_shim *s, struct err *e)
{
	struct event_base *base = client_base(s->client);
	struct stream *stream;
	int r = stream_connect(base, s->answer.address, &stream, e);

	if (r < 0)
		return r;
	s->link = ttrpc_client_new(base, stream, on_closed, s);
	if (!s->link)
		return err_sys(e, -ENOMEM, "connect to the shim");
	return 0;
}

int client_shim_connect(struct client *c, const char *ns, const char *address,
	unsigned version, struct client_shim **ret, struct err *e)
{
	struct client_shim *s = shim_new(c, ns);
	int r;

	if (!s)
		return err_sys(e, -ENOMEM, "connect to '%s'", address);
	s->answer.version = version;
	snprintf(s->answer.address, sizeof(s->answer.address), "%s", address);
	r = shim_dial(s, e);
	if (r < 0) {
		client_shim_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

/* Last thing done with s: the callback may free it. */
static void shim_told(struct client_shim *s, const struct err *e)
{
	client_cb cb = s->started;

	s->started = NULL;
	cb(e, s->started_arg);
}

static void on_retry(evutil_socket_t fd, short what, void *arg);

/* The shim listens (it said so), but its queue may be full. */
static void shim_dial_or_retry(struct client_shim *s)
{
	static const struct timeval later = {0, CONNECT_RETRY_MS * 1000};
	struct err e = {0};
	int r = shim_dial(s, &e);

	if (r != -EAGAIN || s->tries++ >= CONNECT_TRIES) {
		shim_told(s, &e);
		return;
	}
	if (!s->retry)
		s->retry = evtimer_new(client_base(s->client), on_retry, s);
	if (!s->retry || event_add(s->retry, &later) < 0)
		shim_told(s, &e);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	shim_dial_or_retry(arg);
}

static void on_start_ended(const struct client_program_result *r, void *arg)
{
	struct client_shim *s = arg;
	struct err e = {0};

	if (client_command_failed(r, s->container, "start", &e) == 0 &&
		client_answer_parse(r->out, r->out_n, &s->answer, &e) == 0)
		shim_dial_or_retry(s);
	else
		shim_told(s, &e);
}

int client_shim_start(struct client *c, const struct client_container *k,
	client_cb cb, void *arg, struct client_shim **ret, struct err *e)
{
	struct client_shim *s = shim_new(c, k->ns);
	int r;

	if (!s)
		return err_sys(e, -ENOMEM, "start shim '%s'", k->shim);
	s->container = k;
	s->started = cb;
	s->started_arg = arg;
	r = client_command_run(c, k, "start", on_start_ended, s, e);
	if (r < 0) {
		client_shim_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

int client_shim_shutdown(
	struct client_shim *s, const char *id, client_cb cb, void *arg)
{
	Containerd__Task__V3__ShutdownRequest q =
		CONTAINERD__TASK__V3__SHUTDOWN_REQUEST__INIT;
	struct client_call call = {.method = "Shutdown",
		.request = &q.base,
		.owner = s,
		.gone_is_fine = true,
		.cb = cb,
		.arg = arg};

	q.id = (char *)id;
	return client_call(s, &call);
}

static int apply_info(const ProtobufCMessage *m, void *owner, void *ret)
{
	const Containerd__Task__V3__ConnectResponse *a = (const void *)m;
	struct client_shim_info *info = ret;

	(void)owner;
	info->shim_pid = a->shim_pid;
	info->task_pid = a->task_pid;
	snprintf(info->version, sizeof(info->version), "%s", a->version);
	return 0;
}

int client_shim_ask_info(struct client_shim *s, const char *id,
	struct client_shim_info *ret, client_cb cb, void *arg)
{
	Containerd__Task__V3__ConnectRequest q =
		CONTAINERD__TASK__V3__CONNECT_REQUEST__INIT;
	struct client_call call = {.method = "Connect",
		.request = &q.base,
		.owner = s,
		.apply = apply_info,
		.ret = ret,
		.cb = cb,
		.arg = arg};

	q.id = (char *)id;
	return client_call(s, &call);
}

void client_shim_forget_calls(struct client_shim *s)
{
	client_call_drop(s, s);
}
