/* SPDX-License-Identifier: Apache-2.0 */
/* The document of the machine itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/file.h"
#include "platform/windows/hcs_document.h"
#include "platform/windows/lcow_document.h"
#include "platform/windows/lcow_text.h"

#define MEMORY_MIB 1024
#define PROCESSORS 2
#define ARGS_MAX 4096

const char *const lcow_controllers[LCOW_CONTROLLERS] = {
	"df6d0690-79e5-55b6-a5ec-c1e2f77f580a",
	"0110f83b-de10-5172-a266-78bca56bf50a",
	"b5d2d8d4-3a75-51bf-945b-3444dc6b8579",
	"305891a9-b251-5dfe-91a2-c25d9212275b",
};

void lcow_put_version(struct json_out *o)
{
	json_open(o, "SchemaVersion", '{');
	json_number(o, "Major", 2);
	json_number(o, "Minor", 1);
	json_close(o);
}

void lcow_vm_id(const char *id, char ret[LCOW_ID_MAX])
{
	snprintf(ret, LCOW_ID_MAX, "%s@vm", id);
}

/* ---- boot files ---- */

static int join(char *to, const char *folder, const char *name, struct err *e)
{
	return (size_t)snprintf(to, LCOW_PATH_MAX, "%s\\%s", folder, name) >=
			       LCOW_PATH_MAX
		       ? err_set(e, -EINVAL, "boot files: '%s' is too long",
				 folder)
		       : 0;
}

static int find(char *to, const char *folder, const char *name, struct err *e)
{
	int r = join(to, folder, name, e);

	if (r < 0)
		return r;
	return file_check(to) < 0 ? err_set(e, -EINVAL,
					    "boot file '%s' of the virtual "
					    "machine is not there",
					    to)
				  : 0;
}

static int boot_folder(
	const struct guest *g, char ret[LCOW_PATH_MAX], struct err *e)
{
	char programs[1024];

	if (g->boot_files && !file_is_absolute(g->boot_files))
		return err_set(e, -EINVAL,
			"boot files: '%s' is no absolute path", g->boot_files);
	if (g->boot_files && strlen(g->boot_files) >= LCOW_PATH_MAX - 32)
		return err_set(e, -EINVAL, "boot files: the path is too long");
	if (g->boot_files) {
		strcpy(ret, g->boot_files);
		return 0;
	}
	if (!win_env(L"ProgramFiles", programs, sizeof(programs)))
		return err_set(e, -EINVAL,
			"boot files: neither boot_files_root_path nor "
			"ProgramFiles say where they are");
	return join(ret, programs, "Linux Containers", e);
}

int lcow_find_boot(const struct guest *g, struct lcow_boot *ret, struct err *e)
{
	int r = boot_folder(g, ret->folder, e);

	if (r < 0)
		return r;
	ret->kernel_name = "vmlinux"; /* for direct boot only */
	r = g->by_uefi ? -ENOENT
		       : find(ret->kernel, ret->folder, ret->kernel_name, NULL);
	if (r < 0) {
		ret->kernel_name = "kernel";
		r = find(ret->kernel, ret->folder, ret->kernel_name, e);
	}
	if (r < 0)
		return r;
	ret->root_name = "rootfs.vhd";
	ret->vhd = !g->initrd &&
		   find(ret->root, ret->folder, ret->root_name, NULL) == 0;
	if (ret->vhd)
		return 0;
	ret->root_name = "initrd.img";
	return find(ret->root, ret->folder, ret->root_name, e);
}

/* ---- the document ---- */

static uint32_t processors(const struct guest *g)
{
	uint32_t n = g->processors ? g->processors : PROCESSORS;
	SYSTEM_INFO info;

	GetSystemInfo(&info);
	if (info.dwNumberOfProcessors && n > info.dwNumberOfProcessors)
		n = info.dwNumberOfProcessors;
	return n;
}

/* Entropy and logs, for which hcsshim listens on sockets, are left out: the
 * guest's init goes without. */
static int kernel_args(const struct guest *g, const struct lcow_boot *b,
	char args[ARGS_MAX], struct err *e)
{
	const char *more = g->kernel_options ? g->kernel_options : "";
	char root[64] = "";
	int n;

	if (b->vhd)
		snprintf(root, sizeof(root),
			"root=/dev/sda ro rootwait init=/init");
	else if (g->by_uefi)
		snprintf(root, sizeof(root), "initrd=/%s", b->root_name);
	n = snprintf(args, ARGS_MAX,
		"%s initcall_blacklist=virtio_vsock_init "
		"8250_core.nr_uarts=0 panic=-1 quiet%s%s pci=off nr_cpus=%u "
		"brd.rd_nr=0 pmtmr=0 -- /bin/gcs -v4 -log-format json "
		"-loglevel info",
		root, *more ? " " : "", more, processors(g));
	return n < ARGS_MAX ? 0
			    : err_set(e, -EINVAL,
				      "the kernel's options are too long");
}

static int put_chipset(struct json_out *o, const struct guest *g,
	const struct lcow_boot *b, struct err *e)
{
	char args[ARGS_MAX], device[64];
	int r = kernel_args(g, b, args, e);

	if (r < 0)
		return r;
	json_open(o, "Chipset", '{');
	if (g->by_uefi) {
		snprintf(device, sizeof(device), "\\%s", b->kernel_name);
		json_open(o, "Uefi", '{');
		json_open(o, "BootThis", '{');
		json_text(o, "DevicePath", device);
		json_text(o, "DeviceType", "VmbFs");
		json_text(o, "VmbFsRootPath", b->folder);
		json_text(o, "OptionalData", args);
		json_close(o);
		json_close(o);
	} else {
		json_open(o, "LinuxKernelDirect", '{');
		json_text(o, "KernelFilePath", b->kernel);
		if (!b->vhd)
			json_text(o, "InitRdPath", b->root);
		json_text(o, "KernelCmdLine", args);
		json_close(o);
	}
	json_close(o);
	return 0;
}

static void put_topology(struct json_out *o, const struct guest *g)
{
	uint64_t mib = g->memory_mib ? g->memory_mib : MEMORY_MIB;

	json_open(o, "ComputeTopology", '{');
	json_open(o, "Memory", '{');
	json_number(o, "SizeInMB", (int64_t)(mib + mib % 2));
	if (!g->physical_memory)
		json_bool(o, "AllowOvercommit", true);
	if (g->deferred_commit)
		json_bool(o, "EnableDeferredCommit", true);
	json_close(o);
	json_open(o, "Processor", '{');
	json_number(o, "Count", processors(g));
	if (g->processor_limit)
		json_number(o, "Limit", g->processor_limit);
	if (g->processor_weight)
		json_number(o, "Weight", g->processor_weight);
	json_close(o);
	json_close(o);
}

static void put_disks(struct json_out *o, const struct lcow_boot *b)
{
	size_t i;

	json_open(o, "Scsi", '{');
	for (i = 0; i < LCOW_CONTROLLERS; i++) {
		json_open(o, lcow_controllers[i], '{');
		if (i == 0 && b->vhd) {
			json_open(o, "Attachments", '{');
			json_open(o, "0", '{');
			json_text(o, "Type", "VirtualDisk");
			json_text(o, "Path", b->root);
			json_bool(o, "ReadOnly", true);
			json_close(o);
			json_close(o);
		}
		json_close(o);
	}
	json_close(o);
}

static int put_machine(struct json_out *o, const struct guest *g,
	const struct lcow_boot *b, struct err *e)
{
	int r;

	json_open(o, "VirtualMachine", '{');
	json_bool(o, "StopOnReset", true);
	r = put_chipset(o, g, b, e);
	if (r < 0)
		return r;
	put_topology(o, g);
	json_open(o, "Devices", '{');
	put_disks(o, b);
	json_open(o, "HvSocket", '{');
	json_open(o, "HvSocketConfig", '{');
	json_text(o, "DefaultBindSecurityDescriptor",
		"D:P(A;;FA;;;SY)(A;;FA;;;BA)");
	json_close(o);
	json_close(o);
	json_open(o, "Plan9", '{');
	json_close(o);
	json_close(o);
	json_open(o, "GuestConnection", '{');
	json_bool(o, "UseVsock", true);
	json_bool(o, "UseConnectedSuspend", true);
	json_close(o);
	json_close(o);
	return 0;
}

/* As much as a machine of the second generation may have: 12 TiB. */
#define MEMORY_MIB_MAX (12u << 20)

int lcow_vm_document(const struct guest *g, wchar_t **ret, struct err *e)
{
	struct json_out o = {0};
	struct lcow_boot *b;
	int r;

	if (g->memory_mib > MEMORY_MIB_MAX)
		return err_set(e, -EINVAL,
			"%llu MiB of memory are too much for a virtual machine",
			(unsigned long long)g->memory_mib);
	if (g->processor_limit > 100000 || g->processor_weight > 10000)
		return err_set(e, -EINVAL,
			"the processors' limit is 100000 at most, their weight "
			"10000");
	b = malloc(sizeof(*b));
	if (!b)
		return err_set(e, -ENOMEM, "no memory for a virtual machine");
	r = lcow_find_boot(g, b, e);
	json_open(&o, NULL, '{');
	json_text(&o, "Owner", "wisp");
	lcow_put_version(&o);
	json_bool(&o, "ShouldTerminateOnLastHandleClosed", true);
	if (r == 0)
		r = put_machine(&o, g, b, e);
	free(b);
	if (r < 0) {
		free(o.data);
		return r;
	}
	json_close(&o);
	return hcs_document_of(&o, ret, e);
}
