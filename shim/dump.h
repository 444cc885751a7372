/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump.h - what this shim knows and waits for, as one JSON document.
 *
 * It is made when somebody asks, by the method Dump of the service
 * wisp.v1.Shim (proto/wisp.proto), or by SIGUSR1, which has it written to
 * dump.json in the bundle. Nothing in it is asked of a process, the OCI runtime
 * or the daemon, so it works when all of them hang or are gone. Until then it
 * costs nothing.
 *
 *   version, pid, namespace, id, address, cwd, uptimeMs, time
 *   memory    residentKiB, proportionalKiB, ownKiB
 *   open      what is open: fd, what, waiting and room (bytes in a pipe or
 *             FIFO, and how many it holds)
 *   calls     ttrpc calls not answered yet: service, method, ageMs, gone (the
 *             caller is); connections: how many there are
 *   events    for the daemon: waiting, bytes, oldestMs, topic, sending,
 *             connected, lost, refusals, failure, failedMs (ago), to
 *   commands  of the OCI runtime under way: container, verb, pid, ageMs,
 *             limitMs, killed, and the process as below
 *   children  this process's: pid, name, state, ageMs, command, waitsIn (a
 *             function of the kernel), syscall (its number)
 *   exits     watched: processes whose exit is awaited; parked: exits of
 *             processes that nobody knows yet
 *   containers  id, bundle, runtime, runtimeRoot, policy, oomKills, ...; init
 *             and execs: id, state, pid, exited, status, exitedAt, told,
 *             waiters, deleters, stdio, loggers
 *   stdio     fd, uri, and the counters of struct flow_stats
 *
 * truncated is true if there was more than a message has room for.
 */
#ifndef WISP_SHIM_DUMP_H
#define WISP_SHIM_DUMP_H

#include "platform/err.h"

struct publisher;
struct reaper;
struct serve_config;
struct tasks;
struct ttrpc_server;

#define DUMP_FILE "dump.json"

/* Everything is borrowed. */
struct dump_source {
	const struct serve_config *config;
	struct tasks *tasks;
	struct ttrpc_server *server;
	struct publisher *publisher;
	struct reaper *reaper;
};

/* Writes it to DUMP_FILE in the working folder, which is the bundle of the
 * first container, or, if that is gone, in the bundle of one that is there; and
 * logs where. */
void dump_write(const struct dump_source *d);

/* d is borrowed for the server's life. */
int dump_register(struct ttrpc_server *server, struct dump_source *d);

#endif
