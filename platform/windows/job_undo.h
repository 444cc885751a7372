/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job_undo.h - what a container has outside of its job: links, a mounted
 * volume, an account. All of it is in a file before it is made, so that it can
 * be undone by another process if this one dies. So are the job itself and what
 * the host compute service has: container_lost() finds them by that.
 */
#ifndef WISP_PLATFORM_WINDOWS_JOB_UNDO_H
#define WISP_PLATFORM_WINDOWS_JOB_UNDO_H

#include "platform/err.h"

struct undo;

/* The letter that a line of the file begins with; the rest names it. */
enum undo_kind {
	UNDO_FOLDER = 'M',      /* goes if it is empty */
	UNDO_FOLDER_LINK = 'D', /* a link, or nothing is done */
	UNDO_FILE_LINK = 'F',
	UNDO_VOLUME = 'V', /* a volume's mount point */
	UNDO_USER = 'U',
	/* Whoever made these ends them itself, so that undo_all() does nothing:
	 * a job and a compute system, by the container's id; a virtual machine,
	 * by the disk that it was let write to */
	UNDO_JOB = 'J',
	UNDO_SYSTEM = 'S',
	UNDO_MACHINE = 'X',
};

/* Nothing is written yet. file is copied. */
int undo_new(const char *file, struct undo **ret, struct err *e);

/* What the file tells of; -ENOENT without one. */
int undo_load(const char *file, struct undo **ret, struct err *e);

/* Before it is made: 0 if it may be. */
int undo_add(
	struct undo *u, enum undo_kind kind, const char *name, struct err *e);

/* The last one has not been made: somebody else has it, or there is none. */
void undo_take_back(struct undo *u);

/* What the first line of a kind names, in fresh memory; NULL: there is none.
 * 0 or -ENOMEM. */
int undo_find(const struct undo *u, enum undo_kind kind, char **ret);

/* All of it, the last one first. What can't be undone stays in the file, which
 * goes when nothing is left; the first failure is told. */
int undo_all(struct undo *u, struct err *e);

void undo_free(struct undo *u);

#endif
