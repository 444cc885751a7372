/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer.h - the files of a Windows container: read-only layers of an image and
 * one that is written to, which become a volume.
 *
 * A layer is a folder. The scratch has a disk, sandbox.vhdx, which is made if
 * it is not there, attached (ActivateLayer), and gets a filter that shows the
 * read-only layers in it (PrepareLayer). Both have to be undone, also by
 * another process after this one was killed, so the note says how far things
 * went: a file of JSON, written before each step that another one needs to know
 * of. As hcsshim does it: internal/layers/wcow_mount.go.
 *
 * The calls of vmcompute.dll take their time, seconds if the host is busy, and
 * can't be told to give up.
 */
#ifndef WISP_PLATFORM_WINDOWS_LAYER_H
#define WISP_PLATFORM_WINDOWS_LAYER_H

#include <stddef.h>

#include "platform/err.h"

/* More than that, and Windows' filter refuses them. */
#define LAYER_PARENTS_MAX 128
#define LAYER_GUID_MAX 37

struct layer_stack {
	char *scratch;  /* its folder */
	char **parents; /* topmost first */
	size_t n_parents;
	char *volume; /* "\\?\Volume{GUID}\", once it is there; else NULL */
};

void layer_stack_clear(struct layer_stack *s);

/* Absolute, no "..", one parent at least, no more than there may be; all else
 * is -EINVAL. */
int layer_stack_check(const struct layer_stack *s, struct err *e);

/*
 * Mounts what s names; s->volume is there afterwards. A failure undoes what was
 * done; what could not be undone is in the note. -EBUSY: there is a note
 * already.
 */
int layer_mount(struct layer_stack *s, const char *note, struct err *e);

/* Only notes them: their disks are for a virtual machine. */
int layer_list(const struct layer_stack *s, const char *note, struct err *e);

/* Undoes it as far as the note says it went, then removes the note. 0 if there
 * is none. What fails can be tried again: nothing is undone twice. */
int layer_undo(const char *note, struct err *e);

/* What is mounted, or listed; -ENOENT: nothing. Needs layer_stack_clear() on
 * success. */
int layer_read_note(const char *note, struct layer_stack *ret, struct err *e);
int layer_read_list(const char *note, struct layer_stack *ret, struct err *e);

/* The id that the host compute service knows a layer by, from its folder's
 * name: NameToGuid(). -EINVAL: as layer_stack_check(). */
int layer_id(const char *path, char ret[LAYER_GUID_MAX], struct err *e);

#endif
