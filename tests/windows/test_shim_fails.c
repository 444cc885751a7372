/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call of the system that the shim makes for a request fails once, one
 * after the other. Each time the request has an answer that says so, or works
 * all the same; the shim goes on; and once the container is deleted it has no
 * handle, no thread and no process more than before.
 *
 * WISP_STEP=1 does that; without it every 7th call is tried, and of those for
 * memory every 60th. WISP_SHOW=1 tells what failed, and what came of it;
 * WISP_FROM=N begins with the Nth call.
 */
#include <stdio.h>
#include <stdlib.h>

#include "platform/file.h"
#include "platform/listener.h"
#include "platform/look.h"
#include "platform/process.h"
#include "platform/windows/pipe.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_fail.h"
#include "tests/windows/util_handles.h"
#include "tests/windows/util_shim.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define OUT_ "\\\\.\\pipe\\ctr-fails-stdout"

static struct shim shim;

/* What one test leaves behind is not in the way of the next. */
static const char *fresh_id(void)
{
	static char id[16];
	static unsigned n;

	snprintf(id, sizeof(id), "fails-%u", ++n);
	return id;
}

/* What the calls of a step came to: the first that fails ends it. */
static enum ttrpc_code outcome;
static unsigned n_call;

static const char *place(void)
{
	static char text[160];

	snprintf(text, sizeof(text), "call %u, %s at %llx, ended with %s '%s'",
		n_call, fail->what, (unsigned long long)fail->where,
		ttrpc_code_name(outcome),
		outcome == TTRPC_OK ? "" : shim.message);
	return text;
}

static ProtobufCMessage *call(const char *method, const ProtobufCMessage *rq)
{
	return outcome == TTRPC_OK ? shim_call(&shim, method, rq, &outcome)
				   : NULL;
}

static void plain(const char *method, const ProtobufCMessage *rq)
{
	ProtobufCMessage *rs = call(method, rq);

	if (rs)
		protobuf_c_message_free_unpacked(rs, NULL);
}

/* ---- a daemon's side of stdio ---- */

static struct stream *served;

/* Nobody reads: what is said fits into the pipe. */
static void serve_stdout(void)
{
	wchar_t wide[PIPE_NAME_MAX];
	HANDLE h;

	stream_close(served);
	served = NULL;
	ck_assert_int_eq(pipe_name(OUT_, wide), 0);
	ck_assert(
		wait_for(shim.base, pipe_listen(wide, PIPE_ACCESS_DUPLEX, true,
					    1, PIPE_FOR_ALL_OF_US, &h) == 0));
	ck_assert_int_eq(stream_from_handle(shim.base, h, &served), 0);
}

static void serve_no_more(void)
{
	stream_close(served);
	served = NULL;
}

/* ---- the calls ---- */

static bool terminal;
static const char *out = "";

static void create(void)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	char bundle[FILE_PATH_MAX];

	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	rq.id = shim.id;
	rq.bundle = bundle;
	rq.stdout = (char *)out;
	rq.terminal = terminal;
	plain("Create", &rq.base);
}

static void start_of(const char *exec_id)
{
	Containerd__Task__V3__StartRequest rq =
		CONTAINERD__TASK__V3__START_REQUEST__INIT;

	rq.id = shim.id;
	rq.exec_id = (char *)exec_id;
	plain("Start", &rq.base);
}

static void start(void)
{
	start_of("");
}

static void kill_of(const char *exec_id, uint32_t signal)
{
	Containerd__Task__V3__KillRequest rq =
		CONTAINERD__TASK__V3__KILL_REQUEST__INIT;

	rq.id = shim.id;
	rq.exec_id = (char *)exec_id;
	rq.signal = signal;
	plain("Kill", &rq.base);
}

/* 0: there was no answer. */
static uint32_t wait_of(const char *exec_id)
{
	Containerd__Task__V3__WaitRequest rq =
		CONTAINERD__TASK__V3__WAIT_REQUEST__INIT;
	Containerd__Task__V3__WaitResponse *rs;
	uint32_t status;

	rq.id = shim.id;
	rq.exec_id = (char *)exec_id;
	rs = (void *)call("Wait", &rq.base);
	if (!rs)
		return 0;
	status = rs->exit_status;
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	return status;
}

static void delete_of(const char *exec_id)
{
	Containerd__Task__V3__DeleteRequest rq =
		CONTAINERD__TASK__V3__DELETE_REQUEST__INIT;

	rq.id = shim.id;
	rq.exec_id = (char *)exec_id;
	plain("Delete", &rq.base);
}

static void exec(void)
{
	static char json[2 * FILE_PATH_MAX];
	Containerd__Task__V3__ExecProcessRequest rq =
		CONTAINERD__TASK__V3__EXEC_PROCESS_REQUEST__INIT;
	Any spec = GOOGLE__PROTOBUF__ANY__INIT;
	char path[FILE_PATH_MAX], *p;

	snprintf(path, sizeof(path), "%s", own_path());
	for (p = path; *p; p++) /* which needs no escape in JSON */
		if (*p == '\\')
			*p = '/';
	snprintf(json, sizeof(json), "{\"args\":[\"%s\",\"child\",\"sleep\"]}",
		path);
	spec.type_url =
		(char *)"types.containerd.io/opencontainers/runtime-spec/1/"
			"Process";
	spec.value.data = (uint8_t *)json;
	spec.value.len = strlen(json);
	rq.id = shim.id;
	rq.exec_id = (char *)"e1";
	rq.stdout = (char *)out;
	rq.spec = &spec;
	plain("Exec", &rq.base);
}

static void update(void)
{
	Containerd__Task__V3__UpdateTaskRequest rq =
		CONTAINERD__TASK__V3__UPDATE_TASK_REQUEST__INIT;
	Any any = GOOGLE__PROTOBUF__ANY__INIT;
	char json[] = "{\"memory\":{\"limit\":268435456}}";

	any.type_url =
		(char *)"types.containerd.io/opencontainers/runtime-spec/1/"
			"WindowsResources";
	any.value.data = (uint8_t *)json;
	any.value.len = strlen(json);
	rq.id = shim.id;
	rq.resources = &any;
	plain("Update", &rq.base);
}

static void look(void)
{
	Containerd__Task__V3__PidsRequest pids =
		CONTAINERD__TASK__V3__PIDS_REQUEST__INIT;
	Containerd__Task__V3__StatsRequest stats =
		CONTAINERD__TASK__V3__STATS_REQUEST__INIT;

	pids.id = stats.id = shim.id;
	plain("Pids", &pids.base);
	plain("Stats", &stats.base);
}

/* ---- back to nothing ---- */

/* NotFound: -1. */
static int state_of(const char *exec_id)
{
	Containerd__Task__V3__StateRequest rq =
		CONTAINERD__TASK__V3__STATE_REQUEST__INIT;
	Containerd__Task__V3__StateResponse *rs;
	enum ttrpc_code code;
	int status;

	rq.id = shim.id;
	rq.exec_id = (char *)exec_id;
	rs = (void *)shim_call(&shim, "State", &rq.base, &code);
	if (code == TTRPC_NOT_FOUND)
		return -1;
	ck_assert_msg(code == TTRPC_OK, "State: %s", shim.message);
	status = (int)rs->status;
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	return status;
}

static void clean_process(const char *exec_id)
{
	int state = state_of(exec_id);

	if (state < 0)
		return;
	outcome = TTRPC_OK;
	if (state == CONTAINERD__V1__TYPES__STATUS__RUNNING) {
		kill_of(exec_id, 9);
		if (outcome == TTRPC_NOT_FOUND) /* it has just ended */
			outcome = TTRPC_OK;
		wait_of(exec_id);
	}
	delete_of(exec_id);
	ck_assert_msg(outcome == TTRPC_OK, "%s: cleaning '%s': %s", fail->what,
		exec_id, shim.message);
	ck_assert_int_eq(state_of(exec_id), -1);
}

static void count_child(int64_t child, void *arg)
{
	(void)child;
	++*(unsigned *)arg;
}

static unsigned children(void)
{
	unsigned n = 0;

	ck_assert_int_eq(look_children(shim.pid, count_child, &n), 0);
	return n;
}

static unsigned threads(void)
{
	struct look_process p;

	ck_assert_int_eq(look_process(shim.pid, &p), 0);
	return p.threads;
}

static bool keep_init;
static unsigned n_known = 1; /* init, and one of a console or a logger */

static void clean(void)
{
	clean_process("e1");
	ck_assert_msg(wait_for(shim.base, children() <= n_known),
		"%s: %u processes, %u are known", place(), children(), n_known);
	if (keep_init)
		return;
	clean_process("");
	ck_assert_msg(wait_for(shim.base, children() == 0),
		"%s: %u processes are left", place(), children());
}

/* ---- the sweep ---- */

/* Who can't be told apart is refused. */
static bool is_about_users(void)
{
	return strcmp(fail->what, "OpenProcessToken") == 0 ||
	       strcmp(fail->what, "GetTokenInformation") == 0;
}

static void check_outcome(void)
{
	if (getenv("WISP_SHOW"))
		printf("%s\n", place());
	/* what can't be read from, or written to, a connection ends it */
	if (outcome == TTRPC_UNAVAILABLE)
		ck_assert_msg(strcmp(fail->what, "ReadFile") == 0 ||
				      strcmp(fail->what, "WriteFile") == 0,
			"%s", place());
	else if (!is_about_users() || outcome != TTRPC_PERMISSION_DENIED)
		ck_assert_msg(outcome == TTRPC_OK ||
				      (outcome == TTRPC_RESOURCE_EXHAUSTED &&
					      *shim.message),
			"%s", place());
}

/* One failure. Whether there was one. */
static bool fail_once(
	const char *which, void (*before)(void), void (*step)(void))
{
	bool hit;

	outcome = TTRPC_OK;
	before();
	ck_assert_msg(outcome == TTRPC_OK, "%s", shim.message);
	fail_at(which, n_call, 1, FAIL_SERVER);
	step();
	hit = fail_off();
	check_outcome();
	shim_revive(&shim);
	clean();
	return hit;
}

static void sweep_with(const char *which, unsigned every, void (*before)(void),
	void (*step)(void))
{
	unsigned handles = count_handles_of(shim.pid), now = 0, n = threads();

	n_call = fail_number("WISP_FROM", 1);
	while (fail_once(which, before, step)) {
		/* the thread that could not post wakes the loop itself, and its
		 * first use of a socket costs a handle that stays */
		if (strcmp(fail->what, "PostQueuedCompletionStatus") == 0)
			handles++;
		ck_assert_msg(
			wait_for(shim.base,
				(now = count_handles_of(shim.pid)) <= handles),
			"%s: %u handles, %u before", place(), now, handles);
		ck_assert_msg(threads() <= n, "%s: %u threads, %u before",
			place(), threads(), n);
		n_call += every;
	}
}

static void sweep(void (*before)(void), void (*step)(void))
{
	shim.note = place;
	outcome = TTRPC_OK;
	before();
	step();
	ck_assert_msg(outcome == TTRPC_OK, "%s", shim.message);
	clean();
	sweep_with(FAIL_CALLS, fail_number("WISP_STEP", 7), before, step);
	sweep_with(FAIL_MEMORY, fail_number("WISP_STEP", 60), before, step);
}

static void nothing(void)
{
}

static void create_and_start(void)
{
	create();
	start();
}

START_TEST(test_create)
{
	bundle_make(WORDS("exit", "3"), "");
	shim_begin(&shim, fresh_id());
	sweep(nothing, create);
	shim_end(&shim);
}
END_TEST

static void start_and_wait(void)
{
	start();
	wait_of("");
}

START_TEST(test_start)
{
	bundle_make(WORDS("exit", "3"), "");
	shim_begin(&shim, fresh_id());
	sweep(create, start_and_wait);
	shim_end(&shim);
}
END_TEST

static void run_exec(void)
{
	exec();
	start_of("e1");
	kill_of("e1", 9);
	wait_of("e1");
	delete_of("e1");
}

START_TEST(test_exec)
{
	bundle_make(WORDS("sleep"), "");
	shim_begin(&shim, fresh_id());
	create_and_start();
	keep_init = true;
	sweep(nothing, run_exec);
	keep_init = false;
	clean();
	shim_end(&shim);
}
END_TEST

static void kill_it(void)
{
	kill_of("", 9);
	wait_of("");
}

static void look_and_update(void)
{
	look();
	update();
}

START_TEST(test_control)
{
	bundle_make(WORDS("sleep"), "");
	shim_begin(&shim, fresh_id());
	sweep(create_and_start, kill_it);
	create_and_start();
	keep_init = true;
	sweep(nothing, look_and_update);
	keep_init = false;
	clean();
	shim_end(&shim);
}
END_TEST

static void until_exit(void)
{
	create_and_start();
	wait_of("");
}

static void delete (void)
{
	delete_of("");
}

START_TEST(test_delete)
{
	bundle_make(WORDS("exit", "3"), "");
	shim_begin(&shim, fresh_id());
	sweep(until_exit, delete);
	shim_end(&shim);
}
END_TEST

static void until_exit_and_delete(void)
{
	until_exit();
	delete_of("");
}

static void start_and_resize(void)
{
	Containerd__Task__V3__ResizePtyRequest rq =
		CONTAINERD__TASK__V3__RESIZE_PTY_REQUEST__INIT;

	rq.id = shim.id;
	rq.width = 100;
	rq.height = 40;
	create_and_start();
	plain("ResizePty", &rq.base);
	if (outcome == TTRPC_UNIMPLEMENTED) /* Wine */
		outcome = TTRPC_OK;
	kill_of("", 9);
}

/* With stdout; the daemon's pipe is there. */
START_TEST(test_stdout)
{
	bundle_make(WORDS("env", "WORD"), ",\"env\":[\"WORD=said\"]");
	shim_begin(&shim, fresh_id());
	out = OUT_;
	sweep(serve_stdout, until_exit_and_delete);
	out = "";
	serve_no_more();
	shim_end(&shim);
}
END_TEST

START_TEST(test_terminal)
{
	bundle_make(WORDS("sleep"), "");
	shim_begin(&shim, fresh_id());
	out = OUT_;
	terminal = true;
	n_known = 2;
	sweep(serve_stdout, start_and_resize);
	terminal = false;
	n_known = 1;
	out = "";
	serve_no_more();
	shim_end(&shim);
}
END_TEST

START_TEST(test_logger)
{
	char uri[2 * FILE_PATH_MAX];

	bundle_make(WORDS("env", "WORD"), ",\"env\":[\"WORD=logged\"]");
	shim_begin(&shim, fresh_id());
	snprintf(uri, sizeof(uri), "binary:///%s?child=logger&file=%s",
		own_path(), here("log"));
	out = uri;
	n_known = 2;
	sweep(nothing, until_exit_and_delete);
	out = "";
	n_known = 1;
	shim_end(&shim);
}
END_TEST

static bool is_left(void)
{
	HANDLE h = OpenEventW(SYNCHRONIZE, FALSE, L"wisp-test-stubborn");

	if (h)
		CloseHandle(h);
	return h != NULL;
}

/* The system does not tell for a while how many processes init has left: they
 * are ended all the same, before its exit is told. */
START_TEST(test_leftover)
{
	bundle_make(WORDS("leave"), "");
	shim_begin(&shim, fresh_id());
	shim_create(&shim, "");
	fail_at("QueryInformationJobObject", 1, 4, FAIL_SERVER);
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 3);
	ck_assert_int_eq(fail->failed, 4);
	fail_off();
	ck_assert(wait_for(shim.base, !is_left()));
	shim_delete(&shim, "");
	shim_end(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_create, test_start, test_exec,
		test_control, test_delete, test_stdout, test_terminal,
		test_logger, test_leftover, NULL};
	int r;

	child_main();
	if (!fail_open())
		return EXIT_FAILURE;
	r = suite_run("windows shim fails", tests);
	fail_close();
	return r;
}
