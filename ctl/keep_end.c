/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "ctl/journal.h"
#include "ctl/keep.h"
#include "ctl/release.h"

#define SHUTDOWN_MS 2000
#define LEAVE_MS 3000
#define EVENTS_MS 500
#define STATUS_OF_LOST 137 /* SIGKILL: what a shim's `delete` says, too */

static void tell_synthetic(
	struct ctl_keep *k, enum client_event_type type, const char *topic)
{
	struct client_event ev = {.type = type,
		.topic = topic,
		.ns = k->record.container.ns,
		.container_id = k->id,
		.exec_id = "",
		.bundle = "",
		.checkpoint = "",
		.in = "",
		.out = "",
		.err = "",
		.pid = k->task ? client_process_pid(client_task_init(k->task))
			       : 0,
		.exit_status = k->status};

	clock_gettime(CLOCK_REALTIME, &ev.at);
	ev.exited_at = ev.at;
	ctl_journal_add(&k->place, &ev);
}

/* What the shim cannot tell any more: as containerd does for one that died. */
static void tell_loss(struct ctl_keep *k)
{
	if (!k->exited) {
		k->status = STATUS_OF_LOST;
		tell_synthetic(k, CLIENT_EVENT_EXIT, "/tasks/exit");
	}
	tell_synthetic(k, CLIENT_EVENT_DELETE, "/tasks/delete");
}

static void tell_clients(struct ctl_keep *k)
{
	ctl_keep_read_rest(k);
	if (k->exited && !k->over)
		ctl_keep_tell_exit(k);
	else if (!k->over)
		ctl_keep_tell_sorry(k,
			k->deleted ? "the container has been deleted"
				   : "the shim is gone, and the container with "
				     "it");
	k->over = true;
}

/* Sends the shim away. False if it does not go, or went by itself. */
static bool see_off(struct ctl_keep *k)
{
	struct client_await *aw;
	struct err e = {0};

	if (!k->shim || !k->deleted)
		return false;
	if (k->shim_lost)
		return true;
	aw = client_await_new(k->client, SHUTDOWN_MS);
	if (client_await(aw,
		    client_shim_shutdown(k->shim, k->id, client_await_done, aw),
		    &e) < 0)
		return false;
	return client_run_until(k->client, &k->shim_lost, LEAVE_MS) == 0;
}

/* The handles, and what they stand for unless that has gone already. */
static int release_task(struct ctl_keep *k, bool gone, struct err *e)
{
	struct client_shim *shim = k->shim;

	client_task_free(k->task);
	k->task = NULL;
	k->shim = NULL;
	if (!shim && !k->shim_lost)
		return 0; /* it never came that far */
	if (gone || (shim && !client_shim_is_connected(shim))) {
		client_shim_free(shim);
		shim = NULL;
	}
	return gone ? 0 : ctl_release(k->client, &k->record, shim, e);
}

void ctl_keep_close(struct ctl_keep *k)
{
	ctl_keep_serve_end(k);
	ctl_keep_close_io(k);
	client_events_free(k->events);
	client_log_free(k->log);
	k->events = NULL;
	k->log = NULL;
}

/* Nothing of the container is left after this. */
void ctl_keep_finish(struct ctl_keep *k, struct err *e)
{
	bool gone;

	client_interrupt(k->client, false);
	if (k->has_task && k->shim_lost && !k->deleted)
		tell_loss(k);
	tell_clients(k);
	gone = see_off(k);
	if (gone)
		client_events_settle(k->events, k->client, EVENTS_MS);
	if (release_task(k, gone, e) < 0)
		return;
	ctl_keep_close(k);
	ctl_release_files(&k->place, &k->record, e);
}

void ctl_keep_leave(struct ctl_keep *k)
{
	release_task(k, true, NULL);
}
