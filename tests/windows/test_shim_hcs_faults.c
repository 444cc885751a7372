/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a container when the host compute service refuses, does not
 * answer, or answers nonsense: everything that was opened is closed, and the
 * shim goes on. */
#include "platform/file.h"
#include "platform/process.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_handles.h"
#include "tests/windows/util_hcs.h"
#include "tests/windows/util_shim.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct shim shim;

static enum ttrpc_code call(const char *method, const ProtobufCMessage *rq)
{
	enum ttrpc_code code;
	ProtobufCMessage *rs = shim_call(&shim, method, rq, &code);

	if (rs)
		protobuf_c_message_free_unpacked(rs, NULL);
	return rs ? TTRPC_OK : code;
}

static enum ttrpc_code create(void)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	char bundle[FILE_PATH_MAX];

	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	rq.id = shim.id;
	rq.bundle = bundle;
	return call("Create", &rq.base);
}

static enum ttrpc_code start(void)
{
	Containerd__Task__V3__StartRequest rq =
		CONTAINERD__TASK__V3__START_REQUEST__INIT;

	rq.id = shim.id;
	return call("Start", &rq.base);
}

/* The plan, how far a container gets with it, and what is said. */
enum { FAILS_CREATE, FAILS_START, LIVES };

static const struct fault {
	const char *plan;
	int gets;
	enum ttrpc_code code;
	const char *said;
} faults[] = {
	{"HcsCreateComputeSystem 1 fail 0xC037010F", FAILS_CREATE,
		TTRPC_ALREADY_EXISTS, "create container"},
	{"HcsCreateComputeSystem 1 late 0xC0370112", FAILS_CREATE,
		TTRPC_INVALID_ARGUMENT, "as it was planned"},
	{"HcsCreateComputeSystem 1 text 0xC0370106", FAILS_CREATE,
		TTRPC_UNKNOWN, "0xC0370106"},
	{"HcsCreateComputeSystem 1 text 0x0", LIVES, TTRPC_OK, NULL},
	{"HcsCreateComputeSystem 1 never", FAILS_CREATE,
		TTRPC_DEADLINE_EXCEEDED, "has not answered"},
	{"HcsCreateOperation 1 fail", FAILS_CREATE, TTRPC_RESOURCE_EXHAUSTED,
		"create container"},
	{"HcsSetComputeSystemCallback 1 fail 0x80070005", FAILS_CREATE,
		TTRPC_PERMISSION_DENIED, "watch"},
	{"HcsStartComputeSystem 1 fail 0xC0370105", FAILS_START,
		TTRPC_FAILED_PRECONDITION, "start container"},
	{"HcsStartComputeSystem 1 late 0xC0370106", FAILS_START, TTRPC_UNKNOWN,
		"as it was planned"},
	{"HcsStartComputeSystem 1 never", FAILS_START, TTRPC_DEADLINE_EXCEEDED,
		"has not answered"},
	{"HcsStartComputeSystem 1 text 0x0", LIVES, TTRPC_OK, NULL},
	{"HcsCreateProcess 1 fail 0x80070002", FAILS_START, TTRPC_UNKNOWN,
		"create a process"},
	{"HcsCreateProcess 1 late 0x80070002", FAILS_START, TTRPC_UNKNOWN,
		"as it was planned"},
	{"HcsCreateProcess 1 never", FAILS_START, TTRPC_DEADLINE_EXCEEDED,
		"has not answered"},
	{"HcsCreateProcess 1 zero", FAILS_START, TTRPC_UNKNOWN,
		"says nothing of the process"},
	{"HcsSetProcessCallback 1 fail 0x8007000E", FAILS_START,
		TTRPC_RESOURCE_EXHAUSTED, "watch"},
	{"HcsShutDownComputeSystem 1 fail 0x80070005", LIVES, TTRPC_OK, NULL},
	{"HcsShutDownComputeSystem 1 late 0xC0370105", LIVES, TTRPC_OK, NULL},
	{"HcsShutDownComputeSystem 1 never", LIVES, TTRPC_OK, NULL},
	{"HcsShutDownComputeSystem 1 late 0xC0370110", LIVES, TTRPC_OK, NULL},
};

static void try_fault(const struct fault *f)
{
	enum ttrpc_code code;
	const char *left;
	size_t n;

	hcs_put("log", NULL);
	hcs_plan(f->plan);
	code = create();
	if (code == TTRPC_OK) {
		ck_assert_msg(f->gets != FAILS_CREATE, "%s", f->plan);
		code = start();
	} else {
		ck_assert_msg(f->gets == FAILS_CREATE, "%s: create: %s",
			f->plan, shim.message);
	}
	ck_assert_msg((code == TTRPC_OK) == (f->gets == LIVES), "%s: %s",
		f->plan, shim.message);
	ck_assert_msg(
		code == f->code, "%s: %d, %s", f->plan, code, shim.message);
	if (f->said)
		ck_assert_msg(strstr(shim.message, f->said) != NULL, "%s: '%s'",
			f->plan, shim.message);
	if (f->gets == LIVES)
		ck_assert_uint_eq(shim_wait(&shim, ""), 3);
	if (f->gets != FAILS_CREATE)
		shim_delete(&shim, "");
	/* what never completes is never closed */
	n = strstr(f->plan, "never") ? 1 : 0;
	ck_assert_msg(
		wait_for(shim.base,
			(left = hcs_left(),
				n ? *left == 'o' && strchr(left, ' ')[1] == 0
				  : !*left)),
		"%s: %s", f->plan, left);
}

START_TEST(test_faults)
{
	unsigned i, before = 0, after = 0;

	hcs_begin();
	SetEnvironmentVariableA("WISP_HCS_TIMEOUT_MS", "1000");
	hcs_bundle(WORDS("exit", "3"), "", "", "");
	shim_begin(&shim, "hcs-faults");
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		try_fault(&faults[i]);
		if (i == 1)
			before = count_handles_of(shim.pid);
	}
	/* one after all that goes well */
	hcs_plan(NULL);
	ck_assert_int_eq(create(), TTRPC_OK);
	ck_assert_int_eq(start(), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 3);
	shim_delete(&shim, "");
	/* first uses of this and that have a few of their own */
	ck_assert_msg(wait_for(shim.base, (after = count_handles_of(
						   shim.pid)) <= before + 12),
		"%u handles, then %u", before, after);
	shim_end(&shim);
}
END_TEST

/* A start that failed can be tried again, whichever half of it failed. */
START_TEST(test_start_again)
{
	hcs_begin();
	hcs_bundle(WORDS("exit", "3"), "", "", "");
	shim_begin(&shim, "hcs-again");
	hcs_plan("HcsStartComputeSystem 1 late 0xC0370105\n"
		 "HcsCreateProcess 1 zero\n");
	ck_assert_int_eq(create(), TTRPC_OK);
	ck_assert_int_eq(start(), TTRPC_FAILED_PRECONDITION);
	ck_assert_int_eq(start(), TTRPC_UNKNOWN);
	ck_assert_int_eq(start(), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 3);
	ck_assert_uint_eq(hcs_called("HcsStartComputeSystem"), 2);
	shim_delete(&shim, "");
	ck_assert(wait_for(shim.base, !*hcs_left()));
	shim_end(&shim);
}
END_TEST

/* What the service says to a signal is what the caller hears. */
START_TEST(test_kill_fails)
{
	hcs_begin();
	hcs_bundle(WORDS("sleep"), "", "", "");
	shim_begin(&shim, "hcs-kill");
	hcs_plan("HcsSignalProcess 1 late 0x80070005\n"
		 "HcsTerminateProcess 1 fail 0xC0370105\n"
		 "HcsTerminateProcess 2 late 0x8037011F\n"
		 "HcsTerminateProcess 3 fail 0x80070005\n"
		 "HcsTerminateProcess 4 late 0x80070005\n");
	ck_assert_int_eq(create(), TTRPC_OK);
	ck_assert_int_eq(start(), TTRPC_OK);
	ck_assert_int_eq(shim_kill(&shim, "", 15), TTRPC_PERMISSION_DENIED);
	ck_assert_ptr_nonnull(strstr(shim.message, "as it was planned"));
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_FAILED_PRECONDITION);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_NOT_FOUND);
	/* what is said of one that has ended, but is open */
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_NOT_FOUND);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_NOT_FOUND);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 1);
	shim_delete(&shim, "");
	ck_assert(wait_for(shim.base, !*hcs_left()));
	shim_end(&shim);
}
END_TEST

/* A service that can't stop it is told to terminate it; what was left in it is
 * gone by then. */
START_TEST(test_stop)
{
	hcs_begin();
	SetEnvironmentVariableA("WISP_HCS_TIMEOUT_MS", "300");
	hcs_bundle(WORDS("spawn"), "", "", "");
	shim_begin(&shim, "hcs-stop");
	hcs_plan("HcsShutDownComputeSystem 1 never");
	ck_assert_int_eq(create(), TTRPC_OK);
	ck_assert_int_eq(start(), TTRPC_OK);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 1);
	ck_assert_uint_eq(hcs_called("HcsShutDownComputeSystem"), 1);
	ck_assert_uint_eq(hcs_called("HcsTerminateComputeSystem"), 1);
	shim_delete(&shim, "");
	shim_end(&shim);
}
END_TEST

/* A service that can't terminate it at once is told again. */
START_TEST(test_stop_again)
{
	hcs_begin();
	SetEnvironmentVariableA("WISP_HCS_TIMEOUT_MS", NULL);
	hcs_bundle(WORDS("spawn"), "", "", "");
	shim_begin(&shim, "hcs-stop-again");
	hcs_plan("HcsShutDownComputeSystem 1 late 0xC0370105\n"
		 "HcsTerminateComputeSystem 1 late 0xC0370105\n"
		 "HcsTerminateComputeSystem 2 fail 0xC0370105\n");
	ck_assert_int_eq(create(), TTRPC_OK);
	ck_assert_int_eq(start(), TTRPC_OK);
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 1);
	ck_assert(wait_for(
		shim.base, hcs_called("HcsTerminateComputeSystem") == 3));
	shim_delete(&shim, "");
	ck_assert(wait_for(shim.base, !*hcs_left()));
	shim_end(&shim);
}
END_TEST

/* The whole system ends by itself while a process runs in it, and the service
 * never says how that one has ended. */
START_TEST(test_system_dies)
{
	hcs_begin();
	hcs_bundle(WORDS("sleep"), "", "", "");
	shim_begin(&shim, "hcs-dies");
	ck_assert_int_eq(create(), TTRPC_OK);
	ck_assert_int_eq(start(), TTRPC_OK);
	hcs_put("die", "");
	/* the double looks when it is called */
	ck_assert_int_eq(shim_kill(&shim, "", 15), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 255);
	ck_assert_int_eq(start(), TTRPC_FAILED_PRECONDITION);
	ck_assert_uint_eq(shim_delete(&shim, ""), 255);
	ck_assert(wait_for(shim.base, !*hcs_left()));
	shim_end(&shim);
}
END_TEST

/* The error names what is missing, and no other container suffers. */
START_TEST(test_no_dll)
{
	const wchar_t *dll = L"C:\\windows\\system32\\computecore.dll";
	enum ttrpc_code code;

	hcs_begin();
	hcs_bundle(WORDS("exit", "3"), "", "", "");
	ck_assert(MoveFileW(dll, L"C:\\windows\\system32\\computecore.not"));
	shim_begin(&shim, "hcs-none");
	code = create();
	ck_assert(MoveFileW(L"C:\\windows\\system32\\computecore.not", dll));
	ck_assert_int_eq(code, TTRPC_UNIMPLEMENTED);
	ck_assert_ptr_nonnull(strstr(shim.message, "computecore.dll"));
	ck_assert_ptr_nonnull(strstr(shim.message, "feature Containers"));
	bundle_make(WORDS("exit", "4"), "");
	ck_assert_int_eq(create(), TTRPC_OK);
	ck_assert_int_eq(start(), TTRPC_OK);
	ck_assert_uint_eq(shim_wait(&shim, ""), 4);
	shim_delete(&shim, "");
	shim_end(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_faults, test_start_again,
		test_kill_fails, test_stop, test_stop_again, test_system_dies,
		test_no_dll, NULL};

	child_main();
	return suite_run("windows shim hcs faults", tests);
}
