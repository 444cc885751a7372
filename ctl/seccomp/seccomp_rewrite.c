/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/seccomp/seccomp_rewrite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/seccomp/seccomp_box.h"
#include "ctl/seccomp/seccomp_names.h"
#include "ctl/seccomp/seccomp_points.h"

/* Each round drops a name at least. */
#define ROUNDS 64

/* These stand for others on some architectures: libseccomp turns a rule for
 * socket(2) into one for both. */
static const char *const never[] = {"write", "socketcall", "ipc"};

static bool may_notify(const struct sec_rewritten *w, const char *name)
{
	const size_t at = sec_names_find(w->names, w->n_names, name);
	size_t i;

	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (strcmp(name, never[i]) == 0)
			return false;
	return at < w->n_names && !w->dropped[at];
}

/* A rule that denies: its names go to a copy that notifies, as far as they may.
 */
static int turn_rule(struct sec_rewritten *w, size_t at)
{
	struct sec_rule *to = NULL, *from;
	size_t i = 0;

	while (w->profile.rules[at].names[i]) {
		const char *name = w->profile.rules[at].names[i];
		int r;

		if (!may_notify(w, name)) {
			i++;
			continue;
		}
		r = to ? sec_rule_add_name(to, name)
		       : sec_profile_add(
				 &w->profile, name, SCMP_ACT_NOTIFY, &to);
		if (r < 0)
			return r;
		from = &w->profile.rules[at]; /* they may have moved */
		to->n_conds = from->n_conds;
		memcpy(to->conds, from->conds, sizeof(to->conds));
		sec_rule_remove_name(from, name);
		w->n_notified++;
	}
	return 0;
}

/* The rules for a name that do something else than the default. */
static size_t rules_for(const struct sec_profile *p, const char *name,
	const struct sec_rule **ret, size_t max)
{
	size_t i, n = 0;

	for (i = 0; i < p->n_rules && n < max; i++)
		if (p->rules[i].action != p->action &&
			sec_rule_has(&p->rules[i], name))
			ret[n++] = &p->rules[i];
	return n;
}

static int notify_rest(struct sec_rewritten *w, const struct sec_profile *p,
	const char *name, struct sec_rule *whole)
{
	const struct sec_rule *rules[64];
	struct sec_box boxes[SEC_BOXES];
	size_t n = rules_for(p, name, rules, 64), n_boxes, i;
	int r;

	if (n == 64)
		return -E2BIG;
	if (n == 0) {
		w->n_notified++;
		return sec_rule_add_name(whole, name);
	}
	r = sec_box_complement(rules, n, boxes, &n_boxes);
	for (i = 0; r == 0 && i < n_boxes; i++) {
		w->n_notified++;
		r = sec_box_add_rules(
			&w->profile, name, SCMP_ACT_NOTIFY, &boxes[i]);
	}
	return r;
}

/* With names that are newer in the profile, runc's ENOSYS begins later: what is
 * not among them gets it from a rule. */
static int keep_enosys(struct sec_rewritten *w, const struct sec_profile *p,
	const struct sec_runtime *rt, const char *name)
{
	uint32_t archs[SEC_ARCHS + 1];
	unsigned n = sec_archs_of(p, archs), i;
	struct seccomp_call call;
	struct sec_rule *rule;

	for (i = 0; i < n; i++) {
		int last = sec_last_of(p, rt, archs[i]);

		if (last > 0 && sec_call_of(name, archs[i], &call) &&
			call.nr > last)
			return sec_profile_add(&w->profile, name,
				SCMP_ACT_ERRNO(ENOSYS), &rule);
	}
	return 0;
}

/* whole collects the names that no rule speaks of. */
static int turn_default(struct sec_rewritten *w, const struct sec_profile *p,
	const struct sec_runtime *rt)
{
	struct sec_profile scratch = {0};
	struct sec_rule *whole, *to;
	size_t i;
	int r = sec_profile_add(&scratch, "", SCMP_ACT_NOTIFY, &whole);

	if (r == 0)
		sec_rule_remove_name(whole, "");
	for (i = 0; r == 0 && i < w->n_names; i++) {
		if (!may_notify(w, w->names[i])) {
			r = keep_enosys(w, p, rt, w->names[i]);
			continue;
		}
		r = notify_rest(w, p, w->names[i], whole);
		if (r == -E2BIG) {
			w->dropped[i] = true;
			r = -EAGAIN;
		}
	}
	if (r == 0 && whole->names[0]) {
		r = sec_profile_add(
			&w->profile, whole->names[0], SCMP_ACT_NOTIFY, &to);
		for (i = 1; r == 0 && whole->names[i]; i++)
			r = sec_rule_add_name(to, whole->names[i]);
	}
	sec_profile_clear(&scratch);
	return r;
}

static int turn(struct sec_rewritten *w, const struct sec_profile *p,
	const struct sec_runtime *rt)
{
	size_t i;
	int r;

	sec_profile_clear(&w->profile);
	w->n_notified = 0;
	r = sec_profile_copy(p, &w->profile);
	for (i = 0; r == 0 && i < p->n_rules; i++)
		if (sec_is_errno(p->rules[i].action) &&
			p->rules[i].action != p->action)
			r = turn_rule(w, i);
	if (r == 0 && sec_is_errno(p->action))
		r = turn_default(w, p, rt);
	return r;
}

struct judging {
	const struct sec_rewritten *w;
	struct sec_fate fate;
};

static void judge(const struct seccomp_call *call, void *arg)
{
	struct judging *j = arg;
	uint32_t was = seccomp_filter_says(j->w->original.filter, call);
	uint32_t is = seccomp_filter_says(j->w->filter.filter, call);

	if (sec_is_errno(was) && is == SCMP_ACT_NOTIFY)
		j->fate.notified = true;
	else if (was != is)
		j->fate.wrong = true;
	else if (sec_is_errno(was))
		j->fate.silent = true;
}

struct sec_fate sec_rewritten_fate(const struct sec_rewritten *w,
	const struct sec_profile *original, const char *name, uint32_t arch)
{
	struct judging j = {.w = w};
	struct seccomp_call call;

	if (sec_call_of(name, arch, &call))
		sec_points_each(original, name, &call, judge, &j);
	return j.fate;
}

/* -EAGAIN: a name that is not as it was has been dropped. */
static int verify(
	struct sec_rewritten *w, const struct sec_profile *p, struct err *e)
{
	uint32_t archs[SEC_ARCHS + 1];
	unsigned n = sec_archs_of(p, archs), k;
	size_t i;
	int r = 0;

	for (i = 0; i < w->n_names; i++)
		for (k = 0; k < n; k++) {
			if (!sec_rewritten_fate(w, p, w->names[i], archs[k])
					.wrong)
				continue;
			if (w->dropped[i])
				return err_set(e, -EINVAL,
					"the profile cannot be rewritten: "
					"'%s' would not be as it was",
					w->names[i]);
			w->dropped[i] = true;
			r = -EAGAIN;
			break;
		}
	return r;
}

static int one_round(struct sec_rewritten *w, const struct sec_profile *p,
	const struct sec_runtime *rt, struct err *e)
{
	const char *name;
	size_t at;
	int r = turn(w, p, rt);

	if (r < 0)
		return r == -EAGAIN ? r : err_sys(e, r, "rewrite the profile");
	if (w->n_notified == 0)
		return 0;
	sec_program_clear(&w->filter);
	r = sec_program_make(&w->profile, rt, &w->filter, &name, e);
	at = name ? sec_names_find(w->names, w->n_names, name) : w->n_names;
	if (r == -EINVAL && at < w->n_names && !w->dropped[at]) {
		w->dropped[at] = true;
		return -EAGAIN;
	}
	return r < 0 ? r : verify(w, p, e);
}

int sec_rewrite(const struct sec_profile *p, const struct sec_runtime *rt,
	struct sec_rewritten *ret, struct err *e)
{
	struct sec_rewritten w = {0};
	const char *name;
	int r, i;

	r = sec_program_make(p, rt, &w.original, &name, e);
	if (r == 0)
		r = sec_names_list(p, &w.names, &w.n_names);
	if (r == 0)
		w.dropped = calloc(w.n_names + 1, sizeof(bool));
	if (r < 0 || !w.dropped) {
		sec_rewritten_clear(&w);
		return r == -EINVAL ? r : err_sys(e, -ENOMEM, "rewrite");
	}
	r = -EAGAIN;
	for (i = 0; r == -EAGAIN && i < ROUNDS; i++)
		r = one_round(&w, p, rt, e);
	if (r == -EAGAIN)
		err_set(e, -EINVAL, "the profile cannot be rewritten");
	if (r < 0)
		sec_rewritten_clear(&w);
	else
		*ret = w;
	return r == -EAGAIN ? -EINVAL : r;
}

void sec_rewritten_clear(struct sec_rewritten *w)
{
	size_t i;

	sec_profile_clear(&w->profile);
	sec_program_clear(&w->original);
	sec_program_clear(&w->filter);
	for (i = 0; i < w->n_names; i++)
		free(w->names[i]);
	free(w->names);
	free(w->dropped);
	memset(w, 0, sizeof(*w));
}
