/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/fifo.h"
#include "ctl/find.h"
#include "ctl/place.h"
#include "ctl/release.h"
#include "ctl/rootfs.h"
#include "ctl/say.h"
#include "ctl/spec/spec.h"
#include "ctl/stress/stress_system.h"

#define GROUP "io.kubernetes.cri.sandbox-id"
#define DIR_MAX 80 /* a socket's path has 107 bytes */
#define SIGNALS 3

const uint32_t stress_killed = 128 + SIGKILL, stress_lost = 128 + SIGKILL;
const bool stress_has_oom = true;
const bool stress_memory_is_shared = true;
const char *const stress_memory_name = "PSS";
const char *const stress_open_name = "descriptors";
const size_t stress_root_max = DIR_MAX - sizeof("/stress-XXXXXX");
const char *const stress_help_about =
	"descriptors, children, zombies, mounts,\ncgroups, inotify watches, "
	"sockets, files, memory. Needs root.";
const char *const stress_help_runtime =
	"      --runtime NAME  (runc, else crun)\n";

const char *stress_default_root(void)
{
	return "/run/wisp";
}

int stress_system_check(const struct stress_options *o, struct err *e)
{
	(void)o;
	signal(SIGPIPE, SIG_IGN);
	return geteuid() == 0 ? 0
			      : err_set(e, -EPERM,
					"stress needs root: it makes cgroups "
					"and looks into all of /proc");
}

int stress_system_begin(struct stress_world *w, struct err *e)
{
	struct stress_result *result = w->result;
	int r = ctl_find_runtime(
		w->o->runtime, w->runtime, sizeof(w->runtime), e);

	if (r < 0)
		return r;
	snprintf(result->runtime, sizeof(result->runtime), "%s", w->runtime);
	snprintf(w->events_path, sizeof(w->events_path), "%s/events", w->dir);
	r = ctl_rootfs_choose(w->dir, w->tag, w->rootfs, sizeof(w->rootfs), e);
	return r < 0 ? r : ctl_rootfs_make(w->client, w->rootfs, e);
}

void stress_system_end(struct stress_world *w)
{
	struct err e = {0};

	if (w->rootfs[0] && ctl_remove_tree(w->rootfs, &e) < 0)
		ctl_say("stress: %s", e.msg);
}

struct stress_stop {
	struct event *events[SIGNALS];
};

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct stress_world *w = arg;

	(void)sig;
	(void)what;
	w->stopped = true;
	if (!w->cleaning)
		client_interrupt(w->client, true);
}

int stress_catch_stop(struct stress_world *w, struct err *e)
{
	static const int caught[SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
	int i;

	w->stop = calloc(1, sizeof(*w->stop));
	for (i = 0; w->stop && i < SIGNALS; i++) {
		w->stop->events[i] =
			evsignal_new(w->base, caught[i], on_stop, w);
		if (!w->stop->events[i] ||
			event_add(w->stop->events[i], NULL) < 0)
			break;
	}
	return w->stop && i == SIGNALS ? 0
				       : err_sys(e, -ENOMEM, "catch signals");
}

void stress_forget_stop(struct stress_world *w)
{
	int i;

	for (i = 0; w->stop && i < SIGNALS; i++)
		if (w->stop->events[i])
			event_free(w->stop->events[i]);
	free(w->stop);
	w->stop = NULL;
}

void stress_log_name(const struct stress_box *b, char *ret, size_t n)
{
	snprintf(ret, n, "%s/log", b->bundle);
}

static const char *const *words(
	enum stress_does does, unsigned n, const char *argv[4], char text[80])
{
	static const char *const sleeps[] = {"sleep", "1000000", NULL};
	static const char *const eats[] = {"tail", "/dev/zero", NULL};
	static const char *const missing[] = {"nosuch", NULL};

	if (does == STRESS_SLEEPS)
		return sleeps;
	if (does == STRESS_EATS)
		return eats;
	if (does == STRESS_MISSING)
		return missing;
	if (does == STRESS_EXITS)
		snprintf(text, 80, "exit %u", n);
	else
		snprintf(text, 80, "seq 1 %u & seq 1 %u >&2; wait", n, n);
	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = text;
	argv[3] = NULL;
	return argv;
}

int stress_config(const struct stress_box *b, const struct stress_box_spec *s,
	const char *group, char **ret, struct err *e)
{
	const char *argv[4], *annotations[2] = {NULL};
	char text[80], annotation[80];
	struct ctl_spec spec = {.id = b->id,
		.rootfs = s->broken ? "/nonexistent/rootfs"
				    : b->actor.world->rootfs,
		.cgroup = b->cgroup,
		.args = words(s->does, s->n, argv, text),
		.annotations = annotations,
		.memory = s->memory};
	int r;

	snprintf(annotation, sizeof(annotation), GROUP "=%s",
		group ? group : "");
	if (group)
		annotations[0] = annotation;
	ctl_user_look(&spec.user);
	r = ctl_spec_make(&spec, ret);
	return r < 0 ? err_sys(e, r, "config.json") : 0;
}

int stress_process(const struct stress_box *b, enum stress_does does,
	unsigned n, char **ret, struct err *e)
{
	const char *argv[4];
	char text[80];
	struct ctl_spec spec = {.args = words(does, n, argv, text)};
	int r = ctl_spec_make_process(&spec, ret);

	(void)b;
	return r < 0 ? err_sys(e, r, "exec") : 0;
}

static void stop_reading(struct stress_sink *s)
{
	if (s->readable)
		event_free(s->readable);
	s->readable = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
	struct stress_sink *s = arg;
	static unsigned char buf[64 << 10];
	ssize_t n = read(fd, buf, sizeof(buf));

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		s->bytes += (uint64_t)n;
		s->sum = stress_sum(s->sum, buf, (size_t)n);
		return;
	}
	s->ended = true;
	stop_reading(s);
}

int stress_sink_open(struct stress_box *b, int i, struct err *e)
{
	struct stress_sink *s = &b->sinks[i];
	int r;

	snprintf(b->out[i], sizeof(b->out[i]), "%s/%s.%d", b->actor.world->dir,
		b->id, i + 1);
	r = client_fifo_make(b->out[i], e);
	if (r == 0)
		r = s->fd = client_fifo_open_output(b->out[i], e);
	if (r < 0)
		return r;
	s->readable = event_new(b->actor.world->base, s->fd,
		EV_READ | EV_PERSIST, on_output, s);
	if (!s->readable || event_add(s->readable, NULL) < 0)
		return err_sys(e, -ENOMEM, "read '%s'", b->out[i]);
	return 0;
}

void stress_sink_close(struct stress_box *b, int i)
{
	stop_reading(&b->sinks[i]);
	if (*b->out[i])
		unlink(b->out[i]);
}

int stress_release(
	struct stress_box *b, struct client_shim *shim, struct err *e)
{
	return ctl_release(b->actor.world->client, &b->record, shim, e);
}
