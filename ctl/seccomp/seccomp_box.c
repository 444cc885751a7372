/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/seccomp/seccomp_box.h"

#include <errno.h>
#include <string.h>

/* The pieces that one condition can leave of a set: a bit each of a mask, times
 * the pieces of a range. */
#define PIECES 128

/* Rules that one box may become. */
#define RULES 256

struct pieces {
	struct sec_set at[PIECES];
	size_t n;
	bool too_many;
};

static void add_piece(struct pieces *p, bool masked, uint64_t a, uint64_t b)
{
	if (!masked && a > b)
		return;
	if (p->n == PIECES) {
		p->too_many = true;
		return;
	}
	p->at[p->n++] = (struct sec_set){masked, a, b};
}

static void below(struct pieces *p, uint64_t v) /* x < v */
{
	if (v > 0)
		add_piece(p, false, 0, v - 1);
}

static void above(struct pieces *p, uint64_t v) /* x > v */
{
	if (v < UINT64_MAX)
		add_piece(p, false, v + 1, UINT64_MAX);
}

/* The values for which a condition does not hold. */
static void negate(const struct scmp_arg_cmp *c, struct pieces *ret)
{
	uint64_t v = c->datum_a, bit;

	ret->n = 0;
	ret->too_many = false;
	switch (c->op) {
	case SCMP_CMP_EQ:
		below(ret, v);
		above(ret, v);
		break;
	case SCMP_CMP_NE:
		add_piece(ret, false, v, v);
		break;
	case SCMP_CMP_LT:
		add_piece(ret, false, v, UINT64_MAX);
		break;
	case SCMP_CMP_LE:
		above(ret, v);
		break;
	case SCMP_CMP_GE:
		below(ret, v);
		break;
	case SCMP_CMP_GT:
		add_piece(ret, false, 0, v);
		break;
	default: /* SCMP_CMP_MASKED_EQ: one of the bits differs */
		for (bit = 1; bit; bit <<= 1)
			if (v & bit)
				add_piece(ret, true, bit, ~c->datum_b & bit);
	}
}

/* A range as sets of values with the same leading bits. */
static void split(uint64_t a, uint64_t b, struct pieces *ret)
{
	ret->n = 0;
	ret->too_many = false;
	for (;;) {
		unsigned bits = a ? (unsigned)__builtin_ctzll(a) : 64;
		uint64_t last;

		for (;; bits--) {
			last = bits == 64 ? UINT64_MAX
					  : a + (((uint64_t)1 << bits) - 1);
			if (last <= b)
				break;
		}
		add_piece(ret, true, bits == 64 ? 0 : UINT64_MAX << bits, a);
		if (last == b)
			return;
		a = last + 1;
	}
}

static void meet_masked(
	struct pieces *ret, const struct sec_set *s, const struct sec_set *t)
{
	if (((s->b ^ t->b) & s->a & t->a) == 0)
		add_piece(ret, true, s->a | t->a, s->b | t->b);
}

/* What is in both. */
static void meet(
	const struct sec_set *s, const struct sec_set *t, struct pieces *ret)
{
	struct pieces parts;
	size_t i;

	ret->n = 0;
	ret->too_many = false;
	if (s->masked && !t->masked) {
		meet(t, s, ret);
	} else if (s->masked) {
		meet_masked(ret, s, t);
	} else if (!t->masked) {
		add_piece(ret, false, s->a > t->a ? s->a : t->a,
			s->b < t->b ? s->b : t->b);
	} else if (s->a == 0 && s->b == UINT64_MAX) {
		add_piece(ret, true, t->a, t->b);
	} else {
		split(s->a, s->b, &parts);
		for (i = 0; i < parts.n; i++)
			meet_masked(ret, &parts.at[i], t);
	}
}

struct boxes {
	struct sec_box *at;
	size_t n;
};

/* Takes one condition's negation out of a box. */
static int add_cuts(struct boxes *to, const struct sec_box *box,
	const struct scmp_arg_cmp *c)
{
	struct pieces outside, both;
	size_t i, k;

	negate(c, &outside);
	for (i = 0; i < outside.n; i++) {
		meet(&box->at[c->arg], &outside.at[i], &both);
		if (both.too_many)
			return -E2BIG;
		for (k = 0; k < both.n; k++) {
			if (to->n == SEC_BOXES)
				return -E2BIG;
			to->at[to->n] = *box;
			to->at[to->n++].at[c->arg] = both.at[k];
		}
	}
	return 0;
}

/* The values for which a condition holds. */
static void affirm(const struct scmp_arg_cmp *c, struct pieces *ret)
{
	static const enum scmp_compare opposite[] = {
		[SCMP_CMP_NE] = SCMP_CMP_EQ,
		[SCMP_CMP_EQ] = SCMP_CMP_NE,
		[SCMP_CMP_LT] = SCMP_CMP_GE,
		[SCMP_CMP_GE] = SCMP_CMP_LT,
		[SCMP_CMP_LE] = SCMP_CMP_GT,
		[SCMP_CMP_GT] = SCMP_CMP_LE,
	};
	struct scmp_arg_cmp not = *c;

	if (c->op != SCMP_CMP_MASKED_EQ) {
		not .op = opposite[c->op];
		negate(&not, ret);
		return;
	}
	ret->n = 0;
	ret->too_many = false;
	add_piece(ret, true, c->datum_a, c->datum_b & c->datum_a);
}

/* Whether a condition holds for nothing in the set. */
static bool is_apart(const struct sec_set *s, const struct scmp_arg_cmp *c)
{
	struct pieces inside, both;
	size_t i;

	affirm(c, &inside);
	for (i = 0; i < inside.n; i++) {
		meet(s, &inside.at[i], &both);
		if (both.n > 0)
			return false;
	}
	return true;
}

static int add_box(struct boxes *to, const struct sec_box *box)
{
	if (to->n == SEC_BOXES)
		return -E2BIG;
	to->at[to->n++] = *box;
	return 0;
}

/* A box without what a rule matches: in each part one condition fails. */
static int subtract(struct boxes *to, const struct sec_box *box,
	const struct sec_rule *rule)
{
	unsigned i;
	int r = 0;

	for (i = 0; i < rule->n_conds; i++)
		if (is_apart(&box->at[rule->conds[i].arg], &rule->conds[i]))
			return add_box(to, box);
	for (i = 0; r == 0 && i < rule->n_conds; i++)
		r = add_cuts(to, box, &rule->conds[i]);
	return r;
}

static bool has_mask(const struct sec_rule *rule)
{
	unsigned i;

	for (i = 0; i < rule->n_conds; i++)
		if (rule->conds[i].op == SCMP_CMP_MASKED_EQ)
			return true;
	return false;
}

static int subtract_all(
	struct boxes *now, struct boxes *next, const struct sec_rule *rule)
{
	struct boxes old = *now;
	size_t i;
	int r = 0;

	next->n = 0;
	for (i = 0; r == 0 && i < now->n; i++)
		r = subtract(next, &now->at[i], rule);
	*now = *next;
	*next = old;
	return r;
}

/* Masks come first: of the few bits that they leave, ranges often take nothing
 * away. */
int sec_box_complement(const struct sec_rule *const *rules, size_t n,
	struct sec_box *ret, size_t *ret_n)
{
	struct sec_box room[SEC_BOXES];
	struct boxes now = {ret, 1}, next = {room, 0};
	size_t i;
	int r = 0;

	for (i = 0; i < SEC_CONDS; i++)
		ret[0].at[i] = (struct sec_set){false, 0, UINT64_MAX};
	for (i = 0; r == 0 && i < n; i++)
		if (has_mask(rules[i]))
			r = subtract_all(&now, &next, rules[i]);
	for (i = 0; r == 0 && i < n; i++)
		if (!has_mask(rules[i]))
			r = subtract_all(&now, &next, rules[i]);
	if (r < 0)
		return r;
	if (now.at != ret)
		memcpy(ret, now.at, now.n * sizeof(*ret));
	*ret_n = now.n;
	return 0;
}

/* The condition that says what is in a set; none if all is. */
static void add_cond(struct sec_rule *r, unsigned arg, const struct sec_set *s)
{
	struct scmp_arg_cmp *c = &r->conds[r->n_conds];

	if ((s->masked && s->a == 0) ||
		(!s->masked && s->a == 0 && s->b == UINT64_MAX))
		return;
	*c = (struct scmp_arg_cmp){.arg = arg, .datum_a = s->a};
	if (s->masked) {
		c->op = SCMP_CMP_MASKED_EQ;
		c->datum_b = s->b & s->a;
	} else if (s->a == s->b) {
		c->op = SCMP_CMP_EQ;
	} else if (s->a == 0) {
		c->op = SCMP_CMP_LE;
		c->datum_a = s->b;
	} else { /* not GE: 2^32 becomes 0 where arguments have 32 bits */
		c->op = SCMP_CMP_GT;
		c->datum_a = s->a - 1;
	}
	r->n_conds++;
}

static int add_rule(struct sec_profile *p, const char *name, uint32_t action,
	const struct sec_box *box)
{
	struct sec_rule *r;
	unsigned i;

	if (sec_profile_add(p, name, action, &r) < 0)
		return -ENOMEM;
	for (i = 0; i < SEC_CONDS; i++)
		add_cond(r, i, &box->at[i]);
	return 0;
}

static bool is_range(const struct sec_set *s)
{
	return !s->masked && s->a > 0 && s->b < UINT64_MAX && s->a < s->b;
}

int sec_box_add_rules(struct sec_profile *p, const char *name, uint32_t action,
	const struct sec_box *box)
{
	size_t before = p->n_rules, k;
	struct pieces parts;
	struct sec_box part;
	unsigned i;
	int r = 0;

	for (i = 0; i < SEC_CONDS && !is_range(&box->at[i]); i++)
		;
	if (i == SEC_CONDS)
		return add_rule(p, name, action, box);
	split(box->at[i].a, box->at[i].b, &parts);
	part = *box;
	for (k = 0; r == 0 && k < parts.n; k++) {
		part.at[i] = parts.at[k];
		r = sec_box_add_rules(p, name, action, &part);
		if (p->n_rules - before > RULES)
			r = -E2BIG;
	}
	return r;
}
