/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/info.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "introspection.pb-c.h"
#include "platform/auto.h"
#include "platform/host.h"
#include "reaper/reaper.h"
#include "shim/oneshot.h"
#include "shim/options.h"
#include "shim/runtime.h"

#define STDIN_MAX (10 * 1024 * 1024)
#define STDIN_MS 10000
#define FEATURES_MAX (256 * 1024)

/* The runtime's `features`, as it prints them. */
struct features {
	struct oneshot one;
	struct stream *from;
	char *text;
	size_t n;
	int64_t pid;
	bool ended;
	bool exited;
};

static void features_end(struct features *f, int r, const char *why)
{
	struct err e;

	if (r < 0)
		err_set(&e, r, "%s", why);
	oneshot_done(r, &e, &f->one);
}

static void features_read(struct stream *s, unsigned what, void *arg)
{
	struct features *f = arg;
	char *more;
	ssize_t n;

	(void)what;
	more = f->n >= FEATURES_MAX ? NULL : realloc(f->text, f->n + 4097);
	if (!more) {
		features_end(f, -ENOMEM, "its features are too long");
		return;
	}
	f->text = more;
	n = stream_read(s, f->text + f->n, 4096);
	if (n == -EAGAIN)
		return;
	if (n > 0) {
		f->n += (size_t)n;
		return;
	}
	stream_watch(s, 0);
	f->ended = true;
	if (f->exited)
		features_end(f, 0, NULL);
}

static void features_exited(const struct process_exit *x, void *arg)
{
	struct features *f = arg;

	f->exited = true;
	if (x->status != 0)
		features_end(f, -EREMOTEIO, "it has no command `features`");
	else if (f->ended)
		features_end(f, 0, NULL);
}

static void features_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	features_end(arg, -ETIMEDOUT, "its `features` takes too long");
}

static int features_run(struct features *f, const char *binary, struct err *e)
{
	const char *const argv[] = {binary, "features", NULL};
	struct process_spec spec = {.argv = argv, .dies_with_us = true};
	struct timeval timeout = {.tv_sec = runtime_timeout() / 1000};
	int r;

	r = stream_pipe_from_child(f->one.base, &f->from, &spec.endpoints[1]);
	if (r < 0)
		return err_sys(e, r, "pipe");
	stream_set_cb(f->from, features_read, f);
	r = stream_watch(f->from, STREAM_READ);
	if (r == 0)
		r = event_base_once(f->one.base, -1, EV_TIMEOUT, features_late,
			f, &timeout);
	if (r == 0)
		r = reaper_spawn(
			f->one.reaper, &spec, features_exited, f, &f->pid, e);
	endpoint_close(spec.endpoints[1]);
	return r < 0 ? r : oneshot_wait(&f->one, e);
}

static int print(const Any *options, const struct features *f, struct err *e)
{
	Containerd__Types__RuntimeInfo info =
		CONTAINERD__TYPES__RUNTIME_INFO__INIT;
	Containerd__Types__RuntimeVersion version =
		CONTAINERD__TYPES__RUNTIME_VERSION__INIT;
	Any features = GOOGLE__PROTOBUF__ANY__INIT;
	auto_free uint8_t *buf = NULL;
	size_t n;
	int r;

	version.version = (char *)WISP_VERSION;
	info.name = (char *)"io.containerd.wisp.v1";
	info.version = &version;
	info.options = (Any *)options;
	if (f->n > 0) {
		features.type_url =
			(char *)"types.containerd.io/opencontainers/"
				"runtime-spec/1/features/Features";
		features.value.data = (uint8_t *)f->text;
		features.value.len = f->n;
		info.features = &features;
	}
	n = containerd__types__runtime_info__get_packed_size(&info);
	buf = malloc(n);
	if (!buf)
		return err_set(e, -ENOMEM, "no memory");
	containerd__types__runtime_info__pack(&info, buf);
	r = host_write_stdout(buf, n);
	return r < 0 ? err_sys(e, r, "print") : 0;
}

/* A runtime without the command is old, not broken: it is said on stderr. */
static int collect(const Any *any, struct features *f, struct err *e)
{
	struct options options;
	const char *binary;
	struct err own = {0};
	int r = options_unpack(any, &options, e);

	if (r == 0)
		r = runtime_find(&options, &binary, e);
	if (r == 0)
		r = oneshot_init(&f->one, e);
	if (r == 0 && runtime_is_program && features_run(f, binary, &own) < 0) {
		err_prefix(&own, "runtime '%s'", binary);
		oneshot_complain(own.msg);
		f->n = 0;
	}
	options_clear(&options);
	return r;
}

int info_command(struct err *e)
{
	auto_free uint8_t *data = NULL;
	struct features f = {0};
	Any *any = NULL;
	size_t n;
	int r = host_read_stdin(STDIN_MAX, STDIN_MS, &data, &n, e);

	if (r == 0 && n > 0) {
		any = google__protobuf__any__unpack(NULL, n, data);
		if (!any)
			r = err_set(e, -EINVAL, "options are no valid Any");
	}
	if (r == 0)
		r = collect(any, &f, e);
	if (r == 0)
		r = print(any, &f, e);
	stream_close(f.from);
	oneshot_clear(&f.one);
	if (any)
		google__protobuf__any__free_unpacked(any, NULL);
	free(f.text);
	return r;
}
