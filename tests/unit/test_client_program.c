/* SPDX-License-Identifier: Apache-2.0 */
#include "client/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "util_test.h"

struct world {
	struct event_base *base;
	struct client *client;
};

/* What the callback was told, kept. */
struct ended {
	unsigned n;
	struct err err;
	uint32_t status;
	char out[256], err_out[256];
	size_t out_n;
	bool done;
};

static struct world world_new(void)
{
	struct world w = {.base = event_base_new()};

	ck_assert_ptr_nonnull(w.base);
	ck_assert_int_eq(client_new(w.base, &w.client, NULL), 0);
	return w;
}

static void world_free(struct world *w)
{
	client_free(w->client);
	event_base_free(w->base);
}

static void on_ended(const struct client_program_result *r, void *arg)
{
	struct ended *x = arg;

	x->n++;
	x->done = true;
	x->err = r->err;
	x->status = r->status;
	x->out_n = r->out_n;
	strncpy(x->out, r->out, sizeof(x->out) - 1);
	strncpy(x->err_out, r->err_out, sizeof(x->err_out) - 1);
}

static struct ended run_shell(
	const char *script, const char *input, uint32_t timeout_ms)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct client_program_spec spec = {.argv = argv,
		.input = input,
		.input_n = input ? strlen(input) : 0,
		.timeout_ms = timeout_ms};
	struct world w = world_new();
	struct ended x = {0};

	ck_assert_int_eq(
		client_program_run(w.client, &spec, on_ended, &x, NULL), 0);
	ck_assert_int_eq(client_run_until(w.client, &x.done, TEST_WAIT_MS), 0);
	loop_settle(w.base);
	ck_assert_uint_eq(x.n, 1);
	world_free(&w);
	return x;
}

START_TEST(test_output_and_status)
{
	struct ended x = run_shell("echo out; echo err >&2; exit 7", NULL, 0);

	ck_assert_int_eq(x.err.code, 0);
	ck_assert_uint_eq(x.status, 7);
	ck_assert_str_eq(x.out, "out\n");
	ck_assert_str_eq(x.err_out, "err\n");
	x = run_shell("kill -9 $$", NULL, 0);
	ck_assert_uint_eq(x.status, 137);
	x = run_shell("head -c 1000000 /dev/zero", NULL, 0);
	ck_assert_uint_eq(x.out_n, 1000000);
}
END_TEST

START_TEST(test_input)
{
	struct ended x = run_shell("cat", "hello", 0);

	ck_assert_str_eq(x.out, "hello");
	x = run_shell("cat", "", 0);
	ck_assert_str_eq(x.out, "");
	x = run_shell("cat", NULL, 0); /* /dev/null */
	ck_assert_str_eq(x.out, "");
	x = run_shell("exit 3", "nobody reads this", 0);
	ck_assert_uint_eq(x.status, 3);
}
END_TEST

START_TEST(test_big_input)
{
	size_t n = 1 << 20;
	char *text = malloc(n + 1);
	struct ended x;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', n);
	text[n] = '\0';
	x = run_shell("wc -c", text, 0);
	ck_assert_int_eq(atoi(x.out), (int)n);
	free(text);
}
END_TEST

START_TEST(test_deadline)
{
	struct ended x = run_shell("echo begun; exec sleep 1000", NULL, 200);

	ck_assert_int_eq(x.err.code, -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(x.err.msg, "has not finished"));
	ck_assert_str_eq(x.out, "begun\n");
	/* as a shim that keeps its stdout would be */
	x = run_shell("sleep 2 & exit 0", NULL, 200);
	ck_assert_int_eq(x.err.code, -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(x.err.msg, "held open"));
	ck_assert_uint_eq(x.status, 0);
}
END_TEST

START_TEST(test_discard)
{
	const char *argv[] = {"sh", "-c", "echo out; sleep 2 & exit 5", NULL};
	struct client_program_spec spec = {.argv = argv, .discard = true};
	struct world w = world_new();
	struct ended x = {0};
	int64_t begun = real_ms();

	ck_assert_int_eq(
		client_program_run(w.client, &spec, on_ended, &x, NULL), 0);
	ck_assert_int_eq(client_run_until(w.client, &x.done, TEST_WAIT_MS), 0);
	ck_assert_uint_eq(x.status, 5);
	ck_assert_str_eq(x.out, "");
	ck_assert_int_lt(real_ms() - begun, 2000);
	world_free(&w);
}
END_TEST

START_TEST(test_cannot_run)
{
	const char *argv[] = {"/no/such/program", NULL};
	struct client_program_spec spec = {.argv = argv};
	struct world w = world_new();
	struct ended x = {0};
	struct err e;

	ck_assert_int_eq(
		client_program_run(w.client, &spec, on_ended, &x, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "/no/such/program"));
	loop_settle(w.base);
	ck_assert_uint_eq(x.n, 0);
	world_free(&w);
}
END_TEST

START_TEST(test_drop)
{
	const char *argv[] = {"sleep", "1000", NULL};
	struct client_program_spec spec = {.argv = argv};
	struct world w = world_new();
	struct ended x = {0}, other = {0};

	ck_assert_int_eq(
		client_program_run(w.client, &spec, on_ended, &x, NULL), 0);
	ck_assert_int_eq(
		client_program_run(w.client, &spec, on_ended, &other, NULL), 0);
	client_program_drop(w.client, &x);
	loop_settle(w.base);
	ck_assert_uint_eq(x.n, 0);
	ck_assert_uint_eq(other.n, 0);
	client_program_drop(w.client, &other);
	/* killed and reaped: the fixture sees to it that no child is left */
	wait_for(w.base, waitpid(-1, NULL, WNOHANG) < 0);
	world_free(&w);
}
END_TEST

START_TEST(test_interrupt)
{
	struct world w = world_new();
	bool never = false;

	ck_assert_int_eq(client_run_until(w.client, &never, 20), -ETIME);
	client_interrupt(w.client, true);
	ck_assert_int_eq(client_run_until(w.client, &never, 0), -EINTR);
	client_interrupt(w.client, false);
	ck_assert_int_eq(client_run_until(w.client, &never, 20), -ETIME);
	world_free(&w);
}
END_TEST

START_TEST(test_last_line)
{
	static const struct {
		const char *text, *last;
	} all[] = {{"", ""}, {"\n\n", ""}, {"a", "a"}, {"a\nb\n", "b"},
		{"a\nb \n\n", "b"}, {"\na", "a"}};
	char buf[8];
	size_t i;

	for (i = 0; i < LENGTH(all); i++) {
		client_program_last_line(
			all[i].text, strlen(all[i].text), buf, sizeof(buf));
		ck_assert_str_eq(buf, all[i].last);
	}
	client_program_last_line("123456789", 9, buf, sizeof(buf));
	ck_assert_str_eq(buf, "1234567");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_output_and_status, test_input,
		test_big_input, test_deadline, test_discard, test_cannot_run,
		test_drop, test_interrupt, test_last_line, NULL};

	return suite_run("client program", tests);
}
