/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.h - the long-lived process: one loop, until there is nothing to do.
 *
 * It leaves when Shutdown is called with no task left; when it has had neither
 * task nor connection for a grace period (the daemon is gone, nobody will ever
 * call Shutdown); and on SIGTERM or SIGINT: at once if there is no task,
 * otherwise as soon as the last container has ended. Before it goes, events
 * and answers are delivered, within a bound. SIGUSR1: dump.h.
 */
#ifndef WISP_SHIM_SERVE_H
#define WISP_SHIM_SERVE_H

#include <stdbool.h>

#include "platform/err.h"

struct listener;

struct serve_config {
	const char *ns;
	const char *id;
	const char *address; /* our own */
	const char *ttrpc_address, *grpc_address, *publish_binary;
	const char *shim_cgroup; /* NULL: stay, until a Create has one */
	bool debug;
};

/* Without tasks and connections: WISP_GRACE_MS in the environment, else this.
 */
#define SERVE_GRACE_MS 30000

/* Consumes l. Says host_ready() itself. Returns when it is time to exit. */
int serve(const struct serve_config *config, struct listener *l, struct err *e);

#endif
