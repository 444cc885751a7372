/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/target.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/say.h"
#include "platform/file.h"

#define MADE_UP_MIN 12

int ctl_session_open(
	struct ctl_session *s, const struct ctl_task_options *o, struct err *e)
{
	*s = (struct ctl_session){.o = o};
	signal(SIGPIPE, SIG_IGN); /* a write tells */
	s->base = event_base_new();
	if (!s->base)
		return err_sys(e, -ENOMEM, "event loop");
	return client_new(s->base, &s->client, e);
}

void ctl_session_close(struct ctl_session *s)
{
	client_free(s->client);
	if (s->base)
		event_base_free(s->base);
	*s = (struct ctl_session){0};
}

/* A container of our own has its record; of one that is being made, or unmade,
 * the record may say nothing yet. */
static bool find_own(struct ctl_target *t, const char *id)
{
	const struct ctl_task_options *o = t->session->o;
	struct ctl_shim *w = &t->where;
	struct ctl_record *r = &t->record;

	if (!client_id_is_valid(id) ||
		ctl_place_init(&t->place, o->root, id, NULL) < 0 ||
		ctl_record_read(&t->place, r, NULL) < 0)
		return false;
	if (o->ns && strcmp(o->ns, r->container.ns) != 0) {
		ctl_record_clear(r);
		return false;
	}
	t->own = true;
	snprintf(w->ns, sizeof(w->ns), "%s", r->container.ns);
	snprintf(w->id, sizeof(w->id), "%s", id);
	snprintf(w->bundle, sizeof(w->bundle), "%s", r->container.bundle);
	snprintf(w->via, sizeof(w->via), "%s", r->container.bundle);
	snprintf(w->address, sizeof(w->address), "%s", r->address);
	w->version = r->version ? r->version : 2;
	return true;
}

/* As daemons, and we, make them up. Others are names, and one that begins like
 * another is another. */
static bool is_made_up(const char *id)
{
	size_t n = strlen(id);

	return n >= MADE_UP_MIN && strspn(id, "0123456789abcdef") == n;
}

static int locate(struct ctl_target *t, const char *id, struct err *e)
{
	struct ctl_shim *w = &t->where;
	int r = ctl_locate(t->session->o->ns, id, w, e);

	if (r < 0 || strcmp(w->id, id) == 0 || is_made_up(w->id))
		return r;
	r = err_set(e, -ENOENT,
		"no shim on this host has a container '%s'; there is '%s' in "
		"namespace %s, whose name must be given in full",
		id, w->id, w->ns);
	memset(w, 0, sizeof(*w));
	return r;
}

int ctl_target_find(struct ctl_target *t, struct ctl_session *s, const char *id,
	struct err *e)
{
	int r = 0;

	*t = (struct ctl_target){.session = s};
	t->place.lock = t->place.guard_lock = -1;
	if (!find_own(t, id))
		r = locate(t, id, e);
	t->container = (struct client_container){.ns = t->where.ns,
		.id = t->where.id,
		.bundle = t->where.bundle};
	return r;
}

static void on_lost(void *arg)
{
	struct ctl_target *t = arg;

	t->lost = true;
}

static void on_call(const char *method, void *arg)
{
	struct ctl_target *t = arg;

	t->calls++;
	if (t->session->o->debug)
		ctl_say("%s: call %lu: %s", t->where.id, t->calls, method);
}

int ctl_target_connect(struct ctl_target *t, struct err *e)
{
	int r;

	if (t->own && !*t->where.address)
		return err_set(e, -ENOTCONN, "its shim has not started");
	r = ctl_locate_connect(t->session->client, &t->where, &t->shim, e);
	if (r < 0 && t->own)
		err_append(e,
			"; if its shim is gone, `wispctl delete %s` "
			"cleans up",
			t->where.id);
	if (r < 0)
		return r;
	client_shim_on_lost(t->shim, on_lost, t);
	client_shim_on_call(t->shim, on_call, t);
	t->task = client_task_new(t->shim, &t->container);
	return t->task ? 0 : err_sys(e, -ENOMEM, "task");
}

int ctl_target_open(struct ctl_target *t, struct ctl_session *s, const char *id,
	struct err *e)
{
	int r = ctl_target_find(t, s, id, e);

	return r < 0 ? r : ctl_target_connect(t, e);
}

void ctl_target_close(struct ctl_target *t)
{
	client_task_free(t->task);
	client_shim_free(t->shim);
	ctl_record_clear(&t->record);
	ctl_place_close(&t->place);
	t->task = NULL;
	t->shim = NULL;
}

struct client_await *ctl_target_await(const struct ctl_target *t)
{
	return client_await_new(t->session->client, t->session->o->timeout_ms);
}

int ctl_target_look(struct ctl_target *t, struct err *e)
{
	struct client_await *aw = ctl_target_await(t);

	return client_await(aw,
		client_process_refresh(
			client_task_init(t->task), client_await_done, aw),
		e);
}

int ctl_target_path(const struct ctl_target *t, const char *name, char *ret,
	size_t n, struct err *e)
{
	if (!*t->where.via || file_check(t->where.via) < 0)
		return err_set(
			e, -ENOENT, "its bundle '%s' is gone", t->where.bundle);
	if (snprintf(ret, n, "%s/%s", t->where.via, name) >= (int)n)
		return err_set(e, -ENAMETOOLONG,
			"the path of its bundle '%s' is too long",
			t->where.bundle);
	return 0;
}

static int do_one(const char *command, struct ctl_session *s, const char *id,
	ctl_target_do what, void *arg)
{
	struct ctl_target t;
	struct err e = {0};
	int r = ctl_target_open(&t, s, id, &e);

	if (r == 0)
		r = what(&t, arg, &e);
	ctl_target_close(&t);
	if (r < 0)
		ctl_say("%s '%s': %s", command, id, e.msg);
	return r;
}

int ctl_target_each(const char *command, const struct ctl_task_options *o,
	char **ids, ctl_target_do what, void *arg)
{
	struct ctl_session s;
	struct err e = {0};
	int code = CTL_OK;

	if (ctl_session_open(&s, o, &e) < 0) {
		ctl_say("%s: %s", command, e.msg);
		code = CTL_FAILED;
	}
	for (; s.client && *ids; ids++)
		if (do_one(command, &s, *ids, what, arg) < 0)
			code = CTL_FAILED;
	ctl_session_close(&s);
	return code;
}
