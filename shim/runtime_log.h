/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime_log.h - why an OCI runtime's command failed, from its own log.
 *
 * With --log-format json, runc and crun write an object for each message, with
 * level, msg and time, on one line or on several. The last error is what a
 * person wants to read.
 */
#ifndef WISP_SHIM_RUNTIME_LOG_H
#define WISP_SHIM_RUNTIME_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/err.h"

/* Fills e with "OCI runtime <verb> failed: <last error in the log>", and the
 * code: -ESRCH if there was no process left to signal, else -EREMOTEIO. */
void runtime_log_error(
	const char *path, const char *verb, uint32_t status, struct err *e);

/* Whether an error so filled says that there is no such container. */
bool runtime_log_is_missing(const struct err *e);

#endif
