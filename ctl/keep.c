/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/keep.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/journal.h"
#include "ctl/launch.h"
#include "platform/host.h"

#define STATE_MS 10000
#define PATIENCE_S 10

/* ---- what it hears ---- */

static void on_event(const struct client_event *ev, void *arg)
{
	struct ctl_keep *k = arg;
	bool init = !*ev->exec_id && strcmp(ev->container_id, k->id) == 0;

	ctl_journal_add(&k->place, ev);
	if (k->task)
		client_task_learn(k->task, ev);
	if (!init || (ev->type != CLIENT_EVENT_EXIT &&
			     ev->type != CLIENT_EVENT_DELETE))
		return;
	k->status = ev->exit_status;
	k->exited = true;
	if (ev->type == CLIENT_EVENT_DELETE)
		k->deleted = k->done = true;
	else
		ctl_keep_drain(k);
}

static void on_log(const char *line, void *arg)
{
	struct ctl_keep *k = arg;

	if (!strstr(line, "level=info") && !strstr(line, "level=debug"))
		snprintf(k->last_log, sizeof(k->last_log), "%s", line);
}

static void on_shim_lost(void *arg)
{
	struct ctl_keep *k = arg;

	k->shim_lost = k->done = true;
}

static void on_patience_lost(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_keep *k = arg;

	(void)fd;
	(void)what;
	client_interrupt(k->client, true);
}

/* Whoever started us has gone before he could hear how it went. A step that is
 * under way comes to its end first: half a shim is hard to clean up after. */
static void on_starter(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval patience = {PATIENCE_S, 0};
	struct ctl_keep *k = arg;
	char byte;

	(void)what;
	if (read((int)fd, &byte, 1) > 0)
		return;
	event_del(k->starter);
	k->unheard = true;
	if (event_add(k->patience, &patience) < 0)
		client_interrupt(k->client, true);
}

/* Between two steps: is there still somebody who wants it? */
static int check_starter(const struct ctl_keep *k, struct err *e)
{
	return k->unheard ? err_set(e, -ECANCELED, "nobody waits for it") : 0;
}

void ctl_keep_is_over(struct ctl_keep *k)
{
	ctl_keep_tell_exit(k);
	/* its event tells the rest */
	if (k->record.remove && k->task)
		client_process_delete(client_task_init(k->task), NULL, NULL);
}

/* ---- a new task ---- */

static int create(struct ctl_keep *k, struct err *e)
{
	struct client_stdio io = {
		.in = k->record.interactive ? k->place.in : NULL,
		.out = k->place.out,
		.err = k->record.terminal ? NULL : k->place.err,
		.terminal = k->record.terminal};
	struct client_await *aw = client_await_new(k->client, 0);
	int rc;

	rc = client_await(
		aw, client_task_create(k->task, &io, client_await_done, aw), e);
	k->record.creating = rc == -EINTR;
	if (rc < 0)
		return rc;
	k->record.detached = true;
	return ctl_record_write(&k->place, &k->record, e);
}

static int start(struct ctl_keep *k, struct err *e)
{
	struct client_await *aw = client_await_new(k->client, 0);
	struct client_process *init = client_task_init(k->task);

	return client_await(
		aw, client_process_start(init, client_await_done, aw), e);
}

static int make_task(struct ctl_keep *k, bool run, struct err *e)
{
	int rc;

	k->record.creating = false;
	rc = ctl_launch_shim(k->client, &k->place, &k->record, &k->shim, e);
	if (rc < 0)
		return rc;
	client_shim_on_lost(k->shim, on_shim_lost, k);
	k->task = client_task_new(k->shim, &k->record.container);
	if (!k->task)
		return err_sys(e, -ENOMEM, "task");
	rc = check_starter(k, e);
	if (rc < 0)
		return rc;
	rc = create(k, e);
	if (rc < 0) {
		err_prefix(e, "create");
		return rc;
	}
	k->has_task = true;
	rc = run ? start(k, e) : 0;
	if (rc < 0)
		err_prefix(e, "start");
	return rc < 0 ? rc : check_starter(k, e);
}

/* ---- a task that is there ---- */

static int find_task(struct ctl_keep *k, struct err *e)
{
	struct client_await *aw;
	struct client_exit how;
	int rc;

	rc = client_shim_connect(k->client, k->record.container.ns,
		k->record.address, k->record.version, &k->shim, e);
	if (rc < 0) {
		k->shim_lost = rc == -ECONNREFUSED || rc == -ENOENT;
		return rc;
	}
	client_shim_on_lost(k->shim, on_shim_lost, k);
	k->task = client_task_new(k->shim, &k->record.container);
	if (!k->task)
		return err_sys(e, -ENOMEM, "task");
	aw = client_await_new(k->client, STATE_MS);
	rc = client_await(aw,
		client_process_refresh(
			client_task_init(k->task), client_await_done, aw),
		e);
	k->deleted = rc == -ENOENT;
	if (rc < 0)
		return rc;
	k->has_task = true;
	if (client_process_exit(client_task_init(k->task), &how)) {
		k->exited = true;
		k->status = how.status;
		ctl_keep_drain(k);
	}
	return 0;
}

/* ---- the steps ---- */

static int open_all(struct ctl_keep *k, bool anew, struct err *e)
{
	int rc = ctl_keep_open_io(k, !anew, e);

	if (rc == 0)
		rc = ctl_keep_read(k, anew, e);
	if (rc == 0)
		rc = ctl_keep_serve(k, e);
	if (rc < 0)
		return rc;
	listener_unlink(k->place.events);
	rc = client_events_new(
		k->base, k->place.events, on_event, k, &k->events, e);
	return rc < 0 ? rc
		      : client_log_new(
				k->base, k->place.log, on_log, k, &k->log, e);
}

static int begin(struct ctl_keep *k, enum ctl_keep_how how, struct err *e)
{
	int rc = ctl_record_read(&k->place, &k->record, e);
	if (rc < 0)
		return rc;
	k->has_record = true;
	rc = open_all(k, how == CTL_KEEP_AGAIN, e);
	if (rc < 0)
		return rc;
	rc = how == CTL_KEEP_AGAIN ? find_task(k, e)
				   : make_task(k, how == CTL_KEEP_RUN, e);
	if (rc < 0 && k->shim_lost)
		err_set(e, -ENOTCONN,
			"the shim is gone, and the container with it%s%s",
			*k->last_log ? "; it said last: " : "", k->last_log);
	return rc < 0 ? e->code : 0;
}

/* On stdout, which is a pipe; e->code 0: all is well. */
static void answer(struct ctl_keep *k, const struct err *e)
{
	ssize_t put = write(STDOUT_FILENO, e, sizeof(*e));
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)put; /* nobody listens: he has gone */
	event_del(k->starter);
	event_del(k->patience);
	if (fd < 0)
		return;
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	close(fd);
}

/* What failed, and was ours to make, is unmade. A task that was there before,
 * and answers wrongly, is left as it is. */
static void give_up(struct ctl_keep *k, enum ctl_keep_how how, struct err *e)
{
	if (!k->has_record)
		return;
	if (how != CTL_KEEP_AGAIN || k->shim_lost || k->deleted)
		ctl_keep_finish(k, e);
	else
		ctl_keep_leave(k);
}

static int keep(struct ctl_keep *k, enum ctl_keep_how how)
{
	struct err e = {0}, late = {0};
	int rc = begin(k, how, &e);

	if (rc < 0) {
		give_up(k, how, &late);
		answer(k, &e);
		return rc;
	}
	answer(k, &e);
	host_trim_memory();
	client_run_until(k->client, &k->done, 0);
	ctl_keep_finish(k, &late);
	return late.code;
}

/* ---- the process ---- */

/* Nothing that is sent to the starter's group or terminal concerns us. */
static void become_keeper(void)
{
	setsid();
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, "wisp-keep");
}

static int keep_new(struct ctl_keep **ret)
{
	struct ctl_keep *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	list_init(&k->peers);
	k->out.fd = k->err.fd = k->input = k->output.fd = -1;
	k->copy[0] = k->copy[1] = -1;
	k->place.lock = k->place.guard_lock = -1;
	k->base = event_base_new();
	if (k->base && client_new(k->base, &k->client, NULL) == 0)
		k->starter = event_new(k->base, STDIN_FILENO,
			EV_READ | EV_PERSIST, on_starter, k);
	if (k->base)
		k->patience = evtimer_new(k->base, on_patience_lost, k);
	*ret = k;
	if (!k->starter || !k->patience || event_add(k->starter, NULL) < 0)
		return -ENOMEM;
	return 0;
}

static void keep_free(struct ctl_keep *k)
{
	if (!k)
		return;
	ctl_keep_close(k);
	ctl_record_clear(&k->record);
	ctl_place_close(&k->place);
	client_free(k->client);
	if (k->starter)
		event_free(k->starter);
	if (k->patience)
		event_free(k->patience);
	if (k->base)
		event_base_free(k->base);
	free(k);
}

int ctl_keep(int argc, char **argv)
{
	enum ctl_keep_how how;
	struct ctl_keep *k = NULL;
	int r = -EINVAL;

	if (argc != 4)
		return CTL_FAILED;
	how = strcmp(argv[3], "run") == 0      ? CTL_KEEP_RUN
	      : strcmp(argv[3], "create") == 0 ? CTL_KEEP_CREATE
					       : CTL_KEEP_AGAIN;
	/* before anything else may get that number */
	if (fcntl(CTL_KEEP_LOCK_FD, F_SETFD, FD_CLOEXEC) < 0)
		return CTL_FAILED;
	become_keeper();
	r = keep_new(&k);
	if (r == 0) {
		k->id = argv[2];
		r = ctl_place_init(&k->place, argv[1], k->id, NULL);
		k->place.lock = CTL_KEEP_LOCK_FD;
	}
	if (r == 0)
		r = keep(k, how);
	keep_free(k);
	return r < 0 ? CTL_FAILED : CTL_OK;
}
