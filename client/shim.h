/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim.h - a running shim, from outside: start one as a daemon would, or
 * connect to one that runs, and talk to it.
 *
 * A shim handle holds the one connection, the reported API version (which
 * decides whether containerd.task.v2 or v3 is called) and the calls that are
 * open on it. Tasks are made on it (task.h). It must outlive its tasks.
 */
#ifndef WISP_CLIENT_SHIM_H
#define WISP_CLIENT_SHIM_H

#include <time.h>

#include "client/client.h"
#include "client/container.h"

struct client_shim;

/*
 * Runs the shim's binary with `start` in the bundle and connects to where it
 * says it listens. cb() runs when calls can be made, or with the reason why
 * not; the handle is there at once, and is the caller's to free in any case.
 * k is borrowed for the handle's life.
 */
int client_shim_start(struct client *c, const struct client_container *k,
	client_cb cb, void *arg, struct client_shim **ret, struct err *e);

/* Connects to a shim of that namespace that runs already; -EAGAIN,
 * -ECONNREFUSED, -ENOENT as in platform/stream.h. */
int client_shim_connect(struct client *c, const char *ns, const char *address,
	unsigned version, struct client_shim **ret, struct err *e);

/* Closes the connection. The shim lives on. Callbacks of calls that are still
 * open run before this returns (Canceled). NULL is fine. */
void client_shim_free(struct client_shim *s);

/* Runs cb once from the loop when the connection breaks: as a rule, that the
 * shim's process is gone. Every open call has been answered by then. */
void client_shim_on_lost(
	struct client_shim *s, void (*cb)(void *arg), void *arg);

bool client_shim_is_connected(const struct client_shim *s);
const char *client_shim_address(const struct client_shim *s);
unsigned client_shim_version(const struct client_shim *s);
struct client *client_shim_client(const struct client_shim *s);

/* RPCs sent so far. */
unsigned long client_shim_rpcs(const struct client_shim *s);

/* Runs cb for each RPC when it is sent; method is the bare name. */
void client_shim_on_call(struct client_shim *s,
	void (*cb)(const char *method, void *arg), void *arg);

/* Ask the shim to leave, which it does if it has no containers left. That the
 * connection breaks before the answer is success. */
int client_shim_shutdown(
	struct client_shim *s, const char *id, client_cb cb, void *arg);

/* Connect: the shim's pid. *ret is filled before cb() runs. */
struct client_shim_info {
	uint32_t shim_pid, task_pid;
	char version[64];
};
int client_shim_ask_info(struct client_shim *s, const char *id,
	struct client_shim_info *ret, client_cb cb, void *arg);

/* Forgets the two calls above if they are open: their callbacks do not run, and
 * *ret is not filled. For a caller that stops waiting. */
void client_shim_forget_calls(struct client_shim *s);

/* How a process ended. */
struct client_exit {
	uint32_t pid;
	uint32_t status; /* 128+n if signal n ended it */
	struct timespec at;
};

/* Runs the shim's binary with `delete`, which cleans up after a shim that is
 * gone. d is the caller's until cb() has run or client_program_drop(c, d). */
struct client_delete {
	struct client_exit exit; /* filled before cb() runs */
	const struct client_container *container;
	client_cb cb;
	void *arg;
};
int client_shim_run_delete(struct client *c, const struct client_container *k,
	struct client_delete *d, client_cb cb, void *arg, struct err *e);

#endif
