/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/port.h"

#include <event2/event.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>

struct port_loop {
	struct port_loop *next;
	struct event_base *base; /* borrowed */
	unsigned refs;
	evutil_socket_t pair[2]; /* the loop reads from the first */
	struct event *ev;
	struct port_op *done, **tail; /* oldest first */
	bool woken, unheard;          /* the byte has been sent; could not be */
};

/* The port belongs to the process as a whole, as its descriptors' table does
 * on Linux. The lock is for what both threads touch: the lists of the loops
 * and the state of operations. */
static HANDLE port;
static SRWLOCK lock = SRWLOCK_INIT;
static struct port_loop *loops;

/* A job's messages have their job's number for a key: a pointer would still
 * come when what it points to is gone. */
struct job_watch {
	struct job_watch *next;
	ULONG_PTR key;
	port_said said;
	void *arg;
};

#define FIRST_JOB 16
static SRWLOCK job_lock = SRWLOCK_INIT; /* held while said() runs */
static struct job_watch *job_watches;

/* Posted ones carry their own error, as PostQueuedCompletionStatus() has no
 * room for one. */
#define POSTED 1

/* libevent's type is signed, the system's is not. */
#define NO_SOCKET ((evutil_socket_t)-1)

/* The system may be short of memory for a byte: the port's thread tries again.
 */
#define WAKE_AGAIN_MS 20

static void wake(struct port_loop *loop)
{
	if (!loop->woken)
		loop->woken = send(loop->pair[1], "", 1, 0) == 1;
	loop->unheard = !loop->woken;
}

/* How long the port's thread may sleep. */
static DWORD wake_again(void)
{
	struct port_loop *loop;
	DWORD ms = INFINITE;

	AcquireSRWLockExclusive(&lock);
	for (loop = loops; loop; loop = loop->next) {
		if (loop->unheard)
			wake(loop);
		if (loop->unheard)
			ms = WAKE_AGAIN_MS;
	}
	ReleaseSRWLockExclusive(&lock);
	return ms;
}

static void take(struct port_op *op)
{
	op->state = PORT_DONE;
	op->next = NULL;
	*op->loop->tail = op;
	op->loop->tail = &op->next;
	wake(op->loop);
}

/* There is no operation then: ov is a pid. */
static void job_message(ULONG_PTR key, DWORD message, OVERLAPPED *ov)
{
	struct job_watch *w;

	AcquireSRWLockShared(&job_lock);
	for (w = job_watches; w; w = w->next)
		if (w->key == key)
			w->said(message, (DWORD)(uintptr_t)ov, w->arg);
	ReleaseSRWLockShared(&job_lock);
}

static DWORD WINAPI port_thread(void *unused)
{
	(void)unused;
	for (;;) {
		OVERLAPPED *ov = NULL;
		ULONG_PTR key = 0;
		DWORD n = 0;
		BOOL fine = GetQueuedCompletionStatus(
			port, &n, &key, &ov, wake_again());
		DWORD error = fine ? 0 : GetLastError();
		struct port_op *op = (struct port_op *)ov;
		bool gone;

		if (key >= FIRST_JOB)
			job_message(key, n, ov);
		if (!op || key >= FIRST_JOB)
			continue;
		AcquireSRWLockExclusive(&lock);
		if (key != POSTED) {
			op->error = error;
			op->n = n;
		}
		gone = op->abandoned;
		if (!gone)
			take(op);
		ReleaseSRWLockExclusive(&lock);
		if (gone)
			free(op);
	}
	return 0;
}

/* libevent uses sockets from event_base_new() on, and leaves this to others. */
__attribute__((constructor)) static void winsock_open(void)
{
	WSADATA wsa;

	WSAStartup(MAKEWORD(2, 2), &wsa); /* what needs it tells */
}

/* In a loop's thread; the first one makes the port. */
static int port_open(void)
{
	HANDLE thread;

	if (port)
		return 0;
	port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
	if (!port)
		return win_last();
	/* room for what others run in each new thread (antivirus, hooks) */
	thread = CreateThread(NULL, 256 * 1024, port_thread, NULL,
		STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
	if (!thread) {
		int r = win_last();

		handle_close(&port);
		return r;
	}
	CloseHandle(thread);
	return 0;
}

static struct port_op *pop(struct port_loop *loop)
{
	struct port_op *op;

	AcquireSRWLockExclusive(&lock);
	op = loop->done;
	if (op) {
		loop->done = op->next;
		if (!loop->done)
			loop->tail = &loop->done;
		op->state = PORT_IDLE;
	}
	ReleaseSRWLockExclusive(&lock);
	return op;
}

static void loop_woken(evutil_socket_t fd, short what, void *arg)
{
	struct port_loop *loop = arg;
	struct port_op *op;
	char byte[16];

	(void)what;
	AcquireSRWLockExclusive(&lock);
	recv(fd, byte, sizeof(byte), 0);
	loop->woken = false;
	ReleaseSRWLockExclusive(&lock);
	loop->refs++; /* the last user may leave in here */
	while ((op = pop(loop)))
		op->done(op);
	port_loop_put(loop);
}

static int loop_open(struct port_loop *loop)
{
	/* all that libevent asks of the system for a pair: two sockets over
	 * the loopback device */
	if (evutil_socketpair(AF_INET, SOCK_STREAM, 0, loop->pair) < 0) {
		loop->pair[0] = loop->pair[1] = NO_SOCKET;
		return -EMFILE;
	}
	evutil_make_socket_nonblocking(loop->pair[0]);
	evutil_make_socket_nonblocking(loop->pair[1]);
	loop->ev = event_new(loop->base, loop->pair[0], EV_READ | EV_PERSIST,
		loop_woken, loop);
	return loop->ev && event_add(loop->ev, NULL) == 0 ? 0 : -ENOMEM;
}

static void loop_free(struct port_loop *loop)
{
	int i;

	if (loop->ev)
		event_free(loop->ev);
	for (i = 0; i < 2; i++)
		if (loop->pair[i] != NO_SOCKET)
			evutil_closesocket(loop->pair[i]);
	free(loop);
}

int port_loop_get(struct event_base *base, struct port_loop **ret)
{
	struct port_loop *loop;
	int r = port_open();

	if (r < 0)
		return r;
	for (loop = loops; loop; loop = loop->next) {
		if (loop->base != base)
			continue;
		loop->refs++;
		*ret = loop;
		return 0;
	}
	loop = calloc(1, sizeof(*loop));
	if (!loop)
		return -ENOMEM;
	loop->base = base;
	loop->refs = 1;
	loop->tail = &loop->done;
	loop->pair[0] = loop->pair[1] = NO_SOCKET;
	r = loop_open(loop);
	if (r < 0) {
		loop_free(loop);
		return r;
	}
	AcquireSRWLockExclusive(&lock);
	loop->next = loops;
	loops = loop;
	ReleaseSRWLockExclusive(&lock);
	*ret = loop;
	return 0;
}

void port_loop_put(struct port_loop *loop)
{
	struct port_loop **at = &loops;

	if (!loop || --loop->refs > 0)
		return;
	AcquireSRWLockExclusive(&lock);
	while (*at != loop)
		at = &(*at)->next;
	*at = loop->next;
	ReleaseSRWLockExclusive(&lock);
	loop_free(loop);
}

int port_attach(HANDLE h, bool *ret_skip)
{
	if (!CreateIoCompletionPort(h, port, 0, 0))
		return win_last();
	*ret_skip = SetFileCompletionNotificationModes(
		h, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
	return 0;
}

void port_begin(struct port_op *op)
{
	memset(&op->ov, 0, sizeof(op->ov));
	op->state = PORT_PENDING;
}

void port_ended(struct port_op *op)
{
	op->state = PORT_IDLE;
}

void port_post(struct port_op *op, DWORD error)
{
	op->error = error;
	op->n = 0;
	if (!PostQueuedCompletionStatus(port, 0, POSTED, &op->ov)) {
		/* out of memory: the list needs none */
		AcquireSRWLockExclusive(&lock);
		take(op);
		ReleaseSRWLockExclusive(&lock);
	}
}

static void unlink_done(struct port_op *op)
{
	struct port_op **at = &op->loop->done;

	while (*at != op)
		at = &(*at)->next;
	*at = op->next;
	if (!*at)
		op->loop->tail = at;
}

void port_abandon(struct port_op *op, HANDLE h)
{
	bool mine;

	if (!op)
		return;
	AcquireSRWLockExclusive(&lock);
	if (op->state == PORT_DONE)
		unlink_done(op);
	mine = op->state != PORT_PENDING;
	op->abandoned = true;
	if (!mine && handle_is(h))
		CancelIoEx(h, &op->ov);
	ReleaseSRWLockExclusive(&lock);
	if (mine)
		free(op);
}

int port_watch_job(HANDLE job, port_said said, void *arg, ULONG_PTR *ret_key)
{
	static ULONG_PTR last = FIRST_JOB;
	JOBOBJECT_ASSOCIATE_COMPLETION_PORT to = {
		.CompletionKey = (PVOID)++last, .CompletionPort = port};
	struct job_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	*w = (struct job_watch){
		.next = job_watches, .key = last, .said = said, .arg = arg};
	AcquireSRWLockExclusive(&job_lock);
	job_watches = w;
	ReleaseSRWLockExclusive(&job_lock);
	if (!SetInformationJobObject(job,
		    JobObjectAssociateCompletionPortInformation, &to,
		    sizeof(to))) {
		int r = win_last();

		port_unwatch_job(last);
		return r;
	}
	*ret_key = last;
	return 0;
}

void port_unwatch_job(ULONG_PTR key)
{
	struct job_watch **at = &job_watches, *gone;

	AcquireSRWLockExclusive(&job_lock);
	while (*at && (*at)->key != key)
		at = &(*at)->next;
	gone = *at;
	if (gone)
		*at = gone->next;
	ReleaseSRWLockExclusive(&job_lock);
	free(gone);
}
