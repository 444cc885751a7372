/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.h - run a program, feed it, keep what it says, and never wait for
 * it longer than agreed.
 *
 * It is done when it has exited and its stdout and stderr have ended: both are
 * what a daemon waits for when it runs a shim's `start`.
 */
#ifndef WISP_CLIENT_PROGRAM_H
#define WISP_CLIENT_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "client/client.h"

#define CLIENT_PROGRAM_OUTPUT_MAX (10u << 20)

struct client_program_spec {
	const char *const *argv; /* argv[0] is looked up in PATH */
	const char *const *envp; /* NULL: this process's own */
	const char *cwd;         /* NULL: this process's own */
	const void *input;       /* for its stdin, copied; NULL: /dev/null */
	size_t input_n;
	bool discard; /* its output goes to /dev/null, and is not waited for */
	uint32_t timeout_ms; /* then it is killed; 0: never */
};

struct client_program_result {
	/* 0: it ended by itself, status says how. -ETIMEDOUT, or -EMSGSIZE
	 * (more output than CLIENT_PROGRAM_OUTPUT_MAX) otherwise. */
	struct err err;
	uint32_t status;           /* 0 to 255, 128+n for signal n */
	const char *out, *err_out; /* never NULL; a NUL follows the end */
	size_t out_n, err_out_n;
};

/* Everything in r is borrowed until the callback returns. */
typedef void (*client_program_cb)(
	const struct client_program_result *r, void *arg);

/* Begins. spec is borrowed for the call. A program that cannot be executed is
 * an error here. */
int client_program_run(struct client *c, const struct client_program_spec *spec,
	client_program_cb cb, void *arg, struct err *e);

/* Kills the programs that were begun with this arg; their callbacks do not
 * run. For an owner that goes before they do. */
void client_program_drop(struct client *c, const void *arg);

/* The last line of what a program wrote, without its newline, into buf: the
 * one that tells why it failed. "" if it wrote nothing. */
void client_program_last_line(
	const char *text, size_t n, char *buf, size_t buf_n);

/* For client.c only: its part in the loop. */
struct client_programs;
int client_programs_new(
	struct event_base *base, struct client_programs **ret, struct err *e);
void client_programs_free(struct client_programs *p);
struct client_programs *client_programs_of(struct client *c);

#endif
