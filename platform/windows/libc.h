/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libc.h - what the C library of Linux has and that of Windows has not, as far
 * as portable code uses it. Every file is compiled with -include of this one.
 */
#ifndef WISP_PLATFORM_WINDOWS_LIBC_H
#define WISP_PLATFORM_WINDOWS_LIBC_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* libevent's headers have these, too, and in them names that are too short to
 * be taken away from everybody. */
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <windows.h>
#undef IN
#undef OUT

/* Signals are numbers of the task API, see process_ref_signal(). */
#define SIGKILL 9
/* Never comes: a write tells. As a part of an exit status it is one all the
 * same. */
#define SIGPIPE 13

/* Beyond those of <errno.h>, which end at 140. */
#ifndef EREMOTEIO
#define EREMOTEIO 200
#endif
#ifndef EDQUOT
#define EDQUOT 201
#endif

char *strndup(const char *s, size_t n);

/* The system's own knows nothing beyond 42. */
const char *libc_strerror(int code);
#define strerror(code) libc_strerror(code)

/* The system's own is not UTF-8. What comes is good until the same variable is
 * asked for again after a change. */
char *libc_getenv(const char *name);
#define getenv(name) libc_getenv(name)

#endif
