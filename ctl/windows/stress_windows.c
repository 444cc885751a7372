/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run on Windows: containers are host-process containers, in which this
 * program runs itself (stress_part.c), as there is no small tree of programs
 * that one could be given.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/find.h"
#include "ctl/json.h"
#include "ctl/stress/stress_system.h"
#include "platform/host.h"

#define GROUP "io.kubernetes.cri.sandbox-id"
#define HOST_PROCESS "microsoft.com/hostprocess-container"
#define INHERIT_USER "microsoft.com/hostprocess-inherit-user"
#define NOWHERE "C:\\nonexistent\\folder"
#define ROOT_MAX 160

const uint32_t stress_killed = 1, stress_lost = 255;
/* A job's limit lets an allocation fail; nobody is killed. */
const bool stress_has_oom = false;
const bool stress_memory_is_shared = false;
const char *const stress_memory_name = "private memory";
const char *const stress_open_name = "handles";
const size_t stress_root_max = ROOT_MAX;
const char *const stress_help_about =
	"handles by\nkind, children, processes, pipes, files, memory. "
	"Containers are host-process\ncontainers: their programs see this "
	"host.";
const char *const stress_help_runtime = "";

const char *stress_default_root(void)
{
	static char root[ROOT_MAX];

	if (host_own_dir("wisp", sizeof(root) - 1, root, sizeof(root), NULL) <
		0)
		return "C:\\ProgramData\\containerd\\wisp";
	return root;
}

int stress_system_check(const struct stress_options *o, struct err *e)
{
	return o->runtime ? err_set(e, -EINVAL,
				    "--runtime: there is no OCI runtime on "
				    "Windows")
			  : 0;
}

int stress_system_begin(struct stress_world *w, struct err *e)
{
	int r = ctl_find_self(w->rootfs, sizeof(w->rootfs));

	snprintf(w->events_path, sizeof(w->events_path),
		"\\\\.\\pipe\\wispctl-%s-events", w->tag);
	return r < 0 ? err_sys(e, r, "find wispctl.exe itself") : 0;
}

void stress_system_end(struct stress_world *w)
{
	(void)w;
}

struct stress_stop {
	struct host_signals *signals;
};

static void on_stop(void *arg)
{
	struct stress_world *w = arg;

	w->stopped = true;
	if (!w->cleaning)
		client_interrupt(w->client, true);
}

int stress_catch_stop(struct stress_world *w, struct err *e)
{
	w->stop = calloc(1, sizeof(*w->stop));
	if (!w->stop)
		return err_sys(e, -ENOMEM, "catch ^C");
	return host_signals_new(
		w->base, on_stop, on_stop, w, &w->stop->signals, e);
}

void stress_forget_stop(struct stress_world *w)
{
	if (w->stop)
		host_signals_free(w->stop->signals);
	free(w->stop);
	w->stop = NULL;
}

void stress_log_name(const struct stress_box *b, char *ret, size_t n)
{
	snprintf(ret, n,
		"\\\\.\\pipe\\containerd-shim-" STRESS_NAMESPACE "-%s-log",
		b->id);
}

/* The tag, with which its process is found, comes before what it does. */
static void put_process(yajl_gen g, const struct stress_box *b,
	enum stress_does does, unsigned n, bool broken)
{
	static const char *const verbs[] = {
		[STRESS_SLEEPS] = "sleep",
		[STRESS_EXITS] = "exit",
		[STRESS_WRITES] = "write",
		[STRESS_EATS] = "exit",
		[STRESS_MISSING] = "exit",
	};
	const struct stress_world *w = b->actor.world;
	char number[16];
	const char *argv[] = {
		does == STRESS_MISSING ? NOWHERE "\\nosuch.exe" : w->rootfs,
		"stress-part", w->tag, verbs[does], number, NULL};

	snprintf(number, sizeof(number), "%u", n);
	yajl_gen_map_open(g);
	ctl_json_key(g, "args");
	ctl_json_texts(g, argv);
	ctl_json_put(g, "cwd", broken ? NOWHERE : "C:\\");
	ctl_json_put_map(g, "user");
	yajl_gen_map_close(g);
	yajl_gen_map_close(g);
}

static int take(yajl_gen g, char **ret, struct err *e)
{
	int r = ctl_json_take(g, ret);

	return r < 0 ? err_sys(e, r, "JSON") : 0;
}

int stress_process(const struct stress_box *b, enum stress_does does,
	unsigned n, char **ret, struct err *e)
{
	yajl_gen g = yajl_gen_alloc(NULL);

	if (!g)
		return err_sys(e, -ENOMEM, "JSON");
	put_process(g, b, does, n, false);
	return take(g, ret, e);
}

int stress_config(const struct stress_box *b, const struct stress_box_spec *s,
	const char *group, char **ret, struct err *e)
{
	yajl_gen g = yajl_gen_alloc(NULL);

	if (!g)
		return err_sys(e, -ENOMEM, "JSON");
	yajl_gen_map_open(g);
	ctl_json_put(g, "ociVersion", "1.1.0");
	ctl_json_put(g, "hostname", b->id);
	ctl_json_key(g, "process");
	put_process(g, b, s->does, s->n, s->broken);
	ctl_json_put_map(g, "root");
	ctl_json_put(g, "path", "");
	yajl_gen_map_close(g);
	ctl_json_put_map(g, "annotations");
	ctl_json_put(g, HOST_PROCESS, "true");
	ctl_json_put(g, INHERIT_USER, "true");
	if (group)
		ctl_json_put(g, GROUP, group);
	yajl_gen_map_close(g);
	ctl_json_put_map(g, "windows");
	yajl_gen_map_close(g);
	yajl_gen_map_close(g);
	return take(g, ret, e);
}
