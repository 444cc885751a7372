/* SPDX-License-Identifier: Apache-2.0 */
/* A shim that has had many containers has no more open than one that has had
 * few, also if half of them could not be made. WISP_ROUNDS: how many; 700 of
 * test_flat_failing have each call fail once that a create makes. WISP_SHOW=1
 * tells what failed, and what came of it. */
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

static unsigned n_call;

/* What failed. */
static const char *place(void)
{
	static char text[160];

	snprintf(text, sizeof(text), "call %u, %s at %llx", n_call, fail->what,
		(unsigned long long)fail->where);
	return text;
}

/* One create, and every other one fails: each at the next call of all that can
 * fail, of the system and for memory by turns. Each is of another container: to
 * wait until the name of the one before is free would be most of the calls. */
static void failing_trip(unsigned i)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	Containerd__Task__V3__DeleteRequest gone =
		CONTAINERD__TASK__V3__DELETE_REQUEST__INIT;
	static unsigned n[2] = {1, 1};
	unsigned memory = i / 2 % 2;
	char bundle[FILE_PATH_MAX], id[32];
	enum ttrpc_code code, deleted;
	bool fails = i % 2 == 0, hit;

	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	snprintf(id, sizeof(id), "flat-failing-%u", i);
	rq.id = gone.id = id;
	rq.bundle = bundle;
	n_call = n[memory];
	if (fails)
		fail_at(memory ? FAIL_MEMORY : FAIL_CALLS, n[memory]++, 1,
			FAIL_SERVER);
	shim_call_plain(&shim, "Create", &rq.base, &code);
	hit = fails && fail_off();
	if (hit && getenv("WISP_SHOW"))
		printf("%u %lld: %s: %d %s\n", i, (long long)real_ms(), place(),
			(int)code, code == TTRPC_OK ? "" : shim.message);
	if (fails && !hit)
		n[memory] = 1; /* all of them have had their turn */
	if (!hit)
		ck_assert_msg(code == TTRPC_OK, "%u: %s", i, shim.message);
	shim_revive(&shim);
	shim_call_plain(&shim, "Delete", &gone.base, &deleted);
	ck_assert_msg(deleted == TTRPC_OK ||
			      (code != TTRPC_OK && deleted == TTRPC_NOT_FOUND),
		"%u, %s: %s", i, place(), shim.message);
}

START_TEST(test_flat_failing)
{
	bundle_make(WORDS("exit", "3"), "");
	shim_begin(&shim, "flat-failing");
	shim.note = place;
	check_flat(fail_number("WISP_ROUNDS", 500), failing_trip);
	shim_end(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_flat, test_flat_failing, NULL};
	int r;

	child_main();
	if (!fail_open())
		return EXIT_FAILURE;
	r = suite_run("windows shim leaks", tests);
	fail_close();
	return r;
}
