/* SPDX-License-Identifier: Apache-2.0 */
/* The options that come in TOML, and what both kinds refuse. */
#include "shim/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime_options.pb-c.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

static struct options got;
static struct err why;

static int unpack_any(const char *type, const void *data, size_t n)
{
	uint8_t *copy = malloc(n + 1);
	Any any = GOOGLE__PROTOBUF__ANY__INIT;
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, data, n);
	any.type_url = (char *)type;
	any.value.data = n > 0 ? copy : NULL;
	any.value.len = n;
	memset(&why, 0, sizeof(why));
	options_clear(&got);
	r = options_unpack(&any, &got, &why);
	ck_assert_int_eq(r, why.code);
	free(copy);
	return r;
}

static int unpack_runtime(const char *path, const char *body, size_t n)
{
	Runtimeoptions__V1__Options o = RUNTIMEOPTIONS__V1__OPTIONS__INIT;
	static uint8_t buf[128 * 1024];
	size_t len;

	if (path)
		o.config_path = (char *)path;
	o.config_body.data = (uint8_t *)body;
	o.config_body.len = n;
	len = runtimeoptions__v1__options__pack(&o, buf);
	ck_assert_uint_le(len, sizeof(buf));
	return unpack_any("runtimeoptions.v1.Options", buf, len);
}

static int unpack_body(const char *body)
{
	return unpack_runtime(NULL, body, strlen(body));
}

static void body_fails(const char *body, const char *message)
{
	char expected[1024];

	ck_assert_msg(unpack_body(body) == -EINVAL, "taken: %s", body);
	snprintf(expected, sizeof(expected), "runtime options: config_body: %s",
		message);
	ck_assert_str_eq(why.msg, expected);
	options_clear(&got);
}

static void is_default(void)
{
	ck_assert_ptr_null(got.binary);
	ck_assert_ptr_null(got.root);
	ck_assert(!got.systemd_cgroup && !got.no_pivot_root &&
		  !got.no_new_keyring);
	ck_assert_uint_eq(got.io_uid, 0);
	ck_assert_uint_eq(got.io_gid, 0);
}

START_TEST(test_options_all)
{
	ck_assert_int_eq(
		unpack_body("# all\nBinaryName = \"crun\"\nRoot = '/r'\n"
			    "SystemdCgroup = true\nNoPivotRoot = true\n"
			    "NoNewKeyring = true\nIoUid = 0x3e8\n"
			    "IoGid = 4_294_967_295\n"),
		0);
	ck_assert_str_eq(got.binary, "crun");
	ck_assert_str_eq(got.root, "/r");
	ck_assert(
		got.systemd_cgroup && got.no_pivot_root && got.no_new_keyring);
	ck_assert_uint_eq(got.io_uid, 1000);
	ck_assert_uint_eq(got.io_gid, UINT32_MAX);
	options_clear(&got);
}
END_TEST

/* The daemon's default configuration: everything is there and says nothing.
 * CRI passes on its own keys, too. */
START_TEST(test_options_default)
{
	ck_assert_int_eq(
		unpack_body("\nBinaryName = \"\"\nCriuImagePath = \"\"\n"
			    "CriuPath = \"\"\nCriuWorkPath = \"\"\n"
			    "IoGid = 0\nIoUid = 0\nNoNewKeyring = false\n"
			    "NoPivotRoot = false\nRoot = \"\"\n"
			    "ShimCgroup = \"\"\nSystemdCgroup = false\n"
			    "TypeUrl = \"x\"\nConfigPath = \"\"\n"),
		0);
	is_default();
	ck_assert_int_eq(unpack_body(""), 0);
	is_default();
	ck_assert_int_eq(unpack_body("# nothing\n"), 0);
	is_default();
	ck_assert_int_eq(unpack_any("runtimeoptions.v1.Options", "", 0), 0);
	is_default();
}
END_TEST

START_TEST(test_options_case)
{
	ck_assert_int_eq(unpack_body("binaryname = 'a'\nROOT = 'b'\n"
				     "\"systemdCgroup\" = true\n"),
		0);
	ck_assert_str_eq(got.binary, "a");
	ck_assert_str_eq(got.root, "b");
	ck_assert(got.systemd_cgroup);
	options_clear(&got);
}
END_TEST

/* CriuPath is nobody's: runc ignores it. */
START_TEST(test_options_criu)
{
	ck_assert_int_eq(unpack_body("CriuImagePath = '/i'\nCriuPath = '/c'\n"
				     "CriuWorkPath = '/w'\n"),
		0);
	ck_assert_str_eq(got.criu_image, "/i");
	ck_assert_str_eq(got.criu_work, "/w");
	options_clear(&got);
	ck_assert_int_eq(unpack_body("CriuImagePath = 'i'"), -EINVAL);
	ck_assert_str_eq(
		why.msg, "option 'criu_image_path' ('i') must be absolute");
	ck_assert_int_eq(unpack_body("CriuWorkPath = './w'"), -EINVAL);
	ck_assert_str_eq(
		why.msg, "option 'criu_work_path' ('./w') must be absolute");
	options_clear(&got);
}
END_TEST

#define KNOWN                                                       \
	": known are BinaryName, Root, ShimCgroup, SystemdCgroup, " \
	"NoPivotRoot, "                                             \
	"NoNewKeyring, IoUid, IoGid, CriuImagePath, CriuWorkPath"

START_TEST(test_options_unknown)
{
	body_fails("Root = '/r'\nBinayName = 'crun'\n",
		"line 2, column 1: unknown option 'BinayName'" KNOWN);
	body_fails("binary_name = 'crun'",
		"line 1, column 1: unknown option 'binary_name'" KNOWN);
	body_fails("Root.x = 1",
		"line 1, column 1: unknown option 'Root.x'" KNOWN);
	body_fails("[options]\nRoot = '/r'",
		"line 1, column 2: unknown option 'options'" KNOWN);
	body_fails("version = 2\n",
		"line 1, column 1: unknown option 'version'" KNOWN);
	body_fails("'Root ' = '/r'",
		"line 1, column 1: unknown option 'Root '" KNOWN);
}
END_TEST

#define MUST_BE(key, is, wanted) \
	"line 1, column 1: option '" key "' is " is ", but it must be " wanted

START_TEST(test_options_types)
{
	body_fails("SystemdCgroup = 'true'",
		MUST_BE("SystemdCgroup", "a string", "true or false"));
	body_fails("NoPivotRoot = 1",
		MUST_BE("NoPivotRoot", "a number", "true or false"));
	body_fails("BinaryName = true",
		MUST_BE("BinaryName", "true or false", "a string"));
	body_fails("root = 0", MUST_BE("root", "a number", "a string"));
	body_fails("IoUid = '0'", MUST_BE("IoUid", "a string", "a number"));
	body_fails(
		"IoGid = false", MUST_BE("IoGid", "true or false", "a number"));
	body_fails("CriuWorkPath = 1",
		MUST_BE("CriuWorkPath", "a number", "a string"));
	body_fails("ShimCgroup = false",
		MUST_BE("ShimCgroup", "true or false", "a string"));
	body_fails("[Root]", "line 1, column 2: option 'Root' is a table, but "
			     "it must be a string");
}
END_TEST

START_TEST(test_options_range)
{
	static const char *const ids[] = {
		"-1", "4294967296", "-9223372036854775808"};
	char text[64], message[256];
	size_t i;

	for (i = 0; i < LENGTH(ids); i++) {
		snprintf(text, sizeof(text), "IoUid = 1\nIoGid = %s", ids[i]);
		snprintf(message, sizeof(message),
			"line 2, column 1: option 'IoGid' is %s, but it must "
			"be from 0 to 4294967295",
			ids[i]);
		body_fails(text, message);
	}
}
END_TEST

START_TEST(test_options_refused)
{
	body_fails("ConfigPath = '/x'", "line 1, column 1: option 'ConfigPath' "
					"('/x') is not supported");
	body_fails("Root = '/a'\nRoot = '/b'",
		"line 2, column 1: option 'Root' is set twice");
	body_fails("Root = ''\nroot = '/b'",
		"line 2, column 1: option 'root' is set twice");
	body_fails("Root = \"/a\\u0000b\"",
		"line 1, column 1: option 'Root' has a NUL in it");
	body_fails("Root = [ '/a' ]",
		"line 1, column 8: arrays are not supported");
	ck_assert_int_eq(unpack_runtime(NULL, "Root\0= 1", 8), -EINVAL);
	ck_assert_str_eq(why.msg,
		"runtime options: config_body: line 1, column 5: control "
		"character 0x00 is not allowed");
}
END_TEST

START_TEST(test_options_path)
{
	put_text("o.toml", "BinaryName = 'crun'\n");
	ck_assert_int_eq(unpack_runtime(here("o.toml"), NULL, 0), 0);
	ck_assert_str_eq(got.binary, "crun");
	/* the body wins, the path is not even looked at */
	ck_assert_int_eq(unpack_runtime("none", "Root = '/r'", 11), 0);
	ck_assert_str_eq(got.root, "/r");
	ck_assert_ptr_null(got.binary);
	options_clear(&got);
	put_text("o.toml", "");
	ck_assert_int_eq(unpack_runtime(here("o.toml"), NULL, 0), 0);
	is_default();
}
END_TEST

static void path_fails(const char *path, int code, const char *message)
{
	ck_assert_int_eq(unpack_runtime(path, NULL, 0), code);
	ck_assert_msg(strstr(why.msg, path), "'%s' in '%s'", path, why.msg);
	ck_assert_msg(
		strstr(why.msg, message), "'%s' in '%s'", message, why.msg);
	ck_assert_int_eq(strncmp(why.msg, "runtime options: ", 17), 0);
	options_clear(&got);
}

START_TEST(test_options_path_wrong)
{
	static char big[64 * 1024 + 1];

	put_text("o.toml", "Root = '/r'\n");
	path_fails("o.toml", -EINVAL, "must be absolute");
	path_fails("./o.toml", -EINVAL, "must be absolute");
	path_fails(here("none.toml"), -EINVAL, "No such file");
	path_fails(here("o.toml/x"), -ENOTDIR, "Not a directory");
	path_fails("/", -EINVAL, "is no regular file");
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	path_fails(here("fifo"), -EINVAL, "is no regular file");
	put_text("o.toml", "\x7f"
			   "ELF");
	path_fails(here("o.toml"), -EINVAL,
		"o.toml: line 1, column 1: control character 0x7f");
	put_text("o.toml", "Root = '/r'\nX = 1");
	path_fails(here("o.toml"), -EINVAL,
		"o.toml: line 2, column 1: unknown option 'X'");
	memset(big, '\n', sizeof(big));
	put_file("o.toml", big, sizeof(big));
	path_fails(here("o.toml"), -EFBIG, "over the limit of 65536 bytes");
	put_file("o.toml", big, sizeof(big) - 1);
	ck_assert_int_eq(unpack_runtime(here("o.toml"), NULL, 0), 0);
}
END_TEST

START_TEST(test_options_no_message)
{
	Any any = GOOGLE__PROTOBUF__ANY__INIT;
	static const char path[] = "\x12\x05/none", body[] = "\x1a\x03X=1";

	any.type_url = "runtimeoptions.v1.Options";
	any.value.data = (uint8_t *)path;
	any.value.len = sizeof(path) - 1;
	ck_assert_int_eq(options_unpack(&any, &got, NULL), -EINVAL);
	any.value.data = (uint8_t *)body;
	any.value.len = sizeof(body) - 1;
	ck_assert_int_eq(options_unpack(&any, &got, NULL), -EINVAL);
}
END_TEST

START_TEST(test_options_large_body)
{
	static char body[64 * 1024 + 1];

	memset(body, '#', sizeof(body));
	ck_assert_int_eq(unpack_runtime(NULL, body, sizeof(body) - 1), 0);
	is_default();
	ck_assert_int_eq(unpack_runtime(NULL, body, sizeof(body)), -EFBIG);
	ck_assert_str_eq(why.msg, "runtime options: config_body is over the "
				  "limit of 65536 bytes");
}
END_TEST

#define RUNC "containerd.runc.v1.Options"
#define RUNTIME "runtimeoptions.v1.Options"

/* protobuf-c would take the path before the NUL. */
START_TEST(test_options_nul)
{
	static const struct {
		const char *type, *data;
		size_t n;
		const char *message;
	} cases[] = {
		{RUNC, "\x3a\x05/r\0/s", 7, "option 'root' has a NUL in it"},
		{RUNC, "\x32\x01\0", 3, "option 'binary_name' has a NUL in it"},
		{RUNC, "\x08\x01\x28\xe8\x07\x32\x02x\0", 9,
			"option 'binary_name' has a NUL in it"},
		{RUNC, "\x1a\x03\0/x", 5,
			"option 'shim_cgroup' has a NUL in "
			"it"},
		{RUNTIME, "\x12\x04/a\0b", 6,
			"option 'config_path' has a NUL in it"},
		{RUNTIME, "\x0a\x01\0", 3, "option 'type_url' has a NUL in it"},
	};
	size_t i;

	for (i = 0; i < LENGTH(cases); i++) {
		ck_assert_int_eq(
			unpack_any(cases[i].type, cases[i].data, cases[i].n),
			-EINVAL);
		ck_assert_str_eq(why.msg, cases[i].message);
		options_clear(&got);
	}
	/* not our field, fixed32 and fixed64 full of them */
	ck_assert_int_eq(unpack_any(RUNC,
				 "\xa2\x06\x02\0\0"
				 "\xad\x06\0\0\0\0"
				 "\xb1\x06\0\0\0\0\0\0\0\0"
				 "\x32\x01x",
				 24),
		0);
	ck_assert_str_eq(got.binary, "x");
	options_clear(&got);
}
END_TEST

START_TEST(test_options_runc)
{
	ck_assert_int_eq(unpack_any("type.googleapis.com/" RUNC,
				 "\x08\x01\x10\x01\x20\x05\x28\x06"
				 "\x32\x04"
				 "crun\x3a\x02/r\x48\x01\x52\x02/i\x5a\x02/w",
				 28),
		0);
	ck_assert_str_eq(got.binary, "crun");
	ck_assert_str_eq(got.root, "/r");
	ck_assert(
		got.systemd_cgroup && got.no_pivot_root && got.no_new_keyring);
	ck_assert_uint_eq(got.io_uid, 5);
	ck_assert_uint_eq(got.io_gid, 6);
	options_clear(&got);
	ck_assert_int_eq(unpack_any(RUNC, "\x1a\x02/x", 4), 0);
	ck_assert_str_eq(got.shim_cgroup, "/x");
	options_clear(&got);
	ck_assert_int_eq(unpack_any(RUNC, "\x1a\x05/a/..", 7), -EINVAL);
	ck_assert_str_eq(
		why.msg, "option 'shim_cgroup' ('/a/..') has '..' in it");
	options_clear(&got);
	ck_assert_int_eq(unpack_any(RUNC, "\x1a\x06/a../b", 8), 0);
	options_clear(&got);
	ck_assert_int_eq(unpack_any(RUNC, "\xff\xff", 2), -EINVAL);
	ck_assert_str_eq(why.msg, "options are no valid " RUNC);
	ck_assert_int_eq(unpack_any(RUNTIME, "\x1a\x7f", 2), -EINVAL);
	ck_assert_str_eq(why.msg, "options are no valid " RUNTIME);
	ck_assert_int_eq(unpack_any("x.v1.Options", "", 0), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.msg, "unknown type 'x.v1.Options'"));
	options_clear(&got);
}
END_TEST

/* What was read from TOML is what `delete` finds in the bundle. */
START_TEST(test_options_saved)
{
	struct options saved;

	ck_assert_int_eq(unpack_body("BinaryName = \"/b\\\"\\n\"\nRoot = '/r'\n"
				     "SystemdCgroup = true\n"),
		0);
	ck_assert_int_eq(options_save(&got, "options.json", &why), 0);
	ck_assert_int_eq(options_load("options.json", &saved, &why), 0);
	ck_assert_str_eq(saved.binary, got.binary);
	ck_assert_str_eq(saved.root, got.root);
	ck_assert(saved.systemd_cgroup);
	options_clear(&saved);
	options_clear(&got);
	put_text("options.json", "{\"root\":\"/a\\u0000b\"}");
	ck_assert_int_eq(options_load("options.json", &saved, &why), -EINVAL);
	ck_assert_str_eq(why.msg, "options.json: option 'root' has a NUL in "
				  "it");
	options_clear(&saved);
}
END_TEST

START_TEST(test_options_out_of_memory)
{
	/* config_path, so that the file's content is allocated, too */
	static uint8_t buf[4096];
	Runtimeoptions__V1__Options o = RUNTIMEOPTIONS__V1__OPTIONS__INIT;
	Any any = GOOGLE__PROTOBUF__ANY__INIT;
	int r;

	put_text("o.toml", "BinaryName = 'a'\nRoot = 'b'\n");
	o.config_path = (char *)here("o.toml");
	any.type_url = RUNTIME;
	any.value.len = runtimeoptions__v1__options__pack(&o, buf);
	any.value.data = buf;
	OOM_SWEEP(n)
	{
		oom_at(n);
		r = options_unpack(&any, &got, &why);
		if (oom_off())
			ck_assert_int_eq(r, -ENOMEM);
		else
			ck_assert_int_eq(r, 0);
		options_clear(&got);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_options_all, test_options_default,
		test_options_case, test_options_criu, test_options_unknown,
		test_options_types, test_options_range, test_options_refused,
		test_options_path, test_options_path_wrong,
		test_options_no_message, test_options_large_body,
		test_options_nul, test_options_runc, test_options_saved,
		test_options_out_of_memory, NULL};

	return suite_run("toml_options", tests);
}
