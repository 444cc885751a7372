/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpc.h - the task API (containerd.task.v2 and v3) over the tasks.
 *
 * Requests are checked here for what does not depend on a task's state; errors
 * become ttrpc statuses by the one table in rpc.c.
 */
#ifndef WISP_SHIM_RPC_H
#define WISP_SHIM_RPC_H

#include "platform/err.h"
#include "ttrpc/server.h"

struct tasks;

struct rpc_config {
	struct tasks *tasks;
	/* Shutdown was called, no task is left; the answer is on its way. */
	void (*shutdown)(void *arg);
	void *arg;
};

/* Registers the services. config is borrowed for the server's life. -ENOMEM. */
int rpc_register(struct ttrpc_server *server, struct rpc_config *config);

/* The status for an errno of err.h. */
enum ttrpc_code rpc_code(int err);

#endif
