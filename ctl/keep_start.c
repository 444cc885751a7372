/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/find.h"
#include "ctl/keep.h"
#include "ctl/wire.h"
#include "platform/process.h"

#define READY_MS 5000
#define CONNECT_TRIES 100
#define CONNECT_PAUSE_US 20000

/* ---- starting one ---- */

struct starting {
	struct err answer;
	size_t n;
	bool done;
};

static void on_answer(struct stream *s, unsigned what, void *arg)
{
	struct starting *x = arg;
	ssize_t got = stream_read(
		s, (char *)&x->answer + x->n, sizeof(x->answer) - x->n);

	(void)what;
	if (got == -EAGAIN)
		return;
	if (got > 0)
		x->n += (size_t)got;
	x->done = got <= 0 || x->n == sizeof(x->answer);
	if (x->done)
		stream_watch(s, 0);
}

static int await_answer(struct client *c, struct stream *s, struct err *e)
{
	struct starting x = {0};
	int r;

	stream_set_cb(s, on_answer, &x);
	r = stream_watch(s, STREAM_READ);
	if (r == 0)
		r = client_run_until(c, &x.done, 0);
	if (r < 0)
		return err_sys(e, r, "wait for the keeper");
	if (x.n < sizeof(x.answer))
		return err_set(e, -ECHILD,
			"the container's keeper died before it was ready");
	if (x.answer.code < 0)
		*e = x.answer;
	return x.answer.code;
}

int ctl_keep_start(struct client *c, const struct ctl_place *p, const char *id,
	enum ctl_keep_how how, struct err *e)
{
	static const char *const names[] = {[CTL_KEEP_CREATE] = "create",
		[CTL_KEEP_RUN] = "run",
		[CTL_KEEP_AGAIN] = "again"};
	char self[PATH_MAX];
	const char *argv[] = {self, "keep", p->root, id, names[how], NULL};
	struct process_spec spec = {.argv = argv, .cwd = "/"};
	struct stream *alive = NULL, *answer = NULL;
	int64_t pid;
	int r = ctl_find_self(self, sizeof(self));

	if (r == 0)
		r = stream_pipe_to_child(
			client_base(c), &alive, &spec.endpoints[0]);
	if (r == 0)
		r = stream_pipe_from_child(
			client_base(c), &answer, &spec.endpoints[1]);
	if (r < 0)
		err_sys(e, r, "start the container's keeper");
	else
		r = process_spawn(&spec, &pid, e);
	endpoint_close(spec.endpoints[0]);
	endpoint_close(spec.endpoints[1]);
	if (r == 0)
		r = await_answer(c, answer, e);
	stream_close(alive);
	stream_close(answer);
	return r;
}

/* ---- finding one ---- */

/* A keeper holds the lock; who only looks has it for a moment. */
static bool has_keeper(struct ctl_place *p)
{
	int r = ctl_place_lock(p);

	ctl_place_close(p);
	return r == -EWOULDBLOCK;
}

static int see_to_keeper(
	struct client *c, struct ctl_place *p, const char *id, struct err *e)
{
	int r;

	if (has_keeper(p))
		return 0;
	r = ctl_keep_start(c, p, id, CTL_KEEP_AGAIN, e);
	return r == -EWOULDBLOCK ? 0 : r; /* another one was faster */
}

int ctl_keep_find(struct client *c, const char *root, const char *id,
	struct ctl_place *p, struct ctl_record *ret, struct err *e)
{
	int r;

	if (!client_id_is_valid(id))
		return err_set(e, -EINVAL, "'%s' is no container's id", id);
	r = ctl_place_init(p, root, id, e);
	if (r == 0 && access(p->record, F_OK) < 0)
		return err_set(e, -ENOENT,
			"there is no container '%s' below '%s' (another "
			"--root?)",
			id, p->root);
	if (r == 0)
		r = ctl_record_read(p, ret, e);
	if (r < 0)
		return r;
	if (!ret->detached)
		r = err_set(e, -EBUSY,
			"'%s' is not detached: another wispctl is about to "
			"make it, or runs it in the foreground",
			id);
	else
		r = see_to_keeper(c, p, id, e);
	if (r < 0)
		ctl_record_clear(ret);
	return r;
}

/* ---- connecting ---- */

struct hello {
	struct ctl_wire_reader reader;
	struct err err;
	bool done;
};

static void on_hello(struct stream *s, unsigned what, void *arg)
{
	struct hello *h = arg;
	struct ctl_wire_head head;
	size_t room;
	void *data, *to = ctl_wire_room(&h->reader, &room);
	ssize_t got = stream_read(s, to, room);
	int r = 0;

	(void)what;
	if (got == -EAGAIN)
		return;
	if (got > 0) {
		ctl_wire_add(&h->reader, (size_t)got);
		r = ctl_wire_next(&h->reader, &head, &data);
	}
	if (got <= 0)
		err_set(&h->err, -EPIPE, "the container's keeper has gone");
	else if (r == 0)
		return;
	else if (r > 0 && head.type == CTL_WIRE_SORRY)
		err_set(&h->err, -EBUSY, "%.*s", (int)head.n, (char *)data);
	else if (r < 0 || head.type != CTL_WIRE_READY)
		err_set(&h->err, -EBADMSG,
			"the container's keeper is of another version");
	h->done = true;
	stream_watch(s, 0);
}

static int say_hello(
	struct client *c, struct stream *s, int mode, struct err *e)
{
	char text[sizeof(struct ctl_wire_head) + 1];
	struct ctl_wire_head head = {.type = CTL_WIRE_HELLO, .n = 1};
	struct hello h = {0};
	int r;

	memcpy(text, &head, sizeof(head));
	text[sizeof(head)] = (char)mode;
	if (stream_write(s, text, sizeof(text)) != sizeof(text))
		return err_set(e, -EPIPE, "the container's keeper has gone");
	stream_set_cb(s, on_hello, &h);
	r = stream_watch(s, STREAM_READ);
	if (r == 0)
		r = client_run_until(c, &h.done, READY_MS);
	stream_watch(s, 0);
	stream_set_cb(s, NULL, NULL);
	if (r < 0)
		return err_sys(e, r, "wait for the container's keeper");
	if (h.err.code < 0)
		*e = h.err;
	return h.err.code;
}

static bool is_worth_a_try(int r)
{
	return r == -ECONNREFUSED || r == -ENOENT || r == -EAGAIN ||
	       r == -EPIPE;
}

int ctl_keep_connect(struct client *c, const struct ctl_place *p,
	const char *id, int mode, struct stream **ret, struct err *e)
{
	struct ctl_place own = *p;
	struct stream *s = NULL;
	int tries, r = -ENOENT;

	for (tries = 0; tries < CONNECT_TRIES; tries++) {
		r = access(p->record, F_OK) < 0
			    ? err_set(e, -ENOENT, "the container '%s' is gone",
				      id)
			    : see_to_keeper(c, &own, id, e);
		if (r < 0)
			return r;
		r = stream_connect(client_base(c), p->attach, &s, e);
		if (r == 0)
			r = say_hello(c, s, mode, e);
		if (r == 0) {
			*ret = s;
			return 0;
		}
		stream_close(s);
		s = NULL;
		if (!is_worth_a_try(r))
			return r;
		usleep(CONNECT_PAUSE_US);
	}
	return r;
}
