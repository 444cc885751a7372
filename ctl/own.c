/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/container.h"
#include "ctl/place.h"
#include "platform/tool.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct listing {
	struct ctl_own *own;
	int r;
};

static void add(const char *id, void *arg)
{
	struct listing *l = arg;
	struct ctl_own *o = l->own;
	char **more;

	if (l->r < 0 || !client_id_is_valid(id))
		return;
	more = realloc(o->ids, (o->n + 1) * sizeof(*more));
	if (more)
		o->ids = more;
	if (!more || !(more[o->n] = strdup(id)))
		l->r = -ENOMEM;
	else
		o->n++;
}

int ctl_own_list(struct ctl_own *ret, const char *root, struct err *e)
{
	struct listing l = {.own = ret};
	struct ctl_place p;
	int r;

	*ret = (struct ctl_own){0};
	r = ctl_place_init(&p, root, "x", e);
	if (r < 0)
		return r;
	r = tool_list(p.states, add, &l);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_sys(e, r, "'%s'", p.states);
	if (l.r < 0)
		return err_sys(e, l.r, "list '%s'", p.states);
	if (ret->n > 0)
		qsort(ret->ids, ret->n, sizeof(*ret->ids), compare);
	return 0;
}

void ctl_own_clear(struct ctl_own *o)
{
	size_t i;

	for (i = 0; i < o->n; i++)
		free(o->ids[i]);
	free(o->ids);
	*o = (struct ctl_own){0};
}
