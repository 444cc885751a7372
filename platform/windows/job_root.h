/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job_root.h - where a host-process container's files are.
 *
 * With the bind filter (bindfltapi.dll in system32, Windows 10 20H1) and silos,
 * the job becomes a silo, in which root is at C:\hpc and the spec's mounts are
 * where they are to be; nobody else sees that. Without, root is at C:\hpc\<id>,
 * by a junction or a volume's mount point, and mounts are symbolic links below
 * it: for C:\data that is C:\hpc\<id>\data. A file system without junctions
 * leaves root where it is.
 *
 * hcsshim: internal/jobcontainers/{jobcontainer,storage,mounts}.go,
 * internal/jobobject/jobobject.go, ApplyFileBinding().
 */
#ifndef WISP_PLATFORM_WINDOWS_JOB_ROOT_H
#define WISP_PLATFORM_WINDOWS_JOB_ROOT_H

#include "platform/container.h"
#include "platform/file.h"
#include "platform/windows/job_undo.h"
#include "platform/windows/win.h"

/* What a job's own view of the files takes. A test may put others in the place
 * of these. bind is NULL where there is none. */
struct root_api {
	BOOL(WINAPI *set_job)
	(HANDLE job, JOBOBJECTINFOCLASS which, void *info, DWORD n);
	HRESULT(WINAPI *bind)
	(HANDLE job, ULONG flags, const wchar_t *at, const wchar_t *to,
		const wchar_t **except, ULONG n_except);
};
extern const struct root_api *root_double; /* NULL: the system's */

#define ROOT_CREATE_SILO ((JOBOBJECTINFOCLASS)35) /* JobObjectCreateSilo */
#define ROOT_BIND_READ_ONLY 1
#define ROOT_BIND_SILO 4 /* for this silo alone */

struct job_root {
	char path[FILE_PATH_MAX]; /* for its processes, no '\' at the end; "" */
	bool bound;               /* only its processes see that */
};

/* Before the job has a process. What is made is undo's, also on failure. */
int job_root_set_up(HANDLE job, const struct container_config *config,
	struct undo *undo, struct job_root *ret, struct err *e);

#endif
