/* SPDX-License-Identifier: Apache-2.0 */
/* Who may go, and when: peers, servers, clients, also from inside callbacks. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util_ttrpc.h"

START_TEST(test_client_goes)
{
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	struct outcome o;

	ck_assert_int_eq(echo_call(c, "Hold", "", 0, 0, &o), 0);
	ck_assert(world_wait(w, w->n_held));
	ck_assert_uint_eq(ttrpc_server_connections(w->server), 1);
	ttrpc_client_free(c);
	/* its callback ran before that returned */
	ck_assert_uint_eq(o.runs, 1);
	ck_assert_int_eq(o.code, TTRPC_CANCELED);
	ck_assert(world_wait(w, w->n_canceled && w->n_idle));
	ck_assert_uint_eq(ttrpc_server_connections(w->server), 0);
	ck_assert(ttrpc_call_is_canceled(w->held[0]));
	ck_assert_str_eq(ttrpc_call_method(w->held[0]), "Hold");
	world_free(w);
}
END_TEST

static unsigned n_closed;
static int closed_error;

static void closed_cb(int error, void *arg)
{
	struct outcome *o = arg;

	ck_assert_uint_eq(o->runs, 1); /* every call got its result first */
	closed_error = error;
	n_closed++;
}

START_TEST(test_server_goes)
{
	struct world *w = world_new();
	struct ttrpc_client *c;
	struct outcome o, late;

	c = ttrpc_client_new(
		w->base, world_stream(w, world_socket(w)), closed_cb, &o);
	ck_assert_int_eq(echo_call(c, "Hold", "", 0, 0, &o), 0);
	ck_assert(world_wait(w, w->n_held));
	ttrpc_server_free(w->server);
	w->server = NULL;
	ck_assert(ttrpc_call_is_canceled(w->held[0]));
	ck_assert(world_wait(w, n_closed));
	ck_assert_int_eq(o.code, TTRPC_UNAVAILABLE);
	ck_assert_int_eq(closed_error, 0);
	ck_assert_int_eq(echo_call(c, "Say", "", 0, 0, &late), -EPIPE);
	world_settle(w);
	ck_assert_uint_eq(n_closed, 1);
	ck_assert_uint_eq(late.runs, 0);
	ck_assert_uint_eq(w->n_canceled, 0); /* not after the server is gone */
	ttrpc_client_free(c);
	world_free(w);
}
END_TEST

START_TEST(test_server_freed_by_handler)
{
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	struct outcome o, p;

	w->free_server = true;
	ck_assert_int_eq(echo_call(c, "Hold", "", 0, 0, &o), 0);
	ck_assert_int_eq(echo_call(c, "Say", "", 0, 0, &p), 0);
	ck_assert(world_wait(w, o.runs && p.runs));
	ck_assert_int_eq(p.code, TTRPC_UNAVAILABLE);
	ttrpc_client_free(c);
	world_free(w);
}
END_TEST

static void free_server_cb(struct ttrpc_call *call, void *arg)
{
	struct world *w = arg;

	(void)call;
	ttrpc_server_free(w->server);
	w->server = NULL;
}

START_TEST(test_server_freed_by_cancel)
{
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	struct outcome o[3];
	int i;

	for (i = 0; i < 3; i++)
		ck_assert_int_eq(echo_call(c, "Hold", "", 0, 0, &o[i]), 0);
	ck_assert(world_wait(w, w->n_held == 3));
	ttrpc_call_on_cancel(w->held[1], free_server_cb, w);
	ttrpc_client_free(c);
	ck_assert(world_wait(w, !w->server));
	ck_assert_uint_eq(w->n_canceled, 1);
	for (i = 0; i < 3; i++)
		ck_assert(ttrpc_call_is_canceled(w->held[i]));
	world_free(w);
}
END_TEST

static void answer_all_cb(struct ttrpc_call *call, void *arg)
{
	struct world *w = arg;

	(void)call;
	while (w->n_held > 0)
		ttrpc_call_fail(w->held[--w->n_held], TTRPC_CANCELED, "");
}

/* One canceled call's callback answers all of them. */
START_TEST(test_answered_by_cancel)
{
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	struct outcome o[3];
	int i;

	for (i = 0; i < 3; i++)
		ck_assert_int_eq(echo_call(c, "Hold", "", 0, 0, &o[i]), 0);
	ck_assert(world_wait(w, w->n_held == 3));
	ttrpc_call_on_cancel(w->held[0], answer_all_cb, w);
	ttrpc_client_free(c);
	ck_assert(world_wait(w, w->n_held == 0));
	world_free(w);
}
END_TEST

START_TEST(test_cancel_taken_back)
{
	struct world *w = world_new();
	struct ttrpc_client *c = world_client(w);
	struct outcome o;

	ck_assert_int_eq(echo_call(c, "Hold", "", 0, 0, &o), 0);
	ck_assert(world_wait(w, w->n_held));
	ttrpc_call_on_cancel(w->held[0], NULL, NULL);
	ttrpc_client_free(c);
	ck_assert(world_wait(w, w->n_idle));
	ck_assert_uint_eq(w->n_canceled, 0);
	world_free(w);
}
END_TEST

struct suicide {
	struct ttrpc_client *client;
	unsigned runs;
};

static void suicide_cb(const struct ttrpc_result *r, void *arg)
{
	struct suicide *s = arg;

	(void)r;
	s->runs++;
	ttrpc_client_free(s->client);
	s->client = NULL;
}

static void free_client_in_callback(const char *method, bool server_goes)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	struct world *w = world_new();
	struct suicide s = {world_client(w), 0};
	struct outcome o, p;

	ck_assert_int_eq(echo_call(s.client, "Hold", "", 0, 0, &o), 0);
	ck_assert_int_eq(ttrpc_client_call(s.client, ECHO, echo_method(method),
				 &q.base, 0, NULL, suicide_cb, &s),
		0);
	ck_assert_int_eq(echo_call(s.client, "Hold", "", 0, 0, &p), 0);
	if (server_goes) {
		ck_assert(world_wait(w, w->n_held == 3));
		ttrpc_server_free(w->server);
		w->server = NULL;
	}
	ck_assert(world_wait(w, s.runs));
	ck_assert_int_eq(
		o.code, server_goes ? TTRPC_UNAVAILABLE : TTRPC_CANCELED);
	ck_assert_int_eq(p.code, TTRPC_CANCELED);
	ck_assert_uint_eq(o.runs + p.runs, 2);
	world_settle(w);
	world_free(w);
}

START_TEST(test_client_freed_by_result)
{
	free_client_in_callback("Say", false);
}
END_TEST

START_TEST(test_client_freed_by_close)
{
	free_client_in_callback("Hold", true);
}
END_TEST

static void again_cb(const struct ttrpc_result *r, void *arg)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	struct suicide *s = arg;

	ck_assert_int_eq(r->code, TTRPC_OK);
	if (++s->runs < 100)
		ck_assert_int_eq(
			ttrpc_client_call(s->client, ECHO, echo_method("Say"),
				&q.base, 0, NULL, again_cb, s),
			0);
}

START_TEST(test_call_from_result)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	struct world *w = world_new();
	struct suicide s = {world_client(w), 0};

	ck_assert_int_eq(ttrpc_client_call(s.client, ECHO, echo_method("Say"),
				 &q.base, 0, NULL, again_cb, &s),
		0);
	ck_assert(world_wait(w, s.runs == 100));
	ttrpc_client_free(s.client);
	world_free(w);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_client_goes, test_server_goes,
		test_server_freed_by_handler, test_server_freed_by_cancel,
		test_answered_by_cancel, test_cancel_taken_back,
		test_client_freed_by_result, test_client_freed_by_close,
		test_call_from_result};
	Suite *s = suite_create("ttrpc ends");
	TCase *t = tcase_create("ends");
	SRunner *r;
	size_t i;
	int failed;

	tcase_set_timeout(t, 60);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
