/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime.h where the platform runs containers itself (platform/container.h).
 * Where there is nothing to wait for, the answers come from the loop all the
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
#include "shim/bundle.h"
#include "shim/ident.h"
#include "shim/log.h"
#include "shim/native/guest_spec.h"
#include "shim/native/isolation_spec.h"
#include "shim/native/spec.h"

/* Those that have been created and not been deleted. */
static struct native {
	struct native *next;
	char id[IDENT_MAX + 1];
	struct container *container;
	struct container_limits limits;
	bool has_process;
	bool is_guest; /* a Linux container, whose processes are JSON */
} * natives;

struct runtime_call {
	struct runtime_call *next;
	char id[IDENT_MAX + 1];
	const char *verb;
	struct event *ev;
	runtime_cb cb;
	void *arg;
	char *notes;    /* of a delete: for container_forget(); else NULL */
	char *pid_file; /* NULL: there is no process to tell of */
	int64_t made;   /* that process; 0: none */
	struct reaper *reaper;          /* borrowed: who is to hear of it */
	struct container_limits limits; /* that are to be */
	bool under_way;                 /* container_later has it */
	bool is_lost; /* a delete of what this process has not made */
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

const bool runtime_is_program = false;

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
	free(c->pid_file);
	free(c->notes);
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
	c->reaper = rt->reaper;
	c->cb = cb;
	c->arg = arg;
	c->next = calls;
	calls = c;
	return c;
}

static int write_pid(const char *path, int64_t pid, struct err *e)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, pid);
	int r = file_write(path, text, (size_t)n);

	return r < 0 ? err_sys(e, r, "write '%s'", path) : 0;
}

/* The call is over: r is 0 or -errno, with c->err. */
static void call_over(struct runtime_call *c, int r, int64_t pid)
{
	struct native **at = find(c->id);
	bool create = strcmp(c->verb, "create") == 0;

	c->under_way = false;
	if (c->pid_file && r == 0)
		c->made = pid;
	if (c->pid_file && r == -ENOENT) /* to a client, the container */
		r = c->err.code = -EINVAL;
	if (c->r == 0) { /* else it was canceled */
		if (r == 0 && pid && c->pid_file)
			r = write_pid(c->pid_file, pid, &c->err);
		if (r == 0 && strcmp(c->verb, "update") == 0 && *at)
			(*at)->limits = c->limits;
		if (r == 0 && pid && *at)
			(*at)->has_process = true;
		c->r = r;
	}
	event_active(c->ev, EV_TIMEOUT, 0);
	if (*at && (c->notes || (create && c->r < 0)))
		native_remove(at);
	if (c->notes && c->r == 0)
		c->r = container_forget(c->notes, &c->err);
}

static void call_later(int r, int64_t pid, const struct err *e, void *arg)
{
	struct runtime_call *c = arg;

	if (r < 0 && c->r == 0)
		c->err = *e;
	if (r < 0 && c->notes && !c->is_lost) {
		/* closed all the same, which is the end of it */
		log_warn(c->id, "%s", e->msg);
		r = 0;
	}
	call_over(c, r, pid);
}

/* What the container has said: 0, CONTAINER_LATER or -errno. */
static void call_said(struct runtime_call *c, int r, int64_t pid)
{
	if (r == CONTAINER_LATER)
		c->under_way = true;
	else
		call_over(c, r, pid);
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

/* Its container goes, and with that all that it waits for. */
void runtime_cancel(struct runtime_call *c)
{
	struct native **at = find(c->id);

	if (c->r < 0)
		return;
	c->r = err_set(&c->err, -ECANCELED, "%s was canceled", c->verb);
	if (c->under_way && *at)
		native_remove(at);
}

/* ---- what is run ---- */

static void fill_stdio(struct container_program *p, const struct stdio *stdio)
{
	memset(p, 0, sizeof(*p));
	p->console = stdio_console(stdio);
	if (!p->console)
		stdio_endpoints(stdio, p->process.endpoints);
}

static void fill(struct container_program *p, const struct native_spec *s,
	const struct stdio *stdio)
{
	static const char *const verbatim[] = {"cmd.exe", NULL};

	fill_stdio(p, stdio);
	p->process.argv =
		s->n_args > 0 ? (const char *const *)s->args : verbatim;
	p->process.envp = (const char *const *)s->env;
	p->process.cwd = s->cwd;
	p->command_line = s->command_line;
	p->user = s->user;
	p->width = s->width;
	p->height = s->height;
}

/* What container_lost() and container_forget() are told, if this process is
 * gone by then. */
#define NOTES "container-notes"

static uint64_t at_most(uint64_t v, uint64_t max)
{
	return v < max ? v : max;
}

static int notes_path(
	const struct runtime *rt, char path[BUNDLE_PATH_MAX], struct err *e)
{
	int r = bundle_path(rt->bundle, NOTES, path);

	return r < 0 ? err_sys(e, r, "bundle '%s'", rt->bundle) : 0;
}

static int make_isolated(const struct runtime *rt, struct native_spec *s,
	struct container **ret, struct err *e)
{
	char notes[BUNDLE_PATH_MAX];
	struct isolation iso;
	int r = notes_path(rt, notes, e);

	if (r == 0)
		r = isolation_read(rt->bundle, &s->rootfs, &iso, e);
	if (r < 0)
		return r;
	iso.notes = notes;
	/* those of the annotations, too */
	iso.storage_bps = at_most(s->limits.io_bandwidth, INT32_MAX);
	iso.storage_iops = at_most(s->limits.io_operations, INT32_MAX);
	r = container_new_isolated(rt->base, rt->id, &s->limits, &iso, ret, e);
	isolation_clear(&iso);
	return r;
}

static int make_guest(const struct runtime *rt, struct native_spec *s,
	struct container **ret, struct err *e)
{
	char notes[BUNDLE_PATH_MAX];
	struct guest g;
	int r = notes_path(rt, notes, e);

	if (r == 0)
		r = guest_read(rt->bundle, s, rt->options->settings, &g, e);
	if (r < 0)
		return r;
	g.notes = notes;
	r = container_new_guest(rt->base, rt->id, &g, ret, e);
	guest_clear(&g);
	return r;
}

static int make(const struct runtime *rt, struct native_spec *s,
	struct container **ret, struct err *e)
{
	char notes[BUNDLE_PATH_MAX];
	struct container_config config = {
		.id = rt->id,
		.notes = notes,
		.root = s->root,
		.root_location = s->root_location,
		.mounts = s->mounts,
		.n_mounts = s->n_mounts,
		.user = s->user,
		.inherit_user = s->inherit_user,
		.limits = s->limits,
	};
	int r = notes_path(rt, notes, e);

	if (r < 0)
		return r;
	r = container_new(&config, ret, e);
	return r < 0 ? r : native_spec_place(s, container_root(*ret), e);
}

/* What it leaves in c->pid_file is for call_over(), which also takes the
 * container away if it fails. */
static int create(struct runtime_call *c, const struct runtime *rt,
	const struct stdio *stdio, struct native_spec *s, int64_t *pid)
{
	const struct container_later later = {call_later, c};
	struct native *n = calloc(1, sizeof(*n));
	struct container_program p;
	int r;

	if (!n)
		return err_set(&c->err, -ENOMEM, "no memory for '%s'", rt->id);
	snprintf(n->id, sizeof(n->id), "%s", rt->id);
	n->next = natives;
	natives = n;
	n->limits = s->limits;
	n->is_guest = s->is_linux && !s->host_process;
	if (s->host_process)
		r = make(rt, s, &n->container, &c->err);
	else if (n->is_guest)
		r = make_guest(rt, s, &n->container, &c->err);
	else
		r = make_isolated(rt, s, &n->container, &c->err);
	fill(&p, s, stdio);
	if (r == 0)
		r = container_create(n->container, &p, pid, &later, &c->err);
	return r;
}

static int keep_pid_file(
	struct runtime_call *c, const char *pid_file, struct err *e)
{
	c->pid_file = strdup(pid_file);
	return c->pid_file ? 0 : err_set(e, -ENOMEM, "no memory");
}

int runtime_create(const struct runtime *rt, const struct stdio *stdio,
	const char *pid_file, runtime_cb cb, void *arg,
	struct runtime_call **ret_call, struct err *e)
{
	struct runtime_call *c;
	struct native_spec s;
	int64_t pid = 0;
	int r = native_spec_read(rt->bundle, rt->options->settings, &s, e);

	c = r == 0 ? call_new(rt, "create", cb, arg, e) : NULL;
	if (c) {
		r = keep_pid_file(c, pid_file, &c->err);
		if (r == 0)
			r = create(c, rt, stdio, &s, &pid);
		call_said(c, r, pid);
		*ret_call = c;
		r = 0;
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

int runtime_start(const struct runtime *rt, const struct stdio *stdio,
	const char *pid_file, runtime_cb cb, void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "start", cb, arg, e);
	const struct container_later later = {call_later, c};
	struct native *n = *find(rt->id);
	struct container_program p;
	int64_t pid = 0;
	int r;

	if (!c)
		return -ENOMEM;
	fill_stdio(&p, stdio);
	r = n ? keep_pid_file(c, pid_file, &c->err) : missing(rt, &c->err);
	if (r == 0)
		r = container_start(n->container, &p, &pid, &later, &c->err);
	call_said(c, r, pid);
	return 0;
}

#define PROCESS_MAX (16 * 1024 * 1024)

static int exec(struct runtime_call *c, const struct runtime *rt,
	const struct stdio *stdio, const char *process_file, int64_t *pid)
{
	const struct container_later later = {call_later, c};
	struct native *n = *find(rt->id);
	struct container_program p;
	auto_free char *json = NULL;
	struct native_spec s;
	size_t len;
	int r;

	if (!n)
		return missing(rt, &c->err);
	r = native_spec_read_process(process_file, &s, &c->err);
	if (r == 0 && n->is_guest)
		r = file_read(process_file, PROCESS_MAX, &json, &len, &c->err);
	if (r == 0)
		r = native_spec_place(
			&s, container_root(n->container), &c->err);
	if (r == 0) {
		fill(&p, &s, stdio);
		p.json = json;
		r = container_exec(n->container, &p, pid, &later, &c->err);
	}
	native_spec_clear(&s);
	return r;
}

int runtime_exec(const struct runtime *rt, const struct stdio *stdio,
	const char *process_file, const char *pid_file, runtime_cb cb,
	void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "exec", cb, arg, e);
	int64_t pid = 0;
	int r;

	if (!c)
		return -ENOMEM;
	r = keep_pid_file(c, pid_file, &c->err);
	if (r == 0)
		r = exec(c, rt, stdio, process_file, &pid);
	call_said(c, r, pid);
	return 0;
}

int runtime_kill(const struct runtime *rt, uint32_t signal, bool all,
	runtime_cb cb, void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "kill", cb, arg, e);
	struct native *n = *find(rt->id);
	int r;

	(void)all;
	if (!c)
		return -ENOMEM;
	r = n ? container_signal(n->container, signal) : missing(rt, &c->err);
	if (r < 0)
		err_sys(&c->err, r, "signal %" PRIu32, signal);
	call_over(c, r, 0);
	return 0;
}

bool runtime_has_process(const struct runtime *rt)
{
	struct native *n = *find(rt->id);

	return !n || n->has_process;
}

int runtime_kill_early(const struct runtime *rt, uint32_t signal, struct err *e)
{
	struct native *n = *find(rt->id);
	int r = n ? container_signal_early(n->container, signal) : -ESRCH;

	return r < 0 ? err_sys(e, r, "signal %" PRIu32, signal) : 0;
}

/* Another process's, or NULL if nothing tells of one. */
static int adopt(const struct runtime *rt, const char *notes,
	struct native **ret, struct err *e)
{
	struct native *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return err_set(e, -ENOMEM, "no memory for '%s'", rt->id);
	r = container_lost(rt->base, rt->id, notes, &n->container, e);
	if (r < 0 || !n->container) {
		free(n);
		return r;
	}
	snprintf(n->id, sizeof(n->id), "%s", rt->id);
	n->next = natives;
	natives = *ret = n;
	return 0;
}

int runtime_delete(
	const struct runtime *rt, runtime_cb cb, void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "delete", cb, arg, e);
	const struct container_later later = {call_later, c};
	struct native *n = *find(rt->id);
	char notes[BUNDLE_PATH_MAX];
	int r;

	if (!c)
		return -ENOMEM;
	r = bundle_path(rt->bundle, NOTES, notes);
	if (r == 0)
		c->notes = strdup(notes);
	if (!c->notes) {
		r = r < 0 ? r : -ENOMEM;
		call_over(c, err_sys(&c->err, r, "delete '%s'", rt->id), 0);
		return 0;
	}
	if (!n) {
		c->is_lost = true;
		r = adopt(rt, notes, &n, &c->err);
	}
	if (n && n->container)
		r = container_end(n->container, &later, &c->err);
	if (r == CONTAINER_LATER)
		c->under_way = true;
	else
		call_later(r, 0, &c->err, c);
	return 0;
}

static int update(
	struct runtime_call *c, const struct runtime *rt, const char *file)
{
	const struct container_later later = {call_later, c};
	struct native *n = *find(rt->id);
	int r;

	if (!n)
		return missing(rt, &c->err);
	c->limits = n->limits;
	r = native_limits_read(file, &c->limits, &c->err);
	if (r == 0)
		r = container_limit(n->container, &c->limits, &later, &c->err);
	return r;
}

int runtime_update(const struct runtime *rt, const char *file, runtime_cb cb,
	void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "update", cb, arg, e);

	if (!c)
		return -ENOMEM;
	call_said(c, update(c, rt, file), 0);
	return 0;
}

/* ---- what Windows has no notion of ---- */

static int unknown(const char *verb, struct err *e)
{
	return err_set(e, -ENOSYS, "a container of this system can't %s", verb);
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
