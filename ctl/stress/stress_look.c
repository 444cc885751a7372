/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/stress/stress_look.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/look.h"

#define ITEMS_MAX 4096

void stress_items_add(struct stress_items *x, const char *item)
{
	char **more, *copy;

	if (x->n >= ITEMS_MAX)
		return;
	if (x->n == x->size) {
		size_t size = x->size ? 2 * x->size : 16;

		more = realloc(x->items, size * sizeof(*more));
		if (!more)
			return;
		x->items = more;
		x->size = size;
	}
	copy = strdup(item);
	if (copy)
		x->items[x->n++] = copy;
}

bool stress_items_have(const struct stress_items *x, const char *item)
{
	size_t i;

	for (i = 0; i < x->n; i++)
		if (strcmp(x->items[i], item) == 0)
			return true;
	return false;
}

void stress_items_clear(struct stress_items *x)
{
	size_t i;

	for (i = 0; i < x->n; i++)
		free(x->items[i]);
	free(x->items);
	*x = (struct stress_items){0};
}

void stress_look_clear(struct stress_look *l)
{
	size_t i;

	for (i = 0; i < STRESS_N_CLASSES; i++)
		stress_items_clear(&l->items[i]);
	*l = (struct stress_look){0};
}

void stress_look_add(
	struct stress_look *l, enum stress_class c, const char *item)
{
	l->count[c]++;
	stress_items_add(&l->items[c], item);
}

struct looking {
	struct stress_look *look;
	int64_t pid;
};

static void on_open(const struct look_open *o, void *arg)
{
	struct looking *x = arg;
	enum stress_class c = stress_class_of(x->pid, o);
	char item[320];

	snprintf(item, sizeof(item), "%s %d -> %s", stress_open_word, o->number,
		o->what);
	stress_look_add(x->look, c, item);
	x->look->fds++;
	stress_look_into(x->look, x->pid, o->number, c);
}

static void on_child(int64_t child, void *arg)
{
	struct looking *x = arg;
	struct look_process p;
	char item[640];
	bool dead;

	if (look_process(child, &p) < 0)
		return;
	dead = p.state == 'Z';
	snprintf(item, sizeof(item), "process %" PRId64 ": %s", child,
		*p.command ? p.command : p.name);
	stress_look_add(x->look, dead ? STRESS_ZOMBIES : STRESS_CHILDREN, item);
}

void stress_look_shim(struct stress_look *l, const struct stress_where *w)
{
	struct looking x = {.look = l, .pid = w->shim};
	struct look_process p = {0};
	struct look_memory m;

	look_open(w->shim, on_open, &x);
	look_children(w->shim, on_child, &x);
	look_process(w->shim, &p);
	l->threads = p.threads;
	look_memory(w->shim, &m);
	l->pss = (double)(m.proportional ? m.proportional : m.own);
	l->own = (double)m.own;
	l->rss = (double)m.resident;
	l->gone = l->rss <= 0;
}
