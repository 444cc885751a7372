/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ident.h - what may be the name of a container, an exec or a namespace.
 *
 * containerd's identifiers package: ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$,
 * at most 76 bytes. Such a name is safe as a file name and as an argument.
 */
#ifndef WISP_SHIM_IDENT_H
#define WISP_SHIM_IDENT_H

#include "platform/err.h"

#define IDENT_MAX 76

/* what is for the message: "container id", "namespace". -EINVAL. */
int ident_check(const char *what, const char *name, struct err *e);

#endif
