/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uri.h - what a stdio path in a request means.
 *
 * "" is the null device, a bare path (or fifo://path) a FIFO that the daemon
 * made, file:///path a log file, binary:///path?k=v a logger. containerd's
 * docs/logging.md and pkg/cio have the forms.
 */
#ifndef WISP_IO_URI_H
#define WISP_IO_URI_H

#include "platform/err.h"

#define URI_PATH_MAX 4096

enum uri_scheme { URI_NULL, URI_FIFO, URI_FILE, URI_BINARY };

struct uri {
	enum uri_scheme scheme;
	char path[URI_PATH_MAX]; /* absolute, unescaped; "" for URI_NULL */
};

/* NULL is taken as "". -EINVAL names what is wrong: an unknown scheme, a path
 * that is not absolute or has ".." in it, a bad %-escape, too long. */
int uri_parse(const char *text, struct uri *ret, struct err *e);

#endif
