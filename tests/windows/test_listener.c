/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/listener.h"

#include "platform/socket.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_loop.h"

#define ADDRESS "\\\\.\\pipe\\wisp-test-listener"
#define MANY 12

static struct event_base *base;
static struct stream *accepted[64];
static unsigned n_accepted;

static void on_accept(struct stream *s, void *arg)
{
	(void)arg;
	accepted[n_accepted++] = s;
}

static struct listener *listen_on(const char *address)
{
	struct listener *l;
	struct err e;

	base = event_base_new();
	n_accepted = 0;
	ck_assert_int_eq(listener_bind(address, &l, &e), 0);
	ck_assert_int_eq(listener_start(l, base, on_accept, NULL), 0);
	return l;
}

/* As a daemon does: again while the pipe is busy. */
static struct stream *dial(const char *address)
{
	struct stream *s = NULL;
	struct err e;

	ck_assert(wait_for(
		base, stream_connect(base, address, &s, &e) != -EAGAIN));
	ck_assert_ptr_nonnull(s);
	return s;
}

static void finish(struct listener *l)
{
	listener_close(l);
	while (n_accepted > 0)
		stream_close(accepted[--n_accepted]);
	event_base_free(base);
}

START_TEST(test_accept)
{
	struct listener *l = listen_on(ADDRESS);
	struct stream *s[MANY];
	char buf[8];
	unsigned i;

	for (i = 0; i < MANY; i++)
		s[i] = dial(ADDRESS);
	ck_assert(wait_for(base, n_accepted == MANY));
	for (i = 0; i < MANY; i++) {
		ck_assert_int_eq(stream_write(accepted[i], "hello", 5), 5);
		ck_assert(write_some(base, s[i], "you", 3));
	}
	for (i = 0; i < MANY; i++) {
		ck_assert_uint_eq(read_some(base, s[i], buf, 5), 5);
		ck_assert_uint_eq(read_some(base, accepted[i], buf, 3), 3);
		stream_close(s[i]);
	}
	finish(l);
}
END_TEST

/* One that goes away at once, and others who come and go. */
START_TEST(test_fleeting_clients)
{
	struct listener *l = listen_on(ADDRESS);
	char buf[8];
	unsigned i;

	for (i = 0; i < 30; i++)
		stream_close(dial(ADDRESS));
	ck_assert(wait_for(base, n_accepted == 30));
	for (i = 0; i < 30; i++)
		ck_assert(at_end(base, accepted[i]));
	for (i = 0; i < 3; i++) {
		struct stream *s = dial(ADDRESS);

		ck_assert(write_some(base, s, "x", 1));
		ck_assert(wait_for(base, n_accepted == 31 + i));
		ck_assert_uint_eq(read_some(base, accepted[30 + i], buf, 1), 1);
		stream_close(s);
	}
	finish(l);
}
END_TEST

START_TEST(test_name_is_taken)
{
	struct listener *l, *second;
	struct err e;

	ck_assert_int_eq(listener_probe(ADDRESS), -ENOENT);
	ck_assert_int_eq(listener_bind(ADDRESS, &l, &e), 0);
	ck_assert_int_eq(listener_probe(ADDRESS), 0);
	ck_assert_int_eq(listener_bind(ADDRESS, &second, &e), -EADDRINUSE);
	listener_close(l);
	ck_assert_int_eq(listener_probe(ADDRESS), -ENOENT);
	l = listen_on(ADDRESS);
	ck_assert_int_eq(listener_probe(ADDRESS), 0);
	ck_assert_int_eq(listener_bind(ADDRESS, &second, &e), -EADDRINUSE);
	ck_assert_int_eq(listener_unlink(ADDRESS), 0);
	finish(l);
	ck_assert_int_eq(listener_bind("unix:///x", &l, &e), -EINVAL);
}
END_TEST

START_TEST(test_service_pipe)
{
	char address[SOCKET_ADDRESS_MAX];
	struct listener *l, *second = NULL;
	struct err e;

	ck_assert_int_eq(socket_address(NULL, "daemon", "k8s.io", "web",
				 address, sizeof(address), &e),
		0);
	ck_assert_str_eq(address,
		"\\\\.\\pipe\\ProtectedPrefix\\Administrators\\"
		"containerd-shim-k8s.io-web-pipe");
	ck_assert_int_eq(socket_claim(address, &l, &e), 0);
	ck_assert_int_eq(socket_claim(address, &second, &e), 1);
	ck_assert_ptr_null(second);
	listener_close(l);
	ck_assert_int_eq(socket_claim(address, &l, &e), 0);
	listener_close(l);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_accept, test_fleeting_clients,
		test_name_is_taken, test_service_pipe, NULL};

	return suite_run("windows listener", tests);
}
