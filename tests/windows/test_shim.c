/* SPDX-License-Identifier: Apache-2.0 */
/* End to end: the shim, as a daemon runs it, and real programs. */
#include "platform/file.h"
#include "platform/windows/pipe.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_shim.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct shim shim;

START_TEST(test_exit_status)
{
	char line[256];

	bundle_make(WORDS("exit", "0xC0000005"), "");
	shim_begin(&shim, "status");
	ck_assert_str_eq(shim.address,
		"\\\\.\\pipe\\ProtectedPrefix\\Administrators\\"
		"containerd-shim-ns-status-pipe");
	ck_assert_int_eq(file_read_into("address", line, sizeof(line)), 0);
	ck_assert_str_eq(line, shim.address);
	ck_assert_uint_gt(shim_create(&shim, ""), 0);
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 0xC0000005);
	ck_assert_uint_eq(shim_delete(&shim, ""), 0xC0000005);
	shim_end(&shim);
}
END_TEST

/* The daemon is the server of stdio pipes. */
static struct stream *serve(const char *name)
{
	wchar_t wide[PIPE_NAME_MAX];
	struct stream *s;
	HANDLE h;

	ck_assert_int_eq(pipe_name(name, wide), 0);
	ck_assert_int_eq(pipe_listen(wide, PIPE_ACCESS_DUPLEX, true, 1,
				 PIPE_FOR_ALL_OF_US, &h),
		0);
	ck_assert_int_eq(stream_from_handle(shim.base, h, &s), 0);
	return s;
}

START_TEST(test_burst)
{
	enum { N = 8 << 20 };
	static char buf[N];
	const char *name = "\\\\.\\pipe\\ctr-burst-stdout";
	struct stream *out;
	size_t i, got;

	bundle_make(WORDS("burst", "8388608"), "");
	shim_begin(&shim, "burst");
	out = serve(name);
	shim_create(&shim, name);
	shim_start(&shim, "");
	got = read_some(shim.base, out, buf, N);
	ck_assert_uint_eq(got, N);
	for (i = 0; i < N; i++)
		if (buf[i] != (char)(i % 251))
			ck_abort_msg("byte %zu is wrong", i);
	ck_assert_uint_eq(shim_wait(&shim, ""), 0);
	ck_assert_uint_eq(shim_delete(&shim, ""), 0);
	stream_close(out);
	shim_end(&shim);
}
END_TEST

START_TEST(test_kill)
{
	bundle_make(WORDS("spawn"), "");
	shim_begin(&shim, "kill");
	shim_create(&shim, "");
	shim_start(&shim, "");
	ck_assert_int_eq(shim_kill(&shim, "", 10), TTRPC_FAILED_PRECONDITION);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 1);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_NOT_FOUND);
	shim_delete(&shim, "");
	shim_end(&shim);
}
END_TEST

START_TEST(test_kill_before_start)
{
	bundle_make(WORDS("exit", "0"), "");
	shim_begin(&shim, "early");
	shim_create(&shim, "");
	ck_assert_int_eq(shim_kill(&shim, "", 15), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 1);
	ck_assert_uint_eq(shim_delete(&shim, ""), 1);
	shim_end(&shim);
}
END_TEST

/* What can't be run is told, and leaves nothing: the name is free again. */
START_TEST(test_create_fails)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	char bundle[FILE_PATH_MAX];
	enum ttrpc_code code;

	/* a file where the folder is to be */
	bundle_make(WORDS("exit", "5"), ",\"cwd\":\"C:\\\\none\"");
	ck_assert_int_eq(file_make_folder("rootfs"), 0);
	put_text("rootfs/none", "");
	shim_begin(&shim, "fails");
	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	rq.id = shim.id;
	rq.bundle = bundle;
	ck_assert_ptr_null(shim_call(&shim, "Create", &rq.base, &code));
	ck_assert_int_ne(code, TTRPC_OK);
	ck_assert_ptr_nonnull(strstr(shim.message, "rootfs\\none"));
	put_text("config.json", "{\"process\":{\"args\":[\"x\"]}}");
	ck_assert_ptr_null(shim_call(&shim, "Create", &rq.base, &code));
	ck_assert_int_eq(code, TTRPC_INVALID_ARGUMENT);
	put_text("config.json",
		"{\"process\":{\"args\":[\"x\"],\"commandLine\":\"x\"},"
		"\"annotations\":{"
		"\"microsoft.com/hostprocess-container\":\"true\"}}");
	ck_assert_ptr_null(shim_call(&shim, "Create", &rq.base, &code));
	ck_assert_int_eq(code, TTRPC_INVALID_ARGUMENT);
	bundle_make(WORDS("exit", "5"), "");
	shim_create(&shim, "");
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 5);
	shim_delete(&shim, "");
	shim_end(&shim);
}
END_TEST

START_TEST(test_exec)
{
	Containerd__Task__V3__ExecProcessRequest rq =
		CONTAINERD__TASK__V3__EXEC_PROCESS_REQUEST__INIT;
	Any spec = GOOGLE__PROTOBUF__ANY__INIT;
	const char *name = "\\\\.\\pipe\\ctr-exec-stdout";
	char json[4096], path[2048], buf[16], *to = path;
	struct stream *out;
	const char *p;

	bundle_make(WORDS("sleep"), "");
	shim_begin(&shim, "exec");
	out = serve(name);
	shim_create(&shim, "");
	shim_start(&shim, "");
	for (p = own_path(); *p; p++) {
		if (*p == '\\')
			*to++ = '\\';
		*to++ = *p;
	}
	*to = '\0';
	snprintf(json, sizeof(json),
		"{\"args\":[\"%s\",\"child\",\"env\",\"WORD\"],"
		"\"env\":[\"WORD=from exec\"],\"cwd\":\"C:\\\\\"}",
		path);
	spec.type_url =
		(char *)"types.containerd.io/opencontainers/runtime-spec/1/"
			"Process";
	spec.value.data = (uint8_t *)json;
	spec.value.len = strlen(json);
	rq.id = shim.id;
	rq.exec_id = (char *)"e1";
	rq.stdout = (char *)name;
	rq.spec = &spec;
	protobuf_c_message_free_unpacked(
		shim_call(&shim, "Exec", &rq.base, NULL), NULL);
	shim_start(&shim, "e1");
	ck_assert_uint_eq(read_some(shim.base, out, buf, 9), 9);
	ck_assert_mem_eq(buf, "from exec", 9);
	ck_assert_uint_eq(shim_wait(&shim, "e1"), 0);
	ck_assert_uint_eq(shim_delete(&shim, "e1"), 0);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	shim_wait(&shim, "");
	shim_delete(&shim, "");
	stream_close(out);
	shim_end(&shim);
}
END_TEST

static void update(const char *json, enum ttrpc_code expected)
{
	Containerd__Task__V3__UpdateTaskRequest rq =
		CONTAINERD__TASK__V3__UPDATE_TASK_REQUEST__INIT;
	Any any = GOOGLE__PROTOBUF__ANY__INIT;
	ProtobufCMessage *rs;
	enum ttrpc_code code;

	any.type_url =
		(char *)"types.containerd.io/opencontainers/runtime-spec/1/"
			"WindowsResources";
	any.value.data = (uint8_t *)json;
	any.value.len = strlen(json);
	rq.id = shim.id;
	rq.resources = &any;
	rs = shim_call(&shim, "Update", &rq.base, &code);
	ck_assert_int_eq(code, expected);
	if (rs)
		protobuf_c_message_free_unpacked(rs, NULL);
}

/* Pids, Stats and Update; what a job has no notion of is Unimplemented. */
START_TEST(test_control)
{
	Containerd__Task__V3__PidsRequest pids =
		CONTAINERD__TASK__V3__PIDS_REQUEST__INIT;
	Containerd__Task__V3__StatsRequest stats =
		CONTAINERD__TASK__V3__STATS_REQUEST__INIT;
	Containerd__Task__V3__PauseRequest pause =
		CONTAINERD__TASK__V3__PAUSE_REQUEST__INIT;
	Containerd__Task__V3__PidsResponse *p;
	Containerd__Task__V3__StatsResponse *s;
	enum ttrpc_code code;
	bool found = false;
	uint32_t pid;
	size_t i;

	bundle_make(WORDS("sleep"), "");
	shim_begin(&shim, "control");
	pid = shim_create(&shim, "");
	shim_start(&shim, "");
	pids.id = stats.id = pause.id = shim.id;
	p = (void *)shim_call(&shim, "Pids", &pids.base, NULL);
	for (i = 0; i < p->n_processes; i++)
		found |= p->processes[i]->pid == pid;
	ck_assert(found);
	protobuf_c_message_free_unpacked(&p->base, NULL);
	s = (void *)shim_call(&shim, "Stats", &stats.base, NULL);
	ck_assert_str_eq(
		s->stats->type_url, "containerd.runhcs.stats.v1.Statistics");
	ck_assert_uint_gt(s->stats->value.len, 10);
	protobuf_c_message_free_unpacked(&s->base, NULL);
	update("{\"memory\":{\"limit\":268435456}}", TTRPC_OK);
	update("{\"cpu\":{\"count\":1,\"maximum\":5}}", TTRPC_INVALID_ARGUMENT);
	ck_assert_ptr_null(shim_call(&shim, "Pause", &pause.base, &code));
	ck_assert_int_eq(code, TTRPC_UNIMPLEMENTED);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	shim_wait(&shim, "");
	shim_delete(&shim, "");
	shim_end(&shim);
}
END_TEST

/* A second `start` for the same container is told so. */
START_TEST(test_start_twice)
{
	char said[512];
	size_t n = sizeof(said);

	bundle_make(WORDS("exit", "0"), "");
	shim_begin(&shim, "twice");
	ck_assert_uint_eq(shim_run(&shim, "start", said, &n), 1);
	ck_assert_ptr_nonnull(strstr(said, "runs already"));
	shim_end(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_exit_status, test_burst, test_kill,
		test_kill_before_start, test_create_fails, test_exec,
		test_control, test_start_twice, NULL};

	child_main();
	return suite_run("windows shim", tests);
}
