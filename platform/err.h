/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h - an error with its story, in a fixed buffer.
 *
 * A struct err lives on the stack of whoever answers for the operation (an RPC
 * handler, main()). Functions that can fail for a reason worth telling take
 * one as their last argument and fill it on failure; each caller on the way up
 * may put its own words in front ("create 'web'": "mount overlay": "Invalid
 * argument"). Nothing here allocates, so an error can always be reported.
 *
 * The code is a negative errno. shim/rpc.c holds the one table that maps it to
 * a ttrpc status; these have a fixed meaning all over the project:
 *
 *   -EINVAL  the caller's request is wrong       -ENOENT  no such thing
 *   -EEXIST  the name is taken                   -EBUSY   the state forbids it
 *   -ESRCH   the process has already finished    -ENOSYS  not implemented
 *   -ETIMEDOUT  a deadline passed                -ENOMEM  no memory
 *   -EREMOTEIO  the OCI runtime refused; its own words are in the message
 */
#ifndef WISP_PLATFORM_ERR_H
#define WISP_PLATFORM_ERR_H

#include <stddef.h>
#include <stdio.h> /* Windows: __MINGW_PRINTF_FORMAT */

#define ERR_MSG_MAX 1024

struct err {
	int code; /* 0, or a negative errno */
	char msg[ERR_MSG_MAX];
};

#if defined(__MINGW_PRINTF_FORMAT)
#define ERR_PRINTF(f, a) __attribute__((format(__MINGW_PRINTF_FORMAT, f, a)))
#elif defined(__GNUC__)
#define ERR_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define ERR_PRINTF(f, a)
#endif

/* Sets code and message; returns code, so that `return err_set(e, ...)` reads
 * well. e may be NULL. A message that is too long is cut. */
int err_set(struct err *e, int code, const char *fmt, ...) ERR_PRINTF(3, 4);

/* As err_set(), and appends ": " and the system's text for code. */
int err_sys(struct err *e, int code, const char *fmt, ...) ERR_PRINTF(3, 4);

/* Puts "<text>: " in front of the message; returns the code that is there.
 * e may be NULL, in which case 0 is returned: use it only where the code is
 * at hand otherwise. */
int err_prefix(struct err *e, const char *fmt, ...) ERR_PRINTF(2, 3);

/* Puts text behind the message. e may be NULL. */
void err_append(struct err *e, const char *fmt, ...) ERR_PRINTF(2, 3);

#endif
