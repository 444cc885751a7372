/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

/*
 * yajl does not look whether memory was to be had. So it gets an arena: when
 * that cannot grow we leave the parser by a jump, and whatever it had is freed
 * with the arena, all at once.
 */
struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(16) char data[];
};

struct scan {
	json_cb cb;
	json_walk_cb walk; /* instead of cb, or NULL */
	void *arg;
	struct chunk *chunks;
	jmp_buf out_of_memory;
	unsigned depth;
	bool is_array[JSON_DEPTH_MAX];
	size_t base[JSON_DEPTH_MAX]; /* the path's length at each depth */
	size_t key[JSON_DEPTH_MAX];  /* where the name of what is read begins */
	char path[JSON_PATH_MAX];
	size_t len;
};

#define CHUNK_MIN 2048

static void *arena_malloc(void *ctx, size_t n)
{
	struct scan *s = ctx;
	struct chunk *c = s->chunks;
	size_t need = (n + 16 + 15) & ~(size_t)15; /* its size goes before it */
	size_t *p;

	if (!c || c->size - c->used < need) {
		size_t size = need > CHUNK_MIN ? need : CHUNK_MIN;

		c = need < n ? NULL : malloc(sizeof(*c) + size);
		if (!c)
			longjmp(s->out_of_memory, 1);
		c->next = s->chunks;
		c->used = 0;
		c->size = size;
		s->chunks = c;
	}
	p = (size_t *)(void *)(c->data + c->used);
	c->used += need;
	*p = n;
	return (char *)p + 16;
}

static void arena_free(void *ctx, void *p)
{
	(void)ctx;
	(void)p;
}

static void *arena_realloc(void *ctx, void *p, size_t n)
{
	void *q = arena_malloc(ctx, n);

	if (p) {
		size_t old = *(size_t *)(void *)((char *)p - 16);

		memcpy(q, p, old < n ? old : n);
	}
	return q;
}

static void arena_clear(struct scan *s)
{
	while (s->chunks) {
		struct chunk *next = s->chunks->next;

		free(s->chunks);
		s->chunks = next;
	}
}

static void report(
	struct scan *s, enum json_type type, const char *text, size_t n)
{
	s->path[s->len] = '\0';
	if (s->walk) {
		struct json_token t = {.path = s->path,
			.key = s->depth > 0 && !s->is_array[s->depth - 1]
				       ? s->key[s->depth - 1]
				       : JSON_NO_KEY,
			.type = type,
			.text = text,
			.n = n};

		s->walk(&t, s->arg);
	} else if (s->cb) {
		s->cb(s->path, type, text, n, s->arg);
	}
}

static int on_null(void *ctx)
{
	report(ctx, JSON_NULL, "null", 4);
	return 1;
}

static int on_bool(void *ctx, int b)
{
	report(ctx, JSON_BOOL, b ? "true" : "false", b ? 4 : 5);
	return 1;
}

static int on_number(void *ctx, const char *text, size_t n)
{
	report(ctx, JSON_NUMBER, text, n);
	return 1;
}

static int on_string(void *ctx, const unsigned char *text, size_t n)
{
	report(ctx, JSON_STRING, (const char *)text, n);
	return 1;
}

static int enter(struct scan *s, bool is_array)
{
	report(s, is_array ? JSON_ARRAY : JSON_OBJECT, "", 0);
	if (s->depth == JSON_DEPTH_MAX || s->len + 3 > sizeof(s->path))
		return 0;
	s->base[s->depth] = s->len;
	s->is_array[s->depth++] = is_array;
	if (is_array) {
		memcpy(s->path + s->len, "[]", 2);
		s->len += 2;
	}
	return 1;
}

static int leave(struct scan *s)
{
	s->len = s->base[--s->depth];
	if (s->walk)
		report(s, JSON_END, "", 0);
	return 1;
}

static int on_map(void *ctx)
{
	return enter(ctx, false);
}

static int on_key(void *ctx, const unsigned char *key, size_t n)
{
	struct scan *s = ctx;

	s->len = s->base[s->depth - 1];
	if (s->len + n + 4 > sizeof(s->path) || memchr(key, '\0', n))
		return 0;
	if (s->len > 0)
		s->path[s->len++] = '.';
	s->key[s->depth - 1] = s->len;
	memcpy(s->path + s->len, key, n);
	s->len += n;
	return 1;
}

static int on_array(void *ctx)
{
	return enter(ctx, true);
}

static int on_end(void *ctx)
{
	return leave(ctx);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end,
	.yajl_start_array = on_array,
	.yajl_end_array = on_end,
};

static int say_where(yajl_handle h, yajl_status st, const char *data, size_t at,
	struct err *e)
{
	size_t i, line = 1, column = 1;
	const char *why = "too deep, or a name is too long, or has a NUL";
	char *text = NULL;

	if (st == yajl_status_error) {
		text = (char *)yajl_get_error(h, 0, NULL, 0);
		text[strcspn(text, "\n")] = '\0';
		why = text;
	}
	for (i = 0; i < at; i++) {
		column++;
		if (data[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return err_set(
		e, -EINVAL, "line %zu, column %zu: %s", line, column, why);
}

static int scan(struct scan *s, const char *data, size_t n, struct err *e)
{
	yajl_alloc_funcs funcs = {arena_malloc, arena_realloc, arena_free, s};
	yajl_handle h;
	yajl_status st;
	size_t at;
	int r = 0;

	if (setjmp(s->out_of_memory)) {
		arena_clear(s);
		return err_set(e, -ENOMEM, "no memory to read JSON");
	}
	h = yajl_alloc(&callbacks, &funcs, s);
	/* a path may be of any bytes, and what reads it later checks it */
	yajl_config(h, yajl_dont_validate_strings, 1);
	st = yajl_parse(h, (const unsigned char *)data, n);
	at = yajl_get_bytes_consumed(h); /* the offending one included */
	at -= at > 0;
	if (st == yajl_status_ok) {
		st = yajl_complete_parse(h);
		at = n;
	}
	if (st != yajl_status_ok)
		r = say_where(h, st, data, at < n ? at : n, e);
	arena_clear(s);
	return r;
}

int json_scan(const char *data, size_t n, json_cb cb, void *arg, struct err *e)
{
	struct scan s = {.cb = cb, .arg = arg};

	return scan(&s, data, n, e);
}

int json_walk(
	const char *data, size_t n, json_walk_cb cb, void *arg, struct err *e)
{
	struct scan s = {.walk = cb, .arg = arg};

	return scan(&s, data, n, e);
}

static void on_root(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	bool *is_object = arg;

	(void)text;
	(void)n;
	if (!*path)
		*is_object = type == JSON_OBJECT;
}

int json_check_object(const char *data, size_t n, struct err *e)
{
	bool is_object = false;
	int r = json_scan(data, n, on_root, &is_object, e);

	if (r == 0 && !is_object)
		r = err_set(e, -EINVAL, "not a JSON object");
	return r;
}
