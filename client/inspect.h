/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect.h - ask a shim what it knows, without a handle for its tasks: for
 * tools that look into shims which others drive.
 *
 * client_shim_forget_calls() (shim.h) forgets these calls, too.
 */
#ifndef WISP_CLIENT_INSPECT_H
#define WISP_CLIENT_INSPECT_H

#include "client/task.h"

#define CLIENT_INSPECT_PATH_MAX 1024

/* State. Paths that are longer are cut. */
struct client_state {
	enum client_status status;
	uint32_t pid, exit_status;
	bool terminal;
	struct timespec exited_at; /* 0: it has not */
	char bundle[CLIENT_INSPECT_PATH_MAX];
	char stdio[3][CLIENT_INSPECT_PATH_MAX]; /* stdin, stdout, stderr */
};
/* *ret is filled before cb() runs. exec_id "" is init. */
int client_ask_state(struct client_shim *s, const char *id, const char *exec_id,
	struct client_state *ret, client_cb cb, void *arg);

/* wisp.v1.Shim's Dump: *ret is a JSON document, for free(), and there before
 * cb() runs; NULL until then. -ENOSYS: this is not wisp, or an older one. */
int client_ask_dump(struct client_shim *s, char **ret, client_cb cb, void *arg);

#endif
