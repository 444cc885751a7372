/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "client/fifo.h"
#include "ctl/bundle.h"
#include "ctl/find.h"
#include "ctl/image/image_run.h"
#include "ctl/journal.h"
#include "ctl/release.h"
#include "ctl/rootfs.h"
#include "ctl/run.h"
#include "ctl/run_seccomp.h"
#include "ctl/say.h"
#include "ctl/seccomp/seccomp_log.h"
#include "ctl/show.h"
#include "ctl/spec/spec.h"
#include "ctl/user.h"
#include "platform/file.h"

#define NAMESPACE "wisp"

static int set_id(struct ctl_run *r, struct err *e)
{
	unsigned char random[6];
	int i;

	if (r->o->name) {
		snprintf(r->id, sizeof(r->id), "%s", r->o->name);
		return 0;
	}
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_sys(e, -errno, "make up a name");
	for (i = 0; i < (int)sizeof(random); i++)
		sprintf(r->id + 2 * i, "%02x", random[i]);
	return 0;
}

static int find_programs(struct ctl_run *r, struct err *e)
{
	int rc;

	rc = ctl_find_shim(r->o->shim, r->shim_path, sizeof(r->shim_path), e);
	if (rc == 0)
		rc = ctl_find_runtime(r->o->runtime, r->runtime_path,
			sizeof(r->runtime_path), e);
	if (rc == 0 && ctl_find_self(r->self, sizeof(r->self)) < 0)
		r->self[0] = '\0';
	return rc;
}

static void fill_record(struct ctl_run *r)
{
	r->record.container = (struct client_container){.ns = NAMESPACE,
		.id = r->id,
		.bundle = r->place.bundle,
		.shim = r->shim_path,
		.events = r->place.events,
		.publisher = r->self[0] ? r->self : NULL,
		.runtime = r->runtime_path,
		.runtime_root = r->place.runtime,
		.checkpoint = r->checkpoint[0] ? r->checkpoint : NULL,
		.debug = r->o->debug,
		.dialect = r->o->dialect};
	/* A detached one goes with all it has when it is deleted. */
	r->record.keep = !r->o->remove && !r->o->detach && !r->o->image.path;
	r->record.remove = r->o->remove && r->o->detach;
	r->record.terminal = r->o->terminal;
	r->record.interactive = r->o->interactive;
	r->record.rootfs = r->rootfs[0] ? r->rootfs : NULL;
	r->record.cgroup = r->o->bundle ? NULL : r->cgroup;
}

static int make_place(struct ctl_run *r, struct err *e)
{
	int rc = ctl_place_init(&r->place, r->o->root, r->id, e);

	snprintf(r->cgroup, sizeof(r->cgroup), "/wisp-%s", r->id);
	if (rc == 0)
		rc = ctl_guard_start(&r->guard, r->base, &r->place, r->id, e);
	if (rc == 0)
		rc = ctl_place_make(&r->place, e);
	if (rc < 0)
		return rc;
	r->made_place = true;
	ctl_guard_tell_made(&r->guard);
	if (!r->o->rootfs && !r->o->bundle)
		rc = ctl_rootfs_choose(r->place.bundle, r->id, r->rootfs,
			sizeof(r->rootfs), e);
	if (rc < 0)
		return rc;
	fill_record(r);
	rc = ctl_record_write(&r->place, &r->record, e);
	if (rc < 0)
		return rc;
	r->made_record = true;
	return 0;
}

/* The image's words, where the user has none. */
static void put_image(struct ctl_spec *s, const struct image_run *x)
{
	s->args = (const char *const *)x->args;
	s->env = (const char *const *)x->env;
	s->n_env = x->n_env;
	s->uid = x->user.uid;
	s->gid = x->user.gid;
	s->groups = x->user.groups;
	s->n_groups = x->user.n_groups;
	s->home = x->user.home;
	s->stop_signal = x->image.config.stop_signal;
	if (!s->cwd)
		s->cwd = x->cwd;
}

static int make_spec(struct ctl_run *r, const struct image_run *image,
	char **ret, struct err *e)
{
	static const char *const shell[] = {"sh", NULL};
	const struct ctl_run_options *o = r->o;
	char *real = NULL, unpacked[PATH_MAX + 8];
	struct ctl_spec s = {.id = r->id,
		.rootfs = r->rootfs,
		.cgroup = r->cgroup,
		.cwd = o->cwd,
		.args = *o->command ? (const char *const *)o->command : shell,
		.env = (const char *const *)o->env,
		.n_env = o->n_env,
		.mounts = o->mounts,
		.n_mounts = o->n_mounts,
		.memory = o->memory,
		.terminal = o->terminal};
	int rc;

	ctl_user_look(&s.user);
	if (o->memory && !s.user.is_root)
		return err_set(e, -EPERM,
			"--memory needs a cgroup, which only root may make");
	if (o->rootfs) {
		real = realpath(o->rootfs, NULL);
		if (!real)
			return err_sys(e, -errno, "--rootfs '%s'", o->rootfs);
		s.rootfs = real;
	}
	if (o->image.path) {
		snprintf(unpacked, sizeof(unpacked), "%s/rootfs", r->rootfs);
		s.rootfs = unpacked;
		put_image(&s, image);
	}
	rc = ctl_spec_make(&s, ret);
	free(real);
	return rc < 0 ? err_sys(e, rc, "make config.json") : 0;
}

static int on_image_tick(struct image_job *j, struct err *e)
{
	struct ctl_run *r = j->arg;

	image_job_draw(j);
	event_base_loop(r->base, EVLOOP_NONBLOCK);
	if (!r->stop_signal)
		return 0;
	return err_set(e, -ECANCELED, "stopped by signal %d (%s)",
		r->stop_signal, strsignal(r->stop_signal));
}

/* Until all of it is there, it is nothing to be kept. */
static int unpack_image(
	struct ctl_run *r, struct image_run *image, struct err *e)
{
	struct image_job job = {.tick = on_image_tick, .arg = r};
	struct ctl_user user;
	int rc;

	ctl_user_look(&user);
	job.ordinary = !user.is_root;
	rc = image_run_prepare(image, &r->o->image, r->rootfs, &job,
		r->o->command, r->o->env, r->o->n_env, e);
	if (rc == 0)
		r->record.keep = !r->o->remove && !r->o->detach;
	return rc;
}

static int make_bundle(struct ctl_run *r, struct err *e)
{
	struct image_run image = {0};
	struct ctl_bundle_changes changes = {.terminal = r->o->terminal};
	char *config = NULL;
	int rc = 0;

	if (*r->o->command)
		changes.args = (const char *const *)r->o->command;
	if (r->o->bundle)
		rc = ctl_bundle_copy(r->o->bundle, &changes, &config, e);
	else if (r->o->image.path)
		rc = unpack_image(r, &image, e);
	if (rc == 0 && !r->o->bundle)
		rc = make_spec(r, &image, &config, e);
	image_run_clear(&image);
	if (config && (r->o->seccomp || r->o->explain_seccomp))
		rc = ctl_run_seccomp(r->o, &config, e);
	if (rc < 0 || !config) {
		free(config);
		return rc;
	}
	rc = file_write(r->place.config, config, strlen(config));
	free(config);
	if (rc < 0)
		return err_sys(e, rc, "write '%s'", r->place.config);
	return r->record.rootfs && !r->o->image.path
		       ? ctl_rootfs_make(r->client, r->rootfs, e)
		       : 0;
}

static void on_event(const struct client_event *ev, void *arg)
{
	struct ctl_run *r = arg;

	ctl_journal_add(&r->place, ev);
	if (r->task)
		client_task_learn(r->task, ev);
	if (ev->type == CLIENT_EVENT_DELETE && !*ev->exec_id)
		r->deleted = true;
	if (r->o->events && r->o->json)
		ctl_show_event_json(ev);
	else if (r->o->events)
		ctl_show_event(ev);
}

static void on_log(const char *line, void *arg)
{
	struct ctl_run *r = arg;

	if (r->o->debug)
		ctl_say_line(line);
	if (!strstr(line, "level=info") && !strstr(line, "level=debug"))
		snprintf(r->last_log, sizeof(r->last_log), "%s", line);
}

/* The shim works in another folder. */
static int set_checkpoint(struct ctl_run *r, struct err *e)
{
	if (r->o->checkpoint && !realpath(r->o->checkpoint, r->checkpoint))
		return err_sys(
			e, -errno, "--checkpoint '%s'", r->o->checkpoint);
	return 0;
}

int ctl_run_prepare_place(struct ctl_run *r, struct err *e)
{
	int rc = set_id(r, e);

	if (rc == 0)
		rc = find_programs(r, e);
	if (rc == 0)
		rc = set_checkpoint(r, e);
	if (rc == 0)
		rc = make_place(r, e);
	return rc == 0 ? make_bundle(r, e) : rc;
}

int ctl_run_remove_place(struct ctl_run *r, struct err *e)
{
	if (r->made_record)
		return ctl_release_files(&r->place, &r->record, e);
	if (r->made_place)
		ctl_place_remove(&r->place, false, NULL);
	return 0;
}

int ctl_run_prepare(struct ctl_run *r, struct err *e)
{
	int rc = ctl_run_prepare_place(r, e);

	if (rc == 0)
		rc = ctl_run_open_io(r, e);
	if (rc == 0)
		rc = client_events_new(
			r->base, r->place.events, on_event, r, &r->events, e);
	if (rc == 0)
		rc = client_log_new(
			r->base, r->place.log, on_log, r, &r->log, e);
	if (rc == 0 && r->o->explain_seccomp)
		rc = sec_follow_new(
			r->base, r->place.bundle, r->o->json, &r->denials, e);
	return rc;
}
