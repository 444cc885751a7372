/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/seccomp/seccomp_points.h"

#include <string.h>

/* Of one argument; more of them are not looked at. */
#define VALUES 512

struct values {
	uint64_t at[VALUES];
	unsigned n;
};

static void add(struct values *v, uint64_t value)
{
	unsigned i;

	for (i = 0; i < v->n; i++)
		if (v->at[i] == value)
			return;
	if (v->n < VALUES)
		v->at[v->n++] = value;
}

static void add_cond(struct values *v, const struct scmp_arg_cmp *c)
{
	uint64_t bit, base = c->datum_a;

	if (c->op == SCMP_CMP_MASKED_EQ) {
		base = c->datum_b;
		for (bit = 1; bit; bit <<= 1) {
			add(v, base ^ bit);
			add(v, (base ^ bit) | ~c->datum_a);
		}
		add(v, base | ~c->datum_a);
		add(v, ~base);
	}
	add(v, base);
	add(v, base - 1);
	add(v, base + 1);
	add(v, base | (uint64_t)1 << 32);
	add(v, base / 2);
	add(v, base * 2);
}

static void find_values(const struct sec_profile *p, const char *name,
	struct values ret[SEC_CONDS])
{
	static const uint64_t always[] = {0, 1, 2, 7, 0x100, 0xffffffff,
		0x100000000, UINT64_MAX / 2, UINT64_MAX};
	size_t i, k;

	for (i = 0; i < SEC_CONDS; i++)
		ret[i].n = 0;
	for (i = 0; i < p->n_rules; i++) {
		if (!sec_rule_has(&p->rules[i], name))
			continue;
		for (k = 0; k < p->rules[i].n_conds; k++)
			add_cond(&ret[p->rules[i].conds[k].arg],
				&p->rules[i].conds[k]);
	}
	for (i = 0; i < SEC_CONDS; i++)
		for (k = 0; k < sizeof(always) / sizeof(always[0]); k++)
			add(&ret[i], always[k]);
	for (k = 0; k < 32; k++) /* socketcall(2) and ipc(2) */
		add(&ret[0], k);
}

/* A value for which the condition holds. */
static uint64_t satisfy(const struct scmp_arg_cmp *c)
{
	switch (c->op) {
	case SCMP_CMP_NE:
	case SCMP_CMP_GT:
		return c->datum_a + 1;
	case SCMP_CMP_LT:
		return c->datum_a - 1;
	case SCMP_CMP_MASKED_EQ:
		return c->datum_b;
	default:
		return c->datum_a;
	}
}

/* Each argument in turn takes each of its values; the others stay. */
static void vary(const struct seccomp_call *base,
	const struct values values[SEC_CONDS], sec_point_cb cb, void *arg)
{
	struct seccomp_call call;
	unsigned i, k;

	for (i = 0; i < SEC_CONDS; i++) {
		call = *base;
		for (k = 0; k < values[i].n; k++) {
			call.args[i] = values[i].at[k];
			cb(&call, arg);
		}
	}
}

static bool has_conditions(const struct sec_profile *p, const char *name)
{
	size_t i;

	if (strcmp(name, "socketcall") == 0 || strcmp(name, "ipc") == 0)
		return true;
	for (i = 0; i < p->n_rules; i++)
		if (p->rules[i].n_conds && sec_rule_has(&p->rules[i], name))
			return true;
	return false;
}

void sec_points_each(const struct sec_profile *p, const char *name,
	const struct seccomp_call *call, sec_point_cb cb, void *arg)
{
	struct values values[SEC_CONDS];
	struct seccomp_call base = *call;
	size_t i, k;

	if (!has_conditions(p, name)) {
		cb(&base, arg);
		memset(base.args, 0xff, sizeof(base.args));
		cb(&base, arg);
		return;
	}
	find_values(p, name, values);
	vary(&base, values, cb, arg);
	memset(base.args, 0xff, sizeof(base.args));
	vary(&base, values, cb, arg);
	for (i = 0; i < p->n_rules; i++) {
		if (!p->rules[i].n_conds || !sec_rule_has(&p->rules[i], name))
			continue;
		base = *call;
		for (k = 0; k < p->rules[i].n_conds; k++)
			base.args[p->rules[i].conds[k].arg] =
				satisfy(&p->rules[i].conds[k]);
		vary(&base, values, cb, arg);
	}
}
