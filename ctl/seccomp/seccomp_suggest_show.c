/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/seccomp/seccomp_names.h"
#include "ctl/seccomp/seccomp_suggest.h"

/* Whether an earlier denial was of the same call. */
static bool is_repeated(const struct sec_denials *d, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (strcmp(d->at[i].name, d->at[at].name) == 0)
			return true;
	return false;
}

static void show_denials(
	const struct sec_change *c, const struct sec_denials *d)
{
	char number[16];
	size_t i;

	puts("Denied:");
	for (i = 0; i < d->n; i++) {
		const struct sec_denial *x = &d->at[i];

		printf("  %s by %s, %" PRIu64 " time%s: %s\n    %s\n", x->call,
			x->comm, x->total, x->total == 1 ? "" : "s",
			sec_errno_name(x->error, number), x->why);
		if (!c->allowed[i])
			puts("    (the change below does not allow this)");
	}
	if (d->unnamed)
		printf("  and %" PRIu64 " calls that were not named\n",
			d->unnamed);
}

static int rule_text(const struct sec_rule *r, char **ret)
{
	yajl_gen g = yajl_gen_alloc(NULL);

	if (!g)
		return -ENOMEM;
	sec_rule_put(g, r);
	return ctl_json_take(g, ret);
}

static int show_change(const struct sec_change *c)
{
	const struct sec_profile *p = &c->profile;
	bool said = false;
	char *text;
	size_t i;

	for (i = 0; i < c->n_removals; i++)
		printf("%s  take \"%s\" out of syscalls[%u].names\n",
			i ? "" : "\nTo allow that, in the profile:\n",
			c->removals[i].name, c->removals[i].rule);
	for (i = c->first_added; i < p->n_rules; i++) {
		if (!p->rules[i].names[0])
			continue;
		if (rule_text(&p->rules[i], &text) < 0)
			return -ENOMEM;
		if (!said)
			printf("%s  add to syscalls:\n",
				c->n_removals
					? ""
					: "\nTo allow that, in the profile:\n");
		printf("    %s\n", text);
		said = true;
		free(text);
	}
	return 0;
}

static void show_cautions(const struct sec_denials *d)
{
	bool said = false;
	size_t i;

	for (i = 0; i < d->n; i++) {
		const char *caution = sec_name_caution(d->at[i].name);

		if (!caution || is_repeated(d, i))
			continue;
		printf("%s  %s: %s\n",
			said ? "" : "\nBefore you do, consider:\n",
			d->at[i].name, caution);
		said = true;
	}
}

static int show_text(const struct sec_change *c, const struct sec_denials *d)
{
	if (d->n == 0) {
		puts("Nothing has been denied.");
		return 0;
	}
	show_denials(c, d);
	if (show_change(c) < 0)
		return -ENOMEM;
	show_cautions(d);
	puts("\nWhat is allowed may fail all the same, for want of a "
	     "capability.");
	return 0;
}

static void put_denials(
	yajl_gen g, const struct sec_change *c, const struct sec_denials *d)
{
	char number[16];
	size_t i;

	ctl_json_put_array(g, "denied");
	for (i = 0; i < d->n; i++) {
		const struct sec_denial *x = &d->at[i];

		yajl_gen_map_open(g);
		ctl_json_put(g, "syscall", x->name);
		ctl_json_put(g, "arch", x->arch);
		ctl_json_put(g, "call", x->call);
		ctl_json_put(g, "comm", x->comm);
		ctl_json_put(g, "errno", sec_errno_name(x->error, number));
		ctl_json_put(g, "profile", x->why);
		ctl_json_put_number(g, "total", (long long)x->total);
		ctl_json_put_bool(g, "allowed", c->allowed[i]);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	ctl_json_put_number(g, "unnamed", (long long)d->unnamed);
}

static void put_change(
	yajl_gen g, const struct sec_change *c, const struct sec_denials *d)
{
	size_t i;

	ctl_json_put_array(g, "remove");
	for (i = 0; i < c->n_removals; i++) {
		yajl_gen_map_open(g);
		ctl_json_put_number(g, "rule", c->removals[i].rule);
		ctl_json_put(g, "name", c->removals[i].name);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	ctl_json_put_array(g, "add");
	for (i = c->first_added; i < c->profile.n_rules; i++)
		if (c->profile.rules[i].names[0])
			sec_rule_put(g, &c->profile.rules[i]);
	yajl_gen_array_close(g);
	ctl_json_put_map(g, "cautions");
	for (i = 0; i < d->n; i++)
		if (sec_name_caution(d->at[i].name) && !is_repeated(d, i))
			ctl_json_put(g, d->at[i].name,
				sec_name_caution(d->at[i].name));
	yajl_gen_map_close(g);
}

static int show_json(const struct sec_change *c, const struct sec_denials *d)
{
	yajl_gen g = yajl_gen_alloc(NULL);
	char *text;

	if (!g)
		return -ENOMEM;
	yajl_gen_config(g, yajl_gen_beautify, 1);
	yajl_gen_map_open(g);
	put_denials(g, c, d);
	put_change(g, c, d);
	ctl_json_key(g, "profile");
	sec_profile_put(g, &c->profile, NULL, NULL);
	yajl_gen_map_close(g);
	if (ctl_json_take(g, &text) < 0)
		return -ENOMEM;
	fputs(text, stdout);
	free(text);
	return 0;
}

int sec_suggest_show(const struct sec_change *c, const struct sec_denials *d,
	bool json, struct err *e)
{
	int r = json ? show_json(c, d) : show_text(c, d);

	if (r == 0 && (fflush(stdout) == EOF || ferror(stdout)))
		r = -EIO;
	return r < 0 ? err_sys(e, r, "print the suggestion") : 0;
}
