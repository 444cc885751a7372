/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/seccomp/seccomp_rewrite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/seccomp/seccomp_box.h"
#include "ctl/seccomp/seccomp_names.h"
#include "ctl/seccomp/seccomp_points.h"
#include "util_test.h"

static const struct sec_runtime runc = {.new_is_enosys = true};
static const struct sec_runtime crun = {.new_is_enosys = false};

#define ARCHS                                                        \
	"\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\"," \
	"\"SCMP_ARCH_X32\"]"
#define ARG(i, op, v, w)                                             \
	"{\"index\":" #i ",\"op\":\"SCMP_CMP_" op "\",\"value\":" #v \
	",\"valueTwo\":" #w "}"
#define RULE(names, action, args)                              \
	"{\"names\":[" names "],\"action\":\"SCMP_ACT_" action \
	"\",\"args\":[" args "]}"

static void parse(const char *text, struct sec_profile *ret)
{
	yajl_val v = yajl_tree_parse(text, NULL, 0);
	struct err e = {0};

	ck_assert_msg(v != NULL, "%s", text);
	ck_assert_msg(sec_profile_parse(v, ret, &e) == 0, "%s", e.msg);
	yajl_tree_free(v);
}

static const char *refused(const char *text)
{
	static struct err e;
	yajl_val v = yajl_tree_parse(text, NULL, 0);
	struct sec_profile p;

	ck_assert_msg(v != NULL, "%s", text);
	ck_assert_int_eq(sec_profile_parse(v, &p, &e), -EINVAL);
	yajl_tree_free(v);
	return e.msg;
}

START_TEST(test_what_is_wrong_is_told)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"{}", "defaultAction"},
		{"{\"defaultAction\":\"DENY\"}", "DENY"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":"
		 "[\"PDP11\"]}",
			"PDP11"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{"
		 "\"action\":\"SCMP_ACT_ALLOW\"}]}",
			"syscalls[0]"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[" RULE(
			 "\"a\"", "ALLOW", ARG(6, "EQ", 1, 0)) "]}",
			"index"},
		{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[" RULE(
			 "\"a\"", "ALLOW", ARG(0, "LIKE", 1, 0)) "]}",
			"LIKE"},
	};
	size_t i;

	for (i = 0; i < LENGTH(bad); i++)
		ck_assert_msg(strstr(refused(bad[i].text), bad[i].why) != NULL,
			"%s: %s", bad[i].text, refused(bad[i].text));
}
END_TEST

/* Written and read again, it is the same. */
START_TEST(test_round_trip)
{
	const char *text =
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,"
		"\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]," ARCHS
		",\"syscalls\":[" RULE("\"read\",\"write\"", "ALLOW",
			"") "," RULE("\"clone\"", "TRACE",
			ARG(0, "MASKED_EQ", 2114060288,
				18446744073709551615)) "]}";
	struct sec_profile p, again;
	char *one, *two;
	yajl_gen g = yajl_gen_alloc(NULL);

	parse(text, &p);
	ck_assert_uint_eq(p.action, SCMP_ACT_ERRNO(38));
	ck_assert(p.rules[1].conds[0].datum_b == UINT64_MAX);
	sec_profile_put(g, &p, NULL, NULL);
	ck_assert_int_eq(ctl_json_take(g, &one), 0);
	parse(one, &again);
	g = yajl_gen_alloc(NULL);
	sec_profile_put(g, &again, NULL, NULL);
	ck_assert_int_eq(ctl_json_take(g, &two), 0);
	ck_assert_str_eq(one, two);
	free(one);
	free(two);
	sec_profile_clear(&p);
	sec_profile_clear(&again);
}
END_TEST

/* runc and crun: conditions on one argument are alternatives. */
START_TEST(test_alternatives)
{
	struct sec_profile p;

	parse("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[" RULE(
		      "\"umask\"", "ALLOW",
		      ARG(0, "EQ", 1, 0) "," ARG(0, "EQ", 2, 0)) "]}",
		&p);
	ck_assert_uint_eq(p.n_rules, 2);
	ck_assert_uint_eq(p.rules[0].n_conds, 1);
	ck_assert_uint_eq(p.rules[1].number, 0);
	sec_profile_clear(&p);
}
END_TEST

static bool in_set(const struct sec_set *s, uint64_t x)
{
	return s->masked ? (x & s->a) == s->b : x >= s->a && x <= s->b;
}

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

struct complement {
	const struct sec_profile *p;
	struct sec_box boxes[SEC_BOXES];
	size_t n;
};

static void is_either(const struct seccomp_call *call, void *arg)
{
	const struct complement *c = arg;
	bool inside = false, outside = false;
	size_t i, k;

	for (i = 0; i < c->p->n_rules; i++) {
		const struct sec_rule *r = &c->p->rules[i];
		bool all = true;

		for (k = 0; k < r->n_conds; k++)
			all &= holds(&r->conds[k], call->args[r->conds[k].arg]);
		inside |= all;
	}
	for (i = 0; i < c->n; i++) {
		bool all = true;

		for (k = 0; k < SEC_CONDS; k++)
			all &= in_set(&c->boxes[i].at[k], call->args[k]);
		outside |= all;
	}
	ck_assert_msg(inside != outside, "at %llx %llx",
		(unsigned long long)call->args[0],
		(unsigned long long)call->args[1]);
}

static const char *const sets[] = {
	ARG(0, "EQ", 0, 0),
	ARG(0, "EQ", 18446744073709551615, 0),
	ARG(0, "NE", 40, 0),
	ARG(0, "LT", 0, 0),
	ARG(0, "LT", 1, 0),
	ARG(0, "LE", 18446744073709551615, 0),
	ARG(0, "GE", 4294967296, 0),
	ARG(0, "GT", 4294967295, 0),
	ARG(0, "MASKED_EQ", 2114060288, 0),
	ARG(0, "MASKED_EQ", 240, 80),
	ARG(0, "MASKED_EQ", 0, 0),
	ARG(0, "EQ", 5, 0) "," ARG(1, "EQ", 7, 0),
	ARG(0, "GE", 5, 0) "," ARG(1, "NE", 7, 0) "," ARG(2, "LT", 9, 0),
};

static void check_complement(const char *one, const char *other)
{
	struct seccomp_call call = {0};
	struct sec_profile p;
	static struct complement c;
	const struct sec_rule *rules[2];
	char text[1024];
	int r;

	snprintf(text, sizeof(text),
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
		"{\"names\":[\"x\"],\"action\":\"SCMP_ACT_ALLOW\","
		"\"args\":[%s]},{\"names\":[\"x\"],\"action\":"
		"\"SCMP_ACT_LOG\",\"args\":[%s]}]}",
		one, other);
	parse(text, &p);
	rules[0] = &p.rules[0];
	rules[1] = &p.rules[1];
	c.p = &p;
	r = sec_box_complement(rules, 2, c.boxes, &c.n);
	if (r == 0)
		sec_points_each(&p, "x", &call, is_either, &c);
	else /* a value out of each of a mask's many bits */
		ck_assert_msg(
			r == -E2BIG && (strstr(one, "2114060288") ||
					       strstr(other, "2114060288")),
			"%s %s", one, other);
	sec_profile_clear(&p);
}

/* Any two of them: each point is in what they match, or in the rest. */
START_TEST(test_complement)
{
	size_t i, k;

	for (i = 0; i < LENGTH(sets); i++)
		for (k = 0; k < LENGTH(sets); k++)
			check_complement(sets[i], sets[k]);
}
END_TEST

/* Profiles that are rewritten, with what is explained in the end. */
static const struct sample {
	const char *text;
	const char *told[4], *silent[4];
} samples[] = {
	{"{\"defaultAction\":\"SCMP_ACT_ALLOW\"," ARCHS
	 ",\"syscalls\":[" RULE("\"mount\",\"write\"", "ERRNO", "") "]}",
		{"mount"}, {"write"}},
	{"{\"defaultAction\":\"SCMP_ACT_ERRNO\"," ARCHS
	 ",\"syscalls\":[" RULE("\"read\",\"openat\"", "ALLOW", "") "]}",
		{"mount", "umask", "socket", "clone"}, {"write"}},
	{"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38," ARCHS
	 ",\"syscalls\":[" RULE("\"personality\"", "ALLOW",
		 ARG(0, "EQ", 0, 0)) "," RULE("\"personality\"", "ALLOW",
		 ARG(0, "EQ", 8, 0)) "," RULE("\"personality\"", "ALLOW",
		 ARG(0, "EQ", 131072, 0)) "," RULE("\"personality\"", "ALLOW",
		 ARG(0, "EQ", 131080, 0)) "," RULE("\"personality\"", "ALLOW",
		 ARG(0, "EQ", 4294967295, 0)) "," RULE("\"clone\"", "ALLOW",
		 ARG(0, "MASKED_EQ", 2114060288, 0)) "]}",
		{"personality", "clone", "mount"}, {"write"}},
	{"{\"defaultAction\":\"SCMP_ACT_KILL\"," ARCHS
	 ",\"syscalls\":[" RULE("\"read\"", "ALLOW", "") "," RULE(
		 "\"umask\"", "ERRNO", ARG(0, "GT", 63, 0)) "]}",
		{"umask"}, {NULL}},
	/* a kill in between: its conditions are not the default's */
	{"{\"defaultAction\":\"SCMP_ACT_ERRNO\"," ARCHS
	 ",\"syscalls\":[" RULE("\"umask\"", "KILL_PROCESS",
		 ARG(0, "EQ", 1, 0)) "," RULE("\"umask\"", "ALLOW",
		 ARG(0, "GE", 10, 0)) "," RULE("\"prctl\"", "ERRNO", "") "]}",
		{"umask", "prctl"}, {"write"}},
	/* said again, the default is no rule */
	{"{\"defaultAction\":\"SCMP_ACT_ERRNO\"," ARCHS
	 ",\"syscalls\":[" RULE("\"umask\"", "ERRNO", "") "," RULE(
		 "\"umask\"", "ALLOW", ARG(0, "EQ", 18, 0)) "]}",
		{"umask"}, {"write"}},
};

static void check_fates(const struct sec_rewritten *w,
	const struct sec_profile *p, const struct sample *s)
{
	uint32_t archs[SEC_ARCHS + 1];
	unsigned n = sec_archs_of(p, archs), k;
	size_t i;

	for (i = 0; i < w->n_names; i++)
		for (k = 0; k < n; k++)
			ck_assert_msg(
				!sec_rewritten_fate(w, p, w->names[i], archs[k])
					 .wrong,
				"%s", w->names[i]);
	for (i = 0; i < 4 && s->told[i]; i++) {
		struct sec_fate f = sec_rewritten_fate(
			w, p, s->told[i], seccomp_arch_native());

		ck_assert_msg(f.notified && !f.silent, "%s", s->told[i]);
	}
	for (i = 0; i < 4 && s->silent[i]; i++) {
		struct sec_fate f = sec_rewritten_fate(
			w, p, s->silent[i], seccomp_arch_native());

		ck_assert_msg(!f.notified && f.silent, "%s", s->silent[i]);
	}
}

static void check_rewritten(
	const struct sample *s, const struct sec_runtime *rt)
{
	struct sec_profile p;
	struct sec_rewritten w;
	struct err e = {0};

	parse(s->text, &p);
	ck_assert_msg(sec_rewrite(&p, rt, &w, &e) == 0, "%s", e.msg);
	ck_assert_uint_gt(w.n_notified, 0);
	check_fates(&w, &p, s);
	sec_rewritten_clear(&w);
	sec_profile_clear(&p);
}

START_TEST(test_rewritten_says_the_same)
{
	size_t i;

	for (i = 0; i < LENGTH(samples); i++) {
		check_rewritten(&samples[i], &runc);
		check_rewritten(&samples[i], &crun);
	}
}
END_TEST

START_TEST(test_nothing_to_rewrite)
{
	static const char *const texts[] = {
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\"}",
		"{\"defaultAction\":\"SCMP_ACT_KILL\",\"syscalls\":[" RULE(
			"\"read\"", "ALLOW", "") "]}",
	};
	struct sec_rewritten w;
	struct sec_profile p;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(texts); i++) {
		parse(texts[i], &p);
		ck_assert_int_eq(sec_rewrite(&p, &runc, &w, &e), 0);
		ck_assert_uint_eq(w.n_notified, 0);
		sec_rewritten_clear(&w);
		sec_profile_clear(&p);
	}
}
END_TEST

static uint32_t ask(const struct sec_program *f, const char *name)
{
	struct seccomp_call call;

	ck_assert(sec_call_of(name, seccomp_arch_native(), &call));
	return seccomp_filter_says(f->filter, &call);
}

/* runc's ENOSYS for what is newer than the profile. */
START_TEST(test_newer_calls)
{
	struct sec_program f;
	struct sec_profile p;
	const char *name;
	struct err e;

	parse("{\"defaultAction\":\"SCMP_ACT_ERRNO\"," ARCHS
	      ",\"syscalls\":[" RULE("\"read\",\"openat\"", "ALLOW", "") "]}",
		&p);
	ck_assert_int_eq(sec_program_make(&p, &runc, &f, &name, &e), 0);
	ck_assert_uint_eq(ask(&f, "openat2"), SCMP_ACT_ERRNO(ENOSYS));
	ck_assert_uint_eq(ask(&f, "mount"), SCMP_ACT_ERRNO(EPERM));
	ck_assert_uint_eq(ask(&f, "openat"), SCMP_ACT_ALLOW);
	sec_program_clear(&f);
	ck_assert_int_eq(sec_program_make(&p, &crun, &f, &name, &e), 0);
	ck_assert_uint_eq(ask(&f, "openat2"), SCMP_ACT_ERRNO(EPERM));
	sec_program_clear(&f);
	sec_profile_clear(&p);
}
END_TEST

START_TEST(test_names)
{
	struct sec_profile p = {0};
	char **names;
	size_t n, i;

	ck_assert_int_eq(sec_names_list(&p, &names, &n), 0);
	ck_assert_uint_lt(sec_names_find(names, n, "mount"), n);
	ck_assert_uint_eq(sec_names_find(names, n, "nosuch"), n);
	for (i = 1; i < n; i++)
		ck_assert_int_lt(strcmp(names[i - 1], names[i]), 0);
	for (i = 0; i < n; i++) {
		ck_assert_uint_le(strlen(sec_name_args(names[i])), 6);
		free(names[i]);
	}
	free(names);
}
END_TEST

/* What is no filter of libseccomp's is refused: it might not end. */
START_TEST(test_hostile_filters)
{
	static const struct insn {
		uint16_t code;
		uint8_t jt, jf;
		uint32_t k;
	} bad[][2] = {
		{{0x06, 0, 0, 0}, {0x20, 0, 0, 0}},   /* no end */
		{{0x05, 0, 0, 1}, {0x06, 0, 0, 0}},   /* jumps out */
		{{0x05, 0, 0, ~0U}, {0x06, 0, 0, 0}}, /* back */
		{{0x15, 1, 0, 0}, {0x06, 0, 0, 0}},
		{{0x15, 0, 255, 0}, {0x06, 0, 0, 0}},
		{{0x20, 0, 0, 64}, {0x06, 0, 0, 0}}, /* loads from outside */
		{{0x20, 0, 0, 2}, {0x06, 0, 0, 0}},
		{{0x28, 0, 0, 0}, {0x06, 0, 0, 0}}, /* is never written */
		{{0x16, 0, 0, 0}, {0x16, 0, 0, 0}},
	};
	static const struct insn good[2] = {
		{0x20, 0, 0, 60}, {0x06, 0, 0, 0x7fff0000}};
	struct seccomp_call call = {0};
	struct seccomp_filter *f;
	size_t i;

	for (i = 0; i < LENGTH(bad); i++)
		ck_assert_int_eq(seccomp_filter_new(bad[i], sizeof(bad[i]), &f),
			-EINVAL);
	ck_assert_int_eq(seccomp_filter_new(good, 0, &f), -EINVAL);
	ck_assert_int_eq(seccomp_filter_new(good, 9, &f), -EINVAL);
	ck_assert_int_eq(seccomp_filter_new(good, sizeof(good), &f), 0);
	ck_assert_uint_eq(seccomp_filter_says(f, &call), SECCOMP_SAYS_ALLOW);
	seccomp_filter_free(f);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_what_is_wrong_is_told,
		test_round_trip, test_alternatives, test_complement,
		test_rewritten_says_the_same, test_nothing_to_rewrite,
		test_newer_calls, test_names, test_hostile_filters, NULL};

	return suite_run("ctl_seccomp", tests);
}
