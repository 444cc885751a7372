/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/say.h"
#include "ctl/seccomp/seccomp_log.h"
#include "ctl/seccomp/seccomp_prepare.h"
#include "platform/file.h"

static const struct timeval every = {.tv_usec = 200000};

struct sec_follow {
	struct event *timer;
	bool json, noted;
	char log[4096], notes[4096];
	int fd; /* of the log, or -1 */
	char line[4096];
	size_t n;
};

static void show(const struct sec_denial *d)
{
	char number[16];

	if (d->unnamed)
		ctl_say("denied: %" PRIu64 " calls of too many other kinds",
			d->unnamed);
	else if (d->count == d->total)
		ctl_say("denied: %s by %s (pid %" PRId64 "): %s; %s", d->call,
			d->comm, d->pid, sec_errno_name(d->error, number),
			d->why);
	else
		ctl_say("denied: %s by %s, %" PRIu64 " more (%" PRIu64
			" in all)",
			d->name, d->comm, d->count, d->total);
}

static void end_line(struct sec_follow *f)
{
	struct sec_denial d;

	f->line[f->n] = '\0';
	f->n = 0;
	if (sec_denial_parse(f->line, &d) < 0)
		return;
	if (!d.again && f->json)
		ctl_say_line(f->line);
	else if (!d.again)
		show(&d);
	sec_denial_clear(&d);
}

static void read_on(struct sec_follow *f)
{
	char buf[4096];
	ssize_t n, i;

	while ((n = read(f->fd, buf, sizeof(buf))) > 0)
		for (i = 0; i < n; i++) {
			if (buf[i] == '\n')
				end_line(f);
			else if (f->n < sizeof(f->line) - 1)
				f->line[f->n++] = buf[i];
		}
}

/* The shim has begun another file. */
static bool is_replaced(const struct sec_follow *f)
{
	struct stat now, ours;

	return stat(f->log, &now) == 0 && fstat(f->fd, &ours) == 0 &&
	       (now.st_ino != ours.st_ino || now.st_dev != ours.st_dev);
}

/* What the profile's rewriting has to say comes first. */
static void show_notes(struct sec_follow *f)
{
	char *text, *line, *rest;
	size_t n;

	if (f->noted || f->json ||
		file_read(f->notes, 65536, &text, &n, NULL) < 0)
		return;
	f->noted = true;
	for (line = strtok_r(text, "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest))
		ctl_say("seccomp: %s", line);
	free(text);
}

void sec_follow_look(struct sec_follow *f)
{
	show_notes(f);
	if (f->fd >= 0)
		read_on(f);
	if (f->fd >= 0 && is_replaced(f)) {
		read_on(f); /* the last words in it */
		close(f->fd);
		f->fd = -1;
		f->n = 0;
	}
	if (f->fd >= 0)
		return;
	f->fd = open(f->log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (f->fd >= 0)
		read_on(f);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	sec_follow_look(arg);
}

int sec_follow_new(struct event_base *base, const char *bundle, bool json,
	struct sec_follow **ret, struct err *e)
{
	struct sec_follow *f = calloc(1, sizeof(*f));

	if (f)
		f->timer = event_new(base, -1, EV_PERSIST, on_timer, f);
	if (!f || !f->timer || event_add(f->timer, &every) < 0) {
		if (f && f->timer)
			event_free(f->timer);
		free(f);
		return err_sys(e, -ENOMEM, "follow denials");
	}
	f->json = json;
	f->fd = -1;
	snprintf(f->log, sizeof(f->log), "%s/" SEC_LOG, bundle);
	snprintf(f->notes, sizeof(f->notes), "%s/" SEC_NOTES, bundle);
	*ret = f;
	return 0;
}

void sec_follow_free(struct sec_follow *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	event_free(f->timer);
	free(f);
}
