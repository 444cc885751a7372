/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rootfs that is a plain folder, which a host-process container may have,
 * needs no mount. All others are layers, which become a volume that nothing is
 * mounted on: the note of it (layer.h) is in the folder scratch.
 */
#include "platform/mount.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/windows/layer_options.h"

static int note_path(const char *scratch, char *buf, size_t n, struct err *e)
{
	return (size_t)snprintf(buf, n, "%s\\layers", scratch) >= n
		       ? err_sys(e, -ENAMETOOLONG, "'%s'", scratch)
		       : 0;
}

static bool is_disks(const struct mount_spec *m)
{
	return strcmp(m->type, "lcow-layer") == 0;
}

static int check(const struct mount_spec *m, size_t n, struct err *e)
{
	if (n != 1)
		return err_set(e, -EINVAL,
			"%zu mounts make the rootfs: on Windows it is one, of "
			"type windows-layer",
			n);
	if (strcmp(m->type, "windows-layer") != 0 && !is_disks(m))
		return err_set(e, -ENOSYS,
			"mount of type '%s': on Windows only windows-layer and "
			"lcow-layer are supported",
			m->type);
	if (m->target && *m->target)
		return err_set(e, -EINVAL, "a %s has no target, but '%s'",
			m->type, m->target);
	return 0;
}

int mount_all(const struct mount_spec *m, size_t n, const char *root,
	const char *scratch, struct err *e)
{
	struct layer_stack s = {0};
	char note[FILE_PATH_MAX];
	int r;

	(void)root;
	if (n == 0)
		return 0;
	r = check(m, n, e);
	if (r == 0)
		r = note_path(scratch, note, sizeof(note), e);
	if (r == 0)
		r = layer_options_parse(m, &s, e);
	if (r < 0)
		return r;
	r = file_make_folder(scratch);
	if (r < 0)
		err_sys(e, r, "make '%s'", scratch);
	else
		r = is_disks(m) ? layer_list(&s, note, e)
				: layer_mount(&s, note, e);
	layer_stack_clear(&s);
	return r;
}

int mount_undo_all(const char *root, const char *scratch, struct err *e)
{
	char note[FILE_PATH_MAX];
	int r = note_path(scratch, note, sizeof(note), e);

	(void)root;
	if (r == 0)
		r = layer_undo(note, e);
	if (r < 0)
		return r;
	r = file_remove_folder(scratch);
	return r < 0 ? err_sys(e, r, "remove '%s'", scratch) : 0;
}

int mount_describe_rootfs(const char *path, const char *const *folders,
	size_t n, struct mount_rootfs *ret, struct err *e)
{
	struct mount_rootfs m = {.path = strdup(path)};
	char id[LAYER_GUID_MAX];
	int r = 0;

	if (n > LAYER_PARENTS_MAX)
		r = err_set(
			e, -EINVAL, "more than %d layers", LAYER_PARENTS_MAX);
	m.layers = calloc(n + 1, sizeof(*m.layers));
	if (!m.path || !m.layers)
		r = -ENOMEM;
	for (; r == 0 && m.n_layers < n; m.n_layers++) {
		struct mount_layer *to = &m.layers[m.n_layers];

		r = layer_id(folders[m.n_layers], id, e);
		if (r < 0)
			break;
		to->id = strdup(id);
		to->path = strdup(folders[m.n_layers]);
		if (!to->id || !to->path)
			r = -ENOMEM; /* after this round: both are freed */
	}
	if (r == -ENOMEM)
		err_set(e, r, "no memory for layers");
	if (r < 0)
		mount_rootfs_clear(&m);
	else
		*ret = m;
	return r;
}

int mount_find_rootfs(const char *root, const char *scratch,
	struct mount_rootfs *ret, struct err *e)
{
	char note[FILE_PATH_MAX];
	struct layer_stack s = {0};
	int r = note_path(scratch, note, sizeof(note), e);

	(void)root;
	if (r == 0)
		r = layer_read_note(note, &s, e);
	if (r < 0)
		return r;
	r = mount_describe_rootfs(
		s.volume, (const char *const *)s.parents, s.n_parents, ret, e);
	layer_stack_clear(&s);
	return r;
}

int mount_find_disks(
	const char *scratch, struct mount_rootfs *ret, struct err *e)
{
	struct mount_rootfs found = {0};
	char note[FILE_PATH_MAX];
	struct layer_stack s;
	int r = note_path(scratch, note, sizeof(note), e);

	if (r == 0)
		r = layer_read_list(note, &s, e);
	if (r < 0)
		return r;
	found.layers = calloc(s.n_parents, sizeof(*found.layers));
	if (!found.layers) {
		layer_stack_clear(&s);
		return err_set(e, -ENOMEM, "no memory for layers");
	}
	found.path = ptr_take(&s.scratch);
	for (; found.n_layers < s.n_parents; found.n_layers++)
		found.layers[found.n_layers].path =
			ptr_take(&s.parents[found.n_layers]);
	layer_stack_clear(&s);
	*ret = found;
	return 0;
}

void mount_rootfs_clear(struct mount_rootfs *m)
{
	size_t i;

	for (i = 0; i < m->n_layers; i++) {
		free(m->layers[i].id);
		free(m->layers[i].path);
	}
	free(m->layers);
	free(m->path);
	memset(m, 0, sizeof(*m));
}

/* A volume is on no folder. */
int mount_undo(const char *target, struct err *e)
{
	(void)target;
	(void)e;
	return 0;
}
