/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/release.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/events.h"
#include "client/program.h"
#include "client/task.h"
#include "ctl/own.h"
#include "ctl/say.h"
#include "platform/file.h"
#include "platform/listener.h"
#include "platform/process.h"

#define KILL_MS 5000
#define DELETE_MS 15000
#define SHUTDOWN_MS 2000
#define LEAVE_MS 5000
#define LEAVE_OR_NOT_MS 300 /* if a container may have come since */
#define TRIES 20
#define FILLED_BY_S 10 /* a new folder has its record by then */
#define APPEAR_MS 3000
#define APPEAR_TICK_MS 50
#define ADDRESS_TRIES 20
#define ADDRESS_PAUSE_US 50000
#define SIGNAL_KILL 9

struct releasing {
	struct client *client;
	const struct ctl_record *record;
	struct client_shim *shim;
	struct process_ref *process; /* the shim's; NULL: not known */
	bool lost, deleted;
	char address[512]; /* "": not known */
};

static void on_lost(void *arg)
{
	struct releasing *r = arg;

	r->lost = true;
}

static int kill_task(
	struct releasing *r, struct client_process *init, struct err *e)
{
	struct client_await *aw = client_await_new(r->client, KILL_MS);

	return client_await(aw,
		client_process_kill(
			init, SIGNAL_KILL, true, client_await_done, aw),
		e);
}

static bool is_not_made_yet(const struct releasing *r, int rc)
{
	return rc == -EBUSY || (rc == -ENOENT && r->record->creating);
}

/* An OCI runtime that dies while it creates a container leaves traces that
 * nobody can find. So a Create that is under way is waited for: until it ends,
 * shims don't know of the task yet (-ENOENT) or refuse (-EBUSY). */
static int kill_when_made(
	struct releasing *r, struct client_process *init, struct err *e)
{
	bool never = false;
	int rc, waited_ms = 0;

	for (;;) {
		rc = kill_task(r, init, e);
		if (waited_ms >= APPEAR_MS || !is_not_made_yet(r, rc))
			return rc;
		waited_ms += APPEAR_TICK_MS;
		rc = client_run_until(r->client, &never, APPEAR_TICK_MS);
		if (rc == -EINTR)
			return rc;
	}
}

static int wait_task(
	struct releasing *r, struct client_process *init, struct err *e)
{
	struct client_await *aw = client_await_new(r->client, KILL_MS);

	return client_await(
		aw, client_process_wait(init, client_await_done, aw), e);
}

static int delete_task(
	struct releasing *r, struct client_process *init, struct err *e)
{
	struct client_await *aw = client_await_new(r->client, DELETE_MS);

	return client_await(
		aw, client_process_delete(init, client_await_done, aw), e);
}

/* A task that was never made, or has ended, makes most of these fail. */
static int end_task(struct releasing *r, struct err *e)
{
	struct client_task *t = client_task_new(r->shim, &r->record->container);
	struct client_process *init;
	int rc;

	if (!t)
		return err_sys(e, -ENOMEM, "end the task");
	init = client_task_init(t);
	rc = kill_when_made(r, init, e);
	if (rc == 0)
		wait_task(r, init, e);
	if (rc != -ENOTCONN && rc != -ETIME)
		rc = delete_task(r, init, e);
	r->deleted |= rc == 0;
	client_task_free(t);
	return rc == -ENOENT ? 0 : rc;
}

static int end_shim(struct releasing *r, struct err *e)
{
	const char *id = r->record->container.id;
	struct client_await *aw;
	int rc = end_task(r, e);

	if (rc < 0)
		return rc;
	aw = client_await_new(r->client, SHUTDOWN_MS);
	rc = client_await(aw,
		client_shim_shutdown(r->shim, id, client_await_done, aw), e);
	if (rc < 0)
		return rc;
	return client_run_until(
		r->client, &r->lost, r->deleted ? LEAVE_MS : LEAVE_OR_NOT_MS);
}

/* So that a shim that does not answer later can be killed. */
static void know_process(struct releasing *r)
{
	struct client_await *aw = client_await_new(r->client, SHUTDOWN_MS);
	struct client_shim_info info = {0};
	struct err e;

	client_await(aw,
		client_shim_ask_info(r->shim, r->record->container.id, &info,
			client_await_done, aw),
		&e);
	client_shim_forget_calls(r->shim);
	if (info.shim_pid)
		process_ref_open(info.shim_pid, &r->process);
}

/* Once is not always enough: a Create may be under way, which has to come to
 * its end first. */
static int end_by_rpc(struct releasing *r, struct err *e)
{
	int tries, rc = -ENOTCONN;

	client_shim_on_lost(r->shim, on_lost, r);
	if (!client_shim_is_connected(r->shim))
		return rc;
	know_process(r);
	for (tries = 0; tries < TRIES && !r->lost; tries++) {
		rc = end_shim(r, e);
		if (rc == 0 || rc == -EINTR || rc == -ETIME)
			return rc;
		client_run_until(r->client, &r->lost, LEAVE_OR_NOT_MS);
	}
	return rc;
}

static int run_shim_delete(
	struct client *c, const struct client_container *k, struct err *e)
{
	struct client_await *aw = client_await_new(c, 0);
	struct client_delete d;
	int rc;

	rc = client_shim_run_delete(c, k, &d, client_await_done, aw, e);
	rc = client_await(aw, rc, e);
	client_program_drop(c, &d);
	return rc;
}

static void end_by_force(struct releasing *r, struct err *e)
{
	if (r->process)
		process_ref_signal(r->process, SIGNAL_KILL);
	run_shim_delete(r->client, &r->record->container, e);
}

static int release(struct releasing *r, struct err *e)
{
	int rc = -ENOTCONN;

	if (r->shim)
		rc = end_by_rpc(r, e);
	client_shim_free(r->shim);
	if (rc < 0)
		end_by_force(r, e);
	process_ref_close(r->process);
	if (*r->address && listener_probe(r->address) == -ECONNREFUSED)
		listener_unlink(r->address); /* not every shim does it */
	return ctl_release_runtime(r->client, r->record, e);
}

/* Where the shim listens. Its `start` may be under way and outlive who called
 * it; most shims leave the address in the bundle then. */
static bool find_address(
	const struct ctl_record *r, char *ret, size_t n, bool wait)
{
	char path[CTL_PATH_MAX];
	int tries;

	if (*r->address)
		return snprintf(ret, n, "%s", r->address) < (int)n;
	snprintf(path, sizeof(path), "%s/address", r->container.bundle);
	for (tries = wait ? ADDRESS_TRIES : 1; tries > 0; tries--) {
		if (file_read_into(path, ret, n) == 0 && *ret)
			return true;
		if (wait)
			usleep(ADDRESS_PAUSE_US);
	}
	*ret = '\0';
	return false;
}

int ctl_release(struct client *c, const struct ctl_record *r,
	struct client_shim *shim, struct err *e)
{
	struct releasing x = {.client = c, .record = r, .shim = shim};

	if (find_address(r, x.address, sizeof(x.address), !shim) && !shim)
		client_shim_connect(c, r->container.ns, x.address,
			r->version ? r->version : 2, &x.shim, e);
	return release(&x, e);
}

int ctl_release_files(
	struct ctl_place *p, const struct ctl_record *r, struct err *e)
{
	int rc = 0;

	if (r->rootfs && !r->keep)
		rc = ctl_remove_tree(r->rootfs, e);
	return rc < 0 ? rc : ctl_place_remove(p, r->keep, e);
}

static void on_event(const struct client_event *ev, void *arg)
{
	(void)ev;
	(void)arg;
}

/* A shim may not serve before somebody reads its log, and not leave before
 * somebody takes its events; who did that is gone. */
static int release_as_daemon(struct client *c, const struct ctl_place *p,
	const struct ctl_record *r, struct err *e)
{
	struct event_base *base = client_base(c);
	struct client_events *events = NULL;
	struct stream *log = NULL;
	int rc;

	listener_unlink(p->events);
	client_events_new(base, p->events, on_event, NULL, &events, NULL);
	stream_open_fifo(base, p->log, &log, NULL);
	rc = ctl_release(c, r, NULL, e);
	client_events_free(events);
	stream_close(log);
	return rc;
}

int ctl_release_place(struct client *c, struct ctl_place *p,
	unsigned unfilled_s, struct err *e)
{
	struct ctl_record r;
	int rc;

	if (file_check(p->record) < 0) {
		ctl_place_remove_empty(p, unfilled_s);
		return 0;
	}
	rc = ctl_record_read(p, &r, e);
	if (rc == 0)
		rc = release_as_daemon(c, p, &r, e);
	if (rc == 0)
		rc = ctl_release_files(p, &r, e);
	ctl_record_clear(&r);
	ctl_place_close(p);
	return rc;
}

/* It has lost its keeper, which the next command for it brings back. */
static bool lives_detached(const struct ctl_place *p)
{
	struct ctl_record r;
	bool yes;

	if (ctl_record_read(p, &r, NULL) < 0)
		return false;
	yes = r.detached && *r.address && listener_probe(r.address) == 0;
	ctl_record_clear(&r);
	return yes;
}

static void release_one_left(struct client *c, const char *root, const char *id)
{
	struct ctl_place p;
	struct err e = {0};

	if (ctl_place_init(&p, root, id, &e) < 0 || ctl_place_lock_left(&p) < 0)
		return;
	if (lives_detached(&p)) {
		ctl_place_close(&p);
		return;
	}
	if (ctl_release_place(c, &p, FILLED_BY_S, &e) < 0)
		ctl_say("container '%s' was left over and cannot be removed: "
			"%s",
			id, e.msg);
}

void ctl_release_all_left(struct client *c, const char *root)
{
	struct ctl_own own;
	size_t i;

	if (ctl_own_list(&own, root, NULL) == 0)
		for (i = 0; i < own.n; i++)
			release_one_left(c, root, own.ids[i]);
	ctl_own_clear(&own);
}
