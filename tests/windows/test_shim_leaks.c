/* SPDX-License-Identifier: Apache-2.0 */
/* A shim that has had many containers has no more open than one that has had
 * few, also if half of them could not be made. */
#include <stdlib.h>

#include "platform/file.h"
#include "platform/look.h"
#include "tests/unit/util_test.h"
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

START_TEST(test_flat)
{
	unsigned rounds =
		getenv("WISP_ROUNDS") ? atoi(getenv("WISP_ROUNDS")) : 40;
	unsigned i, before, after;
	struct look_process a, b;

	bundle_make(WORDS("exit", "3"), "");
	shim_begin(&shim, "flat");
	for (i = 0; i < 10; i++)
		round_trip(i);
	before = count_handles_of(shim.pid);
	ck_assert_int_eq(look_process(shim.pid, &a), 0);
	for (i = 0; i < rounds; i++)
		round_trip(i);
	ck_assert(wait_for(
		shim.base, (after = count_handles_of(shim.pid)) <= before));
	ck_assert_int_eq(look_process(shim.pid, &b), 0);
	ck_assert_uint_le(b.threads, a.threads);
	shim_end(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_flat, NULL};

	child_main();
	return suite_run("windows shim leaks", tests);
}
