/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/runtime.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/stdio.h"
#include "platform/file.h"
#include "platform/host.h"
#include "reaper/reaper.h"
#include "shim/bundle.h"
#include "shim/criu.h"
#include "shim/ident.h"
#include "shim/log.h"
#include "shim/runtime_log.h"

#define ARGS_MAX 48

/* How long a command that was killed may take to be gone. */
static const struct timeval killed_grace = {.tv_sec = 5};

struct args {
	const char *v[ARGS_MAX + 1];
	unsigned n;
};

struct runtime_call {
	struct runtime_call *next; /* among all that are under way */
	struct reaper *reaper;
	struct event *timer;
	runtime_cb cb;
	void *arg;
	const char *verb; /* static */
	int64_t pid;
	struct timespec began;
	bool killed, canceled;
	bool missing_is_fine;
	uint32_t timeout_ms;
	char wchan[64];
	char id[IDENT_MAX + 1];
	char log[BUNDLE_PATH_MAX];
};

static struct runtime_call *calls; /* under way */

int runtime_find(const struct options *o, const char **ret, struct err *e)
{
	static const char *const known[] = {"runc", "crun"};
	size_t i;

	if (o->binary) {
		*ret = o->binary;
		return 0;
	}
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!process_find(known[i]))
			continue;
		*ret = known[i];
		return 0;
	}
	return err_set(e, -ENOENT,
		"no OCI runtime found: neither runc nor crun is in PATH; "
		"install one, or name it in the option binary_name");
}

int runtime_read_options(
	const Any *any, struct runtime_settings **ret, struct err *e)
{
	(void)ret;
	return err_set(e, -EINVAL,
		"options of unknown type '%s': known are "
		"containerd.runc.v1.Options and runtimeoptions.v1.Options",
		any->type_url);
}

void runtime_free_settings(struct runtime_settings *s)
{
	(void)s;
}

const bool runtime_is_program = true;
const uint32_t runtime_lost_status = 128 + SIGKILL;
const char runtime_resources[] = "LinuxResources";

int runtime_root(
	const struct options *o, const char *ns, char **ret, struct err *e)
{
	char own[1024];
	int r;

	if (!o->root) {
		r = host_own_dir("runc", sizeof(own), own, sizeof(own), e);
		if (r < 0) {
			err_prefix(e, "the OCI runtime's state");
			return r;
		}
	}
	if (asprintf(ret, "%s/%s", o->root ? o->root : own, ns) >= 0)
		return 0;
	*ret = NULL;
	return err_set(e, -ENOMEM, "no memory for the runtime's root");
}

uint32_t runtime_timeout(void)
{
	const char *text = getenv("WISP_COMMAND_TIMEOUT_MS");
	unsigned long ms = text ? strtoul(text, NULL, 10) : 0;

	return ms > 0 && ms < UINT32_MAX ? (uint32_t)ms : RUNTIME_TIMEOUT_MS;
}

static void add(struct args *a, const char *arg)
{
	if (a->n < ARGS_MAX)
		a->v[a->n++] = arg;
	a->v[a->n] = NULL;
}

static void add2(struct args *a, const char *name, const char *value)
{
	add(a, name);
	add(a, value);
}

static void begin(
	struct args *a, const struct runtime *rt, const struct runtime_call *c)
{
	a->n = 0;
	add(a, rt->binary);
	add2(a, "--root", rt->root);
	add2(a, "--log", c->log);
	add2(a, "--log-format", "json");
	if (rt->options->systemd_cgroup)
		add(a, "--systemd-cgroup");
	add(a, c->verb);
}

static double age(const struct runtime_call *c)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - c->began.tv_sec) +
	       (double)(now.tv_nsec - c->began.tv_nsec) / 1e9;
}

static void call_free(struct runtime_call *c)
{
	struct runtime_call **at = &calls;

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	if (c->timer)
		event_free(c->timer);
	file_remove(c->log);
	free(c);
}

static void call_finish(struct runtime_call *c, int r, const struct err *e)
{
	runtime_cb cb = c->cb;
	void *arg = c->arg;

	call_free(c);
	cb(r, e, arg);
}

static void call_exited(const struct process_exit *x, void *arg)
{
	struct runtime_call *c = arg;
	struct err e = {0};

	if (c->canceled) {
		err_set(&e, -ECANCELED, "OCI runtime %s was canceled", c->verb);
	} else if (c->killed) {
		err_set(&e, -ETIMEDOUT,
			"OCI runtime %s timed out: process %" PRId64
			" was killed after %.1f s%s%s",
			c->verb, c->pid, age(c), *c->wchan ? " in " : "",
			c->wchan);
	} else if (x->status != 0) {
		runtime_log_error(c->log, c->verb, x->status, &e);
		if (c->missing_is_fine && runtime_log_is_missing(&e))
			e.code = 0;
	}
	call_finish(c, e.code, &e);
}

static void call_kill(struct runtime_call *c)
{
	struct process_ref *ref;

	c->killed = true;
	process_wchan(c->pid, c->wchan, sizeof(c->wchan));
	if (process_ref_open(c->pid, &ref) == 0) {
		process_ref_signal(ref, SIGKILL);
		process_ref_close(ref);
	}
	event_add(c->timer, &killed_grace);
}

void runtime_each_call(
	void (*each)(const struct runtime_pending *p, void *arg), void *arg)
{
	const struct runtime_call *c;

	for (c = calls; c; c = c->next) {
		struct runtime_pending p = {.id = c->id,
			.verb = c->verb,
			.pid = c->pid,
			.age_ms = (uint64_t)(age(c) * 1000),
			.limit_ms = c->timeout_ms,
			.killed = c->killed};

		each(&p, arg);
	}
}

void runtime_cancel(struct runtime_call *c)
{
	c->canceled = true;
	if (!c->killed)
		call_kill(c);
}

static void call_late(evutil_socket_t fd, short what, void *arg)
{
	struct runtime_call *c = arg;
	struct err e = {0};

	(void)fd;
	(void)what;
	if (c->killed) { /* not even SIGKILL ends it */
		reaper_forget(c->reaper, c->pid);
		err_set(&e, -ETIMEDOUT,
			"OCI runtime %s hangs: process %" PRId64
			" can't be killed after %.1f s%s%s",
			c->verb, c->pid, age(c), *c->wchan ? " in " : "",
			c->wchan);
		call_finish(c, e.code, &e);
		return;
	}
	call_kill(c);
}

static struct runtime_call *call_new(const struct runtime *rt, const char *verb,
	runtime_cb cb, void *arg, struct err *e)
{
	static unsigned long serial; /* makes log names unique */
	struct runtime_call *c = calloc(1, sizeof(*c));
	char name[48];

	if (c)
		c->timer = event_new(rt->base, -1, 0, call_late, c);
	if (!c || !c->timer) {
		free(c);
		err_set(e, -ENOMEM, "no memory for OCI runtime %s", verb);
		return NULL;
	}
	c->reaper = rt->reaper;
	c->cb = cb;
	c->arg = arg;
	c->verb = verb;
	c->timeout_ms = rt->timeout_ms;
	snprintf(c->id, sizeof(c->id), "%s", rt->id);
	snprintf(
		name, sizeof(name), "log-%d-%lu.json", (int)getpid(), ++serial);
	if (bundle_path(rt->bundle, name, c->log) < 0) {
		err_set(e, -ENAMETOOLONG, "bundle path is too long");
		call_free(c);
		return NULL;
	}
	return c;
}

/* Consumes c, also on failure. */
static int call_spawn(const struct runtime *rt, struct runtime_call *c,
	const struct args *a, const struct stdio *stdio, struct err *e)
{
	struct timeval timeout = {.tv_sec = c->timeout_ms / 1000,
		.tv_usec = (c->timeout_ms % 1000) * 1000};
	struct process_spec spec = {
		.argv = a->v, .cwd = rt->bundle, .dies_with_us = true};
	struct endpoint *log = NULL;
	int r;

	/* with no container's stdio to pass on, what it says goes where its
	 * errors go */
	if (stdio)
		stdio_endpoints(stdio, spec.endpoints);
	else if (endpoint_append(c->log, &log) == 0)
		spec.endpoints[2] = log;
	clock_gettime(CLOCK_MONOTONIC, &c->began);
	if (event_add(c->timer, &timeout) < 0)
		r = err_set(e, -ENOMEM, "no memory for a timer");
	else
		r = reaper_spawn(rt->reaper, &spec, call_exited, c, &c->pid, e);
	endpoint_close(log);
	if (r < 0) {
		err_prefix(e, "OCI runtime %s", c->verb);
		call_free(c);
	} else {
		c->next = calls;
		calls = c;
	}
	return r;
}

/* The runtime connects by name, and a name may have 107 bytes (unix(7)). The
 * socket is in the bundle, which is the runtime's working directory. */
#define SOCKET_NAME_MAX 107

static void add_console(struct args *a, const struct stdio *stdio, bool is_exec)
{
	const char *socket = stdio_console_socket(stdio);

	if (!socket)
		return;
	if (strlen(socket) > SOCKET_NAME_MAX)
		socket = strrchr(socket, '/') + 1;
	add2(a, "--console-socket", socket);
	if (is_exec)
		add(a, "--tty");
}

int runtime_create(const struct runtime *rt, const struct stdio *stdio,
	const char *pid_file, runtime_cb cb, void *arg,
	struct runtime_call **ret_call, struct err *e)
{
	struct runtime_call *c = call_new(rt, "create", cb, arg, e);
	struct args a;
	int r;

	if (!c)
		return e->code;
	begin(&a, rt, c);
	add2(&a, "--bundle", rt->bundle);
	add2(&a, "--pid-file", pid_file);
	add_console(&a, stdio, false);
	if (rt->options->no_pivot_root)
		add(&a, "--no-pivot");
	if (rt->options->no_new_keyring)
		add(&a, "--no-new-keyring");
	add(&a, rt->id);
	r = call_spawn(rt, c, &a, stdio, e);
	if (r == 0)
		*ret_call = c;
	return r;
}

int runtime_exec(const struct runtime *rt, const struct stdio *stdio,
	const char *process_file, const char *pid_file, runtime_cb cb,
	void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "exec", cb, arg, e);
	struct args a;

	if (!c)
		return e->code;
	begin(&a, rt, c);
	add2(&a, "--process", process_file);
	add2(&a, "--pid-file", pid_file);
	add_console(&a, stdio, true);
	add(&a, "--detach");
	add(&a, rt->id);
	return call_spawn(rt, c, &a, stdio, e);
}

static void criu_may_take_long(struct runtime_call *c)
{
	uint64_t ms = (uint64_t)c->timeout_ms * CRIU_TIMEOUT_FACTOR;

	c->timeout_ms = ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

static void add_criu(struct args *a, const struct criu *criu)
{
	size_t i;

	add2(a, "--image-path", criu->image);
	add2(a, "--work-path", criu->work);
	if (criu->open_tcp)
		add(a, "--tcp-established");
	if (criu->external_unix_sockets)
		add(a, "--ext-unix-sk");
	if (criu->file_locks)
		add(a, "--file-locks");
	if (criu->terminal)
		add(a, "--shell-job");
	if (criu->cgroups_mode)
		add2(a, "--manage-cgroups-mode", criu->cgroups_mode);
	for (i = 0; i < CRIU_NAMESPACES; i++)
		if (criu->empty[i])
			add2(a, "--empty-ns", criu_namespace(i));
}

int runtime_checkpoint(const struct runtime *rt, const struct criu *criu,
	runtime_cb cb, void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "checkpoint", cb, arg, e);
	struct args a;

	if (!c)
		return e->code;
	criu_may_take_long(c);
	begin(&a, rt, c);
	add_criu(&a, criu);
	if (criu->parent)
		add2(&a, "--parent-path", criu->parent);
	if (criu->leave_running)
		add(&a, "--leave-running");
	add(&a, rt->id);
	return call_spawn(rt, c, &a, NULL, e);
}

int runtime_restore(const struct runtime *rt, const struct criu *criu,
	const struct stdio *stdio, const char *pid_file, runtime_cb cb,
	void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "restore", cb, arg, e);
	struct args a;

	if (!c)
		return e->code;
	criu_may_take_long(c);
	begin(&a, rt, c);
	add_criu(&a, criu);
	add2(&a, "--bundle", rt->bundle);
	add2(&a, "--pid-file", pid_file);
	add(&a, "--detach");
	add_console(&a, stdio, false);
	if (rt->options->no_pivot_root)
		add(&a, "--no-pivot");
	add(&a, rt->id);
	return call_spawn(rt, c, &a, stdio, e);
}

int runtime_kill(const struct runtime *rt, uint32_t signal, bool all,
	runtime_cb cb, void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "kill", cb, arg, e);
	struct args a;
	char number[16];

	if (!c)
		return e->code;
	begin(&a, rt, c);
	if (all)
		add(&a, "--all");
	snprintf(number, sizeof(number), "%" PRIu32, signal);
	add2(&a, rt->id, number);
	return call_spawn(rt, c, &a, NULL, e);
}

int runtime_update(const struct runtime *rt, const char *file, runtime_cb cb,
	void *arg, struct err *e)
{
	struct runtime_call *c = call_new(rt, "update", cb, arg, e);
	struct args a;

	if (!c)
		return e->code;
	begin(&a, rt, c);
	add2(&a, "--resources", file);
	add(&a, rt->id);
	return call_spawn(rt, c, &a, NULL, e);
}

static int run_plain(const struct runtime *rt, const char *verb,
	const char *flag, bool missing_is_fine, runtime_cb cb, void *arg,
	struct err *e)
{
	struct runtime_call *c = call_new(rt, verb, cb, arg, e);
	struct args a;

	if (!c)
		return e->code;
	c->missing_is_fine = missing_is_fine;
	begin(&a, rt, c);
	if (flag)
		add(&a, flag);
	add(&a, rt->id);
	return call_spawn(rt, c, &a, NULL, e);
}

bool runtime_has_process(const struct runtime *rt)
{
	(void)rt;
	return true;
}

int runtime_kill_early(const struct runtime *rt, uint32_t signal, struct err *e)
{
	(void)signal;
	return err_set(e, -EBUSY, "container '%s' is not started", rt->id);
}

int runtime_start(const struct runtime *rt, const struct stdio *stdio,
	const char *pid_file, runtime_cb cb, void *arg, struct err *e)
{
	(void)stdio;
	(void)pid_file;
	return run_plain(rt, "start", NULL, false, cb, arg, e);
}

int runtime_pause(
	const struct runtime *rt, runtime_cb cb, void *arg, struct err *e)
{
	return run_plain(rt, "pause", NULL, false, cb, arg, e);
}

int runtime_resume(
	const struct runtime *rt, runtime_cb cb, void *arg, struct err *e)
{
	return run_plain(rt, "resume", NULL, false, cb, arg, e);
}

int runtime_delete(
	const struct runtime *rt, runtime_cb cb, void *arg, struct err *e)
{
	return run_plain(rt, "delete", "--force", true, cb, arg, e);
}
