/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/stress/stress_system.h"

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

int stress_exec_new(struct stress_box *b, enum stress_does does, unsigned n,
	struct stress_exec **ret, struct err *e)
{
	struct stress_exec *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return err_sys(e, -ENOMEM, "exec");
	r = stress_process(b, does, n, &x->spec, e);
	if (r < 0) {
		free(x);
		return r;
	}
	x->actor.world = b->actor.world;
	x->box = b;
	x->expected = n;
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
