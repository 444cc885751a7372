/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/seccomp.h"

#include <errno.h>

/* There are no such filters on Windows. */
int seccomp_filter_new(
	const void *program, size_t n, struct seccomp_filter **ret)
{
	(void)program;
	(void)n;
	(void)ret;
	return -ENOSYS;
}

uint32_t seccomp_filter_says(
	const struct seccomp_filter *f, const struct seccomp_call *call)
{
	(void)f;
	(void)call;
	return SECCOMP_SAYS_ALLOW;
}

void seccomp_filter_free(struct seccomp_filter *f)
{
	(void)f;
}

int seccomp_agent_new(struct event_base *base, const char *address,
	const struct seccomp_agent_ops *ops, void *arg,
	struct seccomp_agent **ret, struct err *e)
{
	(void)base;
	(void)ops;
	(void)arg;
	(void)ret;
	return err_set(e, -ENOSYS, "'%s': Windows has no seccomp to answer for",
		address);
}

unsigned seccomp_agent_filters(const struct seccomp_agent *a)
{
	(void)a;
	return 0;
}

void seccomp_agent_free(struct seccomp_agent *a)
{
	(void)a;
}

int seccomp_call_text(
	const struct seccomp_call *call, unsigned arg, char *buf, size_t n)
{
	(void)call;
	(void)arg;
	(void)buf;
	(void)n;
	return -EFAULT;
}
