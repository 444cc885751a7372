/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "client/handle.h"
#include "runc_options.pb-c.h"
#include "client/messages.h"

typedef Containerd__Runc__V1__CheckpointOptions Options;

static int pack(const struct client_checkpoint *how, ProtobufCBinaryData *ret)
{
	Options o = CONTAINERD__RUNC__V1__CHECKPOINT_OPTIONS__INIT;

	o.exit = how->exit;
	o.open_tcp = how->open_tcp;
	o.external_unix_sockets = how->external_unix_sockets;
	o.terminal = how->terminal;
	o.file_locks = how->file_locks;
	if (how->work)
		o.work_path = (char *)how->work;
	if (how->parent)
		o.parent_path = (char *)how->parent;
	ret->data = malloc(
		containerd__runc__v1__checkpoint_options__get_packed_size(&o) +
		1);
	if (!ret->data)
		return -ENOMEM;
	ret->len =
		containerd__runc__v1__checkpoint_options__pack(&o, ret->data);
	return 0;
}

int client_task_checkpoint(struct client_task *t,
	const struct client_checkpoint *how, client_cb cb, void *arg)
{
	Containerd__Task__V3__CheckpointTaskRequest q =
		CONTAINERD__TASK__V3__CHECKPOINT_TASK_REQUEST__INIT;
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
	struct client_call call = {.method = "Checkpoint",
		.request = &q.base,
		.cb = cb,
		.arg = arg};
	int r = pack(how, &any.value);

	if (r < 0)
		return r;
	any.type_url = "containerd.runc.v1.CheckpointOptions";
	q.id = (char *)t->container->id;
	q.path = (char *)how->path;
	q.options = &any;
	r = client_process_call(&t->init, &call);
	free(any.value.data);
	return r;
}
