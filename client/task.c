/* SPDX-License-Identifier: Apache-2.0 */
#include "client/task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/events.h"
#include "client/handle.h"
#include "client/options.h"
#include "runc_options.pb-c.h"
#include "client/messages.h"

#define PROCESS_URL "types.containerd.io/opencontainers/runtime-spec/1/Process"
#define DETAILS_URL "containerd.runc.v1.ProcessDetails"

static char no_id[] = "";

struct client_task *client_task_new(
	struct client_shim *shim, const struct client_container *k)
{
	struct client_task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->shim = shim;
	t->container = k;
	t->init.task = t;
	t->init.exec_id = no_id;
	list_init(&t->init.link);
	list_init(&t->execs);
	return t;
}

static void forget_stdio(struct client_process *p)
{
	int i;

	for (i = 0; i < CLIENT_PROCESS_PATHS; i++) {
		free(p->stdio[i]);
		p->stdio[i] = NULL;
	}
}

void client_process_free(struct client_process *p)
{
	if (!p || p == &p->task->init)
		return;
	client_call_drop(p->task->shim, p);
	list_del(&p->link);
	forget_stdio(p);
	free(p->exec_id);
	free(p);
}

void client_task_free(struct client_task *t)
{
	struct list *node;

	if (!t)
		return;
	while ((node = list_pop(&t->execs)))
		client_process_free(
			list_entry(node, struct client_process, link));
	client_call_drop(t->shim, &t->init);
	forget_stdio(&t->init);
	free(t);
}

struct client_process *client_task_init(struct client_task *t)
{
	return &t->init;
}

struct client_shim *client_task_shim(const struct client_task *t)
{
	return t->shim;
}

enum client_status client_process_status(const struct client_process *p)
{
	return p->status;
}

uint32_t client_process_pid(const struct client_process *p)
{
	return p->exit.pid;
}

bool client_process_exit(
	const struct client_process *p, struct client_exit *ret)
{
	if (p->status != CLIENT_STOPPED && p->status != CLIENT_GONE)
		return false;
	if (ret)
		*ret = p->exit;
	return true;
}

void client_process_stdio(
	const struct client_process *p, struct client_stdio *ret)
{
	*ret = (struct client_stdio){.in = p->stdio[0],
		.out = p->stdio[1],
		.err = p->stdio[2],
		.terminal = p->terminal};
}

bool client_task_had_oom(const struct client_task *t)
{
	return t->had_oom;
}

/* What is known never goes back: the answer to an earlier call may come after
 * an event that tells more. */
void client_process_learn(struct client_process *p, enum client_status status)
{
	if (p->status == CLIENT_GONE ||
		(p->status == CLIENT_STOPPED && status != CLIENT_GONE))
		return;
	p->status = status;
}

static void learn_exit(struct client_process *p, uint32_t status,
	const Google__Protobuf__Timestamp *at)
{
	if (client_process_exit(p, NULL))
		return;
	p->exit.status = status;
	if (at) {
		p->exit.at.tv_sec = at->seconds;
		p->exit.at.tv_nsec = at->nanos;
	}
	p->status = CLIENT_STOPPED;
}

static struct client_process *process_find(
	struct client_task *t, const char *exec_id)
{
	struct list *node;

	if (!*exec_id)
		return &t->init;
	for (node = t->execs.next; node != &t->execs; node = node->next) {
		struct client_process *p =
			list_entry(node, struct client_process, link);

		if (strcmp(p->exec_id, exec_id) == 0)
			return p;
	}
	return NULL;
}

static void learn_event(struct client_process *p, const struct client_event *ev)
{
	if (ev->pid)
		p->exit.pid = ev->pid;
	switch (ev->type) {
	case CLIENT_EVENT_CREATE:
	case CLIENT_EVENT_EXEC_ADDED:
		client_process_learn(p, CLIENT_CREATED);
		break;
	case CLIENT_EVENT_START:
	case CLIENT_EVENT_EXEC_STARTED:
	case CLIENT_EVENT_RESUMED:
		client_process_learn(p, CLIENT_RUNNING);
		break;
	case CLIENT_EVENT_PAUSED:
		client_process_learn(p, CLIENT_PAUSED);
		break;
	case CLIENT_EVENT_EXIT:
		learn_exit(p, ev->exit_status, NULL);
		p->exit.at = ev->exited_at;
		break;
	case CLIENT_EVENT_OOM:
		p->task->had_oom = true;
		break;
	default:
		break;
	}
}

void client_task_learn(struct client_task *t, const struct client_event *ev)
{
	struct client_process *p;

	if (strcmp(ev->container_id, t->container->id) != 0 ||
		strcmp(ev->ns, t->container->ns) != 0)
		return;
	p = process_find(t, ev->exec_id);
	if (p)
		learn_event(p, ev);
}

int client_process_call(struct client_process *p, struct client_call *call)
{
	call->owner = p;
	return client_call(p->task->shim, call);
}

static int apply_create(const ProtobufCMessage *m, void *owner, void *ret)
{
	const Containerd__Task__V3__CreateTaskResponse *a = (const void *)m;
	struct client_process *p = owner;

	(void)ret;
	p->exit.pid = a->pid;
	client_process_learn(p, CLIENT_CREATED);
	return 0;
}

static char *or_empty(const char *s)
{
	return s ? (char *)s : no_id;
}

int client_task_create(struct client_task *t, const struct client_stdio *io,
	client_cb cb, void *arg)
{
	Containerd__Task__V3__CreateTaskRequest q =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	struct client_call call = {.method = "Create",
		.request = &q.base,
		.apply = apply_create,
		.cb = cb,
		.arg = arg};
	Google__Protobuf__Any *options;
	int r = client_options_new(t->container, &options);

	if (r < 0)
		return r;
	q.id = (char *)t->container->id;
	q.bundle = (char *)t->container->bundle;
	q.checkpoint = or_empty(t->container->checkpoint);
	q.terminal = io->terminal;
	q.stdin = or_empty(io->in);
	q.stdout = or_empty(io->out);
	q.stderr = or_empty(io->err);
	q.options = options;
	r = client_process_call(&t->init, &call);
	client_options_free(options);
	return r;
}

static int apply_pause(const ProtobufCMessage *m, void *owner, void *ret)
{
	(void)m;
	(void)ret;
	client_process_learn(owner, CLIENT_PAUSED);
	return 0;
}

int client_task_pause(struct client_task *t, client_cb cb, void *arg)
{
	Containerd__Task__V3__PauseRequest q =
		CONTAINERD__TASK__V3__PAUSE_REQUEST__INIT;
	struct client_call call = {.method = "Pause",
		.request = &q.base,
		.apply = apply_pause,
		.cb = cb,
		.arg = arg};

	q.id = (char *)t->container->id;
	return client_process_call(&t->init, &call);
}

static int apply_resume(const ProtobufCMessage *m, void *owner, void *ret)
{
	(void)m;
	(void)ret;
	client_process_learn(owner, CLIENT_RUNNING);
	return 0;
}

int client_task_resume(struct client_task *t, client_cb cb, void *arg)
{
	Containerd__Task__V3__ResumeRequest q =
		CONTAINERD__TASK__V3__RESUME_REQUEST__INIT;
	struct client_call call = {.method = "Resume",
		.request = &q.base,
		.apply = apply_resume,
		.cb = cb,
		.arg = arg};

	q.id = (char *)t->container->id;
	return client_process_call(&t->init, &call);
}

/* Which exec a pid is the first process of, if the shim says so. */
static void pid_set_exec(
	struct client_pid *to, const Google__Protobuf__Any *info)
{
	Containerd__Runc__V1__ProcessDetails *d;
	const char *type;

	if (!info)
		return;
	type = strrchr(info->type_url, '/');
	type = type ? type + 1 : info->type_url;
	if (strcmp(type, DETAILS_URL) != 0)
		return;
	d = containerd__runc__v1__process_details__unpack(
		NULL, info->value.len, info->value.data);
	if (!d)
		return;
	snprintf(to->exec_id, sizeof(to->exec_id), "%s", d->exec_id);
	containerd__runc__v1__process_details__free_unpacked(d, NULL);
}

static int apply_pids(const ProtobufCMessage *m, void *owner, void *ret)
{
	const Containerd__Task__V3__PidsResponse *a = (const void *)m;
	struct client_pids *pids = ret;
	size_t i;

	(void)owner;
	pids->pids = calloc(a->n_processes + 1, sizeof(*pids->pids));
	if (!pids->pids)
		return -ENOMEM;
	for (i = 0; i < a->n_processes; i++) {
		pids->pids[i].pid = a->processes[i]->pid;
		pid_set_exec(&pids->pids[i], a->processes[i]->info);
	}
	pids->n = a->n_processes;
	return 0;
}

int client_task_pids(
	struct client_task *t, struct client_pids *ret, client_cb cb, void *arg)
{
	Containerd__Task__V3__PidsRequest q =
		CONTAINERD__TASK__V3__PIDS_REQUEST__INIT;
	struct client_call call = {.method = "Pids",
		.request = &q.base,
		.apply = apply_pids,
		.ret = ret,
		.cb = cb,
		.arg = arg};

	q.id = (char *)t->container->id;
	return client_process_call(&t->init, &call);
}

void client_pids_clear(struct client_pids *p)
{
	free(p->pids);
	*p = (struct client_pids){0};
}

static int apply_exec(const ProtobufCMessage *m, void *owner, void *ret)
{
	(void)m;
	(void)ret;
	client_process_learn(owner, CLIENT_CREATED);
	return 0;
}

static struct client_process *exec_new(
	struct client_task *t, const char *exec_id)
{
	struct client_process *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->task = t;
	list_add_tail(&t->execs, &p->link);
	p->exec_id = strdup(exec_id);
	if (!p->exec_id) {
		client_process_free(p);
		return NULL;
	}
	return p;
}

struct client_process *client_task_process(
	struct client_task *t, const char *exec_id)
{
	struct client_process *p;

	if (!*exec_id)
		return &t->init;
	p = process_find(t, exec_id);
	return p ? p : exec_new(t, exec_id);
}

int client_task_exec(struct client_task *t, const char *exec_id,
	const char *spec, const struct client_stdio *io, client_cb cb,
	void *arg, struct client_process **ret)
{
	Containerd__Task__V3__ExecProcessRequest q =
		CONTAINERD__TASK__V3__EXEC_PROCESS_REQUEST__INIT;
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
	struct client_call call = {.method = "Exec",
		.request = &q.base,
		.apply = apply_exec,
		.cb = cb,
		.arg = arg};
	struct client_process *p = exec_new(t, exec_id);
	int r;

	if (!p)
		return -ENOMEM;
	any.type_url = PROCESS_URL;
	any.value.data = (uint8_t *)spec;
	any.value.len = strlen(spec);
	q.id = (char *)t->container->id;
	q.exec_id = p->exec_id;
	q.terminal = io->terminal;
	q.stdin = or_empty(io->in);
	q.stdout = or_empty(io->out);
	q.stderr = or_empty(io->err);
	q.spec = &any;
	r = client_process_call(p, &call);
	if (r < 0)
		client_process_free(p);
	else
		*ret = p;
	return r;
}

static int apply_start(const ProtobufCMessage *m, void *owner, void *ret)
{
	const Containerd__Task__V3__StartResponse *a = (const void *)m;
	struct client_process *p = owner;

	(void)ret;
	p->exit.pid = a->pid;
	client_process_learn(p, CLIENT_RUNNING);
	return 0;
}

int client_process_start(struct client_process *p, client_cb cb, void *arg)
{
	Containerd__Task__V3__StartRequest q =
		CONTAINERD__TASK__V3__START_REQUEST__INIT;
	struct client_call call = {.method = "Start",
		.request = &q.base,
		.apply = apply_start,
		.cb = cb,
		.arg = arg};

	q.id = (char *)p->task->container->id;
	q.exec_id = p->exec_id;
	return client_process_call(p, &call);
}

int client_process_kill(struct client_process *p, uint32_t signal, bool all,
	client_cb cb, void *arg)
{
	Containerd__Task__V3__KillRequest q =
		CONTAINERD__TASK__V3__KILL_REQUEST__INIT;
	struct client_call call = {
		.method = "Kill", .request = &q.base, .cb = cb, .arg = arg};

	q.id = (char *)p->task->container->id;
	q.exec_id = p->exec_id;
	q.signal = signal;
	q.all = all;
	return client_process_call(p, &call);
}

static int apply_wait(const ProtobufCMessage *m, void *owner, void *ret)
{
	const Containerd__Task__V3__WaitResponse *a = (const void *)m;

	(void)ret;
	learn_exit(owner, a->exit_status, a->exited_at);
	return 0;
}

int client_process_wait(struct client_process *p, client_cb cb, void *arg)
{
	Containerd__Task__V3__WaitRequest q =
		CONTAINERD__TASK__V3__WAIT_REQUEST__INIT;
	struct client_call call = {.method = "Wait",
		.request = &q.base,
		.owner = p,
		.apply = apply_wait,
		.cb = cb,
		.arg = arg};

	if (client_process_exit(p, NULL))
		return client_call_known(p->task->shim, &call);
	q.id = (char *)p->task->container->id;
	q.exec_id = p->exec_id;
	return client_process_call(p, &call);
}

static int apply_delete(const ProtobufCMessage *m, void *owner, void *ret)
{
	const Containerd__Task__V3__DeleteResponse *a = (const void *)m;
	struct client_process *p = owner;

	(void)ret;
	learn_exit(p, a->exit_status, a->exited_at);
	p->status = CLIENT_GONE;
	return 0;
}

int client_process_delete(struct client_process *p, client_cb cb, void *arg)
{
	Containerd__Task__V3__DeleteRequest q =
		CONTAINERD__TASK__V3__DELETE_REQUEST__INIT;
	struct client_call call = {.method = "Delete",
		.request = &q.base,
		.apply = apply_delete,
		.cb = cb,
		.arg = arg};

	q.id = (char *)p->task->container->id;
	q.exec_id = p->exec_id;
	return client_process_call(p, &call);
}

static void send_size(struct client_process *p);

static void on_size(const struct err *e, void *arg)
{
	struct client_process *p = arg;

	(void)e;
	p->size.under_way = false;
	if (p->size.wanted)
		send_size(p);
}

static void send_size(struct client_process *p)
{
	Containerd__Task__V3__ResizePtyRequest q =
		CONTAINERD__TASK__V3__RESIZE_PTY_REQUEST__INIT;
	struct client_call call = {.method = "ResizePty",
		.request = &q.base,
		.cb = on_size,
		.arg = p};

	q.id = (char *)p->task->container->id;
	q.exec_id = p->exec_id;
	q.width = p->size.width;
	q.height = p->size.height;
	p->size.wanted = false;
	p->size.under_way = client_process_call(p, &call) == 0;
}

void client_process_set_size(
	struct client_process *p, uint32_t width, uint32_t height)
{
	p->size.width = width;
	p->size.height = height;
	p->size.wanted = true;
	if (!p->size.under_way)
		send_size(p);
}

int client_process_close_stdin(
	struct client_process *p, client_cb cb, void *arg)
{
	Containerd__Task__V3__CloseIORequest q =
		CONTAINERD__TASK__V3__CLOSE_IOREQUEST__INIT;
	struct client_call call = {
		.method = "CloseIO", .request = &q.base, .cb = cb, .arg = arg};

	q.id = (char *)p->task->container->id;
	q.exec_id = p->exec_id;
	q.stdin = true;
	return client_process_call(p, &call);
}

static int learn_stdio(
	struct client_process *p, const Containerd__Task__V3__StateResponse *a)
{
	const char *const said[CLIENT_PROCESS_PATHS] = {
		a->stdin, a->stdout, a->stderr};
	int i;

	forget_stdio(p);
	p->terminal = a->terminal;
	for (i = 0; i < CLIENT_PROCESS_PATHS; i++) {
		if (!*said[i])
			continue;
		p->stdio[i] = strdup(said[i]);
		if (!p->stdio[i])
			return -ENOMEM;
	}
	return 0;
}

static int apply_state(const ProtobufCMessage *m, void *owner, void *ret)
{
	const Containerd__Task__V3__StateResponse *a = (const void *)m;
	struct client_process *p = owner;

	(void)ret;
	if (a->pid)
		p->exit.pid = a->pid;
	if ((enum client_status)a->status == CLIENT_STOPPED)
		learn_exit(p, a->exit_status, a->exited_at);
	else
		client_process_learn(p, (enum client_status)a->status);
	return learn_stdio(p, a);
}

int client_process_refresh(struct client_process *p, client_cb cb, void *arg)
{
	Containerd__Task__V3__StateRequest q =
		CONTAINERD__TASK__V3__STATE_REQUEST__INIT;
	struct client_call call = {.method = "State",
		.request = &q.base,
		.apply = apply_state,
		.cb = cb,
		.arg = arg};

	q.id = (char *)p->task->container->id;
	q.exec_id = p->exec_id;
	return client_process_call(p, &call);
}

int client_task_attach(struct client_shim *shim,
	const struct client_container *k, client_cb cb, void *arg,
	struct client_task **ret)
{
	struct client_task *t = client_task_new(shim, k);
	int r;

	if (!t)
		return -ENOMEM;
	r = client_process_refresh(&t->init, cb, arg);
	if (r < 0)
		client_task_free(t);
	else
		*ret = t;
	return r;
}
