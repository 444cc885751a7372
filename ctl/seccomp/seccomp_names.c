/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/seccomp/seccomp_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS 1024
#define X32_BIT 0x40000000

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t collect(uint32_t arch, char **to)
{
	int base = arch == SCMP_ARCH_X32 ? X32_BIT : 0, i;
	size_t n = 0;

	for (i = 0; i < NUMBERS; i++) {
		to[n] = seccomp_syscall_resolve_num_arch(arch, base + i);
		n += to[n] != NULL;
	}
	return n;
}

static size_t unique(char **names, size_t n)
{
	size_t i, kept = 0;

	qsort(names, n, sizeof(*names), by_name);
	for (i = 0; i < n; i++) {
		if (kept > 0 && strcmp(names[kept - 1], names[i]) == 0)
			free(names[i]);
		else
			names[kept++] = names[i];
	}
	return kept;
}

int sec_names_list(const struct sec_profile *p, char ***ret, size_t *ret_n)
{
	char **names =
		calloc((size_t)(SEC_ARCHS + 1) * NUMBERS, sizeof(char *));
	uint32_t own = seccomp_arch_native();
	size_t n;
	unsigned i;

	if (!names)
		return -ENOMEM;
	n = collect(own, names);
	for (i = 0; i < p->n_archs; i++)
		if (p->archs[i] != own)
			n += collect(p->archs[i], names + n);
	*ret_n = unique(names, n);
	*ret = names;
	return 0;
}

size_t sec_names_find(char *const *names, size_t n, const char *name)
{
	char *const *at = bsearch(&name, names, n, sizeof(*names), by_name);

	return at ? (size_t)(at - names) : n;
}

static const struct {
	const char *name, *args;
} args[] = {
	{"accept", "fpp"},
	{"accept4", "fppx"},
	{"access", "so"},
	{"acct", "s"},
	{"add_key", "sspxd"},
	{"adjtimex", "p"},
	{"bind", "fpd"},
	{"bpf", "dpd"},
	{"chdir", "s"},
	{"chmod", "so"},
	{"chown", "sdd"},
	{"chroot", "s"},
	{"clock_settime", "dp"},
	{"clone", "xpppp"},
	{"clone3", "pd"},
	{"connect", "fpd"},
	{"creat", "so"},
	{"delete_module", "sx"},
	{"execve", "spp"},
	{"execveat", "fsppx"},
	{"faccessat", "fso"},
	{"faccessat2", "fsox"},
	{"fchdir", "f"},
	{"fchmod", "fo"},
	{"fchmodat", "fso"},
	{"fchown", "fdd"},
	{"fchownat", "fsddx"},
	{"finit_module", "fsx"},
	{"fsconfig", "fdspd"},
	{"fsmount", "fxx"},
	{"fsopen", "sx"},
	{"fspick", "fsx"},
	{"getcwd", "pd"},
	{"getpid", "-"},
	{"getppid", "-"},
	{"gettid", "-"},
	{"getuid", "-"},
	{"geteuid", "-"},
	{"getgid", "-"},
	{"getegid", "-"},
	{"getxattr", "sspd"},
	{"init_module", "pds"},
	{"io_uring_setup", "dp"},
	{"ioctl", "fxx"},
	{"ioperm", "xdd"},
	{"iopl", "d"},
	{"kcmp", "ddddd"},
	{"kexec_file_load", "ffdsx"},
	{"kexec_load", "pdpx"},
	{"keyctl", "dxxxx"},
	{"kill", "dd"},
	{"lchown", "sdd"},
	{"link", "ss"},
	{"linkat", "fsfsx"},
	{"listen", "fd"},
	{"lookup_dcookie", "xpd"},
	{"lsetxattr", "sspdx"},
	{"lstat", "sp"},
	{"mbind", "pdxpdx"},
	{"memfd_create", "sx"},
	{"mkdir", "so"},
	{"mkdirat", "fso"},
	{"mknod", "sox"},
	{"mknodat", "fsox"},
	{"mount", "sssxp"},
	{"mount_setattr", "fsxpd"},
	{"move_mount", "fsfsx"},
	{"name_to_handle_at", "fsppx"},
	{"newfstatat", "fspx"},
	{"open", "sxo"},
	{"open_by_handle_at", "fpx"},
	{"open_tree", "fsx"},
	{"openat", "fsxo"},
	{"openat2", "fspd"},
	{"perf_event_open", "pdddx"},
	{"personality", "x"},
	{"pidfd_getfd", "fdx"},
	{"pidfd_open", "dx"},
	{"pidfd_send_signal", "fdpx"},
	{"pivot_root", "ss"},
	{"prctl", "dxxxx"},
	{"process_vm_readv", "dpdpdx"},
	{"process_vm_writev", "dpdpdx"},
	{"ptrace", "ddxx"},
	{"quotactl", "xsdp"},
	{"readlink", "spd"},
	{"readlinkat", "fspd"},
	{"reboot", "xxxs"},
	{"removexattr", "ss"},
	{"rename", "ss"},
	{"renameat", "fsfs"},
	{"renameat2", "fsfsx"},
	{"request_key", "sssd"},
	{"rmdir", "s"},
	{"seccomp", "dxp"},
	{"setdomainname", "sd"},
	{"setgid", "d"},
	{"setgroups", "dp"},
	{"sethostname", "sd"},
	{"setns", "fx"},
	{"setresgid", "ddd"},
	{"setresuid", "ddd"},
	{"setsid", "-"},
	{"settimeofday", "pp"},
	{"setuid", "d"},
	{"setxattr", "sspdx"},
	{"socket", "dxd"},
	{"socketpair", "dxdp"},
	{"stat", "sp"},
	{"statfs", "sp"},
	{"statx", "fsxxp"},
	{"swapoff", "s"},
	{"swapon", "sx"},
	{"symlink", "ss"},
	{"symlinkat", "sfs"},
	{"sync", "-"},
	{"syslog", "dpd"},
	{"tgkill", "ddd"},
	{"truncate", "sd"},
	{"umask", "o"},
	{"umount", "s"},
	{"umount2", "sx"},
	{"uname", "p"},
	{"unlink", "s"},
	{"unlinkat", "fsx"},
	{"unshare", "x"},
	{"uselib", "s"},
	{"userfaultfd", "x"},
	{"ustat", "xp"},
	{"utimensat", "fspx"},
	{"utimes", "sp"},
	{"vhangup", "-"},
};

const char *sec_name_args(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(args) / sizeof(args[0]); i++)
		if (strcmp(args[i].name, name) == 0)
			return args[i].args;
	return "?";
}

static const struct {
	const char *name, *caution;
} cautions[] = {
	{"acct", "writes into files of the host's choice"},
	{"add_key", "the kernel's keyrings are shared with the host"},
	{"adjtimex", "changes the host's clock"},
	{"bpf", "loads programs into the kernel"},
	{"chroot", "with CAP_SYS_CHROOT, a way out of a folder"},
	{"clock_adjtime", "changes the host's clock"},
	{"clock_settime", "changes the host's clock"},
	{"clone", "new namespaces: much of the kernel behind them"},
	{"clone3", "new namespaces, and its flags can't be filtered"},
	{"delete_module", "unloads the host's kernel modules"},
	{"finit_module", "loads kernel modules"},
	{"fsconfig", "mounts file systems"},
	{"fsmount", "mounts file systems"},
	{"fsopen", "mounts file systems"},
	{"fspick", "changes mounts"},
	{"init_module", "loads kernel modules"},
	{"io_uring_enter", "does calls past this filter"},
	{"io_uring_register", "does calls past this filter"},
	{"io_uring_setup", "does calls past this filter"},
	{"ioperm", "reaches the host's devices"},
	{"iopl", "reaches the host's devices"},
	{"kcmp", "looks into other processes"},
	{"kexec_file_load", "replaces the host's kernel"},
	{"kexec_load", "replaces the host's kernel"},
	{"keyctl", "the kernel's keyrings are shared with the host"},
	{"mount", "with CAP_SYS_ADMIN, a way out of the container"},
	{"mount_setattr", "changes mounts, read-only ones too"},
	{"move_mount", "with CAP_SYS_ADMIN, a way out of the container"},
	{"nfsservctl", "the host's NFS server"},
	{"open_by_handle_at", "opens the host's files, whatever is mounted"},
	{"open_tree", "with CAP_SYS_ADMIN, a way out of the container"},
	{"perf_event_open", "looks into the host's kernel"},
	{"personality", "switches protections off"},
	{"pidfd_getfd", "takes other processes' files"},
	{"pivot_root", "with CAP_SYS_ADMIN, a way out of the container"},
	{"process_vm_readv", "reads other processes' memory"},
	{"process_vm_writev", "writes other processes' memory"},
	{"ptrace", "controls other processes"},
	{"quotactl", "changes the host's quotas"},
	{"reboot", "with CAP_SYS_BOOT, reboots the host"},
	{"request_key", "the kernel's keyrings are shared with the host"},
	{"setns", "enters other namespaces"},
	{"settimeofday", "changes the host's clock"},
	{"stime", "changes the host's clock"},
	{"swapoff", "changes the host's swap"},
	{"swapon", "changes the host's swap"},
	{"syslog", "reads the host's kernel log"},
	{"umount", "undoes mounts, such as those that hide files"},
	{"umount2", "undoes mounts, such as those that hide files"},
	{"unshare", "new namespaces: much of the kernel behind them"},
	{"userfaultfd", "makes races in the kernel easy to win"},
	{"uselib", "old, and unsafe"},
};

const char *sec_name_caution(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(cautions) / sizeof(cautions[0]); i++)
		if (strcmp(cautions[i].name, name) == 0)
			return cautions[i].caution;
	return NULL;
}
