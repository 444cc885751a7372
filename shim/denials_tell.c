/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/denials_tell.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/stream.h"
#include "platform/text.h"
#include "shim/bundle.h"
#include "shim/denials.h"
#include "platform/json_write.h"
#include "shim/log.h"

#define FILE_MAX (256U << 10)
#define TABLE_MAX (1U << 20)

/* A line of the table: arch nr name ARCH kinds compared why */
static bool read_line(const char *line, const struct seccomp_call *call,
	struct denials_words *ret)
{
	struct denials_words w = {.compared = 0};
	uint32_t arch;
	int32_t nr;
	int at = 0;

	if (sscanf(line, "%" SCNx32 " %" SCNd32, &arch, &nr) != 2 ||
		arch != call->arch || nr != call->nr)
		return false;
	if (sscanf(line, "%*s %*s %39s %15s %7s %x %n", w.name, w.arch, w.kinds,
		    &w.compared, &at) < 4 ||
		at == 0)
		return false;
	snprintf(w.why, sizeof(w.why), "%.*s", (int)strcspn(line + at, "\n"),
		line + at);
	*ret = w;
	return true;
}

void denials_find_words(const struct denials_teller *t,
	const struct seccomp_call *call, struct denials_words *ret)
{
	auto_free char *text = NULL;
	char path[BUNDLE_PATH_MAX];
	const char *line;
	size_t n;

	*ret = (struct denials_words){.kinds = "?"};
	snprintf(ret->name, sizeof(ret->name), "call %" PRId32, call->nr);
	snprintf(ret->arch, sizeof(ret->arch), "%08" PRIx32, call->arch);
	if (bundle_path(t->bundle, DENIALS_TABLE, path) < 0 ||
		file_read(path, TABLE_MAX, &text, &n, NULL) < 0)
		return;
	for (line = text; *line;) {
		if (read_line(line, call, ret))
			return;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
}

struct text {
	char *at;
	size_t n, max;
};

static void put(struct text *t, const char *fmt, ...) ERR_PRINTF(2, 3);

static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->at + t->n, t->max - t->n, fmt, ap);
	va_end(ap);
	t->n = (size_t)n < t->max - t->n ? t->n + (size_t)n : t->max - 1;
}

static void put_string(struct denials_teller *t, struct text *out,
	const struct seccomp_call *call, unsigned arg)
{
	char text[64];
	int r = t->no_text ? -1
			   : seccomp_call_text(call, arg, text, sizeof(text));

	if (r == 0)
		put(out, "\"%s\"%s", text,
			strlen(text) == sizeof(text) - 1 ? "..." : "");
	else
		put(out, "0x%" PRIx64, call->args[arg]);
	if (r == -ETIMEDOUT)
		t->no_text = true;
}

/* s: a path or other text, d: a number, o: a mode, x: flags, p: an address,
 * f: a descriptor, -: none; ?: no word is known on them */
static void put_arg(struct denials_teller *t, struct text *out,
	const struct denial *k, unsigned arg, char kind)
{
	uint64_t value = k->call.args[arg];

	if ((kind == 's' || kind == 'p') && value == 0)
		put(out, "NULL");
	else if (kind == 's')
		put_string(t, out, &k->call, arg);
	else if (kind == 'f' && (int32_t)value == -100)
		put(out, "AT_FDCWD");
	else if (kind == 'd' || kind == 'f')
		put(out, "%" PRId32, (int32_t)value);
	else if (kind == 'o')
		put(out, "0%" PRIo64, value & 07777777);
	else
		put(out, "0x%" PRIx64, value);
}

void denials_describe(struct denials_teller *t, struct denial *k)
{
	struct text out = {.at = k->text, .max = sizeof(k->text)};
	const char *kinds = k->words.kinds;
	unsigned i;

	put(&out, "%s(", k->words.name);
	for (i = 0; i < SECCOMP_ARGS; i++) {
		char kind = kinds[0] == '?' ? 'x' : kinds[i];

		if (kind == '-' || kind == '\0')
			break;
		put(&out, "%s", i > 0 ? ", " : "");
		put_arg(t, &out, k, i, kind);
	}
	put(&out, ")");
}

static void put_time(struct json_out *o)
{
	struct timespec now;
	char text[TEXT_TIME_MAX];

	clock_gettime(CLOCK_REALTIME, &now);
	text_time(&now, text);
	json_text(o, "time", text);
}

static void put_args(struct json_out *o, const struct denial *k)
{
	char text[24];
	unsigned i;

	json_open(o, "args", '[');
	for (i = 0; i < SECCOMP_ARGS; i++) {
		snprintf(text, sizeof(text), "0x%" PRIx64, k->call.args[i]);
		json_text(o, NULL, text);
	}
	json_close(o);
}

static int errno_of(const struct denial *k)
{
	return (int)(k->verdict & SECCOMP_SAYS_DATA);
}

static void put_denial(
	struct json_out *o, const struct denial *k, uint64_t n, bool again)
{
	json_open(o, NULL, '{');
	put_time(o);
	json_text(o, "syscall", k->words.name);
	json_text(o, "arch", k->words.arch);
	json_number(o, "nr", k->call.nr);
	put_args(o, k);
	json_text(o, "call", k->text);
	json_number(o, "pid", k->call.pid);
	json_text(o, "comm", k->call.comm);
	json_number(o, "errno", errno_of(k));
	json_text(o, "profile", k->words.why);
	json_number(o, "count", (int64_t)n);
	json_number(o, "total", (int64_t)k->total);
	if (again)
		json_bool(o, "again", true);
	json_close(o);
}

/* A disk that is full, or no memory: then there is the log. */
static void write_line(struct denials_teller *t, struct json_out *o)
{
	char path[BUNDLE_PATH_MAX];
	ssize_t n;

	if (!t->file && bundle_path(t->bundle, DENIALS_FILE, path) == 0)
		(void)stream_open_log(t->base, path, &t->file, NULL);
	if (json_ok(o) && t->file) {
		n = stream_write(t->file, o->data, o->n);
		t->n_file += n > 0 ? (size_t)n : 0;
	}
	free(o->data);
}

static void log_denial(const struct denials_teller *t, const struct denial *k)
{
	if (k->total == k->untold)
		log_warn(t->id, "denied: %s by %s (pid %" PRId64 "): %s; %s",
			k->text, k->call.comm, k->call.pid,
			strerror(errno_of(k)), k->words.why);
	else
		log_warn(t->id,
			"denied: %s by %s, %" PRIu64 " more (%" PRIu64
			" in all)",
			k->words.name, k->call.comm, k->untold, k->total);
}

void denials_tell(struct denials_teller *t, struct denial *k)
{
	struct json_out o = {0};

	if (k->untold == 0)
		return;
	log_denial(t, k);
	put_denial(&o, k, k->untold, false);
	write_line(t, &o);
	k->untold = 0;
}

void denials_tell_others(struct denials_teller *t, uint64_t n)
{
	struct json_out o = {0};

	log_warn(t->id, "denied: %" PRIu64 " calls of too many other kinds", n);
	json_open(&o, NULL, '{');
	put_time(&o);
	json_number(&o, "unnamed", (int64_t)n);
	json_close(&o);
	write_line(t, &o);
}

bool denials_file_is_full(const struct denials_teller *t)
{
	return t->n_file > FILE_MAX;
}

void denials_file_close(struct denials_teller *t)
{
	stream_close(ptr_take(&t->file));
}

void denials_file_renew(
	struct denials_teller *t, const struct denial *kinds, unsigned n_kinds)
{
	unsigned i;

	denials_file_close(t);
	bundle_remove(t->bundle, DENIALS_FILE);
	t->n_file = 0;
	for (i = 0; i < n_kinds; i++) {
		struct json_out o = {0};

		put_denial(&o, &kinds[i], 0, true);
		write_line(t, &o);
	}
}
