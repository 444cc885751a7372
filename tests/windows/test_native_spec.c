/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/native/spec.h"

#include "tests/unit/util_test.h"
#include "tests/windows/util_vmcompute.h"

static struct native_spec spec;
static struct err e;

static int read_json(const char *json)
{
	put_text("config.json", json);
	return native_spec_read(here("."), &spec, &e);
}

START_TEST(test_process)
{
	ck_assert_int_eq(
		read_json("{\"process\":{\"args\":[\"a b\",\"\",\"c\"],"
			  "\"env\":[\"X=1\"],\"cwd\":\"C:\\\\d\"},"
			  "\"annotations\":{"
			  "\"microsoft.com/hostprocess-container\":\"true\"}}"),
		0);
	ck_assert_uint_eq(spec.n_args, 3);
	ck_assert_str_eq(spec.args[0], "a b");
	ck_assert_str_eq(spec.args[1], "");
	ck_assert_str_eq(spec.args[2], "c");
	ck_assert_ptr_null(spec.args[3]);
	ck_assert_uint_eq(spec.n_env, 1);
	ck_assert_str_eq(spec.cwd, "C:\\d");
	ck_assert_ptr_null(spec.command_line);
	ck_assert(spec.host_process);
	native_spec_clear(&spec);
}
END_TEST

START_TEST(test_command_line)
{
	ck_assert_int_eq(read_json("{\"process\":{\"commandLine\":"
				   "\"x \\\"y z\\\"\"}}"),
		0);
	ck_assert_str_eq(spec.command_line, "x \"y z\"");
	ck_assert(!spec.host_process);
	native_spec_clear(&spec);
	ck_assert_int_eq(read_json("{\"process\":{\"commandLine\":\"x\","
				   "\"args\":[\"y\"]}}"),
		-EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "both"));
	native_spec_clear(&spec);
	ck_assert_int_eq(read_json("{\"process\":{}}"), -EINVAL);
	native_spec_clear(&spec);
	ck_assert_int_eq(read_json("{"), -EINVAL);
	native_spec_clear(&spec);
}
END_TEST

START_TEST(test_mount_point)
{
	ck_assert_int_eq(
		read_json("{\"root\":{\"path\":\"C:/hpc/x\"},\"process\":{"
			  "\"args\":[\"%CONTAINER_SANDBOX_MOUNT_POINT%/a.exe\","
			  "\"$env:CONTAINER_SANDBOX_MOUNT_POINT;"
			  "$env:CONTAINER_SANDBOX_MOUNT_POINT\"],"
			  "\"cwd\":\"%CONTAINER_SANDBOX_MOUNT_POINT%\"},"
			  "\"annotations\":{"
			  "\"microsoft.com/hostprocess-container\":\"true\"}}"),
		0);
	ck_assert_str_eq(spec.args[0], "C:/hpc/x/a.exe");
	ck_assert_str_eq(spec.args[1], "C:/hpc/x;C:/hpc/x");
	ck_assert_str_eq(spec.cwd, "C:/hpc/x");
	ck_assert_str_eq(spec.env[0], "CONTAINER_SANDBOX_MOUNT_POINT=C:/hpc/x");
	native_spec_clear(&spec);
}
END_TEST

START_TEST(test_limits)
{
	ck_assert_int_eq(
		read_json("{\"process\":{\"args\":[\"x\"]},\"windows\":{"
			  "\"resources\":{\"memory\":{\"limit\":1048576},"
			  "\"cpu\":{\"count\":2,\"shares\":7}}}}"),
		0);
	ck_assert_uint_eq(spec.limits.memory_bytes, 1048576);
	ck_assert_uint_eq(spec.limits.cpu_count, 2);
	ck_assert_uint_eq(spec.limits.cpu_weight, 7);
	put_text(
		"update", "{\"memory\":{\"limit\":5},\"cpu\":{\"maximum\":9}}");
	ck_assert_int_eq(native_limits_read("update", &spec.limits, &e), 0);
	ck_assert_uint_eq(spec.limits.memory_bytes, 5);
	ck_assert_uint_eq(spec.limits.cpu_count, 0);
	ck_assert_uint_eq(spec.limits.cpu_maximum, 9);
	native_spec_clear(&spec);
	ck_assert_int_eq(
		read_json("{\"process\":{\"args\":[\"x\"]},\"annotations\":{"
			  "\"io.microsoft.container.memory.sizeinmb\":\"64\","
			  "\"io.microsoft.container.processor.limit\":"
			  "\"5000\"}}"),
		0);
	ck_assert_uint_eq(spec.limits.memory_bytes, 64 << 20);
	ck_assert_uint_eq(spec.limits.cpu_maximum, 5000);
	native_spec_clear(&spec);
}
END_TEST

START_TEST(test_exec)
{
	put_text("p.json", "{\"args\":[\"%CONTAINER_SANDBOX_MOUNT_POINT%\"]}");
	ck_assert_int_eq(
		native_spec_read_process("p.json", "C:/root", &spec, &e), 0);
	ck_assert_str_eq(spec.args[0], "C:/root");
	ck_assert_ptr_null(spec.cwd);
	native_spec_clear(&spec);
	ck_assert_int_eq(
		native_spec_read_process("none", NULL, &spec, &e), -ENOENT);
	native_spec_clear(&spec);
}
END_TEST

/* Layers that the shim has mounted are the root, whatever config.json says;
 * those of a daemon are as it says. */
START_TEST(test_layers)
{
	static const char volume[] =
		"\\\\?\\Volume{11111111-2222-3333-4444-555555555555}\\";
	static const char config[] =
		"{\"root\":{\"path\":\"rootfs\"},\"process\":{\"args\":["
		"\"%CONTAINER_SANDBOX_MOUNT_POINT%a.exe\"]},"
		"\"annotations\":{"
		"\"microsoft.com/hostprocess-container\":\"true\"}}";
	char *id;

	vmc_begin();
	ck_assert_int_eq(
		mount_all(vmc_mount(), 1, here("rootfs"), here("mounts"), &e),
		0);
	ck_assert_msg(read_json(config) == 0, "%s", e.msg);
	ck_assert_str_eq(spec.root, volume);
	ck_assert_str_eq(spec.rootfs.path, volume);
	ck_assert_uint_eq(spec.rootfs.n_layers, 3);
	ck_assert_str_eq(spec.rootfs.layers[1].path, vmc_layer("mid"));
	ck_assert_str_eq(spec.args[0],
		"\\\\?\\Volume{11111111-2222-3333-4444-555555555555}\\a.exe");
	id = strdup(spec.rootfs.layers[0].id);
	native_spec_clear(&spec);
	ck_assert_int_eq(mount_undo_all(here("rootfs"), here("mounts"), &e), 0);
	ck_assert_int_eq(read_json(config), 0);
	ck_assert_ptr_null(spec.rootfs.path);
	native_spec_clear(&spec);
	ck_assert_int_eq(
		read_json("{\"root\":{\"path\":\"\\\\\\\\?\\\\Volume{1}\\\\\"},"
			  "\"windows\":{\"layerFolders\":[\"C:\\\\x\\\\top\","
			  "\"C:\\\\x\\\\scratch\"]},"
			  "\"process\":{\"args\":[\"x\"]}}"),
		0);
	ck_assert_str_eq(spec.rootfs.path, "\\\\?\\Volume{1}\\");
	ck_assert_uint_eq(spec.rootfs.n_layers, 1);
	ck_assert_str_eq(spec.rootfs.layers[0].path, "C:\\x\\top");
	ck_assert_str_eq(spec.rootfs.layers[0].id, id);
	native_spec_clear(&spec);
	ck_assert_int_eq(
		read_json("{\"root\":{\"path\":\"C:\\\\x\"},"
			  "\"windows\":{\"layerFolders\":[\"..\\\\top\","
			  "\"C:\\\\x\\\\scratch\"]},"
			  "\"process\":{\"args\":[\"x\"]}}"),
		-EINVAL);
	native_spec_clear(&spec);
	free(id);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_process, test_command_line,
		test_mount_point, test_limits, test_exec, test_layers, NULL};

	return suite_run("native spec", tests);
}
