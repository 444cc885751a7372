/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/tail.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "platform/lines.h"

static FILE *open_old(const struct ctl_tail *t)
{
	char old[PATH_MAX];

	if (snprintf(old, sizeof(old), "%s.1", t->path) >= (int)sizeof(old))
		return NULL;
	return lines_open(old);
}

int ctl_tail_open(
	struct ctl_tail *t, const char *path, bool from_end, struct err *e)
{
	*t = (struct ctl_tail){.path = path};
	if (!from_end)
		t->file = open_old(t);
	if (!t->file)
		t->file = lines_open(path);
	if (!t->file && errno != ENOENT)
		return err_sys(e, -errno, "open '%s'", path);
	if (t->file && from_end)
		fseeko(t->file, 0, SEEK_END);
	return 0;
}

/* A whole line; one that is still being written is left for later. */
static char *read_line(struct ctl_tail *t)
{
	off_t at = ftello(t->file);
	ssize_t n = lines_get(&t->line, &t->room, t->file);

	if (n > 0 && t->line[n - 1] == '\n') {
		t->line[n - 1] = '\0';
		return t->line;
	}
	clearerr(t->file);
	fseeko(t->file, at, SEEK_SET);
	return NULL;
}

/* The file after the one that has been read, if there is one: it is the current
 * one if the last one is PATH.1 now. */
static FILE *open_next(struct ctl_tail *t)
{
	FILE *now = lines_open(t->path), *old;

	if (!now || (t->file && lines_are_same(now, t->file))) {
		if (now)
			fclose(now);
		return NULL;
	}
	if (!t->file)
		return now;
	old = open_old(t);
	if (!old || lines_are_same(old, t->file)) {
		if (old)
			fclose(old);
		return now;
	}
	t->gap = true;
	fclose(now);
	return old;
}

char *ctl_tail_next(struct ctl_tail *t)
{
	char *line = t->file ? read_line(t) : NULL;
	FILE *next;

	while (!line) {
		next = open_next(t);
		if (!next)
			return NULL;
		/* nothing is added to it any more: it is read to its end */
		line = t->file ? read_line(t) : NULL;
		if (line) {
			fclose(next);
			return line;
		}
		if (t->file)
			fclose(t->file);
		t->file = next;
		line = read_line(t);
	}
	return line;
}

void ctl_tail_close(struct ctl_tail *t)
{
	if (t->file)
		fclose(t->file);
	free(t->line);
	*t = (struct ctl_tail){0};
}
