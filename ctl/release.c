/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/release.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/program.h"
#include "client/task.h"
#include "ctl/say.h"
#include "platform/file.h"
#include "platform/listener.h"
#include "platform/process.h"

#define KILL_MS 5000
#define DELETE_MS 15000
#define SHUTDOWN_MS 2000
#define LEAVE_MS 300
#define TRIES 20
#define ADDRESS_TRIES 20
#define ADDRESS_PAUSE_US 50000
#define SIGNAL_KILL 9

struct releasing {
	struct client *client;
	const struct ctl_record *record;
	struct client_shim *shim;
	struct process_ref *process; /* the shim's; NULL: not known */
	bool lost;
	char address[512]; /* "": not known */
};

static void on_lost(void *arg)
{
	struct releasing *r = arg;

	r->lost = true;
}

/* A task that was never made, or has ended, makes most of these fail. */
static int end_task(struct releasing *r, struct client_task *t, struct err *e)
{
	struct client_process *init = client_task_init(t);
	struct client_await killed = {r->client, .timeout_ms = KILL_MS};
	struct client_await waited = {r->client, .timeout_ms = KILL_MS};
	struct client_await deleted = {r->client, .timeout_ms = DELETE_MS};
	int rc;

	rc = client_await(&killed,
		client_process_kill(
			init, SIGNAL_KILL, true, client_await_done, &killed),
		e);
	if (rc == 0)
		client_await(&waited,
			client_process_wait(init, client_await_done, &waited),
			e);
	if (rc != -ENOTCONN && rc != -ETIME)
		rc = client_await(&deleted,
			client_process_delete(
				init, client_await_done, &deleted),
			e);
	client_task_free(t); /* before the awaits go */
	return rc == -ENOENT ? 0 : rc;
}

static int end_shim(struct releasing *r, struct err *e)
{
	struct client_await asked = {r->client, .timeout_ms = SHUTDOWN_MS};
	const struct client_container *k = &r->record->container;
	struct client_task *t = client_task_new(r->shim, k);
	int rc;

	if (!t)
		return err_sys(e, -ENOMEM, "end the task");
	rc = end_task(r, t, e);
	if (rc < 0)
		return rc;
	rc = client_await(&asked,
		client_shim_shutdown(r->shim, k->id, client_await_done, &asked),
		e);
	return rc < 0 ? rc : client_run_until(r->client, &r->lost, LEAVE_MS);
}

/* So that a shim that does not answer later can be killed. */
static void know_process(struct releasing *r)
{
	struct client_await aw = {r->client, .timeout_ms = SHUTDOWN_MS};
	struct client_shim_info info = {0};
	struct err e;

	client_await(&aw,
		client_shim_ask_info(r->shim, r->record->container.id, &info,
			client_await_done, &aw),
		&e);
	client_shim_forget_calls(r->shim);
	if (info.shim_pid)
		process_ref_open(info.shim_pid, &r->process);
}

/* Once is not always enough: a Create that was under way may come to its end
 * only now. */
static int end_by_rpc(struct releasing *r, struct err *e)
{
	int tries, rc = -ENOTCONN;

	client_shim_on_lost(r->shim, on_lost, r);
	if (!client_shim_is_connected(r->shim))
		return rc;
	know_process(r);
	for (tries = 0; tries < TRIES && !r->lost; tries++) {
		rc = end_shim(r, e);
		if (rc == 0 || rc == -EINTR)
			return rc;
	}
	return rc;
}

static void on_program_done(const struct client_program_result *r, void *arg)
{
	bool *done = arg;

	(void)r;
	*done = true;
}

/* Whether the OCI runtime still knows of the container; its state is where
 * nobody else's is. */
static bool runtime_has_it(const struct client_container *k)
{
	char path[CTL_PATH_MAX];

	if (!k->runtime_root)
		return false;
	snprintf(path, sizeof(path), "%s/%s/%s", k->runtime_root, k->ns, k->id);
	return access(path, F_OK) == 0;
}

static int run_runtime_delete(
	struct client *c, const struct client_container *k, struct err *e)
{
	char root[CTL_PATH_MAX];
	const char *argv[] = {k->runtime ? k->runtime : "runc", "--root", root,
		"delete", "--force", k->id, NULL};
	struct client_program_spec spec = {
		.argv = argv, .timeout_ms = DELETE_MS};
	bool done = false;
	int rc;

	if (!runtime_has_it(k))
		return 0;
	snprintf(root, sizeof(root), "%s/%s", k->runtime_root, k->ns);
	rc = client_program_run(c, &spec, on_program_done, &done, e);
	if (rc == 0)
		rc = client_run_until(c, &done, 0);
	client_program_drop(c, &done);
	if (rc == 0 && runtime_has_it(k))
		return err_set(e, -EREMOTEIO,
			"'%s' cannot delete container '%s'", argv[0], k->id);
	return rc;
}

static int run_shim_delete(
	struct client *c, const struct client_container *k, struct err *e)
{
	struct client_await aw = {.client = c};
	struct client_delete d;
	int rc;

	rc = client_shim_run_delete(c, k, &d, client_await_done, &aw, e);
	if (rc < 0)
		return rc;
	rc = client_await(&aw, 0, e);
	client_program_drop(c, &d);
	return rc;
}

static void end_by_force(struct releasing *r, struct err *e)
{
	if (r->process)
		process_ref_signal(r->process, SIGNAL_KILL);
	run_shim_delete(r->client, &r->record->container, e);
}

static int release(struct releasing *r, struct err *e)
{
	int rc = -ENOTCONN;

	if (r->shim)
		rc = end_by_rpc(r, e);
	client_shim_free(r->shim);
	if (rc < 0)
		end_by_force(r, e);
	process_ref_close(r->process);
	if (*r->address && listener_probe(r->address) == -ECONNREFUSED)
		listener_unlink(r->address); /* not every shim does it */
	return run_runtime_delete(r->client, &r->record->container, e);
}

/* Where the shim listens. Its `start` may be under way and outlive who called
 * it; most shims leave the address in the bundle then. */
static bool find_address(
	const struct ctl_record *r, char *ret, size_t n, bool wait)
{
	char path[CTL_PATH_MAX];
	int tries;

	if (*r->address)
		return snprintf(ret, n, "%s", r->address) < (int)n;
	snprintf(path, sizeof(path), "%s/address", r->container.bundle);
	for (tries = wait ? ADDRESS_TRIES : 1; tries > 0; tries--) {
		if (file_read_into(path, ret, n) == 0 && *ret)
			return true;
		if (wait)
			usleep(ADDRESS_PAUSE_US);
	}
	*ret = '\0';
	return false;
}

int ctl_release(struct client *c, const struct ctl_record *r,
	struct client_shim *shim, struct err *e)
{
	struct releasing x = {.client = c, .record = r, .shim = shim};

	if (find_address(r, x.address, sizeof(x.address), !shim) && !shim)
		client_shim_connect(c, r->container.ns, x.address,
			r->version ? r->version : 2, &x.shim, e);
	return release(&x, e);
}

int ctl_release_files(
	struct ctl_place *p, const struct ctl_record *r, struct err *e)
{
	int rc = 0;

	if (r->rootfs && !r->keep)
		rc = ctl_remove_tree(r->rootfs, e);
	return rc < 0 ? rc : ctl_place_remove(p, r->keep, e);
}

int ctl_release_left(
	struct client *c, const char *root, const char *id, struct err *e)
{
	struct ctl_place p;
	struct ctl_record r;
	int rc = ctl_place_init(&p, root, id, e);

	if (rc < 0 || access(p.record, F_OK) < 0)
		return rc;
	rc = ctl_place_lock(&p);
	if (rc < 0)
		return err_sys(e, rc, "lock '%s'", p.state);
	rc = ctl_record_read(&p, &r, e);
	if (rc == 0)
		rc = ctl_release(c, &r, NULL, e);
	if (rc == 0)
		rc = ctl_release_files(&p, &r, e);
	ctl_record_clear(&r);
	ctl_place_close(&p);
	return rc;
}

void ctl_release_all_left(struct client *c, const char *root)
{
	struct ctl_place p;
	struct dirent *de;
	struct err e = {0};
	DIR *d = NULL;

	if (ctl_place_init(&p, root, "x", &e) == 0)
		d = opendir(p.states);
	while (d && (de = readdir(d))) {
		if (!client_id_is_valid(de->d_name))
			continue;
		if (ctl_release_left(c, p.root, de->d_name, &e) < 0 &&
			e.code != -EWOULDBLOCK)
			ctl_say("container '%s' was left over and cannot be "
				"removed: %s",
				de->d_name, e.msg);
	}
	if (d)
		closedir(d);
}
