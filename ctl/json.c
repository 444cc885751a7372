/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "platform/file.h"
#include "ttrpc/status.h"

#define BYTES_MAX 2048 /* more is cut */

#define DEPTH_MAX 1000

void ctl_json_text(yajl_gen g, const char *text)
{
	yajl_gen_string(g, (const unsigned char *)text, strlen(text));
}

void ctl_json_texts(yajl_gen g, const char *const *texts)
{
	yajl_gen_array_open(g);
	while (*texts)
		ctl_json_text(g, *texts++);
	yajl_gen_array_close(g);
}

void ctl_json_key(yajl_gen g, const char *key)
{
	ctl_json_text(g, key);
}

void ctl_json_put(yajl_gen g, const char *key, const char *text)
{
	ctl_json_key(g, key);
	ctl_json_text(g, text);
}

void ctl_json_put_bytes(yajl_gen g, const char *key, const char *bytes)
{
	char text[BYTES_MAX];

	ttrpc_status_text(bytes, text, sizeof(text));
	ctl_json_put(g, key, text);
}

void ctl_json_put_number(yajl_gen g, const char *key, long long number)
{
	ctl_json_key(g, key);
	yajl_gen_integer(g, number);
}

void ctl_json_put_bool(yajl_gen g, const char *key, bool value)
{
	ctl_json_key(g, key);
	yajl_gen_bool(g, value);
}

void ctl_json_put_map(yajl_gen g, const char *key)
{
	ctl_json_key(g, key);
	yajl_gen_map_open(g);
}

void ctl_json_put_array(yajl_gen g, const char *key)
{
	ctl_json_key(g, key);
	yajl_gen_array_open(g);
}

#define COPY_DEPTH_MAX 100 /* yajl_gen's own is 128 */

static int copy_below(yajl_gen g, yajl_val v, unsigned depth)
{
	bool map = YAJL_IS_OBJECT(v);
	size_t n = map ? v->u.object.len : v->u.array.len, i;
	int r = depth > COPY_DEPTH_MAX ? -ELOOP : 0;

	if (r == 0 && map)
		yajl_gen_map_open(g);
	else if (r == 0)
		yajl_gen_array_open(g);
	for (i = 0; r == 0 && i < n; i++) {
		yajl_val w = map ? v->u.object.values[i] : v->u.array.values[i];

		if (map)
			ctl_json_key(g, v->u.object.keys[i]);
		if (YAJL_IS_OBJECT(w) || YAJL_IS_ARRAY(w))
			r = copy_below(g, w, depth + 1);
		else
			r = ctl_json_copy(g, w);
	}
	if (r == 0 && map)
		yajl_gen_map_close(g);
	else if (r == 0)
		yajl_gen_array_close(g);
	return r;
}

int ctl_json_copy(yajl_gen g, yajl_val v)
{
	if (YAJL_IS_OBJECT(v) || YAJL_IS_ARRAY(v))
		return copy_below(g, v, 1);
	if (YAJL_IS_STRING(v))
		ctl_json_text(g, v->u.string);
	else if (YAJL_IS_NUMBER(v))
		yajl_gen_number(g, v->u.number.r, strlen(v->u.number.r));
	else if (YAJL_IS_NULL(v))
		yajl_gen_null(g);
	else
		yajl_gen_bool(g, YAJL_IS_TRUE(v));
	return 0;
}

int ctl_json_take(yajl_gen g, char **ret)
{
	const unsigned char *text;
	char *copy = NULL;
	size_t n;

	if (yajl_gen_get_buf(g, &text, &n) == yajl_gen_status_ok)
		copy = strndup((const char *)text, n);
	yajl_gen_free(g);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

const char *ctl_json_get(yajl_val map, const char *key)
{
	const char *path[] = {key, NULL};
	yajl_val v = yajl_tree_get(map, path, yajl_t_string);

	return v ? v->u.string : NULL;
}

/* yajl's own message quotes the text but does not count lines. */
static int json_explain(
	const char *path, const char *text, size_t n, struct err *e)
{
	yajl_handle h = yajl_alloc(NULL, NULL, NULL);
	size_t at = 0, i, line = 1, column = 1;
	unsigned char *why = NULL;
	int what = 0;

	if (!h)
		return err_sys(e, -ENOMEM, "read '%s'", path);
	if (yajl_parse(h, (const unsigned char *)text, n) == yajl_status_ok)
		yajl_complete_parse(h);
	at = yajl_get_bytes_consumed(h);
	why = yajl_get_error(h, 0, (const unsigned char *)text, n);
	for (i = 0; i < at && i < n; i++) {
		column = text[i] == '\n' ? 1 : column + 1;
		line += text[i] == '\n';
	}
	what = why ? (int)strcspn((char *)why, "\n") : 0;
	err_set(e, -EINVAL, "'%s' line %zu, column %zu: %.*s", path, line,
		column, what, why ? (char *)why : "");
	if (why)
		yajl_free_error(h, why);
	yajl_free(h);
	return -EINVAL;
}

/* yajl frees a tree by recursion, so a deep one would cost the stack. */
static bool is_too_deep(const char *text)
{
	bool quoted = false;
	size_t depth = 0;

	for (; *text && depth <= DEPTH_MAX; text++) {
		if (quoted && *text == '\\' && text[1])
			text++;
		else if (*text == '"')
			quoted = !quoted;
		else if (!quoted && (*text == '{' || *text == '['))
			depth++;
		else if (!quoted && depth && (*text == '}' || *text == ']'))
			depth--;
	}
	return depth > DEPTH_MAX;
}

int ctl_json_parse(const char *what, const char *text, size_t n, yajl_val *ret,
	struct err *e)
{
	yajl_val v;

	if (is_too_deep(text))
		return err_set(e, -ELOOP,
			"'%s' is nested deeper than %d levels", what,
			DEPTH_MAX);
	v = yajl_tree_parse(text, NULL, 0);
	if (!v)
		return json_explain(what, text, n, e);
	*ret = v;
	return 0;
}

int ctl_json_read(const char *path, size_t max, yajl_val *ret, struct err *e)
{
	yajl_val v = NULL;
	char *text;
	size_t n;
	int r = file_read(path, max, &text, &n, e);

	if (r < 0)
		return r;
	r = ctl_json_parse(path, text, n, &v, e);
	if (r == 0 && !YAJL_IS_OBJECT(v))
		r = err_set(e, -EINVAL, "'%s' is no JSON object", path);
	free(text);
	if (r < 0)
		yajl_tree_free(v);
	else
		*ret = v;
	return r;
}
