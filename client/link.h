/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h - what call.c needs to know of a shim. For client/ itself.
 */
#ifndef WISP_CLIENT_LINK_H
#define WISP_CLIENT_LINK_H

#include "client/shim.h"
#include "ttrpc/client.h"
#include "ttrpc/list.h"

/* Every open call is on this list. */
struct list *client_shim_calls(struct client_shim *s);

/* NULL before it is connected. */
struct ttrpc_client *client_shim_link(struct client_shim *s);

/* "containerd.task.v2.Task" or v3. */
const char *client_shim_service(const struct client_shim *s);
const char *client_shim_ns(const struct client_shim *s);
void client_shim_count_rpc(struct client_shim *s, const char *method);

#endif
