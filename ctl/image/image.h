/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h - what an image says of itself: its layers and its configuration.
 *
 * Two forms are read: an OCI image layout (image-spec, image-layout.md:
 * index.json, then indexes and manifests by digest), and what `docker save`
 * writes (manifest.json). An archive that has both is read as the first.
 * Everything that has a digest is compared with it.
 */
#ifndef WISP_CTL_IMAGE_H
#define WISP_CTL_IMAGE_H

#include "ctl/image/image_config.h"
#include "ctl/image/image_digest.h"
#include "ctl/image/image_platform.h"
#include "ctl/image/image_store.h"

#define IMAGE_LAYERS_MAX 512

struct image_layer {
	char *name;                 /* in the store */
	struct image_digest digest; /* of what is stored; may be unset */
	uint64_t size;              /* of it */
};

struct image {
	struct image_layer *layers; /* the lowest comes first */
	size_t n_layers;
	struct image_config config; /* has a diff_id for each of them */
};

/*
 * Which image is wanted. A tag is the image's whole name ("example.org/a/b:1",
 * as docker and containerd write it, or org.opencontainers.image.ref.name), its
 * end after a '/' ("b:1"), or what comes after its last ':' ("1"). Without one
 * there must be no choice.
 */
struct image_wish {
	const char *tag; /* NULL: none */
	struct image_platform platform;
};

/* ret is zero before, and is cleared by the caller in any case. */
int image_read(const struct image_store *s, const struct image_wish *wish,
	struct image *ret, struct err *e);
void image_clear(struct image *i);

/* ---- for the two that read it ---- */

#define IMAGE_JSON_MAX (8u << 20)

/* Room for n layers, as arrays must be told. */
int image_make_layers(struct image *i, size_t n, struct err *e);

/* image_docker.c: manifest.json. */
int image_read_docker(const struct image_store *s,
	const struct image_wish *wish, struct image *ret, struct err *e);
/* image_oci.c: index.json. */
int image_read_oci(const struct image_store *s, const struct image_wish *wish,
	struct image *ret, struct err *e);

/* A JSON document in the store, for yajl_tree_free(); want may be unset. */
int image_read_json(const struct image_store *s, const char *name,
	const struct image_digest *want, yajl_val *ret, struct err *e);

/* Values of an object, NULL if it has none of that kind. */
yajl_val image_get(yajl_val map, const char *key, yajl_type type);

/* Whether an image of that name is the wanted one. */
bool image_has_tag(const char *name, const char *tag);

/* A list of names for a message, cut when it is full. */
struct image_names {
	char text[400];
	unsigned n; /* different ones */
};
void image_names_add(struct image_names *l, const char *name);

#endif
