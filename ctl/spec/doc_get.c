/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into a document; doc.c reads it. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/spec/doc.h"

const struct doc_node *doc_get(const struct doc_node *v, const char *key)
{
	const struct doc_node *m;

	if (!v || v->type != DOC_OBJECT)
		return NULL;
	for (m = v->first; m; m = m->next)
		if (strcmp(m->key, key) == 0)
			return m;
	return NULL;
}

const struct doc_node *doc_get_type(
	const struct doc_node *v, const char *key, enum doc_type type)
{
	const struct doc_node *m = doc_get(v, key);

	return m && m->type == type ? m : NULL;
}

const char *doc_text(const struct doc_node *v)
{
	if (!v || v->type != DOC_STRING || strlen(v->text) != v->text_n)
		return NULL;
	return v->text;
}

const char *doc_get_text(const struct doc_node *v, const char *key)
{
	return doc_text(doc_get(v, key));
}

bool doc_int(const struct doc_node *v, long long *ret)
{
	char *end;

	if (!v || v->type != DOC_NUMBER)
		return false;
	errno = 0;
	*ret = strtoll(v->text, &end, 10);
	if (*end) /* 1.5, 1e3 */
		return false;
	if (errno == ERANGE && v->text[0] != '-') {
		errno = 0;
		*ret = (long long)strtoull(v->text, &end, 10);
	}
	return errno == 0;
}

bool doc_is_true(const struct doc_node *v)
{
	return v && v->type == DOC_BOOL && v->text[0] == 't';
}

static bool is_plain(const char *key)
{
	if (!*key)
		return false;
	for (; *key; key++)
		if (!isalnum((unsigned char)*key) && *key != '_')
			return false;
	return true;
}

static size_t path_part(const struct doc_node *v, char *buf, size_t n)
{
	bool top = !v->parent->parent;
	int r;

	if (!v->key)
		r = snprintf(buf, n, "[%zu]", v->index);
	else if (is_plain(v->key))
		r = snprintf(buf, n, "%s%s", top ? "" : ".", v->key);
	else
		r = snprintf(buf, n, "[\"%s\"]", v->key);
	return r < 0 ? 0 : (size_t)r;
}

void doc_path(const struct doc_node *v, char *buf, size_t n)
{
	const struct doc_node *up[DOC_DEPTH_MAX + 1];
	size_t depth = 0, at = 0;

	buf[0] = '\0';
	for (; v && v->parent && depth < DOC_DEPTH_MAX + 1; v = v->parent)
		up[depth++] = v;
	while (depth > 0 && at < n)
		at += path_part(up[--depth], buf + at, n - at);
}
