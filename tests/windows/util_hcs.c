/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/windows/util_hcs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/file.h"
#include "platform/json.h"
#include "platform/windows/win.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_loop.h"
#include "tests/windows/util_vmcompute.h"

#define LINE_MAX 65536

static size_t calls_seen; /* bytes of the log, by hcs_calls() */

void hcs_begin(void)
{
	char folder[FILE_PATH_MAX];

	vmc_begin();
	ck_assert_int_eq(file_working_folder(folder, sizeof(folder)), 0);
	strcat(folder, "\\hcs");
	ck_assert_int_eq(file_make_folder(folder), 0);
	SetEnvironmentVariableA("WISP_HCS", folder);
	SetEnvironmentVariableA("WISP_HCS_TIMEOUT_MS", NULL);
	calls_seen = 0;
}

static void put_quoted(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', f);
		fputc(*text, f);
	}
	fputc('"', f);
}

void hcs_bundle(const char *const *words, const char *process,
	const char *windows, const char *all)
{
	FILE *f = fopen("config.json", "wb");

	ck_assert_ptr_nonnull(f);
	fputs("{\"ociVersion\":\"1.1.0\",\"process\":{\"args\":[", f);
	put_quoted(f, own_path());
	fputs(",\"child\"", f);
	for (; *words; words++) {
		fputc(',', f);
		put_quoted(f, *words);
	}
	fprintf(f, "]%s},\"root\":{\"path\":", process);
	put_quoted(f, HCS_VOLUME);
	fputs("},\"windows\":{\"layerFolders\":[", f);
	put_quoted(f, vmc_layer("top"));
	fputc(',', f);
	put_quoted(f, vmc_layer("base"));
	fputc(',', f);
	put_quoted(f, vmc_layer("scratch"));
	fprintf(f, "]%s}%s}", windows, all);
	fclose(f);
}

void hcs_forget(void)
{
	hcs_put("log", NULL);
	calls_seen = 0;
}

void hcs_put(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "hcs\\%s", name);
	if (text)
		put_text(path, text);
	else
		remove(path);
}

/* The same plan twice is two plans: the double counts from 1 again. */
void hcs_plan(const char *line)
{
	static unsigned serial;
	char text[256];

	snprintf(text, sizeof(text), "%s\n# %u\n", line ? line : "", ++serial);
	hcs_put("plan", line ? text : NULL);
}

/* ---- the log ---- */

struct value {
	const char *path;
	char text[8192];
	bool found;
};

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct value *v = arg;
	size_t at = strlen(v->text);

	if (strcmp(path, v->path) != 0 || type == JSON_OBJECT ||
		type == JSON_ARRAY || at + n + 2 > sizeof(v->text))
		return;
	/* those of an array come one after the other */
	if (v->found)
		v->text[at++] = ' ';
	v->found = true;
	memcpy(v->text + at, text, n);
	v->text[at + n] = '\0';
}

const char *hcs_value(const char *json, const char *path)
{
	static struct value v[8];
	static unsigned next;
	struct value *to = &v[next++ % 8];

	memset(to, 0, sizeof(*to));
	to->path = path;
	ck_assert_msg(json_scan(json, strlen(json), on_value, to, NULL) == 0,
		"no JSON: %s", json);
	return to->text;
}

/* The next whole line of the log; false if there is none. */
static bool next_line(FILE *f, char line[LINE_MAX])
{
	return f && fgets(line, LINE_MAX, f) && strchr(line, '\n');
}

unsigned hcs_called(const char *function)
{
	static char line[LINE_MAX];
	FILE *f = fopen("hcs\\log", "rb");
	unsigned n = 0;

	while (next_line(f, line))
		n += strcmp(hcs_value(line, "call"), function) == 0;
	if (f)
		fclose(f);
	return n;
}

const char *hcs_document(const char *function, unsigned nth)
{
	static char line[LINE_MAX];
	FILE *f = fopen("hcs\\log", "rb");
	const char *found = "";
	char *at;

	while (!*found && next_line(f, line)) {
		if (strcmp(hcs_value(line, "call"), function) != 0 || --nth > 0)
			continue;
		at = strstr(line, "\"document\":");
		if (!at)
			continue;
		at += strlen("\"document\":");
		*strrchr(at, '}') = '\0';
		found = at;
	}
	if (f)
		fclose(f);
	return found;
}

const char *hcs_calls(void)
{
	static char ret[4096], line[LINE_MAX];
	FILE *f = fopen("hcs\\log", "rb");

	*ret = '\0';
	if (f)
		fseek(f, (long)calls_seen, SEEK_SET);
	while (next_line(f, line)) {
		const char *call = hcs_value(line, "call");

		calls_seen += strlen(line);
		if (!*call || strlen(ret) + 64 > sizeof(ret))
			continue;
		strcat(ret, call + 3);
		if (strcmp(hcs_value(line, "hr"), "0x00000000") != 0)
			strcat(ret, "!");
		strcat(ret, " ");
	}
	if (f)
		fclose(f);
	return ret;
}

const char *hcs_closed(const char *kind)
{
	static char ret[1024], line[LINE_MAX];
	FILE *f = fopen("hcs\\log", "rb");

	*ret = '\0';
	while (next_line(f, line))
		if (strcmp(hcs_value(line, "closed"), kind) == 0 &&
			strlen(ret) < 1000)
			sprintf(ret + strlen(ret), "%s ",
				hcs_value(line, "number"));
	if (f)
		fclose(f);
	return ret;
}

const char *hcs_left(void)
{
	static char ret[1024], line[LINE_MAX], open[65536];
	FILE *f = fopen("hcs\\log", "rb");
	unsigned i;

	*ret = '\0';
	memset(open, 0, sizeof(open));
	while (next_line(f, line)) {
		unsigned number =
			(unsigned)atoi(hcs_value(line, "number")) % 65536;

		if (*hcs_value(line, "opened"))
			open[number] = *hcs_value(line, "opened");
		else if (*hcs_value(line, "closed"))
			open[number] = 0;
		else if (*hcs_value(line, "bad") && strlen(ret) < 900)
			sprintf(ret + strlen(ret), "bad %s %u; ",
				hcs_value(line, "bad"), number);
	}
	if (f)
		fclose(f);
	for (i = 0; i < sizeof(open); i++)
		if (open[i] && strlen(ret) < 900)
			sprintf(ret + strlen(ret), "%c%u; ", open[i], i);
	return ret;
}
