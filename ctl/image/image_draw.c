/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/image/image_job.h"

#define LONG_MS 400
#define AGAIN_MS 100
#define WIDTH 60

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One write, which fills the line and leaves the cursor at its start. */
static void draw(const char *text)
{
	char line[WIDTH + 4];
	int n = snprintf(line, sizeof(line), "\r%-*.*s\r", WIDTH, WIDTH, text);
	ssize_t w = write(STDERR_FILENO, line, (size_t)n);

	(void)w; /* there is nobody left to tell */
}

void image_job_draw(struct image_job *j)
{
	int64_t now = now_ms();
	char text[128];

	if (!j->began_ms)
		j->began_ms = now;
	if (now - j->began_ms < LONG_MS || now - j->drawn_ms < AGAIN_MS ||
		!isatty(STDERR_FILENO))
		return;
	j->drawn_ms = now;
	if (j->layer)
		snprintf(text, sizeof(text),
			"image: layer %u of %u, %.1f of %.1f MB", j->layer,
			j->n_layers, (double)j->done / 1e6,
			(double)j->all / 1e6);
	else
		snprintf(text, sizeof(text), "image: decompressed, %.1f MB",
			(double)j->bytes / 1e6);
	draw(text);
}

void image_job_undraw(struct image_job *j)
{
	if (j->drawn_ms)
		draw("");
	j->drawn_ms = 0;
}
