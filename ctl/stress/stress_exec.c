/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/spec/spec.h"
#include "ctl/stress/stress.h"

static struct stress_exec *exec_of(struct stress_actor *a)
{
	return (struct stress_exec *)a;
}

static void on_done(const struct err *e, void *arg)
{
	struct stress_actor *a = arg;

	a->err = *e;
	a->open = false;
	a->world->woken = true;
}

int stress_exec_new(struct stress_box *b, const char *const *argv,
	uint32_t expected, struct stress_exec **ret, struct err *e)
{
	struct ctl_spec s = {.args = argv};
	struct stress_exec *x = calloc(1, sizeof(*x));
	int r = -ENOMEM;

	if (x)
		r = ctl_spec_make_process(&s, &x->spec);
	if (r < 0) {
		free(x);
		return err_sys(e, r, "exec");
	}
	x->actor.world = b->actor.world;
	x->box = b;
	x->expected = expected;
	snprintf(x->id, sizeof(x->id), "e%u", b->actor.world->n_ids++);
	list_add_tail(&b->execs, &x->link);
	b->actor.world->result->execs++;
	*ret = x;
	return 0;
}

void stress_exec_free(struct stress_exec *x)
{
	client_process_free(x->process);
	list_del(&x->link);
	free(x->spec);
	free(x);
}

int stress_exec_add(struct stress_actor *a)
{
	struct stress_exec *x = exec_of(a);
	struct client_stdio io = {0};

	if (!x->box->task)
		return -ENOTCONN;
	return client_task_exec(
		x->box->task, x->id, x->spec, &io, on_done, a, &x->process);
}

int stress_exec_start(struct stress_actor *a)
{
	return client_process_start(exec_of(a)->process, on_done, a);
}

int stress_exec_delete(struct stress_actor *a)
{
	return client_process_delete(exec_of(a)->process, on_done, a);
}

bool stress_exec_has_exited(const struct stress_actor *a)
{
	return ((const struct stress_exec *)a)->exits > 0;
}
