/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener.h - accept streams from other processes on this host.
 *
 * An address is what a shim prints and a daemon dials: "unix:///path" on
 * Linux (a bare path is taken too), "\\.\pipe\name" on Windows. Paths longer
 * than sockaddr_un allows (107 bytes, unix(7)) work: they are reached through
 * a descriptor of their folder.
 *
 * A peer whose uid is neither ours nor root's is disconnected at once
 * (SO_PEERCRED, unix(7); on Windows the pipe's descriptor says so) and never
 * seen by the callback.
 */
#ifndef WISP_PLATFORM_LISTENER_H
#define WISP_PLATFORM_LISTENER_H

#include "platform/stream.h"

struct listener;

/* s is the callback's to keep. */
typedef void (*listener_cb)(struct stream *s, void *arg);

/*
 * Binds and listens, without an event loop yet: the process that announces the
 * address may still be about to fork the one that serves it. The folder must
 * exist; the socket gets mode 0600. -EADDRINUSE if the name is there already,
 * be it live or stale: listener_probe() tells which.
 */
int listener_bind(const char *address, struct listener **ret, struct err *e);

/* Begins accepting. base and arg are borrowed for the listener's life. */
int listener_start(
	struct listener *l, struct event_base *base, listener_cb cb, void *arg);

/* Stops and closes, and leaves the name in place (see listener_unlink). */
void listener_close(struct listener *l);

/* Removes an address's name. 0, also if it was gone. */
int listener_unlink(const char *address);

/* 0 if somebody listens there, else -ECONNREFUSED (stale, or its process is
 * about to be gone: it was killed), -ENOENT, ... */
int listener_probe(const char *address);

/* The same, and the pid of who listens (the process that called listen(2):
 * SO_PEERCRED, unix(7)); 0 if it is not one that we can see. */
int listener_owner(const char *address, int64_t *ret_pid);

#endif
