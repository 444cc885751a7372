/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/native/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "shim/bundle.h"
#include "platform/json.h"

#define CONFIG_MAX (16 * 1024 * 1024)
#define MOUNT_POINT "CONTAINER_SANDBOX_MOUNT_POINT"

#define HOST_PROCESS "annotations.microsoft.com/hostprocess-"

struct reading {
	struct native_spec *s;
	struct native_limits limits;
	const char *prefix; /* of a process's values */
};

/* A text with a NUL in it can't be passed on whole, and is not cut. */
static char *copy(struct native_spec *s, const char *text, size_t n)
{
	s->has_nul |= n > 0 && memchr(text, '\0', n);
	return strndup(text, n);
}

static void add(struct native_spec *s, char ***list, size_t *n, char *text)
{
	char **more = realloc(*list, (*n + 2) * sizeof(*more));

	if (!more || !text) {
		s->no_memory = true;
		free(text);
		if (more)
			*list = more;
		return;
	}
	more[(*n)++] = text;
	more[*n] = NULL;
	*list = more;
}

static void set(struct native_spec *s, char **to, const char *text, size_t n)
{
	free(*to);
	*to = copy(s, text, n);
	s->no_memory |= !*to;
}

static void on_process(
	struct native_spec *s, const char *key, const char *text, size_t n)
{
	if (strcmp(key, "args[]") == 0)
		add(s, &s->args, &s->n_args, copy(s, text, n));
	else if (strcmp(key, "env[]") == 0)
		add(s, &s->env, &s->n_env, copy(s, text, n));
	else if (strcmp(key, "cwd") == 0 && n > 0)
		set(s, &s->cwd, text, n);
	else if (strcmp(key, "user.username") == 0 && n > 0)
		set(s, &s->user, text, n);
	else if (strcmp(key, "commandLine") == 0 && n > 0)
		set(s, &s->command_line, text, n);
}

static bool is_true(const char *text, size_t n)
{
	return n == 4 && memcmp(text, "true", 4) == 0;
}

static void on_size(
	struct native_spec *s, const char *key, const char *text, size_t n)
{
	uint32_t *to, v = 0;
	size_t i;

	if (strcmp(key, "consoleSize.width") == 0)
		to = &s->width;
	else if (strcmp(key, "consoleSize.height") == 0)
		to = &s->height;
	else
		return;
	for (i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		if (v <= NATIVE_CONSOLE_MAX)
			v = v * 10 + (uint32_t)(text[i] - '0');
	*to = i == n ? v : UINT32_MAX;
}

static void on_annotation(
	struct native_spec *s, const char *name, const char *text, size_t n)
{
	if (strcmp(name, "container") == 0)
		s->host_process = is_true(text, n);
	else if (strcmp(name, "inherit-user") == 0)
		s->inherit_user = is_true(text, n);
	else if (strcmp(name, "rootfs-location") == 0 && n > 0)
		set(s, &s->root_location, text, n);
}

static void add_mount(struct native_spec *s)
{
	struct container_mount *more =
		realloc(s->mounts, (s->n_mounts + 1) * sizeof(*s->mounts));

	s->no_memory |= !more;
	if (!more)
		return;
	s->mounts = more;
	s->mounts[s->n_mounts++] = (struct container_mount){0};
}

static void on_mount(
	struct native_spec *s, const char *key, const char *text, size_t n)
{
	struct container_mount *m;

	if (s->n_mounts == 0)
		return;
	m = &s->mounts[s->n_mounts - 1];
	if (strcmp(key, "source") == 0)
		set(s, (char **)&m->source, text, n);
	else if (strcmp(key, "destination") == 0)
		set(s, (char **)&m->destination, text, n);
	else if (strcmp(key, "options[]") == 0)
		m->read_only |= n == 2 && strncasecmp(text, "ro", 2) == 0;
}

static void on_config(
	struct native_spec *s, const char *path, const char *text, size_t n)
{
	size_t annotation = strlen(HOST_PROCESS);

	if (strcmp(path, "root.path") == 0 && n > 0)
		set(s, &s->root, text, n);
	else if (strcmp(path, "windows.layerFolders[]") == 0)
		add(s, &s->layers, &s->n_layers, copy(s, text, n));
	else if (strncmp(path, HOST_PROCESS, annotation) == 0)
		on_annotation(s, path + annotation, text, n);
	else if (strncmp(path, "mounts[].", 9) == 0)
		on_mount(s, path + 9, text, n);
}

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct reading *rd = arg;
	struct native_spec *s = rd->s;
	size_t prefix = strlen(rd->prefix);

	if (prefix > 0)
		native_limits_value(&rd->limits, path, type, text, n);
	if (prefix > 0 && type == JSON_OBJECT && strcmp(path, "mounts[]") == 0)
		add_mount(s);
	if (prefix > 0 && type == JSON_OBJECT && strcmp(path, "linux") == 0)
		s->is_linux = true;
	if (strncmp(path, rd->prefix, prefix) == 0 && type == JSON_NUMBER)
		on_size(s, path + prefix, text, n);
	if (type != JSON_STRING)
		return;
	if (strncmp(path, rd->prefix, prefix) == 0)
		on_process(s, path + prefix, text, n);
	if (prefix > 0)
		on_config(s, path, text, n);
}

/* Fresh memory: text with every occurrence of what replaced by with. */
static char *replace(const char *text, const char *what, const char *with)
{
	size_t n = 0, len = strlen(what);
	const char *p, *next;
	char *ret, *to;

	for (p = text; (p = strstr(p, what)); p += len)
		n++;
	to = malloc(strlen(text) + n * strlen(with) + 1);
	ret = to;
	if (!ret)
		return NULL;
	for (p = text; (next = strstr(p, what)); p = next + len) {
		memcpy(to, p, (size_t)(next - p));
		to += next - p;
		strcpy(to, with);
		to += strlen(with);
	}
	strcpy(to, p);
	return ret;
}

static void substitute(
	struct native_spec *s, char **text, const char *mount_point)
{
	static const char *const forms[] = {
		"%" MOUNT_POINT "%", "$env:" MOUNT_POINT};
	size_t i;

	for (i = 0; *text && i < 2; i++) {
		char *other = replace(*text, forms[i], mount_point);

		if (!other) {
			s->no_memory = true;
			return;
		}
		free(*text);
		*text = other;
	}
}

int native_spec_place(
	struct native_spec *s, const char *mount_point, struct err *e)
{
	size_t i;

	if (!mount_point)
		return 0;
	for (i = 0; i < s->n_args; i++)
		substitute(s, &s->args[i], mount_point);
	for (i = 0; i < s->n_env; i++)
		substitute(s, &s->env[i], mount_point);
	substitute(s, &s->command_line, mount_point);
	substitute(s, &s->cwd, mount_point);
	return s->no_memory ? err_set(e, -ENOMEM, "no memory for a process")
			    : 0;
}

static int check(const struct native_spec *s, const char *path, struct err *e)
{
	if (s->no_memory)
		return err_set(e, -ENOMEM, "no memory for '%s'", path);
	if (s->n_args == 0 && !s->command_line)
		return err_set(e, -EINVAL,
			"'%s' has neither process.args nor "
			"process.commandLine",
			path);
	if (s->n_args > 0 && s->command_line)
		return err_set(e, -EINVAL,
			"'%s' has both process.args and process.commandLine: "
			"only one can be what is run",
			path);
	if (s->width > NATIVE_CONSOLE_MAX || s->height > NATIVE_CONSOLE_MAX)
		return err_set(e, -EINVAL, "'%s': a consoleSize is %d at most",
			path, NATIVE_CONSOLE_MAX);
	return 0;
}

static int scan(struct reading *rd, const char *path, struct err *e)
{
	auto_free char *text = NULL;
	size_t n;
	int r = file_read(path, CONFIG_MAX, &text, &n, e);

	if (r == 0)
		r = json_scan(text, n, on_value, rd, e);
	if (r == 0 && rd->s->has_nul)
		r = err_set(e, -EINVAL, "a text has a NUL in it");
	if (r == 0)
		r = native_limits_merge(&rd->limits, &rd->s->limits, e);
	if (r == -EINVAL)
		err_prefix(e, "'%s'", path);
	return r;
}

/* As if they came first in the file. */
static void put_defaults(
	struct reading *rd, const struct runtime_settings *settings)
{
	char path[JSON_PATH_MAX];
	size_t i;

	for (i = 0; settings && i < settings->n_annotations; i++) {
		const char *value = settings->annotations[i].value;
		int n = snprintf(path, sizeof(path), "annotations.%s",
			settings->annotations[i].key);

		if (n > 0 && (size_t)n < sizeof(path))
			on_value(path, JSON_STRING, value, strlen(value), rd);
	}
}

/* What the shim has mounted comes before all that config.json says. */
static int find_layers(struct native_spec *s, const char *bundle, struct err *e)
{
	char root[BUNDLE_PATH_MAX], mounts[BUNDLE_PATH_MAX];
	int r = bundle_path(bundle, BUNDLE_ROOTFS, root);

	if (r == 0)
		r = bundle_path(bundle, BUNDLE_MOUNTS, mounts);
	if (r < 0)
		return err_sys(e, r, "bundle '%s'", bundle);
	r = mount_find_rootfs(root, mounts, &s->rootfs, e);
	if (r == -ENOENT && s->n_layers > 1 && s->root &&
		file_is_absolute(s->root))
		r = mount_describe_rootfs(s->root,
			(const char *const *)s->layers, s->n_layers - 1,
			&s->rootfs, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	set(s, &s->root, s->rootfs.path, strlen(s->rootfs.path));
	return 0;
}

/* Relative to the bundle, as the runtime-spec's config.md has it. */
static int resolve_root(
	struct native_spec *s, const char *bundle, struct err *e)
{
	char path[BUNDLE_PATH_MAX];
	int r;

	if (!s->root || file_is_absolute(s->root))
		return 0;
	r = bundle_path(bundle, s->root, path);
	if (r < 0)
		return err_sys(e, r, "root '%s'", s->root);
	set(s, &s->root, path, strlen(path));
	return 0;
}

int native_spec_read(const char *bundle,
	const struct runtime_settings *settings, struct native_spec *ret,
	struct err *e)
{
	struct reading rd = {.s = ret, .prefix = "process."};
	char path[BUNDLE_PATH_MAX];
	int r = bundle_path(bundle, "config.json", path);

	memset(ret, 0, sizeof(*ret));
	if (r < 0)
		return err_sys(e, r, "bundle '%s'", bundle);
	put_defaults(&rd, settings);
	r = scan(&rd, path, e);
	if (r == 0 && !ret->is_linux)
		r = find_layers(ret, bundle, e);
	if (r == 0)
		r = resolve_root(ret, bundle, e);
	return r < 0 ? r : check(ret, path, e);
}

int native_spec_read_process(
	const char *path, struct native_spec *ret, struct err *e)
{
	struct reading rd = {.s = ret, .prefix = ""};
	int r;

	memset(ret, 0, sizeof(*ret));
	r = scan(&rd, path, e);
	return r < 0 ? r : check(ret, path, e);
}

void native_spec_clear(struct native_spec *s)
{
	size_t i;

	for (i = 0; i < s->n_args; i++)
		free(s->args[i]);
	for (i = 0; i < s->n_env; i++)
		free(s->env[i]);
	for (i = 0; i < s->n_mounts; i++) {
		free((char *)s->mounts[i].source);
		free((char *)s->mounts[i].destination);
	}
	for (i = 0; i < s->n_layers; i++)
		free(s->layers[i]);
	mount_rootfs_clear(&s->rootfs);
	free(s->layers);
	free(s->args);
	free(s->env);
	free(s->mounts);
	free(s->command_line);
	free(s->cwd);
	free(s->user);
	free(s->root);
	free(s->root_location);
	memset(s, 0, sizeof(*s));
}
