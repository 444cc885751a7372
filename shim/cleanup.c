/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/listener.h"
#include "shim/bundle.h"
#include "shim/explain.h"
#include "shim/ident.h"
#include "shim/messages.h"
#include "shim/oneshot.h"
#include "shim/options.h"
#include "shim/runtime.h"

struct cleanup {
	const struct args *args;
	char dir[PATH_MAX];
	struct options options;
	char binary[PATH_MAX]; /* "": none was noted */
};

/* What the shim noted when it created the container; a bundle without notes
 * was never created by one. */
static int read_notes(struct cleanup *c, struct err *e)
{
	char path[BUNDLE_PATH_MAX];
	int r = bundle_path(c->dir, BUNDLE_OPTIONS, path);

	if (r == 0)
		r = options_load(path, &c->options, e);
	else
		err_sys(e, r, "bundle '%s'", c->dir);
	if (r < 0)
		return r;
	if (bundle_path(c->dir, BUNDLE_RUNTIME, path) < 0 ||
		file_read_into(path, c->binary, sizeof(c->binary)) < 0)
		c->binary[0] = '\0';
	return 0;
}

static int runtime_forget(struct cleanup *c, struct err *e)
{
	auto_free char *root = NULL;
	struct oneshot o;
	struct runtime rt = {
		.options = &c->options,
		.bundle = c->dir,
		.id = c->args->id,
		.timeout_ms = runtime_timeout(),
		.binary = c->binary,
	};
	int r = runtime_root(&c->options, c->args->ns, &root, e);

	if (r < 0)
		return r;
	r = oneshot_init(&o, e);
	rt.root = root;
	rt.base = o.base;
	rt.reaper = o.reaper;
	if (r == 0 && !*c->binary)
		r = runtime_find(&c->options, &rt.binary, e);
	if (r == 0)
		r = runtime_delete(&rt, oneshot_done, &o, e);
	if (r == 0)
		r = oneshot_wait(&o, e);
	oneshot_clear(&o);
	return r;
}

/* Only a dead one: a shim of several containers may live on. */
static void remove_socket(const struct cleanup *c)
{
	char path[BUNDLE_PATH_MAX], address[4096];

	if (bundle_path(c->dir, "address", path) < 0 ||
		file_read_into(path, address, sizeof(address)) < 0)
		return;
	if (listener_probe(address) == -ECONNREFUSED)
		listener_unlink(address);
}

static int answer(const struct cleanup *c, struct err *e)
{
	Containerd__Task__V3__DeleteResponse rs =
		CONTAINERD__TASK__V3__DELETE_RESPONSE__INIT;
	Timestamp ts = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	char path[BUNDLE_PATH_MAX];
	struct timespec at;
	uint8_t buf[128];
	int64_t pid = 0;
	uint32_t status;
	int r;

	if (bundle_read_exit(c->dir, &pid, &status, &at) < 0) {
		pid = 0;
		if (bundle_path(c->dir, BUNDLE_PID, path) == 0)
			file_read_pid(path, &pid);
		status = runtime_lost_status;
		clock_gettime(CLOCK_REALTIME, &at);
	}
	ts.seconds = at.tv_sec;
	ts.nanos = (int32_t)at.tv_nsec;
	rs.pid = (uint32_t)pid;
	rs.exit_status = status;
	rs.exited_at = &ts;
	r = host_write_stdout(
		buf, containerd__task__v3__delete_response__pack(&rs, buf));
	return r < 0 ? err_sys(e, r, "print the answer") : 0;
}

static bool is_released(const struct cleanup *c)
{
	char path[BUNDLE_PATH_MAX];

	return bundle_path(c->dir, BUNDLE_RELEASED, path) == 0 &&
	       file_check(path) == 0;
}

static int clean(struct cleanup *c, struct err *e)
{
	struct err own;
	int r;

	if (is_released(c)) {
		remove_socket(c);
		return 0;
	}
	r = read_notes(c, e);
	/* each step is done, whatever became of the one before */
	if (runtime_forget(c, &own) < 0)
		oneshot_complain(own.msg);
	bundle_remove_cgroup(c->dir);
	if (bundle_unmount(c->dir, &own) < 0)
		oneshot_complain(own.msg);
	explain_clean(c->dir);
	remove_socket(c);
	return r;
}

static int find_folder(struct cleanup *c, struct err *e)
{
	int r = file_working_folder(c->dir, sizeof(c->dir));

	return r < 0 ? err_sys(e, r, "working directory") : 0;
}

int cleanup_command(const struct args *args, struct err *e)
{
	struct cleanup *c;
	int r;

	r = ident_check("namespace (-namespace)", args->ns, e);
	if (r == 0)
		r = ident_check("container id (-id)", args->id, e);
	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(e, -ENOMEM, "no memory");
	c->args = args;
	if (args->bundle)
		r = file_enter_folder(args->bundle);
	if (r < 0)
		err_sys(e, r, "bundle '%s'", args->bundle);
	else
		r = find_folder(c, e);
	if (r == 0)
		r = clean(c, e);
	if (r == 0)
		r = answer(c, e);
	options_clear(&c->options);
	free(c);
	return r;
}
