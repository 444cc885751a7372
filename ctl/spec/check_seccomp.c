/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp; what names there are is in schema_linux.c. */
#include <string.h>

#include "ctl/spec/check.h"

#define ERRNO_MAX 4095 /* seccomp(2) */

static const struct doc_node *profile(const struct check *c)
{
	return doc_get_type(
		doc_get(c->doc.top, "linux"), "seccomp", DOC_OBJECT);
}

static bool is_action(const struct doc_node *v, const char *name)
{
	return doc_text(v) && strcmp(v->text, name) == 0;
}

/* A number that an action gives back. */
static void check_errno(struct check *c, const struct doc_node *action,
	const struct doc_node *value)
{
	long long n;

	if (!value || !doc_text(action))
		return;
	if (!is_action(action, "SCMP_ACT_ERRNO") &&
		!is_action(action, "SCMP_ACT_TRACE")) {
		check_error(c, value,
			"is for SCMP_ACT_ERRNO and "
			"SCMP_ACT_TRACE, not %.40s",
			action->text);
		check_hint(c, "leave it out");
	} else if (doc_int(value, &n) && n > ERRNO_MAX) {
		check_error(c, value, "%lld must be at most %d", n, ERRNO_MAX);
	}
}

static void check_argument(struct check *c, const struct doc_node *v)
{
	const char *op = doc_get_text(v, "op");
	const struct doc_node *two = doc_get(v, "valueTwo");
	long long n;

	if (doc_int(doc_get(v, "index"), &n) && n > 5) {
		check_error(
			c, doc_get(v, "index"), "%lld must be from 0 to 5", n);
		check_hint(c, "a system call has six arguments");
	}
	if (two && doc_int(two, &n) && n != 0 && op &&
		strcmp(op, "SCMP_CMP_MASKED_EQ") != 0)
		check_warn(c, two, "is used by SCMP_CMP_MASKED_EQ only");
}

static void check_notify(struct check *c, const struct doc_node *action,
	const struct doc_node *names)
{
	const struct doc_node *i = names ? names->first : NULL;
	const char *path = doc_get_text(profile(c), "listenerPath");

	if (!is_action(action, "SCMP_ACT_NOTIFY"))
		return;
	if (!path || !*path) {
		check_error(c, action,
			"is SCMP_ACT_NOTIFY, but "
			"linux.seccomp.listenerPath is not set");
		check_hint(c, "nobody would answer, and the call would fail "
			      "with ENOSYS");
	}
	for (; i; i = i->next) {
		if (!is_action(i, "write"))
			continue;
		check_error(c, i,
			"cannot be notified of: runc needs it to "
			"hand the listener over");
		return;
	}
}

static void check_rule(struct check *c, const struct doc_node *v)
{
	const struct doc_node *action = doc_get_type(v, "action", DOC_STRING);
	const struct doc_node *names = doc_get_type(v, "names", DOC_ARRAY);
	const struct doc_node *args = doc_get_type(v, "args", DOC_ARRAY), *i;
	const char *fallback = doc_get_text(profile(c), "defaultAction");

	if (names && names->n == 0)
		check_error(c, names, "is empty");
	for (i = names ? names->first : NULL; i; i = i->next)
		if (i->type == DOC_STRING && !*i->text)
			check_error(c, i, "is empty");
	check_errno(c, action, doc_get(v, "errnoRet"));
	check_notify(c, action, names);
	for (i = args ? args->first : NULL; i; i = i->next)
		check_argument(c, i);
	if (action && fallback && strcmp(action->text, fallback) == 0 &&
		strcmp(fallback, "SCMP_ACT_ERRNO") != 0)
		check_warn(c, action,
			"is the default action: the rule does "
			"nothing");
}

void check_seccomp(struct check *c)
{
	const struct doc_node *p = profile(c), *i, *v;

	if (!p || c->os == CHECK_WINDOWS)
		return;
	v = doc_get_type(p, "defaultAction", DOC_STRING);
	check_errno(c, v, doc_get(p, "defaultErrnoRet"));
	if (is_action(v, "SCMP_ACT_NOTIFY"))
		check_error(c, v,
			"is SCMP_ACT_NOTIFY, which cannot be the "
			"default");
	v = doc_get_type(p, "listenerMetadata", DOC_STRING);
	i = doc_get_type(p, "listenerPath", DOC_STRING);
	if (v && *v->text && (!i || !*i->text))
		check_error(c, v, "is set, but listenerPath is not");
	if (i && *i->text && i->text[0] != '/')
		check_error(c, i, "'%.80s' must be an absolute path", i->text);
	i = doc_get_type(p, "syscalls", DOC_ARRAY);
	for (i = i ? i->first : NULL; i; i = i->next)
		if (i->type == DOC_OBJECT)
			check_rule(c, i);
}
