/* SPDX-License-Identifier: Apache-2.0 */
/* End to end: a Linux container in a virtual machine, by a shim over the double
 * of computecore.dll, which runs Windows' programs in it. */
#include "platform/file.h"
#include "platform/process.h"
#include "runhcs_options.pb-c.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_handles.h"
#include "tests/windows/util_hcs.h"
#include "tests/windows/util_shim.h"
#include "tests/windows/util_vmcompute.h"

#include <stdlib.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

#define UP                                                            \
	"CreateComputeSystem SetComputeSystemCallback GrantVmAccess " \
	"StartComputeSystem "
#define NINE                                                           \
	"ModifyComputeSystem ModifyComputeSystem ModifyComputeSystem " \
	"ModifyComputeSystem ModifyComputeSystem ModifyComputeSystem " \
	"ModifyComputeSystem ModifyComputeSystem ModifyComputeSystem "

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

/* refused: grants that failed, which there is nothing to revoke of */
static void all_closed(unsigned refused)
{
	const char *left = NULL;

	ck_assert_msg(wait_for(shim.base, !*(left = hcs_left())), "%s", left);
	ck_assert(!file_exists(here("mounts")));
	ck_assert_uint_eq(vmc_count(), 0);
	ck_assert_uint_eq(hcs_called("HcsRevokeVmAccess") + refused,
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
		UP NINE "CreateComputeSystem SetComputeSystemCallback ");
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
	all_closed(0);
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
	ck_assert_int_eq(shim_kill(&shim, "", 65), TTRPC_INVALID_ARGUMENT);
	ck_assert_int_eq(shim_kill(&shim, "", 10), TTRPC_OK);
	check(hcs_document("HcsSignalProcess", 1), "Signal", "10");
	ck_assert_uint_eq(shim_wait(&shim, ""), 138);
	ck_assert_uint_eq(shim_delete(&shim, ""), 138);
	all_closed(0);
	shim_end(&shim);
}
END_TEST

/* The number of the system that was made first or second since the log began.
 */
static unsigned made(unsigned nth)
{
	static char line[65536];
	FILE *f = fopen("hcs\\log", "rb");
	unsigned number = 0;

	while (f && fgets(line, sizeof(line), f))
		if (strcmp(hcs_value(line, "opened"), "system") == 0 &&
			--nth == 0)
			number = (unsigned)atoi(hcs_value(line, "number"));
	if (f)
		fclose(f);
	return number;
}

/* The machine is there, with all that the container needs; the container's own
 * making fails. It is let go of first, then the machine, which that ends, then
 * the disk's access right is taken back. */
START_TEST(test_container_fails)
{
	static const struct {
		const char *plan;
		const char *call; /* how the log has it */
		enum ttrpc_code code;
		unsigned made; /* systems that there are handles of */
	} rows[] = {
		{"HcsCreateComputeSystem 2 fail 80070005",
			"CreateComputeSystem! ", TTRPC_PERMISSION_DENIED, 1},
		{"HcsCreateComputeSystem 2 late 80070005",
			"CreateComputeSystem ", TTRPC_PERMISSION_DENIED, 2},
		{"HcsCreateComputeSystem 2 text C0370106",
			"CreateComputeSystem ", TTRPC_UNKNOWN, 2},
		{"HcsSetComputeSystemCallback 2 fail 80070005",
			"CreateComputeSystem SetComputeSystemCallback! ",
			TTRPC_PERMISSION_DENIED, 2},
	};
	char want[1024], closed[64];
	enum ttrpc_code code;
	unsigned handles = 0;
	size_t i;

	begin("lcow-second", WORDS("exit", "0"));
	for (i = 0; i < 2 * LENGTH(rows); i++) {
		size_t row = i % LENGTH(rows); /* twice: nothing grows */

		hcs_plan(rows[row].plan);
		hcs_forget();
		ck_assert_msg(!create(&code), "%s", rows[row].plan);
		ck_assert_msg(code == rows[row].code, "%s: %d %s",
			rows[row].plan, code, shim.message);
		all_closed(0);
		snprintf(want, sizeof(want), UP NINE "%sRevokeVmAccess ",
			rows[row].call);
		ck_assert_str_eq(hcs_calls(), want);
		if (rows[row].made == 2)
			snprintf(closed, sizeof(closed), "%u %u ", made(2),
				made(1));
		else
			snprintf(closed, sizeof(closed), "%u ", made(1));
		ck_assert_str_eq(hcs_closed("system"), closed);
		ck_assert(!file_exists("container-notes"));
		if (i + 1 == LENGTH(rows))
			handles = count_handles_of(shim.pid);
	}
	ck_assert(wait_for(shim.base, count_handles_of(shim.pid) <= handles));
	hcs_plan(NULL);
	ck_assert_msg(create(NULL), "%s", shim.message);
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 0);
	shim_delete(&shim, "");
	all_closed(0);
	shim_end(&shim);
}
END_TEST

static struct process_ref *ref_of(int64_t pid)
{
	struct process_ref *ref;

	ck_assert_int_eq(process_ref_open(pid, &ref), 0);
	return ref;
}

static bool has_ended(struct process_ref *ref)
{
	return process_ref_signal(ref, 10) == -ESRCH;
}

static uint32_t delete_command(void)
{
	Containerd__Task__V3__DeleteResponse *rs;
	char out[1024];
	size_t n = sizeof(out);
	uint32_t status = shim_run(&shim, "delete", out, &n);

	ck_assert_msg(status == 0, "%s", out);
	rs = containerd__task__v3__delete_response__unpack(
		NULL, n, (uint8_t *)out);
	ck_assert_msg(rs != NULL, "%s", out);
	status = rs->exit_status;
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	return status;
}

/* `delete` beside a shim that lives: it ends the container, then the machine,
 * and takes the access right back. The shim finds that out, and goes on. */
START_TEST(test_delete_beside)
{
	struct process_ref *init;
	char notes[1024];
	unsigned revoked;

	begin("lcow-beside", WORDS("sleep"));
	ck_assert_msg(create(NULL), "%s", shim.message);
	get_file("container-notes", notes, sizeof(notes));
	ck_assert_ptr_nonnull(strstr(notes, "Slcow-beside\nX"));
	init = ref_of(shim_start(&shim, ""));
	hcs_calls();
	delete_command();
	ck_assert(has_ended(init));
	process_ref_close(init);
	ck_assert_ptr_nonnull(strstr(hcs_calls(),
		"OpenComputeSystem SetComputeSystemCallback OpenComputeSystem "
		"SetComputeSystemCallback TerminateComputeSystem "));
	revoked = hcs_called("HcsRevokeVmAccess");
	ck_assert_uint_ge(revoked, 1);
	ck_assert_uint_eq(shim_wait(&shim, ""), 0xC000013A);
	ck_assert(!file_exists("container-notes"));
	shim_delete(&shim, "");
	ck_assert_msg(wait_for(shim.base, !*hcs_left()), "%s", hcs_left());
	shim_end(&shim);
}
END_TEST

/* The shim is gone, and its handles with it, so that nothing is left to be
 * ended; but for the access right. */
START_TEST(test_delete_after)
{
	struct process_ref *init, *server;
	const char *calls;

	begin("lcow-after", WORDS("sleep"));
	ck_assert_msg(create(NULL), "%s", shim.message);
	init = ref_of(shim_start(&shim, ""));
	server = ref_of(shim.pid);
	ck_assert_int_eq(process_ref_signal(server, SIGKILL), 0);
	ck_assert(wait_for(shim.base, has_ended(server) && has_ended(init)));
	process_ref_close(server);
	process_ref_close(init);
	hcs_calls();
	ck_assert_uint_eq(delete_command(), 255);
	calls = hcs_calls(); /* the container may be going yet */
	ck_assert_ptr_nonnull(strstr(calls, "OpenComputeSystem! "));
	ck_assert_ptr_nonnull(strstr(calls, "RevokeVmAccess "));
	ck_assert(!file_exists("container-notes"));
	ck_assert_uint_eq(delete_command(), 255); /* once more */
	ck_assert_str_eq(hcs_calls(), "");
	shim_end(&shim);
}
END_TEST

/* The service refuses: that is told, and the rest is done. */
START_TEST(test_delete_refused)
{
	char out[1024];
	size_t n = sizeof(out);

	begin("lcow-refused", WORDS("sleep"));
	ck_assert_msg(create(NULL), "%s", shim.message);
	shim_start(&shim, "");
	hcs_plan("HcsOpenComputeSystem 1 fail 80070005");
	shim_run(&shim, "delete", out, &n);
	ck_assert_ptr_nonnull(
		strstr(out, "open virtual machine 'lcow-refused@vm'"));
	ck_assert(file_exists("container-notes")); /* for the next one */
	hcs_plan(NULL);
	delete_command();
	ck_assert(!file_exists("container-notes"));
	ck_assert_uint_eq(shim_wait(&shim, ""), 0xC000013A);
	shim_delete(&shim, "");
	shim_end(&shim);
}
END_TEST

/* Both end after they were opened, and before anybody listens: that is what a
 * delete wants. */
START_TEST(test_delete_meanwhile)
{
	begin("lcow-meanwhile", WORDS("sleep"));
	ck_assert_msg(create(NULL), "%s", shim.message);
	shim_start(&shim, "");
	hcs_plan("HcsSetComputeSystemCallback 1 fail C0370110\n"
		 "HcsSetComputeSystemCallback 2 fail C0370110\n");
	ck_assert_uint_eq(delete_command(), 255);
	ck_assert(!file_exists("container-notes"));
	ck_assert_uint_eq(hcs_called("HcsTerminateComputeSystem"), 0);
	hcs_plan(NULL);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	shim_wait(&shim, "");
	shim_delete(&shim, "");
	ck_assert_msg(wait_for(shim.base, !*hcs_left()), "%s", hcs_left());
	shim_end(&shim);
}
END_TEST

/* Each step of the way to a container fails: nothing is left, and the next one
 * is fine. */
START_TEST(test_create_fails)
{
	static const char *const plans[] = {
		"HcsCreateComputeSystem 1 fail 80070005",
		"HcsGrantVmAccess 1 fail 80070005",
		"HcsStartComputeSystem 1 late 80070005",
		"HcsModifyComputeSystem 1 fail 80070005",
		"HcsModifyComputeSystem 4 late 80070005",
	};
	enum ttrpc_code code;
	size_t i;

	begin("lcow-fails", WORDS("exit", "0"));
	for (i = 0; i < LENGTH(plans); i++) {
		hcs_plan(plans[i]);
		ck_assert_msg(!create(&code), "%s: %u", plans[i],
			hcs_called("HcsCreateComputeSystem"));
		all_closed(i >= 1);
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
	all_closed(1);
	shim_end(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_life, test_exec_and_signals,
		test_container_fails, test_create_fails, test_delete_beside,
		test_delete_after, test_delete_refused, test_delete_meanwhile,
		NULL};

	child_main();
	return suite_run("windows shim lcow", tests);
}
