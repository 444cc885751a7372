/* SPDX-License-Identifier: Apache-2.0 */
#include "util_oom.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

/* Weak, because most tests are linked without --wrap, and some have their own.
 */
#ifndef WEAK
#define WEAK __attribute__((weak))
#endif

void *__real_malloc(size_t n) WEAK;
void *__real_calloc(size_t n, size_t size) WEAK;
void *__real_realloc(void *p, size_t n) WEAK;
void *__wrap_malloc(size_t n) WEAK;
void *__wrap_calloc(size_t n, size_t size) WEAK;
void *__wrap_realloc(void *p, size_t n) WEAK;

static unsigned calls, fail_at;
static bool fail_all, hit;

static bool fails(void)
{
	calls++;
	if (!fail_all && calls != fail_at)
		return false;
	hit = true;
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

/* libc's own would call its own malloc(). */
char *strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *strdup(const char *s)
{
	return strndup(s, strlen(s));
}

void oom_begin(void)
{
	event_set_mem_functions(malloc, realloc, free);
}

void oom_at(unsigned n)
{
	calls = 0;
	fail_at = n;
	fail_all = hit = false;
}

void oom_all(void)
{
	oom_at(0);
	fail_all = true;
}

bool oom_off(void)
{
	fail_at = 0;
	fail_all = false;
	return hit;
}

void oom_count_begin(void)
{
	oom_at(0);
}

unsigned oom_count(void)
{
	return calls;
}

bool oom_hit_last(void)
{
	return hit;
}
