/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - lines for the daemon's log, in the form that it writes itself:
 * time="..." level=info msg="..." id=...
 *
 * Logging never waits. Lines that nobody has room for are dropped and counted,
 * and the count is said in the next line that gets through. Only shim/ logs,
 * and each thing once.
 */
#ifndef WISP_SHIM_LOG_H
#define WISP_SHIM_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Lines below this level are not written. LOG_INFO at first. */
void log_set_level(enum log_level level);

/* id may be NULL; otherwise it becomes the key "id". */
void log_write(enum log_level level, const char *id, const char *fmt, ...)
	ERR_PRINTF(3, 4);

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

/* One line as it would be written, with its newline; for tests. Returns its
 * length, always below n. */
size_t log_format(char *buf, size_t n, enum log_level level, const char *id,
	const char *msg);

#endif
