/* SPDX-License-Identifier: Apache-2.0 */
/* What the processes of an isolated container use:
 * HcsGetComputeSystemProperties with Statistics and ProcessList. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/cgroup_stats.h"
#include "platform/json.h"
#include "platform/windows/isolated_parts.h"

#define PIDS_MAX 65536

/* Statistics of the schema; 0 is what is not told. Times are 100 ns. */
struct isolated_figures {
	uint64_t uptime, total, user, kernel;
	uint64_t commit, commit_peak, private_set;
	uint64_t reads, read_bytes, writes, write_bytes;
	uint64_t now, born; /* since 1970 */
	uint32_t *pids;
	size_t n_pids, room;
	bool no_memory;
};

void isolated_figures_free(struct isolated_figures *f)
{
	if (f)
		free(f->pids);
	free(f);
}

static const struct {
	const char *path;
	size_t offset;
} numbers[] = {
#define NUMBER(path, field)                                    \
	{                                                      \
		path, offsetof(struct isolated_figures, field) \
	}
	NUMBER("Statistics.Uptime100ns", uptime),
	NUMBER("Statistics.Processor.TotalRuntime100ns", total),
	NUMBER("Statistics.Processor.RuntimeUser100ns", user),
	NUMBER("Statistics.Processor.RuntimeKernel100ns", kernel),
	NUMBER("Statistics.Memory.MemoryUsageCommitBytes", commit),
	NUMBER("Statistics.Memory.MemoryUsageCommitPeakBytes", commit_peak),
	NUMBER("Statistics.Memory.MemoryUsagePrivateWorkingSetBytes",
		private_set),
	NUMBER("Statistics.Storage.ReadCountNormalized", reads),
	NUMBER("Statistics.Storage.ReadSizeBytes", read_bytes),
	NUMBER("Statistics.Storage.WriteCountNormalized", writes),
	NUMBER("Statistics.Storage.WriteSizeBytes", write_bytes),
};

static bool parse(const char *text, size_t n, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned digit = (unsigned)(text[i] - '0');

		if (digit > 9 || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*ret = v;
	return n > 0;
}

/* So many digits, and what has to come after them. (The C library's sscanf()
 * allocates, and dies without memory.) */
static bool number(const char **p, unsigned digits, char after, unsigned *ret)
{
	for (*ret = 0; digits > 0; digits--, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		*ret = *ret * 10 + (unsigned)(**p - '0');
	}
	if (!after)
		return true;
	return *(*p)++ == after;
}

/* "2026-11-22T08:30:00.1234567Z"; 0: it is none. Days since 1970 by the usual
 * count of years that begin in March. */
static uint64_t parse_time(const char *text, size_t n)
{
	char copy[40];
	unsigned y, mo, d, h, mi, s, era_day;
	uint64_t fraction = 0, scale = 10000000;
	const char *p = copy;

	if (n >= sizeof(copy))
		return 0;
	memcpy(copy, text, n);
	copy[n] = '\0';
	if (!number(&p, 4, '-', &y) || !number(&p, 2, '-', &mo) ||
		!number(&p, 2, 'T', &d) || !number(&p, 2, ':', &h) ||
		!number(&p, 2, ':', &mi) || !number(&p, 2, '\0', &s) ||
		y < 1971 || y > 9999 || mo < 1 || mo > 12 || d < 1 || d > 31 ||
		h > 23 || mi > 59 || s > 60)
		return 0;
	if (*p == '.')
		p++;
	for (; *p >= '0' && *p <= '9' && scale > 1; p++) {
		scale /= 10;
		fraction += (uint64_t)(*p - '0') * scale;
	}
	if (mo <= 2)
		y--;
	mo = (mo + 9) % 12;
	era_day = y * 365 + y / 4 - y / 100 + y / 400 + (mo * 153 + 2) / 5 + d -
		  1;
	return ((uint64_t)(era_day - 719468) * 86400 + h * 3600 + mi * 60 + s) *
		       10000000 +
	       fraction;
}

static void add_pid(struct isolated_figures *f, uint64_t pid)
{
	if (f->n_pids == f->room) {
		size_t room = f->room ? 2 * f->room : 32;
		uint32_t *more =
			room <= PIDS_MAX
				? realloc(f->pids, room * sizeof(*more))
				: NULL;

		if (!more) {
			f->no_memory = true;
			return;
		}
		f->pids = more;
		f->room = room;
	}
	f->pids[f->n_pids++] = (uint32_t)pid;
}

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct isolated_figures *f = arg;
	uint64_t v;
	size_t i;

	if (type == JSON_STRING) {
		if (strcmp(path, "Statistics.Timestamp") == 0)
			f->now = parse_time(text, n);
		else if (strcmp(path, "Statistics.ContainerStartTime") == 0)
			f->born = parse_time(text, n);
		return;
	}
	if (type != JSON_NUMBER)
		return;
	if (strcmp(path, "ProcessList[].ProcessId") == 0 &&
		parse(text, n, UINT32_MAX, &v) && v > 0)
		add_pid(f, v);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(path, numbers[i].path) == 0 &&
			parse(text, n, INT64_MAX, &v))
			*(uint64_t *)(void *)((char *)f + numbers[i].offset) =
				v;
}

static int figures_of(
	const char *json, struct isolated_figures **ret, struct err *e)
{
	struct isolated_figures *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return err_set(e, -ENOMEM, "no memory for figures");
	r = json_scan(json, strlen(json), on_value, f, e);
	if (r == -EINVAL)
		r = err_set(e, -EREMOTEIO,
			"the host compute service's figures are no JSON");
	if (r == 0 && f->no_memory)
		r = err_set(e, -ENOMEM, "no memory for figures");
	if (r < 0)
		isolated_figures_free(f);
	else
		*ret = f;
	return r;
}

/* ---- asking ---- */

struct asking {
	struct isolated *i;
	void (*done)(int r, const struct err *e, void *arg);
	void *arg;
};

static void asked(int r, int64_t pid, const struct err *e, void *arg)
{
	struct asking *a = arg;
	struct asking own = *a;

	(void)pid;
	free(a);
	own.done(r, e, own.arg);
	isolated_put(own.i);
}

static void told(struct step *s, struct hcs_answer *a)
{
	struct isolated *i = s->i;
	struct isolated_figures *f = NULL;
	struct err e = *a->err;
	int r = a->r;

	if (r == 0)
		r = figures_of(a->json, &f, &e);
	if (r == 0) {
		isolated_figures_free(i->figures);
		i->figures = f;
	}
	step_done(s, r, 0, &e);
}

int isolated_refresh(struct isolated *i,
	void (*done)(int r, const struct err *e, void *arg), void *arg,
	struct err *e)
{
	struct container_later later = {.done = asked};
	struct asking *a;
	struct step *s;
	int r;

	if (!i->system || !i->started || i->exited)
		return 0;
	a = malloc(sizeof(*a));
	if (!a)
		return err_set(e, -ENOMEM, "no memory for figures");
	*a = (struct asking){.i = i, .done = done, .arg = arg};
	later.arg = a;
	s = step_new(i, &later, e);
	if (!s) {
		free(a);
		return -ENOMEM;
	}
	r = step_ask(s, false, "ask for figures of", HCS_SHORT_MS, told, e);
	if (r < 0) {
		step_free(s);
		free(a);
		return r;
	}
	i->refs++;
	r = step_asked(s,
		i->api->HcsGetComputeSystemProperties(i->system,
			hcs_call_operation(s->call),
			L"{\"PropertyTypes\":[\"Statistics\","
			L"\"ProcessList\"]}"),
		e);
	if (r < 0) {
		isolated_put(i);
		free(a);
		return r;
	}
	return CONTAINER_LATER;
}

void isolated_each_pid(
	struct isolated *i, void (*each)(int64_t pid, void *arg), void *arg)
{
	const struct isolated_figures *f = i->figures;
	size_t k;

	for (k = 0; f && !i->exited && k < f->n_pids; k++)
		each(f->pids[k], arg);
}

/* ---- Statistics: containerd.runhcs.stats.v1 ---- */

static void put_number(struct stat_sink *s, unsigned field, uint64_t v)
{
	if (v)
		s->number(s, field, v);
}

static void put_time(struct stat_sink *s, unsigned field, uint64_t at)
{
	if (!at)
		return;
	s->begin(s, field);
	put_number(s, 1, at / 10000000);
	put_number(s, 2, at % 10000000 * 100);
	s->end(s);
}

static void put_some(
	struct stat_sink *s, unsigned field, const uint64_t *v, unsigned n)
{
	unsigned k;

	s->begin(s, field);
	for (k = 0; k < n; k++)
		put_number(s, k + 1, v[k]);
	s->end(s);
}

static uint64_t nanoseconds(uint64_t v)
{
	return v < UINT64_MAX / 100 ? v * 100 : UINT64_MAX;
}

void isolated_stats(const struct isolated *i, struct stat_sink *s)
{
	static const struct isolated_figures none;
	const struct isolated_figures *f = i->figures ? i->figures : &none;
	const uint64_t processor[] = {nanoseconds(f->total),
		nanoseconds(f->user), nanoseconds(f->kernel)};
	const uint64_t memory[] = {f->commit, f->commit_peak, f->private_set};
	const uint64_t storage[] = {
		f->reads, f->read_bytes, f->writes, f->write_bytes};

	s->begin(s, 1); /* Statistics.windows */
	put_time(s, 1, f->now);
	put_time(s, 2, f->born);
	put_number(s, 3, nanoseconds(f->uptime));
	put_some(s, 4, processor, 3);
	put_some(s, 5, memory, 3);
	put_some(s, 6, storage, 4);
	s->end(s);
}
