/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/rpc.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "shim/task.h"

static const struct {
	int err;
	enum ttrpc_code code;
} codes[] = {
	{-EINVAL, TTRPC_INVALID_ARGUMENT},
	{-ENAMETOOLONG, TTRPC_INVALID_ARGUMENT},
	{-ENOTDIR, TTRPC_INVALID_ARGUMENT},
	{-E2BIG, TTRPC_INVALID_ARGUMENT},
	{-EFBIG, TTRPC_INVALID_ARGUMENT},
	{-ENOENT, TTRPC_NOT_FOUND},
	{-ESRCH, TTRPC_NOT_FOUND},
	{-EEXIST, TTRPC_ALREADY_EXISTS},
	{-EBUSY, TTRPC_FAILED_PRECONDITION},
	{-EACCES, TTRPC_PERMISSION_DENIED},
	{-EPERM, TTRPC_PERMISSION_DENIED},
	{-ENOSYS, TTRPC_UNIMPLEMENTED},
	{-ENOMEM, TTRPC_RESOURCE_EXHAUSTED},
	{-EMFILE, TTRPC_RESOURCE_EXHAUSTED},
	{-ENFILE, TTRPC_RESOURCE_EXHAUSTED},
	{-ETIMEDOUT, TTRPC_DEADLINE_EXCEEDED},
	{-ECANCELED, TTRPC_CANCELED},
};

enum ttrpc_code rpc_code(int err)
{
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].err == err)
			return codes[i].code;
	return TTRPC_UNKNOWN;
}

/* A call that is answered later. */
struct pending {
	struct ttrpc_call *call;
	struct proc *proc; /* borrowed; valid while it is listed there */
	struct waiter waiter;
};

static void fail(struct ttrpc_call *call, const struct err *e)
{
	ttrpc_call_fail(call, rpc_code(e->code), e->msg);
}

static void reply_empty(struct ttrpc_call *call)
{
	Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;

	ttrpc_call_reply(call, &empty.base);
}

static struct tasks *tasks_of(void *arg)
{
	return ((struct rpc_config *)arg)->tasks;
}

/* The process that a request names; answers the call and gives NULL if there
 * is none. */
static struct proc *find(
	struct ttrpc_call *call, void *arg, const char *id, const char *exec_id)
{
	struct proc *p;
	struct err e;

	if (tasks_find(tasks_of(arg), id, exec_id, &p, &e) == 0)
		return p;
	fail(call, &e);
	return NULL;
}

static struct pending *pend(struct ttrpc_call *call, struct proc *p)
{
	struct pending *w = calloc(1, sizeof(*w));

	if (w) {
		w->call = call;
		w->proc = p;
		w->waiter.arg = w;
		return w;
	}
	ttrpc_call_fail(call, TTRPC_RESOURCE_EXHAUSTED, "no memory");
	return NULL;
}

static void set_time(Timestamp *ts, const struct timespec *at)
{
	ts->seconds = at->tv_sec;
	ts->nanos = (int32_t)at->tv_nsec;
}

static void rpc_state(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Containerd__Task__V3__StateRequest *rq = (const void *)m;
	Containerd__Task__V3__StateResponse rs =
		CONTAINERD__TASK__V3__STATE_RESPONSE__INIT;
	Timestamp ts = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	struct proc *p = find(call, arg, rq->id, rq->exec_id);

	if (!p)
		return;
	rs.id = p->task->id;
	rs.exec_id = p->id;
	rs.bundle = p->task->bundle.dir;
	rs.pid = (uint32_t)p->pid;
	rs.status = (Containerd__V1__Types__Status)state_status(p->state);
	rs.stdin = p->in;
	rs.stdout = p->out;
	rs.stderr = p->err;
	rs.terminal = p->terminal;
	if (p->exited) {
		rs.exit_status = p->status;
		set_time(&ts, &p->exited_at);
		rs.exited_at = &ts;
	}
	ttrpc_call_reply(call, &rs.base);
}

static void created(int r, const struct err *e, void *arg)
{
	struct pending *w = arg;
	Containerd__Task__V3__CreateTaskResponse rs =
		CONTAINERD__TASK__V3__CREATE_TASK_RESPONSE__INIT;
	struct proc *p;

	if (r == 0) {
		tasks_find(w->waiter.arg, (const char *)(w + 1), "", &p, NULL);
		rs.pid = (uint32_t)p->pid;
		ttrpc_call_reply(w->call, &rs.base);
	} else {
		fail(w->call, e);
	}
	free(w);
}

/* The task does not exist yet, so its name is kept behind the pending call. */
static void rpc_create(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const CreateRequest *rq = (const void *)m;
	size_t n = strlen(rq->id) + 1;
	struct pending *w = calloc(1, sizeof(*w) + n);
	struct err e;

	if (!w) {
		ttrpc_call_fail(call, TTRPC_RESOURCE_EXHAUSTED, "no memory");
		return;
	}
	w->call = call;
	w->waiter.arg = tasks_of(arg);
	memcpy(w + 1, rq->id, n);
	if (task_create(tasks_of(arg), rq, created, w, &e) < 0) {
		fail(call, &e);
		free(w);
	}
}

static void started(int r, const struct err *e, void *arg)
{
	struct pending *w = arg;
	Containerd__Task__V3__StartResponse rs =
		CONTAINERD__TASK__V3__START_RESPONSE__INIT;

	if (r == 0) {
		rs.pid = (uint32_t)w->proc->pid;
		ttrpc_call_reply(w->call, &rs.base);
	} else {
		fail(w->call, e);
	}
	free(w);
}

static void rpc_start(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Containerd__Task__V3__StartRequest *rq = (const void *)m;
	struct proc *p = find(call, arg, rq->id, rq->exec_id);
	struct pending *w = p ? pend(call, p) : NULL;
	struct err e;

	if (w && proc_start(p, started, w, &e) < 0) {
		fail(call, &e);
		free(w);
	}
}

static void reply_deleted(struct ttrpc_call *call, int64_t pid, uint32_t status,
	const struct timespec *at)
{
	Containerd__Task__V3__DeleteResponse rs =
		CONTAINERD__TASK__V3__DELETE_RESPONSE__INIT;
	Timestamp ts = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

	set_time(&ts, at);
	rs.pid = (uint32_t)pid;
	rs.exit_status = status;
	rs.exited_at = &ts;
	ttrpc_call_reply(call, &rs.base);
}

static void deleted(int r, const struct err *e, void *arg)
{
	struct pending *w = arg;
	struct proc *p = w->proc;

	if (r < 0)
		fail(w->call, e);
	else
		reply_deleted(w->call, p->pid, p->status, &p->exited_at);
	free(w);
}

static void rpc_delete(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Containerd__Task__V3__DeleteRequest *rq = (const void *)m;
	struct obituary o;
	struct pending *w;
	struct proc *p;
	struct err e;

	if (tasks_find(tasks_of(arg), rq->id, rq->exec_id, &p, &e) < 0) {
		if (tasks_recall(tasks_of(arg), rq->id, rq->exec_id, &o))
			reply_deleted(call, o.pid, o.status, &o.exited_at);
		else
			fail(call, &e);
		return;
	}
	w = pend(call, p);
	if (!w)
		return;
	w->waiter.cb = deleted;
	if (proc_delete(p, &w->waiter, &e) < 0) {
		fail(call, &e);
		free(w);
	}
}

struct pid_list {
	Containerd__V1__Types__ProcessInfo **infos;
	size_t n, room;
	struct runtime_details *details;
	bool no_memory;
};

static void info_free(Containerd__V1__Types__ProcessInfo *info)
{
	if (info && info->info) {
		free(info->info->value.data);
		free(info->info);
	}
	free(info);
}

static bool pid_list_grow(struct pid_list *l)
{
	size_t room = l->room ? 2 * l->room : 16;
	void *more;

	if (l->n < l->room)
		return true;
	more = realloc(l->infos, room * sizeof(*l->infos));
	if (!more)
		return false;
	l->infos = more;
	l->room = room;
	return true;
}

static void add_pid(int64_t pid, const char *exec_id, void *arg)
{
	struct pid_list *l = arg;
	Containerd__V1__Types__ProcessInfo *info = malloc(sizeof(*info));

	if (!info || !pid_list_grow(l)) {
		free(info);
		l->no_memory = true;
		return;
	}
	containerd__v1__types__process_info__init(info);
	info->pid = (uint32_t)pid;
	l->infos[l->n++] = info;
	l->no_memory |=
		runtime_describe(pid, exec_id, &l->details, &info->info) < 0;
}

static void reply_pids(struct ttrpc_call *call, struct task *t)
{
	Containerd__Task__V3__PidsResponse rs =
		CONTAINERD__TASK__V3__PIDS_RESPONSE__INIT;
	struct pid_list l = {0};
	size_t i;

	l.no_memory |= task_each_pid(t, add_pid, &l) < 0;
	rs.n_processes = l.n;
	rs.processes = l.infos;
	if (l.no_memory)
		ttrpc_call_fail(call, TTRPC_RESOURCE_EXHAUSTED, "no memory");
	else
		ttrpc_call_reply(call, &rs.base);
	for (i = 0; i < l.n; i++)
		info_free(l.infos[i]);
	free(l.infos);
	runtime_free_details(l.details);
}

/* A question about a task whose answer may take its time. */
struct looking {
	struct ttrpc_call *call;
	struct task *task;
	void (*reply)(struct ttrpc_call *call, struct task *t);
};

static void looked(int r, const struct err *e, void *arg)
{
	struct looking l = *(struct looking *)arg;

	free(arg);
	if (r < 0)
		fail(l.call, e);
	else
		l.reply(l.call, l.task);
}

static void look(struct ttrpc_call *call, struct task *t,
	void (*reply)(struct ttrpc_call *call, struct task *t))
{
	struct looking *l = malloc(sizeof(*l));
	struct err e;

	if (!l) {
		ttrpc_call_fail(call, TTRPC_RESOURCE_EXHAUSTED, "no memory");
		return;
	}
	*l = (struct looking){call, t, reply};
	if (task_refresh(t, looked, l, &e) < 0) {
		fail(call, &e);
		free(l);
	}
}

static void rpc_pids(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Containerd__Task__V3__PidsRequest *rq = (const void *)m;
	struct proc *p = find(call, arg, rq->id, "");

	if (p)
		look(call, p->task, reply_pids);
}

/* For calls whose answer is Empty: the call is all there is to keep. */
static void done_empty(int r, const struct err *e, void *arg)
{
	if (r < 0)
		fail(arg, e);
	else
		reply_empty(arg);
}

static void rpc_pause(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Containerd__Task__V3__PauseRequest *rq = (const void *)m;
	struct proc *p = find(call, arg, rq->id, "");
	struct err e;

	if (p && task_pause(p->task, done_empty, call, &e) < 0)
		fail(call, &e);
}

static void rpc_resume(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Containerd__Task__V3__ResumeRequest *rq = (const void *)m;
	struct proc *p = find(call, arg, rq->id, "");
	struct err e;

	if (p && task_resume(p->task, done_empty, call, &e) < 0)
		fail(call, &e);
}

static void rpc_update(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const UpdateRequest *rq = (const void *)m;
	struct proc *p = find(call, arg, rq->id, "");
	struct err e;

	if (p && task_update(p->task, rq, done_empty, call, &e) < 0)
		fail(call, &e);
}

static void rpc_checkpoint(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const CheckpointRequest *rq = (const void *)m;
	struct proc *p = find(call, arg, rq->id, "");
	struct err e;

	if (p && task_checkpoint(p->task, rq, done_empty, call, &e) < 0)
		fail(call, &e);
}

static void reply_stats(struct ttrpc_call *call, struct task *t)
{
	Containerd__Task__V3__StatsResponse rs =
		CONTAINERD__TASK__V3__STATS_RESPONSE__INIT;
	Any stats = GOOGLE__PROTOBUF__ANY__INIT;
	struct err e;

	if (task_stats(t, &stats, &e) < 0) {
		fail(call, &e);
		return;
	}
	rs.stats = &stats;
	ttrpc_call_reply(call, &rs.base);
}

static void rpc_stats(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Containerd__Task__V3__StatsRequest *rq = (const void *)m;
	struct proc *p = find(call, arg, rq->id, "");

	if (p)
		look(call, p->task, reply_stats);
}

static void rpc_kill(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Containerd__Task__V3__KillRequest *rq = (const void *)m;
	struct proc *p = find(call, arg, rq->id, rq->exec_id);
	struct err e;

	if (p && proc_kill(p, rq->signal, rq->all, done_empty, call, &e) < 0)
		fail(call, &e);
}

static void rpc_exec(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const ExecRequest *rq = (const void *)m;
	struct proc *p = find(call, arg, rq->id, "");
	struct err e;

	if (!p)
		return;
	if (task_add_exec(p->task, rq, &e) < 0)
		fail(call, &e);
	else
		reply_empty(call);
}

static void rpc_resize_pty(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Containerd__Task__V3__ResizePtyRequest *rq = (const void *)m;
	struct proc *p = find(call, arg, rq->id, rq->exec_id);
	struct err e;

	if (!p)
		return;
	if (proc_resize(p, rq->width, rq->height, &e) < 0)
		fail(call, &e);
	else
		reply_empty(call);
}

static void rpc_close_io(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Containerd__Task__V3__CloseIORequest *rq = (const void *)m;
	struct proc *p = find(call, arg, rq->id, rq->exec_id);

	if (!p)
		return;
	if (rq->stdin)
		proc_close_stdin(p);
	reply_empty(call);
}

static void waited(int r, const struct err *e, void *arg)
{
	struct pending *w = arg;
	Containerd__Task__V3__WaitResponse rs =
		CONTAINERD__TASK__V3__WAIT_RESPONSE__INIT;
	Timestamp ts = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

	if (r < 0) {
		fail(w->call, e);
	} else {
		set_time(&ts, &w->proc->exited_at);
		rs.exit_status = w->proc->status;
		rs.exited_at = &ts;
		ttrpc_call_reply(w->call, &rs.base);
	}
	free(w);
}

static void wait_canceled(struct ttrpc_call *call, void *arg)
{
	struct pending *w = arg;

	proc_unwait(w->proc, &w->waiter);
	free(w);
	ttrpc_call_fail(call, TTRPC_CANCELED, "wait was canceled");
}

static void rpc_wait(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Containerd__Task__V3__WaitRequest *rq = (const void *)m;
	struct proc *p = find(call, arg, rq->id, rq->exec_id);
	struct pending *w = p ? pend(call, p) : NULL;

	if (!w)
		return;
	w->waiter.cb = waited;
	ttrpc_call_on_cancel(call, wait_canceled, w);
	proc_wait(p, &w->waiter);
}

static void rpc_connect(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Containerd__Task__V3__ConnectRequest *rq = (const void *)m;
	Containerd__Task__V3__ConnectResponse rs =
		CONTAINERD__TASK__V3__CONNECT_RESPONSE__INIT;
	struct proc *p = NULL;

	tasks_find(tasks_of(arg), rq->id, "", &p, NULL);
	rs.shim_pid = (uint32_t)getpid();
	rs.task_pid = p ? (uint32_t)p->pid : 0;
	rs.version = (char *)WISP_VERSION;
	ttrpc_call_reply(call, &rs.base);
}

static void rpc_shutdown(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	struct rpc_config *config = arg;

	(void)m;
	reply_empty(call);
	if (tasks_count(config->tasks) == 0)
		config->shutdown(config->arg);
}

/* In the order of the service in task.proto; NULL is Unimplemented. */
static const ttrpc_handler handlers[] = {
	rpc_state,
	rpc_create,
	rpc_start,
	rpc_delete,
	rpc_pids,
	rpc_pause,
	rpc_resume,
	rpc_checkpoint,
	rpc_kill,
	rpc_exec,
	rpc_resize_pty,
	rpc_close_io,
	rpc_update,
	rpc_wait,
	rpc_stats,
	rpc_connect,
	rpc_shutdown,
};

int rpc_register(struct ttrpc_server *server, struct rpc_config *config)
{
	int r = ttrpc_server_add(server, "containerd.task.v2.Task",
		&containerd__task__v3__task__descriptor, handlers, config);

	return r < 0 ? r
		     : ttrpc_server_add(server, "containerd.task.v3.Task",
			       &containerd__task__v3__task__descriptor,
			       handlers, config);
}
