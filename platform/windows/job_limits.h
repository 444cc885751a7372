/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job_limits.h - what a job's processes may use together.
 */
#ifndef WISP_PLATFORM_WINDOWS_JOB_LIMITS_H
#define WISP_PLATFORM_WINDOWS_JOB_LIMITS_H

#include "platform/container.h"
#include "platform/windows/win.h"

/* What sets them: kernel32's. A test may put others in the place of these. The
 * second is NULL where the system has none (before Windows 10). */
struct limits_api {
	BOOL(WINAPI *set)
	(HANDLE job, JOBOBJECTINFOCLASS which, void *info, DWORD n);
	DWORD(WINAPI *set_io_rate)(HANDLE job, void *info);
};
extern const struct limits_api *limits_double; /* NULL: the system's */

/* JOBOBJECT_IO_RATE_CONTROL_INFORMATION (jobapi2.h), which mingw lacks. */
struct limits_io_rate {
	LONG64 operations, bandwidth, reserved_operations;
	const wchar_t *volume; /* NULL: all of them */
	ULONG base_size;
	ULONG flags;
};
#define LIMITS_IO_RATE_ENABLE 1

/*
 * Sets all of them, 0 lifts one. -EINVAL: more than one of the CPU's, or what
 * no system takes; -ENOSYS: the system has none for I/O. A job whose processes
 * end with its last handle stays so.
 *
 * The rate of a CPU count is count * 10000 / processors, and a weight of w is
 * 1 + 8 * w / 10000, as hcsshim has it (internal/jobcontainers/oci.go).
 */
int job_limit(HANDLE job, const struct container_limits *l, struct err *e);

#endif
