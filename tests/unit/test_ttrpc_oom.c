/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Nth allocation fails, for every N: no crash, every call ends, nothing
 * leaks (ASan's build sees that), no descriptor is lost, and the server goes
 * on serving. Then the same with every allocation from the Nth on failing.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "util_ttrpc.h"

enum { BIDI = TTRPC_STREAM_CLIENT | TTRPC_STREAM_SERVER };

static size_t left;   /* allocations until the one that fails; 0: none does */
static bool for_good; /* and all after it do, too */
static bool failed;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static bool fails(void)
{
	if (failed && for_good)
		return true;
	if (left == 0 || --left > 0)
		return false;
	failed = true;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

static void arm(size_t n)
{
	left = n;
	failed = false;
}

/* Whether one failed. */
static bool disarm(void)
{
	bool had = failed;

	left = 0;
	failed = false;
	return had;
}

/* Check allocates itself, so what is wrong is told once that works again. */
static const char *wrong;

#define STRING_(x) #x
#define STRING(x) STRING_(x)
#define expect(cond)                                                 \
	do {                                                         \
		if (!(cond) && !wrong)                               \
			wrong = "line " STRING(__LINE__) ": " #cond; \
	} while (0)

/* ---- the scenario ---- */

static void on_message(
	struct ttrpc_stream *st, const ProtobufCMessage *m, void *arg)
{
	(void)st;
	(void)m;
	(void)arg;
}

static const struct ttrpc_stream_cbs cbs = {on_message, NULL, outcome_cb};

static bool may_fail(int r)
{
	expect(r == 0 || r == -ENOMEM || r == -EPIPE);
	return r == 0;
}

static unsigned call(struct ttrpc_client *c, const char *method, uint32_t n,
	uint32_t timeout_ms, struct outcome *o)
{
	return may_fail(echo_call(c, method, "some text", n, timeout_ms, o));
}

static unsigned stream(struct ttrpc_client *c, const char *method,
	unsigned kind, struct outcome *o)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	struct ttrpc_stream *st;
	int r;

	memset(o, 0, sizeof(*o));
	q.text = (char *)"text";
	q.n = 3;
	if (!may_fail(ttrpc_stream_open(c, ECHO, echo_method(method), kind,
		    &q.base, 0, NULL, &cbs, o, &st)))
		return 0;
	if (!(kind & TTRPC_STREAM_CLIENT))
		return 1;
	r = ttrpc_stream_send(st, &q.base);
	if (r == 0)
		r = ttrpc_stream_close_send(st);
	if (!may_fail(r) && r == -ENOMEM)
		ttrpc_stream_cancel(st);
	return r != -ENOMEM;
}

static unsigned ended(const struct outcome *o, unsigned n)
{
	unsigned sum = 0;

	while (n-- > 0)
		sum += o[n].runs;
	return sum;
}

static void answer_held(struct world *w)
{
	while (w->n_held > 0)
		ttrpc_call_fail(w->held[--w->n_held], TTRPC_ABORTED, "held");
}

static void talk(struct world *w, struct ttrpc_client *c)
{
	struct outcome o[8] = {0};
	unsigned n = 0, i;

	n += call(c, "Say", 0, 0, &o[0]);
	n += call(c, "Fail", TTRPC_NOT_FOUND, 5000, &o[1]);
	n += call(c, "Missing", 0, 0, &o[2]);
	n += call(c, "Big", 900000, 0, &o[3]);
	n += call(c, "Hold", 0, 5000, &o[4]);
	n += stream(c, "Join", TTRPC_STREAM_CLIENT, &o[5]);
	n += stream(c, "Count", TTRPC_STREAM_SERVER, &o[6]);
	n += stream(c, "Chat", BIDI, &o[7]);
	expect(world_wait(w, (answer_held(w), ended(o, 8) == n)));
	for (i = 0; i < 8; i++)
		expect(o[i].runs <= 1);
}

/* One peer comes, talks and goes. */
static void visit(struct world *w)
{
	struct ttrpc_client *c = NULL;
	struct stream *theirs = NULL, *ours = NULL;
	int fds[2];

	expect(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	if (stream_from_fd(w->base, fds[0], &theirs) == 0)
		may_fail(ttrpc_server_accept(w->server, theirs));
	if (stream_from_fd(w->base, fds[1], &ours) == 0)
		c = ttrpc_client_new(w->base, ours, NULL, NULL);
	if (c)
		talk(w, c);
	ttrpc_client_free(c);
	expect(world_wait(w, ttrpc_server_connections(w->server) == 0));
}

static unsigned count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* False if there were fewer than n allocations. */
static bool attempt(size_t n, bool forever)
{
	struct world *w = world_new();
	unsigned fds = count_fds();
	bool reached;

	for_good = forever;
	arm(n);
	visit(w);
	reached = disarm();
	ck_assert_msg(!wrong, "allocation %zu: %s", n, wrong);
	ck_assert_uint_eq(count_fds(), fds);
	visit(w); /* and it serves on */
	ck_assert_msg(!wrong, "after allocation %zu: %s", n, wrong);
	answer_held(w);
	world_free(w);
	return reached;
}

static void quiet(int severity, const char *msg)
{
	(void)severity;
	(void)msg;
}

static void sweep(bool forever)
{
	size_t n, heap = 0, now;

	event_set_mem_functions(__wrap_malloc, __wrap_realloc, free);
	event_set_log_callback(quiet);
	for (n = 1; attempt(n, forever); n++) {
		now = mallinfo2().uordblks + mallinfo2().hblkhd;
		if (n == 20)
			heap = now;
		else if (n > 20)
			ck_assert_uint_le(now, heap + 4096);
	}
	ck_assert_uint_ge(n, 50);
}

START_TEST(test_one_fails)
{
	sweep(false);
}
END_TEST

START_TEST(test_all_fail_from_there)
{
	sweep(true);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ttrpc oom");
	TCase *t = tcase_create("oom");
	SRunner *r;
	int bad;

	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_one_fails);
	tcase_add_test(t, test_all_fail_from_there);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
