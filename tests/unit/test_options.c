/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/options.h"

#include <errno.h>
#include <stdlib.h>

#include "runtime_options.pb-c.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

typedef Containerd__Runc__V1__Options RuncOptions;
typedef Runtimeoptions__V1__Options RuntimeOptions;

static uint8_t packed[8192];

/* An Any in static memory. */
static Any *pack(const char *type_url, const ProtobufCMessage *m)
{
	static Any any;

	google__protobuf__any__init(&any);
	any.type_url = (char *)type_url;
	any.value.data = packed;
	any.value.len = m ? protobuf_c_message_pack(m, packed) : 0;
	return &any;
}

static const char runc_type[] = "containerd.runc.v1.Options";
static const char runtime_type[] = "runtimeoptions.v1.Options";

static Any *pack_all(const char *type_url)
{
	RuncOptions o = CONTAINERD__RUNC__V1__OPTIONS__INIT;

	o.binary_name = (char *)"/usr/bin/crun";
	o.root = (char *)"/run/x";
	o.criu_image_path = (char *)"/image";
	o.criu_work_path = (char *)"/work";
	o.systemd_cgroup = o.no_pivot_root = o.no_new_keyring = true;
	o.io_uid = 1000;
	o.io_gid = 2000;
	return pack(type_url, &o.base);
}

static void check_all(const struct options *o)
{
	ck_assert_pstr_eq(o->binary, "/usr/bin/crun");
	ck_assert_pstr_eq(o->root, "/run/x");
	ck_assert_pstr_eq(o->criu_image, "/image");
	ck_assert_pstr_eq(o->criu_work, "/work");
	ck_assert(o->systemd_cgroup);
	ck_assert(o->no_pivot_root);
	ck_assert(o->no_new_keyring);
	ck_assert_uint_eq(o->io_uid, 1000);
	ck_assert_uint_eq(o->io_gid, 2000);
}

static void check_none(const struct options *o)
{
	ck_assert_ptr_null(o->binary);
	ck_assert_ptr_null(o->root);
	ck_assert(!o->systemd_cgroup && !o->no_pivot_root);
	ck_assert(!o->no_new_keyring && !o->io_uid && !o->io_gid);
}

START_TEST(test_none)
{
	struct options o;
	struct err e;

	memset(&o, 0xff, sizeof(o));
	ck_assert_int_eq(options_unpack(NULL, &o, &e), 0);
	check_none(&o);
	ck_assert_int_eq(options_unpack(pack("", NULL), &o, &e), 0);
	check_none(&o);
	ck_assert_int_eq(options_unpack(pack(runc_type, NULL), &o, &e), 0);
	check_none(&o);
	ck_assert_int_eq(options_unpack(pack(runtime_type, NULL), &o, &e), 0);
	check_none(&o);
	options_clear(&o);
}
END_TEST

START_TEST(test_type_urls)
{
	static const char *const urls[] = {"containerd.runc.v1.Options",
		"type.googleapis.com/containerd.runc.v1.Options",
		"/containerd.runc.v1.Options",
		"a/b/containerd.runc.v1.Options"};
	struct options o;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(urls); i++) {
		ck_assert_int_eq(options_unpack(pack_all(urls[i]), &o, &e), 0);
		check_all(&o);
		options_clear(&o);
		check_none(&o);
	}
}
END_TEST

START_TEST(test_unknown_type)
{
	static const char *const urls[] = {"containerd.runc.v2.Options",
		"xcontainerd.runc.v1.Options", "containerd.runc.v1.Options/",
		"containerd.runc.v1.Option", "Options", "/",
		"type.googleapis.com/", "containerd.runc.v1.Options ",
		"io.containerd.runhcs.v1.Options"};
	struct options o;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(urls); i++) {
		ck_assert_int_eq(
			options_unpack(pack_all(urls[i]), &o, &e), -EINVAL);
		ck_assert_ptr_nonnull(strstr(e.msg, urls[i]));
		options_clear(&o);
	}
}
END_TEST

START_TEST(test_broken)
{
	static const char *const types[] = {runc_type, runtime_type};
	struct options o;
	struct err e;
	size_t i;
	Any *any;

	for (i = 0; i < LENGTH(types); i++) {
		any = pack(types[i], NULL);
		memset(packed, 0xff, 20);
		any->value.len = 20;
		ck_assert_int_eq(options_unpack(any, &o, &e), -EINVAL);
		ck_assert_ptr_nonnull(strstr(e.msg, types[i]));
		options_clear(&o);
	}
}
END_TEST

/* The other type, as containerd sends it for a runtime it does not know. */
START_TEST(test_runtime_options)
{
	RuntimeOptions m = RUNTIMEOPTIONS__V1__OPTIONS__INIT;
	struct options o;
	struct err e;

	m.type_url = (char *)"anything";
	ck_assert_int_eq(options_unpack(pack("type.googleapis.com/"
					     "runtimeoptions.v1.Options",
						&m.base),
				 &o, &e),
		0);
	check_none(&o);
	options_clear(&o);
}
END_TEST

START_TEST(test_round_trip)
{
	struct options o, got;
	struct err e;

	ck_assert_int_eq(options_unpack(pack_all(runc_type), &o, &e), 0);
	ck_assert_int_eq(options_save(&o, "options.json", &e), 0);
	memset(&got, 0xff, sizeof(got));
	ck_assert_int_eq(options_load("options.json", &got, &e), 0);
	ck_assert_pstr_eq(got.binary, "/usr/bin/crun");
	ck_assert_pstr_eq(got.root, "/run/x");
	ck_assert(got.systemd_cgroup);
	options_clear(&got);
	options_clear(&o);
}
END_TEST

/* All of them come back, not only what `delete` needs today. */
START_TEST(test_round_trip_of_all)
{
	struct options o, got;
	struct err e;

	ck_assert_int_eq(options_unpack(pack_all(runc_type), &o, &e), 0);
	ck_assert_int_eq(options_save(&o, "options.json", &e), 0);
	options_clear(&o);
	ck_assert_int_eq(options_load("options.json", &got, &e), 0);
	check_all(&got);
	options_clear(&got);
}
END_TEST

START_TEST(test_round_trip_of_none)
{
	struct options o = {0};
	struct err e;

	ck_assert_int_eq(options_save(&o, "options.json", &e), 0);
	memset(&o, 0xff, sizeof(o));
	ck_assert_int_eq(options_load("options.json", &o, &e), 0);
	check_none(&o);
}
END_TEST

static void round_trip_of(const char *root)
{
	struct options o = {.root = (char *)root}, got;
	struct err e;

	ck_assert_int_eq(options_save(&o, "options.json", &e), 0);
	ck_assert_msg(options_load("options.json", &got, &e) == 0, "%s", e.msg);
	ck_assert_pstr_eq(got.root, root);
	options_clear(&got);
}

START_TEST(test_odd_paths)
{
	char path[300] = "/";
	int c;

	round_trip_of("/a \"b\" \\c\\ 'd'");
	round_trip_of("/\n\t\r\x01\x1f\x7f");
	round_trip_of("/\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	round_trip_of("/\\u0041</script>");
	for (c = 1; c < 128; c++)
		path[c] = (char)c;
	round_trip_of(path);
}
END_TEST

/* A path is bytes, and need not be UTF-8: path_resolution(7). */
START_TEST(test_path_of_any_bytes)
{
	round_trip_of("/caf\xe9");
}
END_TEST

START_TEST(test_load)
{
	struct options o;
	struct err e;

	ck_assert_int_eq(options_load("missing", &o, &e), 0);
	check_none(&o);
	put_text("options.json", "{\"root\":");
	ck_assert_int_eq(options_load("options.json", &o, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "options.json"));
	options_clear(&o);
	put_text("options.json",
		"{\"root\":7,\"binary_name\":[\"x\"],\"new\":{\"root\":\"y\"},"
		"\"systemd_cgroup\":\"true\"}");
	ck_assert_int_eq(options_load("options.json", &o, &e), 0);
	check_none(&o);
	put_text("options.json", "{\"root\":\"a\",\"root\":\"b\","
				 "\"binary_name\":\"\"}");
	ck_assert_int_eq(options_load("options.json", &o, &e), 0);
	ck_assert_pstr_eq(o.root, "b");
	ck_assert_ptr_null(o.binary);
	options_clear(&o);
}
END_TEST

START_TEST(test_load_large)
{
	static char text[65 * 1024];
	struct options o;
	struct err e;

	memset(text, ' ', sizeof(text));
	memcpy(text, "{}", 2);
	put_file("options.json", text, sizeof(text));
	ck_assert_int_lt(options_load("options.json", &o, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "limit"));
	options_clear(&o);
}
END_TEST

START_TEST(test_save_fails)
{
	struct options o = {.root = (char *)"/r"};
	struct err e;

	ck_assert_int_eq(options_save(&o, "missing/options.json", &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "missing/options.json"));
}
END_TEST

START_TEST(test_out_of_memory_in_unpack)
{
	Any *any = pack_all(runc_type);
	struct options o;
	struct err e;
	int r;

	OOM_SWEEP(n)
	{
		oom_at(n);
		r = options_unpack(any, &o, &e);
		ck_assert_int_eq(r, oom_off() ? -ENOMEM : 0);
		options_clear(&o);
	}
}
END_TEST

START_TEST(test_out_of_memory_in_load)
{
	struct options o;
	struct err e;
	int r;

	put_text("options.json", "{\"root\":\"/a\\nb\",\"binary_name\":\"x\"}");
	OOM_SWEEP(n)
	{
		oom_at(n);
		r = options_load("options.json", &o, &e);
		ck_assert_int_eq(r, oom_off() ? -ENOMEM : 0);
		options_clear(&o);
	}
}
END_TEST

/* A file that is there already stays as it was, if it can't be replaced. */
START_TEST(test_out_of_memory_in_save)
{
	struct options o = {.root = (char *)"/r\n"};
	char text[64];
	struct err e;
	int r;

	OOM_SWEEP(n)
	{
		put_text("options.json", "{}");
		oom_at(n);
		r = options_save(&o, "options.json", &e);
		ck_assert_int_eq(r, oom_off() ? -ENOMEM : 0);
		if (r == 0)
			continue;
		get_file("options.json", text, sizeof(text));
		ck_assert_str_eq(text, "{}");
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_none, test_type_urls,
		test_unknown_type, test_broken, test_runtime_options,
		test_round_trip, test_round_trip_of_all,
		test_round_trip_of_none, test_odd_paths, test_path_of_any_bytes,
		test_load, test_load_large, test_save_fails,
		test_out_of_memory_in_unpack, test_out_of_memory_in_load,
		test_out_of_memory_in_save, NULL};

	return suite_run("options", tests);
}
