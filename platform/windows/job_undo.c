/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/job_undo.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "platform/file.h"
#include "platform/windows/job_link.h"
#include "platform/windows/job_user.h"
#include "platform/windows/win.h"

#define NOTES_MAX (1024 * 1024)

struct undo {
	char *file;
	char *text; /* lines, each with a '\n' at the end */
	size_t n;
};

int undo_new(const char *file, struct undo **ret, struct err *e)
{
	struct undo *u = calloc(1, sizeof(*u));

	if (u)
		u->file = strdup(file);
	if (!u || !u->file) {
		undo_free(u);
		return err_set(e, -ENOMEM, "no memory for '%s'", file);
	}
	*ret = u;
	return 0;
}

int undo_load(const char *file, struct undo **ret, struct err *e)
{
	int r = undo_new(file, ret, e);

	if (r == 0)
		r = file_read(file, NOTES_MAX, &(*ret)->text, &(*ret)->n, e);
	if (r == 0 && (*ret)->n > 0 && (*ret)->text[(*ret)->n - 1] != '\n')
		r = err_set(e, -EINVAL, "'%s' is cut off", file);
	if (r < 0) {
		undo_free(*ret);
		*ret = NULL;
	}
	return r;
}

static int save(const struct undo *u)
{
	return u->n > 0 ? file_write(u->file, u->text, u->n)
			: file_remove(u->file);
}

int undo_add(
	struct undo *u, enum undo_kind kind, const char *name, struct err *e)
{
	size_t n = strlen(name);
	char *more;
	int r;

	if (strchr(name, '\n') || u->n + n + 3 > NOTES_MAX)
		return err_set(e, -EINVAL, "'%s' can't be noted", name);
	more = realloc(u->text, u->n + n + 3);
	if (!more)
		return err_set(e, -ENOMEM, "no memory to note '%s'", name);
	u->text = more;
	more += u->n;
	*more++ = (char)kind;
	memcpy(more, name, n);
	more[n] = '\n';
	more[n + 1] = '\0';
	u->n += n + 2;
	r = save(u);
	if (r == 0)
		return 0;
	u->n -= n + 2;
	return err_sys(e, r, "note '%s' in '%s'", name, u->file);
}

/* Where the last line begins. */
static size_t last_line(const struct undo *u)
{
	size_t at = u->n > 0 ? u->n - 1 : 0;

	while (at > 0 && u->text[at - 1] != '\n')
		at--;
	return at;
}

void undo_take_back(struct undo *u)
{
	u->n = last_line(u);
	(void)save(u); /* what was never made can be undone, too */
}

int undo_find(const struct undo *u, enum undo_kind kind, char **ret)
{
	size_t at, n;

	*ret = NULL;
	for (at = 0; at < u->n; at += n + 1) {
		n = strcspn(u->text + at, "\n");
		if (u->text[at] != (char)kind)
			continue;
		*ret = calloc(1, n + 1);
		if (!*ret)
			return -ENOMEM;
		memcpy(*ret, u->text + at + 1, n - 1);
		return 0;
	}
	return 0;
}

static int undo_one(char kind, const char *name)
{
	switch (kind) {
	case UNDO_FOLDER:
		return link_remove_folder(name);
	case UNDO_FOLDER_LINK:
	case UNDO_FILE_LINK:
		return link_remove(name);
	case UNDO_VOLUME:
		return link_unmount(name);
	case UNDO_USER:
		return user_remove(name);
	case UNDO_JOB:
	case UNDO_SYSTEM:
	case UNDO_MACHINE:
		return 0;
	default:
		return -EINVAL;
	}
}

/* Those that can't be undone are moved to the front of the text's end. */
int undo_all(struct undo *u, struct err *e)
{
	size_t end = u->n, all = u->n;
	int ret = 0, r;

	while (u->n > 0) {
		size_t at = last_line(u), n = u->n - at;
		char *line = u->text + at;

		line[n - 1] = '\0';
		r = undo_one(line[0], line + 1);
		if (r < 0 && ret == 0)
			ret = err_sys(e, r, "undo '%s'", line);
		line[n - 1] = '\n';
		u->n = at;
		if (r < 0) {
			end -= n;
			memmove(u->text + end, line, n);
		}
	}
	u->n = all - end;
	if (all > 0) {
		memmove(u->text, u->text + end, u->n);
		r = save(u);
		if (ret == 0 && r < 0)
			ret = err_sys(e, r, "'%s'", u->file);
	}
	return ret;
}

void undo_free(struct undo *u)
{
	if (!u)
		return;
	free(u->text);
	free(u->file);
	free(u);
}
