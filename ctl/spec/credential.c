/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/spec/credential.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctl/spec/doc.h"
#include "ctl/spec/winpath.h"
#include "platform/auto.h"
#include "platform/file.h"

static int check_text(
	const char *source, const char *text, size_t n, struct err *e)
{
	struct doc d;
	int r = doc_parse(&d, text, n, e);

	if (r == 0 && d.top->type != DOC_OBJECT)
		r = err_set(e, -EINVAL, "it is no JSON object");
	doc_free(&d);
	if (r < 0)
		err_prefix(e, "credential spec '%.200s'", source);
	return r;
}

/* A backslash is a separator where this is used. */
static int check_name(const char *name, struct err *e)
{
	size_t n;

	if (name[0] == '/' || name[0] == '\\' || winpath_is_absolute(name) ||
		(name[0] && name[1] == ':'))
		return err_set(e, -EINVAL,
			"credential spec '%s': give a name below the folder, "
			"not an absolute path",
			name);
	for (; *name; name += n + (name[n] != '\0')) {
		n = strcspn(name, "/\\");
		if (n == 2 && memcmp(name, "..", 2) == 0)
			return err_set(e, -EXDEV,
				"credential spec: '..' would lead out of the "
				"folder");
	}
	return 0;
}

/* Where the name leads in the end must be below where dir leads. */
static int resolve(const char *name, const char *dir, char **ret, struct err *e)
{
	auto_free char *path = NULL, *real = NULL;
	char folder[FILE_PATH_MAX];
	size_t n;
	char *p;
	int r = file_real_folder(dir, folder);

	if (r < 0)
		return err_sys(e, r, "credential specs' folder '%s'", dir);
	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
		return err_sys(e, -ENOMEM, "credential spec");
	}
	for (p = path + strlen(folder); *p; p++)
		if (*p == '\\')
			*p = '/';
	real = realpath(path, NULL);
	if (!real)
		return err_sys(e, -errno, "credential spec '%s'", path);
	n = strlen(folder);
	if (strncmp(real, folder, n) != 0 ||
		(real[n] != '/' && strcmp(folder, "/") != 0))
		return err_set(e, -EXDEV,
			"credential spec '%s' leads out of '%s', to '%s'", name,
			dir, real);
	*ret = ptr_take(&real);
	return 0;
}

static int read_file(const char *source, const char *name, const char *dir,
	char **ret, struct err *e)
{
	auto_free char *path = NULL, *text = NULL;
	size_t n;
	int r;

	if (!dir)
		return err_set(e, -EINVAL,
			"'%s' needs --credential-spec-dir, the folder that it "
			"is in",
			source);
	r = check_name(name, e);
	if (r == 0)
		r = resolve(name, dir, &path, e);
	if (r == 0)
		r = file_read(path, CREDENTIAL_MAX, &text, &n, e);
	if (r == 0)
		r = check_text(source, text, n, e);
	if (r == 0)
		*ret = ptr_take(&text);
	return r;
}

int credential_read(
	const char *source, const char *dir, char **ret, struct err *e)
{
	const char *value = strstr(source, "://");
	int r;

	value = value ? value + 3 : "";
	if (strncasecmp(source, "registry://", 11) == 0)
		return err_set(e, -EINVAL,
			"credential spec '%s': the registry is on the Windows "
			"host; export the value and use file:// or raw://",
			source);
	if (!*value || (strncasecmp(source, "file://", 7) != 0 &&
			       strncasecmp(source, "raw://", 6) != 0))
		return err_set(e, -EINVAL,
			"credential spec '%.200s': use file://NAME or "
			"raw://JSON",
			source);
	if (strncasecmp(source, "file", 4) == 0)
		return read_file(source, value, dir, ret, e);
	r = check_text("raw://", value, strlen(value), e);
	if (r < 0)
		return r;
	*ret = strdup(value);
	return *ret ? 0 : err_sys(e, -ENOMEM, "credential spec");
}
