/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay.h - move bytes one way between two descriptors, with bounded memory,
 * without ever blocking the loop and without changing what is ours to share:
 * wispctl's stdin and stdout are other programs' too (the shell's, a pipe's),
 * so they must not be made non-blocking; ctl_relay_own() gets around that.
 */
#ifndef WISP_CTL_RELAY_H
#define WISP_CTL_RELAY_H

#include <stdbool.h>

struct event_base;
struct ctl_relay;

/* error: 0 when the source has ended and all of it was written; -EPIPE when
 * nobody reads any more; another -errno. Runs once, from the loop. */
typedef void (*ctl_relay_cb)(int error, void *arg);

/* Begins. Consumes both descriptors, also on failure (NULL: no memory). */
struct ctl_relay *ctl_relay_new(struct event_base *base, int from, int to,
	ctl_relay_cb done, void *arg);

/* That nobody reads any more does not end it then: gone() runs, once, from the
 * loop, and the rest is taken and dropped. For the output of a shim, which
 * waits for a while for what is not taken. */
void ctl_relay_outlive(struct ctl_relay *r, void (*gone)(void *arg));

/* Stops and closes. NULL is fine. */
void ctl_relay_free(struct ctl_relay *r);

bool ctl_relay_is_done(const struct ctl_relay *r);

/* Bytes so far, and whether some wait for room at the destination: if not,
 * and none came, then the source is what is waited for. */
unsigned long long ctl_relay_bytes(const struct ctl_relay *r);
bool ctl_relay_is_stuck(const struct ctl_relay *r);

/* A descriptor of our own for one that we inherited: opened anew through
 * /proc where that can be (pipes, terminals), else a duplicate. -errno. */
int ctl_relay_own(int fd);

#endif
