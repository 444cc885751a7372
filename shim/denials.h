/* SPDX-License-Identifier: Apache-2.0 */
/*
 * denials.h - the system calls that a container's seccomp profile denied.
 *
 * Denials of one kind (the call, the name of its process, the answer, and the
 * arguments that the profile looks at) are told together: the first at once,
 * with what it was called with; later ones as a number, after a second, then
 * with growing pauses, of ten seconds in the end. Told is a line in the shim's
 * log and one, of JSON, in DENIALS_FILE of the bundle. What is told of new
 * kinds is limited, too (a process may rename itself a thousand times a
 * second); what is beyond that is counted. The file does not grow beyond 256
 * KiB: it is then replaced by one with a line for each kind that is remembered.
 */
#ifndef WISP_SHIM_DENIALS_H
#define WISP_SHIM_DENIALS_H

#include <stdint.h>

#include "platform/err.h"
#include "platform/seccomp.h"

#define DENIALS_FILE "seccomp.log"

/* Written by `wispctl seccomp prepare`: the profile as a filter, and a line for
 * each call: its name, what its arguments are, what the profile says. */
#define DENIALS_FILTER "seccomp-explain.bpf"
#define DENIALS_TABLE "seccomp-explain.table"

struct denials;
struct event_base;
struct json_out;

/* id and bundle are borrowed. -ENOENT: there is no filter. */
int denials_new(struct event_base *base, const char *id, const char *bundle,
	struct denials **ret, struct err *e);

/* The decide() and answered() of seccomp.h; arg is a struct denials. */
uint32_t denials_decide(const struct seccomp_call *call, void *arg);
void denials_answered(void *arg);

/* Members of the open object, for the dump. */
void denials_put(const struct denials *d, struct json_out *o);

/* Tells what is untold. NULL is fine. */
void denials_free(struct denials *d);

#endif
