/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "runtime_options.pb-c.h"
#include "platform/json.h"
#include "shim/runtime.h"
#include "shim/toml.h"
#include "ttrpc/message.h"

#define OPTIONS_FILE_MAX (64 * 1024)

typedef Containerd__Runc__V1__Options RuncOptions;
typedef Runtimeoptions__V1__Options RuntimeOptions;

/* An empty string is none. What is there already is replaced. */
static int set_string(
	char **to, const char *key, const char *text, size_t n, struct err *e)
{
	char *copy = NULL;

	if (n > 0 && memchr(text, '\0', n))
		return err_set(e, -EINVAL, "option '%s' has a NUL in it", key);
	if (n > 0) {
		copy = strndup(text, n);
		if (!copy)
			return err_set(e, -ENOMEM, "no memory for options");
	}
	free(*to);
	*to = copy;
	return 0;
}

static int not_supported(const char *key, const char *value, struct err *e)
{
	return err_set(
		e, -EINVAL, "option '%s' ('%s') is not supported", key, value);
}

/* ---- the wire ---- */

static bool varint(const uint8_t **p, const uint8_t *end, uint64_t *ret)
{
	unsigned shift;

	for (*ret = 0, shift = 0; *p < end && shift < 64; shift += 7) {
		*ret |= (uint64_t)(**p & 0x7f) << shift;
		if (!(*(*p)++ & 0x80))
			return true;
	}
	return false;
}

/* Takes one field; n is 0 if it is no string or bytes. */
static bool field(const uint8_t **p, const uint8_t *end, uint64_t *number,
	const uint8_t **value, uint64_t *n)
{
	uint64_t tag, skip = 0;

	*n = 0;
	if (!varint(p, end, &tag))
		return false;
	switch (tag & 7) {
	case 0:
		if (!varint(p, end, &skip))
			return false;
		skip = 0;
		break;
	case 1:
		skip = 8;
		break;
	case 2:
		if (!varint(p, end, n))
			return false;
		skip = *n;
		break;
	case 5:
		skip = 4;
		break;
	default:
		return false;
	}
	*number = tag >> 3;
	*value = *p;
	if (skip > (uint64_t)(end - *p))
		return false;
	*p += skip;
	return true;
}

/* protobuf-c ends a string at its first NUL and does not tell: a path would
 * be another one than everybody else reads there. */
static int check_strings(
	const ProtobufCMessageDescriptor *type, const Any *any, struct err *e)
{
	const uint8_t *p = any->value.data, *end, *value;
	const ProtobufCFieldDescriptor *f;
	uint64_t number, n;

	for (end = p + any->value.len; p < end;) {
		if (!field(&p, end, &number, &value, &n))
			return err_set(e, -EINVAL, "options are no valid %s",
				any->type_url);
		f = protobuf_c_message_descriptor_get_field(
			type, (unsigned)number);
		if (f && f->type == PROTOBUF_C_TYPE_STRING && n > 0 &&
			memchr(value, '\0', n))
			return err_set(e, -EINVAL,
				"option '%s' has a NUL in it", f->name);
	}
	return 0;
}

/* The message in an Any, for message_free(). */
static int unpack(const ProtobufCMessageDescriptor *type, const Any *any,
	ProtobufCMessage **ret, struct err *e)
{
	int r = message_unpack(
		type, any->value.data, any->value.len, ret, NULL);

	if (r == -ENOMEM)
		return err_set(e, r, "no memory for options");
	if (r < 0)
		return err_set(
			e, -EINVAL, "options are no valid %s", any->type_url);
	r = any->value.len > 0 ? check_strings(type, any, e) : 0;
	if (r < 0)
		message_free(*ret);
	return r;
}

/* task_api_address and task_api_version are not looked at: the daemon finds
 * its way to a running shim by them. */
static int unpack_runc(const Any *any, struct options *ret, struct err *e)
{
	ProtobufCMessage *m;
	RuncOptions *o;
	int r = unpack(&containerd__runc__v1__options__descriptor, any, &m, e);

	if (r < 0)
		return r;
	o = (RuncOptions *)m;
	r = set_string(&ret->binary, "binary_name", o->binary_name,
		strlen(o->binary_name), e);
	if (r == 0)
		r = set_string(&ret->root, "root", o->root, strlen(o->root), e);
	if (r == 0)
		r = set_string(&ret->shim_cgroup, "shim_cgroup", o->shim_cgroup,
			strlen(o->shim_cgroup), e);
	if (r == 0)
		r = set_string(&ret->criu_image, "criu_image_path",
			o->criu_image_path, strlen(o->criu_image_path), e);
	if (r == 0)
		r = set_string(&ret->criu_work, "criu_work_path",
			o->criu_work_path, strlen(o->criu_work_path), e);
	ret->systemd_cgroup = o->systemd_cgroup;
	ret->no_pivot_root = o->no_pivot_root;
	ret->no_new_keyring = o->no_new_keyring;
	ret->io_uid = o->io_uid;
	ret->io_gid = o->io_gid;
	message_free(m);
	return r;
}

/* ---- TOML ---- */

enum kind {
	KIND_STRING,
	KIND_BOOL,
	KIND_ID,
	/* from here on not acted on, and not among those a user is told */
	KIND_UNUSED,     /* a string; nothing here would make use of it */
	KIND_UNSUPPORTED /* a string; refused unless empty */
};

static const enum toml_type toml_types[] = {
	[KIND_STRING] = TOML_STRING,
	[KIND_BOOL] = TOML_BOOL,
	[KIND_ID] = TOML_INTEGER,
	[KIND_UNUSED] = TOML_STRING,
	[KIND_UNSUPPORTED] = TOML_STRING,
};

#define AT(member) offsetof(struct options, member)

static const struct key {
	const char *name;
	enum kind kind;
	size_t at;
} keys[] = {
	{"BinaryName", KIND_STRING, AT(binary)},
	{"Root", KIND_STRING, AT(root)},
	{"ShimCgroup", KIND_STRING, AT(shim_cgroup)},
	{"SystemdCgroup", KIND_BOOL, AT(systemd_cgroup)},
	{"NoPivotRoot", KIND_BOOL, AT(no_pivot_root)},
	{"NoNewKeyring", KIND_BOOL, AT(no_new_keyring)},
	{"IoUid", KIND_ID, AT(io_uid)},
	{"IoGid", KIND_ID, AT(io_gid)},
	{"CriuImagePath", KIND_STRING, AT(criu_image)},
	{"CriuWorkPath", KIND_STRING, AT(criu_work)},
	/* daemons before 2.0 have it in their default configuration, and runc
	 * itself ignores what it says */
	{"CriuPath", KIND_UNUSED, 0},
	/* CRI's own: they come along, as it passes on its section as it is. If
	 * it had a path, there would be no body. */
	{"TypeUrl", KIND_UNUSED, 0},
	{"ConfigPath", KIND_UNSUPPORTED, 0},
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

struct reading {
	struct options *o;
	bool seen[KEYS];
};

static int unknown(const char *name, struct err *e)
{
	char known[256] = "";
	size_t i, n = 0;

	for (i = 0; i < KEYS; i++) {
		if (keys[i].kind < KIND_UNUSED)
			n += (size_t)snprintf(known + n, sizeof(known) - n,
				"%s%s", n > 0 ? ", " : "", keys[i].name);
	}
	return err_set(
		e, -EINVAL, "unknown option '%s': known are %s", name, known);
}

static int wrong_type(const char *name, enum toml_type wanted,
	enum toml_type is, struct err *e)
{
	static const char *const types[] = {
		[TOML_STRING] = "a string",
		[TOML_INTEGER] = "a number",
		[TOML_BOOL] = "true or false",
		[TOML_TABLE] = "a table",
	};

	return err_set(e, -EINVAL, "option '%s' is %s, but it must be %s", name,
		types[is], types[wanted]);
}

static int set(const struct key *k, const struct toml_item *item,
	struct options *o, struct err *e)
{
	void *to = (char *)o + k->at;

	switch (k->kind) {
	case KIND_STRING:
		return set_string(to, item->path, item->text, item->n, e);
	case KIND_BOOL:
		*(bool *)to = item->number;
		return 0;
	case KIND_ID:
		if (item->number < 0 || item->number > UINT32_MAX)
			return err_set(e, -EINVAL,
				"option '%s' is %" PRId64
				", but it must be from 0 to %" PRIu32,
				item->path, item->number, UINT32_MAX);
		*(uint32_t *)to = (uint32_t)item->number;
		return 0;
	case KIND_UNSUPPORTED:
		if (item->n > 0)
			return not_supported(item->path, item->text, e);
		return 0;
	case KIND_UNUSED:
		break;
	}
	return 0;
}

static int on_item(const struct toml_item *item, void *arg, struct err *e)
{
	struct reading *rd = arg;
	size_t i = 0;

	while (i < KEYS && strcasecmp(item->path, keys[i].name) != 0)
		i++;
	if (i == KEYS)
		return unknown(item->path, e);
	if (item->type != toml_types[keys[i].kind])
		return wrong_type(
			item->path, toml_types[keys[i].kind], item->type, e);
	if (rd->seen[i])
		return err_set(
			e, -EINVAL, "option '%s' is set twice", item->path);
	rd->seen[i] = true;
	return set(&keys[i], item, rd->o, e);
}

static int read_text(const char *text, size_t n, const char *from,
	struct options *ret, struct err *e)
{
	struct reading rd = {.o = ret};
	int r = toml_scan(text, n, on_item, &rd, e);

	if (r < 0)
		err_prefix(e, "%s", from);
	return r;
}

static int read_path(const char *path, struct options *ret, struct err *e)
{
	auto_free char *text = NULL;
	size_t n;
	int r;

	if (path[0] != '/')
		return err_set(e, -EINVAL,
			"config_path '%s' must be absolute: the shim does not "
			"run in your folder",
			path);
	r = file_read(path, OPTIONS_FILE_MAX, &text, &n, e);
	if (r == -ENOENT) {
		r = -EINVAL;
		if (e)
			e->code = r;
	}
	return r < 0 ? r : read_text(text, n, path, ret, e);
}

static int read_body(
	const ProtobufCBinaryData *body, struct options *ret, struct err *e)
{
	if (body->len > OPTIONS_FILE_MAX)
		return err_set(e, -EFBIG,
			"config_body is over the limit of %d bytes",
			OPTIONS_FILE_MAX);
	return read_text(
		(const char *)body->data, body->len, "config_body", ret, e);
}

static int unpack_runtime(const Any *any, struct options *ret, struct err *e)
{
	ProtobufCMessage *m;
	RuntimeOptions *o;
	int r = unpack(&runtimeoptions__v1__options__descriptor, any, &m, e);

	if (r < 0)
		return r;
	o = (RuntimeOptions *)m;
	if (o->config_body.len > 0)
		r = read_body(&o->config_body, ret, e);
	else if (*o->config_path)
		r = read_path(o->config_path, ret, e);
	if (r < 0)
		err_prefix(e, "runtime options");
	message_free(m);
	return r;
}

/* CRIU has another working directory than whoever wrote the options. */
static int check_folder(const char *name, const char *path, struct err *e)
{
	if (!path || *path == '/')
		return 0;
	return err_set(
		e, -EINVAL, "option '%s' ('%s') must be absolute", name, path);
}

/* A group is named from the top: ".." would lead out of the hierarchy. */
static int check_cgroup(const char *path, struct err *e)
{
	if (!path || !file_goes_up(path))
		return 0;
	return err_set(
		e, -EINVAL, "option 'shim_cgroup' ('%s') has '..' in it", path);
}

static int unpack_any(const Any *any, struct options *ret, struct err *e)
{
	if (!any || !any->type_url || !*any->type_url)
		return 0;
	if (any_is(any, "containerd.runc.v1.Options"))
		return unpack_runc(any, ret, e);
	if (any_is(any, "runtimeoptions.v1.Options"))
		return unpack_runtime(any, ret, e);
	return runtime_read_options(any, &ret->settings, e);
}

int options_unpack(const Any *any, struct options *ret, struct err *e)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	r = unpack_any(any, ret, e);
	if (r == 0)
		r = check_folder("criu_image_path", ret->criu_image, e);
	if (r == 0)
		r = check_folder("criu_work_path", ret->criu_work, e);
	return r < 0 ? r : check_cgroup(ret->shim_cgroup, e);
}

void options_clear(struct options *o)
{
	free(o->shim_cgroup);
	free(o->criu_image);
	free(o->criu_work);
	free(o->binary);
	free(o->root);
	runtime_free_settings(o->settings);
	memset(o, 0, sizeof(*o));
}
