/* SPDX-License-Identifier: Apache-2.0 */
/* What the shim tells of a container: to a daemon that listens on a pipe, one
 * that comes late, and one that is away for a while. */
#include <stdlib.h>

#include "events_service.pb-c.h"
#include "platform/listener.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_shim.h"
#include "ttrpc/server.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define DAEMON "\\\\.\\pipe\\wisp-test-daemon.ttrpc"
#define SERVICE "containerd.services.events.ttrpc.v1.Events"

static struct shim shim;
static struct listener *listener;
static struct ttrpc_server *server;
static char topics[512]; /* in the order in which they came */
static uint32_t exit_status;

static void on_forward(
	struct ttrpc_call *call, const ProtobufCMessage *m, void *arg)
{
	const Containerd__Services__Events__Ttrpc__V1__ForwardRequest *rq =
		(const void *)m;
	Google__Protobuf__Empty none = GOOGLE__PROTOBUF__EMPTY__INIT;
	const Containerd__Types__Envelope *env = rq->envelope;

	(void)arg;
	ck_assert_str_eq(env->namespace_, "ns");
	strcat(strcat(topics, env->topic), " ");
	if (strcmp(env->topic, "/tasks/exit") == 0) {
		Containerd__Events__TaskExit *x =
			containerd__events__task_exit__unpack(NULL,
				env->event->value.len, env->event->value.data);

		exit_status = x->exit_status;
		containerd__events__task_exit__free_unpacked(x, NULL);
	}
	ttrpc_call_reply(call, &none.base);
}

static void on_accept(struct stream *s, void *arg)
{
	(void)arg;
	ttrpc_server_accept(server, s);
}

static void daemon_come(void)
{
	static const ttrpc_handler handlers[] = {on_forward};
	struct err e;

	server = ttrpc_server_new(shim.base);
	ck_assert_int_eq(
		ttrpc_server_add(server, SERVICE,
			&containerd__services__events__ttrpc__v1__events__descriptor,
			handlers, NULL),
		0);
	ck_assert_int_eq(listener_bind(DAEMON, &listener, &e), 0);
	ck_assert_int_eq(
		listener_start(listener, shim.base, on_accept, NULL), 0);
}

static void daemon_go(void)
{
	listener_close(listener);
	ttrpc_server_free(server);
}

static void begin(const char *id)
{
	topics[0] = '\0';
	exit_status = 0;
	SetEnvironmentVariableA("TTRPC_ADDRESS", DAEMON);
	shim_begin(&shim, id);
	SetEnvironmentVariableA("TTRPC_ADDRESS", NULL);
}

START_TEST(test_order)
{
	bundle_make(WORDS("exit", "0x80000001"), "");
	begin("order");
	daemon_come();
	shim_create(&shim, "");
	shim_start(&shim, "");
	shim_wait(&shim, "");
	shim_delete(&shim, "");
	ck_assert(wait_for(shim.base, strstr(topics, "/tasks/delete")));
	ck_assert_str_eq(topics, "/tasks/create /tasks/start /tasks/exit "
				 "/tasks/delete ");
	ck_assert_uint_eq(exit_status, 0x80000001);
	shim.after_shutdown = daemon_go;
	shim_end(&shim);
}
END_TEST

/* It is away while the container lives and ends: all of it comes later. */
START_TEST(test_late_daemon)
{
	bundle_make(WORDS("exit", "9"), "");
	begin("late");
	shim_create(&shim, "");
	shim_start(&shim, "");
	shim_wait(&shim, "");
	Sleep(300);
	ck_assert_str_eq(topics, "");
	daemon_come();
	ck_assert(wait_for(shim.base, strstr(topics, "/tasks/exit")));
	ck_assert_str_eq(topics, "/tasks/create /tasks/start /tasks/exit ");
	ck_assert_uint_eq(exit_status, 9);
	shim_delete(&shim, "");
	shim.after_shutdown = daemon_go;
	shim_end(&shim);
}
END_TEST

/* Wine enforces no limits: a message as the system posts it, to the port that
 * is somewhere among the shim's handles, for the first job that it has (their
 * keys begin at 17: port.c). */
static void say(DWORD message, DWORD pid)
{
	auto_handle HANDLE process =
		OpenProcess(PROCESS_DUP_HANDLE, FALSE, (DWORD)shim.pid);
	ULONG_PTR h;

	ck_assert_ptr_nonnull(process);
	for (h = 4; h < 0x1000; h += 4) {
		HANDLE copy;

		if (!DuplicateHandle(process, (HANDLE)h, GetCurrentProcess(),
			    &copy, 0, FALSE, DUPLICATE_SAME_ACCESS))
			continue;
		PostQueuedCompletionStatus(
			copy, message, 17, (OVERLAPPED *)(uintptr_t)pid);
		CloseHandle(copy);
	}
}

/* Once for each process, however often it is refused memory, and before its
 * exit. */
START_TEST(test_oom)
{
	unsigned i;
	uint32_t pid;

	bundle_make(WORDS("sleep"), "");
	begin("oom");
	daemon_come();
	pid = shim_create(&shim, "");
	shim_start(&shim, "");
	say(JOB_OBJECT_MSG_JOB_MEMORY_LIMIT, pid);
	ck_assert(wait_for(shim.base, strstr(topics, "/tasks/oom")));
	for (i = 0; i < 5; i++)
		say(JOB_OBJECT_MSG_JOB_MEMORY_LIMIT, pid);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	shim_wait(&shim, "");
	shim_delete(&shim, "");
	ck_assert(wait_for(shim.base, strstr(topics, "/tasks/delete")));
	ck_assert_str_eq(topics, "/tasks/create /tasks/start /tasks/oom "
				 "/tasks/exit /tasks/delete ");
	shim.after_shutdown = daemon_go;
	shim_end(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_order, test_late_daemon, test_oom, NULL};

	child_main();
	return suite_run("windows shim events", tests);
}
