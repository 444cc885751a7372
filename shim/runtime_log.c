/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/runtime_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/json.h"

/* With its debugging on, a runtime writes some tens of KiB. */
#define LOG_TAIL (256 * 1024)

struct last {
	bool is_error;
	char msg[ERR_MSG_MAX], found[ERR_MSG_MAX], said[ERR_MSG_MAX];
};

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct last *l = arg;

	if (type != JSON_STRING)
		return;
	if (strcmp(path, "level") == 0)
		l->is_error = (n == 5 && memcmp(text, "error", 5) == 0) ||
			      (n == 5 && memcmp(text, "fatal", 5) == 0);
	else if (strcmp(path, "msg") == 0)
		snprintf(l->msg, sizeof(l->msg), "%.*s", (int)n, text);
}

static bool is_text(const char *line, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ' && line[i] != '\t')
			return false;
	return n > 0;
}

/* What is no JSON, nor a line of an object that was cut off, is the runtime's
 * stderr: better than nothing. */
static void on_text(struct last *l, const char *line, size_t n)
{
	bool cut = strncmp(line, "  \"", 3) == 0 || *line == '}';

	if (!cut && is_text(line, n) &&
		json_scan(line, n, NULL, NULL, NULL) < 0)
		snprintf(l->said, sizeof(l->said), "%.*s", (int)n, line);
}

static bool on_object(struct last *l, const char *text, size_t n)
{
	l->is_error = false;
	l->msg[0] = '\0';
	if (json_scan(text, n, on_value, l, NULL) < 0)
		return false;
	if (l->is_error && *l->msg)
		memcpy(l->found, l->msg, sizeof(l->found));
	return true;
}

/* Where the object that begins at p ends, braces in strings not counted; NULL
 * if it does not. */
static const char *object_end(const char *p, const char *end)
{
	bool quoted = false;
	int depth = 0;

	for (; p < end; p++) {
		if (quoted && *p == '\\')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && *p == '{')
			depth++;
		else if (!quoted && *p == '}' && --depth == 0)
			return p + 1;
	}
	return NULL;
}

/* One line that is no object, or one object with what follows on its last line:
 * runc writes each on one line, crun (1.28) on several. */
static const char *step(struct last *l, const char *p, const char *end)
{
	const char *stop = *p == '{' ? object_end(p, end) : NULL;
	const char *eol = memchr(p, '\n', (size_t)(end - p));

	if (stop && on_object(l, p, (size_t)(stop - p)))
		return stop;
	if (!eol)
		eol = end;
	if (*p != '{')
		on_text(l, p, (size_t)(eol - p));
	return eol + (eol < end);
}

static void find_last(const char *path, struct last *l)
{
	auto_free char *text = NULL;
	const char *p;
	size_t n;

	if (file_read_tail(path, LOG_TAIL, &text, &n, NULL) < 0)
		return;
	for (p = text; p < text + n;)
		p = step(l, p, text + n);
}

static bool is_gone(const char *msg)
{
	static const char *const phrases[] = {"process already finished",
		"container not running", "no such process", "is not running",
		"not running"};
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (strstr(msg, phrases[i]))
			return true;
	return false;
}

void runtime_log_error(
	const char *path, const char *verb, uint32_t status, struct err *e)
{
	struct last l = {0};

	find_last(path, &l);
	if (!*l.found && *l.said)
		memcpy(l.found, l.said, sizeof(l.found));
	if (!*l.found)
		err_set(e, -EREMOTEIO,
			"OCI runtime %s failed: it exited with status %" PRIu32
			" and left no error in its log",
			verb, status);
	else if (strcmp(verb, "kill") == 0 && is_gone(l.found))
		err_set(e, -ESRCH, "process already finished");
	else
		err_set(e, -EREMOTEIO, "OCI runtime %s failed: %s", verb,
			l.found);
}

bool runtime_log_is_missing(const struct err *e)
{
	return strstr(e->msg, "does not exist") ||
	       strstr(e->msg, "no such file or directory") ||
	       strstr(e->msg, "No such file or directory");
}
