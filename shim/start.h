/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start.h - the command `start`: have a shim for this container, say where.
 *
 * containerd's runtime/v2 README, "start". One process binds the socket and
 * splits in two (host_split): one prints the answer and ends, the other one
 * serves. There is no exec in between.
 */
#ifndef WISP_SHIM_START_H
#define WISP_SHIM_START_H

#include <stddef.h>
#include <stdint.h>

#include "platform/err.h"
#include "shim/args.h"

/* Returns in both processes; 0 if all went well. */
int start_command(const struct args *args, struct err *e);

/* How an answer is to be put; in the order in which daemons learned it. */
enum start_dialect { START_BARE, START_JSON, START_BOOTSTRAP };

/* Packs the answer into buf. Its length, or -ENAMETOOLONG. */
int start_answer(enum start_dialect dialect, const char *address, uint8_t *buf,
	size_t n);

#endif
