/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/usage.h"

#include <string.h>

/* v1 has no word for it: the most that its counters of pages hold,
 * PAGE_COUNTER_MAX, is somewhat less than this in bytes. */
#define V1_NO_LIMIT (1ULL << 62)

static void begin(struct stat_sink *s, unsigned field)
{
	struct usage_reader *r = (struct usage_reader *)s;

	if (r->depth < 4)
		r->path[r->depth] = field;
	r->depth++;
}

static void end(struct stat_sink *s)
{
	struct usage_reader *r = (struct usage_reader *)s;

	r->depth--;
	r->way = 0;
}

/* A place in the tree: the parts' numbers, then the value's. */
static bool is_at(
	const struct usage_reader *r, unsigned depth, unsigned a, unsigned b)
{
	return r->depth == depth && r->path[0] == a &&
	       (depth < 2 || r->path[1] == b);
}

/* proto/cgroups_v1.proto */
static void take_v1(struct usage_reader *r, unsigned field, uint64_t v)
{
	struct usage *u = &r->v[0];

	if (is_at(r, 1, 2, 0) && field == 1) {
		u->has_pids = true;
		u->pids = v;
	} else if (is_at(r, 1, 2, 0) && field == 2) {
		u->pids_limit = v > 0 ? v : USAGE_NO_LIMIT;
	} else if (is_at(r, 2, 3, 1) && field == 1) {
		u->has_cpu = true;
		u->cpu_ns = v;
	} else if (is_at(r, 1, 4, 0) && field == 30) {
		r->inactive[0] = v;
	} else if (is_at(r, 2, 4, 33) && field == 1) {
		u->memory_limit = v < V1_NO_LIMIT ? v : USAGE_NO_LIMIT;
	} else if (is_at(r, 2, 4, 33) && field == 2) {
		u->has_memory = true;
		u->memory = v;
	} else if (is_at(r, 2, 5, 1) && field == 5) {
		u->has_io = true;
		u->read += r->way == 'R' ? v : 0;
		u->written += r->way == 'W' ? v : 0;
	}
}

/* proto/cgroups_v2.proto */
static void take_v2(struct usage_reader *r, unsigned field, uint64_t v)
{
	struct usage *u = &r->v[1];

	if (is_at(r, 1, 1, 0) && field == 1) {
		u->has_pids = true;
		u->pids = v;
	} else if (is_at(r, 1, 1, 0) && field == 2) {
		u->pids_limit = v;
	} else if (is_at(r, 1, 2, 0) && field == 1) {
		u->has_cpu = true;
		u->cpu_ns = v * 1000;
	} else if (is_at(r, 1, 4, 0) && field == 13) {
		r->inactive[1] = v;
	} else if (is_at(r, 1, 4, 0) && field == 32) {
		u->has_memory = true;
		u->memory = v;
	} else if (is_at(r, 1, 4, 0) && field == 33) {
		u->memory_limit = v;
	} else if (is_at(r, 2, 6, 1) && field == 3) {
		u->has_io = true;
		u->read += v;
	} else if (is_at(r, 2, 6, 1) && field == 4) {
		u->written += v;
	}
}

static void number(struct stat_sink *s, unsigned field, uint64_t v)
{
	struct usage_reader *r = (struct usage_reader *)s;

	take_v1(r, field, v);
	take_v2(r, field, v);
}

static void real(struct stat_sink *s, unsigned field, double v)
{
	(void)s;
	(void)field;
	(void)v;
}

static void text(struct stat_sink *s, unsigned field, const char *value)
{
	struct usage_reader *r = (struct usage_reader *)s;

	if (!is_at(r, 2, 5, 1) || field != 1)
		return;
	r->way = 0;
	if (strcmp(value, "Read") == 0)
		r->way = 'R';
	else if (strcmp(value, "Write") == 0)
		r->way = 'W';
}

static void item(struct stat_sink *s, uint64_t v)
{
	(void)s;
	(void)v;
}

void usage_begin(struct usage_reader *r)
{
	int i;

	memset(r, 0, sizeof(*r));
	r->sink = (struct stat_sink){.begin = begin,
		.end = end,
		.number = number,
		.real = real,
		.text = text,
		.item = item};
	for (i = 0; i < 2; i++) {
		r->v[i].memory_limit = USAGE_NO_LIMIT;
		r->v[i].pids_limit = USAGE_NO_LIMIT;
	}
}

void usage_take(const struct usage_reader *r, enum cgroup_version version,
	struct usage *ret)
{
	int i = version == CGROUP_V1 ? 0 : 1;

	*ret = r->v[i];
	ret->working_set =
		ret->memory > r->inactive[i] ? ret->memory - r->inactive[i] : 0;
}

void usage_read(const struct cgroup *cg, struct usage *ret)
{
	struct usage_reader r;

	usage_begin(&r);
	usage_take(&r, cgroup_stats(cg, &r.sink), ret);
}
