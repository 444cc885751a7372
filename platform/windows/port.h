/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port.h - the one thread that waits for overlapped I/O, and how its news get
 * into the event loops.
 *
 * libevent's loop on Windows can wait for sockets only. So one I/O completion
 * port (CreateIoCompletionPort) with one thread takes all completions, puts
 * each into a list of the loop that it belongs to, and wakes that loop through
 * a socket. Only this file has more than one thread in it: done() runs in the
 * loop, and a loop's event_base is touched by the loop's thread alone.
 *
 * An operation's memory, its buffer included, is the system's until it has
 * completed. Who does not want to wait for that gives it away with
 * port_abandon().
 */
#ifndef WISP_PLATFORM_WINDOWS_PORT_H
#define WISP_PLATFORM_WINDOWS_PORT_H

#include "platform/windows/win.h"

struct event_base;
struct port_loop;

enum port_state { PORT_IDLE, PORT_PENDING, PORT_DONE };

/* Embedded at the beginning of what the operation needs. */
struct port_op {
	OVERLAPPED ov; /* first */
	struct port_op *next;
	struct port_loop *loop; /* borrowed */
	enum port_state state;
	bool abandoned;
	DWORD error, n; /* when it is done: a Windows error code, and bytes */
	/* From the loop; the operation is idle by then. */
	void (*done)(struct port_op *op);
};

/* A loop's way to be woken: made at the first call, kept until as many
 * port_loop_put() have been made. -errno. */
int port_loop_get(struct event_base *base, struct port_loop **ret);
void port_loop_put(struct port_loop *loop);

/* The completions of a handle come here. *ret_skip: whether an operation that
 * succeeds at once tells so alone, without a completion. 0 or -errno. */
int port_attach(HANDLE h, bool *ret_skip);

/* Before an operation is begun; its ov is made ready for use. */
void port_begin(struct port_op *op);

/* It has failed at once, or succeeded without a completion to come. */
void port_ended(struct port_op *op);

/* As if it had completed: done() will run. From any thread; it was begun. */
void port_post(struct port_op *op, DWORD error);

/* Cancels an operation on h and lets go of it: its done() does not run any
 * more. Its memory, of malloc(), is freed here, or when the system has finished
 * with it. */
void port_abandon(struct port_op *op, HANDLE h);

/* Messages of a job object (JOBOBJECT_ASSOCIATE_COMPLETION_PORT) come to
 * said(), in the port's thread, until port_unwatch_job() has returned. A job
 * can be watched once. */
typedef void (*port_said)(DWORD message, DWORD pid, void *arg);
int port_watch_job(HANDLE job, port_said said, void *arg, ULONG_PTR *ret_key);
void port_unwatch_job(ULONG_PTR key);

#endif
