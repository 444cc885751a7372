/* SPDX-License-Identifier: Apache-2.0 */
/* A Linux container's machine over a double of the host compute service. */
#include <stdio.h>
#include <stdlib.h>

#include "platform/file.h"
#include "platform/json.h"
#include "platform/windows/hcs.h"
#include "platform/windows/lcow_document.h"
#include "platform/windows/lcow_vm.h"
#include "tests/unit/util_test.h"

#define REFUSED ((HRESULT)0x80070005) /* access is denied */

static struct err e;
static struct event_base *base;

/* ---- the double ---- */

struct operation {
	const void *context;
	HCS_OPERATION_COMPLETION completion;
	HRESULT hr;
};

static struct {
	char names[256][24];
	char *documents[256]; /* UTF-8; NULL: none */
	unsigned n;
	unsigned fail_at; /* the Nth call, from 1 on; 0: none */
	bool fail_late;   /* its operation fails, not the call */
	unsigned exit_at; /* in the Nth call the machine ends instead */
	unsigned hang_at; /* the Nth call is not answered */
	struct operation *hanging[64]; /* not answered yet */
	unsigned n_hanging;
	int operations, systems, grants, running;
	HCS_EVENT_CALLBACK event;
	const void *event_context;
} dbl;

#define THE_SYSTEM ((HCS_SYSTEM)(void *)&dbl)

static char *narrow(const wchar_t *text)
{
	size_t n = 3 * wcslen(text) + 1;
	char *s = malloc(n);

	ck_assert_int_eq(win_narrow(text, s, n), 0);
	return s;
}

static void dbl_clear(void)
{
	while (dbl.n > 0)
		free(dbl.documents[--dbl.n]);
	dbl.fail_at = dbl.exit_at = dbl.hang_at = 0;
	dbl.fail_late = false;
}

/* Logs it; what it returns, with the operation's end already told. */
static HRESULT called(
	const char *name, const wchar_t *document, HCS_OPERATION handle)
{
	struct operation *op = (void *)handle;
	unsigned nth = dbl.n + 1;

	ck_assert_uint_lt(dbl.n, LENGTH(dbl.names));
	snprintf(dbl.names[dbl.n], sizeof(dbl.names[0]), "%s", name);
	dbl.documents[dbl.n++] = document ? narrow(document) : NULL;
	if (nth == dbl.fail_at && !(dbl.fail_late && op))
		return REFUSED;
	if (op && (nth == dbl.hang_at || nth == dbl.exit_at))
		dbl.hanging[dbl.n_hanging++] = op;
	if (nth == dbl.exit_at) {
		HCS_EVENT ev = {.Type = HcsEventSystemExited};

		dbl.running = 0;
		dbl.event(&ev, (void *)dbl.event_context);
	}
	if (nth == dbl.hang_at || nth == dbl.exit_at)
		return S_OK;
	if (op) {
		op->hr = nth == dbl.fail_at ? REFUSED : S_OK;
		op->completion(handle, (void *)op->context);
	}
	return S_OK;
}

static HCS_OPERATION WINAPI create_operation(
	const void *context, HCS_OPERATION_COMPLETION completion)
{
	struct operation *op = calloc(1, sizeof(*op));

	op->context = context;
	op->completion = completion;
	dbl.operations++;
	return (HCS_OPERATION)(void *)op;
}

static void WINAPI close_operation(HCS_OPERATION op)
{
	dbl.operations--;
	free(op);
}

static HRESULT WINAPI get_result(HCS_OPERATION op, PWSTR *ret)
{
	*ret = NULL;
	return ((struct operation *)(void *)op)->hr;
}

static HRESULT WINAPI create_system(PCWSTR id, PCWSTR document,
	HCS_OPERATION op, const SECURITY_DESCRIPTOR *sd, HCS_SYSTEM *ret)
{
	HRESULT hr = called("create", document, op);

	ck_assert_ptr_null(sd);
	ck_assert_int_eq(wcscmp(id, L"c1@vm"), 0);
	if (hr == S_OK) {
		*ret = THE_SYSTEM;
		dbl.systems++;
	}
	return hr;
}

static HRESULT WINAPI start_system(
	HCS_SYSTEM system, HCS_OPERATION op, PCWSTR options)
{
	(void)options;
	ck_assert(system == THE_SYSTEM);
	dbl.running = 1;
	return called("start", NULL, op);
}

static HRESULT WINAPI terminate_system(
	HCS_SYSTEM system, HCS_OPERATION op, PCWSTR options)
{
	(void)options;
	ck_assert(system == THE_SYSTEM);
	dbl.running = 0;
	return called("terminate", NULL, op);
}

static HRESULT WINAPI modify_system(
	HCS_SYSTEM system, HCS_OPERATION op, PCWSTR document, HANDLE identity)
{
	(void)identity;
	ck_assert(system == THE_SYSTEM);
	return called("modify", document, op);
}

static void WINAPI close_system(HCS_SYSTEM system)
{
	ck_assert(system == THE_SYSTEM);
	dbl.systems--;
	dbl.running = 0; /* ShouldTerminateOnLastHandleClosed */
}

static HRESULT WINAPI set_callback(HCS_SYSTEM system, HCS_EVENT_OPTIONS options,
	const void *context, HCS_EVENT_CALLBACK callback)
{
	(void)system;
	(void)options;
	dbl.event = callback;
	dbl.event_context = context;
	return S_OK;
}

static HRESULT WINAPI grant(PCWSTR vm, PCWSTR path)
{
	HRESULT hr = called("grant", path, NULL);

	ck_assert_int_eq(wcscmp(vm, L"c1@vm"), 0);
	dbl.grants += hr == S_OK;
	return hr;
}

static HRESULT WINAPI revoke(PCWSTR vm, PCWSTR path)
{
	ck_assert_int_eq(wcscmp(vm, L"c1@vm"), 0);
	called("revoke", path, NULL);
	dbl.grants--;
	return S_OK;
}

static const struct hcs_api api = {
	.HcsCreateOperation = create_operation,
	.HcsCloseOperation = close_operation,
	.HcsGetOperationResult = get_result,
	.HcsCreateComputeSystem = create_system,
	.HcsStartComputeSystem = start_system,
	.HcsTerminateComputeSystem = terminate_system,
	.HcsModifyComputeSystem = modify_system,
	.HcsSetComputeSystemCallback = set_callback,
	.HcsCloseComputeSystem = close_system,
	.HcsGrantVmAccess = grant,
	.HcsRevokeVmAccess = revoke,
};

/* ---- what is made ---- */

static struct guest guest;

static char *in_test(const char *name)
{
	char *path = strdup(here(name)), *p;

	for (p = path; *p; p++)
		if (*p == '/')
			*p = '\\';
	return path;
}

static char *layer(const char *name, const char *file)
{
	char below[64], *folder = in_test(name);

	ck_assert_int_eq(file_make_folder(folder), 0);
	snprintf(below, sizeof(below), "%s/%s", name, file);
	put_text(here(below), "");
	return folder;
}

static const char spec_text[] =
	"{\"ociVersion\":\"1.1.0\",\"process\":{\"args\":[\"sh\",\"-c\","
	"\"a \\\"b\\\"\"],\"cwd\":\"/\",\"user\":{\"uid\":0}},"
	"\"root\":{\"path\":\"rootfs\",\"readonly\":true},"
	"\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\","
	"\"source\":\"proc\"},{\"destination\":\"/d\",\"type\":\"bind\","
	"\"source\":\"C:\\\\d\",\"options\":[\"ro\"]},"
	"{\"destination\":\"/"
	"f\",\"type\":\"bind\",\"source\":\"C:\\\\e\\\\f\"}],"
	"\"hooks\":{\"prestart\":[{\"path\":\"/x\"}]},"
	"\"Windows\":{\"hyperv\":{}},\"linux\":{\"cgroupsPath\":\"/x\","
	"\"namespaces\":[{\"type\":\"pid\"}],\"resources\":{\"devices\":[{}],"
	"\"pids\":{\"limit\":5},\"memory\":{\"limit\":1048576},"
	"\"cpu\":{\"period\":0,\"quota\":0,\"shares\":2}},"
	"\"seccomp\":{\"defaultAction\":\"x\"}},"
	"\"annotations\":{\"a.b\":\"c\"}}";

/* Two layers, a scratch, a shared folder and a shared file. */
static void guest_make(void)
{
	memset(&guest, 0, sizeof(guest));
	guest.boot_files = layer("boot", "kernel");
	put_text(here("boot/initrd.img"), "");
	guest.layers = calloc(2, sizeof(*guest.layers));
	guest.layers[guest.n_layers++] = layer("top", "layer.vhd");
	guest.layers[guest.n_layers++] = layer("base", "layer.vhd");
	guest.scratch = layer("scratch", "sandbox.vhdx");
	guest.shares = calloc(2, sizeof(*guest.shares));
	guest.n_shares = 2;
	guest.shares[0] = (struct guest_share){
		.mount = 1, .folder = strdup("C:\\d"), .read_only = true};
	guest.shares[1] = (struct guest_share){
		.mount = 2, .folder = strdup("C:\\e\\"), .file = strdup("f")};
	guest.read_only = true;
	guest.processors = 1;
	guest.memory_mib = 511;
	guest.spec = strdup(spec_text);
	guest.n_spec = strlen(spec_text);
}

/* ---- documents ---- */

static char flat_text[2][32768];

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	char *to = arg;
	size_t len = strlen(to);

	snprintf(to + len, sizeof(flat_text[0]) - len, "%s=%.*s\n", path,
		(int)n, type == JSON_OBJECT ? "" : text);
}

/* In the order in which they come, which is always the same. */
static void ck_same(const char *json, const char *expected)
{
	const char *const texts[] = {json, expected};
	size_t i;

	for (i = 0; i < 2; i++) {
		flat_text[i][0] = '\0';
		ck_assert_msg(json_scan(texts[i], strlen(texts[i]), on_value,
				      flat_text[i], &e) == 0,
			"%s: %s", e.msg, texts[i]);
	}
	ck_assert_str_eq(flat_text[0], flat_text[1]);
}

static void ck_document(wchar_t *document, const char *expected)
{
	char *json = narrow(document);

	ck_same(json, expected);
	free(json);
	free(document);
}

/* The test's folder for '@', and as JSON has it. */
static const char *with_folder(const char *text)
{
	static char buf[16384];
	char *to = buf, *folder = in_test("");
	const char *p;

	folder[strlen(folder) - 1] = '\0';
	for (; *text; text++) {
		if (*text != '@') {
			*to++ = *text;
			continue;
		}
		for (p = folder; *p; p++) {
			if (*p == '\\')
				*to++ = '\\';
			*to++ = *p;
		}
	}
	*to = '\0';
	free(folder);
	return buf;
}

#define KERNEL_ARGS                                                   \
	" initcall_blacklist=virtio_vsock_init 8250_core.nr_uarts=0 " \
	"panic=-1 quiet%s pci=off nr_cpus=1 brd.rd_nr=0 pmtmr=0 -- "  \
	"/bin/gcs -v4 -log-format json -loglevel info"

static void ck_machine(
	const char *chipset, const char *topology, const char *disk)
{
	static char expected[8192];
	wchar_t *document;

	snprintf(expected, sizeof(expected),
		"{\"Owner\":\"wisp\",\"SchemaVersion\":{\"Major\":2,"
		"\"Minor\":1},\"ShouldTerminateOnLastHandleClosed\":true,"
		"\"VirtualMachine\":{\"StopOnReset\":true,\"Chipset\":%s,"
		"\"ComputeTopology\":%s,\"Devices\":{\"Scsi\":{"
		"\"df6d0690-79e5-55b6-a5ec-c1e2f77f580a\":{%s},"
		"\"0110f83b-de10-5172-a266-78bca56bf50a\":{},"
		"\"b5d2d8d4-3a75-51bf-945b-3444dc6b8579\":{},"
		"\"305891a9-b251-5dfe-91a2-c25d9212275b\":{}},"
		"\"HvSocket\":{\"HvSocketConfig\":{"
		"\"DefaultBindSecurityDescriptor\":"
		"\"D:P(A;;FA;;;SY)(A;;FA;;;BA)\"}},\"Plan9\":{}},"
		"\"GuestConnection\":{\"UseVsock\":true,"
		"\"UseConnectedSuspend\":true}}}",
		chipset, topology, disk);
	ck_assert_msg(
		lcow_vm_document(&guest, &document, &e) == 0, "%s", e.msg);
	ck_document(document, with_folder(expected));
}

#define SMALL                                                      \
	"{\"Memory\":{\"SizeInMB\":512,\"AllowOvercommit\":true}," \
	"\"Processor\":{\"Count\":1}}"

START_TEST(test_machine)
{
	char chipset[2048];
	wchar_t *document;

	guest_make();
	snprintf(chipset, sizeof(chipset),
		"{\"LinuxKernelDirect\":{\"KernelFilePath\":\"@\\\\boot"
		"\\\\kernel\",\"InitRdPath\":\"@\\\\boot\\\\initrd.img\","
		"\"KernelCmdLine\":\"" KERNEL_ARGS "\"}}",
		"");
	ck_machine(chipset, SMALL, "");
	/* an uncompressed kernel, a disk to boot from, and all settings */
	put_text(here("boot/vmlinux"), "");
	put_text(here("boot/rootfs.vhd"), "");
	guest.kernel_options = strdup("a=b");
	guest.physical_memory = guest.deferred_commit = true;
	guest.memory_mib = 0;
	guest.processor_limit = 50000;
	guest.processor_weight = 77;
	snprintf(chipset, sizeof(chipset),
		"{\"LinuxKernelDirect\":{\"KernelFilePath\":\"@\\\\boot"
		"\\\\vmlinux\",\"KernelCmdLine\":\"root=/dev/sda ro rootwait "
		"init=/init" KERNEL_ARGS "\"}}",
		" a=b");
	ck_machine(chipset,
		"{\"Memory\":{\"SizeInMB\":1024,\"EnableDeferredCommit\":true},"
		"\"Processor\":{\"Count\":1,\"Limit\":50000,\"Weight\":77}}",
		"\"Attachments\":{\"0\":{\"Type\":\"VirtualDisk\","
		"\"Path\":\"@\\\\boot\\\\rootfs.vhd\",\"ReadOnly\":true}}");
	/* by UEFI, with an initrd although there is a disk */
	guest.by_uefi = guest.initrd = true;
	free(guest.kernel_options);
	guest.kernel_options = NULL;
	snprintf(chipset, sizeof(chipset),
		"{\"Uefi\":{\"BootThis\":{\"DevicePath\":\"\\\\kernel\","
		"\"DeviceType\":\"VmbFs\",\"VmbFsRootPath\":\"@\\\\boot\","
		"\"OptionalData\":\"initrd=/initrd.img" KERNEL_ARGS "\"}}}",
		"");
	ck_machine(chipset,
		"{\"Memory\":{\"SizeInMB\":1024,\"EnableDeferredCommit\":true},"
		"\"Processor\":{\"Count\":1,\"Limit\":50000,\"Weight\":77}}",
		"");
	/* what can't be */
	guest.processor_weight = 10001;
	ck_assert_int_eq(lcow_vm_document(&guest, &document, &e), -EINVAL);
	guest.processor_weight = 0;
	guest.memory_mib = 1ull << 40;
	ck_assert_int_eq(lcow_vm_document(&guest, &document, &e), -EINVAL);
	guest.memory_mib = 0;
	file_remove(here("boot/initrd.img"));
	ck_assert_int_eq(lcow_vm_document(&guest, &document, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "initrd.img' of the virtual"));
	file_remove(here("boot/kernel"));
	ck_assert_int_eq(lcow_vm_document(&guest, &document, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "kernel"));
	free(guest.boot_files);
	guest.boot_files = strdup("boot");
	ck_assert_int_eq(lcow_vm_document(&guest, &document, &e), -EINVAL);
	guest_clear(&guest);
}
END_TEST

static void ck_container(const char *spec)
{
	static char expected[8192];
	wchar_t *document;

	snprintf(expected, sizeof(expected),
		"{\"Owner\":\"wisp\",\"SchemaVersion\":{\"Major\":2,"
		"\"Minor\":1},\"ShouldTerminateOnLastHandleClosed\":true,"
		"\"HostingSystemId\":\"c1@vm\",\"HostedSystem\":{"
		"\"SchemaVersion\":{\"Major\":2,\"Minor\":1},"
		"\"OciBundlePath\":\"/run/gcs/c/c1\",\"OciSpecification\":%s,"
		"\"ScratchDirPath\":\"/run/gcs/c/c1/scratch/c1\"}}",
		spec);
	ck_assert_msg(lcow_container_document(&guest, "c1", &document, &e) == 0,
		"%s", e.msg);
	ck_document(document, expected);
}

static int container_of(const char *spec)
{
	wchar_t *document;
	int r;

	free(guest.spec);
	guest.spec = strdup(spec);
	guest.n_spec = strlen(spec);
	r = lcow_container_document(&guest, "c1", &document, &e);
	if (r == 0)
		free(document);
	return r;
}

#define SPEC(seccomp, readonly)                                           \
	"{\"ociVersion\":\"1.1.0\",\"process\":{\"args\":[\"sh\",\"-c\"," \
	"\"a \\\"b\\\"\"],\"cwd\":\"/\",\"user\":{\"uid\":0}},"           \
	"\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\","       \
	"\"source\":\"proc\"},{\"destination\":\"/d\",\"type\":\"bind\"," \
	"\"source\":\"/run/gcs/c/c1/mounts/m1\",\"options\":[\"ro\"]},"   \
	"{\"destination\":\"/f\",\"type\":\"bind\","                      \
	"\"source\":\"/run/gcs/c/c1/mounts/m2/f\"}],"                     \
	"\"linux\":{\"namespaces\":[{\"type\":\"pid\"}],\"resources\":{"  \
	"\"memory\":{\"limit\":1048576},\"cpu\":{\"period\":100000,"      \
	"\"quota\":-1,\"shares\":2}}" seccomp "},"                        \
	"\"annotations\":{\"a.b\":\"c\"},\"root\":{"                      \
	"\"path\":\"/run/gcs/c/c1/rootfs\"" readonly "}}"

START_TEST(test_container)
{
	char deep[256] = "{\"a\":";

	guest_make();
	ck_container(SPEC(",\"seccomp\":{\"defaultAction\":\"x\"}",
		",\"readonly\":true"));
	guest.privileged = true;
	guest.read_only = false;
	ck_container(SPEC("", ""));
	/* hostile ones */
	ck_assert_int_eq(container_of("[]"), -EINVAL);
	ck_assert_int_eq(container_of("{"), -EINVAL);
	ck_assert_int_eq(container_of("{\"a\":\"\\u0000\"}"), -EINVAL);
	memset(deep + 5, '[', 60);
	memset(deep + 65, ']', 60);
	strcpy(deep + 125, "}");
	ck_assert_int_eq(container_of(deep), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "too deep"));
	ck_assert_int_eq(container_of("{}"), 0);
	guest_clear(&guest);
}
END_TEST

START_TEST(test_process)
{
	const bool all[3] = {true, true, true}, out[3] = {false, true, false};
	wchar_t *document;

	ck_assert_int_eq(lcow_process_document(all, NULL, 0, &document, &e), 0);
	ck_document(document,
		"{\"CreateStdInPipe\":true,\"CreateStdOutPipe\":true,"
		"\"CreateStdErrPipe\":true}");
	ck_assert_int_eq(lcow_process_document(
				 out, "{\"args\":[\"x\"]}", 14, &document, &e),
		0);
	ck_document(document,
		"{\"CreateStdOutPipe\":true,\"OciProcess\":{\"args\":[\"x\"]}"
		"}");
	ck_assert_int_eq(
		lcow_process_document(out, "[]", 2, &document, &e), -EINVAL);
	ck_assert_int_eq(
		lcow_process_document(out, "{}}", 3, &document, &e), -EINVAL);
	ck_assert_int_eq(lcow_signal_document(15, &document, &e), 0);
	ck_document(document, "{\"Signal\":15}");
	ck_assert_int_eq(lcow_signal_document(0, &document, &e), -EINVAL);
	ck_assert_int_eq(lcow_signal_document(65, &document, &e), -EINVAL);
}
END_TEST

/* ---- the flow ---- */

static struct {
	bool came;
	int r;
	struct err e;
} answer;

static void on_done(int r, const struct err *err, void *arg)
{
	(void)arg;
	ck_assert(!answer.came);
	answer.came = true;
	answer.r = r;
	answer.e = *err;
}

static void begin(void)
{
	hcs_use(&api);
	guest_make();
	base = event_base_new();
	memset(&dbl, 0, sizeof(dbl));
}

static void finish(void)
{
	dbl_clear();
	/* the service answers when nobody waits any more */
	while (dbl.n_hanging > 0) {
		struct operation *op = dbl.hanging[--dbl.n_hanging];

		op->hr = REFUSED;
		op->completion((HCS_OPERATION)(void *)op, (void *)op->context);
	}
	loop_settle(base);
	ck_assert_uint_eq(hcs_calls_open(), 0);
	ck_assert_int_eq(dbl.operations, 0);
	event_base_free(base);
	guest_clear(&guest);
	hcs_use(NULL);
}

static int up(struct lcow_vm **vm)
{
	int r;

	answer.came = false;
	ck_assert_msg(
		lcow_vm_new(base, "c1", &guest, vm, &e) == 0, "%s", e.msg);
	r = lcow_vm_up(*vm, on_done, NULL, &e);
	if (r < 0)
		return r;
	ck_assert(wait_for(base, answer.came));
	e = answer.e;
	return answer.r;
}

static int down(struct lcow_vm *vm)
{
	answer.came = false;
	ck_assert_int_eq(lcow_vm_down(vm, on_done, NULL, &e), 0);
	ck_assert(wait_for(base, answer.came));
	return answer.r;
}

static void ck_nothing_left(void)
{
	ck_assert_int_eq(dbl.systems, 0);
	ck_assert_int_eq(dbl.grants, 0);
	ck_assert_int_eq(dbl.running, 0);
}

#define DISK(n)                        \
	"VirtualMachine/Devices/Scsi/" \
	"df6d0690-79e5-55b6-a5ec-c1e2f77f580a/Attachments/" #n
#define GUEST(verb, type, settings)                 \
	"\"GuestRequest\":{\"RequestType\":\"" verb \
	"\",\"ResourceType\":\"" type "\",\"Settings\":" settings "}"
#define ATTACH(n, path, more)                                                \
	"{\"ResourcePath\":\"" DISK(                                         \
		n) "\",\"RequestType\":\"Add\","                             \
		   "\"Settings\":{\"Type\":\"VirtualDisk\",\"Path\":\"" path \
		   "\"" more "}}"
#define DETACH(n) \
	"{\"ResourcePath\":\"" DISK(n) "\",\"RequestType\":\"Remove\"}"
#define UNPLUG(n)                         \
	"{" GUEST("Remove", "SCSIDevice", \
		"{\"Controller\":0,\"Lun\":" #n "}") "}"
#define MOUNT(verb, n, path, more)                        \
	"{" GUEST(verb, "MappedVirtualDisk",              \
		"{\"MountPath\":\"" path "\",\"Lun\":" #n \
		",\"Controller\":0" more "}") "}"
#define SHARE "\"ResourcePath\":\"VirtualMachine/Devices/Plan9/Shares\","

static const char *const expected[][2] = {
	{"create", NULL}, /* test_machine() */
	{"grant", NULL},
	{"start", NULL},
	{"modify", ATTACH(0, "@\\\\top\\\\layer.vhd", ",\"ReadOnly\":true")},
	{"modify", MOUNT("Add", 0, "/run/mounts/scsi/m0",
			   ",\"ReadOnly\":true,\"Options\":[\"ro\"]")},
	{"modify", ATTACH(1, "@\\\\base\\\\layer.vhd", ",\"ReadOnly\":true")},
	{"modify", MOUNT("Add", 1, "/run/mounts/scsi/m1",
			   ",\"ReadOnly\":true,\"Options\":[\"ro\"]")},
	{"modify", ATTACH(2, "@\\\\scratch\\\\sandbox.vhdx", "")},
	{"modify", MOUNT("Add", 2, "/run/gcs/c/c1",
			   ",\"EnsureFilesystem\":true,"
			   "\"Filesystem\":\"ext4\"")},
	{"modify", "{" GUEST("Add", "CombinedLayers",
			   "{\"ContainerID\":\"c1\","
			   "\"ContainerRootPath\":"
			   "\"/run/gcs/c/c1/rootfs\",\"Layers\":["
			   "{\"Path\":\"/run/mounts/scsi/m0\"},"
			   "{\"Path\":\"/run/mounts/scsi/m1\"}],"
			   "\"ScratchPath\":\"/run/gcs/c/c1/scratch/"
			   "c1\"}") "}"},
	{"modify", "{" SHARE "\"RequestType\":\"Add\",\"Settings\":{"
		   "\"Name\":\"0\",\"AccessName\":\"0\",\"Path\":\"C:"
		   "\\\\d\","
		   "\"Port\":564,\"Flags\":5}," GUEST("Add", "MappedDirectory",
			   "{\"MountPath\":\"/run/gcs/c/c1/mounts/m1\","
			   "\"Port\":564,\"ShareName\":\"0\","
			   "\"ReadOnly\":true}") "}"},
	{"modify", "{" SHARE "\"RequestType\":\"Add\",\"Settings\":{"
		   "\"Name\":\"1\",\"AccessName\":\"1\","
		   "\"Path\":\"C:\\\\e\\\\\",\"Port\":564,\"Flags\":132,"
		   "\"AllowedFiles\":[\"f\"]}," GUEST("Add", "MappedDirectory",
			   "{\"MountPath\":\"/run/gcs/c/c1/mounts/m2\","
			   "\"Port\":564,\"ShareName\":\"1\"}") "}"},
#define N_UP 12
	{"modify", "{" SHARE "\"RequestType\":\"Remove\",\"Settings\":{"
		   "\"Name\":\"1\",\"AccessName\":\"1\",\"Port\":564}"
		   "," GUEST("Remove", "MappedDirectory",
			   "{\"MountPath\":\"/run/gcs/c/c1/mounts/m2\","
			   "\"Port\":564,\"ShareName\":\"1\"}") "}"},
	{"modify", "{" SHARE "\"RequestType\":\"Remove\",\"Settings\":{"
		   "\"Name\":\"0\",\"AccessName\":\"0\",\"Port\":564}"
		   "," GUEST("Remove", "MappedDirectory",
			   "{\"MountPath\":\"/run/gcs/c/c1/mounts/m1\","
			   "\"Port\":564,\"ShareName\":\"0\"}") "}"},
	{"modify", "{" GUEST("Remove", "CombinedLayers",
			   "{\"ContainerRootPath\":\"/run/gcs/c/c1/"
			   "rootfs\"}") "}"},
	{"modify", MOUNT("Remove", 2, "/run/gcs/c/c1", "")},
	{"modify", UNPLUG(2)},
	{"modify", DETACH(2)},
	{"modify", MOUNT("Remove", 1, "/run/mounts/scsi/m1",
			   ",\"ReadOnly\":true")},
	{"modify", UNPLUG(1)},
	{"modify", DETACH(1)},
	{"modify", MOUNT("Remove", 0, "/run/mounts/scsi/m0",
			   ",\"ReadOnly\":true")},
	{"modify", UNPLUG(0)},
	{"modify", DETACH(0)},
	{"terminate", NULL},
	{"revoke", NULL},
};

START_TEST(test_order)
{
	struct lcow_vm *vm;
	size_t i;

	begin();
	ck_assert_msg(up(&vm) == 0, "%s", e.msg);
	ck_assert_uint_eq(dbl.n, N_UP);
	ck_assert_int_eq(down(vm), 0);
	ck_assert_uint_eq(dbl.n, LENGTH(expected));
	for (i = 0; i < LENGTH(expected); i++) {
		ck_assert_str_eq(dbl.names[i], expected[i][0]);
		if (expected[i][1])
			ck_same(dbl.documents[i], with_folder(expected[i][1]));
	}
	ck_assert_ptr_nonnull(
		strstr(dbl.documents[1], "\\scratch\\sandbox.vhdx"));
	ck_nothing_left();
	ck_assert_int_eq(lcow_vm_down(vm, on_done, NULL, &e), -ESRCH);
	lcow_vm_free(vm);
	finish();
}
END_TEST

/* Each call of the way up fails, at once and later: all is taken back, in
 * reverse, and the first failure is told. */
START_TEST(test_each_fails)
{
	struct lcow_vm *vm;
	unsigned nth, late;
	int r;

	begin();
	for (late = 0; late < 2; late++) {
		for (nth = 1; nth <= N_UP; nth++) {
			dbl.fail_at = nth;
			dbl.fail_late = late;
			r = up(&vm);
			ck_assert_msg(
				r == -EACCES, "call %u: %d %s", nth, r, e.msg);
			ck_nothing_left();
			ck_assert_uint_eq(vm ? lcow_vm_down(vm, on_done, NULL,
						       &e) == -ESRCH
					     : 1,
				1);
			if (nth >= 4) {
				ck_assert_str_eq(
					dbl.names[dbl.n - 1], "revoke");
				ck_assert_str_eq(
					dbl.names[dbl.n - 2], "terminate");
			}
			if (nth == 6) /* the first layer alone is undone */
				ck_same(dbl.documents[dbl.n - 3],
					with_folder(DETACH(0)));
			lcow_vm_free(vm);
			dbl_clear();
		}
	}
	finish();
}
END_TEST

/* Each call of the way down fails: what is left goes with the machine. */
START_TEST(test_down_fails)
{
	struct lcow_vm *vm;
	unsigned nth, late;
	int r;

	begin();
	for (late = 0; late < 2; late++) {
		for (nth = N_UP + 1; nth < LENGTH(expected); nth++) {
			dbl.fail_at = nth;
			dbl.fail_late = late;
			ck_assert_int_eq(up(&vm), 0);
			r = down(vm);
			ck_assert_int_eq(
				r, nth == LENGTH(expected) - 1 ? -EACCES : 0);
			ck_nothing_left();
			ck_assert_str_eq(dbl.names[dbl.n - 2], "terminate");
			lcow_vm_free(vm);
			dbl_clear();
		}
	}
	finish();
}
END_TEST

/* The machine ends by itself, on its way up and down. */
START_TEST(test_machine_ends)
{
	struct lcow_vm *vm;
	unsigned nth;

	begin();
	for (nth = 3; nth < LENGTH(expected); nth++) {
		dbl.exit_at = nth;
		if (nth <= N_UP) {
			ck_assert_int_eq(up(&vm), -EREMOTEIO);
			ck_assert_ptr_nonnull(strstr(e.msg, "has ended"));
		} else {
			ck_assert_int_eq(up(&vm), 0);
			ck_assert_int_eq(down(vm), 0);
		}
		ck_assert_str_eq(dbl.names[dbl.n - 1], "revoke");
		ck_assert_uint_eq(dbl.n, nth + 1);
		ck_nothing_left();
		lcow_vm_free(vm);
		dbl_clear();
	}
	finish();
}
END_TEST

/* It is given up in the middle of each call. */
START_TEST(test_free)
{
	struct lcow_vm *vm;
	unsigned nth;

	begin();
	ck_assert_int_eq(lcow_vm_new(base, "c1", &guest, &vm, &e), 0);
	lcow_vm_free(vm);
	for (nth = 1; nth <= N_UP; nth++) {
		if (nth == 2) /* it has no operation */
			continue;
		dbl.hang_at = nth;
		answer.came = false;
		ck_assert_int_eq(lcow_vm_new(base, "c1", &guest, &vm, &e), 0);
		ck_assert_int_eq(lcow_vm_up(vm, on_done, NULL, &e), 0);
		ck_assert(wait_for(base, dbl.n == nth));
		lcow_vm_free(vm);
		ck_assert(!answer.came);
		ck_nothing_left();
		dbl_clear();
	}
	lcow_vm_free(NULL);
	finish();
}
END_TEST

/* What is not there is told before anything is begun. */
START_TEST(test_missing)
{
	struct lcow_vm *vm;
	char id[200];

	begin();
	file_remove(here("base/layer.vhd"));
	ck_assert_int_eq(lcow_vm_new(base, "c1", &guest, &vm, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "layer.vhd' is not there"));
	put_text(here("base/layer.vhd"), "");
	file_remove(here("scratch/sandbox.vhdx"));
	ck_assert_int_eq(lcow_vm_new(base, "c1", &guest, &vm, &e), -EINVAL);
	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	ck_assert_int_eq(lcow_vm_new(base, id, &guest, &vm, &e), -EINVAL);
	ck_assert_uint_eq(dbl.n, 0);
	finish();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_machine, test_container,
		test_process, test_order, test_each_fails, test_down_fails,
		test_machine_ends, test_free, test_missing, NULL};

	return suite_run("windows lcow", tests);
}
