/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/native/isolation_spec.h"
#include "shim/native/spec.h"

#include "runhcs_options.pb-c.h"

#include "tests/unit/util_test.h"
#include "tests/windows/util_vmcompute.h"

static struct native_spec spec;
static struct runtime_settings *settings;
static struct err e;

static int read_json(const char *json)
{
	put_text("config.json", json);
	return native_spec_read(here("."), settings, &spec, &e);
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

/* What would be cut off is refused. */
START_TEST(test_nul)
{
	static const char *const texts[] = {
		"{\"process\":{\"args\":[\"x\",\"y\\u0000z\"]}}",
		"{\"process\":{\"commandLine\":\"x \\u0000 y\"}}",
		"{\"process\":{\"args\":[\"x\"],\"env\":[\"A=\\u0000\"]}}",
		"{\"process\":{\"args\":[\"x\"]},\"mounts\":[{\"source\":"
		"\"C:/a\\u0000b\",\"destination\":\"C:/c\"}]}"};
	struct isolation iso;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ck_assert_msg(read_json(texts[i]) == -EINVAL, "%s", texts[i]);
		ck_assert_ptr_nonnull(strstr(e.msg, "NUL"));
		native_spec_clear(&spec);
	}
	put_text("config.json", "{\"hostname\":\"a\\u0000b\"}");
	ck_assert_int_eq(isolation_read(here("."), NULL, &iso, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "NUL"));
}
END_TEST

START_TEST(test_mount_point)
{
	ck_assert_int_eq(
		read_json("{\"root\":{\"path\":\"C:/hpc/x\"},\"process\":{"
			  "\"args\":[\"%CONTAINER_SANDBOX_MOUNT_POINT%/a.exe\","
			  "\"$env:CONTAINER_SANDBOX_MOUNT_POINT;"
			  "$env:CONTAINER_SANDBOX_MOUNT_POINT\"],"
			  "\"env\":[\"X=%CONTAINER_SANDBOX_MOUNT_POINT%\"],"
			  "\"cwd\":\"%CONTAINER_SANDBOX_MOUNT_POINT%\"}}"),
		0);
	ck_assert_str_eq(spec.root, "C:/hpc/x");
	/* there may be no such folder */
	ck_assert_int_eq(native_spec_place(&spec, NULL, &e), 0);
	ck_assert_str_eq(spec.cwd, "%CONTAINER_SANDBOX_MOUNT_POINT%");
	ck_assert_int_eq(native_spec_place(&spec, "C:/hpc/x", &e), 0);
	ck_assert_str_eq(spec.args[0], "C:/hpc/x/a.exe");
	ck_assert_str_eq(spec.args[1], "C:/hpc/x;C:/hpc/x");
	ck_assert_str_eq(spec.cwd, "C:/hpc/x");
	ck_assert_str_eq(spec.env[0], "X=C:/hpc/x");
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
	ck_assert_int_eq(native_spec_read_process("p.json", &spec, &e), 0);
	ck_assert_int_eq(native_spec_place(&spec, "C:/root", &e), 0);
	ck_assert_str_eq(spec.args[0], "C:/root");
	ck_assert_ptr_null(spec.cwd);
	native_spec_clear(&spec);
	ck_assert_int_eq(native_spec_read_process("none", &spec, &e), -ENOENT);
	native_spec_clear(&spec);
}
END_TEST

/* What is no whole number, or too large, is no limit that may get lost. */
START_TEST(test_hostile_limits)
{
	static const char *const bad[] = {
		"\"io.microsoft.container.memory.sizeinmb\":\"lots\"",
		"\"io.microsoft.container.memory.sizeinmb\":\"-1\"",
		"\"io.microsoft.container.memory.sizeinmb\":\"\"",
		"\"io.microsoft.container.memory.sizeinmb\":\"17592186044416\"",
		"\"io.microsoft.container.processor.count\":\"4294967296\"",
		"\"io.microsoft.container.processor.weight\":\"1e3\"",
		"\"io.microsoft.container.processor.limit\":\"0x10\"",
		"\"io.microsoft.container.storage.qos.iopsmaximum\":"
		"\"18446744073709551616\"",
		"\"io.microsoft.container.storage.qos.bandwidthmaximum\":\" "
		"1\"",
	};
	char json[512];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(json, sizeof(json),
			"{\"process\":{\"args\":[\"x\"]},\"annotations\":{%s}}",
			bad[i]);
		ck_assert_msg(read_json(json) == -EINVAL, "%s", bad[i]);
		ck_assert_ptr_nonnull(strstr(e.msg, "io.microsoft.container"));
		native_spec_clear(&spec);
	}
	ck_assert_int_eq(
		read_json("{\"process\":{\"args\":[\"x\"]},\"windows\":{"
			  "\"resources\":{\"cpu\":{\"count\":1.5}}}}"),
		-EINVAL);
	native_spec_clear(&spec);
	ck_assert_int_eq(
		read_json("{\"process\":{\"args\":[\"x\"]},\"windows\":{"
			  "\"resources\":{\"memory\":{\"limit\":true}}}}"),
		-EINVAL);
	native_spec_clear(&spec);
	/* as large as it may be */
	ck_assert_int_eq(
		read_json("{\"process\":{\"args\":[\"x\"]},\"annotations\":{"
			  "\"io.microsoft.container.memory.sizeinmb\":"
			  "\"17592186044415\"}}"),
		0);
	ck_assert_uint_eq(spec.limits.memory_bytes, 0xfffffffffff00000);
	native_spec_clear(&spec);
}
END_TEST

/* An annotation holds wherever it stands. */
START_TEST(test_annotations_win)
{
	ck_assert_int_eq(
		read_json("{\"annotations\":{"
			  "\"io.microsoft.container.memory.sizeinmb\":\"2\","
			  "\"io.microsoft.container.storage.qos."
			  "bandwidthmaximum\":\"77\"},"
			  "\"process\":{\"args\":[\"x\"]},\"windows\":{"
			  "\"resources\":{\"memory\":{\"limit\":5},"
			  "\"storage\":{\"bps\":6,\"iops\":8}}}}"),
		0);
	ck_assert_uint_eq(spec.limits.memory_bytes, 2 << 20);
	ck_assert_uint_eq(spec.limits.io_bandwidth, 77);
	ck_assert_uint_eq(spec.limits.io_operations, 8);
	native_spec_clear(&spec);
}
END_TEST

START_TEST(test_user_and_mounts)
{
	ck_assert_int_eq(
		read_json("{\"process\":{\"args\":[\"x\"],\"user\":{"
			  "\"username\":\"NT AUTHORITY\\\\SYSTEM\"}},"
			  "\"mounts\":[{\"source\":\"C:\\\\a\","
			  "\"destination\":\"C:\\\\b\",\"options\":[\"rbind\","
			  "\"RO\"]},{\"destination\":\"C:\\\\d\"}],"
			  "\"annotations\":{"
			  "\"microsoft.com/hostprocess-inherit-user\":\"true\","
			  "\"microsoft.com/hostprocess-rootfs-location\":"
			  "\"D:\\\\r\"}}"),
		0);
	ck_assert_str_eq(spec.user, "NT AUTHORITY\\SYSTEM");
	ck_assert(spec.inherit_user);
	ck_assert_str_eq(spec.root_location, "D:\\r");
	ck_assert_uint_eq(spec.n_mounts, 2);
	ck_assert_str_eq(spec.mounts[0].source, "C:\\a");
	ck_assert_str_eq(spec.mounts[0].destination, "C:\\b");
	ck_assert(spec.mounts[0].read_only);
	ck_assert_ptr_null(spec.mounts[1].source);
	ck_assert(!spec.mounts[1].read_only);
	native_spec_clear(&spec);
}
END_TEST

static Any options_any;
static uint8_t options_data[512];

static int read_options(Containerd__Runhcs__V1__Options *o)
{
	google__protobuf__any__init(&options_any);
	options_any.type_url = (char *)"containerd.runhcs.v1.Options";
	options_any.value.data = options_data;
	options_any.value.len =
		containerd__runhcs__v1__options__pack(o, options_data);
	settings = NULL;
	return runtime_read_options(&options_any, &settings, &e);
}

static void bad_options(
	Containerd__Runhcs__V1__Options *o, int code, const char *name)
{
	ck_assert_int_eq(read_options(o), code);
	ck_assert_msg(strstr(e.msg, name) != NULL, "%s", e.msg);
	containerd__runhcs__v1__options__init(o);
}

/* Each field is honoured, refused by its name, or means nothing here. */
START_TEST(test_options)
{
	Containerd__Runhcs__V1__Options o =
		CONTAINERD__RUNHCS__V1__OPTIONS__INIT;

	o.debug_type = CONTAINERD__RUNHCS__V1__OPTIONS__DEBUG_TYPE__FILE;
	bad_options(&o, -ENOSYS, "debug_type");
	o.sandbox_isolation =
		CONTAINERD__RUNHCS__V1__OPTIONS__SANDBOX_ISOLATION__HYPERVISOR;
	bad_options(&o, -ENOSYS, "sandbox_isolation");
	/* a machine for Linux, which annotations describe */
	o.sandbox_isolation =
		CONTAINERD__RUNHCS__V1__OPTIONS__SANDBOX_ISOLATION__HYPERVISOR;
	o.sandbox_platform = (char *)"linux/amd64";
	o.boot_files_root_path = (char *)"C:\\boot";
	o.vm_memory_size_in_mb = 300;
	ck_assert_int_eq(read_options(&o), 0);
	ck_assert_uint_eq(settings->n_annotations, 2);
	ck_assert_str_eq(settings->annotations[0].key,
		"io.microsoft.virtualmachine.bootfilesrootpath");
	ck_assert_str_eq(settings->annotations[0].value, "C:\\boot");
	ck_assert_str_eq(settings->annotations[1].value, "300");
	runtime_free_settings(settings);
	settings = NULL;
	containerd__runhcs__v1__options__init(&o);
	o.log_level = (char *)"loud";
	bad_options(&o, -EINVAL, "log_level");
	o.io_retry_timeout_in_sec = -1;
	bad_options(&o, -EINVAL, "io_retry_timeout_in_sec");
	o.debug_type = CONTAINERD__RUNHCS__V1__OPTIONS__DEBUG_TYPE__ETW;
	o.log_level = (char *)"warning";
	o.debug = true;
	o.sandbox_platform = (char *)"windows/amd64";
	o.vm_processor_count = 3;
	o.share_scratch = o.scrub_logs = o.no_inherit_host_timezone = true;
	o.registry_root = (char *)"x";
	ck_assert_int_eq(read_options(&o), 0);
	runtime_free_settings(settings);
	settings = NULL;
	options_any.value.len = 1;
	options_data[0] = 0xff;
	ck_assert_int_eq(
		runtime_read_options(&options_any, &settings, &e), -EINVAL);
}
END_TEST

/* Its own annotations win over those of the options. */
START_TEST(test_default_annotations)
{
	Containerd__Runhcs__V1__Options o =
		CONTAINERD__RUNHCS__V1__OPTIONS__INIT;
	Containerd__Runhcs__V1__Options__DefaultContainerAnnotationsEntry
		entries[2],
		*list[2] = {&entries[0], &entries[1]};

	containerd__runhcs__v1__options__default_container_annotations_entry__init(
		&entries[0]);
	containerd__runhcs__v1__options__default_container_annotations_entry__init(
		&entries[1]);
	entries[0].key = (char *)"microsoft.com/hostprocess-container";
	entries[0].value = (char *)"true";
	entries[1].key = (char *)"io.microsoft.container.processor.weight";
	entries[1].value = (char *)"5";
	o.n_default_container_annotations = 2;
	o.default_container_annotations = list;
	ck_assert_int_eq(read_options(&o), 0);
	ck_assert_int_eq(read_json("{\"process\":{\"args\":[\"x\"]}}"), 0);
	ck_assert(spec.host_process);
	ck_assert_uint_eq(spec.limits.cpu_weight, 5);
	native_spec_clear(&spec);
	ck_assert_int_eq(
		read_json("{\"annotations\":{"
			  "\"microsoft.com/hostprocess-container\":\"false\","
			  "\"io.microsoft.container.processor.weight\":\"9\"},"
			  "\"process\":{\"args\":[\"x\"]}}"),
		0);
	ck_assert(!spec.host_process);
	ck_assert_uint_eq(spec.limits.cpu_weight, 9);
	native_spec_clear(&spec);
	runtime_free_settings(settings);
	settings = NULL;
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
		"\"%CONTAINER_SANDBOX_MOUNT_POINT%a.exe\"]}}";
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
	/* the container is at C:\hpc\<id> then */
	ck_assert_int_eq(native_spec_place(&spec, volume, &e), 0);
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
	const TTest *const tests[] = {test_process, test_command_line, test_nul,
		test_mount_point, test_limits, test_exec, test_hostile_limits,
		test_annotations_win, test_user_and_mounts, test_options,
		test_default_annotations, test_layers, NULL};

	return suite_run("native spec", tests);
}
