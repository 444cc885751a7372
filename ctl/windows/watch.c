/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/windows/watch.h"

#include <event2/event.h>

#include "ctl/say.h"
#include "platform/standard.h"

#define SIGNAL_KILL 9
#define TIMES_TO_FORCE 3 /* as docker */

/* Nobody tells that a console has another size but to who reads its keys as
 * records. */
static const struct timeval often = {.tv_usec = 250000};

static void on_event(uint32_t number, void *arg)
{
	struct ctl_watch *w = arg;

	w->n++;
	if (!w->process) {
		client_interrupt(w->client, true);
		return;
	}
	if (w->n == TIMES_TO_FORCE)
		ctl_say("told %u times: killing the container", w->n);
	if (w->n >= TIMES_TO_FORCE)
		client_process_kill(w->process, SIGNAL_KILL, true, NULL, NULL);
	else
		client_process_kill(w->process, number, false, NULL, NULL);
}

int ctl_watch_begin(struct ctl_watch *w, struct client *c, struct err *e)
{
	*w = (struct ctl_watch){.client = c};
	return standard_events_new(client_base(c), on_event, w, &w->signals, e);
}

void ctl_watch_running(struct ctl_watch *w, struct client_process *p)
{
	w->process = p;
}

void ctl_watch_over(struct ctl_watch *w)
{
	w->process = NULL;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_watch *w = arg;
	uint32_t width, height;

	(void)fd;
	(void)what;
	if (!w->process || !terminal_size(&width, &height) ||
		(width == w->width && height == w->height))
		return;
	w->width = width;
	w->height = height;
	client_process_set_size(w->process, width, height);
}

int ctl_watch_terminal(
	struct ctl_watch *w, struct client_process *p, bool raw, struct err *e)
{
	int r = raw ? terminal_raw(&w->raw) : 0;

	if (r < 0)
		return err_sys(e, r, "terminal on stdin");
	if (raw)
		ctl_say_raw(true);
	if (!terminal_size(&w->width, &w->height))
		return 0; /* it keeps the size that it has */
	client_process_set_size(p, w->width, w->height);
	w->look = event_new(client_base(w->client), -1, EV_PERSIST, on_look, w);
	if (!w->look || event_add(w->look, &often) < 0)
		return err_sys(e, -ENOMEM, "terminal");
	return 0;
}

void ctl_watch_end(struct ctl_watch *w)
{
	if (w->look)
		event_free(w->look);
	host_signals_free(w->signals);
	terminal_restore(w->raw);
	ctl_say_raw(false);
	*w = (struct ctl_watch){0};
}
