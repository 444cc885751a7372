/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/json.h"
#include "ctl/say.h"
#include "platform/text.h"

struct line {
	char text[CTL_SHOW_MAX];
	size_t n;
	const char *dim, *strong, *bad, *plain; /* colours, or "" */
};

static void ERR_PRINTF(2, 3) add(struct line *l, const char *fmt, ...)
{
	size_t room = sizeof(l->text) - l->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->n, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->n += (size_t)n < room ? (size_t)n : room - 1;
}

static void line_init(struct line *l, bool colours)
{
	*l = (struct line){.dim = colours ? "\033[2m" : "",
		.strong = colours ? "\033[1m" : "",
		.bad = colours ? "\033[31m" : "",
		.plain = colours ? "\033[0m" : ""};
}

static void add_text(struct line *l, const char *key, const char *value)
{
	if (*value)
		add(l, "  %s%s=%s%s", l->dim, key, l->plain, value);
}

static bool has_exit(const struct client_event *ev)
{
	return ev->type == CLIENT_EVENT_EXIT || ev->type == CLIENT_EVENT_DELETE;
}

void ctl_event_text(
	const struct client_event *ev, bool colours, char ret[CTL_SHOW_MAX])
{
	struct line l;
	struct tm tm;
	time_t t = ev->at.tv_sec;

	line_init(&l, colours);
	localtime_r(&t, &tm);
	add(&l, "%s%02d:%02d:%02d.%06ld%s  %s%-19s%s", l.dim, tm.tm_hour,
		tm.tm_min, tm.tm_sec, ev->at.tv_nsec / 1000, l.plain, l.strong,
		ev->topic, l.plain);
	add_text(&l, "id", ev->container_id);
	add_text(&l, "exec", ev->exec_id);
	if (ev->pid)
		add(&l, "  %spid=%s%u", l.dim, l.plain, ev->pid);
	if (has_exit(ev))
		add(&l, "  %sstatus=%s%s%u%s", l.dim, l.plain,
			ev->exit_status ? l.bad : "", ev->exit_status, l.plain);
	if (ev->terminal)
		add(&l, "  %sterminal%s", l.dim, l.plain);
	add_text(&l, "bundle", ev->bundle);
	add_text(&l, "checkpoint", ev->checkpoint);
	memcpy(ret, l.text, l.n + 1);
}

void ctl_show_event(const struct client_event *ev)
{
	char text[CTL_SHOW_MAX];

	ctl_event_text(ev, ctl_say_colours(), text);
	ctl_say_line(text);
}

static void put_time(yajl_gen g, const char *key, const struct timespec *at)
{
	char text[TEXT_TIME_MAX];

	text_time(at, text);
	ctl_json_put(g, key, text);
}

static void put_if(yajl_gen g, const char *key, const char *text)
{
	if (*text)
		ctl_json_put(g, key, text);
}

int ctl_event_json(const struct client_event *ev, char **ret)
{
	yajl_gen g = yajl_gen_alloc(NULL);

	if (!g)
		return -ENOMEM;
	yajl_gen_map_open(g);
	put_time(g, "time", &ev->at);
	ctl_json_put(g, "namespace", ev->ns);
	ctl_json_put(g, "topic", ev->topic);
	put_if(g, "id", ev->container_id);
	put_if(g, "exec", ev->exec_id);
	if (ev->pid)
		ctl_json_put_number(g, "pid", ev->pid);
	if (has_exit(ev)) {
		ctl_json_put_number(g, "status", ev->exit_status);
		put_time(g, "exitedAt", &ev->exited_at);
	}
	if (ev->type == CLIENT_EVENT_CREATE)
		ctl_json_put_bool(g, "terminal", ev->terminal);
	put_if(g, "bundle", ev->bundle);
	put_if(g, "stdin", ev->in);
	put_if(g, "stdout", ev->out);
	put_if(g, "stderr", ev->err);
	put_if(g, "checkpoint", ev->checkpoint);
	yajl_gen_map_close(g);
	return ctl_json_take(g, ret);
}

void ctl_show_event_json(const struct client_event *ev)
{
	char *text;

	if (ctl_event_json(ev, &text) < 0)
		return;
	ctl_say_line(text);
	free(text);
}
