/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail.h - read a file that others append lines to, and that becomes PATH.1
 * from time to time, as output.h and journal.h have it.
 */
#ifndef WISP_CTL_TAIL_H
#define WISP_CTL_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "platform/err.h"

struct ctl_tail {
	const char *path; /* borrowed */
	FILE *file;       /* NULL: there is none yet */
	char *line;
	size_t room;
	bool gap; /* lines went before they could be read; the caller's to
		   * clear */
};

/* From the oldest line on, or only what comes from now on. That there is no
 * file is fine. */
int ctl_tail_open(
	struct ctl_tail *t, const char *path, bool from_end, struct err *e);

/* The next line, without its newline, good until the next call; NULL if there
 * is none now. A line that is not finished is not told. */
char *ctl_tail_next(struct ctl_tail *t);

void ctl_tail_close(struct ctl_tail *t);

#endif
