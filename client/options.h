/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - a container's task options (containerd.runc.v1.Options), packed
 * as the Any that travels on the stdin of `start` and in CreateTaskRequest.
 * For client/ itself.
 */
#ifndef WISP_CLIENT_OPTIONS_H
#define WISP_CLIENT_OPTIONS_H

#include "client/container.h"
#include "google/protobuf/any.pb-c.h"

/* *ret is the caller's to free. -ENOMEM. */
int client_options_new(
	const struct client_container *k, Google__Protobuf__Any **ret);
void client_options_free(Google__Protobuf__Any *any);

/* The message m as an Any of that type. For client_options_new(), which each
 * system has its own of. -ENOMEM. */
int client_options_wrap(const char *type, const ProtobufCMessage *m,
	Google__Protobuf__Any **ret);

#endif
