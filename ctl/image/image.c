/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/image/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/json.h"

yajl_val image_get(yajl_val map, const char *key, yajl_type type)
{
	const char *path[] = {key, NULL};

	return map ? yajl_tree_get(map, path, type) : NULL;
}

int image_read_json(const struct image_store *s, const char *name,
	const struct image_digest *want, yajl_val *ret, struct err *e)
{
	yajl_val v = NULL;
	char *text;
	size_t n;
	int r = image_store_read(s, name, IMAGE_JSON_MAX, &text, &n, e);

	if (r < 0)
		return r;
	r = image_digest_check_data(want, text, n, name, e);
	if (r == 0)
		r = ctl_json_parse(name, text, n, &v, e);
	free(text);
	if (r == 0)
		*ret = v;
	return r;
}

bool image_has_tag(const char *name, const char *tag)
{
	size_t n = strlen(name), m = strlen(tag);

	if (m == 0 || m > n || strcmp(name + n - m, tag) != 0)
		return false;
	return n == m || name[n - m - 1] == '/' ||
	       (name[n - m - 1] == ':' && !strchr(tag, '/'));
}

void image_names_add(struct image_names *l, const char *name)
{
	size_t len = strlen(l->text);
	char quoted[256];

	snprintf(quoted, sizeof(quoted), "'%s'", name);
	if (strstr(l->text, quoted))
		return;
	l->n++;
	if (len + strlen(quoted) + 3 < sizeof(l->text))
		snprintf(l->text + len, sizeof(l->text) - len, "%s%s",
			len ? ", " : "", quoted);
}

int image_make_layers(struct image *i, size_t n, struct err *e)
{
	if (n == 0 || n > IMAGE_LAYERS_MAX)
		return err_set(e, -EINVAL,
			"it has %zu layers; 1 to %d are possible", n,
			IMAGE_LAYERS_MAX);
	i->layers = calloc(n, sizeof(*i->layers));
	if (!i->layers)
		return err_sys(e, -ENOMEM, "layers");
	i->n_layers = n;
	return 0;
}

/* What was taken from an index may have said nothing of it. */
static int check(
	const struct image *i, const struct image_wish *wish, struct err *e)
{
	char want[IMAGE_PLATFORM_TEXT_MAX], have[IMAGE_PLATFORM_TEXT_MAX];

	if (!image_platform_fits(&wish->platform, &i->config.platform)) {
		image_platform_text(&i->config.platform, have);
		return err_set(e, -EINVAL,
			"the image is for %s, not for %s; if this host can run "
			"it, pass --platform %s",
			have, image_platform_text(&wish->platform, want), have);
	}
	if (i->n_layers != i->config.n_diff_ids)
		return err_set(e, -EINVAL,
			"the manifest has %zu layers and the configuration %zu",
			i->n_layers, i->config.n_diff_ids);
	return 0;
}

int image_read(const struct image_store *s, const struct image_wish *wish,
	struct image *ret, struct err *e)
{
	int r;

	if (image_store_has(s, "index.json"))
		r = image_read_oci(s, wish, ret, e);
	else if (image_store_has(s, "manifest.json"))
		r = image_read_docker(s, wish, ret, e);
	else
		return err_set(e, -EINVAL,
			"it is neither an OCI image layout (there is no "
			"index.json) nor from `docker save` (no "
			"manifest.json)");
	return r < 0 ? r : check(ret, wish, e);
}

void image_clear(struct image *i)
{
	size_t n;

	for (n = 0; n < i->n_layers; n++)
		free(i->layers[n].name);
	free(i->layers);
	image_config_clear(&i->config);
	*i = (struct image){0};
}
