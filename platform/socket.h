/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket.h - the name of a shim's socket, and who gets to have it.
 */
#ifndef WISP_PLATFORM_SOCKET_H
#define WISP_PLATFORM_SOCKET_H

#include <stddef.h>

#include "platform/err.h"

struct listener;

#define SOCKET_ADDRESS_MAX 4096

/*
 * Linux: unix://<dir>/<64 hex digits>, the digits being the SHA-256 of the
 * daemon's address, the namespace and the group (a container's own id, if it
 * has none). dir NULL or "" is the default (host_own_dir). Windows: a pipe that
 * is named after namespace and group and that only administrators may open.
 */
int socket_address(const char *dir, const char *daemon, const char *ns,
	const char *group, char *buf, size_t n, struct err *e);

/*
 * Binds it. A socket whose owner is dead is replaced; of several that try at
 * once, one succeeds. 1 and no listener if a shim listens there already.
 */
int socket_claim(const char *address, struct listener **ret, struct err *e);

#endif
