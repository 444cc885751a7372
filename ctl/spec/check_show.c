/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as lines that editors understand, and as JSON. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/spec/check.h"
#include "ctl/json.h"
#include "ctl/say.h"
#include "platform/auto.h"
#include "platform/text.h"

#define EXCERPT_MAX 72 /* bytes of a line */

static const char *const level_names[] = {
	[CHECK_WARNING] = "warning", [CHECK_ERROR] = "error"};

struct style {
	const char *bold, *red, *magenta, *off;
};

static struct style choose_style(void)
{
	if (!ctl_say_colours_on(STDOUT_FILENO))
		return (struct style){"", "", "", ""};
	return (struct style){"\033[1m", "\033[1;31m", "\033[1;35m", "\033[0m"};
}

/* One character, or what stands for it on a terminal. */
static size_t put_char(const char *p, size_t left)
{
	size_t n = text_utf8(p, left);

	if (n == 0 || (unsigned char)*p < ' ' || *p == 0x7f) {
		fputs(*p == '\t' ? " " : "?", stdout);
		return n ? n : 1;
	}
	fwrite(p, 1, n, stdout);
	return n;
}

/* The line, or the part of it around the place, and a caret below. */
static void show_excerpt(const struct doc *d, size_t at)
{
	size_t n, i, before = 0;
	const char *line = doc_line(d, at, &n);
	size_t from = 0, here = (size_t)(d->text + at - line);

	if (here > n)
		here = n;
	if (here > EXCERPT_MAX / 2)
		from = here - EXCERPT_MAX / 2;
	while (from > 0 && ((unsigned char)line[from] & 0xc0) == 0x80)
		from--;
	fputs("    ", stdout);
	for (i = from; i < n && i < from + EXCERPT_MAX;) {
		before += i < here;
		i += put_char(line + i, n - i);
	}
	printf("\n    %*s^\n", (int)before, "");
}

static void count(char *buf, size_t n, size_t number, const char *what)
{
	snprintf(buf, n, "%zu %s%s", number, what, number == 1 ? "" : "s");
}

static void show_sum(const struct check *c, const char *file)
{
	size_t warnings = c->n + c->n_left_out - c->n_errors;
	char e[40], w[40];

	if (c->n == 0) {
		printf("%s: nothing is wrong\n", file);
		return;
	}
	count(e, sizeof(e), c->n_errors, "error");
	count(w, sizeof(w), warnings, "warning");
	if (c->n_left_out)
		printf("%s: the first %zu are shown\n", file, c->n);
	printf("%s: %s, %s\n", file, e, w);
}

void check_show(const struct check *c, const char *file)
{
	const struct style s = choose_style();
	struct doc_place p = DOC_START;
	size_t i;

	for (i = 0; i < c->n; i++) {
		const struct check_finding *f = &c->findings[i];

		doc_seek(&c->doc, &p, f->at);
		printf("%s%s:%zu:%zu:%s %s%s:%s %s\n", s.bold, file, p.line,
			p.column, s.off,
			f->level == CHECK_ERROR ? s.red : s.magenta,
			level_names[f->level], s.off, f->message);
		if (!c->doc.top)
			show_excerpt(&c->doc, f->at);
		if (f->hint)
			printf("    hint: %s\n", f->hint);
	}
	show_sum(c, file);
}

static void put_finding(yajl_gen g, const struct check *c,
	const struct check_finding *f, struct doc_place *p)
{
	doc_seek(&c->doc, p, f->at);
	yajl_gen_map_open(g);
	ctl_json_put_number(g, "line", (long long)p->line);
	ctl_json_put_number(g, "column", (long long)p->column);
	ctl_json_put(g, "level", level_names[f->level]);
	ctl_json_put(g, "path", f->path);
	ctl_json_put(g, "message", f->message);
	if (f->hint)
		ctl_json_put(g, "hint", f->hint);
	yajl_gen_map_close(g);
}

int check_show_json(const struct check *c, const char *file)
{
	yajl_gen g = yajl_gen_alloc(NULL);
	struct doc_place p = DOC_START;
	auto_free char *text = NULL;
	size_t i;
	int r;

	if (!g)
		return -ENOMEM;
	yajl_gen_config(g, yajl_gen_beautify, 1);
	yajl_gen_map_open(g);
	ctl_json_put(g, "file", file);
	ctl_json_put_number(g, "errors", (long long)c->n_errors);
	ctl_json_put_number(
		g, "warnings", (long long)(c->n + c->n_left_out - c->n_errors));
	ctl_json_put_array(g, "findings");
	for (i = 0; i < c->n; i++)
		put_finding(g, c, &c->findings[i], &p);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	r = ctl_json_take(g, &text);
	if (r == 0)
		fputs(text, stdout);
	return r;
}
