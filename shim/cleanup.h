/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cleanup.h - the command `delete`: a container whose shim is gone.
 *
 * containerd's runtime/v2 README, "delete". Works from what is in the bundle:
 * kills what is left, has the runtime forget the container, unmounts rootfs,
 * removes a dead socket, and prints a DeleteResponse. How init ended is told
 * as it was, if the shim lived to see it, else as a SIGKILL.
 */
#ifndef WISP_SHIM_CLEANUP_H
#define WISP_SHIM_CLEANUP_H

#include "platform/err.h"
#include "shim/args.h"

int cleanup_command(const struct args *args, struct err *e);

#endif
