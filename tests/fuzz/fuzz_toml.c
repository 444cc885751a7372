/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator may write, and what a daemon may make of it.
 *
 * The first byte of the input says what the rest is:
 *   0  TOML text
 *   1  the config_body of runtimeoptions.v1.Options
 *   2  a whole containerd.runc.v1.Options
 *   3  a whole runtimeoptions.v1.Options
 *
 * tests/fuzz/seed_toml.py makes a corpus to begin with.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime_options.pb-c.h"
#include "shim/options.h"
#include "shim/toml.h"

enum { BODY_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* What toml.h promises of an item. */
static int on_item(const struct toml_item *item, void *arg, struct err *e)
{
	size_t i, n = strlen(item->path);

	(void)e;
	++*(unsigned *)arg;
	must(n > 0 && n < TOML_PATH_MAX);
	for (i = 0; i < n; i++)
		must((uint8_t)item->path[i] >= ' ' && item->path[i] != 0x7f);
	if (item->type == TOML_STRING)
		must(item->n <= TOML_STRING_MAX && item->text[item->n] == '\0');
	if (item->type == TOML_BOOL)
		must(item->number == 0 || item->number == 1);
	return 0;
}

static int stop(const struct toml_item *item, void *arg, struct err *e)
{
	unsigned *left = arg;

	return (*left)-- > 1 ? 0 : err_set(e, -EPERM, "%s", item->path);
}

/* A failing callback ends the walk there, and what it said is kept. */
static void scan(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct err e = {0};
	unsigned items = 0, n;
	int r = toml_scan(text, size, on_item, &items, &e);

	must(r == 0 || r == -EINVAL);
	must(r == e.code);
	must(r == 0 || strncmp(e.msg, "line ", 5) == 0);
	must(toml_scan(text, size, on_item, &(unsigned){0}, NULL) == r);
	n = items;
	if (n > 0)
		must(toml_scan(text, size, stop, &n, &e) == -EPERM && n == 0 &&
			e.code == -EPERM && strncmp(e.msg, "line ", 5) == 0);
}

static void unpack(const char *type, const uint8_t *data, size_t size)
{
	Any any = GOOGLE__PROTOBUF__ANY__INIT;
	struct options o;
	struct err e = {0};
	int r;

	any.type_url = (char *)type;
	any.value.data = (uint8_t *)data;
	any.value.len = size;
	r = options_unpack(&any, &o, &e);
	must(r <= 0 && r == e.code);
	must(!o.binary || *o.binary);
	must(!o.root || *o.root);
	options_clear(&o);
}

static void unpack_body(const uint8_t *data, size_t size)
{
	Runtimeoptions__V1__Options o = RUNTIMEOPTIONS__V1__OPTIONS__INIT;
	static uint8_t packed[BODY_MAX + 64];

	if (size > BODY_MAX)
		return;
	o.config_body.data = (uint8_t *)data;
	o.config_body.len = size;
	size = runtimeoptions__v1__options__pack(&o, packed);
	unpack("runtimeoptions.v1.Options", packed, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 4) {
	case 0:
		scan(data + 1, size - 1);
		break;
	case 1:
		unpack_body(data + 1, size - 1);
		break;
	case 2:
		unpack("containerd.runc.v1.Options", data + 1, size - 1);
		break;
	default:
		unpack("runtimeoptions.v1.Options", data + 1, size - 1);
		break;
	}
	return 0;
}
