/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/native/spec.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "shim/bundle.h"
#include "platform/json.h"

#define CONFIG_MAX (16 * 1024 * 1024)
#define MOUNT_POINT "CONTAINER_SANDBOX_MOUNT_POINT"

struct reading {
	struct native_spec *s;
	const char *prefix; /* of a process's values */
};

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
	*to = strndup(text, n);
	s->no_memory |= !*to;
}

static void on_process(
	struct native_spec *s, const char *key, const char *text, size_t n)
{
	if (strcmp(key, "args[]") == 0)
		add(s, &s->args, &s->n_args, strndup(text, n));
	else if (strcmp(key, "env[]") == 0)
		add(s, &s->env, &s->n_env, strndup(text, n));
	else if (strcmp(key, "cwd") == 0 && n > 0)
		set(s, &s->cwd, text, n);
	else if (strcmp(key, "commandLine") == 0 && n > 0)
		set(s, &s->command_line, text, n);
	else if (strcmp(key, "user.username") == 0 && n > 0)
		set(s, &s->user, text, n);
}

static uint64_t number(const char *text, size_t n)
{
	char digits[24];

	if (n >= sizeof(digits) || *text == '-')
		return 0;
	memcpy(digits, text, n);
	digits[n] = '\0';
	return strtoull(digits, NULL, 10);
}

static void on_size(
	struct native_spec *s, const char *key, const char *text, size_t n)
{
	uint64_t v = number(text, n);
	uint32_t size = v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;

	if (strcmp(key, "consoleSize.width") == 0)
		s->width = size;
	else if (strcmp(key, "consoleSize.height") == 0)
		s->height = size;
}

/* windows.resources, and the annotations that mean the same. */
static const struct {
	const char *path;
	size_t offset;
	unsigned shift; /* to the left */
	bool wide;
} limits[] = {
	{"windows.resources.memory.limit",
		offsetof(struct container_limits, memory_bytes), 0, true},
	{"windows.resources.cpu.count",
		offsetof(struct container_limits, cpu_count), 0, false},
	{"windows.resources.cpu.maximum",
		offsetof(struct container_limits, cpu_maximum), 0, false},
	{"windows.resources.cpu.shares",
		offsetof(struct container_limits, cpu_weight), 0, false},
	{"annotations.io.microsoft.container.memory.sizeinmb",
		offsetof(struct container_limits, memory_bytes), 20, true},
	{"annotations.io.microsoft.container.processor.count",
		offsetof(struct container_limits, cpu_count), 0, false},
	{"annotations.io.microsoft.container.processor.limit",
		offsetof(struct container_limits, cpu_maximum), 0, false},
	{"annotations.io.microsoft.container.processor.weight",
		offsetof(struct container_limits, cpu_weight), 0, false},
};

static void on_limit(struct container_limits *to, const char *path,
	const char *text, size_t n)
{
	uint64_t v = number(text, n);
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		char *at = (char *)to + limits[i].offset;

		if (strcmp(path, limits[i].path) != 0)
			continue;
		if (limits[i].wide)
			*(uint64_t *)(void *)at = v << limits[i].shift;
		else
			*(uint32_t *)(void *)at =
				v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
	}
}

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct reading *rd = arg;
	struct native_spec *s = rd->s;
	size_t prefix = strlen(rd->prefix);

	if (type != JSON_STRING && type != JSON_NUMBER)
		return;
	if (strncmp(path, rd->prefix, prefix) == 0 && type == JSON_STRING)
		on_process(s, path + prefix, text, n);
	if (strncmp(path, rd->prefix, prefix) == 0 && type == JSON_NUMBER)
		on_size(s, path + prefix, text, n);
	if (prefix == 0)
		return;
	if (strcmp(path, "root.path") == 0 && type == JSON_STRING && n > 0)
		set(s, &s->root, text, n);
	if (strcmp(path, "windows.layerFolders[]") == 0 && type == JSON_STRING)
		add(s, &s->layers, &s->n_layers, strndup(text, n));
	if (strcmp(path, "annotations.microsoft.com/hostprocess-container") ==
		0)
		s->host_process = n == 4 && memcmp(text, "true", 4) == 0;
	on_limit(&s->limits, path, text, n);
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

static void substitute(struct native_spec *s, char **text)
{
	static const char *const forms[] = {
		"%" MOUNT_POINT "%", "$env:" MOUNT_POINT};
	size_t i;

	for (i = 0; *text && s->root && i < 2; i++) {
		char *other = replace(*text, forms[i], s->root);

		if (!other) {
			s->no_memory = true;
			return;
		}
		free(*text);
		*text = other;
	}
}

static void substitute_all(struct native_spec *s)
{
	char *variable;
	size_t i;

	for (i = 0; i < s->n_args; i++)
		substitute(s, &s->args[i]);
	substitute(s, &s->command_line);
	substitute(s, &s->cwd);
	if (!s->root)
		return;
	variable = malloc(strlen(MOUNT_POINT) + strlen(s->root) + 2);
	if (variable)
		sprintf(variable, "%s=%s", MOUNT_POINT, s->root);
	add(s, &s->env, &s->n_env, variable);
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

static int scan(const char *path, const char *prefix, struct native_spec *s,
	struct err *e)
{
	struct reading rd = {.s = s, .prefix = prefix};
	auto_free char *text = NULL;
	size_t n;
	int r = file_read(path, CONFIG_MAX, &text, &n, e);

	if (r == 0)
		r = json_scan(text, n, on_value, &rd, e);
	if (r == -EINVAL)
		err_prefix(e, "'%s'", path);
	return r;
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

int native_spec_read(const char *bundle, struct native_spec *ret, struct err *e)
{
	char path[BUNDLE_PATH_MAX];
	int r = bundle_path(bundle, "config.json", path);

	memset(ret, 0, sizeof(*ret));
	if (r < 0)
		return err_sys(e, r, "bundle '%s'", bundle);
	r = scan(path, "process.", ret, e);
	if (r == 0)
		r = find_layers(ret, bundle, e);
	if (r == 0)
		r = resolve_root(ret, bundle, e);
	if (r < 0)
		return r;
	if (ret->host_process)
		substitute_all(ret);
	return check(ret, path, e);
}

int native_spec_read_process(const char *path, const char *root,
	struct native_spec *ret, struct err *e)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	r = scan(path, "", ret, e);
	if (r < 0)
		return r;
	if (root) {
		set(ret, &ret->root, root, strlen(root));
		substitute_all(ret);
	}
	return check(ret, path, e);
}

static void on_resource(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	char full[JSON_PATH_MAX + 32];

	if (type != JSON_NUMBER)
		return;
	snprintf(full, sizeof(full), "windows.resources.%s", path);
	on_limit(arg, full, text, n);
}

int native_limits_read(
	const char *path, struct container_limits *to, struct err *e)
{
	struct container_limits now = {0};
	auto_free char *text = NULL;
	size_t n;
	int r = file_read(path, CONFIG_MAX, &text, &n, e);

	if (r == 0)
		r = json_scan(text, n, on_resource, &now, e);
	if (r < 0)
		return r;
	if (now.memory_bytes)
		to->memory_bytes = now.memory_bytes;
	if (now.cpu_count || now.cpu_maximum || now.cpu_weight) {
		to->cpu_count = now.cpu_count;
		to->cpu_maximum = now.cpu_maximum;
		to->cpu_weight = now.cpu_weight;
	}
	return 0;
}

void native_spec_clear(struct native_spec *s)
{
	size_t i;

	for (i = 0; i < s->n_args; i++)
		free(s->args[i]);
	for (i = 0; i < s->n_env; i++)
		free(s->env[i]);
	for (i = 0; i < s->n_layers; i++)
		free(s->layers[i]);
	mount_rootfs_clear(&s->rootfs);
	free(s->layers);
	free(s->args);
	free(s->env);
	free(s->command_line);
	free(s->cwd);
	free(s->user);
	free(s->root);
	memset(s, 0, sizeof(*s));
}
