/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/run_options.h"
#include "ctl/spec/winpath.h"

void ctl_mount_clear(struct ctl_mount *m)
{
	free(m->type);
	free(m->source);
	free(m->target);
	free(m->options);
	*m = (struct ctl_mount){0};
}

static int replace(char **field, const char *value, size_t n)
{
	char *copy = strndup(value, n);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

/* Appends ":value". */
static int add_option(struct ctl_mount *m, const char *value, size_t n)
{
	size_t old = m->options ? strlen(m->options) + 1 : 0;
	char *all = realloc(m->options, old + n + 1);

	if (!all)
		return -ENOMEM;
	m->options = all;
	if (old)
		all[old - 1] = ':';
	memcpy(all + old, value, n);
	all[old + n] = '\0';
	return 0;
}

static bool is_word(const char *p, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(p, word, n) == 0;
}

static int set_field(
	struct ctl_mount *m, const char *p, size_t n, struct err *e)
{
	const char *eq = memchr(p, '=', n);
	size_t key = eq ? (size_t)(eq - p) : n;
	const char *value = eq ? eq + 1 : "";
	size_t value_n = eq ? n - key - 1 : 0;

	if (is_word(p, key, "ro") || is_word(p, key, "readonly"))
		return add_option(m, "ro", 2);
	if (eq && is_word(p, key, "type"))
		return replace(&m->type, value, value_n);
	if (eq && (is_word(p, key, "src") || is_word(p, key, "source")))
		return replace(&m->source, value, value_n);
	if (eq && (is_word(p, key, "dst") || is_word(p, key, "target") ||
			  is_word(p, key, "destination")))
		return replace(&m->target, value, value_n);
	if (eq && is_word(p, key, "options"))
		return add_option(m, value, value_n);
	return err_set(e, -EINVAL,
		"--mount: '%.*s' is not understood; use "
		"type=bind,src=PATH,dst=PATH,options=ro",
		(int)n, p);
}

/* A bind mount is made by an option; the user means it by the type. */
static int complete(struct ctl_mount *m, const char *text, struct err *e)
{
	char *real;

	if (!m->type && replace(&m->type, "bind", 4) < 0)
		return -ENOMEM;
	if (!m->target || m->target[0] != '/')
		return err_set(e, -EINVAL,
			"--mount '%s': dst=PATH is missing or not absolute",
			text);
	if (strcmp(m->type, "bind") != 0)
		return m->source
			       ? 0
			       : replace(&m->source, m->type, strlen(m->type));
	if (!m->source)
		return err_set(
			e, -EINVAL, "--mount '%s': src=PATH is missing", text);
	real = realpath(m->source, NULL);
	if (!real)
		return err_sys(e, -errno, "--mount: source '%s'", m->source);
	free(m->source);
	m->source = real;
	return add_option(m, "rbind", 5);
}

/* Nothing of it is on this host. */
static int complete_windows(
	struct ctl_mount *m, const char *text, struct err *e)
{
	if (!m->target || !winpath_is_absolute(m->target))
		return err_set(e, -EINVAL,
			"--mount '%s': dst=PATH is missing or not absolute; "
			"use dst=C:\\PATH",
			text);
	if (!m->source || !winpath_is_absolute(m->source))
		return err_set(e, -EINVAL,
			"--mount '%s': src=PATH is missing or not absolute; "
			"use src=C:\\PATH",
			text);
	if (m->type)
		return err_set(e, -EINVAL,
			"--mount '%s': there are no types on Windows", text);
	return 0;
}

static int parse(const char *text, struct ctl_mount *ret,
	int (*finish)(struct ctl_mount *m, const char *text, struct err *e),
	struct err *e)
{
	struct ctl_mount m = {0};
	const char *p = text;
	int r = 0;

	while (r == 0) {
		size_t n = strcspn(p, ",");

		r = set_field(&m, p, n, e);
		if (!p[n])
			break;
		p += n + 1;
	}
	if (r == 0)
		r = finish(&m, text, e);
	if (r == -ENOMEM)
		err_sys(e, r, "--mount");
	if (r < 0)
		ctl_mount_clear(&m);
	else
		*ret = m;
	return r;
}

int ctl_parse_mount(const char *text, struct ctl_mount *ret, struct err *e)
{
	return parse(text, ret, complete, e);
}

int ctl_parse_windows_mount(
	const char *text, struct ctl_mount *ret, struct err *e)
{
	return parse(text, ret, complete_windows, e);
}
