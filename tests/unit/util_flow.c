/* SPDX-License-Identifier: Apache-2.0 */
#include "util_flow.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "util_test.h"

struct flow flow;

void flow_done(struct relay *r, void *arg)
{
	struct flow *s = arg;

	s->done_elsewhere |= !s->in_loop || r != s->relay;
	s->n_done++;
	if (s->free_in_done) {
		relay_free(r);
		s->relay = NULL;
	}
}

/* The byte at a place in what is sent. */
unsigned char flow_byte(size_t at)
{
	return (unsigned char)((at * 2654435761u) >> 13);
}

struct stream *flow_stream(int fd)
{
	struct stream *s = NULL;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(stream_from_fd(flow.base, fd, &s), 0);
	return s;
}

void flow_begin(void)
{
	memset(&flow, 0, sizeof(flow));
	flow.in = flow.out = -1;
	flow.base = event_base_new();
}

void flow_start(struct stream *from, struct stream *to)
{
	ck_assert_int_eq(
		relay_start(flow.base, from, to, flow_done, &flow, &flow.relay),
		0);
	ck_assert_uint_eq(flow.n_done, 0);
}

void flow_end(void)
{
	relay_free(flow.relay);
	ck_assert(!flow.done_elsewhere);
	fd_close(&flow.in);
	fd_close(&flow.out);
	event_base_free(flow.base);
}

/* kind: 'p' a pipe, 's' a socket. The end for the relay is fds[0] for a source,
 * the other one is the test's. */
static void make_pair(char kind, int fds[2])
{
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

	if (kind == 'p')
		ck_assert_int_eq(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	else
		ck_assert_int_eq(socketpair(AF_UNIX, type, 0, fds), 0);
}

struct stream *flow_source(char kind)
{
	int fds[2];

	make_pair(kind, fds);
	flow.in = fds[1];
	return flow_stream(fds[0]);
}

struct stream *flow_destination(char kind)
{
	int fds[2];

	make_pair(kind, fds);
	flow.out = fds[0];
	return flow_stream(fds[1]);
}

void flow_open(char from, char to)
{
	struct stream *source;

	flow_begin();
	source = flow_source(from);
	flow_start(source, flow_destination(to));
}

void flow_turn(void)
{
	flow.in_loop = true;
	loop_turn(flow.base);
	flow.in_loop = false;
}

void flow_settle(void)
{
	flow.in_loop = true;
	loop_settle(flow.base);
	flow.in_loop = false;
}

bool flow_is_idle(void)
{
	bool idle;

	flow.in_loop = true;
	idle = loop_is_idle(flow.base);
	flow.in_loop = false;
	return idle;
}

/* Up to n bytes of the pattern into the source; how many went. */
size_t flow_feed(size_t n)
{
	unsigned char buf[16384];
	size_t i, sum = 0;
	ssize_t w;

	while (sum < n) {
		size_t part = n - sum < sizeof(buf) ? n - sum : sizeof(buf);

		for (i = 0; i < part; i++)
			buf[i] = flow_byte(flow.sent + i);
		w = write(flow.in, buf, part);
		if (w < 0)
			break;
		sum += (size_t)w;
		flow.sent += (size_t)w;
	}
	return sum;
}

/* Reads what is there and compares; whether it was the end. */
bool flow_take(void)
{
	unsigned char buf[16384];
	ssize_t n, i;

	while ((n = read(flow.out, buf, sizeof(buf))) > 0)
		for (i = 0; i < n; i++)
			if (buf[i] != flow_byte(flow.got++))
				ck_abort_msg("byte %zu is wrong", flow.got - 1);
	return n == 0;
}

/* All of n bytes through the relay, at the pace of its end. */
void flow_carry(size_t n)
{
	int64_t end_ms = real_ms() + TEST_WAIT_MS;

	while (flow.got < n && real_ms() < end_ms) {
		flow_feed(n - flow.sent);
		flow_turn();
		flow_take();
	}
	ck_assert_uint_eq(flow.got, n);
}
