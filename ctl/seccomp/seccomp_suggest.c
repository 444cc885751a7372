/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/seccomp/seccomp_suggest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/locate.h"
#include "ctl/place.h"
#include "ctl/seccomp/seccomp_config.h"
#include "ctl/seccomp/seccomp_prepare.h"
#include "ctl/seccomp/seccomp_program.h"

#define PATH_ROOM 2048

/* ---- the change ---- */

static bool holds(const struct scmp_arg_cmp *c, uint64_t x)
{
	switch (c->op) {
	case SCMP_CMP_NE:
		return x != c->datum_a;
	case SCMP_CMP_LT:
		return x < c->datum_a;
	case SCMP_CMP_LE:
		return x <= c->datum_a;
	case SCMP_CMP_EQ:
		return x == c->datum_a;
	case SCMP_CMP_GE:
		return x >= c->datum_a;
	case SCMP_CMP_GT:
		return x > c->datum_a;
	default:
		return (x & c->datum_a) == c->datum_b;
	}
}

static bool matches(const struct sec_rule *r, const struct sec_denial *d)
{
	unsigned i;

	if (!sec_rule_has(r, d->name))
		return false;
	for (i = 0; i < r->n_conds; i++)
		if (!holds(&r->conds[i], d->args[r->conds[i].arg]))
			return false;
	return true;
}

/* Takes the name out of rules that deny this call. */
static int remove_denial(struct sec_change *c, const struct sec_denial *d)
{
	struct sec_removal *more;
	size_t i;

	for (i = 0; i < c->first_added; i++) {
		struct sec_rule *r = &c->profile.rules[i];

		if (!sec_is_errno(r->action) ||
			r->action == c->profile.action || !matches(r, d))
			continue;
		more = realloc(
			c->removals, (c->n_removals + 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		c->removals = more;
		more[c->n_removals++] = (struct sec_removal){
			.rule = r->number, .name = d->name};
		sec_rule_remove_name(r, d->name);
	}
	return 0;
}

static bool is_allowed(const struct sec_profile *p, const struct sec_denial *d)
{
	size_t i;

	for (i = 0; i < p->n_rules; i++)
		if (p->rules[i].action == SCMP_ACT_ALLOW &&
			matches(&p->rules[i], d))
			return true;
	return !sec_is_errno(p->action);
}

/* The arguments that the profile looks at have the values of this call. */
static void add_conditions(struct sec_rule *to, const struct sec_profile *p,
	size_t n_rules, const struct sec_denial *d)
{
	unsigned bits = 0, k;
	size_t i;

	for (i = 0; i < n_rules; i++)
		for (k = 0; k < p->rules[i].n_conds; k++)
			if (sec_rule_has(&p->rules[i], d->name))
				bits |= 1U << p->rules[i].conds[k].arg;
	for (k = 0; k < SEC_CONDS; k++)
		if (bits & 1U << k)
			to->conds[to->n_conds++] =
				(struct scmp_arg_cmp){.arg = k,
					.op = SCMP_CMP_EQ,
					.datum_a = d->args[k]};
}

/* Names without conditions share one rule. */
static int allow(struct sec_change *c, const struct sec_denial *d)
{
	struct sec_profile *p = &c->profile;
	struct sec_rule *r;
	size_t i;

	if (is_allowed(p, d))
		return 0;
	if (sec_profile_add(p, d->name, SCMP_ACT_ALLOW, &r) < 0)
		return -ENOMEM;
	add_conditions(r, p, c->first_added, d);
	if (r->n_conds > 0)
		return 0;
	for (i = c->first_added; i < p->n_rules - 1; i++) {
		if (p->rules[i].n_conds > 0)
			continue;
		sec_rule_remove_name(r, d->name); /* an empty rule is none */
		return sec_rule_add_name(&p->rules[i], d->name);
	}
	return 0;
}

static uint32_t arch_of(const struct sec_profile *p, const char *name)
{
	uint32_t archs[SEC_ARCHS + 1];
	unsigned n = sec_archs_of(p, archs), i;

	for (i = 0; i < n; i++)
		if (strcasecmp(sec_arch_name(archs[i]), name) == 0)
			return archs[i];
	return seccomp_arch_native();
}

/* Asks the filter that would come of it. */
static int check(
	struct sec_change *c, const struct sec_denials *d, struct err *e)
{
	static const struct sec_runtime runtime = {.new_is_enosys = true};
	struct sec_program program;
	struct seccomp_call call;
	const char *name;
	size_t i;
	int r;

	r = sec_program_make(&c->profile, &runtime, &program, &name, e);
	if (r < 0)
		return r;
	for (i = 0; i < d->n; i++) {
		if (!sec_call_of(d->at[i].name,
			    arch_of(&c->profile, d->at[i].arch), &call))
			continue;
		memcpy(call.args, d->at[i].args, sizeof(call.args));
		c->allowed[i] = !sec_is_errno(
			seccomp_filter_says(program.filter, &call));
	}
	sec_program_clear(&program);
	return 0;
}

int sec_change_make(const struct sec_profile *p, const struct sec_denials *d,
	struct sec_change *ret, struct err *e)
{
	struct sec_change c = {.first_added = p->n_rules};
	size_t i;
	int r = sec_profile_copy(p, &c.profile);

	c.allowed = calloc(d->n + 1, sizeof(bool));
	if (!c.allowed)
		r = -ENOMEM;
	for (i = 0; r == 0 && i < d->n; i++)
		r = remove_denial(&c, &d->at[i]);
	for (i = 0; r == 0 && i < d->n; i++)
		r = allow(&c, &d->at[i]);
	if (r < 0)
		err_sys(e, r, "make a suggestion");
	else
		r = check(&c, d, e);
	if (r < 0)
		sec_change_clear(&c);
	else
		*ret = c;
	return r;
}

void sec_change_clear(struct sec_change *c)
{
	sec_profile_clear(&c->profile);
	free(c->removals);
	free(c->allowed);
	memset(c, 0, sizeof(*c));
}

/* ---- where things are ---- */

static int join(char buf[PATH_ROOM], const char *dir, const char *name)
{
	return snprintf(buf, PATH_ROOM, "%s/%s", dir, name) < PATH_ROOM
		       ? 0
		       : -ENAMETOOLONG;
}

static bool is_there(const char *dir, const char *name)
{
	char path[PATH_ROOM];

	return join(path, dir, name) == 0 && access(path, R_OK) == 0;
}

/* The bundle of a container of ours, running or not, or of any other's. */
static int find_bundle(
	const struct sec_suggest *s, char dir[PATH_ROOM], struct err *e)
{
	struct ctl_place place;
	struct ctl_shim shim;
	struct err own;
	int r;

	if (!s->ns && ctl_place_init(&place, s->root, s->what, &own) == 0 &&
		is_there(place.bundle, "config.json")) {
		snprintf(dir, PATH_ROOM, "%s", place.bundle);
		return 0;
	}
	r = ctl_locate(s->ns, s->what, &shim, e);
	if (r < 0)
		return r;
	if (!*shim.via)
		return err_set(
			e, -ENOENT, "the bundle of '%s' is gone", s->what);
	snprintf(dir, PATH_ROOM, "%s", shim.via);
	return 0;
}

static int find(const struct sec_suggest *s, char dir[PATH_ROOM],
	char log[PATH_ROOM], struct err *e)
{
	const char *slash = strrchr(s->what, '/');
	struct stat st;
	int r;

	if (stat(s->what, &st) == 0 && S_ISREG(st.st_mode)) {
		snprintf(log, PATH_ROOM, "%s", s->what);
		snprintf(dir, PATH_ROOM, "%.*s",
			slash ? (int)(slash - s->what) : 1,
			slash ? s->what : ".");
		return 0;
	}
	r = find_bundle(s, dir, e);
	return r < 0 ? r : join(log, dir, SEC_LOG);
}

static int read_profile(const struct sec_suggest *s, const char *dir,
	struct sec_profile *ret, struct err *e)
{
	char path[PATH_ROOM];
	yajl_val root = NULL;
	int r;

	if (s->profile)
		return sec_profile_read(s->profile, NULL, ret, e);
	r = join(path, dir,
		is_there(dir, SEC_ORIGINAL) ? SEC_ORIGINAL : "config.json");
	if (r == 0)
		r = ctl_json_read(path, SEC_CONFIG_MAX, &root, e);
	if (r < 0)
		return err_prefix(e, "use --profile FILE"), r;
	r = sec_config_profile(root)
		    ? sec_profile_parse(sec_config_profile(root), ret, e)
		    : err_set(e, -EINVAL, "'%s' has no seccomp profile", path);
	yajl_tree_free(root);
	return r;
}

int sec_suggest(const struct sec_suggest *s, struct err *e)
{
	struct sec_denials denials = {0};
	struct sec_profile profile;
	struct sec_change change;
	char dir[PATH_ROOM], log[PATH_ROOM];
	int r = find(s, dir, log, e);

	if (r < 0)
		return r;
	r = read_profile(s, dir, &profile, e);
	if (r < 0)
		return r;
	r = sec_denials_read(log, &denials, e);
	if (r == -ENOENT && is_there(dir, SEC_FILTER))
		r = 0; /* it is explained, and has had nothing denied */
	else if (r == -ENOENT)
		err_set(e, r,
			"'%s' has no " SEC_LOG ": nothing was denied, or it "
			"is not explained; run it with --explain-seccomp",
			s->what);
	if (r == 0)
		r = sec_change_make(&profile, &denials, &change, e);
	if (r == 0) {
		r = sec_suggest_show(&change, &denials, s->json, e);
		sec_change_clear(&change);
	}
	sec_denials_free(&denials);
	sec_profile_clear(&profile);
	return r;
}
