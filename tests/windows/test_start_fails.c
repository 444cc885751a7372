/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call of the system that `start` makes fails once, in either of its two
 * processes: it prints the address, and there is a shim, or it says why not,
 * and nothing is left of it. And what nothing works without. WISP_STEP,
 * WISP_SHOW, WISP_FROM: see test_shim_fails.c.
 */
#include <stdlib.h>

#include "platform/listener.h"
#include "platform/process.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_fail.h"
#include "tests/windows/util_shim.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct shim shim;
static unsigned n_call;

static const char *place(void)
{
	static char text[160];

	snprintf(text, sizeof(text), "call %u, %s at %llx", n_call, fail->what,
		(unsigned long long)fail->where);
	return text;
}

static bool no_shim(void)
{
	return listener_probe("\\\\.\\pipe\\ProtectedPrefix\\Administrators\\"
			      "containerd-shim-ns-fails-pipe") < 0;
}

/* Of the second process's first word to the first one. */
static bool is_way_of_telling(void)
{
	return strcmp(fail->what, "ReadFile") == 0 ||
	       strcmp(fail->what, "WriteFile") == 0;
}

static bool start_once(const char *which, enum fail_process process)
{
	size_t len = sizeof(shim.address);
	uint32_t status;
	bool hit;

	fail_at(which, n_call, 1, process);
	status = shim_run(&shim, "start", shim.address, &len);
	hit = fail_off();
	if (getenv("WISP_SHOW"))
		printf("start %d: %s: %u '%s'\n", (int)process, place(), status,
			shim.address);
	if (status == 0) {
		shim_meet(&shim);
		shim_leave(&shim);
	} else {
		ck_assert_msg(strncmp(shim.address,
				      "containerd-shim-wisp-v1: ", 25) == 0 &&
				      (!strstr(shim.address, "died") ||
					      is_way_of_telling()),
			"%s: %s", place(), shim.address);
	}
	ck_assert_msg(wait_for(shim.base, no_shim()),
		"%s: the pipe is still there", place());
	return hit;
}

static void start_fails(enum fail_process process)
{
	n_call = fail_number("WISP_FROM", 1);
	while (start_once(FAIL_CALLS, process))
		n_call += fail_number("WISP_STEP", 5);
	n_call = fail_number("WISP_FROM", 1);
	while (start_once(FAIL_MEMORY, process))
		n_call += fail_number("WISP_STEP", 15);
}

START_TEST(test_start_fails)
{
	bundle_make(WORDS("exit", "3"), "");
	shim_open(&shim, "fails");
	_putenv("WISP_GRACE_MS=2000"); /* for a print that fails */
	start_fails(FAIL_FIRST);
	start_fails(FAIL_SERVER);
	_putenv("WISP_GRACE_MS=");
	shim_close(&shim);
}
END_TEST

/* ---- what nothing works without ---- */

static enum ttrpc_code answer(void)
{
	enum ttrpc_code code;
	Containerd__Task__V3__ConnectRequest rq =
		CONTAINERD__TASK__V3__CONNECT_REQUEST__INIT;

	rq.id = shim.id;
	shim_call_plain(&shim, "Connect", &rq.base, &code);
	return code;
}

/* The loop can't wait any more: the shim ends, and so do its containers. */
START_TEST(test_loop_fails)
{
	struct process_ref *ref;
	int64_t pid;

	bundle_make(WORDS("sleep"), "");
	shim_begin(&shim, "fails");
	pid = shim_create(&shim, "");
	shim_start(&shim, "");
	fail_at("select", 1, 1, FAIL_SERVER);
	answer();
	ck_assert(wait_for(shim.base, fail->failed > 0));
	fail_off();
	ck_assert(wait_for(shim.base, process_ref_open(pid, &ref) == -ESRCH ||
					      (process_ref_close(ref), false)));
	ck_assert(wait_for(shim.base, no_shim()));
	shim_end(&shim);
}
END_TEST

/* For a while nobody can wake the loop, and then nobody can dial. */
START_TEST(test_short_of_everything)
{
	bundle_make(WORDS("exit", "3"), "");
	shim_begin(&shim, "fails");
	fail_at("send", 1, 20, FAIL_SERVER);
	ck_assert_int_eq(answer(), TTRPC_OK);
	ck_assert_msg(fail_off(), "%s", place());
	fail_at("CreateNamedPipeW", 1, 10, FAIL_SERVER);
	for (n_call = 0; n_call < 8; n_call++)
		shim_redial(&shim);
	ck_assert_int_eq(answer(), TTRPC_OK);
	ck_assert_msg(fail_off(), "%s", place());
	shim_end(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_start_fails, test_loop_fails,
		test_short_of_everything, NULL};
	int r;

	child_main();
	if (!fail_open())
		return EXIT_FAILURE;
	r = suite_run("windows start fails", tests);
	fail_close();
	return r;
}
