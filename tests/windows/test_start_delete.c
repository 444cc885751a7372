/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `start` and `delete` print, byte by byte, and how they end: beside what
 * the Windows shim of containerd does, as its sources have it
 * (microsoft/hcsshim, cmd/containerd-shim-runhcs-v1: main.go, start.go,
 * serve.go, delete.go), and as a daemon reads it (containerd,
 * core/runtime/v2/binary.go). Where this one does something else the row says
 * so.
 */
#include <stdlib.h>
#include <time.h>

#include "platform/file.h"
#include "platform/listener.h"
#include "platform/process.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_shim.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define PIPE                                                            \
	"\\\\.\\pipe\\ProtectedPrefix\\Administrators\\containerd-shim" \
	"-ns-sd-pipe"
#define QUOTED                                                              \
	"\\\\\\\\.\\\\pipe\\\\ProtectedPrefix\\\\Administrators\\\\contain" \
	"erd-shim-ns-sd-pipe"

static struct shim shim;

struct result {
	uint32_t status;
	char out[512], err[2048];
	size_t n_out;
};

static struct result run(const char *const *words, const char *in, size_t n_in)
{
	const char *argv[16] = {getenv("WISP_SHIM")};
	struct process_spec spec = {.argv = argv};
	struct stream *to, *out, *err;
	struct process_exit x = {0};
	struct result rs = {0};
	struct err e;
	int64_t pid;
	int i;

	for (i = 0; words[i]; i++)
		argv[i + 1] = words[i];
	ck_assert_int_eq(
		stream_pipe_to_child(shim.base, &to, &spec.endpoints[0]), 0);
	ck_assert_int_eq(
		stream_pipe_from_child(shim.base, &out, &spec.endpoints[1]), 0);
	ck_assert_int_eq(
		stream_pipe_from_child(shim.base, &err, &spec.endpoints[2]), 0);
	ck_assert_msg(process_spawn(&spec, &pid, &e) == 0, "%s", e.msg);
	for (i = 0; i < 3; i++)
		endpoint_close(spec.endpoints[i]);
	ck_assert(write_some(shim.base, to, in, n_in));
	stream_close(to);
	rs.n_out = read_some(shim.base, out, rs.out, sizeof(rs.out) - 1);
	read_some(shim.base, err, rs.err, sizeof(rs.err) - 1);
	stream_close(out);
	stream_close(err);
	ck_assert(
		wait_for(shim.base, exit_source_next_of(shim.source, pid, &x)));
	rs.status = x.status;
	return rs;
}

/* ---- start ---- */

#define USUAL "-namespace", "ns", "-id", "sd", "-address", "\\\\.\\pipe\\c"
#define BINARY "-publish-binary", "containerd.exe"

/* An Any of containerd.runhcs.v1.Options with debug set. */
#define OPTIONS                        \
	"\x0a\x1c"                     \
	"containerd.runhcs.v1.Options" \
	"\x12\x02\x08\x01"

static const struct {
	const char *const *words;
	const char *out, *err; /* the whole of stdout; a part of stderr */
	const char *config;    /* config.json; NULL: a good one, "": none */
	const char *in;
	const char *max; /* MAX_SHIM_VERSION */
} starts[] = {
	/* start.go: os.Stdout.WriteString(address), and no newline */
	{WORDS(USUAL, BINARY, "start"), PIPE, "", NULL, "", NULL},
	{WORDS(BINARY, "-address", "a", "-id", "sd", "-namespace", "ns",
		 "start"),
		PIPE, "", NULL, "", NULL},
	{WORDS("--namespace=ns", "--id=sd", "--address=a", "-debug", "start"),
		PIPE, "", NULL, "", NULL},
	/* serve.go: options are an Any on stdin */
	{WORDS(USUAL, "start"), PIPE, "", NULL, OPTIONS, NULL},
	/* serve.go refuses it ("failed unmarshalling into Any"); this one goes
	 * on without options: Create has them, too, and there they are checked
	 */
	{WORDS(USUAL, "start"), PIPE, "", NULL, "\xff\xff", NULL},
	/* the reference knows no other form than the bare address; daemons from
	 * 1.7 on take this one from any shim */
	{WORDS(USUAL, "start"),
		"{\"version\":2,\"address\":\"" QUOTED
		"\",\"protocol\":\"ttrpc\"}",
		"", NULL, "", "3"},
	/* main.go: "namespace is required", ..., exit status 1 */
	{WORDS("-id", "sd", "-address", "a", "start"), NULL, "namespace", NULL,
		"", NULL},
	{WORDS("-namespace", "ns", "-address", "a", "start"), NULL, "id", NULL,
		"", NULL},
	{WORDS("-namespace", "n/s", "-id", "sd", "start"), NULL, "n/s", NULL,
		"", NULL},
	{WORDS("-namespace", "ns", "-id", "..\\sd", "start"), NULL, "..\\sd",
		NULL, "", NULL},
	/* start.go: getSpecAnnotationsFromBundleRoot() */
	{WORDS(USUAL, "start"), NULL, "config.json", "", "", NULL},
	{WORDS(USUAL, "start"), NULL, "config.json", "{\"annotations\":", "",
		NULL},
	/* urfave/cli: "flag provided but not defined" */
	{WORDS(USUAL, "-nonsense", "start"), NULL, "-nonsense", NULL, "", NULL},
	{WORDS(USUAL, "-id"), NULL, "-id", NULL, "", NULL},
	/* there it is the help text, and no error */
	{WORDS(USUAL), NULL, "no command", NULL, "", NULL},
	{WORDS(USUAL, "stop"), NULL, "'stop'", NULL, "", NULL},
	{WORDS(USUAL, "start", "more"), NULL, "'more'", NULL, "", NULL},
};

static bool no_shim(void)
{
	return listener_probe(PIPE) < 0;
}

static void start_row(unsigned i)
{
	struct result rs;
	char text[512], set[64];

	bundle_make(WORDS("exit", "0"), "");
	if (starts[i].config && *starts[i].config)
		put_text("config.json", starts[i].config);
	else if (starts[i].config)
		ck_assert_int_eq(file_remove("config.json"), 0);
	file_remove("address");
	snprintf(set, sizeof(set), "MAX_SHIM_VERSION=%s",
		starts[i].max ? starts[i].max : "");
	_putenv(set);
	rs = run(starts[i].words, starts[i].in, strlen(starts[i].in));
	_putenv("MAX_SHIM_VERSION=");
	ck_assert_msg(rs.status == (starts[i].out ? 0 : 1),
		"row %u: status %u, '%s'", i, rs.status, rs.err);
	ck_assert_str_eq(rs.out, starts[i].out ? starts[i].out : "");
	if (!starts[i].out) {
		ck_assert_msg(
			strncmp(rs.err, "containerd-shim-wisp-v1: ", 25) == 0 &&
				strstr(rs.err, starts[i].err),
			"row %u: '%s'", i, rs.err);
		ck_assert_msg(no_shim(), "row %u: there is a shim", i);
		ck_assert_msg(file_check("address") < 0, "row %u: address", i);
		return;
	}
	ck_assert_str_eq(rs.err, ""); /* daemons take both for the answer */
	ck_assert_int_eq(file_read_into("address", text, sizeof(text)), 0);
	ck_assert_str_eq(text, PIPE);
	snprintf(shim.address, sizeof(shim.address), "%s", PIPE);
	shim_meet(&shim);
	/* the pipe is taken: ListenPipe() fails in serve.go */
	rs = run(starts[i].words, starts[i].in, strlen(starts[i].in));
	ck_assert_msg(rs.status == 1 && rs.n_out == 0 &&
			      strstr(rs.err, "runs already"),
		"row %u, twice: %u '%s' '%s'", i, rs.status, rs.out, rs.err);
	shim_leave(&shim);
	ck_assert(wait_for(shim.base, no_shim()));
}

START_TEST(test_start)
{
	unsigned i;

	shim_open(&shim, "sd");
	for (i = 0; i < LENGTH(starts); i++)
		start_row(i);
	shim_close(&shim);
}
END_TEST

/* ---- delete ---- */

static void end_shim(void)
{
	struct process_ref *ref;

	ck_assert_int_eq(process_ref_open(shim.pid, &ref), 0);
	ck_assert_int_eq(process_ref_signal(ref, SIGKILL), 0);
	ck_assert(wait_for(shim.base, process_ref_signal(ref, 10) == -ESRCH));
	process_ref_close(ref);
	ck_assert(wait_for(shim.base, no_shim()));
	ttrpc_client_free(shim.client);
}

/* delete.go: one DeleteResponse on stdout, with the time of now. The pid is 0
 * there. */
static void check_answer(
	const struct result *rs, uint32_t pid, uint32_t status, int64_t since)
{
	uint8_t again[512];
	Containerd__Task__V3__DeleteResponse *m =
		containerd__task__v3__delete_response__unpack(
			NULL, rs->n_out, (const uint8_t *)rs->out);

	ck_assert_msg(rs->status == 0, "%s", rs->err);
	ck_assert_str_eq(rs->err, "");
	ck_assert_ptr_nonnull(m);
	ck_assert_uint_eq(m->pid, pid);
	ck_assert_uint_eq(m->exit_status, status);
	ck_assert_ptr_nonnull(m->exited_at);
	ck_assert_int_ge(m->exited_at->seconds, since);
	ck_assert_int_le(m->exited_at->seconds, time(NULL));
	/* and nothing else is there */
	ck_assert_uint_eq(protobuf_c_message_pack(&m->base, again), rs->n_out);
	ck_assert_mem_eq(again, rs->out, rs->n_out);
	containerd__task__v3__delete_response__free_unpacked(m, NULL);
}

static struct result delete (const char *bundle)
{
	return bundle ? run(WORDS(USUAL, BINARY, "-bundle", bundle, "delete"),
				"", 0)
		      : run(WORDS(USUAL, BINARY, "delete"), "", 0);
}

/* Of the container's job; false: they have ended, or there is no such job. */
static bool has_processes(void)
{
	auto_handle HANDLE h =
		OpenJobObjectW(JOB_OBJECT_QUERY, FALSE, L"JobContainer_sd");
	JOBOBJECT_BASIC_ACCOUNTING_INFORMATION now;

	return h &&
	       QueryInformationJobObject(h, JobObjectBasicAccountingInformation,
		       &now, sizeof(now), NULL) &&
	       now.ActiveProcesses > 0;
}

/* The reference ends the system of that id, whoever has it. The shim may live:
 * a daemon has given it up. */
START_TEST(test_delete_beside)
{
	int64_t begun = time(NULL);
	struct result rs;
	unsigned round;
	uint32_t pid;

	bundle_make(WORDS("spawn"), "");
	shim_begin(&shim, "sd");
	for (round = 0; round < 3; round++) {
		pid = shim_create(&shim, "");
		if (round > 0) /* else it was never started */
			shim_start(&shim, "");
		if (round == 1)
			Sleep(300); /* one more process, or not yet */
		ck_assert(has_processes());
		rs = delete (NULL);
		ck_assert(!has_processes());
		check_answer(&rs, pid, 255, begun);
		ck_assert(!file_exists("container-notes"));
		/* the shim finds that out, and goes on */
		ck_assert_uint_eq(shim_wait(&shim, ""), 255);
		rs = delete (NULL);
		check_answer(&rs, pid, 255, begun);
		ck_assert_uint_eq(shim_delete(&shim, ""), 255);
		rs = delete (NULL);
		check_answer(&rs, pid, 255, begun);
	}
	shim_end(&shim);
}
END_TEST

/* One that could not be created, as the name is another's, ends nothing. */
START_TEST(test_delete_of_none)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	HANDLE job = CreateJobObjectW(NULL, L"JobContainer_sd");
	STARTUPINFOW si = {.cb = sizeof(si)};
	wchar_t line[] = L"x child sleep", path[WIN_PATH_MAX];
	PROCESS_INFORMATION pi;
	char bundle[FILE_PATH_MAX];
	enum ttrpc_code code;

	GetModuleFileNameW(NULL, path, WIN_PATH_MAX);
	ck_assert(CreateProcessW(path, line, NULL, NULL, FALSE,
		CREATE_NO_WINDOW, NULL, NULL, &si, &pi));
	ck_assert(AssignProcessToJobObject(job, pi.hProcess));
	bundle_make(WORDS("sleep"), "");
	shim_begin(&shim, "sd");
	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	rq.id = shim.id;
	rq.bundle = bundle;
	shim_call_plain(&shim, "Create", &rq.base, &code);
	ck_assert_int_eq(code, TTRPC_ALREADY_EXISTS);
	ck_assert(!file_exists("container-notes"));
	delete (NULL);
	ck_assert(has_processes());
	TerminateJobObject(job, 1);
	WaitForSingleObject(pi.hProcess, 5000);
	CloseHandle(pi.hThread);
	CloseHandle(pi.hProcess);
	CloseHandle(job);
	shim_end(&shim);
}
END_TEST

START_TEST(test_delete)
{
	char bundle[FILE_PATH_MAX];
	int64_t begun = time(NULL);
	struct result rs;
	uint32_t pid;

	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	bundle_make(WORDS("sleep"), "");
	shim_begin(&shim, "sd");
	pid = shim_create(&shim, "");
	shim_start(&shim, "");
	end_shim();
	rs = delete (bundle);
	check_answer(&rs, pid, 255, begun);
	ck_assert(!has_processes());
	ck_assert(!file_exists("container-notes"));
	rs = delete (bundle); /* once more */
	check_answer(&rs, pid, 255, begun);
	rs = delete (NULL); /* there: "bundle required" */
	check_answer(&rs, pid, 255, begun);
	shim_close(&shim);
}
END_TEST

/* There always 255; this one knows the exit. */
START_TEST(test_delete_of_ended)
{
	int64_t begun = time(NULL);
	struct result rs;
	uint32_t pid;

	bundle_make(WORDS("exit", "0xC0000005"), "");
	shim_begin(&shim, "sd");
	pid = shim_create(&shim, "");
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 0xC0000005);
	end_shim();
	rs = delete (NULL);
	check_answer(&rs, pid, 0xC0000005, begun);
	rs = delete (NULL);
	check_answer(&rs, pid, 0xC0000005, begun);
	shim_close(&shim);
}
END_TEST

static const struct {
	const char *const *words;
	const char *err;
} deletes[] = {
	{WORDS("-id", "sd", "-bundle", ".", "delete"), "namespace"},
	{WORDS("-namespace", "ns", "-bundle", ".", "delete"), "id"},
	/* a bundle that has gone is fine there: os.RemoveAll() */
	{WORDS(USUAL, "-bundle", "C:\\none", "delete"), "C:\\none"},
};

START_TEST(test_delete_fails)
{
	struct result rs;
	unsigned i;

	shim_open(&shim, "sd");
	for (i = 0; i < LENGTH(deletes); i++) {
		rs = run(deletes[i].words, "", 0);
		ck_assert_msg(rs.status == 1 && rs.n_out == 0 &&
				      strstr(rs.err, deletes[i].err),
			"row %u: %u '%s' '%s'", i, rs.status, rs.out, rs.err);
	}
	shim_close(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_start, test_delete,
		test_delete_beside, test_delete_of_none, test_delete_of_ended,
		test_delete_fails, NULL};

	child_main();
	return suite_run("windows start and delete", tests);
}
