/* SPDX-License-Identifier: Apache-2.0 */
/* What goes in and out of a container, and who is there to take it. */
#include <stdio.h>

#include "platform/file.h"
#include "platform/process.h"
#include "platform/windows/pipe.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_shim.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define IN "\\\\.\\pipe\\ctr-io-stdin"
#define OUT_ "\\\\.\\pipe\\ctr-io-stdout"

static struct shim shim;

/* The daemon is the server of stdio pipes. */
static HANDLE serve(const char *name)
{
	wchar_t wide[PIPE_NAME_MAX];
	HANDLE h;

	ck_assert_int_eq(pipe_name(name, wide), 0);
	ck_assert_int_eq(pipe_listen(wide, PIPE_ACCESS_DUPLEX, true, 1,
				 PIPE_FOR_ALL_OF_US, &h),
		0);
	return h;
}

/* Once the shim has dialed it. */
static struct stream *take(HANDLE h)
{
	struct stream *s;
	DWORD n;

	ck_assert(
		wait_for(shim.base, PeekNamedPipe(h, NULL, 0, NULL, &n, NULL)));
	ck_assert_int_eq(stream_from_handle(shim.base, h, &s), 0);
	return s;
}

static void create(bool terminal, bool with_stdin)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	char bundle[FILE_PATH_MAX];

	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	rq.id = shim.id;
	rq.bundle = bundle;
	rq.stdin = (char *)(with_stdin ? IN : "");
	rq.stdout = (char *)OUT_;
	rq.terminal = terminal;
	protobuf_c_message_free_unpacked(
		shim_call(&shim, "Create", &rq.base, NULL), NULL);
}

START_TEST(test_stdin)
{
	Containerd__Task__V3__CloseIORequest rq =
		CONTAINERD__TASK__V3__CLOSE_IOREQUEST__INIT;
	struct stream *in, *out;
	HANDLE hin, hout;
	char buf[16];

	bundle_make(WORDS("echo"), "");
	shim_begin(&shim, "stdin");
	hin = serve(IN);
	hout = serve(OUT_);
	create(false, true);
	in = take(hin);
	out = take(hout);
	shim_start(&shim, "");
	ck_assert(write_some(shim.base, in, "typed", 5));
	ck_assert_uint_eq(read_some(shim.base, out, buf, 5), 5);
	ck_assert_mem_eq(buf, "typed", 5);
	ck_assert(write_some(shim.base, in, "more", 4));
	rq.id = shim.id;
	rq.stdin = true;
	protobuf_c_message_free_unpacked(
		shim_call(&shim, "CloseIO", &rq.base, NULL), NULL);
	ck_assert_uint_eq(read_some(shim.base, out, buf, 4), 4);
	ck_assert_mem_eq(buf, "more", 4);
	ck_assert_uint_eq(shim_wait(&shim, ""), 0);
	ck_assert(at_end(shim.base, out));
	shim_delete(&shim, "");
	stream_close(in);
	stream_close(out);
	shim_end(&shim);
}
END_TEST

/* The daemon goes in the middle of the output, and comes back. */
START_TEST(test_daemon_is_lost)
{
	enum { N = 300000 };
	static char buf[N];
	struct stream *out;
	size_t i, got, lost;
	HANDLE h;

	bundle_make(WORDS("burst", "300000"), "");
	shim_begin(&shim, "lost");
	h = serve(OUT_);
	create(false, false);
	out = take(h);
	shim_start(&shim, "");
	ck_assert_uint_eq(read_some(shim.base, out, buf, 1000), 1000);
	for (i = 0; i < 1000; i++)
		ck_assert_uint_eq((uint8_t)buf[i], i % 251);
	stream_close(out); /* with it goes what was in the pipe */
	Sleep(300);
	h = serve(OUT_);
	out = take(h);
	got = 0;
	while (got < N) {
		size_t n = read_some(shim.base, out, buf + got, N - got);

		if (n == 0)
			break;
		got += n;
	}
	/* what comes is one piece, up to the last byte */
	lost = N - got;
	ck_assert_uint_gt(got, 100000);
	for (i = 0; i < got; i++)
		if (buf[i] != (char)((lost + i) % 251))
			ck_abort_msg("byte %zu of %zu is wrong", i, got);
	ck_assert_uint_eq(shim_wait(&shim, ""), 0);
	shim_delete(&shim, "");
	stream_close(out);
	shim_end(&shim);
}
END_TEST

static bool has(const char *buf, size_t n, const char *what)
{
	size_t i, len = strlen(what);

	for (i = 0; i + len <= n; i++)
		if (memcmp(buf + i, what, len) == 0)
			return true;
	return false;
}

START_TEST(test_terminal)
{
	struct stream *out;
	char buf[8192];
	size_t got = 0;
	ssize_t n;
	HANDLE h;

	bundle_make(WORDS("conout"), "");
	shim_begin(&shim, "tty");
	h = serve(OUT_);
	create(true, false);
	out = take(h);
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 0);
	ck_assert(wait_for(shim.base,
		((n = stream_read(out, buf + got, sizeof(buf) - got)) > 0
				? (got += (size_t)n)
				: 0,
			has(buf, got, "on a terminal"))));
	shim_delete(&shim, "");
	stream_close(out);
	shim_end(&shim);
}
END_TEST

/* binary://, which finds its pipes by their names. */
START_TEST(test_logger)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	char bundle[FILE_PATH_MAX], uri[2 * FILE_PATH_MAX], log[64];

	bundle_make(WORDS("env", "WORD"), ",\"env\":[\"WORD=logged\"]");
	shim_begin(&shim, "logger");
	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	snprintf(uri, sizeof(uri), "binary:///%s?child=logger&file=%s\\log",
		own_path(), bundle);
	rq.id = shim.id;
	rq.bundle = bundle;
	rq.stdout = uri;
	protobuf_c_message_free_unpacked(
		shim_call(&shim, "Create", &rq.base, NULL), NULL);
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 0);
	shim_delete(&shim, ""); /* which waits for the logger */
	get_file("log", log, sizeof(log));
	ck_assert_str_eq(log, "logged.");
	shim_end(&shim);
}
END_TEST

START_TEST(test_two_shims)
{
	static struct shim other;

	bundle_make(WORDS("exit", "1"), "");
	shim_begin(&shim, "one");
	shim_create(&shim, "");
	bundle_make(WORDS("exit", "2"), "");
	shim_begin(&other, "two");
	shim_create(&other, "");
	shim_start(&other, "");
	ck_assert_uint_eq(shim_wait(&other, ""), 2);
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 1);
	shim_delete(&shim, "");
	shim_delete(&other, "");
	shim_end(&other);
	shim_end(&shim);
}
END_TEST

/* The shim is ended in the middle: its container goes with it, and `delete`
 * answers for it. */
START_TEST(test_delete)
{
	struct process_ref *ref, *init;
	Containerd__Task__V3__DeleteResponse *rs;
	char out[512];
	size_t n = sizeof(out);
	uint32_t pid;

	bundle_make(WORDS("sleep"), "");
	shim_begin(&shim, "delete");
	pid = shim_create(&shim, "");
	shim_start(&shim, "");
	ck_assert_int_eq(process_ref_open(pid, &init), 0);
	ck_assert_int_eq(process_ref_open(shim.pid, &ref), 0);
	ck_assert_int_eq(process_ref_signal(ref, SIGKILL), 0);
	process_ref_close(ref);
	ck_assert(wait_for(shim.base, process_ref_signal(init, 10) == -ESRCH));
	process_ref_close(init);
	ck_assert_uint_eq(shim_run(&shim, "delete", out, &n), 0);
	rs = containerd__task__v3__delete_response__unpack(
		NULL, n, (uint8_t *)out);
	ck_assert_ptr_nonnull(rs);
	ck_assert_uint_eq(rs->pid, pid);
	ck_assert_uint_eq(rs->exit_status, 255);
	ck_assert_ptr_nonnull(rs->exited_at);
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	shim_end(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_stdin, test_daemon_is_lost,
		test_terminal, test_logger, test_two_shims, test_delete, NULL};

	child_main();
	return suite_run("windows shim io", tests);
}
