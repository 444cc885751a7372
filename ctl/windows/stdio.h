/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stdio.h - what a process in a container reads and writes, on its way from and
 * to what wispctl itself has for stdin, stdout and stderr.
 *
 * wispctl is the daemon here: it serves a pipe for each, and the shim dials.
 */
#ifndef WISP_CTL_WINDOWS_STDIO_H
#define WISP_CTL_WINDOWS_STDIO_H

#include "client/client.h"
#include "client/task.h"

#define CTL_PIPE_NAME_MAX 256

struct ctl_pipes;

struct ctl_stdio {
	struct client *client; /* borrowed */
	bool terminal;
	char name[3][CTL_PIPE_NAME_MAX]; /* pipes; "": there is none */
	struct ctl_pipes *pipe[3];
	bool drained;     /* all that came is written */
	bool reader_gone; /* nobody reads what we write any more */
	int error;        /* why some of the output is lost; 0: none is */
	bool end_input;   /* stdin is at its end, and nobody was told yet */
	struct client_process *process; /* NULL until ctl_stdio_feed() */
};

/* Makes the pipes wispctl-<id>-stdin and so on. With a terminal there is no
 * stderr. To be closed also after a failure. */
int ctl_stdio_open(struct ctl_stdio *io, struct client *c, const char *id,
	bool interactive, bool terminal, struct err *e);

/* As a shim is told of it. */
void ctl_stdio_uris(const struct ctl_stdio *io, struct client_stdio *ret);

/* From now on the process gets stdin, and CloseIO at its end; and is killed if
 * nobody reads what it writes. */
int ctl_stdio_feed(
	struct ctl_stdio *io, struct client_process *p, struct err *e);

/* Runs the loop until all output is written, or nothing comes any more. */
int ctl_stdio_drain(struct ctl_stdio *io);

void ctl_stdio_close(struct ctl_stdio *io);

#endif
