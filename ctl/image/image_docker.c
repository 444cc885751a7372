/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.json of `docker save`: [{"Config": FILE, "RepoTags": [NAME...],
 * "Layers": [FILE...]}...] (moby, image/spec/v1.2.md, "Combined Image JSON").
 * Files are called as their digest by all but the oldest dockers.
 */
#include <errno.h>
#include <string.h>

#include "ctl/image/image.h"

/* "blobs/sha256/HEX", "HEX.json"; any other name says nothing. */
static struct image_digest digest_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *base = slash ? slash + 1 : name;
	size_t n = strcspn(base, ".");
	struct image_digest d = {0};

	if (!slash ? strcmp(base + n, ".json") == 0
		   : strcmp(base + n, "") == 0 &&
				strncmp(name, "blobs/sha256/", 13) == 0)
		image_digest_parse_hex(base, n, &d);
	return d;
}

static bool is_wanted(yajl_val image, const char *tag)
{
	yajl_val tags = image_get(image, "RepoTags", yajl_t_array);
	const char *name;
	size_t i;

	for (i = 0; tags && i < tags->u.array.len; i++) {
		name = YAJL_GET_STRING(tags->u.array.values[i]);
		if (name && image_has_tag(name, tag))
			return true;
	}
	return false;
}

static void add_names(struct image_names *names, yajl_val image)
{
	yajl_val tags = image_get(image, "RepoTags", yajl_t_array);
	const char *name;
	size_t i;

	for (i = 0; tags && i < tags->u.array.len; i++) {
		name = YAJL_GET_STRING(tags->u.array.values[i]);
		if (name)
			image_names_add(names, name);
	}
}

static int choose(yajl_val list, const char *tag, yajl_val *ret, struct err *e)
{
	struct image_names names = {0};
	yajl_val found = NULL;
	size_t i, n = 0;

	for (i = 0; i < list->u.array.len; i++) {
		yajl_val image = list->u.array.values[i];

		add_names(&names, image);
		if (tag && !is_wanted(image, tag))
			continue;
		found = image;
		n++;
	}
	if (n == 1) {
		*ret = found;
		return 0;
	}
	return err_set(e, n ? -EINVAL : -ENOENT,
		"%s; choose one with --tag: %s",
		n ? "it has more than one such image" : "it has no such image",
		names.n ? names.text : "none has a name");
}

static int read_layers(const struct image_store *s, yajl_val list,
	struct image *ret, struct err *e)
{
	struct image_blob *b;
	const char *name;
	size_t i;
	int r;

	if (!list)
		return err_set(e, -EINVAL, "the manifest has no layers");
	r = image_make_layers(ret, list->u.array.len, e);

	for (i = 0; r == 0 && i < ret->n_layers; i++) {
		name = YAJL_GET_STRING(list->u.array.values[i]);
		if (!name)
			return err_set(e, -EINVAL,
				"manifest.json: layer %zu is no text", i + 1);
		ret->layers[i].name = strdup(name);
		if (!ret->layers[i].name)
			return err_sys(e, -ENOMEM, "layers");
		ret->layers[i].digest = digest_of(name);
		r = image_blob_open(s, name, &b, e);
		if (r < 0)
			break;
		ret->layers[i].size = image_blob_size(b);
		image_blob_close(b);
	}
	return r;
}

static int read_image(const struct image_store *s, yajl_val image,
	struct image *ret, struct err *e)
{
	yajl_val config = image_get(image, "Config", yajl_t_string);
	struct image_digest digest;
	yajl_val v;
	int r;

	if (!config)
		return err_set(
			e, -EINVAL, "manifest.json: there is no \"Config\"");
	digest = digest_of(config->u.string);
	r = image_read_json(s, config->u.string, &digest, &v, e);
	if (r == 0)
		r = image_config_take(&ret->config, v, e);
	if (r < 0)
		return r;
	return read_layers(s, image_get(image, "Layers", yajl_t_array), ret, e);
}

int image_read_docker(const struct image_store *s,
	const struct image_wish *wish, struct image *ret, struct err *e)
{
	struct image_digest none = {0};
	yajl_val v, image = NULL;
	int r = image_read_json(s, "manifest.json", &none, &v, e);

	if (r < 0)
		return r;
	if (!YAJL_IS_ARRAY(v))
		r = err_set(e, -EINVAL, "manifest.json is no list");
	else
		r = choose(v, wish->tag, &image, e);
	if (r == 0)
		r = read_image(s, image, ret, e);
	yajl_tree_free(v);
	return r;
}
