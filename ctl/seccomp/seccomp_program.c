/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/seccomp/seccomp_program.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define X32_BIT 0x40000000

unsigned sec_archs_of(const struct sec_profile *p, uint32_t ret[SEC_ARCHS + 1])
{
	uint32_t own = seccomp_arch_native();
	bool has_own = false;
	unsigned i;

	for (i = 0; i < p->n_archs; i++) {
		ret[i] = p->archs[i];
		has_own |= p->archs[i] == own;
	}
	if (!has_own)
		ret[i++] = own;
	return i;
}

/* x32 is to the kernel x86-64 with a bit in the number. */
static uint32_t audit_arch(uint32_t arch)
{
	return arch == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : arch;
}

bool sec_call_of(const char *name, uint32_t arch, struct seccomp_call *ret)
{
	int nr = seccomp_syscall_resolve_name_arch(arch, name);

	if (nr < 0)
		return false;
	*ret = (struct seccomp_call){.arch = audit_arch(arch), .nr = nr};
	return true;
}

int sec_last_of(const struct sec_profile *p, const struct sec_runtime *rt,
	uint32_t arch)
{
	uint32_t plain = p->action & 0xffff0000U;
	bool listed = false;
	int last = 0, nr;
	size_t i, k;

	if (!rt->new_is_enosys || p->action == SCMP_ACT_ALLOW ||
		p->action == SCMP_ACT_LOG || plain == SCMP_ACT_TRACE(0) ||
		p->action == SCMP_ACT_ERRNO(ENOSYS))
		return 0;
	for (i = 0; i < p->n_archs; i++)
		listed |= p->archs[i] == arch;
	for (i = 0; listed && i < p->n_rules; i++)
		for (k = 0; p->rules[i].names[k]; k++) {
			nr = seccomp_syscall_resolve_name_arch(
				arch, p->rules[i].names[k]);
			if (nr > last)
				last = nr;
		}
	return last;
}

static void put(struct sec_program *p, struct sock_filter in)
{
	memcpy(p->data + p->n, &in, sizeof(in));
	p->n += sizeof(in);
}

#define STUB_INSNS 6

static void put_stub(struct sec_program *p, uint32_t arch, int last)
{
	bool x32 = arch == SCMP_ARCH_X32;
	bool two = x32 || arch == SCMP_ARCH_X86_64;

	if (last == 0)
		return;
	put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4));
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		       audit_arch(arch), 0, two ? 4 : 3));
	put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0));
	if (two)
		put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
			       X32_BIT, x32 ? 0 : 2, x32 ? 2 : 0));
	put(p, (struct sock_filter)BPF_JUMP(
		       BPF_JMP | BPF_JGT | BPF_K, (uint32_t)last, 0, 1));
	put(p, (struct sock_filter)BPF_STMT(
		       BPF_RET | BPF_K, SCMP_ACT_ERRNO(ENOSYS)));
}

static int add_rule(scmp_filter_ctx ctx, const struct sec_profile *p,
	const struct sec_rule *rule, const char **ret_name)
{
	size_t i;
	int r;

	for (i = 0; rule->names[i]; i++) {
		int nr = seccomp_syscall_resolve_name(rule->names[i]);

		if (nr == __NR_SCMP_ERROR || rule->action == p->action)
			continue;
		*ret_name = rule->names[i];
		r = seccomp_rule_add_array(
			ctx, rule->action, nr, rule->n_conds, rule->conds);
		if (r < 0)
			return r;
	}
	*ret_name = NULL;
	return 0;
}

static int fill(scmp_filter_ctx ctx, const struct sec_profile *p,
	const char **ret_name, struct err *e)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < p->n_archs; i++) {
		r = seccomp_arch_add(ctx, p->archs[i]);
		r = r == -EEXIST ? 0 : r;
	}
	if (r < 0)
		return err_sys(e, -EINVAL, "libseccomp: architectures");
	for (i = 0; i < p->n_rules; i++) {
		r = add_rule(ctx, p, &p->rules[i], ret_name);
		if (r < 0)
			return err_set(e, -EINVAL,
				"libseccomp refuses rule %u for '%s': %s",
				p->rules[i].number, *ret_name ? *ret_name : "",
				strerror(-r));
	}
	return 0;
}

static int read_back(int fd, const struct sec_profile *p,
	const struct sec_runtime *rt, struct sec_program *ret)
{
	off_t size = lseek(fd, 0, SEEK_END);
	unsigned i;

	if (size < 0)
		return -errno;
	ret->data = malloc((size_t)size +
			   (size_t)p->n_archs * STUB_INSNS * SECCOMP_INSN_SIZE);
	if (!ret->data)
		return -ENOMEM;
	for (i = 0; i < p->n_archs; i++)
		put_stub(ret, p->archs[i], sec_last_of(p, rt, p->archs[i]));
	if (pread(fd, ret->data + ret->n, (size_t)size, 0) != size)
		return -EIO;
	ret->n += (size_t)size;
	if (ret->n / SECCOMP_INSN_SIZE > SECCOMP_INSNS_MAX)
		return -E2BIG;
	return seccomp_filter_new(ret->data, ret->n, &ret->filter);
}

static int export(scmp_filter_ctx ctx, const struct sec_profile *p,
	const struct sec_runtime *rt, struct sec_program *ret, struct err *e)
{
	int fd = memfd_create("filter", MFD_CLOEXEC), r;

	if (fd < 0)
		return err_sys(e, -errno, "memory for a filter");
	r = seccomp_export_bpf(ctx, fd);
	if (r == 0)
		r = read_back(fd, p, rt, ret);
	close(fd);
	return r < 0 ? err_sys(e, r, "make a filter") : 0;
}

int sec_program_make(const struct sec_profile *p, const struct sec_runtime *rt,
	struct sec_program *ret, const char **ret_name, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(p->action);
	struct sec_program made = {0};
	int r;

	*ret_name = NULL;
	if (!ctx)
		return err_set(e, -EINVAL, "libseccomp refuses the default");
	r = fill(ctx, p, ret_name, e);
	if (r == 0)
		r = export(ctx, p, rt, &made, e);
	seccomp_release(ctx);
	if (r < 0)
		sec_program_clear(&made);
	else
		*ret = made;
	return r;
}

void sec_program_clear(struct sec_program *p)
{
	seccomp_filter_free(p->filter);
	free(p->data);
	memset(p, 0, sizeof(*p));
}
