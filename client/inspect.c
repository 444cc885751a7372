/* SPDX-License-Identifier: Apache-2.0 */
#include "client/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/call.h"
#include "client/messages.h"
#include "wisp.pb-c.h"

static void copy(char *to, const char *from)
{
	snprintf(to, CLIENT_INSPECT_PATH_MAX, "%s", from);
}

static int apply_state(const ProtobufCMessage *m, void *owner, void *ret)
{
	const Containerd__Task__V3__StateResponse *a = (const void *)m;
	struct client_state *s = ret;

	(void)owner;
	memset(s, 0, sizeof(*s));
	s->status = (enum client_status)a->status;
	s->pid = a->pid;
	s->exit_status = a->exit_status;
	s->terminal = a->terminal;
	if (a->exited_at) {
		s->exited_at.tv_sec = a->exited_at->seconds;
		s->exited_at.tv_nsec = a->exited_at->nanos;
	}
	copy(s->bundle, a->bundle);
	copy(s->stdio[0], a->stdin);
	copy(s->stdio[1], a->stdout);
	copy(s->stdio[2], a->stderr);
	return 0;
}

int client_ask_state(struct client_shim *s, const char *id, const char *exec_id,
	struct client_state *ret, client_cb cb, void *arg)
{
	Containerd__Task__V3__StateRequest q =
		CONTAINERD__TASK__V3__STATE_REQUEST__INIT;
	struct client_call call = {.method = "State",
		.request = &q.base,
		.owner = s,
		.apply = apply_state,
		.ret = ret,
		.cb = cb,
		.arg = arg};

	q.id = (char *)id;
	q.exec_id = (char *)exec_id;
	return client_call(s, &call);
}

static int apply_dump(const ProtobufCMessage *m, void *owner, void *ret)
{
	const Wisp__V1__DumpResponse *a = (const void *)m;
	char *text = malloc(a->json.len + 1);

	(void)owner;
	if (!text)
		return -ENOMEM;
	if (a->json.len > 0)
		memcpy(text, a->json.data, a->json.len);
	text[a->json.len] = '\0';
	*(char **)ret = text;
	return 0;
}

int client_ask_dump(struct client_shim *s, char **ret, client_cb cb, void *arg)
{
	Google__Protobuf__Empty q = GOOGLE__PROTOBUF__EMPTY__INIT;
	struct client_call call = {.method = "Dump",
		.service = "wisp.v1.Shim",
		.desc = &wisp__v1__shim__descriptor,
		.request = &q.base,
		.owner = s,
		.apply = apply_dump,
		.ret = ret,
		.cb = cb,
		.arg = arg};

	*ret = NULL;
	return client_call(s, &call);
}
