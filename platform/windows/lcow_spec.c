/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's document: its spec, as its guest agent is to see it. What is
 * Windows' own, or the agent's own business, is left out (hcsshim's
 * createLCOWSpec()); paths become the guest's. Go compares names without regard
 * to case, so that is how they are compared here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/json.h"
#include "platform/windows/hcs_document.h"
#include "platform/windows/lcow_document.h"
#include "platform/windows/lcow_text.h"

/* Below JSON_OUT_DEPTH, with what is around the spec. */
#define SPEC_DEPTH (JSON_OUT_DEPTH - 3)

struct copying {
	struct json_out *o;
	const struct guest *g;
	const char *id;
	unsigned depth;   /* of what is read */
	unsigned dropped; /* above 0: the depth from which on nothing is kept */
	size_t mount;     /* which one of the mounts is read: 1, 2, ... */
	const char *bad;  /* why it can't be passed on */
};

static bool is(const char *path, const char *name)
{
	return _stricmp(path, name) == 0;
}

static bool is_left_out(const struct copying *c, const char *path)
{
	static const char *const names[] = {"windows", "hooks", "root",
		"linux.cgroupsPath", "linux.resources.devices",
		"linux.resources.pids", "linux.resources.blockIO",
		"linux.resources.hugepageLimits", "linux.resources.network"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is(path, names[i]))
			return true;
	return c->g->privileged && is(path, "linux.seccomp");
}

static const struct guest_share *share_of(const struct copying *c)
{
	size_t i;

	for (i = 0; i < c->g->n_shares; i++)
		if (c->g->shares[i].mount + 1 == c->mount)
			return &c->g->shares[i];
	return NULL;
}

/* Where the guest has it. */
static void put_source(
	struct copying *c, const char *key, const struct guest_share *sh)
{
	char path[1024];

	snprintf(path, sizeof(path), "/run/gcs/c/%s/mounts/m%zu%s%s", c->id,
		sh->mount, sh->file ? "/" : "", sh->file ? sh->file : "");
	json_text(c->o, key, path);
}

static void put_string(
	struct copying *c, const char *key, const struct json_token *t)
{
	char *text;

	if (memchr(t->text, '\0', t->n)) {
		c->bad = "a text has a NUL in it";
		return;
	}
	text = strndup(t->text, t->n);
	c->o->no_memory |= !text;
	if (text)
		json_text(c->o, key, text);
	free(text);
}

/* Zero means the usual to a daemon, and something else to a kernel. */
static const char *usual_number(const struct json_token *t)
{
	if (t->n != 1 || *t->text != '0')
		return NULL;
	if (is(t->path, "linux.resources.cpu.period"))
		return "100000";
	return is(t->path, "linux.resources.cpu.quota") ? "-1" : NULL;
}

static void put_scalar(
	struct copying *c, const char *key, const struct json_token *t)
{
	const char *usual = usual_number(t);

	if (t->type == JSON_STRING && is(t->path, "mounts[].source") &&
		share_of(c))
		put_source(c, key, share_of(c));
	else if (t->type == JSON_STRING)
		put_string(c, key, t);
	else if (t->type == JSON_NUMBER && usual)
		json_raw(c->o, key, usual, strlen(usual));
	else
		json_raw(c->o, key, t->text, t->n);
}

static void begin(
	struct copying *c, const char *key, const struct json_token *t)
{
	c->depth++;
	if (is(t->path, "mounts[]"))
		c->mount++;
	if (c->depth > SPEC_DEPTH && !c->dropped) {
		c->bad = "it is too deep";
		c->dropped = c->depth;
	}
	if (!c->dropped)
		json_open(c->o, key, t->type == JSON_OBJECT ? '{' : '[');
}

static void put_root(struct copying *c)
{
	char path[512];

	snprintf(path, sizeof(path), "/run/gcs/c/%s/rootfs", c->id);
	json_open(c->o, "root", '{');
	json_text(c->o, "path", path);
	if (c->g->read_only)
		json_bool(c->o, "readonly", true);
	json_close(c->o);
}

static void end(struct copying *c)
{
	if (c->depth == 1)
		put_root(c);
	if (!c->dropped)
		json_close(c->o);
	else if (c->dropped == c->depth)
		c->dropped = 0;
	c->depth--;
}

static void on_token(const struct json_token *t, void *arg)
{
	struct copying *c = arg;
	const char *key = t->key == JSON_NO_KEY ? NULL : t->path + t->key;
	bool opens = t->type == JSON_OBJECT || t->type == JSON_ARRAY;

	if (t->type == JSON_END) {
		end(c);
		return;
	}
	if (c->depth == 0) /* the document's own name comes around it */
		key = "OciSpecification";
	if (c->depth == 0 && t->type != JSON_OBJECT) {
		c->bad = "it is no object";
		return;
	}
	if (!c->dropped && is_left_out(c, t->path)) {
		if (!opens)
			return;
		c->dropped = c->depth + 1;
	}
	if (opens)
		begin(c, key, t);
	else if (!c->dropped)
		put_scalar(c, key, t);
}

static int put_spec(struct json_out *o, const struct guest *g, const char *id,
	struct err *e)
{
	struct copying c = {.o = o, .g = g, .id = id};
	int r = json_walk(g->spec, g->n_spec, on_token, &c, e);

	if (r < 0)
		return err_prefix(e, "config.json");
	return c.bad ? err_set(e, -EINVAL, "config.json can't be passed on: %s",
			       c.bad)
		     : 0;
}

int lcow_container_document(
	const struct guest *g, const char *id, wchar_t **ret, struct err *e)
{
	struct json_out o = {0};
	char text[512];
	int r;

	json_open(&o, NULL, '{');
	json_text(&o, "Owner", "wisp");
	lcow_put_version(&o);
	json_bool(&o, "ShouldTerminateOnLastHandleClosed", true);
	lcow_vm_id(id, text);
	json_text(&o, "HostingSystemId", text);
	json_open(&o, "HostedSystem", '{');
	lcow_put_version(&o);
	snprintf(text, sizeof(text), "/run/gcs/c/%s", id);
	json_text(&o, "OciBundlePath", text);
	r = put_spec(&o, g, id, e);
	if (r < 0) {
		free(o.data);
		return r;
	}
	snprintf(text, sizeof(text), "/run/gcs/c/%s/scratch/%s", id, id);
	json_text(&o, "ScratchDirPath", text);
	json_close(&o);
	json_close(&o);
	return hcs_document_of(&o, ret, e);
}

/* ---- processes ---- */

int lcow_process_document(const bool pipes[3], const char *process, size_t n,
	wchar_t **ret, struct err *e)
{
	struct json_out o = {0};
	int r = process ? json_check_object(process, n, e) : 0;

	if (r < 0)
		return err_prefix(e, "the process");
	json_open(&o, NULL, '{');
	if (pipes[0])
		json_bool(&o, "CreateStdInPipe", true);
	if (pipes[1])
		json_bool(&o, "CreateStdOutPipe", true);
	if (pipes[2])
		json_bool(&o, "CreateStdErrPipe", true);
	if (process)
		json_raw(&o, "OciProcess", process, n);
	json_close(&o);
	return hcs_document_of(&o, ret, e);
}

/* Those that there are in Linux, real-time ones included. */
#define SIGNAL_MAX 64

int lcow_signal_document(uint32_t signal, wchar_t **ret, struct err *e)
{
	struct json_out o = {0};

	if (signal < 1 || signal > SIGNAL_MAX)
		return err_set(e, -EINVAL, "there is no signal %u", signal);
	json_open(&o, NULL, '{');
	json_number(&o, "Signal", signal);
	json_close(&o);
	return hcs_document_of(&o, ret, e);
}
