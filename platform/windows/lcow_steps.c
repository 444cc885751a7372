/* SPDX-License-Identifier: Apache-2.0 */
/* What a machine is given once it runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/file.h"
#include "platform/windows/hcs_document.h"
#include "platform/windows/lcow_document.h"
#include "platform/windows/lcow_text.h"

#define ROOT "/run/gcs/c/"
#define SHARE_PORT 564
/* Plan9ShareFlags */
#define SHARE_READ_ONLY 0x01
#define SHARE_LINUX_METADATA 0x04
#define SHARE_RESTRICTED 0x80

struct making {
	struct lcow_step *at;
	size_t n;
	unsigned disk; /* the next one: controller and place on it */
	const struct guest *g;
	const char *id;
	struct err *e;
};

static struct lcow_step *next_step(
	struct making *m, const char *verb, const char *what)
{
	struct lcow_step *s = &m->at[m->n++];
	size_t n = strlen(what);

	/* the end of a path says more than its beginning */
	snprintf(s->what, sizeof(s->what), "%s '%s%s'", verb,
		n > 64 ? "..." : "", what + (n > 64 ? n - 64 : 0));
	return s;
}

/* A request to the guest alone, or what goes with one to the host. */
static void open_guest(struct json_out *o, const char *type, bool add)
{
	json_open(o, "GuestRequest", '{');
	json_text(o, "RequestType", add ? "Add" : "Remove");
	json_text(o, "ResourceType", type);
	json_open(o, "Settings", '{');
}

static void close_guest(struct json_out *o)
{
	json_close(o);
	json_close(o);
	json_close(o);
}

/* ---- disks ---- */

struct disk {
	unsigned controller, lun;
	const char *path;  /* on the host */
	const char *mount; /* in the guest */
	bool read_only;
};

static int attach_document(
	const struct disk *d, bool add, wchar_t **ret, struct err *e)
{
	struct json_out o = {0};
	char path[128];

	snprintf(path, sizeof(path),
		"VirtualMachine/Devices/Scsi/%s/Attachments/%u",
		lcow_controllers[d->controller], d->lun);
	json_open(&o, NULL, '{');
	json_text(&o, "ResourcePath", path);
	json_text(&o, "RequestType", add ? "Add" : "Remove");
	if (add) {
		json_open(&o, "Settings", '{');
		json_text(&o, "Type", "VirtualDisk");
		json_text(&o, "Path", d->path);
		if (d->read_only)
			json_bool(&o, "ReadOnly", true);
		json_close(&o);
	}
	json_close(&o);
	return hcs_document_of(&o, ret, e);
}

static int unplug_document(const struct disk *d, wchar_t **ret, struct err *e)
{
	struct json_out o = {0};

	json_open(&o, NULL, '{');
	open_guest(&o, "SCSIDevice", false);
	json_number(&o, "Controller", d->controller);
	json_number(&o, "Lun", d->lun);
	close_guest(&o);
	return hcs_document_of(&o, ret, e);
}

static int mount_document(
	const struct disk *d, bool add, wchar_t **ret, struct err *e)
{
	struct json_out o = {0};

	json_open(&o, NULL, '{');
	open_guest(&o, "MappedVirtualDisk", add);
	json_text(&o, "MountPath", d->mount);
	json_number(&o, "Lun", d->lun);
	json_number(&o, "Controller", d->controller);
	if (d->read_only)
		json_bool(&o, "ReadOnly", true);
	if (add && d->read_only) {
		json_open(&o, "Options", '[');
		json_text(&o, NULL, "ro");
		json_close(&o);
	} else if (add) {
		json_bool(&o, "EnsureFilesystem", true);
		json_text(&o, "Filesystem", "ext4");
	}
	close_guest(&o);
	return hcs_document_of(&o, ret, e);
}

static int put_disk(struct making *m, const char *folder, const char *name,
	const char *mount, bool read_only)
{
	char path[LCOW_PATH_MAX];
	struct disk d = {.controller = m->disk / LCOW_DISKS,
		.lun = m->disk % LCOW_DISKS,
		.path = path,
		.mount = mount,
		.read_only = read_only};
	struct lcow_step *s;
	int r;

	if ((size_t)snprintf(path, sizeof(path), "%s\\%s", folder, name) >=
		sizeof(path))
		return err_set(m->e, -EINVAL, "a layer's path is too long");
	if (file_check(path) < 0)
		return err_set(m->e, -EINVAL, "layer '%s' is not there", path);
	if (d.controller >= LCOW_CONTROLLERS)
		return err_set(m->e, -EINVAL, "more than %d layers",
			LCOW_CONTROLLERS * LCOW_DISKS - 2);
	m->disk++;
	s = next_step(m, "attach", path);
	r = attach_document(&d, true, &s->add, m->e);
	if (r == 0)
		r = attach_document(&d, false, &s->remove, m->e);
	if (r < 0)
		return r;
	s = next_step(m, "unplug", path);
	r = unplug_document(&d, &s->remove, m->e);
	if (r < 0)
		return r;
	s = next_step(m, "mount", path);
	r = mount_document(&d, true, &s->add, m->e);
	return r < 0 ? r : mount_document(&d, false, &s->remove, m->e);
}

static void layer_mount(unsigned i, char buf[64])
{
	snprintf(buf, 64, "/run/mounts/scsi/m%u", i);
}

/* ---- their union ---- */

static int union_document(struct making *m, bool add, wchar_t **ret)
{
	struct json_out o = {0};
	char path[512];
	unsigned i;

	json_open(&o, NULL, '{');
	open_guest(&o, "CombinedLayers", add);
	if (add)
		json_text(&o, "ContainerID", m->id);
	snprintf(path, sizeof(path), ROOT "%s/rootfs", m->id);
	json_text(&o, "ContainerRootPath", path);
	if (add) {
		json_open(&o, "Layers", '[');
		for (i = 0; i < m->g->n_layers; i++) {
			layer_mount(i, path);
			json_open(&o, NULL, '{');
			json_text(&o, "Path", path);
			json_close(&o);
		}
		json_close(&o);
		snprintf(
			path, sizeof(path), ROOT "%s/scratch/%s", m->id, m->id);
		json_text(&o, "ScratchPath", path);
	}
	close_guest(&o);
	return hcs_document_of(&o, ret, m->e);
}

/* ---- shares ---- */

static int share_document(struct making *m, size_t i, bool add, wchar_t **ret)
{
	const struct guest_share *sh = &m->g->shares[i];
	struct json_out o = {0};
	char name[24], at[512];

	snprintf(name, sizeof(name), "%zu", i);
	snprintf(at, sizeof(at), ROOT "%s/mounts/m%zu", m->id, sh->mount);
	json_open(&o, NULL, '{');
	json_text(&o, "ResourcePath", "VirtualMachine/Devices/Plan9/Shares");
	json_text(&o, "RequestType", add ? "Add" : "Remove");
	json_open(&o, "Settings", '{');
	json_text(&o, "Name", name);
	json_text(&o, "AccessName", name);
	if (add)
		json_text(&o, "Path", sh->folder);
	json_number(&o, "Port", SHARE_PORT);
	if (add)
		json_number(&o, "Flags",
			SHARE_LINUX_METADATA |
				(sh->read_only ? SHARE_READ_ONLY : 0) |
				(sh->file ? SHARE_RESTRICTED : 0));
	if (add && sh->file) {
		json_open(&o, "AllowedFiles", '[');
		json_text(&o, NULL, sh->file);
		json_close(&o);
	}
	json_close(&o);
	open_guest(&o, "MappedDirectory", add);
	json_text(&o, "MountPath", at);
	json_number(&o, "Port", SHARE_PORT);
	json_text(&o, "ShareName", name);
	if (add && sh->read_only)
		json_bool(&o, "ReadOnly", true);
	close_guest(&o);
	return hcs_document_of(&o, ret, m->e);
}

/* ---- all ---- */

static int make_all(struct making *m)
{
	const struct guest *g = m->g;
	struct lcow_step *s;
	char mount[512];
	unsigned i;
	int r = 0;

	for (i = 0; i < g->n_layers && r == 0; i++) {
		layer_mount(i, mount);
		r = put_disk(m, g->layers[i], "layer.vhd", mount, true);
	}
	snprintf(mount, sizeof(mount), ROOT "%s", m->id);
	if (r == 0)
		r = put_disk(m, g->scratch, "sandbox.vhdx", mount, false);
	if (r < 0)
		return r;
	s = next_step(m, "combine the layers of", m->id);
	r = union_document(m, true, &s->add);
	if (r == 0)
		r = union_document(m, false, &s->remove);
	for (i = 0; i < g->n_shares && r == 0; i++) {
		s = next_step(m, "share", g->shares[i].folder);
		r = share_document(m, i, true, &s->add);
		if (r == 0)
			r = share_document(m, i, false, &s->remove);
	}
	return r;
}

int lcow_steps(const struct guest *g, const char *id, struct lcow_step **ret,
	size_t *ret_n, struct err *e)
{
	struct making m = {.g = g, .id = id, .e = e};
	struct lcow_boot *b = malloc(sizeof(*b));
	int r = -ENOMEM;

	m.at = calloc(3 * (g->n_layers + 1) + 1 + g->n_shares, sizeof(*m.at));
	if (b && m.at) {
		r = lcow_find_boot(g, b, e);
		if (r == 0)
			m.disk = b->vhd; /* which is the first one */
	} else {
		err_set(e, r, "no memory for a virtual machine");
	}
	free(b);
	if (r == 0)
		r = make_all(&m);
	if (r < 0) {
		lcow_steps_free(m.at, m.n);
		return r;
	}
	*ret = m.at;
	*ret_n = m.n;
	return 0;
}

void lcow_steps_free(struct lcow_step *steps, size_t n)
{
	while (n > 0) {
		free(steps[--n].add);
		free(steps[n].remove);
	}
	free(steps);
}

int lcow_scratch_disk(const struct guest *g, char *buf, size_t n, struct err *e)
{
	return (size_t)snprintf(buf, n, "%s\\sandbox.vhdx", g->scratch) >= n
		       ? err_set(e, -EINVAL, "a layer's path is too long")
		       : 0;
}
