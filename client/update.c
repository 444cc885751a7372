/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/handle.h"
#include "client/messages.h"

#define RESOURCES_URL \
	"types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"

int client_task_update(
	struct client_task *t, const char *resources, client_cb cb, void *arg)
{
	Containerd__Task__V3__UpdateTaskRequest q =
		CONTAINERD__TASK__V3__UPDATE_TASK_REQUEST__INIT;
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
	struct client_call call = {
		.method = "Update", .request = &q.base, .cb = cb, .arg = arg};

	any.type_url = RESOURCES_URL;
	any.value.data = (uint8_t *)resources;
	any.value.len = strlen(resources);
	q.id = (char *)t->container->id;
	q.resources = &any;
	return client_process_call(&t->init, &call);
}
