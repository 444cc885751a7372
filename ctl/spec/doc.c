/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/spec/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "platform/text.h"

struct parser {
	struct doc *d;
	yajl_handle yajl;
	struct doc_node *open; /* the innermost object or array */
	char *key;             /* of the member whose value comes next */
	size_t key_at;
	size_t end; /* of the last token */
	size_t depth, values;
	int error;
};

/* yajl tells where a token ends; between two there is nothing but this. */
static size_t token_start(const struct parser *p)
{
	size_t at = p->end;

	while (at < p->d->text_n && p->d->text[at] &&
		strchr(" \t\r\n,:", p->d->text[at]))
		at++;
	return at;
}

static int stop(struct parser *p, int error)
{
	p->error = error;
	return 0;
}

/* Between its neighbours, or at the top. */
static void link_node(struct parser *p, struct doc_node *v)
{
	struct doc_node *parent = p->open;

	v->older = p->d->newest;
	p->d->newest = v;
	v->parent = parent;
	if (!parent) {
		p->d->top = v;
		return;
	}
	v->index = parent->n++;
	if (parent->last)
		parent->last->next = v;
	else
		parent->first = v;
	parent->last = v;
}

/* The key and the text live behind the node. */
static struct doc_node *add(
	struct parser *p, enum doc_type type, const void *text, size_t n)
{
	struct doc_node *v;

	if (++p->values > DOC_VALUES_MAX) {
		stop(p, -E2BIG);
		return NULL;
	}
	v = calloc(1, sizeof(*v) + n + 1);
	if (!v) {
		stop(p, -ENOMEM);
		return NULL;
	}
	v->type = type;
	v->at = token_start(p);
	v->key = p->key;
	v->key_at = p->key_at;
	p->key = NULL;
	if (n)
		memcpy(v + 1, text, n);
	v->text = (const char *)(v + 1);
	v->text_n = n;
	link_node(p, v);
	p->end = yajl_get_bytes_consumed(p->yajl);
	return v;
}

static int on_null(void *arg)
{
	return add(arg, DOC_NULL, "null", 4) != NULL;
}

static int on_bool(void *arg, int value)
{
	return add(arg, DOC_BOOL, value ? "true" : "false", value ? 4 : 5) !=
	       NULL;
}

static int on_number(void *arg, const char *text, size_t n)
{
	return add(arg, DOC_NUMBER, text, n) != NULL;
}

static int on_string(void *arg, const unsigned char *text, size_t n)
{
	return add(arg, DOC_STRING, text, n) != NULL;
}

static int on_key(void *arg, const unsigned char *text, size_t n)
{
	struct parser *p = arg;
	size_t i;

	p->key_at = token_start(p);
	p->key = malloc(n + 1);
	if (!p->key)
		return stop(p, -ENOMEM);
	memcpy(p->key, text, n);
	p->key[n] = '\0';
	for (i = 0; i < n; i++)
		if (!p->key[i])
			p->key[i] = '?'; /* no name that we know has one */
	p->end = yajl_get_bytes_consumed(p->yajl);
	return 1;
}

static int open_node(struct parser *p, enum doc_type type)
{
	struct doc_node *v;

	if (++p->depth > DOC_DEPTH_MAX)
		return stop(p, -ELOOP);
	v = add(p, type, NULL, 0);
	if (!v)
		return 0;
	p->open = v;
	return 1;
}

static int close_node(struct parser *p)
{
	p->depth--;
	p->open = p->open->parent;
	p->end = yajl_get_bytes_consumed(p->yajl);
	return 1;
}

static int on_map(void *arg)
{
	return open_node(arg, DOC_OBJECT);
}

static int on_array(void *arg)
{
	return open_node(arg, DOC_ARRAY);
}

static int on_end(void *arg)
{
	return close_node(arg);
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

/* yajl's words, without the text it quotes: "parse error: ...". */
static int tell_syntax(struct parser *p, struct err *e)
{
	static const char *const prefixes[] = {
		"parse error: ", "lexical error: "};
	unsigned char *all = yajl_get_error(p->yajl, 0, NULL, 0);
	const char *why = all ? (const char *)all : "not understood";
	size_t i;

	for (i = 0; i < 2; i++)
		if (strncmp(why, prefixes[i], strlen(prefixes[i])) == 0)
			why += strlen(prefixes[i]);
	err_set(e, -EINVAL, "this is not JSON: %.*s", (int)strcspn(why, "\n"),
		why);
	if (all)
		yajl_free_error(p->yajl, all);
	return -EINVAL;
}

/* yajl has read the token that it complains of: where that begins; of a string
 * that has a wrong byte in it, that byte. */
static size_t find_error(const struct parser *p)
{
	size_t end = yajl_get_bytes_consumed(p->yajl), start = token_start(p);
	char last = end > 0 ? p->d->text[end - 1] : '\0';

	if (end == 0 || start >= end)
		return end > 0 ? end - 1 : 0;
	if (p->d->text[start] == '"' && last != '"')
		return end - 1;
	return strchr(",:{}[]", last) ? end - 1 : start;
}

static int parse(struct parser *p, struct err *e)
{
	const unsigned char *text = (const unsigned char *)p->d->text;
	yajl_status s = yajl_parse(p->yajl, text, p->d->text_n);

	p->d->error_at = find_error(p);
	if (s == yajl_status_ok) {
		s = yajl_complete_parse(p->yajl);
		p->d->error_at = p->d->text_n;
	}
	if (s == yajl_status_error)
		return tell_syntax(p, e);
	if (s != yajl_status_client_canceled)
		return 0;
	p->d->error_at = token_start(p);
	if (p->error == -E2BIG)
		return err_set(e, -E2BIG,
			"there are more than %u values here: this is no "
			"container's configuration",
			DOC_VALUES_MAX);
	if (p->error == -ELOOP)
		return err_set(e, -E2BIG, "nested deeper than %d levels",
			DOC_DEPTH_MAX);
	return err_sys(e, -ENOMEM, "read JSON");
}

int doc_parse(struct doc *ret, const char *text, size_t n, struct err *e)
{
	struct parser p = {.d = ret};
	int r;

	*ret = (struct doc){.text = text, .text_n = n};
	p.yajl = yajl_alloc(&callbacks, NULL, &p);
	if (!p.yajl)
		return err_sys(e, -ENOMEM, "read JSON");
	r = parse(&p, e);
	free(p.key);
	yajl_free(p.yajl);
	if (r < 0)
		ret->top = NULL;
	return r;
}

void doc_free(struct doc *d)
{
	struct doc_node *v = d->newest;

	while (v) {
		struct doc_node *older = v->older;

		free((char *)v->key);
		free(v);
		v = older;
	}
	*d = (struct doc){0};
}

void doc_seek(const struct doc *d, struct doc_place *p, size_t at)
{
	while (p->at < at && p->at < d->text_n) {
		size_t step = text_utf8(d->text + p->at, d->text_n - p->at);

		if (d->text[p->at] == '\n') {
			p->line++;
			p->column = 1;
		} else {
			p->column++;
		}
		p->at += step ? step : 1;
	}
}

const char *doc_line(const struct doc *d, size_t at, size_t *ret_n)
{
	size_t begin = at < d->text_n ? at : d->text_n, end = begin;

	while (begin > 0 && d->text[begin - 1] != '\n')
		begin--;
	while (end < d->text_n && d->text[end] != '\n')
		end++;
	*ret_n = end - begin;
	return d->text + begin;
}
