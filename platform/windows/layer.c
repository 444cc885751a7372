/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/windows/layer_wide.h"

void layer_stack_clear(struct layer_stack *s)
{
	size_t i;

	for (i = 0; i < s->n_parents; i++)
		free(s->parents[i]);
	free(s->parents);
	free(s->scratch);
	free(s->volume);
	memset(s, 0, sizeof(*s));
}

/* The last part of a path, which may have a separator behind it. */
static const char *name_of(const char *path, size_t *ret_n)
{
	size_t end = strlen(path), at;

	while (end > 0 && strchr("/\\", path[end - 1]))
		end--;
	at = end;
	while (at > 0 && !strchr("/\\:", path[at - 1]))
		at--;
	*ret_n = end - at;
	return path + at;
}

static int check_path(const char *what, const char *path, struct err *e)
{
	size_t n;

	if (strlen(path) >= FILE_PATH_MAX)
		return err_set(
			e, -EINVAL, "the path of a %s is too long", what);
	if (!file_is_absolute(path) || file_goes_up(path))
		return err_set(e, -EINVAL,
			"%s '%s' is no absolute path without '..'", what, path);
	name_of(path, &n);
	if (n == 0)
		return err_set(e, -EINVAL, "%s '%s' has no name", what, path);
	return 0;
}

int layer_stack_check(const struct layer_stack *s, struct err *e)
{
	size_t i;
	int r = check_path("scratch layer", s->scratch, e);

	for (i = 0; i < s->n_parents && r == 0; i++)
		r = check_path("layer", s->parents[i], e);
	if (r < 0)
		return r;
	if (s->n_parents == 0)
		return err_set(e, -EINVAL,
			"layer '%s' has no parent: a container's files are "
			"those of an image, and what it writes",
			s->scratch);
	if (s->n_parents > LAYER_PARENTS_MAX)
		return err_set(
			e, -EINVAL, "more than %d layers", LAYER_PARENTS_MAX);
	return 0;
}

/* ---- descriptors ---- */

int layer_widen(const char *path, wchar_t **ret, struct err *e)
{
	int r = win_wide(path, ret);
	wchar_t *p;

	if (r < 0)
		return err_sys(e, r, "layer '%s'", path);
	for (p = *ret; *p; p++)
		if (*p == L'/')
			*p = L'\\';
	return 0;
}

static int guid_of(
	const struct layer_api *api, const char *path, GUID *ret, struct err *e)
{
	auto_free wchar_t *wide = NULL;
	size_t n;
	const char *at = name_of(path, &n);
	char *name = strndup(at, n);
	HRESULT hr;
	int r;

	if (!name)
		return err_set(e, -ENOMEM, "no memory for layers");
	r = layer_widen(name, &wide, e);
	free(name);
	if (r < 0)
		return r;
	hr = api->name_to_guid(wide, ret);
	return FAILED(hr) ? layer_api_failed(e, "NameToGuid", path, hr) : 0;
}

int layer_id(const char *path, char ret[LAYER_GUID_MAX], struct err *e)
{
	const struct layer_api *api;
	GUID g = {0};
	int r = check_path("layer", path, e);

	if (r == 0)
		r = layer_api_get(&api, e);
	if (r == 0)
		r = guid_of(api, path, &g, e);
	if (r < 0)
		return r;
	snprintf(ret, LAYER_GUID_MAX,
		"%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", g.Data1,
		g.Data2, g.Data3, g.Data4[0], g.Data4[1], g.Data4[2],
		g.Data4[3], g.Data4[4], g.Data4[5], g.Data4[6], g.Data4[7]);
	return 0;
}

void layer_wide_clear(struct layer_wide *w)
{
	size_t i;

	for (i = 0; w->paths && i < w->n; i++)
		free(w->paths[i]);
	free(w->paths);
	free(w->parents);
	free(w->scratch);
}

int layer_wide_fill(const struct layer_api *api, const struct layer_stack *s,
	struct layer_wide *w, struct err *e)
{
	size_t i;
	int r = layer_widen(s->scratch, &w->scratch, e);

	if (r < 0)
		return r;
	w->paths = calloc(s->n_parents, sizeof(*w->paths));
	w->parents = calloc(s->n_parents, sizeof(*w->parents));
	if (!w->paths || !w->parents)
		return err_set(e, -ENOMEM, "no memory for layers");
	w->n = (ULONG)s->n_parents;
	for (i = 0; i < s->n_parents && r == 0; i++) {
		r = file_check(s->parents[i]);
		if (r < 0)
			return err_sys(e, r == -ENOENT ? -EINVAL : r,
				"layer '%s' is not there", s->parents[i]);
		r = layer_widen(s->parents[i], &w->paths[i], e);
		if (r == 0)
			r = guid_of(api, s->parents[i], &w->parents[i].id, e);
		w->parents[i].path = w->paths[i];
	}
	return r;
}
