/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/seccomp/seccomp_prepare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/seccomp/seccomp_config.h"
#include "ctl/seccomp/seccomp_table.h"
#include "platform/file.h"

#define METADATA "io.wisp.seccomp.explain"
#define PATH_ROOM 4096

static int in_bundle(const struct sec_prepare *p, const char *name,
	char buf[PATH_ROOM], struct err *e)
{
	if (snprintf(buf, PATH_ROOM, "%s/%s", p->bundle, name) < PATH_ROOM)
		return 0;
	return err_set(
		e, -ENAMETOOLONG, "bundle '%s' has too long a path", p->bundle);
}

static int write_file(const struct sec_prepare *p, const char *name,
	const char *data, size_t n, struct err *e)
{
	char path[PATH_ROOM];
	int r = in_bundle(p, name, path, e);

	if (r < 0)
		return r;
	r = file_write(path, data, n);
	return r < 0 ? err_sys(e, r, "write '%s'", path) : 0;
}

/* A runtime tells its name first: "runc version 1.1.5". One that does not is
 * taken for what it is called. */
static void look_at_runtime(const char *name, struct sec_runtime *ret)
{
	char line[128] = "";
	const char *slash = strrchr(name, '/');

	if (sec_first_line_of(name, line, sizeof(line)) < 0)
		snprintf(line, sizeof(line), "%s", slash ? slash + 1 : name);
	ret->new_is_enosys = strncmp(line, "runc", 4) == 0;
}

/* config.json as the daemon wrote it, if we have been here before. */
static int read_config(
	const struct sec_prepare *p, yajl_val *ret, struct err *e)
{
	char path[PATH_ROOM];
	int r = in_bundle(p, SEC_ORIGINAL, path, e);

	if (r == 0 && access(path, F_OK) < 0)
		r = in_bundle(p, "config.json", path, e);
	return r < 0 ? r : ctl_json_read(path, SEC_CONFIG_MAX, ret, e);
}

/* The original stays what it is, down to its owner and mode. */
static int keep_original(const struct sec_prepare *p, struct err *e)
{
	char from[PATH_ROOM], to[PATH_ROOM];
	int r = in_bundle(p, "config.json", from, e);

	if (r == 0)
		r = in_bundle(p, SEC_ORIGINAL, to, e);
	if (r == 0 && link(from, to) < 0 && errno != EEXIST)
		r = err_sys(e, -errno, "keep '%s' as '%s'", from, to);
	return r;
}

static int write_all(const struct sec_prepare *p, yajl_val root,
	const struct sec_profile *original, const struct sec_rewritten *w,
	const struct sec_runtime *rt, struct err *e)
{
	const struct sec_config_changes changes = {.profile = &w->profile,
		.listener = p->listener,
		.metadata = METADATA};
	char *table = NULL, *config = NULL;
	int r = sec_table_make(original, w, rt, &table);

	if (r == 0)
		r = sec_config_make(root, &changes, &config);
	if (r < 0)
		err_sys(e, r, "make config.json");
	if (r == 0)
		r = write_file(p, SEC_TABLE, table, strlen(table), e);
	if (r == 0)
		r = write_file(
			p, SEC_FILTER, w->original.data, w->original.n, e);
	if (r == 0)
		r = keep_original(p, e);
	if (r == 0)
		r = write_file(p, "config.json", config, strlen(config), e);
	free(table);
	free(config);
	return r;
}

/* note is 0, or says why there is nothing to explain. */
static int rewrite(const struct sec_prepare *p, yajl_val root, char **ret_note,
	struct err *e)
{
	struct sec_profile original;
	struct sec_rewritten w;
	struct sec_runtime rt;
	yajl_val v = sec_config_profile(root);
	int r;

	if (!v)
		return sec_note(ret_note,
			"config.json has no linux.seccomp: nothing "
			"is denied");
	r = sec_profile_parse(v, &original, e);
	if (r < 0)
		return err_prefix(e, "linux.seccomp"), r;
	if (original.has_listener) {
		sec_profile_clear(&original);
		return sec_note(ret_note,
			"the profile has a listener of its own, and there can "
			"be only one: it is not explained");
	}
	look_at_runtime(p->runtime, &rt);
	r = sec_rewrite(&original, &rt, &w, e);
	if (r == 0 && w.n_notified == 0)
		r = sec_note(ret_note, "the profile denies nothing by an errno:"
				       " there is nothing to explain");
	else if (r == 0)
		r = write_all(p, root, &original, &w, &rt, e);
	if (r == 0 && w.n_notified > 0)
		r = sec_table_notes(&original, &w, ret_note);
	sec_profile_clear(&original);
	sec_rewritten_clear(&w);
	return r;
}

int sec_prepare(const struct sec_prepare *p, struct err *e)
{
	char *note = NULL;
	yajl_val root = NULL;
	struct err own;
	int r = read_config(p, &root, e);

	if (r == 0)
		r = rewrite(p, root, &note, e);
	yajl_tree_free(root);
	if (r < 0)
		(void)write_file(p, SEC_NOTES, e->msg, strlen(e->msg), &own);
	else if (note)
		r = write_file(p, SEC_NOTES, note, strlen(note), e);
	free(note);
	return r;
}
