/* SPDX-License-Identifier: Apache-2.0 */
#include "util_clock.h"

#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t skipped_ns, frozen_ns;
static bool is_frozen;

static int64_t real_ns(clockid_t id)
{
	struct timespec t;

	syscall(SYS_clock_gettime, id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t now_ns(void)
{
	return skipped_ns + (is_frozen ? frozen_ns : real_ns(CLOCK_MONOTONIC));
}

/* In place of libc's, also for the libraries. */
int clock_gettime(clockid_t id, struct timespec *t)
{
	int64_t ns;

	if (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE)
		return (int)syscall(SYS_clock_gettime, id, t);
	ns = now_ns();
	t->tv_sec = ns / 1000000000;
	t->tv_nsec = ns % 1000000000;
	return 0;
}

void clock_skip_ms(int64_t ms)
{
	skipped_ns += ms * 1000000;
}

int64_t clock_ms(void)
{
	return now_ns() / 1000000;
}

void clock_freeze(void)
{
	frozen_ns = real_ns(CLOCK_MONOTONIC);
	is_frozen = true;
}
