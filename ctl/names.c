/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/names.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define LENGTH_MAX 48 /* no name is longer */

const char *const names_capabilities[] = {"CAP_CHOWN", "CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
	"CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
	"CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE",
	"CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
	"CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
	"CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
	"CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP",
	"CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
	"CAP_CHECKPOINT_RESTORE", NULL};

const char *const names_rlimits[] = {"RLIMIT_CPU", "RLIMIT_FSIZE",
	"RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS",
	"RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS",
	"RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE",
	"RLIMIT_RTPRIO", "RLIMIT_RTTIME", NULL};

const char *const names_namespaces[] = {"pid", "network", "mount", "ipc", "uts",
	"user", "cgroup", "time", NULL};

const char *const names_propagation[] = {"private", "shared", "slave",
	"unbindable", "rprivate", "rshared", "rslave", "runbindable", NULL};

const char *const names_mount_options[] = {"acl", "async", "atime", "bind",
	"defaults", "dev", "diratime", "dirsync", "exec", "idmap", "iversion",
	"lazytime", "loud", "mand", "noacl", "noatime", "nodev", "nodiratime",
	"noexec", "noiversion", "nolazytime", "nomand", "norelatime",
	"nostrictatime", "nosuid", "nosymfollow", "private", "ratime", "rbind",
	"rdev", "rdiratime", "relatime", "remount", "rexec", "ridmap",
	"rnoatime", "rnodev", "rnodiratime", "rnoexec", "rnorelatime",
	"rnostrictatime", "rnosuid", "rnosymfollow", "ro", "rprivate",
	"rrelatime", "rro", "rrw", "rshared", "rslave", "rstrictatime", "rsuid",
	"rsymfollow", "runbindable", "rw", "shared", "silent", "slave",
	"strictatime", "suid", "symfollow", "sync", "tmpcopyup", "unbindable",
	"copy-symlink", NULL};

const char *const names_seccomp_actions[] = {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO",
	"SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
	"SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",
	NULL};

const char *const names_seccomp_archs[] = {"SCMP_ARCH_X86", "SCMP_ARCH_X86_64",
	"SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64",
	"SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_MIPS",
	"SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL",
	"SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
	"SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390",
	"SCMP_ARCH_S390X", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB", "SCMP_ARCH_PARISC",
	"SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", NULL};

const char *const names_seccomp_flags[] = {"SECCOMP_FILTER_FLAG_TSYNC",
	"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
	"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL};

const char *const names_seccomp_operators[] = {"SCMP_CMP_NE", "SCMP_CMP_LT",
	"SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
	"SCMP_CMP_MASKED_EQ", NULL};

const char *const names_io_classes[] = {
	"IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE", NULL};

const char *const names_sched_policies[] = {"SCHED_OTHER", "SCHED_FIFO",
	"SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE",
	NULL};

const char *const names_sched_flags[] = {"SCHED_FLAG_RESET_ON_FORK",
	"SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY",
	"SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN",
	"SCHED_FLAG_UTIL_CLAMP_MAX", NULL};

const char *const names_personalities[] = {"LINUX", "LINUX32", NULL};

const char *const names_numa_modes[] = {"MPOL_DEFAULT", "MPOL_BIND",
	"MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE", "MPOL_PREFERRED",
	"MPOL_PREFERRED_MANY", "MPOL_LOCAL", NULL};

const char *const names_numa_flags[] = {"MPOL_F_NUMA_BALANCING",
	"MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES", NULL};

const char *const names_windows_devices[] = {"class", "gpu", "vpci",
	"vpci-class-guid", "vpci-instance-id", "vpci-location-path", NULL};

bool names_has(const char *const *list, const char *name)
{
	for (; *list; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Row i of the table of distances between beginnings of a and of b, from the
 * two rows before it. */
static void fill_row(const char *a, size_t i, const char *b, size_t nb,
	unsigned rows[3][LENGTH_MAX + 1])
{
	unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3];
	const unsigned *up2 = rows[(i + 1) % 3];
	size_t j;

	row[0] = (unsigned)i;
	for (j = 1; j <= nb; j++) {
		row[j] = up[j - 1] + !is_same(a[i - 1], b[j - 1]);
		row[j] = least(row[j], up[j] + 1);
		row[j] = least(row[j], row[j - 1] + 1);
		if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) &&
			is_same(a[i - 2], b[j - 1]))
			row[j] = least(row[j], up2[j - 2] + 1);
	}
}

unsigned names_distance(const char *a, const char *b, unsigned limit)
{
	unsigned rows[3][LENGTH_MAX + 1];
	size_t na = strlen(a), nb = strlen(b), i;
	unsigned d;

	if (na > LENGTH_MAX || nb > LENGTH_MAX)
		return limit + 1;
	for (i = 0; i <= nb; i++)
		rows[0][i] = (unsigned)i;
	for (i = 1; i <= na; i++)
		fill_row(a, i, b, nb, rows);
	d = rows[na % 3][nb];
	return d > limit ? limit + 1 : d;
}

unsigned names_limit(const char *name)
{
	size_t n = strlen(name);

	return n < 3 ? 0 : n < 6 ? 1 : n < 12 ? 2 : 3;
}

const char *names_nearest(const char *const *list, const char *name)
{
	unsigned best = names_limit(name) + 1, d;
	const char *found = NULL;

	for (; *list; list++) {
		d = names_distance(*list, name, best);
		if (d < best) {
			best = d;
			found = *list;
		}
	}
	return found;
}
