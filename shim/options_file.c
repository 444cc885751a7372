/* SPDX-License-Identifier: Apache-2.0 */
/* The bundle's options.json: options_save() and options_load(). */
#include <errno.h>
#include <stdlib.h>
#include <yajl/yajl_gen.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/json.h"
#include "shim/options.h"

#define OPTIONS_FILE_MAX (64 * 1024)

/* What a file can have of each kind, by its name there. */
static char **string_field(struct options *o, const char *name)
{
	if (strcmp(name, "binary_name") == 0)
		return &o->binary;
	if (strcmp(name, "shim_cgroup") == 0)
		return &o->shim_cgroup;
	if (strcmp(name, "criu_image_path") == 0)
		return &o->criu_image;
	if (strcmp(name, "criu_work_path") == 0)
		return &o->criu_work;
	return strcmp(name, "root") == 0 ? &o->root : NULL;
}

static bool *bool_field(struct options *o, const char *name)
{
	if (strcmp(name, "systemd_cgroup") == 0)
		return &o->systemd_cgroup;
	if (strcmp(name, "no_pivot_root") == 0)
		return &o->no_pivot_root;
	return strcmp(name, "no_new_keyring") == 0 ? &o->no_new_keyring : NULL;
}

static uint32_t *number_field(struct options *o, const char *name)
{
	if (strcmp(name, "io_uid") == 0)
		return &o->io_uid;
	return strcmp(name, "io_gid") == 0 ? &o->io_gid : NULL;
}

static const char *const names[] = {"binary_name", "root", "shim_cgroup",
	"criu_image_path", "criu_work_path", "systemd_cgroup", "no_pivot_root",
	"no_new_keyring", "io_uid", "io_gid"};

/*
 * yajl does not look whether memory was to be had. The generator itself needs
 * a few hundred bytes, which are on the stack; the text goes into ours.
 */
struct text {
	char *data;
	size_t n, room;
	bool no_memory;
	size_t used;
	_Alignas(16) char arena[4096];
};

static void *arena_malloc(void *ctx, size_t n)
{
	struct text *t = ctx;
	void *p = t->arena + t->used;

	n = (n + 15) & ~(size_t)15;
	if (n > sizeof(t->arena) - t->used)
		abort(); /* yajl's own structures have outgrown it */
	t->used += n;
	return p;
}

static void *arena_realloc(void *ctx, void *p, size_t n)
{
	return p ? NULL : arena_malloc(ctx, n);
}

static void arena_free(void *ctx, void *p)
{
	(void)ctx;
	(void)p;
}

static void text_add(void *ctx, const char *s, size_t n)
{
	struct text *t = ctx;

	if (n == 0 || t->no_memory)
		return; /* there may be no data yet: memcpy(NULL) */
	if (t->n + n > t->room) {
		size_t room = 2 * (t->n + n) + 256;
		char *more = realloc(t->data, room);

		t->no_memory = !more;
		if (!more)
			return;
		t->data = more;
		t->room = room;
	}
	memcpy(t->data + t->n, s, n);
	t->n += n;
}

static void put_name(yajl_gen g, const char *name)
{
	yajl_gen_string(g, (const unsigned char *)name, strlen(name));
}

/* What is at its default is left out. */
static void put_field(yajl_gen g, struct options *o, const char *name)
{
	char **s = string_field(o, name);
	bool *b = bool_field(o, name);
	uint32_t *n = number_field(o, name);

	if (s && *s) {
		put_name(g, name);
		put_name(g, *s);
	} else if (b && *b) {
		put_name(g, name);
		yajl_gen_bool(g, true);
	} else if (n && *n) {
		put_name(g, name);
		yajl_gen_integer(g, *n);
	}
}

int options_save(const struct options *o, const char *path, struct err *e)
{
	struct text t = {0};
	yajl_alloc_funcs funcs = {arena_malloc, arena_realloc, arena_free, &t};
	struct options copy = *o; /* only to be looked at */
	yajl_gen g = yajl_gen_alloc(&funcs);
	size_t i;
	int r;

	yajl_gen_config(g, yajl_gen_print_callback, text_add, &t);
	yajl_gen_map_open(g);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put_field(g, &copy, names[i]);
	yajl_gen_map_close(g);
	r = t.no_memory ? -ENOMEM : file_write(path, t.data, t.n);
	free(t.data);
	return r < 0 ? err_sys(e, r, "write '%s'", path) : 0;
}

struct loading {
	struct options *o;
	struct err *e;
	int r;
};

static void load_string(
	struct loading *l, char **to, const char *name, const char *s, size_t n)
{
	if (memchr(s, '\0', n)) {
		l->r = err_set(
			l->e, -EINVAL, "option '%s' has a NUL in it", name);
		return;
	}
	free(*to);
	*to = n > 0 ? strndup(s, n) : NULL;
	if (n > 0 && !*to)
		l->r = err_set(l->e, -ENOMEM, "no memory for options");
}

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct loading *l = arg;
	char **s = string_field(l->o, path);
	bool *b = bool_field(l->o, path);
	uint32_t *u = number_field(l->o, path);

	if (l->r < 0)
		return;
	if (s && type == JSON_STRING)
		load_string(l, s, path, text, n);
	else if (b && type == JSON_BOOL)
		*b = n == 4;
	else if (u && type == JSON_NUMBER)
		*u = (uint32_t)strtoul(text, NULL, 10);
}

int options_load(const char *path, struct options *ret, struct err *e)
{
	struct loading l = {.o = ret, .e = e};
	auto_free char *text = NULL;
	size_t n;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = file_read(path, OPTIONS_FILE_MAX, &text, &n, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = json_scan(text, n, on_value, &l, e);
	if (r == 0)
		r = l.r;
	if (r < 0)
		err_prefix(e, "%s", path);
	return r;
}
