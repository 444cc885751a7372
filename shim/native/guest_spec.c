/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/native/guest_spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/file.h"
#include "platform/json.h"
#include "platform/mount.h"
#include "shim/bundle.h"

#define CONFIG_MAX (16 * 1024 * 1024)
#define SHARES_MAX 1024
#define VM "io.microsoft.virtualmachine."
#define ANNOTATION "annotations."

/* One of the spec's mounts, as far as it has been read. */
struct mount {
	char *type, *source;
	bool read_only;
};

struct reading {
	struct guest *g;
	struct err *e;
	int r; /* the first thing that is wrong */
	size_t n_mounts;
	struct mount mount; /* the last one of them */
	uint64_t windows_memory, windows_cpus;
};

static void wrong(struct reading *rd, int code, const char *what)
{
	if (rd->r == 0)
		rd->r = err_set(rd->e, code,
			code == -ENOSYS ? "a Linux container in a virtual "
					  "machine can't have %s"
					: "%s",
			what);
}

static void set(struct reading *rd, char **to, const char *text, size_t n)
{
	free(*to);
	*to = memchr(text, '\0', n) ? NULL : strndup(text, n);
	if (!*to)
		wrong(rd, -EINVAL, "config.json has a text that can't be kept");
}

/* ---- annotations ---- */

static bool number(const char *text, uint64_t max, uint64_t *ret)
{
	unsigned long long v;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (*end || errno || v > max)
		return false;
	*ret = v;
	return true;
}

static int flag(const char *text, bool *ret)
{
	*ret = strcmp(text, "true") == 0;
	return *ret || strcmp(text, "false") == 0 ? 0 : -EINVAL;
}

static int small(const char *text, uint32_t *ret)
{
	uint64_t v;

	if (!number(text, INT32_MAX, &v))
		return -EINVAL;
	*ret = (uint32_t)v;
	return 0;
}

static int opposite(const char *text, bool *ret)
{
	int r = flag(text, ret);

	*ret = !*ret;
	return r;
}

static int root_type(const char *text, bool *initrd)
{
	*initrd = strcmp(text, "initrd") == 0;
	return *initrd || strcmp(text, "vhd") == 0 ? 0 : -EINVAL;
}

/* -ENOENT: it is not known. */
static int annotation(struct reading *rd, const char *key, const char *value)
{
	struct guest *g = rd->g;

	if (strcmp(key, "bootfilesrootpath") == 0) {
		set(rd, &g->boot_files, value, strlen(value));
		return 0;
	}
	if (strcmp(key, "lcow.kernelbootoptions") == 0) {
		set(rd, &g->kernel_options, value, strlen(value));
		return 0;
	}
	if (strcmp(key, "lcow.kerneldirectboot") == 0)
		return opposite(value, &g->by_uefi);
	if (strcmp(key, "lcow.preferredrootfstype") == 0)
		return root_type(value, &g->initrd);
	if (strcmp(key, "lcow.privileged") == 0)
		return flag(value, &g->privileged);
	if (strcmp(key, "computetopology.processor.count") == 0)
		return small(value, &g->processors);
	if (strcmp(key, "computetopology.processor.limit") == 0)
		return small(value, &g->processor_limit);
	if (strcmp(key, "computetopology.processor.weight") == 0)
		return small(value, &g->processor_weight);
	if (strcmp(key, "computetopology.memory.sizeinmb") == 0)
		return number(value, INT32_MAX, &g->memory_mib) ? 0 : -EINVAL;
	if (strcmp(key, "computetopology.memory.allowovercommit") == 0)
		return opposite(value, &g->physical_memory);
	if (strcmp(key, "computetopology.memory.enabledeferredcommit") == 0)
		return flag(value, &g->deferred_commit);
	return -ENOENT;
}

static void on_annotation(
	struct reading *rd, const char *key, const char *value)
{
	char what[512];
	int r;

	if (strncmp(key, VM, strlen(VM)) != 0)
		return;
	r = annotation(rd, key + strlen(VM), value);
	if (r == 0)
		return;
	snprintf(what, sizeof(what),
		r == -ENOENT ? "annotation %s"
			     : "annotation %s: '%s' is no value of it",
		key, value);
	wrong(rd, r == -ENOENT ? -ENOSYS : r, what);
}

/* ---- mounts ---- */

static void mount_clear(struct mount *m)
{
	free(m->type);
	free(m->source);
	memset(m, 0, sizeof(*m));
}

/* "C:\folder\file" becomes "C:\folder\" and "file". */
static int split(struct guest_share *sh)
{
	char *at = sh->folder + strlen(sh->folder);

	while (at > sh->folder && !strchr("/\\", at[-1]))
		at--;
	sh->file = strdup(at);
	*at = '\0';
	return sh->file ? 0 : -ENOMEM;
}

static void add_share(struct reading *rd, const struct mount *m)
{
	struct guest *g = rd->g;
	struct guest_share *sh;
	char folder[FILE_PATH_MAX], what[512];
	int r;

	snprintf(what, sizeof(what), "mount %zu: source '%.400s' is not there",
		rd->n_mounts - 1, m->source);
	if (!file_is_absolute(m->source) || file_goes_up(m->source) ||
		g->n_shares == SHARES_MAX) {
		wrong(rd, -EINVAL, what);
		return;
	}
	r = file_real_folder(m->source, folder);
	if (r < 0 && (r != -ENOTDIR || file_check(m->source) < 0)) {
		wrong(rd, -EINVAL, what);
		return;
	}
	sh = realloc(g->shares, (g->n_shares + 1) * sizeof(*sh));
	if (!sh) {
		wrong(rd, -ENOMEM, "no memory for mounts");
		return;
	}
	g->shares = sh;
	sh += g->n_shares++;
	*sh = (struct guest_share){.mount = rd->n_mounts - 1,
		.folder = strdup(m->source),
		.read_only = m->read_only};
	if (!sh->folder || (r == -ENOTDIR && split(sh) < 0))
		wrong(rd, -ENOMEM, "no memory for mounts");
}

/* What is in the machine already. */
static bool is_inside(const char *source)
{
	static const char *const schemes[] = {
		"sandbox://", "sandbox-tmp://", "hugepages://", "uvm://"};
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(source, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

/* Another one begins, or all is read. */
static void end_mount(struct reading *rd)
{
	static const char *const disks[] = {
		"physical-disk", "virtual-disk", "extensible-virtual-disk"};
	struct mount *m = &rd->mount;
	size_t i;

	for (i = 0; m->type && i < sizeof(disks) / sizeof(disks[0]); i++)
		if (strcmp(m->type, disks[i]) == 0)
			wrong(rd, -ENOSYS, "a mount of a disk");
	if (m->type && strcmp(m->type, "bind") == 0) {
		if (!m->source)
			wrong(rd, -EINVAL, "a bind mount has no source");
		else if (!is_inside(m->source))
			add_share(rd, m);
	}
	mount_clear(m);
}

static void on_mount(
	struct reading *rd, const char *key, const char *text, size_t n)
{
	if (strcmp(key, "type") == 0)
		set(rd, &rd->mount.type, text, n);
	else if (strcmp(key, "source") == 0)
		set(rd, &rd->mount.source, text, n);
	else if (strcmp(key, "options[]") == 0)
		rd->mount.read_only |=
			n == 2 && strncasecmp(text, "ro", 2) == 0;
}

/* ---- all of it ---- */

static void on_text(
	struct reading *rd, const char *path, const char *text, size_t n)
{
	char *value = NULL;

	if (strncmp(path, "mounts[].", 9) == 0) {
		on_mount(rd, path + 9, text, n);
	} else if (strncmp(path, ANNOTATION, strlen(ANNOTATION)) == 0) {
		set(rd, &value, text, n);
		if (value)
			on_annotation(rd, path + strlen(ANNOTATION), value);
		free(value);
	} else if (strcmp(path, "windows.network.networkNamespace") == 0 &&
		   n > 0) {
		wrong(rd, -ENOSYS,
			"a network (windows.network.networkNamespace)");
	}
}

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct reading *rd = arg;
	char digits[24];

	if (type == JSON_OBJECT && strcmp(path, "mounts[]") == 0) {
		end_mount(rd);
		rd->n_mounts++;
	} else if (type == JSON_OBJECT &&
		   strcmp(path, "windows.devices[]") == 0) {
		wrong(rd, -ENOSYS, "devices (windows.devices)");
	} else if (type == JSON_STRING) {
		on_text(rd, path, text, n);
	} else if (type == JSON_BOOL && strcmp(path, "root.readonly") == 0) {
		rd->g->read_only = n == 4;
	} else if (type == JSON_NUMBER && n < sizeof(digits)) {
		memcpy(digits, text, n);
		digits[n] = '\0';
		if (strcmp(path, "windows.resources.memory.limit") == 0)
			number(digits, UINT64_MAX, &rd->windows_memory);
		else if (strcmp(path, "windows.resources.cpu.count") == 0)
			number(digits, UINT16_MAX, &rd->windows_cpus);
	}
}

/* ---- disks ---- */

static int take_folder(struct guest *g, const char *path, struct err *e)
{
	if (!file_is_absolute(path) || file_goes_up(path))
		return err_set(e, -EINVAL,
			"layer '%s' is no absolute path without '..'", path);
	g->layers[g->n_layers] = strdup(path);
	return g->layers[g->n_layers++]
		       ? 0
		       : err_set(e, -ENOMEM, "no memory for layers");
}

static int take_disks(struct guest *g, const char *bundle,
	const struct native_spec *s, struct err *e)
{
	struct mount_rootfs disks = {0};
	char mounts[BUNDLE_PATH_MAX];
	const char *scratch;
	size_t i, n;
	int r = bundle_path(bundle, BUNDLE_MOUNTS, mounts);

	if (r < 0)
		return err_sys(e, r, "bundle '%s'", bundle);
	r = mount_find_disks(mounts, &disks, e);
	if (r < 0 && r != -ENOENT)
		return r;
	n = disks.path ? disks.n_layers : s->n_layers ? s->n_layers - 1 : 0;
	if (n == 0 || n > 128)
		return err_set(e, -EINVAL,
			"a Linux container in a virtual machine needs layers: "
			"a rootfs of type lcow-layer, or two to 129 "
			"windows.layerFolders");
	scratch = disks.path ? disks.path : s->layers[n];
	g->layers = calloc(n, sizeof(*g->layers));
	r = g->layers ? 0 : err_set(e, -ENOMEM, "no memory for layers");
	for (i = 0; i < n && r == 0; i++)
		r = take_folder(
			g, disks.path ? disks.layers[i].path : s->layers[i], e);
	if (r == 0) {
		g->scratch = strdup(scratch);
		if (!g->scratch)
			r = err_set(e, -ENOMEM, "no memory for layers");
		else if (!file_is_absolute(scratch) || file_goes_up(scratch))
			r = err_set(e, -EINVAL,
				"scratch layer '%s' is no absolute path "
				"without '..'",
				scratch);
	}
	mount_rootfs_clear(&disks);
	return r;
}

static int read_all(struct guest *g, const char *bundle,
	const struct native_spec *s, const struct runtime_settings *settings,
	struct err *e)
{
	struct reading rd = {.g = g, .e = e};
	char path[BUNDLE_PATH_MAX];
	size_t i;
	int r = bundle_path(bundle, "config.json", path);

	if (r < 0)
		return err_sys(e, r, "bundle '%s'", bundle);
	for (i = 0; settings && i < settings->n_annotations; i++)
		on_annotation(&rd, settings->annotations[i].key,
			settings->annotations[i].value);
	r = file_read(path, CONFIG_MAX, &g->spec, &g->n_spec, e);
	if (r == 0)
		r = json_scan(g->spec, g->n_spec, on_value, &rd, e);
	if (r == 0)
		end_mount(&rd);
	mount_clear(&rd.mount);
	if (r < 0)
		return r;
	if (rd.r < 0)
		return rd.r;
	if (!g->processors)
		g->processors = (uint32_t)rd.windows_cpus;
	if (!g->memory_mib)
		g->memory_mib = rd.windows_memory >> 20;
	return take_disks(g, bundle, s, e);
}

int guest_read(const char *bundle, const struct native_spec *s,
	const struct runtime_settings *settings, struct guest *ret,
	struct err *e)
{
	struct guest g = {0};
	int r = read_all(&g, bundle, s, settings, e);

	if (r < 0)
		guest_clear(&g);
	else
		*ret = g;
	return r;
}
