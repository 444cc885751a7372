/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime.h where the platform runs containers itself (platform/container.h).
 * There is nothing to wait for, but the answers come from the loop all the
 * same, as runtime.h promises.
 */
#include "shim/runtime.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/stdio.h"
#include "platform/auto.h"
#include "platform/file.h"
#include "reaper/reaper.h"
#include "runhcs_options.pb-c.h"
#include "shim/ident.h"
#include "shim/log.h"
#include "shim/native/spec.h"

/* Those that have been created and not been deleted. */
static struct native {
	struct native *next;
	char id[IDENT_MAX + 1];
	char *root;
	struct container *container;
	struct container_limits limits;
} * natives;

struct runtime_call {
	struct runtime_call *next;
	char id[IDENT_MAX + 1];
	const char *verb;
	struct event *ev;
	runtime_cb cb;
	void *arg;
	int64_t made;          /* by an exec; 0: none */
	struct reaper *reaper; /* borrowed: who has to hear of it */
	int r;
	struct err err;
};

static struct runtime_call *calls; /* whose answers are still to come */

int runtime_find(const struct options *o, const char **ret, struct err *e)
{
	if (o->binary)
		return err_set(e, -EINVAL,
			"option binary_name: there is no OCI runtime here");
	*ret = "jobs";
	return 0;
}

/* As the reference shim's `delete` has it. */
const uint32_t runtime_lost_status = 255;
const char runtime_resources[] = "WindowsResources";

int runtime_check_options(const Any *any, struct err *e)
{
	Containerd__Runhcs__V1__Options *o;
	int r = 0;

	if (!any_is(any, "containerd.runhcs.v1.Options"))
		return err_set(e, -EINVAL,
			"options of unknown type '%s': known are "
			"containerd.runhcs.v1.Options and "
			"runtimeoptions.v1.Options",
			any->type_url);
	o = containerd__runhcs__v1__options__unpack(
		NULL, any->value.len, any->value.data);
	if (!o)
		return err_set(
			e, -EINVAL, "options are no valid %s", any->type_url);
	if (o->sandbox_isolation !=
		CONTAINERD__RUNHCS__V1__OPTIONS__SANDBOX_ISOLATION__PROCESS)
		r = err_set(e, -ENOSYS,
			"option sandbox_isolation: there are no virtual "
			"machines here");
	if (o->debug || strcmp(o->log_level, "debug") == 0)
		log_set_level(LOG_DEBUG);
	containerd__runhcs__v1__options__free_unpacked(o, NULL);
	return r;
}

int runtime_root(
	const struct options *o, const char *ns, char **ret, struct err *e)
{
	(void)o;
	*ret = strdup(ns);
	return *ret ? 0 : err_set(e, -ENOMEM, "no memory");
}

uint32_t runtime_timeout(void)
{
	return RUNTIME_TIMEOUT_MS;
}

static struct native **find(const char *id)
{
	struct native **at = &natives;

	while (*at && strcmp((*at)->id, id) != 0)
		at = &(*at)->next;
	return at;
}

static void native_remove(struct native **at)
{
	struct native *n = *at;

	*at = n->next;
	container_free(n->container);
	free(n->root);
	free(n);
}

/* ---- answers ---- */

/* One that nobody has claimed by now is known to nobody: whoever wanted it has
 * told that it failed. */
static void end_unclaimed(struct reaper *r, int64_t pid)
{
	struct process_ref *ref;

	if (!pid || reaper_is_claimed(r, pid) || process_is_ours(pid) <= 0 ||
		process_ref_open(pid, &ref) < 0)
		return;
	process_ref_signal(ref, SIGKILL);
	process_ref_close(ref);
}

static void call_answer(evutil_socket_t fd, short what, void *arg)
{
	struct runtime_call *c = arg, **at = &calls;
	struct err own = c->err;
	struct reaper *reaper = c->reaper;
	int64_t made = c->made;
	runtime_cb cb = c->cb;
	void *cb_arg = c->arg;
	int r = c->r;

	(void)fd;
	(void)what;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	event_free(c->ev);
	free(c);
	cb(r, &own, cb_arg);
	end_unclaimed(reaper, made);
}

static struct runtime_call *call_new(const struct runtime *rt, const char *verb,
	runtime_cb cb, void *arg, struct err *e)
{
	struct runtime_call *c = calloc(1, sizeof(*c));

	if (c)
		c->ev = event_new(rt->base, -1, 0, call_answer, c);
	if (!c || !c->ev) {
		free(c);
		err_set(e, -ENOMEM, "no memory to %s '%s'", verb, rt->id);
		return NULL;
	}
	snprintf(c->id, sizeof(c->id), "%s", rt->id);
	c->verb = verb;
	c->cb = cb;
	c->arg = arg;
	c->next = calls;
	calls = c;
	event_active(c->ev, EV_TIMEOUT, 0);
	return c;
}

void runtime_each_call(
	void (*each)(const struct runtime_pending *p, void *arg), void *arg)
{
	const struct runtime_call *c;

	for (c = calls; c; c = c->next) {
		struct runtime_pending p = {.id = c->id,
			.verb = c->verb,
			.limit_ms = RUNTIME_TIMEOUT_MS};

		each(&p, arg);
	}
}

void runtime_cancel(struct runtime_call *c)
{
	if (c->r == 0)
		c->r = err_set(&c->err, -ECANCELED, "%s was canceled", c->verb);
}

/* ---- what is run ---- */

static void fill(struct container_program *p, const struct native_spec *s,
	const struct stdio *stdio)
{
	static const char *const verbatim[] = {"cmd.exe", NULL};

	memset(p, 0, sizeof(*p));
	p->process.argv =
		s->n_args > 0 ? (const char *const *)s->args : verbatim;
	p->process.envp = (const char *const *)s->env;
	p->process.cwd = s->cwd ? s->cwd : NATIVE_DEFAULT_CWD;
	p->command_line = s->command_line;
	p->console = stdio_console(stdio);
	if (!p->console)
		stdio_endpoints(stdio, p->process.endpoints);
}

static int write_pid(const char *path, int64_t pid, struct err *e)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, pid);
	int r = file_write(path, text, (size_t)n);

	return r < 0 ? err_sys(e, r, "write '%s'", path) : 0;
}

/* To a client, -ENOENT would be the container. */
static int not_found_here(int r, struct err *e)
{
	if (r != -ENOENT)
		return r;
	e->code = -EINVAL;
	return -EINVAL;
}

static int create(const struct runtime *rt, const struct stdio *stdio,
	const char *pid_file, const struct native_spec *s, struct err *e)
{
	struct native *n = calloc(1, sizeof(*n));
	struct container_program p;
	int64_t pid;
	int r;

	if (!n)
		return err_set(e, -ENOMEM, "no memory for '%s'", rt->id);
	snprintf(n->id, sizeof(n->id), "%s", rt->id);
	n->root = s->root ? strdup(s->root) : NULL;
	n->next = natives;
	natives = n;
	n->limits = s->limits;
	fill(&p, s, stdio);
	r = container_new(rt->id, &s->limits, &n->container, e);
	if (r == 0)
		r = container_create(n->container, &p, &pid, e);
	if (r == 0)
		r = write_pid(pid_file, pid, e);
	if (r < 0)
		native_remove(find(rt->id));
	return not_found_here(r, e);
}

int runtime_create(const struct runtime *rt, const struct stdio *stdio,
	const char *pid_file, runtime_cb cb, void *arg,
	struct runtime_call **ret_call, struct err *e)
{
	struct runtime_call *c;
	struct native_spec s;
	int r = native_spec_read(rt->bundle, &s, e);

	if (r == 0 && !s.host_process)
		r = err_set(e, -ENOSYS,
			"container '%s' asks for process isolation, which "
			"needs the host compute service; only host-process "
			"containers (annotation "
			"microsoft.com/hostprocess-container) are supported",
			rt->id);
	c = r == 0 ? call_new(rt, "create", cb, arg, e) : NULL;
	if (c) {
		c->r = create(rt, stdio, pid_file, &s, &c->err);
		*ret_call = c;
	} else if (r == 0) {
		r = -ENOMEM;
	}
	native_spec_clear(&s);
	return r;
}

static int missing(const struct runtime *rt, struct err *e)
{
	return err_set(e, -ESRCH, "container '%s' does not run", rt->id);
}

int runtime_start(
	const struct runtime *rt, runtime_cb cb, void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "start", cb, arg, e);
	struct native *n = *find(rt->id);

	if (!c)
		return -ENOMEM;
	c->r = n ? container_start(n->container, &c->err)
		 : missing(rt, &c->err);
	return 0;
}

static int exec(const struct runtime *rt, const struct stdio *stdio,
	const char *process_file, const char *pid_file, int64_t *ret_pid,
	struct err *e)
{
	struct native *n = *find(rt->id);
	struct container_program p;
	struct native_spec s;
	int r;

	if (!n)
		return missing(rt, e);
	r = native_spec_read_process(process_file, n->root, &s, e);
	if (r == 0) {
		fill(&p, &s, stdio);
		r = container_exec(n->container, &p, ret_pid, e);
	}
	if (r == 0)
		r = write_pid(pid_file, *ret_pid, e);
	native_spec_clear(&s);
	return not_found_here(r, e);
}

int runtime_exec(const struct runtime *rt, const struct stdio *stdio,
	const char *process_file, const char *pid_file, runtime_cb cb,
	void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "exec", cb, arg, e);

	if (!c)
		return -ENOMEM;
	c->r = exec(rt, stdio, process_file, pid_file, &c->made, &c->err);
	c->reaper = rt->reaper;
	return 0;
}

int runtime_kill(const struct runtime *rt, uint32_t signal, bool all,
	runtime_cb cb, void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "kill", cb, arg, e);
	struct native *n = *find(rt->id);

	(void)all;
	if (!c)
		return -ENOMEM;
	c->r = n ? container_signal(n->container, signal)
		 : missing(rt, &c->err);
	if (c->r < 0)
		err_sys(&c->err, c->r, "signal %" PRIu32, signal);
	return 0;
}

int runtime_delete(
	const struct runtime *rt, runtime_cb cb, void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "delete", cb, arg, e);
	struct native **at = find(rt->id);

	if (!c)
		return -ENOMEM;
	if (*at)
		native_remove(at);
	return 0;
}

static int update(const struct runtime *rt, const char *file, struct err *e)
{
	struct native *n = *find(rt->id);
	struct container_limits limits;
	int r;

	if (!n)
		return missing(rt, e);
	limits = n->limits;
	r = native_limits_read(file, &limits, e);
	if (r == 0)
		r = container_limit(n->container, &limits, e);
	if (r == 0)
		n->limits = limits;
	return r;
}

int runtime_update(const struct runtime *rt, const char *file, runtime_cb cb,
	void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "update", cb, arg, e);

	if (!c)
		return -ENOMEM;
	c->r = update(rt, file, &c->err);
	return 0;
}

/* ---- what a job has no notion of ---- */

static int unknown(const char *verb, struct err *e)
{
	return err_set(e, -ENOSYS, "a host-process container can't %s", verb);
}

int runtime_pause(
	const struct runtime *rt, runtime_cb cb, void *arg, struct err *e)
{
	(void)rt;
	(void)cb;
	(void)arg;
	return unknown("pause", e);
}

int runtime_resume(
	const struct runtime *rt, runtime_cb cb, void *arg, struct err *e)
{
	(void)rt;
	(void)cb;
	(void)arg;
	return unknown("resume", e);
}

int runtime_checkpoint(const struct runtime *rt, const struct criu *criu,
	runtime_cb cb, void *arg, struct err *e)
{
	(void)rt;
	(void)criu;
	(void)cb;
	(void)arg;
	return unknown("be checkpointed", e);
}

int runtime_restore(const struct runtime *rt, const struct criu *criu,
	const struct stdio *stdio, const char *pid_file, runtime_cb cb,
	void *arg, struct err *e)
{
	(void)rt;
	(void)criu;
	(void)stdio;
	(void)pid_file;
	(void)cb;
	(void)arg;
	return unknown("be restored", e);
}
