/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a peer may send, to the server and to the client.
 *
 * The first byte of the input says to whom, and how the rest is delivered:
 *   1    to a client with open calls (else to a server)
 *   2    the peer only half-closes at the end
 *   4    the peer does not read
 *   0xf0 how many bytes at a time, 0 for all at once
 *
 * tests/fuzz/seed_ttrpc.py makes a corpus to begin with.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/util_ttrpc.h"

enum { TO_CLIENT = 1, HALF_CLOSE = 2, NO_READ = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct world *w;

static void run(void)
{
	event_base_loop(w->base, EVLOOP_NONBLOCK);
}

static void drain(int fd)
{
	static char waste[1 << 16];

	while (read(fd, waste, sizeof(waste)) > 0)
		run();
}

static void deliver(int fd, uint8_t how, const uint8_t *data, size_t size)
{
	size_t step = how >> 4 ? how >> 4 : size, n;
	ssize_t got;
	int stuck = 0;

	while (size > 0 && stuck < 3) {
		n = step < size ? step : size;
		got = write(fd, data, n);
		if (got < 0 && errno != EAGAIN)
			return;
		stuck = got > 0 ? 0 : stuck + 1;
		data += got > 0 ? got : 0;
		size -= got > 0 ? (size_t)got : 0;
		run();
		if (!(how & NO_READ))
			drain(fd);
	}
}

/* Hold's calls get their answer late, or when nobody waits any more. */
static void answer_held(void)
{
	while (w->n_held > 0)
		ttrpc_call_fail(w->held[--w->n_held], TTRPC_ABORTED, "held");
}

static void end(int fd, uint8_t how)
{
	if (how & HALF_CLOSE) {
		shutdown(fd, SHUT_WR);
		run();
		answer_held();
		drain(fd);
	}
	close(fd);
	run();
	answer_held();
	run();
}

static void to_server(uint8_t how, const uint8_t *data, size_t size)
{
	int fd = world_socket(w);

	deliver(fd, how, data, size);
	end(fd, how);
	if (ttrpc_server_connections(w->server) != 0)
		abort();
}

/* ---- the client ---- */

static unsigned n_ends;

static void on_result(const struct ttrpc_result *r, void *arg)
{
	(void)arg;
	n_ends++;
	if (!r->message || (r->code == TTRPC_OK && *r->message))
		abort();
}

static void on_message(
	struct ttrpc_stream *st, const ProtobufCMessage *m, void *arg)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;

	(void)m;
	(void)arg;
	ttrpc_stream_send(st, &q.base);
}

static const struct ttrpc_stream_cbs cbs = {on_message, NULL, on_result};

/* As many calls as there are kinds; ids 1, 3, 5, ... */
static unsigned open_calls(struct ttrpc_client *c)
{
	Wisp__Test__EchoRequest q = WISP__TEST__ECHO_REQUEST__INIT;
	struct ttrpc_stream *st;
	unsigned kind, n = 0;

	for (kind = 0; kind < 2; kind++)
		n += ttrpc_client_call(c, ECHO, echo_method("Say"), &q.base,
			     kind, NULL, on_result, NULL) == 0;
	for (kind = 1; kind < 4; kind++)
		n += ttrpc_stream_open(c, ECHO, echo_method("Chat"), kind,
			     &q.base, 0, "ns", &cbs, NULL, &st) == 0;
	return n;
}

static void to_client(uint8_t how, const uint8_t *data, size_t size)
{
	struct ttrpc_client *c;
	unsigned n;
	int fd;

	c = world_client_of(w, &fd);
	n_ends = 0;
	n = open_calls(c);
	deliver(fd, how, data, size);
	end(fd, how);
	ttrpc_client_free(c);
	if (n_ends != n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!w)
		w = world_new();
	if (size == 0)
		return 0;
	if (data[0] & TO_CLIENT)
		to_client(data[0], data + 1, size - 1);
	else
		to_server(data[0], data + 1, size - 1);
	return 0;
}
