/* SPDX-License-Identifier: Apache-2.0 */
/* ociVersion and process: what is run. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/spec/check.h"
#include "ctl/spec/winpath.h"

#define ENV_MAX 2000 /* that are compared with each other */

static bool read_number(const char **p, unsigned long *ret)
{
	char *end;

	if (!isdigit((unsigned char)**p))
		return false;
	*ret = strtoul(*p, &end, 10);
	*p = end;
	return true;
}

void check_version(struct check *c)
{
	const struct doc_node *v =
		doc_get_type(c->doc.top, "ociVersion", DOC_STRING);
	unsigned long major, minor, patch;
	const char *p;

	if (!v)
		return;
	p = v->text;
	if (!read_number(&p, &major) || *p++ != '.' ||
		!read_number(&p, &minor) || *p++ != '.' ||
		!read_number(&p, &patch) || (*p && !strchr("-+", *p))) {
		check_error(c, v,
			"'%.40s' is no version of the runtime "
			"specification",
			v->text);
		check_hint(c, "write \"1.0.2\"");
	} else if (major != 1) {
		check_error(c, v,
			"'%.40s' is of another major version than "
			"runtimes know",
			v->text);
		check_hint(c, "write \"1.0.2\"");
	} else if (minor > 0 && c->os == CHECK_LINUX) {
		check_warn(c, v,
			"'%.40s' is refused by crun up to 1.8, which "
			"knows 1.0",
			v->text);
		check_hint(c, "write \"1.0.2\" if nothing newer is used");
	}
}

static void check_args(struct check *c, const struct doc_node *process)
{
	const struct doc_node *args = doc_get(process, "args"), *line;

	if (!args)
		check_missing(c, process, "args",
			"is missing: there is "
			"nothing to run");
	else if (args->type == DOC_ARRAY && args->n == 0)
		check_error(c, args, "is empty: there is nothing to run");
	else if (args->type == DOC_ARRAY && args->first->type == DOC_STRING &&
		 !*args->first->text)
		check_error(
			c, args->first, "is empty: there is nothing to run");
	line = doc_get(process, "commandLine");
	if (line && line->type != DOC_NULL)
		check_warn_key(c, line, "means something on Windows only");
}

static void check_windows_args(struct check *c, const struct doc_node *process)
{
	const struct doc_node *args = doc_get_type(process, "args", DOC_ARRAY);
	const struct doc_node *line =
		doc_get_type(process, "commandLine", DOC_STRING);

	if (args && args->n > 0 && line && *line->text) {
		check_error(c, line,
			"and process.args are both there: it is "
			"ambiguous what is run");
		check_hint(c, "keep commandLine, which is used verbatim, or "
			      "args, which are escaped");
	} else if ((!args || args->n == 0) && (!line || !*line->text)) {
		check_missing(c, process, "commandLine",
			"is missing, and so are args: there is nothing to run");
	}
	if (line && line->text_n > WINPATH_LINE_MAX)
		check_error(c, line,
			"has %zu bytes; Windows takes %d "
			"characters",
			line->text_n, WINPATH_LINE_MAX);
}

static void check_cwd(struct check *c, const struct doc_node *process)
{
	const struct doc_node *cwd = doc_get_type(process, "cwd", DOC_STRING);

	if (!cwd)
		return;
	if (c->os == CHECK_WINDOWS) {
		if (*cwd->text && winpath_is_absolute(cwd->text))
			return;
		check_error(
			c, cwd, "'%.80s' must be an absolute path", cwd->text);
		check_hint(c, "write \"C:\\\\%.80s\"",
			cwd->text + strspn(cwd->text, "\\/"));
	} else if (cwd->text[0] != '/') {
		check_error(
			c, cwd, "'%.80s' must be an absolute path", cwd->text);
		check_hint(c, "write \"/%.80s\"",
			*cwd->text == '.' ? "" : cwd->text);
	}
}

static bool same_name(
	const struct check *c, const char *a, const char *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (c->os == CHECK_WINDOWS
				? toupper((unsigned char)a[i]) !=
					  toupper((unsigned char)b[i])
				: a[i] != b[i])
			return false;
	return b[n] == '=';
}

static void check_variable_twice(
	struct check *c, const struct doc_node *env, const struct doc_node *v)
{
	size_t n = strcspn(v->text, "=");
	const struct doc_node *i;

	if (v->index >= ENV_MAX)
		return;
	for (i = env->first; i != v; i = i->next) {
		if (i->type != DOC_STRING || !same_name(c, v->text, i->text, n))
			continue;
		check_warn(c, v, "sets '%.*s' again", (int)(n < 60 ? n : 60),
			v->text);
		check_hint(c, "which one counts is the runtime's choice: keep "
			      "one");
		return;
	}
}

static void check_env(struct check *c, const struct doc_node *process)
{
	const struct doc_node *env = doc_get_type(process, "env", DOC_ARRAY);
	const struct doc_node *v = env ? env->first : NULL;
	const struct doc_node *args = doc_get_type(process, "args", DOC_ARRAY);
	bool has_path = c->os == CHECK_WINDOWS;

	for (; v; v = v->next) {
		if (v->type != DOC_STRING)
			continue;
		has_path |= strncmp(v->text, "PATH=", 5) == 0;
		/* Windows has variables such as "=C:" */
		if (!strchr(v->text, '=')) {
			check_error(
				c, v, "'%.60s' must be NAME=VALUE", v->text);
			check_hint(c, "write \"%.60s=\" for an empty value",
				v->text);
		} else if (v->text[0] == '=' && c->os == CHECK_LINUX) {
			check_error(c, v, "'%.60s' has no name before the '='",
				v->text);
		} else {
			check_variable_twice(c, env, v);
		}
	}
	if (!has_path && args && args->first && doc_text(args->first) &&
		!strchr(args->first->text, '/'))
		check_warn(c, args->first,
			"'%.60s' is looked for in PATH, "
			"which process.env does not set",
			args->first->text);
}

static void check_console(struct check *c, const struct doc_node *process)
{
	static const char *const sides[] = {"height", "width"};
	const struct doc_node *size =
		doc_get_type(process, "consoleSize", DOC_OBJECT);
	const struct doc_node *v;
	long long n;
	int i;

	if (!size)
		return;
	if (!doc_is_true(doc_get(process, "terminal"))) {
		check_warn_key(c, size,
			"is ignored: process.terminal is not "
			"true");
		return;
	}
	for (i = 0; i < 2; i++) {
		v = doc_get(size, sides[i]);
		if (v && doc_int(v, &n) && (n < 1 || n > 32767))
			check_warn(c, v, "%.20s is no size of a terminal",
				v->text);
	}
}

static void check_user(struct check *c, const struct doc_node *process)
{
	const struct doc_node *user = doc_get_type(process, "user", DOC_OBJECT);
	const struct doc_node *v;
	long long n;

	if (!user)
		return;
	v = doc_get(user, "umask");
	if (v && doc_int(v, &n) && n > 0777) {
		check_warn(c, v, "%lld is no mask: 0 to 511 (0777)", n);
		check_hint(c, "JSON has no octal numbers: 022 is 18");
	}
	v = doc_get_type(user, "username", DOC_STRING);
	if (v && c->os == CHECK_LINUX) {
		check_warn_key(c, v, "means something on Windows only");
		check_hint(c, "give numbers: uid and gid");
	}
	v = doc_get(user, "uid");
	if (v && c->os == CHECK_WINDOWS && doc_int(v, &n) && n != 0) {
		check_warn_key(c, v, "means nothing on Windows");
		check_hint(c, "give a username");
	}
}

void check_process(struct check *c)
{
	const struct doc_node *process = doc_get(c->doc.top, "process");

	if (!process) {
		check_missing(c, c->doc.top, "process",
			"is missing: there is nothing to run");
		return;
	}
	if (process->type != DOC_OBJECT)
		return;
	if (c->os == CHECK_WINDOWS)
		check_windows_args(c, process);
	else
		check_args(c, process);
	check_cwd(c, process);
	check_env(c, process);
	check_console(c, process);
	check_user(c, process);
}
