/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "platform/auto.h"
#include "platform/linux/fd.h"
#include "platform/linux/idmap.h"

#define PAGE 4096
#define LOWER "lowerdir="

struct overlay {
	char *rest;   /* the other options, "a,b=c" */
	char *layers; /* "/x/1/fs:/x/2/fs" */
	char *common; /* "/x": the layers' names go on after it and a '/' */
};

static void overlay_clear(struct overlay *o)
{
	free(o->rest);
	free(o->layers);
	free(o->common);
}

/* Separates the layers from the other options. */
static int overlay_split(struct overlay *o, const char *data)
{
	const char *p = data;
	size_t n;

	while (p && strncmp(p, LOWER, strlen(LOWER)) != 0) {
		p = strchr(p, ',');
		p = p ? p + 1 : NULL;
	}
	/* a backslash quotes, and an empty layer is one of data only: with
	 * neither there is no need to read on more closely */
	if (!p || strchr(data, '\\') || strstr(p, "::"))
		return -E2BIG;
	n = strcspn(p, ",");
	o->layers = strndup(p + strlen(LOWER), n - strlen(LOWER));
	o->rest = malloc(strlen(data) + 1);
	if (!o->layers || !o->rest)
		return -ENOMEM;
	p[n] ? sprintf(o->rest, "%.*s%s", (int)(p - data), data, p + n + 1)
	     : sprintf(o->rest, "%.*s", (int)(p - data), data);
	return 0;
}

/* The folder that is above all layers. */
static int overlay_find_common(struct overlay *o)
{
	size_t n = strcspn(o->layers, ":"), i;
	const char *p = o->layers;

	for (p += n; *p == ':'; p += strcspn(p, ":")) {
		p++;
		for (i = 0; i < n && p[i] == o->layers[i]; i++)
			;
		n = i;
	}
	while (n > 0 && o->layers[n - 1] != '/')
		n--;
	if (n <= 1 || o->layers[0] != '/')
		return -E2BIG;
	o->common = strndup(o->layers, n - 1);
	return o->common ? 0 : -ENOMEM;
}

/* Names every layer from there, in place. */
static void overlay_shorten(struct overlay *o)
{
	size_t skip = strlen(o->common) + 1;
	char *from = o->layers, *to = o->layers;

	for (;;) {
		size_t n = strcspn(from, ":");

		memmove(to, from + skip, n - skip);
		to += n - skip;
		*to = from[n];
		if (!from[n])
			return;
		to++;
		from += n + 1;
	}
}

static int mount_short(const struct overlay *o, const char *source,
	const char *target, unsigned long flags)
{
	auto_free char *data = NULL;
	int n = asprintf(&data, "%s%s" LOWER "%s", o->rest,
		*o->rest && o->rest[strlen(o->rest) - 1] != ',' ? "," : "",
		o->layers);

	if (n < 0) {
		data = NULL;
		return -ENOMEM;
	}
	if (n >= PAGE)
		return -E2BIG;
	return mount(source, target, "overlay", flags, data) < 0 ? -errno : 0;
}

static int set_each(int fs, char *list, const char *separators, const char *key)
{
	char *save, *word, *value;
	int r = 0;

	for (word = strtok_r(list, separators, &save); word && r == 0;
		word = strtok_r(NULL, separators, &save)) {
		value = key ? word : strchr(word, '=');
		if (!key && value)
			*value++ = '\0';
		r = value ? fsconfig(fs, FSCONFIG_SET_STRING, key ? key : word,
				    value, 0)
			  : fsconfig(fs, FSCONFIG_SET_FLAG, word, NULL, 0);
		if (r < 0)
			r = -errno;
	}
	return r;
}

static unsigned mount_attributes(unsigned long flags)
{
	return (flags & MS_RDONLY ? MOUNT_ATTR_RDONLY : 0) |
	       (flags & MS_NOSUID ? MOUNT_ATTR_NOSUID : 0) |
	       (flags & MS_NODEV ? MOUNT_ATTR_NODEV : 0) |
	       (flags & MS_NOEXEC ? MOUNT_ATTR_NOEXEC : 0) |
	       (flags & MS_NOATIME ? MOUNT_ATTR_NOATIME : 0);
}

static int mount_by_layer(const struct overlay *o, const char *source,
	const char *target, unsigned long flags)
{
	auto_fd int fs = -1, mnt = -1;
	int r;

	fs = fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0)
		return errno == ENOSYS ? -E2BIG : -errno;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return -errno;
	if ((flags & MS_RDONLY) &&
		fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
		return -errno;
	r = set_each(fs, o->layers, ":", "lowerdir+");
	if (r < 0)
		return r == -EINVAL ? -E2BIG : r; /* before 6.5 */
	r = set_each(fs, o->rest, ",", NULL);
	if (r < 0)
		return r;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, mount_attributes(flags));
	if (mnt < 0)
		return -errno;
	return move_mount(mnt, "", AT_FDCWD, target,
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) < 0
		       ? -errno
		       : 0;
}

static int mount_from_common(const struct overlay *o, const char *source,
	const char *target, unsigned long flags)
{
	auto_fd int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (back < 0 || chdir(o->common) < 0)
		return -errno;
	r = mount_short(o, source, target, flags);
	if (r == -E2BIG)
		r = mount_by_layer(o, source, target, flags);
	return fchdir(back) < 0 && r == 0 ? -errno : r;
}

int overlay_mount_long(const char *source, const char *target,
	unsigned long flags, const char *data)
{
	struct overlay o = {0};
	int r = overlay_split(&o, data);

	if (r == 0)
		r = overlay_find_common(&o);
	if (r == 0) {
		overlay_shorten(&o);
		r = mount_from_common(&o, source, target, flags);
	}
	overlay_clear(&o);
	return r;
}

/* "/x/1/fs:/x/2/fs" with /at in place of /x, and the other options. */
static char *overlay_moved(const struct overlay *o, const char *at)
{
	size_t skip = strlen(o->common), n = 1, layers = 1;
	const char *p;
	char *data, *to;

	for (p = o->layers; *p; p++)
		layers += *p == ':';
	n += strlen(o->rest) + strlen("," LOWER) + strlen(o->layers) +
	     layers * strlen(at);
	data = malloc(n);
	if (!data)
		return NULL;
	to = stpcpy(data, o->rest);
	if (to > data && to[-1] != ',')
		*to++ = ',';
	to = stpcpy(to, LOWER);
	for (p = o->layers;; p++) {
		size_t len = strcspn(p, ":");

		to = stpcpy(to, at);
		to = mempcpy(to, p + skip, len - skip);
		*to = '\0';
		p += len;
		if (!*p)
			return data;
		*to++ = ':';
	}
}

static int map_lower(
	const struct overlay *o, const char *at, int userns, struct err *e)
{
	auto_fd int tree = idmap_clone(o->common, userns, true, e);
	int r;

	if (tree < 0)
		return tree;
	r = idmap_attach(tree, at);
	return r < 0 ? err_sys(e, r, "attach id-mapped '%s' to '%s'", o->common,
			       at)
		     : 0;
}

int overlay_map_lower(
	const char *data, const char *at, int userns, char **ret, struct err *e)
{
	struct overlay o = {0};
	int r = overlay_split(&o, data);

	*ret = NULL;
	if (r == 0)
		r = overlay_find_common(&o);
	if (r == 0) {
		*ret = overlay_moved(&o, at);
		r = *ret ? 0 : -ENOMEM;
	}
	if (r == -E2BIG)
		r = err_set(e, -EINVAL,
			"id-mapped overlay: the layers need a folder in common "
			"that is not '/', without quotes and layers of data "
			"only");
	else if (r < 0)
		r = err_set(e, r, "no memory for mount options");
	else
		r = map_lower(&o, at, userns, e);
	if (r < 0)
		free(ptr_take(ret));
	overlay_clear(&o);
	return r;
}
