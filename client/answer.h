/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.h - what a shim's `start` prints: where it listens, in one of three
 * dialects. Whatever the caller asked for, any of them is understood.
 */
#ifndef WISP_CLIENT_ANSWER_H
#define WISP_CLIENT_ANSWER_H

#include <stddef.h>

#include "platform/err.h"

#define CLIENT_ADDRESS_MAX 512

struct client_answer {
	unsigned version; /* of the task API: 2 or 3 */
	char address[CLIENT_ADDRESS_MAX];
};

/* Reads a bare address (API 2), the JSON of containerd 1.7, or a
 * BootstrapResult. text need not be a string. -EINVAL for anything else, for
 * another protocol than ttrpc, and for API versions we don't speak. */
int client_answer_parse(
	const char *text, size_t n, struct client_answer *ret, struct err *e);

#endif
