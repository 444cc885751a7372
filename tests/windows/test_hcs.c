/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of the host compute service, over a table of functions. */
#include <event2/event.h>

#include "platform/windows/hcs.h"
#include "platform/windows/hcs_text.h"
#include "tests/unit/util_test.h"

static struct event_base *base;
static struct err e;

static struct {
	HCS_OPERATION_COMPLETION done;
	void *context;
	unsigned open;
	HRESULT hr;
	const wchar_t *text;
} op;

static HCS_OPERATION WINAPI create_operation(
	const void *context, HCS_OPERATION_COMPLETION done)
{
	op.done = done;
	op.context = (void *)context;
	op.open++;
	return (HCS_OPERATION)&op;
}

static void WINAPI close_operation(HCS_OPERATION operation)
{
	ck_assert_ptr_eq(operation, &op);
	op.open--;
}

static HRESULT WINAPI get_result(HCS_OPERATION operation, PWSTR *ret)
{
	ck_assert_ptr_eq(operation, &op);
	*ret = NULL;
	if (op.text) {
		*ret = LocalAlloc(0, (wcslen(op.text) + 1) * sizeof(wchar_t));
		wcscpy(*ret, op.text);
	}
	return op.hr;
}

static const struct hcs_api api = {
	.HcsCreateOperation = create_operation,
	.HcsCloseOperation = close_operation,
	.HcsGetOperationResult = get_result,
};

static struct {
	bool came;
	int r;
	char text[256], message[256];
} answer;

static void on_answer(struct hcs_answer *a, void *arg)
{
	ck_assert_ptr_eq(arg, &answer);
	ck_assert(!answer.came);
	answer.came = true;
	answer.r = a->r;
	snprintf(answer.text, sizeof(answer.text), "%s", a->json);
	snprintf(answer.message, sizeof(answer.message), "%s", a->err->msg);
}

static struct hcs_call *call(uint32_t ms)
{
	struct hcs_call *c = NULL;

	ck_assert_int_eq(
		hcs_call_new(base, "start 'x'", ms, on_answer, &answer, &c, &e),
		0);
	ck_assert_ptr_eq(hcs_call_operation(c), &op);
	return c;
}

static void begin(void)
{
	memset(&op, 0, sizeof(op));
	memset(&answer, 0, sizeof(answer));
	SetEnvironmentVariableA("WISP_HCS_TIMEOUT_MS", NULL);
	base = event_base_new();
	hcs_use(&api);
}

static void end(void)
{
	ck_assert_uint_eq(op.open, 0);
	ck_assert_uint_eq(hcs_calls_open(), 0);
	hcs_use(NULL);
	event_base_free(base);
}

static DWORD WINAPI complete(void *unused)
{
	(void)unused;
	op.done((HCS_OPERATION)&op, op.context);
	return 0;
}

/* In a thread of its own, as the DLL does. */
static void complete_elsewhere(void)
{
	HANDLE t = CreateThread(NULL, 0, complete, NULL, 0, NULL);

	ck_assert_ptr_nonnull(t);
	WaitForSingleObject(t, INFINITE);
	CloseHandle(t);
}

START_TEST(test_answers)
{
	begin();
	op.text = L"{\"x\":1}";
	ck_assert_int_eq(hcs_call_begun(call(0), HCS_PENDING, &e), 0);
	complete_elsewhere();
	ck_assert(!answer.came); /* not before the loop */
	ck_assert(wait_for(base, answer.came));
	ck_assert_int_eq(answer.r, 0);
	ck_assert_str_eq(answer.text, "{\"x\":1}");
	answer.came = false;
	op.hr = HCS_NOT_FOUND;
	op.text = L"{\"ErrorMessage\":\"no such thing.\\r\\n\"}";
	ck_assert_int_eq(hcs_call_begun(call(0), S_OK, &e), 0);
	complete_elsewhere();
	ck_assert(wait_for(base, answer.came));
	ck_assert_int_eq(answer.r, -ENOENT);
	ck_assert_str_eq(answer.message,
		"start 'x': no such thing (host compute service, 0xC037010E)");
	end();
}
END_TEST

/* What was not begun, what nobody wants any more, and what comes too late. */
START_TEST(test_let_go)
{
	begin();
	hcs_call_drop(NULL);
	hcs_call_drop(call(0));
	ck_assert_uint_eq(op.open, 0);
	ck_assert_int_eq(
		hcs_call_begun(call(0), HCS_ALREADY_STOPPED, &e), -ESRCH);
	ck_assert_uint_eq(op.open, 0);
	/* refused at once, but in so many words */
	op.text = L"{\"ErrorMessage\":\"not today.\"}";
	ck_assert_int_eq(
		hcs_call_begun(call(0), HCS_ALREADY_STOPPED, &e), -ESRCH);
	ck_assert_ptr_nonnull(strstr(e.msg, "start 'x': not today"));
	ck_assert_uint_eq(op.open, 0);
	op.text = NULL;
	{
		struct hcs_call *c = call(0);

		ck_assert_int_eq(hcs_call_begun(c, S_OK, &e), 0);
		hcs_call_drop(c);
	}
	ck_assert_uint_eq(hcs_calls_open(), 1);
	complete_elsewhere();
	ck_assert_uint_eq(hcs_calls_open(), 0);
	{
		struct hcs_call *c = call(0);

		ck_assert_int_eq(hcs_call_begun(c, S_OK, &e), 0);
		complete_elsewhere();
		hcs_call_drop(c); /* the loop has not heard of it yet */
	}
	ck_assert_uint_eq(op.open, 0);
	ck_assert_int_eq(hcs_call_begun(call(20), S_OK, &e), 0);
	ck_assert(wait_for(base, answer.came));
	ck_assert_int_eq(answer.r, -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(answer.message, "within 20 ms"));
	ck_assert_uint_eq(op.open, 1);
	complete_elsewhere();
	end();
}
END_TEST

START_TEST(test_errors)
{
	static const struct {
		uint32_t hr;
		int r;
	} cases[] = {{0, 0}, {1, 0}, {0xC0370103, 0}, {0xC037010E, -ENOENT},
		{0x8037010E, -ENOENT}, {0xC0370110, -ESRCH},
		{0x8037011F, -ESRCH}, {0x8037010D, -EINVAL},
		{0x80370109, -ETIMEDOUT}, {0x80370105, -EBUSY},
		{0x8037FFFF, -EREMOTEIO}, {0x80004001, -ENOSYS},
		{0x80070005, -EACCES}, {0x8007000E, -ENOMEM},
		{0x80004005, -EREMOTEIO}};
	unsigned i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(hcs_error((HRESULT)cases[i].hr) == cases[i].r,
			"0x%08x: %d", cases[i].hr,
			hcs_error((HRESULT)cases[i].hr));
	ck_assert_int_eq(hcs_explain(&e, E_FAIL, "{\"ErrorMessage\":", "try"),
		-EREMOTEIO);
	ck_assert_ptr_nonnull(strstr(e.msg, "0x80004005"));
	hcs_explain(&e, E_FAIL, "{\"ErrorMessage\":[\"x\"]}", "try");
	ck_assert_ptr_nonnull(strstr(e.msg, "0x80004005"));
}
END_TEST

START_TEST(test_exit_codes)
{
	static const char *const none[] = {"", "]", "7", "[]",
		"{\"ExitCode\":4294967296}", "{\"ExitCode\":-1}",
		"{\"ExitCode\":1.5}", "{\"ExitCode\":\"1\"}",
		"{\"ExitCode\":null}", "{\"ExitCode\":1",
		"{\"ExitCode\":1,\"LastWaitResult\":5}",
		"{\"LastWaitResult\":-2147024890,\"ExitCode\":0}",
		"{\"LastWaitResult\":\"0\"}"};
	uint32_t v = 7;
	size_t i;

	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ck_assert_msg(!hcs_exit_code(none[i], &v), "%s", none[i]);
	ck_assert_uint_eq(v, 7);
	ck_assert(hcs_exit_code("{\"ProcessId\":4,\"ExitCode\":4294967295,"
				"\"LastWaitResult\":0}",
		&v));
	ck_assert_uint_eq(v, UINT32_MAX);
	/* not written out, as is what is 0 */
	ck_assert(hcs_exit_code("{\"ProcessId\":4,\"Exited\":true}", &v));
	ck_assert_uint_eq(v, 0);
	v = 7;
	ck_assert(hcs_exit_code("{\"x\":{\"ExitCode\":9}}", &v));
	ck_assert_uint_eq(v, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_answers, test_let_go, test_errors, test_exit_codes, NULL};

	return suite_run("windows hcs", tests);
}
