/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/guard.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/find.h"
#include "ctl/release.h"
#include "platform/process.h"

int ctl_guard_start(struct ctl_guard *g, struct event_base *base,
	const struct ctl_place *p, const char *id, struct err *e)
{
	char self[PATH_MAX];
	const char *argv[] = {self, "guard", p->root, id, NULL};
	struct process_spec spec = {.argv = argv, .cwd = "/"};
	struct stream *pipe = NULL;
	int r = ctl_find_self(self, sizeof(self));

	if (r == 0)
		r = stream_pipe_to_child(base, &pipe, &spec.endpoints[0]);
	if (r < 0)
		return err_sys(e, r, "start the guard");
	r = process_spawn(&spec, &g->pid, e);
	endpoint_close(spec.endpoints[0]);
	if (r < 0) {
		stream_close(pipe);
		err_prefix(e, "start the guard");
		return r;
	}
	g->pipe = pipe;
	return 0;
}

/* Goes through whole: it is less than PIPE_BUF. */
static void tell(struct ctl_guard *g)
{
	if (g->pipe)
		stream_write(g->pipe, &g->orders, sizeof(g->orders));
}

void ctl_guard_tell_made(struct ctl_guard *g)
{
	g->orders.made = true;
	tell(g);
}

void ctl_guard_tell_kept(struct ctl_guard *g)
{
	g->orders.made = false;
	tell(g);
}

void ctl_guard_tell_terminal(struct ctl_guard *g, const struct ctl_terminal *t)
{
	const char *tty = ttyname(STDIN_FILENO);

	if (!tty)
		return;
	g->orders.terminal = *t;
	snprintf(g->orders.tty, sizeof(g->orders.tty), "%s", tty);
	tell(g);
}

void ctl_guard_end(struct ctl_guard *g)
{
	if (!g->pipe)
		return;
	stream_close(g->pipe);
	g->pipe = NULL;
	while (waitpid((pid_t)g->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Nothing that is sent to the first one's group or terminal concerns us. */
static void become_guard(void)
{
	int sig;

	setsid();
	for (sig = 1; sig < NSIG; sig++)
		if (sig != SIGCHLD)
			signal(sig, SIG_IGN);
	prctl(PR_SET_NAME, "wisp-guard");
}

static void wait_for_end(struct ctl_guard_orders *last, struct ctl_place *p)
{
	struct ctl_guard_orders o;
	ssize_t n;

	do {
		n = read(STDIN_FILENO, &o, sizeof(o));
		if (n != (ssize_t)sizeof(o))
			continue;
		if (o.made && !last->made)
			ctl_place_lock_as_guard(p);
		*last = o;
	} while (n > 0 || (n < 0 && errno == EINTR));
}

static void restore_terminal(const struct ctl_guard_orders *o)
{
	int fd;

	if (!o->terminal.raw)
		return;
	fd = open(o->tty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	tcsetattr(fd, TCSANOW, &o->terminal.before);
	close(fd);
}

static int release(struct ctl_place *p)
{
	struct event_base *base = event_base_new();
	struct client *c = NULL;
	int r = -ENOMEM;

	if (base && client_new(base, &c, NULL) == 0)
		r = ctl_release_place(c, p, 0, NULL);
	client_free(c);
	if (base)
		event_base_free(base);
	return r;
}

int ctl_guard(int argc, char **argv)
{
	struct ctl_guard_orders last = {0};
	struct ctl_place p;
	int r;

	if (argc != 3 || ctl_place_init(&p, argv[1], argv[2], NULL) < 0)
		return CTL_FAILED;
	become_guard();
	wait_for_end(&last, &p);
	restore_terminal(&last);
	if (!last.made)
		return CTL_OK;
	/* The first one's lock goes with it, but maybe a moment later. -ENOENT:
	 * all is gone, as it should be. */
	r = ctl_place_lock_soon(&p);
	if (r == 0)
		r = release(&p);
	ctl_place_close(&p);
	return r == 0 || r == -ENOENT ? CTL_OK : CTL_FAILED;
}
