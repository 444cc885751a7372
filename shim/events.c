/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/events.h"

#include "platform/auto.h"
#include "shim/publish.h"

static void set_time(Timestamp *ts, const struct timespec *at)
{
	ts->seconds = at->tv_sec;
	ts->nanos = (int32_t)at->tv_nsec;
}

static void queue_event(struct task *t, const char *topic,
	const char *type_name, const ProtobufCMessage *m)
{
	publisher_send(task_config(t)->publisher, topic, type_name, m);
}

struct publisher_event *events_prepare_create(
	struct task *t, const CreateRequest *rq)
{
	Containerd__Events__TaskCreate ev =
		CONTAINERD__EVENTS__TASK_CREATE__INIT;
	Containerd__Events__TaskIO io = CONTAINERD__EVENTS__TASK_IO__INIT;

	io.stdin = t->init.in;
	io.stdout = t->init.out;
	io.stderr = t->init.err;
	io.terminal = t->init.terminal;
	ev.container_id = t->id;
	ev.bundle = t->bundle.dir;
	ev.n_rootfs = rq->n_rootfs;
	ev.rootfs = rq->rootfs;
	ev.io = &io;
	ev.checkpoint = t->checkpoint ? t->checkpoint : (char *)"";
	return publisher_reserve(&ev.base, 16);
}

void events_create(struct task *t)
{
	Containerd__Events__TaskCreate ev =
		CONTAINERD__EVENTS__TASK_CREATE__INIT;

	ev.pid = (uint32_t)t->init.pid;
	publisher_send_reserved(task_config(t)->publisher,
		ptr_take(&t->create_room), "/tasks/create",
		"containerd.events.TaskCreate", &ev.base);
}

static void events_exec_started(struct proc *p)
{
	Containerd__Events__TaskExecStarted ev =
		CONTAINERD__EVENTS__TASK_EXEC_STARTED__INIT;

	ev.container_id = p->task->id;
	ev.exec_id = p->id;
	ev.pid = (uint32_t)p->pid;
	queue_event(p->task, "/tasks/exec-started",
		"containerd.events.TaskExecStarted", &ev.base);
}

void events_start(struct proc *p)
{
	Containerd__Events__TaskStart ev = CONTAINERD__EVENTS__TASK_START__INIT;

	if (!proc_is_init(p)) {
		events_exec_started(p);
		return;
	}
	ev.container_id = p->task->id;
	ev.pid = (uint32_t)p->pid;
	queue_event(p->task, "/tasks/start", "containerd.events.TaskStart",
		&ev.base);
}

void events_exec_added(struct proc *p)
{
	Containerd__Events__TaskExecAdded ev =
		CONTAINERD__EVENTS__TASK_EXEC_ADDED__INIT;

	ev.container_id = p->task->id;
	ev.exec_id = p->id;
	queue_event(p->task, "/tasks/exec-added",
		"containerd.events.TaskExecAdded", &ev.base);
}

void events_exit(struct proc *p)
{
	Containerd__Events__TaskExit ev = CONTAINERD__EVENTS__TASK_EXIT__INIT;
	Timestamp ts = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

	set_time(&ts, &p->exited_at);
	ev.container_id = p->task->id;
	ev.id = proc_is_init(p) ? p->task->id : p->id;
	ev.pid = (uint32_t)p->pid;
	ev.exit_status = p->status;
	ev.exited_at = &ts;
	publisher_send_reserved(task_config(p->task)->publisher,
		ptr_take(&p->exit_room), "/tasks/exit",
		"containerd.events.TaskExit", &ev.base);
}

void events_oom(struct task *t)
{
	Containerd__Events__TaskOOM ev = CONTAINERD__EVENTS__TASK_OOM__INIT;

	ev.container_id = t->id;
	queue_event(t, "/tasks/oom", "containerd.events.TaskOOM", &ev.base);
}

void events_paused(struct task *t)
{
	Containerd__Events__TaskPaused ev =
		CONTAINERD__EVENTS__TASK_PAUSED__INIT;

	ev.container_id = t->id;
	queue_event(
		t, "/tasks/paused", "containerd.events.TaskPaused", &ev.base);
}

void events_resumed(struct task *t)
{
	Containerd__Events__TaskResumed ev =
		CONTAINERD__EVENTS__TASK_RESUMED__INIT;

	ev.container_id = t->id;
	queue_event(
		t, "/tasks/resumed", "containerd.events.TaskResumed", &ev.base);
}

void events_checkpointed(struct task *t, const char *image)
{
	Containerd__Events__TaskCheckpointed ev =
		CONTAINERD__EVENTS__TASK_CHECKPOINTED__INIT;

	ev.container_id = t->id;
	ev.checkpoint = (char *)image;
	queue_event(t, "/tasks/checkpointed",
		"containerd.events.TaskCheckpointed", &ev.base);
}

void events_delete(struct task *t)
{
	Containerd__Events__TaskDelete ev =
		CONTAINERD__EVENTS__TASK_DELETE__INIT;
	Timestamp ts = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

	set_time(&ts, &t->init.exited_at);
	ev.container_id = t->id;
	ev.pid = (uint32_t)t->init.pid;
	ev.exit_status = t->init.status;
	ev.exited_at = &ts;
	queue_event(
		t, "/tasks/delete", "containerd.events.TaskDelete", &ev.base);
}
