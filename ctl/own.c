/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/own.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/container.h"
#include "ctl/place.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add(struct ctl_own *o, const char *id)
{
	char **more = realloc(o->ids, (o->n + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	o->ids = more;
	more[o->n] = strdup(id);
	if (!more[o->n])
		return -ENOMEM;
	o->n++;
	return 0;
}

int ctl_own_list(struct ctl_own *ret, const char *root, struct err *e)
{
	struct dirent *de;
	struct ctl_place p;
	DIR *dir;
	int r;

	*ret = (struct ctl_own){0};
	r = ctl_place_init(&p, root, "x", e);
	if (r < 0)
		return r;
	dir = opendir(p.states);
	if (!dir)
		return errno == ENOENT ? 0
				       : err_sys(e, -errno, "'%s'", p.states);
	while (r == 0 && (de = readdir(dir)))
		if (client_id_is_valid(de->d_name))
			r = add(ret, de->d_name);
	closedir(dir);
	if (r < 0)
		return err_sys(e, r, "list '%s'", p.states);
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
