/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a snapshotter may write into a mount that is made of others: the input
 * is one text with templates. tests/fuzz/seed_template.py makes a corpus to
 * begin with.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "platform/linux/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 4096 };

static const struct template_mount mounts[] = {
	{.source = "/s0", .target = "/t0", .point = "/p0"},
	{.source = "", .target = NULL, .point = "/p1"},
	{.source = "/s2", .target = "", .point = "/p2"},
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Without a template the text is what it was; and what was filled in has no
 * template left that was not there before. */
static void check(const char *text, const char *got, size_t left)
{
	must(strlen(got) < ROOM && left == ROOM - strlen(got) - 1);
	if (!strstr(text, "{{"))
		must(strcmp(text, got) == 0);
	else
		must(!strstr(got, "{{"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *got = NULL;
	size_t room = ROOM;
	struct err e = {0};
	int r;

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	r = template_fill(text, mounts, 3, &room, &got, &e);
	must(r == 0 || r == -EINVAL || r == -E2BIG);
	if (r == 0)
		check(text, got, room);
	else
		must(r == e.code && !got && room == ROOM);
	free(got);
	free(text);
	return 0;
}
