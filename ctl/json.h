/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - short words for writing JSON with yajl.
 *
 * Errors are sticky in yajl_gen (no memory): ctl_json_take() tells.
 */
#ifndef WISP_CTL_JSON_H
#define WISP_CTL_JSON_H

#include <stdbool.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "platform/err.h"

void ctl_json_text(yajl_gen g, const char *text);
void ctl_json_texts(yajl_gen g, const char *const *texts); /* array, to NULL */
/* Members of the open map. */
void ctl_json_key(yajl_gen g, const char *key);
void ctl_json_put(yajl_gen g, const char *key, const char *text);
/* Of any bytes, which JSON is not: what is no UTF-8 is shown as '?'. */
void ctl_json_put_bytes(yajl_gen g, const char *key, const char *bytes);
void ctl_json_put_number(yajl_gen g, const char *key, long long number);
void ctl_json_put_bool(yajl_gen g, const char *key, bool value);
/* Opens a map or an array under a key. */
void ctl_json_put_map(yajl_gen g, const char *key);
void ctl_json_put_array(yajl_gen g, const char *key);

/* Writes what was read, numbers as they were spelled. -ELOOP: too deep. */
int ctl_json_copy(yajl_gen g, yajl_val v);

/* Copies the text out, with a NUL, for the caller to free; frees g. -ENOMEM. */
int ctl_json_take(yajl_gen g, char **ret);

/* The string under a key of a map, or NULL. Borrowed. */
const char *ctl_json_get(yajl_val map, const char *key);

/* Parses a text with a NUL after its n bytes; what names it in messages, which
 * tell line and column. yajl_tree_free() frees it. -EINVAL, -ELOOP. */
int ctl_json_parse(const char *what, const char *text, size_t n, yajl_val *ret,
	struct err *e);

/* Reads a JSON file whose top is a map. The message of what is wrong with it
 * names line and column. */
int ctl_json_read(const char *path, size_t max, yajl_val *ret, struct err *e);

#endif
