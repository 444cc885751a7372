/* SPDX-License-Identifier: Apache-2.0 */
/* A shim that has had many containers has no more open than one that has had
 * few, also if half of them could not be made. WISP_ROUNDS: how many. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/file.h"
#include "platform/look.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_fail.h"
#include "tests/windows/util_handles.h"
#include "tests/windows/util_shim.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct shim shim;

/* Each one fails at another place. */
static void fail_create(unsigned how)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	char bundle[FILE_PATH_MAX];
	enum ttrpc_code code;

	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	rq.id = shim.id;
	rq.bundle = bundle;
	if (how == 0)
		rq.stdout = (char *)"\\\\.\\pipe\\nobody-serves";
	if (how == 1)
		bundle_make(WORDS("exit", "0"), ",\"cwd\":\"C:\\\\no*ne\"");
	if (how == 2)
		put_text("config.json", "{");
	if (how == 3)
		bundle_make(WORDS("exit", "0"), ",\"env\":[\"NO_EQUALS\"]");
	ck_assert_ptr_null(shim_call(&shim, "Create", &rq.base, &code));
	ck_assert_int_ne(code, TTRPC_OK);
	bundle_make(WORDS("exit", "3"), "");
}

static void round_trip(unsigned i)
{
	fail_create(i % 4);
	shim_create(&shim, "");
	if (i % 5 == 4) {
		ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	} else {
		shim_start(&shim, "");
		ck_assert_uint_eq(shim_wait(&shim, ""), 3);
	}
	shim_delete(&shim, "");
}

/* What it has after so many more rounds; of counts the least, as the system's
 * threads have some of their own for a while. */
struct figures {
	unsigned handles, threads;
	uint64_t kib; /* of memory */
};

static struct figures rounds_of(
	unsigned from, unsigned n, void (*trip)(unsigned i))
{
	struct figures f = {UINT_MAX, UINT_MAX, 0};
	struct look_process p;
	struct look_memory m;
	unsigned i, handles;

	for (i = from; i < from + n; i++) {
		trip(i);
		if (n > 20 && i % 5 != 0)
			continue;
		ck_assert_int_eq(look_process(shim.pid, &p), 0);
		handles = count_handles_of(shim.pid);
		f.handles = handles < f.handles ? handles : f.handles;
		f.threads = p.threads < f.threads ? p.threads : f.threads;
	}
	look_memory(shim.pid, &m);
	f.kib = m.own ? m.own : m.resident; /* Wine tells no more */
	ck_assert_uint_gt(f.kib, 0);
	return f;
}

/* The last rounds against the first ones. What the heap keeps may grow while
 * it finds its size, but not with the rounds. */
static void check_flat(unsigned rounds, void (*trip)(unsigned i))
{
	unsigned part = rounds / 10;
	struct figures a, b;

	rounds_of(0, 10, trip);
	a = rounds_of(10, part, trip);
	b = rounds_of(10 + part, rounds - 2 * part, trip);
	b = rounds_of(10 + rounds - part, part, trip);
	printf("%u rounds: %u handles, then %u; %u threads, %u; %u KiB, %u\n",
		rounds, a.handles, b.handles, a.threads, b.threads,
		(unsigned)a.kib, (unsigned)b.kib);
	ck_assert_uint_le(b.handles, a.handles);
	ck_assert_uint_le(b.threads, a.threads);
	ck_assert_uint_le(b.kib, a.kib + 512);
}

START_TEST(test_flat)
{
	bundle_make(WORDS("exit", "3"), "");
	shim_begin(&shim, "flat");
	check_flat(fail_number("WISP_ROUNDS", 20), round_trip);
	shim_end(&shim);
}
END_TEST

/* Half of the creates fail, each at the next call of all that can fail. */
static void failing_trip(unsigned i)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	Containerd__Task__V3__DeleteRequest gone =
		CONTAINERD__TASK__V3__DELETE_REQUEST__INIT;
	static unsigned n[2] = {1, 1};
	char bundle[FILE_PATH_MAX];
	enum ttrpc_code code;

	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	rq.id = gone.id = shim.id;
	rq.bundle = bundle;
	fail_at(i % 2 ? FAIL_MEMORY : FAIL_CALLS, n[i % 2]++, 1, FAIL_SERVER);
	shim_call_plain(&shim, "Create", &rq.base, &code);
	if (!fail_off())
		n[i % 2] = 1;
	shim_revive(&shim);
	shim_call_plain(
		&shim, "Delete", &gone.base, &code); /* if it is there */
	shim_create(&shim, "");
	shim_delete(&shim, "");
}

START_TEST(test_flat_failing)
{
	bundle_make(WORDS("exit", "3"), "");
	shim_begin(&shim, "flat-failing");
	check_flat(fail_number("WISP_ROUNDS", 50), failing_trip);
	shim_end(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_flat,
		getenv("WISP_ROUNDS") ? test_flat_failing : NULL, NULL};
	int r;

	child_main();
	if (!fail_open())
		return EXIT_FAILURE;
	r = suite_run("windows shim leaks", tests);
	fail_close();
	return r;
}
