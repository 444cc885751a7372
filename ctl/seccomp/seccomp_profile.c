/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/seccomp/seccomp_profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRNO_DEFAULT EPERM
#define FILE_MAX (16u << 20)

#define N(a) (sizeof(a) / sizeof((a)[0]))

static yajl_val get(yajl_val v, const char *key, yajl_type type)
{
	const char *path[] = {key, NULL};

	return yajl_tree_get(v, path, type);
}

/* Bits above 16 are nothing to the kernel: it takes the rest. */
static int parse_action(yajl_val v, const char *key, const char *errno_key,
	uint32_t *ret, struct err *e)
{
	const char *text = ctl_json_get(v, key);
	yajl_val data = get(v, errno_key, yajl_t_number);
	long long number = data && YAJL_IS_INTEGER(data)
				   ? YAJL_GET_INTEGER(data)
				   : ERRNO_DEFAULT;

	if (sec_action_find(text, ret) == 0) {
		if (sec_action_has_errno(*ret))
			*ret |= (uint32_t)number & 0xffff;
		return 0;
	}
	return err_set(e, -EINVAL,
		"%s '%s' is unknown: use SCMP_ACT_ERRNO, "
		"SCMP_ACT_ALLOW, ...",
		key, text ? text : "(none)");
}

/* yajl's integers are signed; a value may have all 64 bits. */
static uint64_t number_of(yajl_val v, const char *key)
{
	yajl_val n = get(v, key, yajl_t_number);

	return n ? strtoull(n->u.number.r, NULL, 10) : 0;
}

static int parse_cond(yajl_val v, struct scmp_arg_cmp *ret, struct err *e)
{
	const char *text = ctl_json_get(v, "op");
	uint64_t index = number_of(v, "index");

	if (!YAJL_IS_OBJECT(v) || index >= SEC_CONDS)
		return err_set(e, -EINVAL, "args: index must be 0 to 5");
	*ret = (struct scmp_arg_cmp){.arg = (unsigned)index,
		.datum_a = number_of(v, "value"),
		.datum_b = number_of(v, "valueTwo")};
	if (sec_op_find(text, &ret->op) == 0)
		return 0;
	return err_set(
		e, -EINVAL, "args: op '%s' is unknown", text ? text : "(none)");
}

static struct sec_rule *new_rule(struct sec_profile *p)
{
	struct sec_rule *rules =
		realloc(p->rules, (p->n_rules + 1) * sizeof(*rules));

	if (!rules)
		return NULL;
	p->rules = rules;
	memset(&rules[p->n_rules], 0, sizeof(*rules));
	rules[p->n_rules].names = calloc(1, sizeof(char *));
	if (!rules[p->n_rules].names)
		return NULL;
	return &rules[p->n_rules++];
}

static size_t count_names(const struct sec_rule *r)
{
	size_t n = 0;

	while (r->names[n])
		n++;
	return n;
}

int sec_rule_add_name(struct sec_rule *r, const char *name)
{
	size_t n = count_names(r);
	char **names = realloc(r->names, (n + 2) * sizeof(*names));

	if (!names)
		return -ENOMEM;
	r->names = names;
	names[n] = strdup(name);
	names[n + 1] = NULL;
	return names[n] ? 0 : -ENOMEM;
}

bool sec_rule_remove_name(struct sec_rule *r, const char *name)
{
	char **at;

	for (at = r->names; *at && strcmp(*at, name) != 0;)
		at++;
	if (!*at)
		return false;
	free(*at);
	for (; *at; at++)
		at[0] = at[1];
	return true;
}

bool sec_rule_has(const struct sec_rule *r, const char *name)
{
	size_t i;

	for (i = 0; r->names[i]; i++)
		if (strcmp(r->names[i], name) == 0)
			return true;
	return false;
}

int sec_profile_add(struct sec_profile *p, const char *name, uint32_t action,
	struct sec_rule **ret)
{
	struct sec_rule *r = new_rule(p);

	if (!r || sec_rule_add_name(r, name) < 0)
		return -ENOMEM;
	r->action = action;
	r->number = (unsigned)(p->n_rules - 1);
	*ret = r;
	return 0;
}

static int add_names(struct sec_rule *r, yajl_val v, struct err *e)
{
	yajl_val names = get(v, "names", yajl_t_array);
	const char *name = ctl_json_get(v, "name"); /* docker's old form */
	size_t i;
	int rc = 0;

	if (name)
		rc = sec_rule_add_name(r, name);
	for (i = 0; rc == 0 && names && i < names->u.array.len; i++) {
		name = YAJL_GET_STRING(names->u.array.values[i]);
		if (!name)
			return err_set(e, -EINVAL, "names must be strings");
		rc = sec_rule_add_name(r, name);
	}
	if (rc == 0 && !r->names[0])
		return err_set(e, -EINVAL, "it has no names");
	return rc < 0 ? err_sys(e, rc, "names") : 0;
}

static bool has_alternatives(const struct scmp_arg_cmp *conds, size_t n)
{
	unsigned seen = 0, i;

	for (i = 0; i < n; i++) {
		if (seen & 1U << conds[i].arg)
			return true;
		seen |= 1U << conds[i].arg;
	}
	return false;
}

/* One rule, or one for each alternative. */
static int add_rules(struct sec_profile *p, yajl_val v, unsigned number,
	uint32_t action, struct err *e)
{
	yajl_val args = get(v, "args", yajl_t_array);
	size_t n = args ? args->u.array.len : 0, i, rules = 1;
	struct scmp_arg_cmp conds[64] = {0};
	int rc;

	if (n > N(conds))
		return err_set(e, -E2BIG, "it has more than 64 args");
	for (i = 0; i < n; i++) {
		rc = parse_cond(args->u.array.values[i], &conds[i], e);
		if (rc < 0)
			return rc;
	}
	if (has_alternatives(conds, n))
		rules = n;
	for (i = 0; i < rules; i++) {
		struct sec_rule *r = new_rule(p);

		if (!r)
			return err_sys(e, -ENOMEM, "rule");
		r->action = action;
		r->number = number;
		r->n_conds = rules > 1 ? 1 : (unsigned)n;
		memcpy(r->conds, conds + i, r->n_conds * sizeof(*conds));
		rc = add_names(r, v, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int parse_rules(
	struct sec_profile *p, yajl_val v, yajl_val config, struct err *e)
{
	yajl_val list = get(v, "syscalls", yajl_t_array);
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && list && i < list->u.array.len; i++) {
		yajl_val rule = list->u.array.values[i];
		uint32_t action = 0;

		if (!sec_docker_applies(rule, config))
			continue;
		rc = parse_action(rule, "action", "errnoRet", &action, e);
		if (rc == 0)
			rc = add_rules(p, rule, (unsigned)i, action, e);
		if (rc < 0)
			err_prefix(e, "syscalls[%zu]", i);
		if (rc == 0 && action == SCMP_ACT_NOTIFY)
			p->has_listener = true;
	}
	return rc;
}

static int parse_archs(struct sec_profile *p, yajl_val v, struct err *e)
{
	yajl_val list = get(v, "architectures", yajl_t_array);
	size_t i;

	for (i = 0; list && i < list->u.array.len; i++) {
		const char *text = YAJL_GET_STRING(list->u.array.values[i]);
		uint32_t arch = text ? sec_arch_find(text) : 0;

		if (!arch || p->n_archs == SEC_ARCHS)
			return err_set(e, -EINVAL,
				"architecture '%s' is unknown",
				text ? text : "");
		p->archs[p->n_archs++] = arch;
	}
	return 0;
}

static int parse_flags(struct sec_profile *p, yajl_val v, struct err *e)
{
	yajl_val list = get(v, "flags", yajl_t_array);
	size_t i;

	for (i = 0; list && i < list->u.array.len; i++) {
		const char *text = YAJL_GET_STRING(list->u.array.values[i]);

		if (!text || strlen(text) >= sizeof(p->flags[0]) ||
			p->n_flags == SEC_FLAGS)
			return err_set(e, -EINVAL,
				"flags must be strings such as "
				"SECCOMP_FILTER_FLAG_LOG, 8 at most");
		strcpy(p->flags[p->n_flags++], text);
	}
	return 0;
}

static int parse(
	yajl_val v, yajl_val config, struct sec_profile *ret, struct err *e)
{
	struct sec_profile p = {0};
	const char *listener = ctl_json_get(v, "listenerPath");
	int rc = parse_action(
		v, "defaultAction", "defaultErrnoRet", &p.action, e);

	p.has_listener = listener && *listener;
	if (rc == 0)
		rc = parse_archs(&p, v, e);
	if (rc == 0)
		rc = sec_docker_archs(v, &p, e);
	if (rc == 0)
		rc = parse_flags(&p, v, e);
	if (rc == 0)
		rc = parse_rules(&p, v, config, e);
	if (rc < 0) {
		sec_profile_clear(&p);
		return rc;
	}
	*ret = p;
	return 0;
}

int sec_profile_parse(yajl_val v, struct sec_profile *ret, struct err *e)
{
	return parse(v, NULL, ret, e);
}

int sec_profile_read(const char *path, yajl_val config, struct sec_profile *ret,
	struct err *e)
{
	static const char *in_config[] = {"linux", "seccomp", NULL};
	yajl_val root = NULL, v;
	int rc = ctl_json_read(path, FILE_MAX, &root, e);

	if (rc < 0)
		return rc;
	v = yajl_tree_get(root, in_config, yajl_t_object);
	rc = parse(v ? v : root, config, ret, e);
	yajl_tree_free(root);
	if (rc < 0)
		err_prefix(e, "seccomp profile '%s'", path);
	return rc;
}

int sec_profile_copy(const struct sec_profile *p, struct sec_profile *ret)
{
	struct sec_profile c = {.action = p->action,
		.n_archs = p->n_archs,
		.n_flags = p->n_flags,
		.has_listener = p->has_listener};
	bool ok = true;
	size_t i, k;

	memcpy(c.archs, p->archs, sizeof(c.archs));
	memcpy(c.flags, p->flags, sizeof(c.flags));
	for (i = 0; ok && i < p->n_rules; i++) {
		struct sec_rule *to = new_rule(&c);
		const struct sec_rule *from = &p->rules[i];
		char **names;

		ok = to != NULL;
		if (!ok)
			break;
		names = to->names;
		*to = *from;
		to->names = names;
		for (k = 0; ok && from->names[k]; k++)
			ok = sec_rule_add_name(to, from->names[k]) == 0;
	}
	if (!ok) {
		sec_profile_clear(&c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

void sec_profile_clear(struct sec_profile *p)
{
	size_t i, k;

	for (i = 0; i < p->n_rules; i++) {
		for (k = 0; p->rules[i].names[k]; k++)
			free(p->rules[i].names[k]);
		free(p->rules[i].names);
	}
	free(p->rules);
	memset(p, 0, sizeof(*p));
}
