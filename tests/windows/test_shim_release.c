/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything is released once, whoever is missing: a daemon that closes its
 * stdio pipes, that does not read them, or that is gone altogether and comes
 * back; a logger that hangs or dies; a container without a program. Most tests
 * do the same twice; they compare the shim's handles, threads and children
 * before and after the second time.
 */
#include <stdio.h>
#include <stdlib.h>

#include "platform/file.h"
#include "platform/look.h"
#include "platform/process.h"
#include "platform/windows/pipe.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_handles.h"
#include "tests/windows/util_shim.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define PIPE "\\\\.\\pipe\\ctr-release-"

static struct shim shim;

/* ---- nothing is left ---- */

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

static bool has_job(void)
{
	wchar_t name[128];
	HANDLE h;

	_snwprintf(name, 128, L"JobContainer_%hs", shim.id);
	h = OpenJobObjectW(JOB_OBJECT_QUERY, FALSE, name);
	if (h)
		CloseHandle(h);
	return h != NULL;
}

/* Runs something that begins and ends without a container. */
static void once(void (*what)(void))
{
	unsigned handles, n, now = 0;

	ck_assert(wait_for(shim.base, children() == 0 && !has_job()));
	loop_settle(shim.base);
	handles = count_handles_of(shim.pid);
	n = threads();
	what();
	ck_assert_msg(wait_for(shim.base, children() == 0 && !has_job()),
		"%u children", children());
	ck_assert_msg(wait_for(shim.base,
			      (now = count_handles_of(shim.pid)) <= handles),
		"%u handles, %u before", now, handles);
	ck_assert_msg(wait_for(shim.base, (now = threads()) <= n),
		"%u threads, %u before", now, n);
	ck_assert(!file_exists("container-notes"));
}

/* The first time the system opens what it keeps. */
static void twice(void (*what)(void))
{
	what();
	once(what);
}

/* ---- the daemon's side ---- */

static HANDLE serve(const char *name)
{
	wchar_t wide[PIPE_NAME_MAX];
	HANDLE h;

	ck_assert_int_eq(pipe_name(name, wide), 0);
	ck_assert(
		wait_for(shim.base, pipe_listen(wide, PIPE_ACCESS_DUPLEX, true,
					    1, PIPE_FOR_ALL_OF_US, &h) == 0));
	return h;
}

static bool is_dialed(HANDLE h)
{
	DWORD n;

	return PeekNamedPipe(h, NULL, 0, NULL, &n, NULL);
}

static enum ttrpc_code create(const char *in, const char *out, const char *err)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	char bundle[FILE_PATH_MAX];
	enum ttrpc_code code;

	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	rq.id = shim.id;
	rq.bundle = bundle;
	rq.stdin = (char *)in;
	rq.stdout = (char *)out;
	rq.stderr = (char *)err;
	shim_call_plain(&shim, "Create", &rq.base, &code);
	return code;
}

static void create_well(const char *in, const char *out, const char *err)
{
	enum ttrpc_code code = create(in, out, err);

	ck_assert_msg(code == TTRPC_OK, "Create: %s", shim.message);
}

static void exec(const char *exec_id, const char *child, const char *out)
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
	snprintf(json, sizeof(json), "{\"args\":[\"%s\",\"child\",%s]}", path,
		child);
	spec.type_url =
		(char *)"types.containerd.io/opencontainers/runtime-spec/1/"
			"Process";
	spec.value.data = (uint8_t *)json;
	spec.value.len = strlen(json);
	rq.id = shim.id;
	rq.exec_id = (char *)exec_id;
	rq.stdout = (char *)out;
	rq.spec = &spec;
	shim_call_plain(&shim, "Exec", &rq.base, NULL);
}

static uint32_t state(const char *exec_id)
{
	Containerd__Task__V3__StateRequest rq =
		CONTAINERD__TASK__V3__STATE_REQUEST__INIT;
	Containerd__Task__V3__StateResponse *rs;
	uint32_t ret;

	rq.id = shim.id;
	rq.exec_id = (char *)exec_id;
	rs = (void *)shim_call(&shim, "State", &rq.base, NULL);
	ret = rs->status;
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	return ret;
}

/* ---- pipes that close at once ---- */

static void close_at_once(void)
{
	HANDLE in = serve(PIPE "in"), out = serve(PIPE "out"),
	       err = serve(PIPE "err");

	create_well(PIPE "in", PIPE "out", PIPE "err");
	ck_assert(wait_for(
		shim.base, is_dialed(in) && is_dialed(out) && is_dialed(err)));
	CloseHandle(in);
	CloseHandle(out);
	CloseHandle(err);
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 0);
	ck_assert_uint_eq(shim_delete(&shim, ""), 0);
}

/* It writes, nobody is there any more, and no pipe: nothing hangs. */
START_TEST(test_closed_at_once)
{
	bundle_make(WORDS("env", "WORD"), ",\"env\":[\"WORD=said\"]");
	shim_begin(&shim, "rel-closed");
	twice(close_at_once);
	shim_end(&shim);
}
END_TEST

static void close_and_kill(void)
{
	HANDLE out = serve(PIPE "out");

	create_well("", PIPE "out", "");
	ck_assert(wait_for(shim.base, is_dialed(out)));
	CloseHandle(out);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 1);
	ck_assert_uint_eq(shim_delete(&shim, ""), 1);
}

/* The same where the container never runs. */
START_TEST(test_closed_and_killed)
{
	bundle_make(WORDS("sleep"), "");
	shim_begin(&shim, "rel-killed");
	twice(close_and_kill);
	shim_end(&shim);
}
END_TEST

/* ---- a pipe that nobody reads ---- */

static void hang(void)
{
	HANDLE out = serve(PIPE "out");

	create_well("", PIPE "out", "");
	ck_assert(wait_for(shim.base, is_dialed(out)));
	shim_start(&shim, "");
	/* it can't end before it has written all, which fits nowhere */
	Sleep(200);
	ck_assert_uint_eq(state(""), CONTAINERD__V1__TYPES__STATUS__RUNNING);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 1);
	/* the pipe is full, and it is still there */
	ck_assert_uint_eq(shim_delete(&shim, ""), 1);
	ck_assert(!has_job());
	CloseHandle(out);
}

START_TEST(test_hung)
{
	bundle_make(WORDS("burst", "1000000"), "");
	shim_begin(&shim, "rel-hung");
	create_well("", "", ""); /* Delete takes its time: only once */
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	shim_wait(&shim, "");
	shim_delete(&shim, "");
	close_and_kill();
	once(hang);
	shim_end(&shim);
}
END_TEST

/* ---- the daemon is gone, and comes back ---- */

static HANDLE pipes[2];

static void daemon_come(void)
{
	pipes[0] = serve(PIPE "out");
	pipes[1] = serve(PIPE "exec");
}

static void daemon_vanish(void)
{
	ttrpc_client_free(shim.client);
	CloseHandle(pipes[0]);
	CloseHandle(pipes[1]);
	Sleep(50);
}

static void daemon_back(void)
{
	Containerd__Task__V3__ConnectRequest rq =
		CONTAINERD__TASK__V3__CONNECT_REQUEST__INIT;

	/* as shim_redial(), of which this is the second half */
	shim.client = NULL;
	shim_redial(&shim);
	rq.id = shim.id;
	shim_call_plain(&shim, "Connect", &rq.base, NULL);
	daemon_come();
}

static void vanish(void)
{
	daemon_vanish();
	daemon_back();
}

/* After each step it is away for a while, and finds the state as it was. */
static void vanish_always(void)
{
	daemon_come();
	create_well("", PIPE "out", "");
	vanish();
	ck_assert_uint_eq(state(""), CONTAINERD__V1__TYPES__STATUS__CREATED);
	shim_start(&shim, "");
	vanish();
	ck_assert_uint_eq(state(""), CONTAINERD__V1__TYPES__STATUS__RUNNING);
	exec("e1", "\"exit\",\"5\"", PIPE "exec");
	vanish();
	ck_assert_uint_eq(state("e1"), CONTAINERD__V1__TYPES__STATUS__CREATED);
	shim_start(&shim, "e1");
	vanish();
	ck_assert_uint_eq(shim_wait(&shim, "e1"), 5);
	vanish();
	ck_assert_uint_eq(state("e1"), CONTAINERD__V1__TYPES__STATUS__STOPPED);
	ck_assert_uint_eq(shim_delete(&shim, "e1"), 5);
	exec("e2", "\"sleep\"", "");
	shim_start(&shim, "e2");
	vanish();
	ck_assert_int_eq(shim_kill(&shim, "e2", 9), TTRPC_OK);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	daemon_vanish(); /* nobody hears of the exits */
	Sleep(100);
	daemon_back();
	ck_assert_uint_eq(shim_wait(&shim, "e2"), 1);
	ck_assert_uint_eq(shim_wait(&shim, ""), 1);
	ck_assert_uint_eq(state(""), CONTAINERD__V1__TYPES__STATUS__STOPPED);
	vanish();
	ck_assert_uint_eq(shim_delete(&shim, "e2"), 1);
	ck_assert_uint_eq(shim_delete(&shim, ""), 1);
	CloseHandle(pipes[0]);
	CloseHandle(pipes[1]);
}

START_TEST(test_daemon_vanishes)
{
	bundle_make(WORDS("hello"), "");
	shim_begin(&shim, "rel-vanish");
	twice(vanish_always);
	shim_end(&shim);
}
END_TEST

static void die_created(void)
{
	daemon_come();
	create_well("", PIPE "out", "");
	daemon_vanish();
	shim.client = NULL;
	shim_redial(&shim);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 1);
	ck_assert_uint_eq(shim_delete(&shim, ""), 1);
}

/* It comes back without its pipes: what is written has nowhere to go, which is
 * no reason to keep anything. */
START_TEST(test_pipes_do_not_come_back)
{
	bundle_make(WORDS("hello"), "");
	shim_begin(&shim, "rel-nopipe");
	twice(die_created);
	shim_end(&shim);
}
END_TEST

/* ---- loggers ---- */

static void uri_of(char uri[2 * FILE_PATH_MAX], const char *what)
{
	snprintf(uri, 2 * FILE_PATH_MAX, "binary:///%s?child=%s", own_path(),
		what);
}

/* A logger that does not get ready is waited for 10 s, so once, and then the
 * next one works. */
START_TEST(test_logger_hangs)
{
	char uri[2 * FILE_PATH_MAX];
	unsigned handles;

	bundle_make(WORDS("exit", "0"), "");
	shim_begin(&shim, "rel-loghang");
	create_well("", "", "");
	shim_start(&shim, "");
	shim_wait(&shim, "");
	shim_delete(&shim, "");
	uri_of(uri, "exit&1="); /* what is opened once */
	ck_assert_int_ne(create("", uri, ""), TTRPC_OK);
	loop_settle(shim.base);
	handles = count_handles_of(shim.pid);
	uri_of(uri, "sleep");
	ck_assert_int_eq(create("", uri, ""), TTRPC_DEADLINE_EXCEEDED);
	ck_assert_ptr_nonnull(strstr(shim.message, "not ready in time"));
	ck_assert(wait_for(shim.base, children() == 0 && !has_job()));
	ck_assert(wait_for(shim.base, count_handles_of(shim.pid) <= handles));
	create_well("", "", "");
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 0);
	shim_delete(&shim, "");
	ck_assert(wait_for(shim.base, count_handles_of(shim.pid) <= handles));
	shim_end(&shim);
}
END_TEST

static void logger_dies(void)
{
	char uri[2 * FILE_PATH_MAX];

	uri_of(uri, "exit&7=");
	ck_assert_int_eq(create("", uri, ""), TTRPC_UNKNOWN);
	ck_assert_msg(strstr(shim.message, "ended before it was ready"), "%s",
		shim.message);
	ck_assert(wait_for(shim.base, children() == 0 && !has_job()));
	/* there is none at all */
	ck_assert_int_eq(create("", "binary:///C:/none/logger.exe", ""),
		TTRPC_INVALID_ARGUMENT);
	create_well("", "", "");
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 0);
	shim_delete(&shim, "");
}

START_TEST(test_logger_dies)
{
	bundle_make(WORDS("exit", "0"), "");
	shim_begin(&shim, "rel-logdies");
	twice(logger_dies);
	shim_end(&shim);
}
END_TEST

/* ---- an init that can't be started ---- */

static void put_config(const char *process)
{
	char json[4096];

	snprintf(json, sizeof(json),
		"{\"ociVersion\":\"1.1.0\",\"process\":{%s},\"root\":{\"path\":"
		"\"rootfs\"},\"windows\":{},\"annotations\":{"
		"\"microsoft.com/hostprocess-container\":\"true\"}}",
		process);
	put_text("config.json", json);
}

static void fail_to_create(void)
{
	static const struct {
		const char *process;
		enum ttrpc_code code; /* OK: any other */
		const char *said;
	} rows[] = {
		{"\"args\":[\"C:/none/program.exe\"]", TTRPC_INVALID_ARGUMENT,
			"program.exe"},
		{"\"args\":[\"no-such-program\"]", TTRPC_INVALID_ARGUMENT,
			"no-such-program"},
		{"\"args\":[\"cmd.exe\"],\"user\":{\"username\":"
		 "\"HOST\\\\somebody\"}",
			TTRPC_INVALID_ARGUMENT, "somebody"},
		/* Wine finds every group, and then puts nobody into it: an
		 * account has been made, and goes again */
		{"\"args\":[\"cmd.exe\"],\"user\":{\"username\":"
		 "\"no-such-group\"}",
			TTRPC_OK, "no-such-group"},
	};
	HANDLE out;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		enum ttrpc_code code;

		put_config(rows[i].process);
		out = serve(PIPE "out");
		code = create("", PIPE "out", "");
		ck_assert_msg(
			code != TTRPC_OK && (code == rows[i].code ||
						    rows[i].code == TTRPC_OK),
			"row %zu: %d '%s'", i, code, shim.message);
		ck_assert_msg(strstr(shim.message, rows[i].said), "row %zu: %s",
			i, shim.message);
		CloseHandle(out);
		ck_assert(wait_for(shim.base, children() == 0 && !has_job()));
		ck_assert(!file_exists("container-notes"));
	}
	bundle_make(WORDS("exit", "4"), "");
	create_well("", "", "");
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 4);
	shim_delete(&shim, "");
}

START_TEST(test_no_program)
{
	bundle_make(WORDS("exit", "0"), "");
	shim_begin(&shim, "rel-noprog");
	twice(fail_to_create);
	shim_end(&shim);
}
END_TEST

static void fail_to_exec(void)
{
	Containerd__Task__V3__StartRequest rq =
		CONTAINERD__TASK__V3__START_REQUEST__INIT;
	Containerd__Task__V3__ExecProcessRequest ex =
		CONTAINERD__TASK__V3__EXEC_PROCESS_REQUEST__INIT;
	Any spec = GOOGLE__PROTOBUF__ANY__INIT;
	char json[] = "{\"args\":[\"C:/none/program.exe\"]}";
	enum ttrpc_code code;
	HANDLE out;

	create_well("", "", "");
	shim_start(&shim, "");
	spec.type_url =
		(char *)"types.containerd.io/opencontainers/runtime-spec/1/"
			"Process";
	spec.value.data = (uint8_t *)json;
	spec.value.len = strlen(json);
	ex.id = rq.id = shim.id;
	ex.exec_id = rq.exec_id = (char *)"bad";
	ex.stdout = (char *)PIPE "out";
	ex.spec = &spec;
	out = serve(PIPE "out");
	shim_call_plain(&shim, "Exec", &ex.base, NULL);
	shim_call_plain(&shim, "Start", &rq.base, &code);
	ck_assert_msg(
		code == TTRPC_INVALID_ARGUMENT, "%d '%s'", code, shim.message);
	shim_delete(&shim, "bad");
	CloseHandle(out);
	exec("good", "\"exit\",\"6\"", "");
	shim_start(&shim, "good");
	ck_assert_uint_eq(shim_wait(&shim, "good"), 6);
	ck_assert_uint_eq(shim_delete(&shim, "good"), 6);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	shim_wait(&shim, "");
	shim_delete(&shim, "");
}

START_TEST(test_no_program_of_exec)
{
	bundle_make(WORDS("sleep"), "");
	shim_begin(&shim, "rel-noexec");
	twice(fail_to_exec);
	shim_end(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_closed_at_once,
		test_closed_and_killed, test_hung, test_daemon_vanishes,
		test_pipes_do_not_come_back, test_logger_hangs,
		test_logger_dies, test_no_program, test_no_program_of_exec,
		NULL};

	child_main();
	return suite_run("windows shim release", tests);
}
