/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container.h - what a daemon knows of a container before it runs: whose it
 * is, where it lies, and which programs make it a task.
 *
 * Plain data; every string is the caller's and must stay as long as what was
 * made from it (a shim, a task).
 */
#ifndef WISP_CLIENT_CONTAINER_H
#define WISP_CLIENT_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/err.h"

/* Which daemon to be like when the shim's binary is run. The answer is
 * understood in any dialect. */
enum client_dialect {
	CLIENT_DIALECT_JSON,      /* containerd 1.7 to 2.2 */
	CLIENT_DIALECT_ADDRESS,   /* 1.6 and older: no MAX_SHIM_VERSION */
	CLIENT_DIALECT_BOOTSTRAP, /* 2.3 and later: BootstrapParams on stdin */
};

struct client_container {
	const char *ns, *id;
	const char *bundle;       /* absolute path */
	const char *shim;         /* the shim's binary, absolute or in PATH */
	const char *events;       /* where events go: TTRPC_ADDRESS */
	const char *publisher;    /* -publish-binary; NULL: not given */
	const char *runtime;      /* OCI runtime, name or path; NULL: the shim's
				   * choice */
	const char *runtime_root; /* of the runtime's state; NULL: default */
	const char
		*socket_dir; /* CLIENT_DIALECT_BOOTSTRAP only; NULL: default */
	const char *checkpoint; /* a folder to restore from; NULL: none */
	bool debug;
	enum client_dialect dialect;
	uint32_t timeout_ms; /* for the binary's commands; 0: 10 s */
};

/* "What may be an id or a namespace": containerd's identifier rules, 1 to 76
 * letters and digits, with single '.', '-' or '_' between them. */
bool client_id_is_valid(const char *id);

#endif
