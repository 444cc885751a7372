/* SPDX-License-Identifier: Apache-2.0 */
#include "util_scene.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "util_clock.h"
#include "util_test.h"

struct scene scene;

void scene_drained(void *arg)
{
	struct scene *s = arg;

	s->drained++;
}

void scene_begin(void)
{
	int i;

	memset(&scene, 0, sizeof(scene));
	for (i = 0; i < 3; i++)
		scene.proc[i] = scene.client[i] = -1;
	clock_freeze();
	scene.base = event_base_new();
}

void scene_end(void)
{
	int i;

	stdio_close(scene.stdio);
	for (i = 0; i < 3; i++) {
		fd_close(&scene.proc[i]);
		fd_close(&scene.client[i]);
	}
	event_base_free(scene.base);
}

int scene_open_fifo(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* The client makes its FIFOs and opens them for reading; writing needs the
 * shim to be there: fifo(7), ENXIO. */
void scene_make_fifos(void)
{
	ck_assert_int_eq(mkfifo("in", 0600), 0);
	ck_assert_int_eq(mkfifo("out", 0600), 0);
	ck_assert_int_eq(mkfifo("err", 0600), 0);
	scene.config.in = here("in");
	scene.config.out = here("out");
	scene.config.err = here("err");
}

void scene_open_client(void)
{
	scene.client[0] = scene_open_fifo("in", O_WRONLY);
	scene.client[1] = scene_open_fifo("out", O_RDONLY);
	scene.client[2] = scene_open_fifo("err", O_RDONLY);
}

void scene_open_stdio(void)
{
	struct err e;
	int r = stdio_open(scene.base, &scene.config, &scene.stdio, &e);

	ck_assert_msg(r == 0, "%s", e.msg);
}

/* What the runtime does: the process gets the descriptors. */
static void give_to_process(void)
{
	struct endpoint *ends[3];
	int i;

	stdio_endpoints(scene.stdio, ends);
	for (i = 0; i < 3; i++) {
		if (!ends[i])
			continue;
		scene.proc[i] = fcntl(endpoint_fd(ends[i]), F_DUPFD_CLOEXEC, 3);
		fcntl(scene.proc[i], F_SETFL, O_NONBLOCK);
	}
}

void scene_start(void)
{
	struct err e;
	int r;

	give_to_process();
	r = stdio_start(scene.stdio, &e);
	ck_assert_msg(r == 0, "%s", e.msg);
}

void scene_open(void)
{
	scene_begin();
	scene_make_fifos();
	scene_open_stdio();
	scene_open_client();
	scene_start();
}

void scene_put(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static bool is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0 && (p.revents & POLLIN);
}

const char *scene_get(int fd)
{
	static char text[256];
	ssize_t n;

	/* a terminal hands on what it has in its own time */
	wait_for(scene.base, is_readable(fd));
	loop_settle(scene.base);
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

bool scene_at_end(int fd)
{
	char c;

	loop_settle(scene.base);
	return read(fd, &c, 1) == 0;
}

/* Lets time pass, until it is over or drained. Returns how much did. */
int64_t scene_pass(int64_t ms)
{
	int64_t gone;

	loop_settle(scene.base);
	for (gone = 0; gone < ms && !scene.drained; gone += 10) {
		clock_skip_ms(10);
		loop_turn(scene.base);
		loop_turn(scene.base);
	}
	return gone;
}
