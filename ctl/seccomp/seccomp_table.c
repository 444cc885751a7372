/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/seccomp/seccomp_table.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/seccomp/seccomp_names.h"

/* What the profile says that makes this call fail. */
static void why_of(const struct sec_profile *p, const struct sec_runtime *rt,
	const char *name, uint32_t arch, int nr, char *buf, size_t n)
{
	const struct sec_rule *says = NULL;
	int last = sec_last_of(p, rt, arch);
	bool mentioned = false;
	char text[64];
	size_t i;

	for (i = 0; i < p->n_rules; i++) {
		if (!sec_rule_has(&p->rules[i], name))
			continue;
		mentioned = true;
		if (!says && sec_is_errno(p->rules[i].action) &&
			p->rules[i].action != p->action)
			says = &p->rules[i];
	}
	sec_action_text(says ? says->action : p->action, text, sizeof(text));
	if (last > 0 && nr > last)
		snprintf(buf, n,
			"newer than all that the profile names, runc says "
			"ENOSYS");
	else if (says)
		snprintf(buf, n, "syscalls[%u] of the profile says %s",
			says->number, text);
	else if (mentioned)
		snprintf(buf, n,
			"allowed with other arguments, else the default is %s",
			text);
	else
		snprintf(buf, n, "not in the profile, whose default is %s",
			text);
}

static unsigned compared(const struct sec_profile *p, const char *name)
{
	unsigned bits = 0, k;
	size_t i;

	for (i = 0; i < p->n_rules; i++)
		for (k = 0; k < p->rules[i].n_conds; k++)
			if (sec_rule_has(&p->rules[i], name))
				bits |= 1U << p->rules[i].conds[k].arg;
	return bits;
}

static void put_line(FILE *f, const struct sec_profile *p,
	const struct sec_runtime *rt, const char *name, uint32_t arch)
{
	struct seccomp_call call;
	char why[128], lower[24];
	size_t i;

	if (!sec_call_of(name, arch, &call))
		return;
	snprintf(lower, sizeof(lower), "%s", sec_arch_name(arch));
	for (i = 0; lower[i]; i++)
		lower[i] = (char)tolower((unsigned char)lower[i]);
	why_of(p, rt, name, arch, call.nr, why, sizeof(why));
	fprintf(f, "%08x %d %s %s %s %x %s\n", call.arch, call.nr, name, lower,
		sec_name_args(name), compared(p, name), why);
}

int sec_table_make(const struct sec_profile *original,
	const struct sec_rewritten *w, const struct sec_runtime *rt, char **ret)
{
	uint32_t archs[SEC_ARCHS + 1];
	unsigned n = sec_archs_of(original, archs), k;
	char *text = NULL;
	size_t size, i;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return -ENOMEM;
	for (k = 0; k < n; k++)
		for (i = 0; i < w->n_names; i++)
			if (sec_rewritten_fate(
				    w, original, w->names[i], archs[k])
					.notified)
				put_line(
					f, original, rt, w->names[i], archs[k]);
	if (fclose(f) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}

static bool is_silent(const struct sec_profile *original,
	const struct sec_rewritten *w, const char *name)
{
	return sec_rewritten_fate(w, original, name, seccomp_arch_native())
		.silent;
}

static bool kills(const struct sec_profile *p)
{
	uint32_t a = p->action;
	size_t i;

	for (i = 0; i < p->n_rules; i++)
		if (p->rules[i].action == SCMP_ACT_KILL_THREAD ||
			p->rules[i].action == SCMP_ACT_KILL_PROCESS ||
			p->rules[i].action == SCMP_ACT_TRAP)
			return true;
	return a == SCMP_ACT_KILL_THREAD || a == SCMP_ACT_KILL_PROCESS ||
	       a == SCMP_ACT_TRAP;
}

int sec_table_notes(const struct sec_profile *original,
	const struct sec_rewritten *w, char **ret)
{
	char *text = NULL;
	size_t size, i, n = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return -ENOMEM;
	for (i = 0; i < w->n_names; i++)
		if (is_silent(original, w, w->names[i]))
			fprintf(f, "%s%s",
				n++ ? ", " : "not explained: ", w->names[i]);
	if (n > 0)
		fputs("\n", f);
	if (kills(original))
		fputs("calls for which the profile kills or traps are left to "
		      "the kernel, and not explained\n",
			f);
	if (fclose(f) != 0) {
		free(text);
		return -ENOMEM;
	}
	if (*text)
		*ret = text;
	else
		free(text);
	return 0;
}
