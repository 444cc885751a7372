/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/spec/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/names.h"
#include "platform/text.h"

#define PATH_TEXT_MAX 512

/* Text of a hostile file goes to a terminal, and into JSON, cut anywhere. */
static void defuse(char *text)
{
	size_t left = strlen(text), n;

	for (; left > 0; text += n, left -= n) {
		n = text_utf8(text, left);
		if (n == 0 || (unsigned char)*text < ' ' || *text == 0x7f) {
			*text = '?';
			n = 1;
		}
		/* U+0080 to U+009F are control characters, too */
		if (n == 2 && (unsigned char)text[0] == 0xc2 &&
			(unsigned char)text[1] < 0xa0)
			memset(text, '?', 2);
	}
}

static struct check_finding *new_finding(
	struct check *c, enum check_level level, size_t at, const char *path)
{
	struct check_finding *f;

	if (c->n == CHECK_FINDINGS_MAX) {
		c->n_left_out++;
		c->n_errors += level == CHECK_ERROR;
		return NULL;
	}
	f = realloc(c->findings, (c->n + 1) * sizeof(*f));
	if (!f) {
		c->no_memory = true;
		return NULL;
	}
	c->findings = f;
	f += c->n++;
	*f = (struct check_finding){.level = level, .at = at};
	f->path = strdup(path);
	if (f->path)
		defuse(f->path);
	else
		c->no_memory = true;
	c->n_errors += level == CHECK_ERROR;
	return f;
}

static void find(struct check *c, enum check_level level, size_t at,
	const char *path, const char *fmt, va_list ap)
{
	struct check_finding *f = new_finding(c, level, at, path);
	char text[ERR_MSG_MAX];
	int n = 0;

	if (!f)
		return;
	if (*path)
		n = snprintf(text, sizeof(text), "%s ", path);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	defuse(text);
	f->message = strdup(text);
	c->no_memory |= !f->message;
}

void check_error(
	struct check *c, const struct doc_node *v, const char *fmt, ...)
{
	char path[PATH_TEXT_MAX];
	va_list ap;

	doc_path(v, path, sizeof(path));
	va_start(ap, fmt);
	find(c, CHECK_ERROR, v->at, path, fmt, ap);
	va_end(ap);
}

void check_warn(struct check *c, const struct doc_node *v, const char *fmt, ...)
{
	char path[PATH_TEXT_MAX];
	va_list ap;

	doc_path(v, path, sizeof(path));
	va_start(ap, fmt);
	find(c, CHECK_WARNING, v->at, path, fmt, ap);
	va_end(ap);
}

void check_missing(struct check *c, const struct doc_node *v, const char *key,
	const char *fmt, ...)
{
	char path[PATH_TEXT_MAX];
	va_list ap;
	size_t n;

	doc_path(v, path, sizeof(path));
	n = strlen(path);
	snprintf(path + n, sizeof(path) - n, "%s%s", n ? "." : "", key);
	va_start(ap, fmt);
	find(c, CHECK_ERROR, v->at, path, fmt, ap);
	va_end(ap);
}

void check_warn_key(
	struct check *c, const struct doc_node *v, const char *fmt, ...)
{
	char path[PATH_TEXT_MAX];
	va_list ap;

	doc_path(v, path, sizeof(path));
	va_start(ap, fmt);
	find(c, CHECK_WARNING, v->key ? v->key_at : v->at, path, fmt, ap);
	va_end(ap);
}

void check_hint(struct check *c, const char *fmt, ...)
{
	struct check_finding *f;
	char text[ERR_MSG_MAX];
	va_list ap;

	if (c->n == 0 || c->n_left_out > 0)
		return;
	f = &c->findings[c->n - 1];
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	defuse(text);
	free(f->hint);
	f->hint = strdup(text);
	c->no_memory |= !f->hint;
}

bool check_is_full(const struct check *c)
{
	return c->n >= CHECK_FINDINGS_MAX;
}

const char *check_nearest(
	const struct check *c, const char *const *list, const char *name)
{
	return check_is_full(c) ? NULL : names_nearest(list, name);
}

static int by_place(const void *a, const void *b)
{
	const struct check_finding *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->level != y->level)
		return x->level == CHECK_ERROR ? -1 : 1;
	return x->message && y->message ? strcmp(x->message, y->message) : 0;
}

static void report(struct check *c, size_t at, const char *fmt, ...)
	ERR_PRINTF(3, 4);

static void report(struct check *c, size_t at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	find(c, CHECK_ERROR, at, "", fmt, ap);
	va_end(ap);
}

/* By whose rules: a Linux container on Windows has both sections. */
static enum check_os guess_os(const struct doc_node *top)
{
	if (doc_get(top, "windows") && !doc_get(top, "linux"))
		return CHECK_WINDOWS;
	return CHECK_LINUX;
}

static void check_all(struct check *c)
{
	if (c->os == CHECK_ANY_OS)
		c->os = guess_os(c->doc.top);
	check_schema(c);
	check_version(c);
	check_process(c);
	check_privileges(c);
	check_mounts(c);
	check_root(c);
	check_hooks(c);
	check_linux(c);
	check_namespaces(c);
	check_resources(c);
	check_seccomp(c);
	check_syscalls(c);
	check_windows(c);
}

int check_text(struct check *c, const char *text, size_t n)
{
	struct err e = {0};
	int r = doc_parse(&c->doc, text, n, &e);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		report(c, c->doc.error_at, "%s", e.msg);
	else if (c->doc.top->type != DOC_OBJECT)
		report(c, c->doc.top->at,
			"a configuration is a JSON object: { ... }");
	else
		check_all(c);
	if (c->no_memory)
		return -ENOMEM;
	if (c->n)
		qsort(c->findings, c->n, sizeof(*c->findings), by_place);
	return 0;
}

void check_clear(struct check *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		free(c->findings[i].path);
		free(c->findings[i].message);
		free(c->findings[i].hint);
	}
	free(c->findings);
	c->findings = NULL;
	c->n = c->n_errors = c->n_left_out = 0;
	doc_free(&c->doc);
}
