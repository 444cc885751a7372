/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "client/client.h"
#include "client/program.h"
#include "ctl/stress/stress_system.h"

#define STEP_MS 5000
#define LEAVE_MS 5000
#define SIGNAL_KILL 9

static int kill_all(struct client_process *p, client_cb cb, void *arg)
{
	return client_process_kill(p, SIGNAL_KILL, true, cb, arg);
}

static int step(struct client *c, struct client_task *t,
	int (*begin)(struct client_process *p, client_cb cb, void *arg),
	struct err *e)
{
	struct client_await *aw = client_await_new(c, STEP_MS);

	return client_await(
		aw, begin(client_task_init(t), client_await_done, aw), e);
}

static void on_lost(void *arg)
{
	bool *lost = arg;

	*lost = true;
}

/* True if the shim has let go of it, and gone. */
static bool by_rpc(
	struct stress_box *b, struct client_shim *shim, struct err *e)
{
	struct client *c = b->actor.world->client;
	struct client_task *t = client_task_new(shim, &b->record.container);
	struct client_await *aw;
	bool lost = false;
	int r = -ENOMEM;

	if (!t)
		return false;
	client_shim_on_lost(shim, on_lost, &lost);
	if (step(c, t, kill_all, e) == 0)
		step(c, t, client_process_wait, e);
	r = step(c, t, client_process_delete, e);
	client_task_free(t);
	if (r < 0 && r != -ENOENT)
		return false;
	aw = client_await_new(c, STEP_MS);
	r = client_await(aw,
		client_shim_shutdown(shim, b->id, client_await_done, aw), e);
	return r == 0 && (lost || client_run_until(c, &lost, LEAVE_MS) == 0);
}

/* Its `delete`, which ends a shim that is still there. */
static int by_delete(struct stress_box *b, struct err *e)
{
	struct client *c = b->actor.world->client;
	struct client_await *aw =
		client_await_new(c, b->record.container.timeout_ms);
	struct client_delete d;
	int r = client_await(aw,
		client_shim_run_delete(
			c, &b->record.container, &d, client_await_done, aw, e),
		e);

	client_program_drop(c, &d);
	return r;
}

int stress_release(
	struct stress_box *b, struct client_shim *shim, struct err *e)
{
	bool gone = shim && by_rpc(b, shim, e);

	client_shim_free(shim);
	return gone ? 0 : by_delete(b, e);
}
