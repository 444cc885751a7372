/* SPDX-License-Identifier: Apache-2.0 */
/* An OCI runtime makes containers on Linux. */
#include "platform/container.h"

#include <errno.h>

static int none(struct err *e)
{
	return err_set(e, -ENOSYS, "containers are an OCI runtime's on Linux");
}

int container_new(const struct container_config *config, struct container **ret,
	struct err *e)
{
	(void)config;
	(void)ret;
	return none(e);
}

int container_new_isolated(struct event_base *base, const char *id,
	const struct container_limits *limits, const struct isolation *iso,
	struct container **ret, struct err *e)
{
	(void)base;
	(void)id;
	(void)limits;
	(void)iso;
	(void)ret;
	return none(e);
}

const char *container_root(const struct container *c)
{
	(void)c;
	return NULL;
}

int container_new_guest(struct event_base *base, const char *id,
	const struct guest *guest, struct container **ret, struct err *e)
{
	(void)base;
	(void)id;
	(void)guest;
	(void)ret;
	return none(e);
}

int container_create(struct container *c, const struct container_program *p,
	int64_t *ret_pid, const struct container_later *later, struct err *e)
{
	(void)c;
	(void)p;
	(void)ret_pid;
	(void)later;
	return none(e);
}

int container_start(struct container *c, const struct container_program *p,
	int64_t *ret_pid, const struct container_later *later, struct err *e)
{
	(void)c;
	(void)p;
	(void)ret_pid;
	(void)later;
	return none(e);
}

int container_exec(struct container *c, const struct container_program *p,
	int64_t *ret_pid, const struct container_later *later, struct err *e)
{
	(void)c;
	(void)p;
	(void)ret_pid;
	(void)later;
	return none(e);
}

int container_signal(struct container *c, uint32_t signal)
{
	(void)c;
	(void)signal;
	return -ENOSYS;
}

int container_signal_early(struct container *c, uint32_t signal)
{
	(void)c;
	(void)signal;
	return -ENOSYS;
}

int container_limit(struct container *c, const struct container_limits *limits,
	const struct container_later *later, struct err *e)
{
	(void)c;
	(void)limits;
	(void)later;
	return none(e);
}

int container_end(
	struct container *c, const struct container_later *later, struct err *e)
{
	(void)c;
	(void)later;
	return none(e);
}

void container_free(struct container *c)
{
	(void)c;
}

int container_lost(struct event_base *base, const char *id, const char *notes,
	struct container **ret, struct err *e)
{
	(void)base;
	(void)id;
	(void)notes;
	(void)ret;
	return none(e);
}

int container_forget(const char *notes, struct err *e)
{
	(void)notes;
	return none(e);
}
