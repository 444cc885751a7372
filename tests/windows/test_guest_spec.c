/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/native/guest_spec.h"

#include "platform/file.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_vmcompute.h"

static struct guest guest;
static struct native_spec spec;
static struct err e;

static char *layers[] = {
	(char *)"C:\\x\\top", (char *)"C:\\x\\base", (char *)"C:\\x\\scratch"};

static int read_json(const char *json)
{
	put_text("config.json", json);
	spec.layers = layers;
	spec.n_layers = 3;
	return guest_read(here("."), &spec, NULL, &guest, &e);
}

#define VM "\"io.microsoft.virtualmachine."

START_TEST(test_settings)
{
	struct runtime_settings settings = {0};

	ck_assert_msg(
		read_json(
			"{\"root\":{\"readonly\":true},\"annotations\":{" VM
			"bootfilesrootpath\":\"C:\\\\boot\"," VM
			"lcow.kernelbootoptions\":\"a=b\"," VM
			"lcow.kerneldirectboot\":\"false\"," VM
			"lcow.preferredrootfstype\":\"initrd\"," VM
			"lcow.privileged\":\"true\"," VM
			"computetopology.processor.count\":\"2\"," VM
			"computetopology.processor.limit\":\"5\"," VM
			"computetopology.processor.weight\":\"6\"," VM
			"computetopology.memory.sizeinmb\":\"2048\"," VM
			"computetopology.memory.allowovercommit\":\"false\"," VM
			"computetopology.memory.enabledeferredcommit\":"
			"\"true\","
			"\"other\":\"x\"}}") == 0,
		"%s", e.msg);
	ck_assert_str_eq(guest.boot_files, "C:\\boot");
	ck_assert_str_eq(guest.kernel_options, "a=b");
	ck_assert(guest.by_uefi && guest.initrd && guest.privileged);
	ck_assert(guest.physical_memory && guest.deferred_commit);
	ck_assert(guest.read_only);
	ck_assert_uint_eq(guest.processors, 2);
	ck_assert_uint_eq(guest.processor_limit, 5);
	ck_assert_uint_eq(guest.processor_weight, 6);
	ck_assert_uint_eq(guest.memory_mib, 2048);
	ck_assert_uint_eq(guest.n_layers, 2);
	ck_assert_str_eq(guest.layers[0], layers[0]);
	ck_assert_str_eq(guest.layers[1], layers[1]);
	ck_assert_str_eq(guest.scratch, layers[2]);
	guest_clear(&guest);
	settings.annotations = calloc(2, sizeof(*settings.annotations));
	settings.annotations[0].key = (char *)"io.microsoft.virtualmachine."
					      "computetopology.memory.sizeinmb";
	settings.annotations[0].value = (char *)"700";
	settings.annotations[1].key = (char *)"io.microsoft.virtualmachine."
					      "computetopology.processor.count";
	settings.annotations[1].value = (char *)"3";
	settings.n_annotations = 2;
	/* options are what annotations don't say; resources come after both */
	put_text("config.json",
		"{\"annotations\":{" VM
		"computetopology.processor.count\":\"2\"},\"windows\":{"
		"\"resources\":{\"memory\":{\"limit\":1073741824},"
		"\"cpu\":{\"count\":1}}}}");
	ck_assert_int_eq(
		guest_read(here("."), &spec, &settings, &guest, &e), 0);
	ck_assert_uint_eq(guest.processors, 2);
	ck_assert_uint_eq(guest.memory_mib, 700);
	guest_clear(&guest);
	ck_assert_int_eq(guest_read(here("."), &spec, NULL, &guest, &e), 0);
	ck_assert_uint_eq(guest.memory_mib, 1024);
	guest_clear(&guest);
	free(settings.annotations);
}
END_TEST

START_TEST(test_mounts)
{
	char json[8192], folder[FILE_PATH_MAX] = "", *to = folder;
	const char *p;

	for (p = here("."); *p; p++)
		*to++ = *p == '\\' ? '/' : *p;
	put_text("file", "");
	snprintf(json, sizeof(json),
		"{\"mounts\":[{\"type\":\"proc\",\"source\":\"proc\"},"
		"{\"type\":\"bind\",\"source\":\"%s\","
		"\"options\":[\"rbind\",\"RO\"]},"
		"{\"type\":\"bind\",\"source\":\"sandbox:///x\"},"
		"{\"source\":\"%s/file\",\"type\":\"bind\"}]}",
		folder, folder);
	ck_assert_msg(read_json(json) == 0, "%s", e.msg);
	ck_assert_uint_eq(guest.n_shares, 2);
	ck_assert_uint_eq(guest.shares[0].mount, 1);
	ck_assert_str_eq(guest.shares[0].folder, folder);
	ck_assert_ptr_null(guest.shares[0].file);
	ck_assert(guest.shares[0].read_only);
	ck_assert_uint_eq(guest.shares[1].mount, 3);
	ck_assert_str_eq(guest.shares[1].file, "file");
	ck_assert(!guest.shares[1].read_only);
	guest_clear(&guest);
}
END_TEST

static void refuse(const char *json, int code, const char *word)
{
	ck_assert_int_eq(read_json(json), code);
	ck_assert_msg(strstr(e.msg, word), "'%s' lacks '%s'", e.msg, word);
}

START_TEST(test_refused)
{
	refuse("{", -EINVAL, "line 1");
	refuse("{\"annotations\":{" VM "lcow.gueststatefile\":\"x\"}}", -ENOSYS,
		"lcow.gueststatefile");
	refuse("{\"annotations\":{" VM
	       "computetopology.processor.count\":\"-1\"}}",
		-EINVAL, "'-1'");
	refuse("{\"annotations\":{" VM "lcow.privileged\":\"yes\"}}", -EINVAL,
		"'yes'");
	refuse("{\"annotations\":{" VM
	       "computetopology.memory.sizeinmb\":\"1e3\"}}",
		-EINVAL, "'1e3'");
	refuse("{\"windows\":{\"network\":{\"networkNamespace\":\"n\"}}}",
		-ENOSYS, "network");
	refuse("{\"windows\":{\"devices\":[{}]}}", -ENOSYS, "devices");
	refuse("{\"mounts\":[{\"type\":\"virtual-disk\",\"source\":\"C:\\\\x\"}"
	       "]}",
		-ENOSYS, "disk");
	refuse("{\"mounts\":[{\"type\":\"bind\"}]}", -EINVAL, "no source");
	refuse("{\"mounts\":[{\"type\":\"bind\",\"source\":\"x\"}]}", -EINVAL,
		"'x' is not there");
	refuse("{\"mounts\":[{\"type\":\"bind\",\"source\":\"C:\\\\no\\\\x\"}]"
	       "}",
		-EINVAL, "is not there");
	spec.n_layers = 1;
	put_text("config.json", "{}");
	ck_assert_int_eq(
		guest_read(here("."), &spec, NULL, &guest, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "lcow-layer"));
	layers[0] = (char *)"top";
	refuse("{}", -EINVAL, "no absolute path");
	layers[0] = (char *)"C:\\x\\top";
}
END_TEST

/* The disks of a mount come before those of config.json; nothing of it is the
 * business of vmcompute.dll. */
START_TEST(test_lcow_layer)
{
	struct mount_rootfs found;
	struct mount_spec m;

	vmc_begin();
	m = *vmc_mount();
	m.type = "lcow-layer";
	ck_assert_int_eq(
		mount_all(&m, 1, here("rootfs"), here("mounts"), &e), 0);
	ck_assert_int_eq(
		mount_find_rootfs(here("rootfs"), here("mounts"), &found, &e),
		-ENOENT);
	ck_assert_msg(read_json("{}") == 0, "%s", e.msg);
	ck_assert_uint_eq(guest.n_layers, 3);
	ck_assert_str_eq(guest.layers[0], vmc_layer("top"));
	ck_assert_str_eq(guest.layers[2], vmc_layer("base"));
	ck_assert_str_eq(guest.scratch, vmc_layer("scratch"));
	guest_clear(&guest);
	ck_assert_int_eq(mount_undo_all(here("rootfs"), here("mounts"), &e), 0);
	ck_assert(!file_exists(here("mounts")));
	ck_assert_uint_eq(vmc_count(), 0);
	ck_assert_int_eq(mount_find_disks(here("mounts"), &found, &e), -ENOENT);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_settings, test_mounts, test_refused,
		test_lcow_layer, NULL};

	return suite_run("guest spec", tests);
}
