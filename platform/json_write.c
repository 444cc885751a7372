/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/text.h"

static void add(struct json_out *o, const char *s, size_t n)
{
	if (o->no_memory)
		return;
	if (o->n + n > o->room) {
		size_t room = 2 * (o->n + n) + 1024;
		char *more = realloc(o->data, room);

		o->no_memory = !more;
		if (!more)
			return;
		o->data = more;
		o->room = room;
	}
	memcpy(o->data + o->n, s, n);
	o->n += n;
}

static void add_string(struct json_out *o, const char *text)
{
	const char *s;
	char escape[8];

	add(o, "\"", 1);
	for (s = text; *s; s++) {
		size_t n = text_utf8(s, SIZE_MAX);

		if (*s == '"' || *s == '\\') {
			snprintf(escape, sizeof(escape), "\\%c", *s);
			add(o, escape, 2);
		} else if ((unsigned char)*s < 0x20) {
			snprintf(escape, sizeof(escape), "\\u%04x", *s);
			add(o, escape, 6);
		} else if (n == 0) {
			add(o, "?", 1);
		} else {
			add(o, s, n);
			s += n - 1;
		}
	}
	add(o, "\"", 1);
}

static void begin(struct json_out *o, const char *key)
{
	if (o->depth > 0 && o->more[o->depth - 1])
		add(o, ",", 1);
	if (o->depth > 0)
		o->more[o->depth - 1] = true;
	if (!key)
		return;
	add_string(o, key);
	add(o, ":", 1);
}

void json_open(struct json_out *o, const char *key, char kind)
{
	begin(o, key);
	add(o, &kind, 1);
	if (o->depth == JSON_OUT_DEPTH)
		abort(); /* no document of ours is that deep */
	o->more[o->depth] = false;
	o->end[o->depth++] = kind == '{' ? '}' : ']';
}

void json_close(struct json_out *o)
{
	add(o, &o->end[--o->depth], 1);
	if (o->depth == 0)
		add(o, "\n", 1);
}

void json_text(struct json_out *o, const char *key, const char *text)
{
	begin(o, key);
	if (text)
		add_string(o, text);
	else
		add(o, "null", 4);
}

void json_number(struct json_out *o, const char *key, int64_t number)
{
	char text[24];

	begin(o, key);
	add(o, text, (size_t)snprintf(text, sizeof(text), "%" PRId64, number));
}

void json_bool(struct json_out *o, const char *key, bool value)
{
	begin(o, key);
	add(o, value ? "true" : "false", value ? 4 : 5);
}

void json_raw(struct json_out *o, const char *key, const char *text, size_t n)
{
	begin(o, key);
	add(o, text, n);
}

bool json_ok(const struct json_out *o)
{
	return !o->no_memory && o->n > 0 && o->depth == 0;
}
