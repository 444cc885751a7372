/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/seccomp/seccomp_profile.h"

/* config-linux.md; the errno is put in where there is one. */
static const struct action {
	const char *name;
	uint32_t action;
} actions[] = {
	{"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
	{"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0)},
	{"SCMP_ACT_KILL", SCMP_ACT_KILL},
	{"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
	{"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
	{"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
	{"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0)},
	{"SCMP_ACT_LOG", SCMP_ACT_LOG},
	{"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY},
};

static const struct op {
	const char *name;
	enum scmp_compare op;
} ops[] = {
	{"SCMP_CMP_NE", SCMP_CMP_NE},
	{"SCMP_CMP_LT", SCMP_CMP_LT},
	{"SCMP_CMP_LE", SCMP_CMP_LE},
	{"SCMP_CMP_EQ", SCMP_CMP_EQ},
	{"SCMP_CMP_GE", SCMP_CMP_GE},
	{"SCMP_CMP_GT", SCMP_CMP_GT},
	{"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

int sec_action_find(const char *name, uint32_t *ret)
{
	size_t i;

	for (i = 0; name && i < N(actions); i++) {
		if (strcmp(actions[i].name, name) != 0)
			continue;
		*ret = actions[i].action;
		return 0;
	}
	return -ENOENT;
}

int sec_op_find(const char *name, enum scmp_compare *ret)
{
	size_t i;

	for (i = 0; name && i < N(ops); i++) {
		if (strcmp(ops[i].name, name) != 0)
			continue;
		*ret = ops[i].op;
		return 0;
	}
	return -ENOENT;
}

bool sec_action_has_errno(uint32_t action)
{
	action &= 0xffff0000U;
	return action == SCMP_ACT_ERRNO(0) || action == SCMP_ACT_TRACE(0);
}

static const char *action_name(uint32_t action)
{
	uint32_t plain = action & 0xffff0000U;
	size_t i;

	for (i = 0; i < N(actions); i++)
		if (actions[i].action ==
			(sec_action_has_errno(plain) ? plain : action))
			return actions[i].name;
	return "SCMP_ACT_KILL";
}

void sec_action_text(uint32_t action, char *buf, size_t n)
{
	const char *name = strerrorname_np((int)(action & 0xffff));

	if (!sec_is_errno(action))
		snprintf(buf, n, "%s", action_name(action));
	else if (name)
		snprintf(buf, n, "SCMP_ACT_ERRNO(%s)", name);
	else
		snprintf(buf, n, "SCMP_ACT_ERRNO(%u)", action & 0xffff);
}

static void put_action(
	yajl_gen g, const char *key, const char *errno_key, uint32_t action)
{
	ctl_json_put(g, key, action_name(action));
	if (sec_action_has_errno(action))
		ctl_json_put_number(g, errno_key, action & 0xffff);
}

static void put_u64(yajl_gen g, const char *key, uint64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)value);

	ctl_json_key(g, key);
	yajl_gen_number(g, text, (size_t)n);
}

void sec_rule_put(yajl_gen g, const struct sec_rule *r)
{
	size_t i, k;

	yajl_gen_map_open(g);
	ctl_json_key(g, "names");
	ctl_json_texts(g, (const char *const *)r->names);
	put_action(g, "action", "errnoRet", r->action);
	if (r->n_conds > 0)
		ctl_json_put_array(g, "args");
	for (i = 0; i < r->n_conds; i++) {
		yajl_gen_map_open(g);
		ctl_json_put_number(g, "index", r->conds[i].arg);
		put_u64(g, "value", r->conds[i].datum_a);
		if (r->conds[i].op == SCMP_CMP_MASKED_EQ)
			put_u64(g, "valueTwo", r->conds[i].datum_b);
		for (k = 0; k < N(ops); k++)
			if (ops[k].op == r->conds[i].op)
				ctl_json_put(g, "op", ops[k].name);
		yajl_gen_map_close(g);
	}
	if (r->n_conds > 0)
		yajl_gen_array_close(g);
	yajl_gen_map_close(g);
}

static const struct arch {
	uint32_t arch;
	const char *name;
} archs[] = {
	{SCMP_ARCH_X86, "X86"},
	{SCMP_ARCH_X86_64, "X86_64"},
	{SCMP_ARCH_X32, "X32"},
	{SCMP_ARCH_ARM, "ARM"},
	{SCMP_ARCH_AARCH64, "AARCH64"},
	{SCMP_ARCH_MIPS, "MIPS"},
	{SCMP_ARCH_MIPS64, "MIPS64"},
	{SCMP_ARCH_MIPS64N32, "MIPS64N32"},
	{SCMP_ARCH_MIPSEL, "MIPSEL"},
	{SCMP_ARCH_MIPSEL64, "MIPSEL64"},
	{SCMP_ARCH_MIPSEL64N32, "MIPSEL64N32"},
	{SCMP_ARCH_PPC, "PPC"},
	{SCMP_ARCH_PPC64, "PPC64"},
	{SCMP_ARCH_PPC64LE, "PPC64LE"},
	{SCMP_ARCH_S390, "S390"},
	{SCMP_ARCH_S390X, "S390X"},
	{SCMP_ARCH_RISCV64, "RISCV64"},
};

uint32_t sec_arch_find(const char *name)
{
	size_t i;

	for (i = 0; i < N(archs); i++)
		if (strncmp(name, "SCMP_ARCH_", 10) == 0 &&
			strcmp(archs[i].name, name + 10) == 0)
			return archs[i].arch;
	return 0;
}

const char *sec_arch_name(uint32_t arch)
{
	size_t i;

	for (i = 0; i < N(archs); i++)
		if (archs[i].arch == arch)
			return archs[i].name;
	return "?";
}

static void put_archs(yajl_gen g, const struct sec_profile *p)
{
	char text[40];
	unsigned i;

	if (p->n_archs == 0)
		return;
	ctl_json_put_array(g, "architectures");
	for (i = 0; i < p->n_archs; i++) {
		snprintf(text, sizeof(text), "SCMP_ARCH_%s",
			sec_arch_name(p->archs[i]));
		ctl_json_text(g, text);
	}
	yajl_gen_array_close(g);
}

void sec_profile_put(yajl_gen g, const struct sec_profile *p,
	const char *listener, const char *metadata)
{
	size_t i;

	yajl_gen_map_open(g);
	put_action(g, "defaultAction", "defaultErrnoRet", p->action);
	put_archs(g, p);
	if (p->n_flags > 0)
		ctl_json_put_array(g, "flags");
	for (i = 0; i < p->n_flags; i++)
		ctl_json_text(g, p->flags[i]);
	if (p->n_flags > 0)
		yajl_gen_array_close(g);
	if (listener) {
		ctl_json_put(g, "listenerPath", listener);
		ctl_json_put(g, "listenerMetadata", metadata);
	}
	ctl_json_put_array(g, "syscalls");
	for (i = 0; i < p->n_rules; i++)
		if (p->rules[i].names[0])
			sec_rule_put(g, &p->rules[i]);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
}
