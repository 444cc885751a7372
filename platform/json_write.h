/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_write.h - write a JSON document into memory.
 *
 *     struct json_out o = {0};
 *     json_open(&o, NULL, '{');
 *     json_text(&o, "id", id);
 *     json_close(&o);
 *     if (json_ok(&o)) ... o.data, o.n ...
 *     free(o.data);
 *
 * Errors are sticky: what cannot be stored for want of memory makes json_ok()
 * false in the end. Text may be any bytes; what is no UTF-8 becomes '?'.
 */
#ifndef WISP_PLATFORM_JSON_WRITE_H
#define WISP_PLATFORM_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_OUT_DEPTH 16

struct json_out {
	char *data; /* the caller's to free */
	size_t n, room;
	bool no_memory;
	unsigned depth;
	bool more[JSON_OUT_DEPTH]; /* a comma comes before the next member */
	char end[JSON_OUT_DEPTH];
};

/* key is NULL in an array, and at the top. */
void json_open(struct json_out *o, const char *key, char kind); /* '{' or '[' */
void json_close(struct json_out *o);
/* NULL is null. */
void json_text(struct json_out *o, const char *key, const char *text);
void json_number(struct json_out *o, const char *key, int64_t number);
void json_bool(struct json_out *o, const char *key, bool value);
/* n bytes that are a JSON value. */
void json_raw(struct json_out *o, const char *key, const char *text, size_t n);

/* Whole, and nothing is missing. */
bool json_ok(const struct json_out *o);

#endif
