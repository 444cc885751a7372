/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "platform/seccomp.h"

struct seccomp_filter {
	size_t n;
	struct sock_filter at[];
};

_Static_assert(sizeof(struct sock_filter) == SECCOMP_INSN_SIZE, "filter.h");

/* Whether an instruction is one of those that run() knows, and jumps forward to
 * another one: so a program comes to its end. */
static bool insn_is_fine(const struct sock_filter *in, size_t left)
{
	switch (in->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return in->k % 4 == 0 &&
		       in->k <= sizeof(struct seccomp_data) - 4;
	case BPF_ALU | BPF_AND | BPF_K:
		return true;
	case BPF_JMP | BPF_JA:
		return in->k < left;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
		return in->jt < left && in->jf < left;
	case BPF_RET | BPF_K:
		return true;
	default:
		return false;
	}
}

int seccomp_filter_new(
	const void *program, size_t n, struct seccomp_filter **ret)
{
	struct seccomp_filter *f;
	size_t i;

	if (n == 0 || n % SECCOMP_INSN_SIZE ||
		n / SECCOMP_INSN_SIZE > SECCOMP_INSNS_MAX)
		return -EINVAL;
	f = malloc(sizeof(*f) + n);
	if (!f)
		return -ENOMEM;
	f->n = n / SECCOMP_INSN_SIZE;
	memcpy(f->at, program, n);
	for (i = 0; i < f->n; i++)
		if (!insn_is_fine(&f->at[i], f->n - i - 1))
			break;
	if (i < f->n || f->at[f->n - 1].code != (BPF_RET | BPF_K)) {
		free(f);
		return -EINVAL;
	}
	*ret = f;
	return 0;
}

static bool jumps(const struct sock_filter *in, uint32_t a)
{
	switch (BPF_OP(in->code)) {
	case BPF_JEQ:
		return a == in->k;
	case BPF_JGT:
		return a > in->k;
	case BPF_JGE:
		return a >= in->k;
	default: /* BPF_JSET */
		return (a & in->k) != 0;
	}
}

uint32_t seccomp_filter_says(
	const struct seccomp_filter *f, const struct seccomp_call *call)
{
	struct seccomp_data data = {
		.nr = call->nr,
		.arch = call->arch,
		.instruction_pointer = call->ip,
	};
	const struct sock_filter *in = f->at;
	uint32_t a = 0;

	memcpy(data.args, call->args, sizeof(data.args));
	for (; BPF_CLASS(in->code) != BPF_RET; in++) {
		if (BPF_CLASS(in->code) == BPF_LD)
			memcpy(&a, (const char *)&data + in->k, sizeof(a));
		else if (BPF_CLASS(in->code) == BPF_ALU)
			a &= in->k;
		else if (in->code == (BPF_JMP | BPF_JA))
			in += in->k;
		else
			in += jumps(in, a) ? in->jt : in->jf;
	}
	return in->k;
}

void seccomp_filter_free(struct seccomp_filter *f)
{
	free(f);
}
