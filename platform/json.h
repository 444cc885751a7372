/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - read a JSON document for a few of its values.
 *
 * A document is walked once; each scalar is handed out with the path that
 * leads to it: "linux.namespaces[].type". No tree is built: what is kept in
 * memory does not depend on the document, and nothing is kept afterwards.
 */
#ifndef WISP_PLATFORM_JSON_H
#define WISP_PLATFORM_JSON_H

#include <stddef.h>

#include "platform/err.h"

/* Deeper documents, and longer paths, are refused. */
#define JSON_DEPTH_MAX 64
#define JSON_PATH_MAX 1024

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_OBJECT,
	JSON_ARRAY
};

/* Numbers, booleans ("true", "false") and strings (unescaped) come as text of
 * n bytes without a NUL at the end; an object or an array comes with n 0 when
 * it begins. */
typedef void (*json_cb)(const char *path, enum json_type type, const char *text,
	size_t n, void *arg);

/* 0, or -EINVAL with line and column in the message, -ENOMEM. cb may be NULL
 * where only the syntax matters. */
int json_scan(const char *data, size_t n, json_cb cb, void *arg, struct err *e);

/* What json_walk() hands out: as above, and the end of each object and array
 * (JSON_END). path + key is the name in an object; in an array, and at the top,
 * key is JSON_NO_KEY. */
#define JSON_END ((enum json_type)(JSON_ARRAY + 1))
#define JSON_NO_KEY ((size_t)-1)

struct json_token {
	const char *path;
	size_t key;
	enum json_type type;
	const char *text;
	size_t n;
};

typedef void (*json_walk_cb)(const struct json_token *t, void *arg);

/* For who wants to write it again. Errors as json_scan()'s. */
int json_walk(
	const char *data, size_t n, json_walk_cb cb, void *arg, struct err *e);

/* 0 if the document is an object; else as json_scan(). */
int json_check_object(const char *data, size_t n, struct err *e);

#endif
