/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.h - one RPC to a shim, remembered until it is answered. For client/
 * itself: shim.h and task.h are what others use.
 */
#ifndef WISP_CLIENT_CALL_H
#define WISP_CLIENT_CALL_H

#include <protobuf-c/protobuf-c.h>

#include "client/shim.h"
#include "ttrpc/list.h"

/* What an answer tells is recorded before the caller hears of it. */
typedef int (*client_apply)(
	const ProtobufCMessage *response, void *owner, void *ret);

struct client_call {
	const char *method;  /* of containerd.task.v2 or v3.Task, or of this: */
	const char *service; /* its name, with desc; NULL: as above */
	const ProtobufCServiceDescriptor *desc;
	const ProtobufCMessage *request; /* borrowed for the call */
	void *owner;                     /* the handle the call is made on */
	client_apply apply; /* NULL: nothing to record; 0 or -errno */
	void *ret;          /* apply's, e.g. the caller's variable */
	bool gone_is_fine;  /* a broken connection is success */
	client_cb cb;
	void *arg;
};

/* Sends. 0, or -ENOMEM, -EMSGSIZE, -ENOTCONN: then nothing will run. */
int client_call(struct client_shim *s, const struct client_call *call);

/* Answers from the loop, without an RPC: what is asked is known already. */
int client_call_known(struct client_shim *s, const struct client_call *call);

/* Forgets the open calls of an owner that goes: their answers are not
 * recorded and their callbacks do not run. */
void client_call_drop(struct client_shim *s, const void *owner);

/* For client_shim_free(), once the connection is closed: what is left are
 * answers that were to come from client_call_known(). */
void client_call_cancel_all(struct client_shim *s);

#endif
