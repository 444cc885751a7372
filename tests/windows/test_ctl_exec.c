/* SPDX-License-Identifier: Apache-2.0 */
/* End to end: wispctl.exe exec, signals, and a wispctl that is killed. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/util_test.h"
#include "tests/windows/util_ctl.h"
#include "tests/windows/util_handles.h"
#include "tests/windows/util_shim.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define BOX "box"

static struct ctl box, ctl;

/* A container that lives until its stdin ends. */
static void box_begin(void)
{
	ctl_begin(&box, "run", WORDS("-i", "--name", BOX), WORDS("echo"), true);
	ctl_type(&box, "there", 5);
	ck_assert(ctl_says(&box.out, "there"));
}

static void box_open(void)
{
	ctl_setup();
	box_begin();
}

static void box_close(void)
{
	ck_assert_uint_eq(ctl_end(&box), 0);
	ctl_clear(&box);
	ctl_clear(&ctl);
	ctl_teardown();
}

static uint32_t exec(const char *const *words, const char *const *child)
{
	ctl_clear(&ctl);
	ctl_begin(&ctl, "exec", words, child, false);
	return ctl_end(&ctl);
}

static const char *out(void)
{
	return ctl.out.text ? ctl.out.text : "";
}

#define LONG_WORD 30000

/* Each one as the program must see it. */
static const char *const vectors[24][5] = {
	{""},
	{"", "", ""},
	{"a b"},
	{"a\tb"},
	{"\""},
	{"\"\""},
	{"a\"b"},
	{"\\"},
	{"\\\\"},
	{"a\\\\b"},
	{"a\\\"b"},
	{"a\\\\\"b"},
	{"trailing\\"},
	{"trailing space\\"},
	{"trailing two\\\\", "next"},
	{"C:\\Program Files\\x\\", "\"quoted\\\""},
	{"\\\"\\\"", "\\\\\"\\\\"},
	{"%PATH%", "%%", "%1"},
	{"^", "^^", "a^&b|c<d>e"},
	{"*.c", "?", "$env:X", "`x`"},
	{"'single'", "/flag", "-x=\"1 2\""},
	{"\xc3\xa9\xe2\x82\xac", "\xf0\x9f\x90\x88\xf0\x9d\x84\x9e"},
	{" leading", "trailing ", "\n", "\r\n"},
	{"long", NULL},
};

/* What `args` prints: each with a NUL after it. */
static void check_vector(size_t i, const char *verb, const char *const *words)
{
	static char many[LONG_WORD + 1];
	const char *child[7] = {"args"};
	const char *at;
	size_t n = 1, left;
	uint32_t status;

	for (; n < 6 && vectors[i][n - 1]; n++)
		child[n] = vectors[i][n - 1];
	if (i == LENGTH(vectors) - 1) {
		memset(many, 'x', LONG_WORD);
		many[LONG_WORD / 2] = ' ';
		child[n++] = many;
	}
	ctl_clear(&ctl);
	ctl_begin(&ctl, verb, words, child, false);
	status = ctl_end(&ctl);
	ck_assert_msg(status == 0, "vector %zu: %u %s", i, status,
		ctl.err.text ? ctl.err.text : "");
	at = out();
	left = ctl.out.n;
	for (n = 1; child[n]; n++) {
		size_t len = strlen(child[n]) + 1;

		ck_assert_msg(left >= len && memcmp(at, child[n], len) == 0,
			"vector %zu, word %zu came as '%.*s'", i, n, (int)left,
			at);
		at += len;
		left -= len;
	}
	ck_assert_uint_eq(left, 0);
}

/* As process.args, which the shim escapes. */
START_TEST(test_arguments_of_exec)
{
	size_t i;

	box_open();
	for (i = 0; i < LENGTH(vectors); i++)
		check_vector(i, "exec", WORDS(BOX));
	box_close();
}
END_TEST

/* As process.commandLine, which wispctl escapes. WISP_ALL: all of them, not
 * every third. */
START_TEST(test_arguments_of_run)
{
	size_t step = getenv("WISP_ALL") ? 1 : 3, i;

	ctl_setup();
	for (i = step - 1; i < LENGTH(vectors); i += step)
		check_vector(i, "run", (const char *const[]){NULL});
	ctl_clear(&ctl);
	ctl_teardown();
}
END_TEST

START_TEST(test_exec)
{
	static const char *const codes[] = {
		"0", "256", "0x80000000", "0xC0000005", "0xffffffff"};
	unsigned before, after;
	int64_t shim;
	size_t i;

	box_open();
	exec(WORDS(BOX), WORDS("exit", "0"));
	shim = ctl_shim_pid(BOX);
	ck_assert_int_gt(shim, 0);
	before = count_handles_of(shim);
	for (i = 0; i < LENGTH(codes); i++)
		ck_assert_uint_eq(exec(WORDS(BOX), WORDS("exit", codes[i])),
			strtoul(codes[i], NULL, 0));
	ck_assert_uint_eq(
		exec(WORDS("-e", "A=\xf0\x9f\x90\x88", BOX), WORDS("env", "A")),
		0);
	ck_assert_str_eq(out(), "\xf0\x9f\x90\x88");
	ck_assert_uint_eq(
		exec(WORDS("-w", "C:\\windows", BOX), WORDS("cwd")), 0);
	ck_assert_int_eq(strcasecmp(out(), "C:\\windows"), 0);
	ck_assert_uint_eq(exec(WORDS(BOX, "--", "no-such-program"), NULL), 127);
	ck_assert_uint_eq(exec(WORDS("nobody", "--", "x"), NULL), 125);
	ck_assert_uint_eq(exec(WORDS("-n", "a/b", BOX, "x"), NULL), 125);
	ck_assert_uint_eq(exec(WORDS("-x", "..", BOX, "x"), NULL), 125);
	/* the same from the namespace alone, as for a daemon's container */
	ck_assert_uint_eq(
		exec(WORDS("-n", "wisp", BOX), WORDS("exit", "9")), 9);
	/* the shim has let go of all of them */
	ck_assert(wait_for(
		ctl_base(), (after = count_handles_of(shim)) <= before));
	box_close();
}
END_TEST

START_TEST(test_exec_streams)
{
	enum { N = 8 << 20 };
	char *data = malloc(N);
	size_t i;

	ck_assert_ptr_nonnull(data);
	for (i = 0; i < N; i++)
		data[i] = (char)(i % 251);
	box_open();
	ck_assert_uint_eq(exec(WORDS(BOX), WORDS("both", "8388608")), 0);
	ck_assert_uint_eq(ctl.out.n, N);
	ck_assert_uint_eq(ctl.err.n, N);
	ck_assert(memcmp(ctl.out.text, data, N) == 0);
	for (i = 0; i < N; i++)
		if (ctl.err.text[i] != (char)(i * 7 % 251))
			ck_abort_msg("byte %zu of stderr is wrong", i);
	ctl_clear(&ctl);
	ctl_begin(&ctl, "exec", WORDS("-i", BOX), WORDS("echo"), true);
	ctl_type(&ctl, data, N / 8);
	ck_assert_uint_eq(ctl_end(&ctl), 0);
	ck_assert_uint_eq(ctl.out.n, N / 8);
	ck_assert(memcmp(ctl.out.text, data, N / 8) == 0);
	free(data);
	box_close();
}
END_TEST

/* The task API, as any client has it. */
static void dial(struct shim *s, const char *id)
{
	struct stream *to;
	struct err e;

	memset(s, 0, sizeof(*s));
	s->base = ctl_base();
	snprintf(s->id, sizeof(s->id), "%s", id);
	snprintf(s->address, sizeof(s->address),
		"\\\\.\\pipe\\ProtectedPrefix\\Administrators\\"
		"containerd-shim-wisp-%s-pipe",
		id);
	ck_assert_msg(
		stream_connect(s->base, s->address, &to, &e) == 0, "%s", e.msg);
	s->client = ttrpc_client_new(s->base, to, NULL, NULL);
	ck_assert_ptr_nonnull(s->client);
}

static enum ttrpc_code send_signal(const char *id, uint32_t signal)
{
	enum ttrpc_code code;
	struct shim s;

	dial(&s, id);
	code = shim_kill(&s, "", signal);
	ttrpc_client_free(s.client);
	return code;
}

static size_t list_pids(const char *id, int64_t *pids, size_t max)
{
	Containerd__Task__V3__PidsRequest rq =
		CONTAINERD__TASK__V3__PIDS_REQUEST__INIT;
	Containerd__Task__V3__PidsResponse *rs;
	struct shim s;
	size_t i;

	dial(&s, id);
	rq.id = s.id;
	rs = (void *)shim_call(&s, "Pids", &rq.base, NULL);
	for (i = 0; i < rs->n_processes && i < max; i++)
		pids[i] = rs->processes[i]->pid;
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	ttrpc_client_free(s.client);
	return i;
}

static bool is_alive(int64_t pid)
{
	struct process_ref *ref;

	if (process_ref_open(pid, &ref) < 0)
		return false;
	process_ref_close(ref);
	return true;
}

/* SIGKILL, and of the processes that init has started none is left. */
START_TEST(test_descendants)
{
	int64_t pids[8];
	size_t n, i;

	ctl_setup();
	ctl_begin(&box, "run", WORDS("--name", BOX), WORDS("spawn"), false);
	ck_assert(ctl_says(&box.out, "spawned"));
	Sleep(300); /* Wine: a console event while it starts breaks it */
	ck_assert_int_eq(send_signal(BOX, 10), TTRPC_FAILED_PRECONDITION);
	n = list_pids(BOX, pids, LENGTH(pids));
	ck_assert_uint_ge(n, 2);
	ck_assert_int_eq(send_signal(BOX, 9), TTRPC_OK);
	ck_assert_uint_eq(ctl_end(&box), 1);
	for (i = 0; i < n; i++)
		ck_assert(!is_alive(pids[i]));
	ctl_clear(&box);
	ctl_teardown();
}
END_TEST

/* wispctl is the daemon: the shim outlives it, and so does the container; the
 * next `run` finds both and releases them. */
START_TEST(test_ctl_is_killed)
{
	struct process_ref *ref;
	int64_t shim;

	ctl_setup();
	ctl_begin(&box, "run", WORDS("--name", BOX), WORDS("spawn"), false);
	ck_assert(ctl_says(&box.out, "spawned"));
	Sleep(300); /* as above */
	shim = ctl_shim_pid(BOX);
	ck_assert_int_gt(shim, 0);
	ck_assert_int_eq(process_ref_open(box.pid, &ref), 0);
	ck_assert_int_eq(process_ref_signal(ref, 9), 0);
	process_ref_close(ref);
	ctl_end(&box);
	ctl_clear(&box);
	ck_assert(is_alive(shim));
	/* it can still be asked */
	ck_assert_uint_eq(exec(WORDS(BOX), WORDS("exit", "5")), 5);
	ctl_clear(&ctl);
	/* a new one of the same name, without a word about the old one */
	ctl_begin(&box, "run", WORDS("--name", BOX), WORDS("exit", "4"), false);
	ck_assert_uint_eq(ctl_end(&box), 4);
	ctl_clear(&box);
	ck_assert(wait_for(ctl_base(), !is_alive(shim)));
	ctl_teardown();
}
END_TEST

/* And the other way round. */
START_TEST(test_shim_is_killed)
{
	struct process_ref *ref;

	ctl_setup();
	ctl_begin(&box, "run", WORDS("--name", BOX), WORDS("spawn"), false);
	ck_assert(ctl_says(&box.out, "spawned"));
	ck_assert_int_eq(process_ref_open(ctl_shim_pid(BOX), &ref), 0);
	ck_assert_int_eq(process_ref_signal(ref, 9), 0);
	process_ref_close(ref);
	ck_assert_uint_eq(ctl_end(&box), 125);
	ck_assert_ptr_nonnull(strstr(box.err.text, "the shim is gone"));
	ctl_clear(&box);
	ctl_teardown();
}
END_TEST

/* Nobody reads our stdout any more: the container is ended, as by SIGPIPE. */
START_TEST(test_reader_goes)
{
	ctl_setup();
	ctl_begin(&box, "run", (const char *const[]){NULL},
		WORDS("burst", "100000000"), false);
	ck_assert(wait_for(ctl_base(), stream_pending(box.out.from) > 0));
	stream_close(box.out.from);
	box.out.from = NULL;
	ck_assert_uint_eq(ctl_end(&box), 128 + 13);
	ctl_clear(&box);
	ctl_teardown();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_arguments_of_exec,
		test_arguments_of_run, test_exec, test_exec_streams,
		test_descendants, test_ctl_is_killed, test_shim_is_killed,
		test_reader_goes, NULL};

	child_main();
	return suite_run("windows ctl_exec", tests);
}
