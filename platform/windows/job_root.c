/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/job_root.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "platform/auto.h"
#include "platform/windows/job_link.h"

#define LOCATION "C:\\hpc"

const struct root_api *root_double;

static const struct root_api *api(void)
{
	static struct root_api own;
	HMODULE dll;

	if (root_double)
		return root_double;
	if (!own.set_job) {
		dll = LoadLibraryExW(
			L"bindfltapi.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
		if (dll)
			own.bind = (void *)GetProcAddress(dll, "BfSetupFilter");
		own.set_job = SetInformationJobObject;
	}
	return &own;
}

/* Joins with one '\' in between, and no other slashes; "" is nothing. */
static int join(char *buf, const char *folder, const char *name)
{
	size_t n = strlen(folder);

	while (n > 0 && (folder[n - 1] == '\\' || folder[n - 1] == '/'))
		n--;
	while (*name == '\\' || *name == '/')
		name++;
	if ((size_t)snprintf(buf, FILE_PATH_MAX, "%.*s%s%s", (int)n, folder,
		    *name ? "\\" : "", name) >= FILE_PATH_MAX)
		return -ENAMETOOLONG;
	for (; *buf; buf++)
		if (*buf == '/')
			*buf = '\\';
	return 0;
}

/* ---- mounts ---- */

static int check_mount(const struct container_mount *m, struct err *e)
{
	if (!m->source || !*m->source || !m->destination || !*m->destination)
		return err_set(e, -EINVAL,
			"a mount needs both a source and a destination");
	if (strncasecmp(m->source, "\\\\.\\pipe\\", 9) == 0)
		return err_set(e, -EINVAL,
			"mount of '%s': a host-process container uses the "
			"host's named pipes as they are",
			m->source);
	if (file_goes_up(m->destination))
		return err_set(e, -EINVAL, "mount at '%s': it has '..' in it",
			m->destination);
	return 0;
}

/* Below root: "C:\x" is "x" there. */
static int mount_by_link(const struct container_mount *m, const char *root,
	struct undo *undo, struct err *e)
{
	const char *at = m->destination;
	char path[FILE_PATH_MAX];

	if (at[0] && at[1] == ':')
		at += 2;
	while (*at == '\\' || *at == '/')
		at++;
	if (!*at)
		return err_set(e, -EINVAL,
			"mount at '%s': that is where the container's own "
			"files are",
			m->destination);
	if (join(path, root, at) < 0)
		return err_sys(e, -ENAMETOOLONG, "mount at '%s'", at);
	return link_make(m->source, path, undo, e);
}

/* ---- with the bind filter ---- */

static int bind_one(HANDLE job, const char *at, const char *to, bool read_only,
	struct err *e)
{
	auto_free wchar_t *wide_at = malloc(WIN_PATH_MAX * sizeof(*wide_at));
	auto_free wchar_t *wide_to = malloc(WIN_PATH_MAX * sizeof(*wide_to));
	char folder[FILE_PATH_MAX], *end;
	int r = wide_at && wide_to ? 0 : -ENOMEM;
	HRESULT hr;

	if (r == 0 && (r = join(folder, at, "")) == 0)
		r = win_path(folder, wide_at);
	if (r == 0)
		r = win_path(to, wide_to);
	if (r < 0)
		return err_sys(e, r, "bind '%s' to '%s'", to, at);
	/* The folder that it is in must be there. It stays: to the host it is
	 * empty, but another container may have something bound in it. */
	end = strrchr(folder, '\\');
	if (end && end - folder > 2) {
		*end = '\0';
		r = link_make_folders(folder, NULL);
		if (r < 0)
			return err_sys(e, r, "folder '%s'", folder);
	}
	hr = api()->bind(job,
		ROOT_BIND_SILO | (read_only ? ROOT_BIND_READ_ONLY : 0), wide_at,
		wide_to, NULL, 0);
	if (SUCCEEDED(hr))
		return 0;
	return err_set(e,
		HRESULT_FACILITY(hr) == FACILITY_WIN32
			? win_error(HRESULT_CODE(hr))
			: -EIO,
		"bind '%s' to '%s': BfSetupFilter says 0x%08lx", to, at,
		(unsigned long)hr);
}

static int bind_all(HANDLE job, const struct container_config *c,
	struct undo *undo, struct job_root *ret, struct err *e)
{
	size_t i;
	int r = 0;

	if (c->root) {
		const char *at = c->root_location ? c->root_location : LOCATION;

		r = join(ret->path, at, "");
		if (r < 0)
			return err_sys(e, r, "rootfs location '%s'", at);
		r = bind_one(job, ret->path, c->root, false, e);
	}
	for (i = 0; r == 0 && i < c->n_mounts; i++) {
		const struct container_mount *m = &c->mounts[i];

		r = check_mount(m, e);
		if (r == 0)
			r = bind_one(job, m->destination, m->source,
				m->read_only, e);
		/* also where it would be without the bind filter; who wants it
		 * there has been told not to count on it */
		if (r == 0 && c->root)
			(void)mount_by_link(m, c->root, undo, NULL);
	}
	return r;
}

/* ---- without ---- */

static int link_all(const struct container_config *c, struct undo *undo,
	struct job_root *ret, struct err *e)
{
	const char *location = c->root_location ? c->root_location : LOCATION;
	size_t i;
	int r;

	if (!c->root)
		return c->n_mounts == 0
			       ? 0
			       : err_set(e, -EINVAL,
					 "mounts of a host-process container "
					 "without a root are not supported on "
					 "this system");
	r = join(ret->path, location, c->id);
	if (r < 0)
		return err_sys(e, r, "rootfs location '%s'", location);
	r = link_mount(c->root, ret->path, undo, e);
	if (r == -ENOSYS) /* Wine: where the volume would be, nothing is */
		r = 0;
	else if (r == -EOPNOTSUPP && !link_is_volume(c->root))
		r = join(ret->path, c->root, "");
	for (i = 0; r == 0 && i < c->n_mounts; i++) {
		r = check_mount(&c->mounts[i], e);
		if (r == 0)
			r = mount_by_link(&c->mounts[i], c->root, undo, e);
	}
	return r;
}

static int check_root(
	const struct container_config *c, struct undo *undo, struct err *e)
{
	wchar_t wide[WIN_PATH_MAX];
	DWORD attributes;
	int r;

	if (c->root_location && (!file_is_absolute(c->root_location) ||
					file_goes_up(c->root_location)))
		return err_set(e, -EINVAL,
			"rootfs location '%s' must be absolute",
			c->root_location);
	if (!c->root || link_is_volume(c->root))
		return 0;
	r = win_path(c->root, wide);
	if (r < 0)
		return err_sys(e, r, "root '%s'", c->root);
	attributes = GetFileAttributesW(wide);
	/* a bundle without a rootfs of its own has an empty one */
	if (attributes == INVALID_FILE_ATTRIBUTES) {
		r = win_last();
		if (r != -ENOENT)
			return err_sys(e, r, "root '%s'", c->root);
		r = undo_add(undo, UNDO_FOLDER, c->root, e);
		if (r < 0)
			return r;
		r = CreateDirectoryW(wide, NULL) ? 0 : win_last();
		if (r == -ENOENT)
			return err_set(
				e, -EINVAL, "root '%s' is not there", c->root);
		if (r < 0)
			return err_sys(e, r, "make root '%s'", c->root);
	} else if (!(attributes & FILE_ATTRIBUTE_DIRECTORY)) {
		return err_set(e, -EINVAL, "root '%s' is no folder", c->root);
	}
	return 0;
}

int job_root_set_up(HANDLE job, const struct container_config *config,
	struct undo *undo, struct job_root *ret, struct err *e)
{
	int r = check_root(config, undo, e);

	memset(ret, 0, sizeof(*ret));
	if (r < 0)
		return r;
	/* a system that knows no silos refuses the class */
	ret->bound =
		api()->bind && api()->set_job(job, ROOT_CREATE_SILO, NULL, 0);
	return ret->bound ? bind_all(job, config, undo, ret, e)
			  : link_all(config, undo, ret, e);
}
