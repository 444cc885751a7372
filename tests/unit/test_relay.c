/* SPDX-License-Identifier: Apache-2.0 */
#include "io/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_pty.h"
#include "util_test.h"

enum { MIB = 1024 * 1024, LOTS = 10 * MIB };

/* One relay with both of its far ends, which are non-blocking. */
struct scene {
	struct event_base *base;
	struct relay *relay;
	int in, out; /* the test writes into in and reads from out; -1: none */
	size_t sent, got;
	unsigned n_done;
	bool in_loop, free_in_done, done_elsewhere;
};

static struct scene sc;

static void on_done(struct relay *r, void *arg)
{
	struct scene *s = arg;

	s->done_elsewhere |= !s->in_loop || r != s->relay;
	s->n_done++;
	if (s->free_in_done) {
		relay_free(r);
		s->relay = NULL;
	}
}

/* The byte at a place in what is sent. */
static unsigned char pattern(size_t at)
{
	return (unsigned char)((at * 2654435761u) >> 13);
}

static struct stream *stream_of(int fd)
{
	struct stream *s = NULL;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(stream_from_fd(sc.base, fd, &s), 0);
	return s;
}

static void scene_begin(void)
{
	memset(&sc, 0, sizeof(sc));
	sc.in = sc.out = -1;
	sc.base = event_base_new();
}

static void scene_start(struct stream *from, struct stream *to)
{
	ck_assert_int_eq(
		relay_start(sc.base, from, to, on_done, &sc, &sc.relay), 0);
	ck_assert_uint_eq(sc.n_done, 0);
}

static void scene_end(void)
{
	relay_free(sc.relay);
	ck_assert(!sc.done_elsewhere);
	fd_close(&sc.in);
	fd_close(&sc.out);
	event_base_free(sc.base);
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

static struct stream *make_source(char kind)
{
	int fds[2];

	make_pair(kind, fds);
	sc.in = fds[1];
	return stream_of(fds[0]);
}

static struct stream *make_destination(char kind)
{
	int fds[2];

	make_pair(kind, fds);
	sc.out = fds[0];
	return stream_of(fds[1]);
}

static void scene_open(char from, char to)
{
	struct stream *source;

	scene_begin();
	source = make_source(from);
	scene_start(source, make_destination(to));
}

static void turn(void)
{
	sc.in_loop = true;
	loop_turn(sc.base);
	sc.in_loop = false;
}

static void settle(void)
{
	sc.in_loop = true;
	loop_settle(sc.base);
	sc.in_loop = false;
}

static bool is_idle(void)
{
	bool idle;

	sc.in_loop = true;
	idle = loop_is_idle(sc.base);
	sc.in_loop = false;
	return idle;
}

/* Up to n bytes of the pattern into the source; how many went. */
static size_t feed(size_t n)
{
	unsigned char buf[16384];
	size_t i, sum = 0;
	ssize_t w;

	while (sum < n) {
		size_t part = n - sum < sizeof(buf) ? n - sum : sizeof(buf);

		for (i = 0; i < part; i++)
			buf[i] = pattern(sc.sent + i);
		w = write(sc.in, buf, part);
		if (w < 0)
			break;
		sum += (size_t)w;
		sc.sent += (size_t)w;
	}
	return sum;
}

/* Reads what is there and compares; whether it was the end. */
static bool take(void)
{
	unsigned char buf[16384];
	ssize_t n, i;

	while ((n = read(sc.out, buf, sizeof(buf))) > 0)
		for (i = 0; i < n; i++)
			if (buf[i] != pattern(sc.got++))
				ck_abort_msg("byte %zu is wrong", sc.got - 1);
	return n == 0;
}

/* All of n bytes through the relay, at the pace of its end. */
static void carry(size_t n)
{
	int64_t end_ms = real_ms() + TEST_WAIT_MS;

	while (sc.got < n && real_ms() < end_ms) {
		feed(n - sc.sent);
		turn();
		take();
	}
	ck_assert_uint_eq(sc.got, n);
}

static void carry_lots(char from, char to)
{
	scene_open(from, to);
	carry(LOTS);
	ck_assert_uint_eq(relay_bytes(sc.relay), LOTS);
	ck_assert_uint_eq(relay_lost(sc.relay), 0);
	ck_assert_uint_eq(sc.n_done, 0);
	fd_close(&sc.in);
	settle();
	ck_assert(take());
	ck_assert_uint_eq(sc.n_done, 1);
	settle();
	ck_assert_uint_eq(sc.n_done, 1);
	ck_assert(!relay_is_blocked(sc.relay));
	scene_end();
}

START_TEST(test_pipe_to_pipe)
{
	carry_lots('p', 'p');
}
END_TEST

START_TEST(test_socket_to_pipe)
{
	carry_lots('s', 'p');
}
END_TEST

START_TEST(test_pipe_to_socket)
{
	carry_lots('p', 's');
}
END_TEST

/* splice(2) can't. */
START_TEST(test_socket_to_socket)
{
	carry_lots('s', 's');
}
END_TEST

/* Nothing passes through this process: there is not even a buffer for it. */
START_TEST(test_moves_by_splice)
{
	static char buf[65536];
	unsigned n;

	scene_open('p', 'p');
	ck_assert_int_eq(write(sc.in, buf, 30000), 30000);
	oom_count_begin();
	loop_settle(sc.base);
	n = oom_count();
	ck_assert_int_eq(write(sc.in, buf, 30000), 30000);
	oom_count_begin();
	loop_settle(sc.base);
	n += oom_count();
	ck_assert_uint_eq(relay_bytes(sc.relay), 60000);
	ck_assert_uint_eq(n, 0);
	scene_end();
}
END_TEST

/* A destination that is full stops everything, in little memory, with no
 * wakeups; then it is drained, and nothing is missing. */
static void press(char from, char to, size_t most)
{
	size_t stuck = 0;
	int i;

	scene_open(from, to);
	for (i = 0; i < 2000 && sc.sent < LOTS; i++) {
		feed(LOTS - sc.sent);
		turn();
	}
	ck_assert_uint_lt(sc.sent, most);
	ck_assert(relay_is_blocked(sc.relay));
	ck_assert(is_idle());
	stuck = sc.sent;
	carry(stuck);
	ck_assert(!relay_is_blocked(sc.relay));
	carry(LOTS);
	ck_assert_uint_eq(relay_bytes(sc.relay), LOTS);
	scene_end();
}

START_TEST(test_back_pressure_of_pipes)
{
	press('p', 'p', 3 * 65536);
}
END_TEST

START_TEST(test_back_pressure_of_sockets)
{
	press('s', 's', 2 * MIB);
}
END_TEST

START_TEST(test_back_pressure_socket_to_pipe)
{
	press('s', 'p', 2 * MIB);
}
END_TEST

/* One byte at a time, with an end that takes as little. */
START_TEST(test_trickle)
{
	int i;

	scene_open('p', 'p');
	ck_assert_int_gt(fcntl(sc.out, F_SETPIPE_SZ, 4096), 0);
	for (i = 0; i < 500; i++) {
		feed(1);
		turn();
		if (i % 3 == 0)
			take();
	}
	settle();
	take();
	ck_assert_uint_eq(sc.got, 500);
	ck_assert(is_idle());
	scene_end();
}
END_TEST

/* Many writers' small pieces fill a pipe by number, not by size: pipe(7). */
START_TEST(test_small_pieces)
{
	int i;

	scene_open('p', 'p');
	for (i = 0; i < 5000; i++) {
		feed(3);
		turn();
	}
	carry(15000);
	scene_end();
}
END_TEST

/* The far end closes: what was written before is delivered all the same. */
START_TEST(test_source_ends_while_blocked)
{
	scene_open('p', 'p');
	while (feed(65536) > 0)
		settle();
	ck_assert(relay_is_blocked(sc.relay));
	fd_close(&sc.in);
	settle();
	ck_assert_uint_eq(sc.n_done, 0);
	ck_assert(wait_for(NULL, (turn(), take())));
	ck_assert_uint_eq(sc.got, sc.sent);
	settle();
	ck_assert_uint_eq(sc.n_done, 1);
	scene_end();
}
END_TEST

/* What was written has just filled the destination when the writer ends: the
 * source is empty and at its end, and there is no room. */
START_TEST(test_source_ends_exactly_when_full)
{
	scene_open('p', 'p');
	while (sc.sent < 65536) {
		feed(4096);
		settle();
	}
	ck_assert_uint_eq(relay_bytes(sc.relay), 65536);
	fd_close(&sc.in);
	ck_assert(is_idle());
	take();
	ck_assert(wait_for(NULL, (turn(), take())));
	ck_assert_uint_eq(sc.got, 65536);
	settle();
	ck_assert_uint_eq(sc.n_done, 1);
	scene_end();
}
END_TEST

/* finish(): the source has no end, its writer lives on. */
static void finish_with(size_t n, char from, char to)
{
	scene_open(from, to);
	settle();
	feed(n);
	relay_finish(sc.relay);
	relay_finish(sc.relay);
	ck_assert_uint_eq(sc.n_done, 0);
	ck_assert(wait_for(NULL, (turn(), take())));
	ck_assert_uint_eq(sc.got, sc.sent);
	settle();
	ck_assert_uint_eq(sc.n_done, 1);
	relay_finish(sc.relay);
	settle();
	ck_assert_uint_eq(sc.n_done, 1);
	scene_end();
}

START_TEST(test_finish)
{
	finish_with(0, 'p', 'p');
	finish_with(1, 'p', 'p');
	finish_with(60000, 'p', 'p');
	finish_with(0, 's', 's');
	finish_with(50000, 's', 's');
	finish_with(50000, 's', 'p');
}
END_TEST

START_TEST(test_finish_while_blocked)
{
	scene_open('p', 'p');
	while (feed(65536) > 0)
		settle();
	relay_finish(sc.relay);
	settle();
	ck_assert_uint_eq(sc.n_done, 0);
	ck_assert(is_idle());
	ck_assert(wait_for(NULL, (turn(), take())));
	ck_assert_uint_eq(sc.got, sc.sent);
	scene_end();
}
END_TEST

/* Before the loop has run even once. */
START_TEST(test_finish_at_once)
{
	struct stream *from;

	scene_begin();
	from = make_source('p');
	feed(5000);
	scene_start(from, make_destination('p'));
	relay_finish(sc.relay);
	settle();
	ck_assert(take());
	ck_assert_uint_eq(sc.got, 5000);
	ck_assert_uint_eq(sc.n_done, 1);
	scene_end();
}
END_TEST

/* No memory for the buffer is no reason to take the source for empty. */
START_TEST(test_finish_without_memory)
{
	scene_open('s', 's');
	feed(10000);
	relay_finish(sc.relay);
	oom_all();
	settle();
	oom_off();
	ck_assert_uint_eq(sc.n_done, 0);
	ck_assert(wait_for(NULL, (turn(), take())));
	ck_assert_uint_eq(sc.got, 10000);
	scene_end();
}
END_TEST

/* Nor is it one to use all of the processor. */
START_TEST(test_copy_without_memory)
{
	bool idle;

	scene_open('s', 's');
	feed(10000);
	oom_all();
	idle = is_idle();
	oom_off();
	ck_assert(idle);
	carry(LOTS / 10);
	scene_end();
}
END_TEST

static void broken_end(char from, char to)
{
	scene_open(from, to);
	feed(1000);
	settle();
	ck_assert_uint_eq(relay_bytes(sc.relay), 1000);
	fd_close(&sc.out);
	feed(1000);
	settle();
	ck_assert_uint_eq(sc.n_done, 1);
	ck_assert_uint_eq(relay_lost(sc.relay), 0);
	/* the source is closed, which its writer learns */
	ck_assert_int_eq(write(sc.in, "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	scene_end();
}

START_TEST(test_destination_breaks)
{
	broken_end('p', 'p');
	broken_end('s', 'p');
	broken_end('p', 's');
	broken_end('s', 's');
}
END_TEST

/* It breaks while it is full. */
START_TEST(test_destination_breaks_while_blocked)
{
	scene_open('p', 'p');
	while (feed(65536) > 0)
		settle();
	fd_close(&sc.out);
	settle();
	ck_assert_uint_eq(sc.n_done, 1);
	ck_assert(!relay_is_blocked(sc.relay));
	scene_end();
}
END_TEST

/* ---- destinations that refuse ---- */

/* Feeds n bytes and an end to a relay into `to`, to its end. */
static void pour(struct stream *to, size_t n)
{
	scene_start(make_source('p'), to);
	while (sc.sent < n) {
		feed(n - sc.sent);
		settle();
		ck_assert_uint_eq(sc.n_done, 0);
	}
	fd_close(&sc.in);
	settle();
	ck_assert_uint_eq(sc.n_done, 1);
	ck_assert_uint_eq(
		relay_bytes(sc.relay) + relay_lost(sc.relay), sc.sent);
}

START_TEST(test_dev_full)
{
	scene_begin();
	pour(stream_of(open("/dev/full", O_WRONLY | O_CLOEXEC)), 300000);
	ck_assert_uint_eq(relay_lost(sc.relay), 300000);
	scene_end();
}
END_TEST

START_TEST(test_dev_null)
{
	struct stream *to;

	scene_begin();
	ck_assert_int_eq(stream_open_null(sc.base, &to), 0);
	pour(to, 3 * MIB);
	ck_assert_uint_eq(relay_lost(sc.relay), 0);
	scene_end();
}
END_TEST

/* A file system of 256 KiB at "small", which goes with this process. */
static bool mount_small(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		return false;
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mkdir("small", 0700), 0);
	ck_assert_int_eq(mount("tmpfs", "small", "tmpfs", 0, "size=256k"), 0);
	return true;
}

static size_t file_size(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return (size_t)st.st_size;
}

static bool is_pattern(const char *path, size_t n)
{
	unsigned char *buf = malloc(n + 1);
	bool same;
	size_t i;

	ck_assert_uint_eq(get_file(path, (char *)buf, n + 1), n);
	for (i = 0; i < n && buf[i] == pattern(i); i++)
		;
	same = i == n;
	free(buf);
	return same;
}

START_TEST(test_file)
{
	struct stream *to;
	struct err e;

	scene_begin();
	ck_assert_int_eq(stream_open_log(sc.base, here("a/b/log"), &to, &e), 0);
	pour(to, MIB);
	ck_assert_uint_eq(file_size("a/b/log"), MIB);
	ck_assert(is_pattern("a/b/log", MIB));
	scene_end();
}
END_TEST

START_TEST(test_full_disk)
{
	struct stream *to;
	struct err e;

	if (!mount_small())
		return;
	scene_begin();
	ck_assert_int_eq(
		stream_open_log(sc.base, here("small/log"), &to, &e), 0);
	pour(to, MIB);
	ck_assert_uint_gt(relay_lost(sc.relay), 0);
	ck_assert_uint_eq(relay_bytes(sc.relay), 256 * 1024);
	ck_assert(is_pattern("small/log", 256 * 1024));
	scene_end();
	umount("small");
}
END_TEST

/* Where splice(2) is what the disk refuses: a file without O_APPEND. */
START_TEST(test_full_disk_by_splice)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC;

	if (!mount_small())
		return;
	scene_begin();
	pour(stream_of(open("small/f", flags, 0600)), MIB);
	ck_assert_uint_gt(relay_lost(sc.relay), 0);
	ck_assert_uint_eq(relay_bytes(sc.relay), 256 * 1024);
	scene_end();
	umount("small");
}
END_TEST

/* Space again: what comes after that is stored. */
START_TEST(test_space_again)
{
	struct stream *to;
	uint64_t lost;
	struct err e;

	if (!mount_small())
		return;
	scene_begin();
	ck_assert_int_eq(
		stream_open_log(sc.base, here("small/log"), &to, &e), 0);
	scene_start(make_source('p'), to);
	while (relay_lost(sc.relay) == 0) {
		feed(10000);
		settle();
	}
	lost = relay_lost(sc.relay);
	ck_assert_int_eq(truncate("small/log", 0), 0);
	ck_assert_int_eq(write(sc.in, "after", 5), 5);
	settle();
	ck_assert_uint_eq(relay_lost(sc.relay), lost);
	ck_assert_uint_eq(file_size("small/log"), 5);
	ck_assert_uint_eq(sc.n_done, 0);
	scene_end();
	umount("small");
}
END_TEST

/* ---- terminals ---- */

/* The master is the source; the test writes into the slave. */
START_TEST(test_terminal)
{
	int i, master;

	scene_begin();
	master = pty_open(&sc.in);
	fcntl(sc.in, F_SETFL, O_NONBLOCK);
	scene_start(stream_of(master), make_destination('p'));
	for (i = 0; i < 300; i++) {
		feed(1000);
		turn();
		take();
	}
	fd_close(&sc.in); /* the last slave: the end */
	ck_assert(wait_for(NULL, (turn(), take())));
	ck_assert_uint_eq(sc.got, sc.sent);
	ck_assert_uint_gt(sc.got, 100000);
	settle();
	ck_assert_uint_eq(sc.n_done, 1);
	scene_end();
}
END_TEST

/* ---- FIFOs ---- */

/* The reader has not come yet when all is written: the bytes stay for it. */
START_TEST(test_reader_comes_late)
{
	struct stream *to;
	struct err e;

	scene_begin();
	ck_assert_int_eq(mkfifo("out", 0600), 0);
	ck_assert_int_eq(stream_open_fifo(sc.base, here("out"), &to, &e), 0);
	scene_start(make_source('p'), to);
	feed(20000);
	settle();
	fd_close(&sc.in);
	settle();
	ck_assert_uint_eq(sc.n_done, 0);
	sc.out = open("out", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert(wait_for(NULL, (turn(), sc.n_done == 1)));
	ck_assert(take());
	ck_assert_uint_eq(sc.got, 20000);
	scene_end();
}
END_TEST

/* With nothing in the FIFO, nobody is waited for. */
START_TEST(test_no_reader_no_bytes)
{
	struct stream *to;
	struct err e;

	scene_begin();
	ck_assert_int_eq(mkfifo("out", 0600), 0);
	ck_assert_int_eq(stream_open_fifo(sc.base, here("out"), &to, &e), 0);
	scene_start(make_source('p'), to);
	fd_close(&sc.in);
	settle();
	ck_assert_uint_eq(sc.n_done, 1);
	scene_end();
}
END_TEST

/* A reader that is there, however slow, has the FIFO: it gets its end. */
START_TEST(test_slow_reader)
{
	struct stream *to;
	struct err e;

	scene_begin();
	ck_assert_int_eq(mkfifo("out", 0600), 0);
	ck_assert_int_eq(stream_open_fifo(sc.base, here("out"), &to, &e), 0);
	sc.out = open("out", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	scene_start(make_source('p'), to);
	feed(20000);
	fd_close(&sc.in);
	settle();
	ck_assert_uint_eq(sc.n_done, 1);
	ck_assert(take());
	ck_assert_uint_eq(sc.got, 20000);
	scene_end();
}
END_TEST

/* ---- lives ---- */

START_TEST(test_free_in_done)
{
	scene_open('p', 'p');
	sc.free_in_done = true;
	fd_close(&sc.in);
	settle();
	ck_assert_uint_eq(sc.n_done, 1);
	ck_assert_ptr_null(sc.relay);
	scene_end();
}
END_TEST

START_TEST(test_free)
{
	int turns, i;

	relay_free(NULL);
	for (turns = 0; turns < 4; turns++) {
		scene_open('p', 'p');
		feed(100000);
		for (i = 0; i < turns; i++)
			turn();
		relay_free(sc.relay);
		sc.relay = NULL;
		ck_assert_int_eq(write(sc.in, "x", 1), -1);
		settle();
		ck_assert_uint_eq(sc.n_done, 0);
		scene_end();
	}
}
END_TEST

/* Freed between its end and done(). */
START_TEST(test_free_before_done)
{
	scene_open('p', 'p');
	settle();
	fd_close(&sc.in);
	turn();
	if (sc.n_done == 0) {
		relay_free(sc.relay);
		sc.relay = NULL;
		settle();
		ck_assert_uint_eq(sc.n_done, 0);
	}
	scene_end();
}
END_TEST

START_TEST(test_no_done)
{
	struct stream *from;

	scene_begin();
	from = make_source('p');
	ck_assert_int_eq(relay_start(sc.base, from, make_destination('p'), NULL,
				 NULL, &sc.relay),
		0);
	fd_close(&sc.in);
	settle();
	ck_assert(take());
	scene_end();
}
END_TEST

START_TEST(test_out_of_memory_at_the_start)
{
	struct stream *from, *to;
	unsigned fds;
	int r;

	oom_begin();
	OOM_SWEEP(n)
	{
		scene_begin();
		from = make_source('p');
		to = make_destination('p');
		fds = count_fds();
		oom_at(n);
		r = relay_start(sc.base, from, to, on_done, &sc, &sc.relay);
		if (oom_off()) {
			ck_assert_int_eq(r, -ENOMEM);
			ck_assert_ptr_null(sc.relay);
			ck_assert_uint_eq(count_fds(), fds - 2);
		}
		scene_end();
	}
}
END_TEST

/* Whatever fails on the way, all of it arrives. */
static void carry_without_memory(char from, char to)
{
	bool hit = true;
	unsigned n;

	for (n = 1; hit; n++) {
		scene_open(from, to);
		feed(40000);
		oom_at(n);
		settle();
		hit = oom_off();
		fd_close(&sc.in);
		ck_assert(wait_for(NULL, (turn(), take())));
		ck_assert_uint_eq(sc.got, sc.sent);
		settle();
		ck_assert_uint_eq(sc.n_done, 1);
		scene_end();
	}
}

START_TEST(test_out_of_memory_on_the_way)
{
	oom_begin();
	carry_without_memory('p', 'p');
	carry_without_memory('s', 's');
	carry_without_memory('s', 'p');
}
END_TEST

/* ---- a destination that the writer must outlive ---- */

static void open_outliving(char from)
{
	scene_open(from, 'p');
	relay_outlive(sc.relay);
	settle();
}

static void say(const char *text)
{
	ck_assert_int_eq(
		write(sc.in, text, strlen(text)), (ssize_t)strlen(text));
	settle();
}

static void outlive(char from)
{
	char buf[8];

	open_outliving(from);
	say("one");
	ck_assert_uint_eq(relay_bytes(sc.relay), 0); /* nobody took it */
	ck_assert_int_eq(read(sc.out, buf, sizeof(buf)), 3);
	ck_assert_uint_eq(relay_bytes(sc.relay), 3);
	say("left behind");
	fd_close(&sc.out);
	say("and lost");
	say("for ever");
	ck_assert_uint_eq(sc.n_done, 0);
	ck_assert_uint_eq(relay_bytes(sc.relay), 3);
	ck_assert_uint_eq(relay_lost(sc.relay), 11 + 8 + 8);
	ck_assert(is_idle());
	fd_close(&sc.in);
	settle();
	ck_assert_uint_eq(sc.n_done, 1);
	scene_end();
}

START_TEST(test_outlives)
{
	outlive('p');
	outlive('s');
}
END_TEST

START_TEST(test_outlives_while_blocked)
{
	char data[4096] = {0};
	size_t n = 0;
	ssize_t w;

	open_outliving('p');
	while ((w = write(sc.in, data, sizeof(data))) > 0) {
		n += (size_t)w;
		settle();
	}
	ck_assert(relay_is_blocked(sc.relay));
	fd_close(&sc.out);
	settle();
	ck_assert(!relay_is_blocked(sc.relay));
	ck_assert_uint_eq(relay_lost(sc.relay), n);
	say("on");
	ck_assert_uint_eq(relay_lost(sc.relay), n + 2);
	scene_end();
}
END_TEST

/* It has not ended before somebody has read, or nobody can any more. */
START_TEST(test_outlives_until_read)
{
	char buf[8];
	int i;

	for (i = 0; i < 2; i++) {
		open_outliving('p');
		say("last");
		fd_close(&sc.in);
		settle();
		ck_assert_uint_eq(sc.n_done, 0);
		ck_assert(relay_is_blocked(sc.relay));
		if (i == 0)
			ck_assert_int_eq(read(sc.out, buf, sizeof(buf)), 4);
		else
			fd_close(&sc.out);
		for (; sc.n_done == 0; usleep(1000))
			settle();
		ck_assert_uint_eq(relay_bytes(sc.relay), i == 0 ? 4 : 0);
		ck_assert_uint_eq(relay_lost(sc.relay), i == 0 ? 0 : 4);
		scene_end();
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_pipe_to_pipe, test_socket_to_pipe,
		test_pipe_to_socket, test_socket_to_socket,
		test_moves_by_splice, test_back_pressure_of_pipes,
		test_back_pressure_of_sockets,
		test_back_pressure_socket_to_pipe, test_trickle,
		test_small_pieces, test_source_ends_while_blocked,
		test_source_ends_exactly_when_full, test_finish,
		test_finish_while_blocked, test_finish_at_once,
		test_finish_without_memory, test_copy_without_memory,
		test_destination_breaks, test_destination_breaks_while_blocked,
		test_dev_full, test_dev_null, test_file, test_full_disk,
		test_full_disk_by_splice, test_space_again, test_terminal,
		test_reader_comes_late, test_no_reader_no_bytes,
		test_slow_reader, test_free_in_done, test_free,
		test_free_before_done, test_no_done,
		test_out_of_memory_at_the_start, test_out_of_memory_on_the_way,
		test_outlives, test_outlives_while_blocked,
		test_outlives_until_read, NULL};

	return suite_run("relay", tests);
}
