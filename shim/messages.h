/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages.h - the generated messages that the shim speaks, under short names.
 *
 * Some fields are called stdin, stdout and stderr, which <stdio.h> may define
 * as macros with arguments of their own (it does on Windows). Files that
 * include this use those fields and not the streams.
 */
#ifndef WISP_SHIM_MESSAGES_H
#define WISP_SHIM_MESSAGES_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#undef stdin
#undef stdout
#undef stderr

#include "events.pb-c.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/empty.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "runc_options.pb-c.h"
#include "task.pb-c.h"

typedef Google__Protobuf__Any Any;
typedef Google__Protobuf__Timestamp Timestamp;

/* Whether an Any holds this message, with or without a prefix such as
 * "type.googleapis.com/" before its name. */
static inline bool any_is(const Any *any, const char *name)
{
	size_t n = strlen(name), len = strlen(any->type_url);

	return len >= n && strcmp(any->type_url + len - n, name) == 0 &&
	       (len == n || any->type_url[len - n - 1] == '/');
}

#endif
