/* SPDX-License-Identifier: Apache-2.0 */
/* End to end: a Linux container in a virtual machine, by a shim over the double
 * of computecore.dll, which runs Windows' programs in it. */
#include "platform/file.h"
#include "platform/process.h"
#include "runhcs_options.pb-c.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_hcs.h"
#include "tests/windows/util_shim.h"
#include "tests/windows/util_vmcompute.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct shim shim;

static void put_escaped(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\')
			fputc('\\', f);
		fputc(*text, f);
	}
}

/* config.json, and disks in the folders of layers and of boot files. */
static void bundle_of(const char *const *words)
{
	static const char *const disks[] = {"layers/top/layer.vhd",
		"layers/mid/layer.vhd", "layers/base/layer.vhd",
		"layers/scratch/sandbox.vhdx", "boot/kernel",
		"boot/initrd.img"};
	FILE *f;
	size_t i;

	ck_assert_int_eq(file_make_folder(here("boot")), 0);
	for (i = 0; i < LENGTH(disks); i++)
		put_text(here(disks[i]), "");
	f = fopen("config.json", "wb");
	fputs("{\"ociVersion\":\"1.1.0\",\"process\":{\"args\":[\"", f);
	put_escaped(f, own_path());
	fputs("\",\"child\"", f);
	for (; *words; words++)
		fprintf(f, ",\"%s\"", *words);
	fputs("],\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\"},"
	      "\"windows\":{\"hyperv\":{}},\"linux\":{}}",
		f);
	fclose(f);
}

static void begin(const char *id, const char *const *words)
{
	hcs_begin();
	bundle_of(words);
	shim_begin(&shim, id);
}

static bool create(enum ttrpc_code *code)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	Containerd__Types__Mount m = CONTAINERD__TYPES__MOUNT__INIT, *list = &m;
	Containerd__Runhcs__V1__Options o =
		CONTAINERD__RUNHCS__V1__OPTIONS__INIT;
	Any any = GOOGLE__PROTOBUF__ANY__INIT;
	const struct mount_spec *spec = vmc_mount();
	char bundle[FILE_PATH_MAX], boot[2 * FILE_PATH_MAX];
	uint8_t packed[4096];
	ProtobufCMessage *rs;

	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	snprintf(boot, sizeof(boot), "%s\\boot", bundle);
	o.sandbox_platform = (char *)"linux/amd64";
	o.sandbox_isolation =
		CONTAINERD__RUNHCS__V1__OPTIONS__SANDBOX_ISOLATION__HYPERVISOR;
	o.boot_files_root_path = boot;
	o.vm_processor_count = 1;
	o.vm_memory_size_in_mb = 300;
	any.type_url = (char *)"containerd.runhcs.v1.Options";
	any.value.data = packed;
	any.value.len = containerd__runhcs__v1__options__pack(&o, packed);
	m.type = (char *)"lcow-layer";
	m.source = (char *)spec->source;
	m.options = (char **)spec->options;
	m.n_options = spec->n_options;
	rq.id = shim.id;
	rq.bundle = bundle;
	rq.rootfs = &list;
	rq.n_rootfs = 1;
	rq.options = &any;
	rs = shim_call(&shim, "Create", &rq.base, code);
	if (rs)
		protobuf_c_message_free_unpacked(rs, NULL);
	return rs != NULL;
}

static void all_closed(void)
{
	const char *left = NULL;

	ck_assert_msg(wait_for(shim.base, !*(left = hcs_left())), "%s", left);
	ck_assert(!file_exists(here("mounts")));
	ck_assert_uint_eq(vmc_count(), 0);
	ck_assert_uint_eq(hcs_called("HcsRevokeVmAccess"),
		hcs_called("HcsGrantVmAccess"));
}

static void check(const char *json, const char *path, const char *expected)
{
	ck_assert_msg(strcmp(hcs_value(json, path), expected) == 0,
		"%s is '%s', not '%s', in %s", path, hcs_value(json, path),
		expected, json);
}

START_TEST(test_life)
{
	const char *d;

	begin("lcow-life", WORDS("exit", "7"));
	ck_assert_msg(create(NULL), "%s", shim.message);
	/* the machine, 4 disks and their union, the container */
	ck_assert_str_eq(hcs_calls(),
		"CreateComputeSystem SetComputeSystemCallback GrantVmAccess "
		"StartComputeSystem "
		"ModifyComputeSystem ModifyComputeSystem ModifyComputeSystem "
		"ModifyComputeSystem ModifyComputeSystem ModifyComputeSystem "
		"ModifyComputeSystem ModifyComputeSystem ModifyComputeSystem "
		"CreateComputeSystem SetComputeSystemCallback ");
	d = hcs_document("HcsCreateComputeSystem", 1);
	check(d, "VirtualMachine.ComputeTopology.Memory.SizeInMB", "300");
	check(d, "VirtualMachine.ComputeTopology.Processor.Count", "1");
	ck_assert_ptr_nonnull(
		strstr(hcs_value(d, "VirtualMachine.Chipset.LinuxKernelDirect."
				    "KernelFilePath"),
			"\\boot\\kernel"));
	d = hcs_document("HcsCreateComputeSystem", 2);
	check(d, "HostingSystemId", "lcow-life@vm");
	check(d, "HostedSystem.OciBundlePath", "/run/gcs/c/lcow-life");
	check(d, "HostedSystem.OciSpecification.process.cwd", "/");
	check(d, "HostedSystem.OciSpecification.root.path",
		"/run/gcs/c/lcow-life/rootfs");
	ck_assert_ptr_null(strstr(d, "hyperv"));
	shim_start(&shim, "");
	check(hcs_document("HcsCreateProcess", 1), "CommandLine", "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 7);
	hcs_calls();
	ck_assert_uint_eq(shim_delete(&shim, ""), 7);
	ck_assert_ptr_nonnull(strstr(
		hcs_calls(), "ModifyComputeSystem TerminateComputeSystem "));
	all_closed();
	shim_end(&shim);
}
END_TEST

START_TEST(test_exec_and_signals)
{
	Containerd__Task__V3__ExecProcessRequest rq =
		CONTAINERD__TASK__V3__EXEC_PROCESS_REQUEST__INIT;
	Any spec = GOOGLE__PROTOBUF__ANY__INIT;
	char json[4096];
	FILE *f;

	begin("lcow-exec", WORDS("sleep"));
	ck_assert_msg(create(NULL), "%s", shim.message);
	shim_start(&shim, "");
	f = fopen("exec.json", "wb");
	fputs("{\"args\":[\"", f);
	put_escaped(f, own_path());
	fputs("\",\"child\",\"exit\",\"5\"],\"cwd\":\"/\"}", f);
	fclose(f);
	spec.type_url =
		(char *)"types.containerd.io/opencontainers/runtime-spec/1/"
			"Process";
	spec.value.len = get_file("exec.json", json, sizeof(json));
	spec.value.data = (uint8_t *)json;
	rq.id = shim.id;
	rq.exec_id = (char *)"e1";
	rq.spec = &spec;
	protobuf_c_message_free_unpacked(
		shim_call(&shim, "Exec", &rq.base, NULL), NULL);
	shim_start(&shim, "e1");
	ck_assert_uint_eq(shim_wait(&shim, "e1"), 5);
	check(hcs_document("HcsCreateProcess", 2), "OciProcess.cwd", "/");
	ck_assert_uint_eq(shim_delete(&shim, "e1"), 5);
	/* Linux' own numbers, which Windows has no event for */
	ck_assert_int_eq(shim_kill(&shim, "", 65), TTRPC_FAILED_PRECONDITION);
	ck_assert_int_eq(shim_kill(&shim, "", 10), TTRPC_OK);
	check(hcs_document("HcsSignalProcess", 1), "Signal", "10");
	ck_assert_uint_eq(shim_wait(&shim, ""), 138);
	ck_assert_uint_eq(shim_delete(&shim, ""), 138);
	all_closed();
	shim_end(&shim);
}
END_TEST

/* Each step of the way to a container fails: nothing is left, and the next one
 * is fine. */
START_TEST(test_create_fails)
{
	static const char *const plans[] = {
		"HcsCreateComputeSystem 1 fail 80070005",
		"HcsCreateComputeSystem 2 late 80070005",
		"HcsGrantVmAccess 2 fail 80070005",
		"HcsStartComputeSystem 2 late 80070005",
		"HcsModifyComputeSystem 1 fail 80070005",
		/* 2 adds, 2 removals since the last two */
		"HcsCreateComputeSystem 6 fail 80070005",
	};
	enum ttrpc_code code;
	size_t i;

	begin("lcow-fails", WORDS("exit", "0"));
	for (i = 0; i < LENGTH(plans); i++) {
		hcs_plan(plans[i]);
		ck_assert_msg(!create(&code), "%s", plans[i]);
		all_closed();
	}
	hcs_plan(NULL);
	remove("layers\\top\\layer.vhd");
	ck_assert(!create(&code));
	ck_assert_int_eq(code, TTRPC_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(shim.message, "layer.vhd' is not there"));
	put_text(here("layers/top/layer.vhd"), "");
	ck_assert_msg(create(NULL), "%s", shim.message);
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 0);
	shim_delete(&shim, "");
	all_closed();
	shim_end(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_life, test_exec_and_signals, test_create_fails, NULL};

	child_main();
	return suite_run("windows shim lcow", tests);
}
