/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/template.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SPACES " \t\r\n"

/* An action, without its braces. */
struct action {
	char name[8];
	size_t args[2];
	unsigned n_args;
};

struct output {
	char *text;
	size_t n, room;
};

static int put(struct output *out, const char *text, size_t n)
{
	if (n > out->room - out->n)
		return -E2BIG;
	memcpy(out->text + out->n, text, n);
	out->n += n;
	return 0;
}

/* A decimal index; a million is more than there ever are. */
static const char *parse_index(const char *p, size_t *ret)
{
	const char *from = p;

	for (*ret = 0; *p >= '0' && *p <= '9' && *ret < 1000000; p++)
		*ret = *ret * 10 + (size_t)(*p - '0');
	return p > from && strchr(SPACES "}", *p) ? p : NULL;
}

/* Returns what comes after the action; NULL: it is none. */
static const char *parse(const char *p, struct action *ret)
{
	size_t n;

	p += strspn(p, SPACES);
	n = strcspn(p, SPACES "}");
	if (n == 0 || n >= sizeof(ret->name))
		return NULL;
	memcpy(ret->name, p, n);
	ret->name[n] = '\0';
	p += n;
	for (ret->n_args = 0;; ret->n_args++) {
		p += strspn(p, SPACES);
		if (strncmp(p, "}}", 2) == 0)
			return p + 2;
		if (ret->n_args == 2)
			return NULL;
		p = parse_index(p, &ret->args[ret->n_args]);
		if (!p)
			return NULL;
	}
}

static int fill_overlay(const struct action *a,
	const struct template_mount *mounts, struct output *out)
{
	size_t i = a->args[0];
	int r;

	for (;;) {
		r = put(out, mounts[i].point, strlen(mounts[i].point));
		if (r < 0 || i == a->args[1])
			return r;
		r = put(out, ":", 1);
		if (r < 0)
			return r;
		i += i < a->args[1] ? 1 : (size_t)-1;
	}
}

static int fill(const struct action *a, const struct template_mount *mounts,
	size_t n, struct output *out)
{
	const char *value;

	if (strcmp(a->name, "overlay") == 0)
		return a->n_args == 2 && a->args[0] < n && a->args[1] < n
			       ? fill_overlay(a, mounts, out)
			       : -EINVAL;
	if (a->n_args != 1 || a->args[0] >= n)
		return -EINVAL;
	if (strcmp(a->name, "source") == 0)
		value = mounts[a->args[0]].source;
	else if (strcmp(a->name, "target") == 0)
		value = mounts[a->args[0]].target;
	else if (strcmp(a->name, "mount") == 0)
		value = mounts[a->args[0]].point;
	else
		return -EINVAL;
	return value ? put(out, value, strlen(value)) : 0;
}

static int fill_all(const char *text, const struct template_mount *mounts,
	size_t n, struct output *out, struct err *e)
{
	const char *p = text, *open;
	struct action a = {0};
	int r = 0;

	while (r == 0 && (open = strstr(p, "{{"))) {
		r = put(out, p, (size_t)(open - p));
		p = parse(open + 2, &a);
		if (r == 0)
			r = p ? fill(&a, mounts, n, out) : -EINVAL;
		if (r == -EINVAL)
			return err_set(e, r,
				"mount template '%.80s': known are {{ source N "
				"}}, {{ target N }}, {{ mount N }} and {{ "
				"overlay FROM TO }}, of the %zu mounts before",
				open, n);
	}
	if (r == 0)
		r = put(out, p, strlen(p) + 1);
	if (r == -E2BIG)
		return err_set(
			e, r, "mount template '%.80s' is too long", text);
	return r;
}

int template_fill(const char *text, const struct template_mount *mounts,
	size_t n, size_t *room, char **ret, struct err *e)
{
	struct output out = {.room = *room, .text = malloc(*room + 1)};
	char *fit;
	int r;

	if (!out.text)
		return err_set(e, -ENOMEM, "no memory for mount options");
	r = fill_all(text, mounts, n, &out, e);
	if (r < 0) {
		free(out.text);
		return r;
	}
	*room -= out.n;
	fit = realloc(out.text, out.n + 1);
	*ret = fit ? fit : out.text;
	return 0;
}
