/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/image/image_run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/image/image_layer.h"
#include "ctl/image/image_stream.h"
#include "ctl/say.h"
#include "ctl/user.h"

static int unpack_blob(struct image_tree *t, struct image_blob *blob,
	const struct image_layer *layer, const struct image_digest *diff_id,
	struct image_job *job, struct err *e)
{
	struct image_stream *s;
	int r;

	if (image_blob_size(blob) != layer->size)
		return err_set(e, -EBADMSG,
			"it is damaged: it has %llu bytes, and should have "
			"%llu",
			(unsigned long long)image_blob_size(blob),
			(unsigned long long)layer->size);
	r = image_stream_new(blob, job, &s, e);
	if (r < 0)
		return r;
	r = image_layer_apply(t, s, job, e);
	if (r == 0)
		r = image_stream_finish(s, &layer->digest, diff_id, e);
	image_stream_free(s);
	return r;
}

static int unpack_layers(const struct image_store *s, const struct image *im,
	struct image_tree *t, struct image_job *job, struct err *e)
{
	struct image_blob *blob;
	size_t i;
	int r = 0;

	job->n_layers = (unsigned)im->n_layers;
	for (i = 0; i < im->n_layers; i++)
		job->all += im->layers[i].size;
	for (i = 0; i < im->n_layers && r == 0; i++) {
		job->layer = (unsigned)i + 1;
		r = image_blob_open(s, im->layers[i].name, &blob, e);
		if (r == 0) {
			r = unpack_blob(t, blob, &im->layers[i],
				&im->config.diff_ids[i], job, e);
			image_blob_close(blob);
		}
		if (r < 0 && r != -ECANCELED)
			err_prefix(e, "layer %zu of %zu ('%.100s')", i + 1,
				im->n_layers, im->layers[i].name);
	}
	return r;
}

/* An ordinary user's container has no user but root, which is that user, and
 * may have no groups. */
static int find_user(struct image_run *x, struct image_tree *t,
	const struct image_job *job, struct err *e)
{
	int r = image_user_find(t, x->image.config.user, &x->user, e);

	if (r < 0)
		return r;
	if (job->ordinary)
		x->user.n_groups = 0;
	if (ctl_user_has_ids(x->user.uid, x->user.gid))
		return 0;
	ctl_say("warning: the image wants to run as '%s', which this user "
		"cannot have; it runs as root, which is you",
		x->image.config.user ? x->image.config.user : "root");
	x->user.uid = x->user.gid = 0;
	return 0;
}

static int unpack(struct image_run *x, const struct image_store *s,
	const char *root, struct image_job *job, struct err *e)
{
	struct image_tree t;
	int r;

	if (mkdir(root, 0755) < 0 || chmod(root, 0755) < 0)
		return err_sys(e, -errno, "make '%s'", root);
	r = image_tree_open(&t, root, e);
	if (r < 0)
		return r;
	r = unpack_layers(s, &x->image, &t, job, e);
	if (r == 0)
		r = find_user(x, &t, job, e);
	image_tree_close(&t);
	return r;
}

static int read_and_unpack(struct image_run *x, const struct image_options *o,
	const char *folder, struct image_job *job, struct err *e)
{
	struct image_wish wish = {.tag = o->tag};
	struct image_store *s = NULL;
	char root[PATH_MAX];
	int r = image_platform_parse(o->platform, &wish.platform, e);

	snprintf(root, sizeof(root), "%s/rootfs", folder);
	if (r == 0)
		r = image_store_open(o->path, folder, job, &s, e);
	if (r == 0)
		r = image_read(s, &wish, &x->image, e);
	job->bytes = 0; /* an archive around the layers does not count */
	if (r == 0)
		r = unpack(x, s, root, job, e);
	image_store_close(s);
	return r;
}

int image_run_prepare(struct image_run *ret, const struct image_options *o,
	const char *folder, struct image_job *job, char *const *command,
	char *const *env, size_t n_env, struct err *e)
{
	int r;

	*ret = (struct image_run){0};
	job->max_bytes = o->max_bytes ? o->max_bytes : IMAGE_BYTES_MAX;
	job->max_entries = o->max_entries ? o->max_entries : IMAGE_ENTRIES_MAX;
	if (mkdir(folder, 0700) < 0)
		return err_sys(e, -errno, "make '%s'", folder);
	r = read_and_unpack(ret, o, folder, job, e);
	image_job_undraw(job);
	if (r == 0)
		image_job_warn(job, o->path);
	if (r == 0)
		r = image_run_merge(ret, o, command, env, n_env, e);
	if (r < 0 && r != -ECANCELED)
		err_prefix(e, "--image '%s'", o->path);
	return r;
}

void image_run_clear(struct image_run *x)
{
	image_clear(&x->image);
	free(x->args);
	free(x->env);
	free(x->cwd);
	*x = (struct image_run){0};
}
