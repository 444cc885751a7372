/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standard.h - stdin, stdout and stderr of this process, and the terminal that
 * they may be, for a tool that must not stop its loop for them.
 *
 * They are other programs' too (the shell's, a pipe's): nothing about them is
 * changed but what terminal_raw() says. On Windows what was inherited can't do
 * overlapped I/O, so each of them has a thread that does nothing but copy, and
 * the loop has a pipe to it. (Linux' wispctl relays descriptors: ctl/relay.h.
 * This is not there.)
 */
#ifndef WISP_PLATFORM_STANDARD_H
#define WISP_PLATFORM_STANDARD_H

#include "platform/host.h"
#include "platform/stream.h"

struct standard;

/* which: 0 is stdin, 1 stdout, 2 stderr. One that is not open is at its end, or
 * swallows what is written. */
int standard_open(struct event_base *base, int which, struct standard **ret);

/* To read from, or to write to; borrowed. -EPIPE: nobody reads it any more. */
struct stream *standard_stream(struct standard *s);

/* Nothing more will be written, and the stream is closed: done() runs once,
 * from the loop, when all of it has been; error is 0, or why some was lost. */
void standard_end(
	struct standard *s, void (*done)(int error, void *arg), void *arg);

/* What has not been written by then may be lost. NULL is fine. */
void standard_free(struct standard *s);

/* The terminal on stdin and stdout, raw: every key is a byte of input, and
 * control sequences mean what they do on any terminal. -ENOTTY. */
struct terminal;
int terminal_raw(struct terminal **ret);
/* As it was. NULL is fine. */
void terminal_restore(struct terminal *t);

/* Whether stdin is one; its size, false if there is none. */
bool terminal_is_there(void);
bool terminal_size(uint32_t *ret_width, uint32_t *ret_height);

/* From the loop: what is typed to end this process, or told to it, by the
 * number that process_ref_signal() has for it (0 is Ctrl-C). Instead of
 * host_signals_new(); host_signals_free() ends it. */
int standard_events_new(struct event_base *base,
	void (*event)(uint32_t number, void *arg), void *arg,
	struct host_signals **ret, struct err *e);

#endif
