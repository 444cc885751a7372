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
		"{\"source\":\"C:\\\\other\",\"destination\":\"E:\\\\\"}]");
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
	check(d, "Container.Storage.QoS.BandwidthMaximum", "8");
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

int main(void)
{
	const TTest *const tests[] = {test_life, test_documents,
		test_exec_and_kill, test_terminate, test_kill_before_start,
		test_stdin, test_terminal, NULL};

	child_main();
	return suite_run("windows shim hcs", tests);
}
