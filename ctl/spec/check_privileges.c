/* SPDX-License-Identifier: Apache-2.0 */
/* process: capabilities, limits, priorities. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ctl/spec/check.h"
#include "ctl/names.h"

#define LIST_MAX 1000 /* that are compared with each other */

static void check_capability(struct check *c, const struct doc_node *v)
{
	char full[64];
	const char *near;
	size_t i;

	if (!doc_text(v) || names_has(names_capabilities, v->text))
		return;
	snprintf(full, sizeof(full), "%s%.40s",
		strncasecmp(v->text, "CAP_", 4) == 0 ? "" : "CAP_", v->text);
	for (i = 0; full[i]; i++)
		full[i] = (char)toupper((unsigned char)full[i]);
	near = check_nearest(c, names_capabilities, full);
	check_warn(
		c, v, "'%.60s' is no capability: runtimes ignore it", v->text);
	if (near)
		check_hint(c, "did you mean '%s'?", near);
	else
		check_hint(c, "capabilities(7) has the names");
}

static bool has_string(const struct doc_node *array, const char *text)
{
	const struct doc_node *i;

	for (i = array ? array->first : NULL; i && i->index < LIST_MAX;
		i = i->next)
		if (i->type == DOC_STRING && strcmp(i->text, text) == 0)
			return true;
	return false;
}

/* capabilities(7): the kernel refuses a set that is more than the other. An
 * ambient set it only does not grant, and runtimes leave it at that. */
static void check_subset(struct check *c, const struct doc_node *sets,
	const char *set, const char *of)
{
	const struct doc_node *all = doc_get_type(sets, of, DOC_ARRAY);
	const struct doc_node *array = doc_get_type(sets, set, DOC_ARRAY);
	const struct doc_node *i = array ? array->first : NULL;

	for (; i && i->index < LIST_MAX; i = i->next) {
		if (!doc_text(i) || !names_has(names_capabilities, i->text) ||
			has_string(all, i->text))
			continue;
		if (strcmp(set, "ambient") == 0)
			check_warn(c, i, "'%.60s' is not granted: it is not %s",
				i->text, of);
		else
			check_error(c, i, "'%.60s' is %s, but not %s", i->text,
				set, of);
		check_hint(c, "add it to process.capabilities.%s, too", of);
	}
}

static void check_capabilities(struct check *c, const struct doc_node *process)
{
	const struct doc_node *sets =
		doc_get_type(process, "capabilities", DOC_OBJECT);
	const struct doc_node *set, *i;

	if (!sets)
		return;
	for (set = sets->first; set; set = set->next)
		for (i = set->first; i && set->type == DOC_ARRAY; i = i->next)
			check_capability(c, i);
	check_subset(c, sets, "effective", "permitted");
	check_subset(c, sets, "inheritable", "bounding");
	check_subset(c, sets, "ambient", "permitted");
	check_subset(c, sets, "ambient", "inheritable");
}

static void check_rlimit(
	struct check *c, const struct doc_node *all, const struct doc_node *v)
{
	const struct doc_node *soft = doc_get(v, "soft"), *i;
	const char *type = doc_get_text(v, "type");
	long long s, h;

	if (doc_int(soft, &s) && doc_int(doc_get(v, "hard"), &h) &&
		(unsigned long long)s > (unsigned long long)h) {
		check_error(c, soft, "%s is above the hard limit, %s",
			soft->text, doc_get(v, "hard")->text);
		check_hint(c, "the soft limit is what counts at first; the "
			      "hard one is the most it can be raised to");
	}
	if (!type || v->index >= LIST_MAX)
		return;
	for (i = all->first; i != v; i = i->next) {
		const char *other = doc_get_text(i, "type");

		if (!other || strcmp(other, type) != 0)
			continue;
		check_error(c, doc_get(v, "type"),
			"'%.40s' is set a second time", type);
		check_hint(c, "keep one of them");
		return;
	}
}

static void check_rlimits(struct check *c, const struct doc_node *process)
{
	const struct doc_node *all =
		doc_get_type(process, "rlimits", DOC_ARRAY);
	const struct doc_node *v = all ? all->first : NULL;

	for (; v; v = v->next)
		if (v->type == DOC_OBJECT)
			check_rlimit(c, all, v);
}

static void check_between(struct check *c, const struct doc_node *v,
	long long min, long long max, const char *what)
{
	long long n;

	if (v && doc_int(v, &n) && (n < min || n > max))
		check_error(
			c, v, "%lld is no %s: %lld to %lld", n, what, min, max);
}

/* sched_setattr(2), and what runc says of it. */
static void check_scheduler(struct check *c, const struct doc_node *process)
{
	static const char *const times[] = {"runtime", "deadline", "period"};
	const struct doc_node *s =
		doc_get_type(process, "scheduler", DOC_OBJECT);
	const char *policy = doc_get_text(s, "policy");
	const struct doc_node *v;
	long long n;
	size_t i;

	if (!policy)
		return;
	check_between(c, doc_get(s, "nice"), -20, 19, "nice value");
	v = doc_get(s, "priority");
	if (v && doc_int(v, &n) && n != 0 &&
		strcmp(policy, "SCHED_FIFO") != 0 &&
		strcmp(policy, "SCHED_RR") != 0)
		check_error(c, v, "is for SCHED_FIFO and SCHED_RR only");
	for (i = 0; i < 3; i++) {
		v = doc_get(s, times[i]);
		if (v && doc_int(v, &n) && n != 0 &&
			strcmp(policy, "SCHED_DEADLINE") != 0)
			check_error(c, v, "is for SCHED_DEADLINE only");
	}
}

static void check_nothing_on_windows(
	struct check *c, const struct doc_node *process)
{
	static const char *const names[] = {"capabilities", "rlimits",
		"noNewPrivileges", "apparmorProfile", "oomScoreAdj",
		"selinuxLabel", "ioPriority", "scheduler", "execCPUAffinity"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct doc_node *v = doc_get(process, names[i]);

		if (v)
			check_warn_key(c, v, "means nothing on Windows");
	}
}

void check_privileges(struct check *c)
{
	const struct doc_node *process =
		doc_get_type(c->doc.top, "process", DOC_OBJECT);

	if (!process)
		return;
	if (c->os == CHECK_WINDOWS) {
		check_nothing_on_windows(c, process);
		return;
	}
	check_capabilities(c, process);
	check_rlimits(c, process);
	check_between(c, doc_get(process, "oomScoreAdj"), -1000, 1000,
		"adjustment for the OOM killer");
	check_between(c, doc_get(doc_get(process, "ioPriority"), "priority"), 0,
		7, "priority");
	check_scheduler(c, process);
}
