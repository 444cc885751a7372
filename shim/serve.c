/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/serve.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "platform/cgroup.h"
#include "platform/host.h"
#include "platform/listener.h"
#include "reaper/reaper.h"
#include "shim/dump.h"
#include "shim/log.h"
#include "shim/publish.h"
#include "shim/rpc.h"
#include "shim/task.h"
#include "ttrpc/server.h"

/* How long leaving may take: after Shutdown, or when told to go. */
#define FLUSH_MS 5000
#define TERMINATE_MS 1000

struct shim {
	const struct serve_config *config; /* borrowed */
	struct event_base *base;
	struct listener *listener;
	struct reaper *reaper;
	struct publisher *publisher;
	struct tasks *tasks;
	struct ttrpc_server *server;
	struct rpc_config rpc;
	struct dump_source dump;
	struct host_signals *signals;
	struct event *grace; /* nobody is there */
	struct event *check; /* looks whether it can leave, from the loop */
	struct event *bound; /* leaving takes no longer */
	uint32_t grace_ms;
	bool leaving, terminating;
};

static void timer(struct event *ev, uint32_t ms)
{
	struct timeval tv = {
		.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};

	event_add(ev, &tv);
}

static void leave(struct shim *s, uint32_t bound_ms)
{
	if (s->leaving)
		return;
	s->leaving = true;
	log_debug(NULL, "leaving");
	/* nobody new: whoever dials from now on is to start another shim */
	listener_close(s->listener);
	s->listener = NULL;
	listener_unlink(s->config->address);
	timer(s->bound, bound_ms);
	event_active(s->check, EV_TIMEOUT, 0);
}

/* A daemon that is there gets a moment to delete what has ended; without one
 * its `delete` will find the exit in the bundle. */
static void check_terminating(struct shim *s)
{
	if (tasks_alive(s->tasks) > 0)
		return;
	if (tasks_count(s->tasks) == 0 ||
		ttrpc_server_connections(s->server) == 0)
		leave(s, TERMINATE_MS);
	else if (!event_pending(s->grace, EV_TIMEOUT, NULL))
		timer(s->grace, TERMINATE_MS);
}

static void on_check(evutil_socket_t fd, short what, void *arg)
{
	struct shim *s = arg;

	(void)fd;
	(void)what;
	if (s->terminating)
		check_terminating(s);
	if (s->leaving) {
		if (publisher_is_flushed(s->publisher) &&
			ttrpc_server_flushed(s->server))
			event_base_loopbreak(s->base);
		else if (publisher_is_flushed(s->publisher))
			timer(s->check, 10); /* a slow reader of answers */
		return;
	}
	if (s->terminating && tasks_alive(s->tasks) == 0)
		return;
	if (tasks_count(s->tasks) == 0 &&
		ttrpc_server_connections(s->server) == 0)
		timer(s->grace, s->grace_ms);
	else
		event_del(s->grace);
}

/* Something changed that may let us go; looked at from the loop. */
static void on_change(void *arg)
{
	struct shim *s = arg;

	event_active(s->check, EV_TIMEOUT, 0);
}

static void on_grace(evutil_socket_t fd, short what, void *arg)
{
	struct shim *s = arg;

	(void)fd;
	(void)what;
	log_info(s->config->id,
		s->terminating
			? "told to terminate and the containers have ended"
			: "no container and no daemon: leaving");
	leave(s, FLUSH_MS);
}

static void on_bound(evutil_socket_t fd, short what, void *arg)
{
	struct shim *s = arg;

	(void)fd;
	(void)what;
	log_warn(s->config->id, "leaving with %zu events undelivered",
		publisher_waiting(s->publisher));
	event_base_loopbreak(s->base);
}

static void on_terminate(void *arg)
{
	struct shim *s = arg;

	s->terminating = true;
	if (tasks_alive(s->tasks) > 0)
		log_info(s->config->id,
			"told to terminate: leaving when the last container "
			"has ended");
	on_change(s);
}

static void on_dump(void *arg)
{
	struct shim *s = arg;

	dump_write(&s->dump);
	host_trim_memory();
}

static void on_shutdown(void *arg)
{
	leave(arg, FLUSH_MS);
}

static void on_accept(struct stream *stream, void *arg)
{
	struct shim *s = arg;

	if (ttrpc_server_accept(s->server, stream) < 0)
		log_error(NULL, "no memory for another connection");
	/* a daemon that dials us is there for our events, too */
	publisher_poke(s->publisher);
	on_change(s);
}

static uint32_t grace_from_env(void)
{
	const char *text = getenv("WISP_GRACE_MS");
	unsigned long ms = text ? strtoul(text, NULL, 10) : 0;

	return ms > 0 && ms < UINT32_MAX ? (uint32_t)ms : SERVE_GRACE_MS;
}

static struct event_base *new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (!config)
		return NULL;
	event_config_set_flag(
		config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static int open_base(struct shim *s, struct err *e)
{
	s->base = new_base();
	if (!s->base)
		return err_set(e, -ENOMEM, "no event loop");
	s->grace = event_new(s->base, -1, 0, on_grace, s);
	s->check = event_new(s->base, -1, 0, on_check, s);
	s->bound = event_new(s->base, -1, 0, on_bound, s);
	if (!s->grace || !s->check || !s->bound)
		return err_set(e, -ENOMEM, "no memory for timers");
	return reaper_new(s->base, &s->reaper, e);
}

static int open_modules(struct shim *s, struct err *e)
{
	const struct serve_config *c = s->config;
	struct publisher_config pc = {
		.ns = c->ns,
		.ttrpc_address = c->ttrpc_address,
		.binary = c->publish_binary,
		.grpc_address = c->grpc_address,
	};
	struct tasks_config tc = {
		.base = s->base,
		.reaper = s->reaper,
		.ns = c->ns,
		.runtime_timeout_ms = runtime_timeout(),
		.placed = c->shim_cgroup != NULL,
		.changed = on_change,
		.arg = s,
	};

	s->publisher = publisher_new(s->base, s->reaper, &pc);
	tc.publisher = s->publisher;
	s->tasks = s->publisher ? tasks_new(&tc) : NULL;
	s->server = s->tasks ? ttrpc_server_new(s->base) : NULL;
	if (!s->server)
		return err_set(e, -ENOMEM, "no memory for a server");
	publisher_on_flushed(s->publisher, on_change, s);
	ttrpc_server_on_idle(s->server, on_change, s);
	s->rpc.tasks = s->tasks;
	s->rpc.shutdown = on_shutdown;
	s->rpc.arg = s;
	s->dump = (struct dump_source){
		c, s->tasks, s->server, s->publisher, s->reaper};
	if (rpc_register(s->server, &s->rpc) < 0 ||
		dump_register(s->server, &s->dump) < 0 ||
		listener_start(s->listener, s->base, on_accept, s) < 0)
		return err_set(e, -ENOMEM, "no memory for a server");
	return host_signals_new(
		s->base, on_terminate, on_dump, s, &s->signals, e);
}

static void close_all(struct shim *s)
{
	listener_close(s->listener);
	tasks_free(s->tasks);
	ttrpc_server_free(s->server);
	publisher_free(s->publisher);
	host_signals_free(s->signals);
	reaper_free(s->reaper);
	if (s->grace)
		event_free(s->grace);
	if (s->check)
		event_free(s->check);
	if (s->bound)
		event_free(s->bound);
	if (s->base)
		event_base_free(s->base);
}

/* Where the operator wants this process to be. It can do its work anywhere, so
 * a refusal is no reason to fail. */
static void join_groups(const struct serve_config *config)
{
	const char *core = getenv("SCHED_CORE");
	struct err e;
	int r = core && *core ? host_schedule_core() : 0;

	if (r < 0)
		log_warn(config->id, "no core scheduling (SCHED_CORE): %s",
			r == -EINVAL || r == -ENODEV
				? "the kernel or the CPU has none"
				: strerror(-r));
	if (config->shim_cgroup && cgroup_join(config->shim_cgroup, &e) < 0)
		log_warn(config->id, "option shim_cgroup: %s", e.msg);
}

/* The containers go on, or end with this process, as the system has it. */
static int dispatch(struct shim *s, struct err *e)
{
	if (event_base_dispatch(s->base) >= 0)
		return 0;
	log_error(s->config->id, "the event loop has failed: the shim ends");
	return err_set(e, -EIO, "the event loop has failed");
}

int serve(const struct serve_config *config, struct listener *l, struct err *e)
{
	struct shim s = {.config = config, .listener = l};
	int r = host_become_shim(e);

	s.grace_ms = grace_from_env();
	if (config->debug)
		log_set_level(LOG_DEBUG);
	host_log_open(config->ns, config->id);
	join_groups(config);
	if (r == 0)
		r = open_base(&s, e);
	if (r == 0)
		r = open_modules(&s, e);
	if (r == 0) {
		host_ready(NULL);
		on_change(&s);
		host_trim_memory();
		r = dispatch(&s, e);
	} else {
		listener_unlink(config->address);
	}
	close_all(&s);
	return r;
}
