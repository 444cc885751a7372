/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uri.h - what a stdio path in a request means.
 *
 * "" is the null device, a bare path (or fifo://path) a FIFO that the daemon
 * made, file:///path a log file, binary:///path?k=v a logger, binary-v2:// one
 * that says when it is ready. containerd's docs/logging.md and pkg/cio have
 * the forms.
 */
#ifndef WISP_IO_URI_H
#define WISP_IO_URI_H

#include <stdbool.h>

#include "platform/err.h"

#define URI_PATH_MAX 4096

enum uri_scheme { URI_NULL, URI_FIFO, URI_FILE, URI_BINARY, URI_BINARY_V2 };

struct uri {
	enum uri_scheme scheme;
	char path[URI_PATH_MAX]; /* absolute, unescaped; "" for URI_NULL */
};

/* NULL is taken as "". -EINVAL names what is wrong: an unknown scheme, a path
 * that is not absolute or has ".." in it, a bad %-escape, too long. */
int uri_parse(const char *text, struct uri *ret, struct err *e);

bool uri_is_logger(const struct uri *u);

/*
 * The command line that a logger's URI asks for: its path, then each key and
 * value of the query in the order given, `binary:///bin/log?k=v&k2` is
 * "/bin/log" "k" "v" "k2" "". Escapes and '+' are undone as in a form
 * (application/x-www-form-urlencoded), which is how clients write them. The
 * reference shim's order is random, and of a key that is there twice it takes
 * the first; here all of them are passed.
 *
 * NULL at the end; one block of memory, for free(). -EINVAL: a bad %-escape;
 * -ENOMEM.
 */
int uri_argv(const char *text, const char ***ret, struct err *e);

#endif
