/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "ctl/find.h"
#include "ctl/keep.h"
#include "ctl/wire.h"

#define READY_MS 5000
#define CONNECT_TRIES 100
#define CONNECT_PAUSE_US 20000

/* ---- starting one ---- */

struct starting {
	struct err answer;
	size_t n;
	bool done;
};

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct starting *x = arg;
	ssize_t got = read(
		(int)fd, (char *)&x->answer + x->n, sizeof(x->answer) - x->n);

	(void)what;
	if (got < 0 && errno == EINTR)
		return;
	if (got > 0)
		x->n += (size_t)got;
	x->done = got <= 0 || x->n == sizeof(x->answer);
}

static int await_answer(struct client *c, int fd, struct err *e)
{
	struct starting x = {0};
	struct event *ev = event_new(
		client_base(c), fd, EV_READ | EV_PERSIST, on_answer, &x);
	int r = ev && event_add(ev, NULL) == 0 ? 0 : -ENOMEM;

	if (r == 0)
		r = client_run_until(c, &x.done, 0);
	if (ev)
		event_free(ev);
	if (r < 0)
		return err_sys(e, r, "wait for the keeper");
	if (x.n < sizeof(x.answer))
		return err_set(e, -ECHILD,
			"the container's keeper died before it was ready");
	if (x.answer.code < 0)
		*e = x.answer;
	return x.answer.code;
}

/* Signals at their defaults, and none blocked: what a loop of ours has done to
 * them is not for the keeper. */
static int spawn_attributes(posix_spawnattr_t *a)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	if (posix_spawnattr_setsigdefault(a, &all) != 0 ||
		posix_spawnattr_setsigmask(a, &none) != 0)
		return -EINVAL;
	return -posix_spawnattr_setflags(
		a, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

static int spawn_actions(posix_spawn_file_actions_t *a, const int fds[4])
{
	int i, r = 0;

	for (i = 0; r == 0 && i < 4; i++)
		r = posix_spawn_file_actions_adddup2(a, fds[i], i);
	if (r == 0)
		r = posix_spawn_file_actions_addchdir_np(a, "/");
	return -r;
}

/* fds are the keeper's descriptors 0 to 3. */
static int spawn(char *const *argv, const int fds[4])
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t pid;
	int r;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}
	r = spawn_attributes(&attributes);
	if (r == 0)
		r = spawn_actions(&actions, fds);
	if (r == 0)
		r = -posix_spawn(
			&pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* Above what becomes its 0 to 3, so that nothing is written over. */
static int high(int fd)
{
	int got = fcntl(fd, F_DUPFD_CLOEXEC, 16);

	close(fd);
	return got < 0 ? -errno : got;
}

struct pipes {
	int alive[2], answer[2], null, lock;
};

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int pipes_open(struct pipes *p, int lock)
{
	int *fds[] = {&p->alive[0], &p->alive[1], &p->answer[0], &p->answer[1],
		&p->null, &p->lock};
	size_t i;

	*p = (struct pipes){{-1, -1}, {-1, -1}, -1, -1};
	if (pipe2(p->alive, O_CLOEXEC) < 0 || pipe2(p->answer, O_CLOEXEC) < 0)
		return -errno;
	p->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	p->lock = fcntl(lock, F_DUPFD_CLOEXEC, 16);
	if (p->null < 0 || p->lock < 0)
		return -errno;
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		*fds[i] = high(*fds[i]);
		if (*fds[i] < 0)
			return *fds[i];
	}
	return 0;
}

static void pipes_close_theirs(struct pipes *p)
{
	close_one(&p->alive[0]);
	close_one(&p->answer[1]);
	close_one(&p->null);
	close_one(&p->lock);
}

static void pipes_close(struct pipes *p)
{
	pipes_close_theirs(p);
	close_one(&p->alive[1]);
	close_one(&p->answer[0]);
}

int ctl_keep_start(struct client *c, struct ctl_place *p, const char *id,
	enum ctl_keep_how how, struct err *e)
{
	static const char *const names[] = {[CTL_KEEP_CREATE] = "create",
		[CTL_KEEP_RUN] = "run",
		[CTL_KEEP_AGAIN] = "again"};
	char self[PATH_MAX];
	const char *argv[] = {self, "keep", p->root, id, names[how], NULL};
	struct pipes x = {{-1, -1}, {-1, -1}, -1, -1};
	int fds[4], r = ctl_find_self(self, sizeof(self));

	if (r == 0)
		r = pipes_open(&x, p->lock);
	if (r == 0) {
		fds[0] = x.alive[0];
		fds[1] = x.answer[1];
		fds[2] = x.null;
		fds[3] = x.lock;
		r = spawn((char *const *)argv, fds);
	}
	pipes_close_theirs(&x);
	ctl_place_close(p);
	if (r < 0)
		err_sys(e, r, "start the container's keeper");
	else
		r = await_answer(c, x.answer[0], e);
	pipes_close(&x);
	return r;
}

/* ---- finding one ---- */

/* A keeper holds the lock; who only looks has it for a moment. */
static int see_to_keeper(
	struct client *c, struct ctl_place *p, const char *id, struct err *e)
{
	int r = ctl_place_lock(p);

	if (r == -EWOULDBLOCK)
		return 0;
	if (r == -ENOENT)
		return err_set(e, r, "the container '%s' is gone", id);
	if (r < 0)
		return err_sys(e, r, "lock '%s'", p->state);
	return ctl_keep_start(c, p, id, CTL_KEEP_AGAIN, e);
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
