/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ctl/dump_text.h"
#include "ctl/dump_words.h"

#define KINDS_MAX 24
#define KIND_MAX 32

struct counted {
	char kind[KIND_MAX];
	unsigned n;
};

/* What /proc/PID/fd links to: proc(5). */
static void kind_of(yajl_val o, char kind[KIND_MAX])
{
	const char *what = dump_str(o, "what"), *name = "other";

	if (strncmp(what, "pipe:", 5) == 0)
		name = "pipe";
	else if (strncmp(what, "socket:", 7) == 0)
		name = "socket";
	else if (dump_get(o, "waiting"))
		name = "FIFO";
	else if (strncmp(what, "/dev/pts/", 9) == 0 ||
		 strcmp(what, "/dev/ptmx") == 0)
		name = "terminal";
	else if (strcmp(what, "/dev/null") == 0)
		name = "null device";
	else if (strncmp(what, "/dev/", 5) == 0)
		name = "device";
	else if (strncmp(what, "anon_inode:", 11) == 0)
		name = what + 11;
	else if (*what == '/')
		name = "file";
	if (*name == '[')
		snprintf(kind, KIND_MAX, "%.*s", (int)strcspn(name + 1, "]"),
			name + 1);
	else
		snprintf(kind, KIND_MAX, "%s", name);
}

static void put_counts(const char *whose, yajl_val open)
{
	struct counted all[KINDS_MAX];
	size_t i, j, n = 0;

	for (i = 0; i < dump_count(open); i++) {
		char kind[KIND_MAX];

		kind_of(dump_at(open, i), kind);
		for (j = 0; j < n && strcmp(all[j].kind, kind) != 0; j++)
			;
		if (j == n && n == KINDS_MAX)
			j = n - 1;
		if (j == n) {
			memcpy(all[n].kind, kind, sizeof(kind));
			all[n++].n = 0;
		}
		all[j].n++;
	}
	dump_line(whose);
	printf("%zu open:", dump_count(open));
	for (i = 0; i < n; i++) {
		printf("%s %u ", i > 0 ? "," : "", all[i].n);
		dump_put(all[i].kind);
		fputs(all[i].n > 1 ? "s" : "", stdout);
	}
	putchar('\n');
}

static void put_open(yajl_val o)
{
	printf("%3lld ", dump_num(o, "fd"));
	dump_put(dump_str(o, "what"));
	if (dump_get(o, "waiting")) {
		fputs(", with ", stdout);
		dump_put_size(dump_num(o, "waiting"));
	}
	if (dump_num(o, "waiting") > 0 && dump_num(o, "room") > 0) {
		fputs(" of ", stdout);
		dump_put_size(dump_num(o, "room"));
	}
	putchar('\n');
}

void ctl_dump_text_open(const char *whose, yajl_val open, bool list)
{
	size_t i;

	if (dump_count(open) == 0)
		return;
	if (!list) {
		put_counts(whose, open);
		return;
	}
	for (i = 0; i < dump_count(open); i++) {
		dump_line(i == 0 ? whose : "");
		put_open(dump_at(open, i));
	}
}
