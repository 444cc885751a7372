/* SPDX-License-Identifier: Apache-2.0 */
/* End to end: containers with process isolation, by a shim over the double of
 * computecore.dll. */
#include "platform/file.h"
#include "platform/process.h"
#include "platform/windows/pipe.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_hcs.h"
#include "tests/windows/util_shim.h"
#include "tests/windows/util_vmcompute.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define PIPE "\\\\.\\pipe\\ctr-hcs-stdout"

static struct shim shim;

static struct stream *serve_as(const char *name)
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

static void all_closed(void)
{
	const char *left = NULL;

	ck_assert_msg(wait_for(shim.base, !*(left = hcs_left())), "%s", left);
}

static struct stream *begin(const char *id, const char *const *words,
	const char *process, const char *windows, const char *all)
{
	hcs_begin();
	hcs_bundle(words, process, windows, all);
	shim_begin(&shim, id);
	return serve_as(PIPE);
}

static void end(struct stream *out)
{
	stream_close(out);
	all_closed();
	shim_end(&shim);
}

START_TEST(test_life)
{
	struct stream *out = begin("hcs-life", WORDS("env", "WORD"),
		",\"env\":[\"WORD=from inside\"]", "", "");
	char buf[64];
	uint32_t pid;

	ck_assert_uint_eq(shim_create(&shim, PIPE), 0);
	ck_assert_str_eq(
		hcs_calls(), "CreateComputeSystem SetComputeSystemCallback ");
	pid = shim_start(&shim, "");
	ck_assert_uint_ne(pid, 0);
	ck_assert_uint_eq(read_some(shim.base, out, buf, 11), 11);
	ck_assert_mem_eq(buf, "from inside", 11);
	ck_assert_uint_eq(shim_wait(&shim, ""), 0);
	ck_assert_str_eq(hcs_calls(), "StartComputeSystem CreateProcess "
				      "SetProcessCallback "
				      "ShutDownComputeSystem ");
	ck_assert_uint_eq(shim_delete(&shim, ""), 0);
	ck_assert_str_eq(hcs_calls(), "");
	end(out);
}
END_TEST

static void check(const char *json, const char *path, const char *expected)
{
	ck_assert_msg(strcmp(hcs_value(json, path), expected) == 0,
		"%s is '%s', not '%s', in %s", path, hcs_value(json, path),
		expected, json);
}

START_TEST(test_documents)
{
	struct stream *out = begin("hcs-docs", WORDS("exit", "7"),
		",\"env\":[\"A=1\",\"a=2\",\"B=\",\"NONE\",\"=X\"],"
		"\"cwd\":\"C:\\\\\",\"user\":{\"username\":\"ContainerUser\"}",
		",\"network\":{\"networkNamespace\":\"n-1\","
		"\"DNSSearchList\":[\"a.b\",\"c\"],"
		"\"allowUnqualifiedDNSQuery\":true},"
		"\"resources\":{\"memory\":{\"limit\":268435456},"
		"\"cpu\":{\"shares\":500},\"storage\":{\"iops\":9,\"bps\":8}}",
		",\"hostname\":\"box\",\"mounts\":["
		"{\"source\":\"C:\\\\data\",\"destination\":\"D:\\\\d\","
		"\"options\":[\"ro\"]},"
		"{\"source\":\"\\\\\\\\.\\\\pipe\\\\x\",\"destination\":"
		"\"\\\\\\\\.\\\\pipe\\\\inside\"},"
		"{\"source\":\"C:\\\\other\",\"destination\":\"E:\\\\\"}],"
		"\"annotations\":{\"io.microsoft.container.storage.qos."
		"bandwidthmaximum\":\"77\"}");
	const char *d;

	shim_create(&shim, PIPE);
	d = hcs_document("HcsCreateComputeSystem", 1);
	check(d, "Owner", "wisp");
	check(d, "SchemaVersion.Major", "2");
	check(d, "SchemaVersion.Minor", "1");
	check(d, "ShouldTerminateOnLastHandleClosed", "true");
	check(d, "Container.GuestOs.HostName", "box");
	check(d, "Container.Storage.Path", HCS_VOLUME);
	ck_assert_ptr_nonnull(strstr(
		hcs_value(d, "Container.Storage.Layers[].Path"), "\\top "));
	ck_assert_ptr_nonnull(strstr(
		hcs_value(d, "Container.Storage.Layers[].Path"), "\\base"));
	ck_assert_uint_eq(
		strlen(hcs_value(d, "Container.Storage.Layers[].Id")), 73);
	check(d, "Container.Storage.QoS.IopsMaximum", "9");
	check(d, "Container.Storage.QoS.BandwidthMaximum", "77");
	check(d, "Container.MappedDirectories[].HostPath",
		"C:\\data C:\\other");
	check(d, "Container.MappedDirectories[].ContainerPath", "D:\\d E:\\");
	check(d, "Container.MappedDirectories[].ReadOnly", "true false");
	check(d, "Container.MappedPipes[].HostPath", "\\\\.\\pipe\\x");
	check(d, "Container.MappedPipes[].ContainerPipeName", "inside");
	check(d, "Container.Memory.SizeInMB", "256");
	check(d, "Container.Processor.Weight", "500");
	check(d, "Container.Networking.Namespace", "n-1");
	check(d, "Container.Networking.DnsSearchList", "a.b,c");
	check(d, "Container.Networking.AllowUnqualifiedDnsQuery", "true");
	shim_start(&shim, "");
	d = hcs_document("HcsCreateProcess", 1);
	ck_assert_ptr_nonnull(
		strstr(hcs_value(d, "CommandLine"), " child exit 7"));
	check(d, "User", "ContainerUser");
	check(d, "WorkingDirectory", "C:\\");
	check(d, "Environment.a", "2");
	check(d, "Environment.A", "");
	ck_assert_ptr_nonnull(
		strstr(d, "\"Environment\":{\"a\":\"2\",\"B\":\"\"}"));
	check(d, "EmulateConsole", "false");
	check(d, "CreateStdInPipe", "false");
	check(d, "CreateStdOutPipe", "true");
	check(d, "CreateStdErrPipe", "false");
	ck_assert_uint_eq(shim_wait(&shim, ""), 7);
	ck_assert_uint_eq(shim_delete(&shim, ""), 7);
	end(out);
}
END_TEST

START_TEST(test_exec_and_kill)
{
	struct stream *out = begin("hcs-exec", WORDS("sleep"), "", "", "");
	Containerd__Task__V3__ExecProcessRequest rq =
		CONTAINERD__TASK__V3__EXEC_PROCESS_REQUEST__INIT;
	Any spec = GOOGLE__PROTOBUF__ANY__INIT;
	char json[1024], buf[16];

	shim_create(&shim, "");
	shim_start(&shim, "");
	snprintf(json, sizeof(json),
		"{\"commandLine\":\"cmd.exe /c echo hello& exit 5\","
		"\"cwd\":\"C:\\\\\"}");
	spec.type_url =
		(char *)"types.containerd.io/opencontainers/runtime-spec/1/"
			"Process";
	spec.value.data = (uint8_t *)json;
	spec.value.len = strlen(json);
	rq.id = shim.id;
	rq.exec_id = (char *)"e1";
	rq.stdout = (char *)PIPE;
	rq.spec = &spec;
	protobuf_c_message_free_unpacked(
		shim_call(&shim, "Exec", &rq.base, NULL), NULL);
	shim_start(&shim, "e1");
	ck_assert_uint_eq(read_some(shim.base, out, buf, 5), 5);
	ck_assert_mem_eq(buf, "hello", 5);
	ck_assert_uint_eq(shim_wait(&shim, "e1"), 5);
	ck_assert_uint_eq(shim_delete(&shim, "e1"), 5);
	check(hcs_document("HcsCreateProcess", 2), "CommandLine",
		"cmd.exe /c echo hello& exit 5");
	ck_assert_int_eq(shim_kill(&shim, "", 10), TTRPC_FAILED_PRECONDITION);
	ck_assert_int_eq(shim_kill(&shim, "", 15), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 0xC000013A);
	check(hcs_document("HcsSignalProcess", 1), "Signal", "CtrlShutdown");
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_NOT_FOUND);
	ck_assert_uint_eq(shim_delete(&shim, ""), 0xC000013A);
	end(out);
}
END_TEST

START_TEST(test_terminate)
{
	struct stream *out = begin("hcs-term", WORDS("spawn"), "", "", "");

	shim_create(&shim, "");
	shim_start(&shim, "");
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 1);
	ck_assert_uint_eq(hcs_called("HcsTerminateProcess"), 1);
	shim_delete(&shim, "");
	end(out);
}
END_TEST

static void delete_command(uint32_t status)
{
	Containerd__Task__V3__DeleteResponse *rs;
	char text[512];
	size_t n = sizeof(text);

	ck_assert_msg(shim_run(&shim, "delete", text, &n) == 0, "%s", text);
	rs = containerd__task__v3__delete_response__unpack(
		NULL, n, (uint8_t *)text);
	ck_assert_msg(rs != NULL, "%s", text);
	if (status)
		ck_assert_uint_eq(rs->exit_status, status);
	protobuf_c_message_free_unpacked(&rs->base, NULL);
}

/* `delete` while the shim lives: the system is found by its id, and ended. */
START_TEST(test_delete_beside)
{
	struct stream *out = begin("hcs-beside", WORDS("spawn"), "", "", "");
	struct process_ref *init;

	shim_create(&shim, "");
	ck_assert_int_eq(process_ref_open(shim_start(&shim, ""), &init), 0);
	hcs_calls();
	delete_command(0); /* its own status, if the shim was fast */
	ck_assert_int_eq(process_ref_signal(init, 10), -ESRCH);
	process_ref_close(init);
	ck_assert_ptr_nonnull(strstr(hcs_calls(),
		"OpenComputeSystem SetComputeSystemCallback "
		"TerminateComputeSystem "));
	ck_assert(!file_exists("container-notes"));
	ck_assert_uint_eq(shim_wait(&shim, ""), 0xC000013A);
	ck_assert_uint_eq(shim_delete(&shim, ""), 0xC000013A);
	hcs_calls();
	delete_command(0xC000013A);
	ck_assert_str_eq(hcs_calls(), "");
	end(out);
}
END_TEST

/* It never gets a process; the system goes all the same. */
START_TEST(test_kill_before_start)
{
	struct stream *out = begin("hcs-early", WORDS("exit", "0"), "", "", "");

	shim_create(&shim, "");
	ck_assert_int_eq(shim_kill(&shim, "", 10), TTRPC_FAILED_PRECONDITION);
	ck_assert_int_eq(shim_kill(&shim, "", 15), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 1);
	ck_assert_int_eq(shim_kill(&shim, "", 15), TTRPC_NOT_FOUND);
	ck_assert_uint_eq(shim_delete(&shim, ""), 1);
	ck_assert_str_eq(hcs_calls(),
		"CreateComputeSystem SetComputeSystemCallback "
		"TerminateComputeSystem ");
	end(out);
}
END_TEST

static ProtobufCMessage *call_create(
	const char *in, const char *out, bool terminal, enum ttrpc_code *code)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	char bundle[FILE_PATH_MAX];

	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	rq.id = shim.id;
	rq.bundle = bundle;
	rq.stdin = (char *)in;
	rq.stdout = (char *)out;
	rq.terminal = terminal;
	return shim_call(&shim, "Create", &rq.base, code);
}

static void done(ProtobufCMessage *rs)
{
	ck_assert_ptr_nonnull(rs);
	protobuf_c_message_free_unpacked(rs, NULL);
}

START_TEST(test_stdin)
{
	struct stream *out = begin("hcs-stdin", WORDS("echo"), "", "", ""), *in;
	Containerd__Task__V3__CloseIORequest rq =
		CONTAINERD__TASK__V3__CLOSE_IOREQUEST__INIT;
	char buf[16];

	in = serve_as(PIPE "-in");
	done(call_create(PIPE "-in", PIPE, false, NULL));
	shim_start(&shim, "");
	ck_assert(write_some(shim.base, in, "some words", 10));
	ck_assert_uint_eq(read_some(shim.base, out, buf, 10), 10);
	ck_assert_mem_eq(buf, "some words", 10);
	rq.id = shim.id;
	rq.stdin = true;
	done(shim_call(&shim, "CloseIO", &rq.base, NULL));
	ck_assert_uint_eq(shim_wait(&shim, ""), 0);
	check(hcs_document("HcsModifyProcess", 1), "Operation", "CloseHandle");
	check(hcs_document("HcsModifyProcess", 1), "CloseHandle.Handle",
		"StdIn");
	shim_delete(&shim, "");
	stream_close(in);
	end(out);
}
END_TEST

START_TEST(test_terminal)
{
	struct stream *out = begin("hcs-tty", WORDS("echo"),
		",\"consoleSize\":{\"width\":100,\"height\":40}", "", "");
	Containerd__Task__V3__ResizePtyRequest rq =
		CONTAINERD__TASK__V3__RESIZE_PTY_REQUEST__INIT;
	struct stream *in = serve_as(PIPE "-in");
	const char *d;
	char buf[16];

	done(call_create(PIPE "-in", PIPE, true, NULL));
	shim_start(&shim, "");
	d = hcs_document("HcsCreateProcess", 1);
	check(d, "EmulateConsole", "true");
	check(d, "CreateStdInPipe", "true");
	check(d, "CreateStdErrPipe", "false");
	check(d, "ConsoleSize[]", "40 100");
	ck_assert(write_some(shim.base, in, "typed", 5));
	ck_assert_uint_eq(read_some(shim.base, out, buf, 5), 5);
	rq.id = shim.id;
	rq.width = 132;
	rq.height = 50;
	done(shim_call(&shim, "ResizePty", &rq.base, NULL));
	d = hcs_document("HcsModifyProcess", 1);
	check(d, "Operation", "ConsoleSize");
	check(d, "ConsoleSize.Height", "50");
	check(d, "ConsoleSize.Width", "132");
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 1);
	shim_delete(&shim, "");
	stream_close(in);
	end(out);
}
END_TEST

static enum ttrpc_code update(const char *json)
{
	Containerd__Task__V3__UpdateTaskRequest rq =
		CONTAINERD__TASK__V3__UPDATE_TASK_REQUEST__INIT;
	Any any = GOOGLE__PROTOBUF__ANY__INIT;
	ProtobufCMessage *rs;
	enum ttrpc_code code = TTRPC_OK;

	any.type_url =
		(char *)"types.containerd.io/opencontainers/runtime-spec/1/"
			"WindowsResources";
	any.value.data = (uint8_t *)json;
	any.value.len = strlen(json);
	rq.id = shim.id;
	rq.resources = &any;
	rs = shim_call(&shim, "Update", &rq.base, &code);
	if (rs)
		protobuf_c_message_free_unpacked(rs, NULL);
	return rs ? TTRPC_OK : code;
}

/* The one with only a pid, as the service has it. */
static void check_pids(uint32_t pid)
{
	Containerd__Task__V3__PidsRequest rq =
		CONTAINERD__TASK__V3__PIDS_REQUEST__INIT;
	Containerd__Task__V3__PidsResponse *rs;

	rq.id = shim.id;
	rs = (void *)shim_call(&shim, "Pids", &rq.base, NULL);
	ck_assert_uint_eq(rs->n_processes, 1);
	ck_assert_uint_eq(rs->processes[0]->pid, pid);
	protobuf_c_message_free_unpacked(&rs->base, NULL);
}

static enum ttrpc_code stats(const char *expected, size_t n)
{
	Containerd__Task__V3__StatsRequest rq =
		CONTAINERD__TASK__V3__STATS_REQUEST__INIT;
	Containerd__Task__V3__StatsResponse *rs;
	enum ttrpc_code code;

	rq.id = shim.id;
	rs = (void *)shim_call(&shim, "Stats", &rq.base, &code);
	if (!rs)
		return code;
	ck_assert_str_eq(
		rs->stats->type_url, "containerd.runhcs.stats.v1.Statistics");
	ck_assert_uint_eq(rs->stats->value.len, n);
	ck_assert_mem_eq(rs->stats->value.data, expected, n);
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	return TTRPC_OK;
}

START_TEST(test_figures)
{
	struct stream *out = begin("hcs-figures", WORDS("sleep"), "", "", "");
	Containerd__Task__V3__PauseRequest pause =
		CONTAINERD__TASK__V3__PAUSE_REQUEST__INIT;
	enum ttrpc_code code;
	uint32_t pid;

	shim_create(&shim, "");
	ck_assert_int_eq(stats("", 0), TTRPC_NOT_FOUND);
	pid = shim_start(&shim, "");
	check_pids(pid);
	check(hcs_document("HcsGetComputeSystemProperties", 1),
		"PropertyTypes[]", "Statistics ProcessList");
	/* 100 ns become ns; an empty part has no bytes but its length */
	hcs_put("properties",
		"{\"Statistics\":{\"Uptime100ns\":3,"
		"\"ContainerStartTime\":\"1971-01-01T00:00:01.5Z\","
		"\"Processor\":{\"TotalRuntime100ns\":1},"
		"\"Memory\":{\"MemoryUsagePrivateWorkingSetBytes\":5}}}");
	ck_assert_int_eq(stats("\x0a\x1a\x12\x0b\x08\x81\xe7\x84\x0f\x10\x80"
			       "\xca\xb5\xee\x01\x18\xac\x02\x22\x02\x08\x64"
			       "\x2a\x02\x18\x05\x32\x00",
				 28),
		TTRPC_OK);
	hcs_put("properties", "{\"Statistics\":");
	ck_assert_int_eq(stats("", 0), TTRPC_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(shim.message, "no JSON"));
	hcs_put("properties", "{\"Statistics\":7,\"ProcessList\":[{"
			      "\"ProcessId\":-1},{\"ProcessId\":99999999999},"
			      "{\"ProcessId\":\"5\"},[[]]]}");
	check_pids(pid);
	ck_assert_int_eq(update("{\"memory\":{\"limit\":268435456},\"cpu\":{"
				"\"maximum\":2500}}"),
		TTRPC_OK);
	check(hcs_document("HcsModifyComputeSystem", 1), "ResourcePath",
		"Container/Memory");
	check(hcs_document("HcsModifyComputeSystem", 1), "Settings", "256");
	check(hcs_document("HcsModifyComputeSystem", 2), "ResourcePath",
		"Container/Processor");
	check(hcs_document("HcsModifyComputeSystem", 2), "Settings.Maximum",
		"2500");
	ck_assert_int_eq(update("{\"cpu\":{\"shares\":5,\"maximum\":5}}"),
		TTRPC_INVALID_ARGUMENT);
	hcs_plan("HcsModifyComputeSystem 1 late 0x80070005");
	ck_assert_int_eq(update("{\"memory\":{\"limit\":536870912}}"),
		TTRPC_PERMISSION_DENIED);
	hcs_plan(NULL);
	pause.id = shim.id;
	ck_assert_ptr_null(shim_call(&shim, "Pause", &pause.base, &code));
	ck_assert_int_eq(code, TTRPC_UNIMPLEMENTED);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	shim_wait(&shim, "");
	shim_delete(&shim, "");
	end(out);
}
END_TEST

/* The system ends by itself, and its processes with it: the service tells
 * nothing of those, or nonsense. */
START_TEST(test_nonsense)
{
	struct stream *out =
		begin("hcs-nonsense", WORDS("exit", "3"), "", "", "");

	hcs_put("event", "{\"ProcessId\":0,\"ExitCode\":99999999999999}");
	shim_create(&shim, "");
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 255);
	ck_assert_uint_eq(shim_delete(&shim, ""), 255);
	hcs_put("event", "]");
	shim_create(&shim, "");
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 255);
	ck_assert_uint_eq(shim_delete(&shim, ""), 255);
	end(out);
}
END_TEST

/* What can't be is told by name, and before the service is asked. */
START_TEST(test_refused)
{
	static const struct {
		const char *process, *windows, *all;
		enum ttrpc_code code;
		const char *said;
	} cases[] = {
		{"", ",\"hyperv\":{}", "", TTRPC_UNIMPLEMENTED,
			"windows.hyperv"},
		{"", ",\"credentialSpec\":{}", "", TTRPC_UNIMPLEMENTED,
			"windows.credentialSpec"},
		{"", ",\"devices\":[{\"id\":\"x\"}]", "", TTRPC_UNIMPLEMENTED,
			"windows.devices"},
		{"", ",\"network\":{\"endpointList\":[\"x\"]}", "",
			TTRPC_UNIMPLEMENTED, "endpointList"},
		{"", "", ",\"mounts\":[{\"type\":\"bind\"}]",
			TTRPC_INVALID_ARGUMENT, "type"},
		{"", "", ",\"mounts\":[{\"source\":\"x\"}]",
			TTRPC_INVALID_ARGUMENT, "mount 0"},
		{"", "",
			",\"mounts\":[{\"source\":\"x\",\"destination\":"
			"\"\\\\\\\\.\\\\pipe\\\\\"}]",
			TTRPC_INVALID_ARGUMENT, "mount 0"},
		{"", ",\"resources\":{\"cpu\":{\"count\":1,\"shares\":5}}", "",
			TTRPC_INVALID_ARGUMENT, "only one"},
		{"", ",\"resources\":{\"memory\":{\"limit\":1}}", "",
			TTRPC_INVALID_ARGUMENT, "1 MiB"},
		{",\"consoleSize\":{\"width\":99999,\"height\":1}", "", "",
			TTRPC_INVALID_ARGUMENT, "consoleSize"},
		{"", "", ",\"root\":{\"path\":\"C:\\\\here\"}",
			TTRPC_INVALID_ARGUMENT, "no volume"},
		{"", "", ",\"root\":{\"readonly\":true}",
			TTRPC_INVALID_ARGUMENT, "readonly"},
	};
	struct stream *out = begin("hcs-no", WORDS("exit", "0"), "", "", "");
	enum ttrpc_code code;
	unsigned i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hcs_bundle(WORDS("exit", "0"), cases[i].process,
			cases[i].windows, cases[i].all);
		ck_assert_msg(!call_create("", "", false, &code), "%s",
			cases[i].said);
		ck_assert_msg(code == cases[i].code, "%s: %s", cases[i].said,
			shim.message);
		ck_assert_msg(strstr(shim.message, cases[i].said) != NULL,
			"'%s' is not in '%s'", cases[i].said, shim.message);
	}
	ck_assert_str_eq(hcs_calls(), "");
	end(out);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_life, test_documents,
		test_exec_and_kill, test_terminate, test_delete_beside,
		test_kill_before_start, test_stdin, test_terminal, test_figures,
		test_nonsense, test_refused, NULL};

	child_main();
	return suite_run("windows shim hcs", tests);
}
