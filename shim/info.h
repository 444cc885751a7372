/* SPDX-License-Identifier: Apache-2.0 */
/*
 * info.h - the flag -info: what this shim and its OCI runtime can do.
 *
 * Reads the runtime options (an Any) on stdin, prints a RuntimeInfo with the
 * answer of the runtime's `features` command (runtime-spec's features.md).
 */
#ifndef WISP_SHIM_INFO_H
#define WISP_SHIM_INFO_H

#include "platform/err.h"

int info_command(struct err *e);

#endif
