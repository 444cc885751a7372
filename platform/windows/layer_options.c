/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/layer_options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "platform/json.h"

#define PARENTS "parentLayerPaths="

struct reading {
	struct layer_stack *s;
	bool bad, no_memory, too_many;
};

static void on_parent(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct reading *rd = arg;
	struct layer_stack *s = rd->s;
	char *copy;

	if (type == JSON_ARRAY && !*path)
		return; /* the list itself */
	if (type != JSON_STRING || strcmp(path, "[]") != 0 ||
		memchr(text, '\0', n)) {
		rd->bad = true;
		return;
	}
	if (s->n_parents == LAYER_PARENTS_MAX) {
		rd->too_many = true;
		return;
	}
	copy = strndup(text, n);
	rd->no_memory |= !copy;
	if (copy)
		s->parents[s->n_parents++] = copy;
}

static int parse_parents(const char *json, struct layer_stack *s, struct err *e)
{
	struct reading rd = {.s = s};
	int r;

	if (s->parents)
		return err_set(e, -EINVAL, "option " PARENTS " comes twice");
	s->parents = calloc(LAYER_PARENTS_MAX, sizeof(*s->parents));
	if (!s->parents)
		return err_set(e, -ENOMEM, "no memory for layers");
	r = json_scan(json, strlen(json), on_parent, &rd, e);
	if (r == -EINVAL)
		return err_prefix(e, "option " PARENTS);
	if (r < 0)
		return r;
	if (rd.no_memory)
		return err_set(e, -ENOMEM, "no memory for layers");
	if (rd.bad)
		return err_set(e, -EINVAL,
			"option " PARENTS
			" is no JSON list of paths, but '%.200s'",
			json);
	if (rd.too_many)
		return err_set(e, -EINVAL,
			"option " PARENTS " has more than %d layers",
			LAYER_PARENTS_MAX);
	return 0;
}

static int parse(
	const struct mount_spec *m, struct layer_stack *s, struct err *e)
{
	size_t i;
	int r = 0;

	for (i = 0; i < m->n_options && r == 0; i++) {
		const char *o = m->options[i];

		if (strncmp(o, PARENTS, strlen(PARENTS)) == 0)
			r = parse_parents(o + strlen(PARENTS), s, e);
		else if (strcmp(o, "rw") != 0 && strcmp(o, "ro") != 0)
			r = err_set(e, -EINVAL,
				"option '%.200s' of a %s is not known", o,
				m->type);
	}
	if (r == 0 && !s->parents)
		r = err_set(e, -EINVAL, "option " PARENTS " is missing");
	if (r < 0)
		return r;
	s->scratch = strdup(m->source);
	if (!s->scratch)
		return err_set(e, -ENOMEM, "no memory for layers");
	return layer_stack_check(s, e);
}

int layer_options_parse(
	const struct mount_spec *m, struct layer_stack *ret, struct err *e)
{
	struct layer_stack s = {0};
	int r = parse(m, &s, e);

	if (r < 0)
		layer_stack_clear(&s);
	else
		*ret = s;
	return r;
}
