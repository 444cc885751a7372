/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.json, indexes, a manifest (image-spec, image-index.md, manifest.md).
 * docker's media types have the same fields.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/image/image.h"
#include "ctl/json.h"

#define INDEXES_MAX 4 /* one in the other */

/* What leads to a blob: descriptor.md. */
struct descriptor {
	char name[128]; /* of the file */
	struct image_digest digest;
	uint64_t size;
};

static int read_descriptor(
	yajl_val v, const char *what, struct descriptor *ret, struct err *e)
{
	yajl_val size = image_get(v, "size", yajl_t_number);
	char text[IMAGE_DIGEST_TEXT_MAX];
	int r;

	if (!size || !YAJL_IS_INTEGER(size) || YAJL_GET_INTEGER(size) < 0)
		return err_set(e, -EINVAL, "%s: there is no size", what);
	ret->size = (uint64_t)YAJL_GET_INTEGER(size);
	r = image_digest_parse(ctl_json_get(v, "digest"), &ret->digest, e);
	if (r < 0)
		return err_prefix(e, "%s", what);
	image_digest_text(&ret->digest, text);
	snprintf(ret->name, sizeof(ret->name), "blobs/sha256/%s",
		strchr(text, ':') + 1);
	return 0;
}

static int read_blob(const struct image_store *s, const struct descriptor *d,
	yajl_val *ret, struct err *e)
{
	struct image_blob *b = NULL;
	uint64_t size = 0;
	int r = image_blob_open(s, d->name, &b, e);

	if (r < 0)
		return r;
	size = image_blob_size(b);
	image_blob_close(b);
	if (size != d->size)
		return err_set(e, -EBADMSG,
			"'%s' is damaged: it has %llu bytes, and should have "
			"%llu",
			d->name, (unsigned long long)size,
			(unsigned long long)d->size);
	r = image_read_json(s, d->name, &d->digest, ret, e);
	if (r == 0 && !YAJL_IS_OBJECT(*ret)) {
		yajl_tree_free(*ret);
		r = err_set(e, -EINVAL, "'%s' is no JSON object", d->name);
	}
	return r;
}

/* ---- which one ---- */

static struct image_platform platform_of(yajl_val v)
{
	yajl_val p = image_get(v, "platform", yajl_t_object);
	struct image_platform have = {0};

	if (p)
		image_platform_set(&have, ctl_json_get(p, "os"),
			ctl_json_get(p, "architecture"),
			ctl_json_get(p, "variant"));
	return have;
}

/* containerd's whole name, and the specification's, which is often only the
 * part after the colon. */
static const char *const name_keys[] = {
	"io.containerd.image.name", "org.opencontainers.image.ref.name"};

static bool is_wanted(yajl_val v, const char *tag)
{
	yajl_val notes = image_get(v, "annotations", yajl_t_object);
	const char *name;
	size_t i;

	for (i = 0; i < 2; i++) {
		name = notes ? ctl_json_get(notes, name_keys[i]) : NULL;
		if (name && image_has_tag(name, tag))
			return true;
	}
	return false;
}

static const char *name_of(yajl_val v)
{
	yajl_val notes = image_get(v, "annotations", yajl_t_object);
	const char *name = notes ? ctl_json_get(notes, name_keys[0]) : NULL;

	if (!name && notes)
		name = ctl_json_get(notes, name_keys[1]);
	return name ? name : "(no name)";
}

/* others: the platforms of what has the right name. */
static int none_found(const struct image_wish *wish, bool top,
	const struct image_names *names, const struct image_names *others,
	struct err *e)
{
	char text[IMAGE_PLATFORM_TEXT_MAX];

	if (top && wish->tag && !others->n)
		return err_set(e, -ENOENT, "it has no image '%s'; there is: %s",
			wish->tag, names->n ? names->text : "nothing");
	return err_set(e, -ENOENT,
		"it has no image for %s; choose with --platform: %s",
		image_platform_text(&wish->platform, text),
		others->n ? others->text : "there is nothing");
}

/* The first that fits (image-index.md); but at the top others with another
 * name are other images. */
static int choose(yajl_val index, const struct image_wish *wish, bool top,
	yajl_val *ret, struct err *e)
{
	yajl_val list = image_get(index, "manifests", yajl_t_array), v;
	struct image_names all = {0}, fit = {0}, others = {0};
	struct image_platform platform;
	char text[IMAGE_PLATFORM_TEXT_MAX];
	yajl_val found = NULL;
	size_t i;

	for (i = 0; list && i < list->u.array.len; i++) {
		v = list->u.array.values[i];
		image_names_add(&all, name_of(v));
		if (top && wish->tag && !is_wanted(v, wish->tag))
			continue;
		platform = platform_of(v);
		if (!image_platform_fits(&wish->platform, &platform)) {
			image_names_add(
				&others, image_platform_text(&platform, text));
			continue;
		}
		image_names_add(&fit, name_of(v));
		if (!found)
			found = v;
	}
	if (!found)
		return none_found(wish, top, &all, &others, e);
	if (top && fit.n > 1)
		return err_set(e, -EINVAL,
			"it has more than one such image; choose one with "
			"--tag: %s",
			fit.text);
	*ret = found;
	return 0;
}

/* ---- the manifest ---- */

/* image-spec, layer.md; compression is seen from the data. */
static int check_layer_type(yajl_val v, struct err *e)
{
	const char *type = ctl_json_get(v, "mediaType");

	if (type && (strstr(type, "+encrypted") || !strstr(type, "tar")))
		return err_set(e, -ENOTSUP,
			"layers of the type '%s' cannot be unpacked", type);
	return 0;
}

static int read_layers(yajl_val list, struct image *ret, struct err *e)
{
	struct descriptor d = {0};
	char what[32];
	size_t i;
	int r;

	if (!list)
		return err_set(e, -EINVAL, "the manifest has no layers");
	r = image_make_layers(ret, list->u.array.len, e);

	for (i = 0; r == 0 && i < ret->n_layers; i++) {
		snprintf(what, sizeof(what), "layer %zu", i + 1);
		r = check_layer_type(list->u.array.values[i], e);
		if (r == 0)
			r = read_descriptor(
				list->u.array.values[i], what, &d, e);
		if (r < 0)
			break;
		ret->layers[i] =
			(struct image_layer){strdup(d.name), d.digest, d.size};
		if (!ret->layers[i].name)
			r = err_sys(e, -ENOMEM, "layers");
	}
	return r;
}

static int read_manifest(const struct image_store *s, yajl_val manifest,
	struct image *ret, struct err *e)
{
	struct descriptor d = {0};
	yajl_val v = NULL;
	int r = read_descriptor(image_get(manifest, "config", yajl_t_object),
		"the manifest's configuration", &d, e);

	if (r == 0)
		r = read_blob(s, &d, &v, e);
	if (r == 0)
		r = image_config_take(&ret->config, v, e);
	if (r < 0)
		return r;
	return read_layers(image_get(manifest, "layers", yajl_t_array), ret, e);
}

/* A document that claims to be both would be another image to somebody else
 * (CVE-2021-41190). */
static int read_document(const struct image_store *s,
	const struct image_wish *wish, yajl_val doc, unsigned depth,
	struct image *ret, struct err *e)
{
	bool is_index = image_get(doc, "manifests", yajl_t_any);
	struct descriptor d = {0};
	yajl_val v = NULL;
	int r;

	if (is_index && (image_get(doc, "layers", yajl_t_any) ||
				image_get(doc, "config", yajl_t_any)))
		return err_set(
			e, -EINVAL, "it has an index that is a manifest, too");
	if (!is_index && depth > 0)
		return read_manifest(s, doc, ret, e);
	if (depth == INDEXES_MAX)
		return err_set(e, -ELOOP, "its indexes lead nowhere");
	r = choose(doc, wish, depth == 0, &v, e);
	if (r == 0)
		r = read_descriptor(v, "the index", &d, e);
	if (r == 0)
		r = read_blob(s, &d, &v, e);
	if (r < 0)
		return r;
	r = read_document(s, wish, v, depth + 1, ret, e);
	yajl_tree_free(v);
	return r;
}

int image_read_oci(const struct image_store *s, const struct image_wish *wish,
	struct image *ret, struct err *e)
{
	struct image_digest none = {0};
	yajl_val v = NULL;
	int r = image_read_json(s, "index.json", &none, &v, e);

	if (r < 0)
		return r;
	r = YAJL_IS_OBJECT(v) ? read_document(s, wish, v, 0, ret, e)
			      : err_set(e, -EINVAL, "index.json is no object");
	yajl_tree_free(v);
	return r;
}
