/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/explain.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/listener.h"
#include "platform/process.h"
#include "platform/seccomp.h"
#include "reaper/reaper.h"
#include "shim/bundle.h"
#include "shim/denials.h"
#include "platform/json_write.h"
#include "shim/log.h"
#include "platform/socket.h"

#define PREPARE_MS 10000

#define CONFIG "config.json"
#define ORIGINAL "config.original.json"
#define ADDRESS "seccomp-explain.address"
#define NOTES "seccomp-explain.notes" /* what `prepare` has to say */
#define NOTES_MAX 4096

struct explain {
	struct explain_config config;
	explain_cb ready; /* NULL: it has run */
	void *arg;
	int64_t pid; /* of `prepare`; 0: it has ended */
	struct event *deadline;
	bool late, canceled;
	struct seccomp_agent *agent; /* NULL: there is nothing to explain */
	struct denials *denials;
	char address[256];
};

static void refused(const char *why, void *arg)
{
	const struct explain *x = arg;

	log_warn(x->config.id, "seccomp: %s", why);
}

static uint32_t decide(const struct seccomp_call *call, void *arg)
{
	struct explain *x = arg;

	return denials_decide(call, x->denials);
}

static void answered(void *arg)
{
	struct explain *x = arg;

	denials_answered(x->denials);
}

static const struct seccomp_agent_ops ops = {
	.decide = decide,
	.answered = answered,
	.refused = refused,
};

/* Each line that `prepare` has written. */
static void log_notes(const struct explain *x)
{
	char path[BUNDLE_PATH_MAX];
	auto_free char *text = NULL;
	char *line, *rest;
	size_t n;

	if (bundle_path(x->config.bundle, NOTES, path) < 0 ||
		file_read_tail(path, NOTES_MAX, &text, &n, NULL) < 0)
		return;
	for (line = strtok_r(text, "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest))
		log_info(x->config.id, "seccomp: %s", line);
}

static int begin(struct explain *x, struct err *e)
{
	int r = denials_new(
		x->config.base, x->config.id, x->config.bundle, &x->denials, e);

	if (r == -ENOENT) /* nothing is denied, or there is no profile */
		return 0;
	if (r == 0)
		r = seccomp_agent_new(
			x->config.base, x->address, &ops, x, &x->agent, e);
	return r;
}

static int failure(const struct explain *x, uint32_t status, struct err *e)
{
	char path[BUNDLE_PATH_MAX], why[512] = "";

	if (x->canceled)
		return err_set(e, -ECANCELED, "it was canceled");
	if (x->late)
		return err_set(e, -ETIMEDOUT,
			"`wispctl seccomp prepare` was killed after %d s",
			PREPARE_MS / 1000);
	if (bundle_path(x->config.bundle, NOTES, path) < 0 ||
		file_read_into(path, why, sizeof(why)) < 0)
		snprintf(why, sizeof(why),
			"`wispctl seccomp prepare` ended with status %" PRIu32,
			status);
	return err_set(e, -EINVAL, "%s", why);
}

static void prepared(const struct process_exit *exit, void *arg)
{
	struct explain *x = arg;
	explain_cb ready = ptr_take(&x->ready);
	struct err e = {0};
	int r = 0;

	x->pid = 0;
	event_del(x->deadline);
	if (exit->status != 0 || x->canceled) {
		r = failure(x, exit->status, &e);
	} else {
		log_notes(x);
		r = begin(x, &e);
	}
	if (r < 0)
		err_prefix(&e, "annotation " EXPLAIN_ANNOTATION);
	ready(r, &e, x->arg);
}

static void kill_prepare(struct explain *x)
{
	struct process_ref *ref;

	if (!x->pid || process_ref_open(x->pid, &ref) < 0)
		return;
	process_ref_signal(ref, SIGKILL);
	process_ref_close(ref);
}

static void too_late(evutil_socket_t fd, short what, void *arg)
{
	struct explain *x = arg;

	(void)fd;
	(void)what;
	x->late = true;
	kill_prepare(x);
}

void explain_cancel(struct explain *x)
{
	if (!x->ready)
		return;
	x->canceled = true;
	kill_prepare(x);
}

static int run_prepare(struct explain *x, struct err *e)
{
	static const struct timeval limit = {.tv_sec = PREPARE_MS / 1000};
	char program[BUNDLE_PATH_MAX];
	const char *const argv[] = {program, "seccomp", "prepare", "--listener",
		x->address + strlen("unix://"), "--runtime", x->config.runtime,
		x->config.bundle, NULL};
	struct process_spec spec = {.argv = argv, .dies_with_us = true};
	int r = process_find_beside("wispctl", program, sizeof(program));

	if (r < 0)
		return err_set(e, -EINVAL,
			"wispctl is needed, and neither beside this shim nor "
			"in PATH: install it, or leave the annotation out");
	if (event_add(x->deadline, &limit) < 0)
		return err_set(e, -ENOMEM, "no memory for a deadline");
	r = reaper_spawn(x->config.reaper, &spec, prepared, x, &x->pid, e);
	if (r == -ENOENT) /* to a client that would be the container */
		r = e->code = -EINVAL;
	return r;
}

/* Where the OCI runtime sends filters to; noted for explain_clean(). A path in
 * the bundle may be too long for a runtime. */
static int choose_address(struct explain *x, struct err *e)
{
	int r = socket_address(NULL, x->config.bundle, "seccomp", x->config.id,
		x->address, sizeof(x->address), e);

	return r < 0 ? r
		     : bundle_write(x->config.bundle, ADDRESS, x->address, e);
}

int explain_new(const struct explain_config *config, explain_cb ready,
	void *arg, struct explain **ret, struct err *e)
{
	struct explain *x = calloc(1, sizeof(*x));
	int r;

	if (x)
		x->deadline = event_new(config->base, -1, 0, too_late, x);
	if (!x || !x->deadline) {
		free(x);
		return err_set(e, -ENOMEM, "no memory to explain seccomp");
	}
	x->config = *config;
	x->ready = ready;
	x->arg = arg;
	bundle_remove(config->bundle, DENIALS_FILTER);
	bundle_remove(config->bundle, NOTES);
	r = choose_address(x, e);
	if (r == 0)
		r = run_prepare(x, e);
	if (r < 0) {
		err_prefix(e, "annotation " EXPLAIN_ANNOTATION);
		explain_free(x);
		return r;
	}
	*ret = x;
	return 0;
}

void explain_put(const struct explain *x, struct json_out *o)
{
	if (!x || !x->agent)
		return;
	json_open(o, "seccomp", '{');
	json_number(o, "filters", seccomp_agent_filters(x->agent));
	denials_put(x->denials, o);
	json_close(o);
}

static void clean_files(const char *bundle)
{
	char original[BUNDLE_PATH_MAX], config[BUNDLE_PATH_MAX];

	if (bundle_path(bundle, ORIGINAL, original) == 0 &&
		bundle_path(bundle, CONFIG, config) == 0)
		(void)rename(original, config);
	bundle_remove(bundle, ORIGINAL); /* it was config.json itself */
	bundle_remove(bundle, DENIALS_FILTER);
	bundle_remove(bundle, DENIALS_TABLE);
	bundle_remove(bundle, ADDRESS);
}

void explain_free(struct explain *x)
{
	if (!x)
		return;
	kill_prepare(x);
	if (x->pid)
		reaper_forget(x->config.reaper, x->pid);
	seccomp_agent_free(x->agent);
	denials_free(x->denials);
	clean_files(x->config.bundle);
	event_free(x->deadline);
	free(x);
}

void explain_clean(const char *bundle)
{
	char path[BUNDLE_PATH_MAX], address[256];

	if (bundle_path(bundle, ADDRESS, path) < 0 ||
		file_read_into(path, address, sizeof(address)) < 0)
		return;
	listener_unlink(address);
	clean_files(bundle);
}
