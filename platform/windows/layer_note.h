/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer_note.h - the note of layer.h: which layers, and how far they are.
 */
#ifndef WISP_PLATFORM_WINDOWS_LAYER_NOTE_H
#define WISP_PLATFORM_WINDOWS_LAYER_NOTE_H

#include "platform/windows/layer.h"

/*
 * What has been done, as far as it is known. Of the step that a note was
 * written for nobody knows whether it was done if the writer died: undoing it
 * may fail, which means nothing then.
 */
enum layer_stage {
	LAYER_ACTIVATING,
	LAYER_ACTIVE, /* for sure, and not prepared */
	LAYER_PREPARING,
	LAYER_PREPARED,
	LAYER_LISTED /* nothing, and nothing is to be: a machine has disks */
};

/* -ENOMEM, or what file_write() says. */
int layer_note_write(const char *note, const struct layer_stack *s,
	enum layer_stage stage, struct err *e);

/* -ENOENT, -EINVAL: it is none of ours. */
int layer_note_read(const char *note, struct layer_stack *ret,
	enum layer_stage *ret_stage, struct err *e);

#endif
