/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/windows/util_vmcompute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/file.h"
#include "platform/windows/win.h"
#include "tests/unit/util_test.h"

static unsigned told; /* lines of the log that vmc_calls() has told */

static char *windows_path(const char *name, char *buf)
{
	char *p;

	snprintf(buf, FILE_PATH_MAX, "%s", here(name));
	for (p = buf; *p; p++)
		if (*p == '/')
			*p = '\\';
	return buf;
}

const char *vmc_layer(const char *name)
{
	static char paths[8][FILE_PATH_MAX];
	static unsigned next;
	char below[64];

	snprintf(below, sizeof(below), "layers/%s", name);
	return windows_path(below, paths[next++ % 8]);
}

void vmc_begin(void)
{
	char path[FILE_PATH_MAX];

	told = 0;
	ck_assert_int_eq(file_make_folder(here("vmc")), 0);
	ck_assert_int_eq(file_make_folder(here("layers")), 0);
	ck_assert_int_eq(file_make_folder(vmc_layer("top")), 0);
	ck_assert_int_eq(file_make_folder(vmc_layer("mid")), 0);
	ck_assert_int_eq(file_make_folder(vmc_layer("base")), 0);
	ck_assert_int_eq(file_make_folder(vmc_layer("scratch")), 0);
	SetEnvironmentVariableA("WISP_VMCOMPUTE", windows_path("vmc", path));
}

static void put_escaped(char *to, const char *path)
{
	to += strlen(to);
	for (; *path; path++) {
		if (*path == '\\')
			*to++ = '\\';
		*to++ = *path;
	}
	*to = '\0';
}

const struct mount_spec *vmc_mount(void)
{
	static const char *const names[] = {"top", "mid", "base"};
	static char source[FILE_PATH_MAX], parents[4 * FILE_PATH_MAX];
	static const char *options[] = {"rw", parents};
	static struct mount_spec m = {.type = "windows-layer",
		.source = source,
		.options = options,
		.n_options = 2};
	size_t i;

	snprintf(source, sizeof(source), "%s", vmc_layer("scratch"));
	strcpy(parents, "parentLayerPaths=[");
	for (i = 0; i < 3; i++) {
		strcat(parents, i ? ",\"" : "\"");
		put_escaped(parents, vmc_layer(names[i]));
		strcat(parents, "\"");
	}
	strcat(parents, "]");
	return &m;
}

const char *vmc_line(unsigned nth)
{
	static char line[8192];
	FILE *f = fopen(here("vmc/log"), "rb");
	unsigned i;

	line[0] = '\0';
	for (i = 0; f && i <= nth; i++)
		if (!fgets(line, sizeof(line), f))
			line[0] = '\0';
	if (f)
		fclose(f);
	return line;
}

unsigned vmc_count(void)
{
	unsigned n = 0;

	while (*vmc_line(n))
		n++;
	return n;
}

void vmc_fail(unsigned nth, unsigned long hr, unsigned more)
{
	char text[64];

	snprintf(text, sizeof(text), "%u %lx %u", vmc_count() + nth, hr, more);
	put_text(here("vmc/fail"), text);
}

void vmc_fail_no_more(void)
{
	file_remove(here("vmc/fail"));
}

static char letter(const char *line)
{
	if (strstr(line, "\"NameToGuid\""))
		return '\0';
	if (strstr(line, "\"GetLayerMountPath\""))
		return strstr(line, "\"more\":\"size\"") ? 'g' : 'G';
	return line[strlen("{\"call\":\"")];
}

const char *vmc_calls(void)
{
	static char calls[256];
	const char *line;
	size_t n = 0;

	for (; *(line = vmc_line(told)) && n < sizeof(calls) - 2; told++) {
		if (letter(line) != '\0') {
			calls[n++] = letter(line);
			if (!strstr(line, "\"hr\":\"0x00000000\""))
				calls[n++] = '!';
		}
	}
	calls[n] = '\0';
	return calls;
}

bool vmc_is_clean(void)
{
	return file_check(here("vmc/active-scratch")) == -ENOENT &&
	       file_check(here("vmc/prepared-scratch")) == -ENOENT;
}
