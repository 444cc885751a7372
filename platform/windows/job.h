/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.h - job objects: the groups of processes that containers are.
 */
#ifndef WISP_PLATFORM_WINDOWS_JOB_H
#define WISP_PLATFORM_WINDOWS_JOB_H

#include <stdint.h>

#include "platform/err.h"
#include "platform/windows/win.h"

struct job;

/* A job called JobContainer_<id>, whose processes end with its last handle.
 * -EEXIST: there is one. */
int job_new(const char *id, struct job **ret, struct err *e);

/* The one of that name, which another process has made, for job_end() and
 * job_free() only. -ENOENT: there is none. -EACCES: it is somebody else's. */
int job_open(const char *id, struct job **ret, struct err *e);

/* Ends every process in it, and waits until they have gone, JOB_END_MS at the
 * most: only for commands, which have nothing else to do. */
int job_end(struct job *job, uint32_t status, struct err *e);
#define JOB_END_MS 10000

/* Borrowed: for struct spawn. */
HANDLE job_handle(const struct job *job);

/* Whose cgroup_open() leads to this job from now on. */
void job_set_init(struct job *job, int64_t pid);

/* Whether a process in a job is the system's own server of a console, or about
 * to go. It goes with those that it serves; a console event would hit it in the
 * middle of its start or end, which Wine does not survive. */
bool job_is_conhost(int64_t pid);

/* One of the pids that a job has told. -ESRCH: it has left meanwhile, and the
 * pid may be somebody else's by now, or it is such a server. */
struct process_ref;
int job_open_process(HANDLE job, int64_t pid, struct process_ref **ret);

/* Ends every process that is still in it, and closes it. A struct cgroup of it
 * stays good, with nothing in it. NULL is fine. */
void job_free(struct job *job);

#endif
