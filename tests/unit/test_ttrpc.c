/* SPDX-License-Identifier: Apache-2.0 */
/* Our client and our server, unary, over a socket pair. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util_ttrpc.h"

START_TEST(test_say)
{
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	struct outcome o;

	ck_assert_int_eq(echo_call(c, "Say", "hello", 0, 0, &o), 0);
	ck_assert_uint_eq(o.runs, 0);
	ck_assert(world_wait(w, o.runs));
	ck_assert_int_eq(o.code, TTRPC_OK);
	ck_assert_str_eq(o.text, "hello");
	ck_assert_str_eq(o.message, "");
	ck_assert(ttrpc_server_flushed(w->server));
	ttrpc_client_free(c);
	world_free(w);
}
END_TEST

/* An empty response is an empty message, not none. */
START_TEST(test_empty)
{
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	struct outcome o;

	ck_assert_int_eq(echo_call(c, "Say", "", 0, 0, &o), 0);
	ck_assert(world_wait(w, o.runs));
	ck_assert_int_eq(o.code, TTRPC_OK);
	ck_assert(o.has_response);
	ttrpc_client_free(c);
	world_free(w);
}
END_TEST

START_TEST(test_fail)
{
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	struct outcome o;

	ck_assert_int_eq(
		echo_call(c, "Fail", "no such web", TTRPC_NOT_FOUND, 0, &o), 0);
	ck_assert(world_wait(w, o.runs));
	ck_assert_int_eq(o.code, TTRPC_NOT_FOUND);
	ck_assert_str_eq(o.message, "no such web");
	ck_assert(!o.has_response);
	/* an error without a code is still one */
	ck_assert_int_eq(echo_call(c, "Fail", "x", TTRPC_OK, 0, &o), 0);
	ck_assert(world_wait(w, o.runs));
	ck_assert_int_eq(o.code, TTRPC_UNKNOWN);
	ttrpc_client_free(c);
	world_free(w);
}
END_TEST

START_TEST(test_unimplemented)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	struct outcome o = {0};

	ck_assert_int_eq(echo_call(c, "Missing", "", 0, 0, &o), 0);
	ck_assert(world_wait(w, o.runs));
	ck_assert_int_eq(o.code, TTRPC_UNIMPLEMENTED);
	ck_assert_str_eq(o.message, "method Missing");
	memset(&o, 0, sizeof(o));
	ck_assert_int_eq(ttrpc_client_call(c, "x.y", echo_method("Say"),
				 &q.base, 0, NULL, outcome_cb, &o),
		0);
	ck_assert(world_wait(w, o.runs));
	ck_assert_int_eq(o.code, TTRPC_UNIMPLEMENTED);
	ck_assert_str_eq(o.message, "service x.y");
	ttrpc_client_free(c);
	world_free(w);
}
END_TEST

START_TEST(test_same_service_twice)
{
	static const ttrpc_handler none[8];
	struct world *w = world_new();

	ck_assert_int_eq(ttrpc_server_add(w->server, "other",
				 &wisp__test__echo__descriptor, none, NULL),
		0);
	ck_assert_int_eq(ttrpc_server_add(w->server, ECHO,
				 &wisp__test__echo__descriptor, none, NULL),
		-EEXIST);
	world_free(w);
}
END_TEST

START_TEST(test_metadata_and_looks)
{
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	struct outcome o;

	ck_assert_int_eq(echo_call(c, "Hold", "", 0, 0, &o), 0);
	ck_assert(world_wait(w, w->n_held));
	ck_assert_str_eq(w->metadata, "test-ns");
	ck_assert_ptr_null(ttrpc_call_metadata(w->held[0], "other"));
	ck_assert_str_eq(ttrpc_call_service(w->held[0]), ECHO);
	ck_assert_str_eq(ttrpc_call_method(w->held[0]), "Hold");
	ck_assert(!ttrpc_call_is_canceled(w->held[0]));
	usleep(20000);
	ck_assert_uint_ge(ttrpc_call_age_ms(w->held[0]), 20);
	ttrpc_client_free(c);
	world_free(w);
}
END_TEST

static void count_call(const struct ttrpc_call *call, void *arg)
{
	(void)call;
	++*(unsigned *)arg;
}

START_TEST(test_each_call)
{
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w), *d = world_client(w);
	struct outcome o[3];
	unsigned n = 0;

	echo_call(c, "Hold", "", 0, 0, &o[0]);
	echo_call(c, "Hold", "", 0, 0, &o[1]);
	echo_call(d, "Hold", "", 0, 0, &o[2]);
	ck_assert(world_wait(w, w->n_held == 3));
	ttrpc_server_each_call(w->server, count_call, &n);
	ck_assert_uint_eq(n, 3);
	/* one whose peer is gone still has no answer */
	ttrpc_client_free(d);
	ck_assert(world_wait(w, w->n_canceled == 1));
	n = 0;
	ttrpc_server_each_call(w->server, count_call, &n);
	ck_assert_uint_eq(n, 3);
	ttrpc_call_fail(w->held[--w->n_held], TTRPC_CANCELED, "");
	n = 0;
	ttrpc_server_each_call(w->server, count_call, &n);
	ck_assert_uint_eq(n, 2);
	ttrpc_client_free(c);
	world_free(w);
}
END_TEST

/* ---- sizes ---- */

START_TEST(test_largest_response)
{
	/* Response.payload and EchoResponse.data: tag and 4 bytes of length */
	const uint32_t room = FRAME_DATA_MAX - 2 * 5;
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	struct outcome o;

	ck_assert_int_eq(echo_call(c, "Big", "", room, 0, &o), 0);
	ck_assert(world_wait(w, o.runs));
	ck_assert_int_eq(o.code, TTRPC_OK);
	ck_assert_uint_eq(o.data_size, room);
	ck_assert_int_eq(echo_call(c, "Big", "", room + 1, 0, &o), 0);
	ck_assert(world_wait(w, o.runs));
	ck_assert_int_eq(o.code, TTRPC_RESOURCE_EXHAUSTED);
	ck_assert_ptr_nonnull(strstr(o.message, "4194304"));
	/* and the connection lives */
	ck_assert_int_eq(echo_call(c, "Say", "still", 0, 0, &o), 0);
	ck_assert(world_wait(w, o.runs));
	ck_assert_str_eq(o.text, "still");
	ttrpc_client_free(c);
	world_free(w);
}
END_TEST

START_TEST(test_request_too_big)
{
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	char *text = malloc(FRAME_DATA_MAX + 1);
	struct outcome o;

	memset(text, 'x', FRAME_DATA_MAX);
	text[FRAME_DATA_MAX] = '\0';
	ck_assert_int_eq(echo_call(c, "Say", text, 0, 0, &o), -EMSGSIZE);
	text[FRAME_DATA_MAX - 200] = '\0';
	ck_assert_int_eq(echo_call(c, "Say", text, 0, 0, &o), 0);
	ck_assert(world_wait(w, o.runs));
	ck_assert_int_eq(o.code, TTRPC_OK);
	free(text);
	ttrpc_client_free(c);
	world_free(w);
}
END_TEST

/* ---- time ---- */

START_TEST(test_deadline)
{
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	struct outcome o;
	uint64_t start_ms = world_now_ms();

	ck_assert_int_eq(echo_call(c, "Hold", "", 0, 50, &o), 0);
	ck_assert(world_wait(w, o.runs && w->n_canceled));
	ck_assert_uint_ge(world_now_ms() - start_ms, 40); /* coarse clock */
	ck_assert_int_eq(o.code, TTRPC_DEADLINE_EXCEEDED);
	ck_assert_str_eq(o.message, "context deadline exceeded");
	ck_assert(ttrpc_call_is_canceled(w->held[0]));
	/* the late answer is dropped, and nobody minds */
	ttrpc_call_fail(w->held[--w->n_held], TTRPC_ABORTED, "late");
	ck_assert_int_eq(echo_call(c, "Say", "on", 0, 50, &o), 0);
	ck_assert(world_wait(w, o.runs));
	ck_assert_str_eq(o.text, "on");
	/* its timer is gone with it */
	usleep(60000);
	world_settle(w);
	ck_assert_uint_eq(o.runs, 1);
	ttrpc_client_free(c);
	world_free(w);
}
END_TEST

/* No timer and no wakeup while calls without a deadline are open. */
START_TEST(test_idle_has_no_timer)
{
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	struct outcome o;

	ck_assert_int_eq(echo_call(c, "Hold", "", 0, 0, &o), 0);
	ck_assert(world_wait(w, w->n_held));
	world_settle(w);
	ck_assert_int_eq(
		event_base_get_num_events(w->base, EVENT_BASE_COUNT_ADDED), 2);
	ck_assert_int_eq(
		event_base_get_num_events(w->base, EVENT_BASE_COUNT_ACTIVE), 0);
	ttrpc_client_free(c);
	world_free(w);
}
END_TEST

/* ---- many ---- */

START_TEST(test_many_open)
{
	enum { N = 10000 };
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	struct outcome *o = calloc(N, sizeof(*o));
	unsigned i, done = 0;

	for (i = 0; i < N; i++) {
		ck_assert_int_eq(echo_call(c, "Hold", "", 0, 0, &o[i]), 0);
		if (i % 100 == 0)
			event_base_loop(w->base, EVLOOP_NONBLOCK);
	}
	ck_assert(world_wait(w, w->n_held == N));
	/* answered backwards */
	while (w->n_held > 0)
		ttrpc_call_fail(w->held[--w->n_held], TTRPC_ABORTED, "now");
	ck_assert(world_wait(w, o[0].runs));
	for (i = 0; i < N; i++)
		done += o[i].runs == 1 && o[i].code == TTRPC_ABORTED;
	ck_assert_uint_eq(done, N);
	free(o);
	ttrpc_client_free(c);
	world_free(w);
}
END_TEST

static unsigned count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static size_t heap_in_use(void)
{
	return mallinfo2().uordblks + mallinfo2().hblkhd;
}

static void ten_calls(struct world *w)
{
	struct ttrpc_client *c = world_client(w);
	struct outcome o;
	int i;

	for (i = 0; i < 9; i++) {
		ck_assert_int_eq(echo_call(c, i % 3 ? "Say" : "Fail", "some", 3,
					 i == 4 ? 1000 : 0, &o),
			0);
		ck_assert(world_wait(w, o.runs));
	}
	ck_assert_int_eq(echo_call(c, "Hold", "left open", 0, 0, &o), 0);
	ck_assert(world_wait(w, w->n_held));
	ttrpc_client_free(c);
	ck_assert(world_wait(w, w->n_canceled));
	w->n_canceled = 0;
	ttrpc_call_fail(w->held[--w->n_held], TTRPC_CANCELED, "");
}

START_TEST(test_flat)
{
	struct world *w = world_new();
	unsigned fds, i;
	size_t heap;

	for (i = 0; i < 10; i++)
		ten_calls(w);
	fds = count_fds();
	heap = heap_in_use();
	for (i = 0; i < 1000; i++)
		ten_calls(w);
	ck_assert_uint_eq(count_fds(), fds);
	ck_assert_uint_le(heap_in_use(), heap + 1024);
	ck_assert_uint_eq(ttrpc_server_connections(w->server), 0);
	world_free(w);
}
END_TEST

static Suite *ttrpc_suite(void)
{
	Suite *s = suite_create("ttrpc");
	TCase *t = tcase_create("calls");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_say);
	tcase_add_test(t, test_empty);
	tcase_add_test(t, test_fail);
	tcase_add_test(t, test_unimplemented);
	tcase_add_test(t, test_same_service_twice);
	tcase_add_test(t, test_metadata_and_looks);
	tcase_add_test(t, test_each_call);
	tcase_add_test(t, test_largest_response);
	tcase_add_test(t, test_request_too_big);
	tcase_add_test(t, test_deadline);
	tcase_add_test(t, test_idle_has_no_timer);
	tcase_add_test(t, test_many_open);
	tcase_add_test(t, test_flat);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(ttrpc_suite());
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
