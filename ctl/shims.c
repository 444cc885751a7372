/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shims.c - `wispctl shims`: all shims of this host.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/say.h"
#include "ctl/shims_show.h"

enum form { FORM_TEXT, FORM_JSON, FORM_IDS };
enum sort { SORT_NAME, SORT_PSS, SORT_AGE, SORT_FDS };

struct options {
	const char *ns, *kind; /* NULL: any */
	bool orphans;
	enum sort sort;
	enum form form;
};

static const struct option long_options[] = {
	{"namespace", required_argument, NULL, 'n'},
	{"kind", required_argument, NULL, 'k'},
	{"orphans", no_argument, NULL, 'O'},
	{"sort", required_argument, NULL, 's'},
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void help(void)
{
	fputs("Usage: wispctl shims [-n NAMESPACE] [--kind KIND] [--orphans]\n"
	      "                     [--sort KEY] [-o text|json|ids]\n\n"
	      "Lists every containerd shim that runs on this host, of any "
	      "kind and of any\ndaemon: whose it is, which containers it "
	      "has, what it costs, and what it has\nlost. Asks nobody: all "
	      "is read from /proc and from the bundles.\n\n"
	      "  -n, --namespace NAME  only those of this namespace (moby, "
	      "k8s.io, ...)\n"
	      "  -k, --kind KIND       only those of this kind (wisp, "
	      "runc-v2, ...)\n"
	      "      --orphans         only those that have lost something\n"
	      "  -s, --sort KEY        pss, age or fds: the most first; or "
	      "name (default)\n"
	      "  -o, --output FORM     text (default), json, or ids: the "
	      "containers' ids alone\n\n"
	      "TASKS is how many of the containers run. LOST is what an "
	      "orphan misses: daemon\n(nobody listens at its daemon's socket), "
	      "bundle (the folders of its containers\nare gone), task (it is "
	      "older than a minute and never had one).\n"
	      "\nExamples:\n"
	      "  wispctl shims --sort pss\n"
	      "  wispctl shims --orphans\n"
	      "  wispctl shims -n k8s.io -o json | jq .total\n",
		stdout);
}

static bool parse_sort(const char *text, enum sort *ret)
{
	static const char *const names[] = {"name", "pss", "age", "fds"};
	unsigned i;

	for (i = 0; i < 4; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum sort)i;
			return true;
		}
	return false;
}

static bool parse_form(const char *text, enum form *ret)
{
	static const char *const names[] = {"text", "json", "ids"};
	unsigned i;

	for (i = 0; i < 3; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum form)i;
			return true;
		}
	return false;
}

/* 0: go on; 1: help is wanted; -EINVAL: said what is wrong. */
static int parse(int argc, char **argv, struct options *ret)
{
	bool ok = true;
	int c;

	*ret = (struct options){0};
	optind = 1;
	while (ok && (c = getopt_long(argc, argv, "n:k:s:o:h", long_options,
			      NULL)) != -1) {
		if (c == 'h')
			return 1;
		if (c == 'n')
			ret->ns = optarg;
		else if (c == 'k')
			ret->kind = optarg;
		else if (c == 'O')
			ret->orphans = true;
		else if (c == 's')
			ok = parse_sort(optarg, &ret->sort);
		else
			ok = c == 'o' && parse_form(optarg, &ret->form);
	}
	if (ok && optind == argc)
		return 0;
	ctl_say("shims: wrong arguments; see `wispctl shims --help`");
	return -EINVAL;
}

static int by_name(const void *a, const void *b)
{
	const struct scan_words *x =
		&((const struct shim_look *)a)->shim->words;
	const struct scan_words *y =
		&((const struct shim_look *)b)->shim->words;
	int r = strcmp(x->ns, y->ns);

	return r != 0 ? r : strcmp(x->id, y->id);
}

static int most(uint64_t x, uint64_t y, const void *a, const void *b)
{
	return x != y ? (x > y ? -1 : 1) : by_name(a, b);
}

static int by_pss(const void *a, const void *b)
{
	const struct shim_look *x = a, *y = b;

	return most(x->memory.proportional, y->memory.proportional, a, b);
}

static int by_age(const void *a, const void *b)
{
	const struct shim_look *x = a, *y = b;

	return most(x->shim->age_ms, y->shim->age_ms, a, b);
}

static int by_fds(const void *a, const void *b)
{
	const struct shim_look *x = a, *y = b;

	return most((uint64_t)x->fds + 1, (uint64_t)y->fds + 1, a, b);
}

static int (*const sorts[])(const void *, const void *) = {
	[SORT_NAME] = by_name,
	[SORT_PSS] = by_pss,
	[SORT_AGE] = by_age,
	[SORT_FDS] = by_fds,
};

static void show_ids(const struct shim_look *looks, size_t n)
{
	size_t i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < looks[i].shim->n; j++)
			if (*looks[i].shim->containers[j].via ||
				looks[i].shim->hidden)
				puts(looks[i].shim->containers[j].id);
}

static int show(const struct scan *all, const struct options *o, struct err *e)
{
	struct shim_look *looks = calloc(all->n + 1, sizeof(*looks));
	size_t i, n = 0;
	int r = 0;

	if (!looks)
		return err_sys(e, -ENOMEM, "shims");
	for (i = 0; i < all->n; i++) {
		struct shim_look *l = &looks[n];

		shim_look(&all->shims[i], l);
		if ((!o->kind || strcmp(o->kind, l->kind) == 0) &&
			(!o->orphans || l->lost))
			n++;
	}
	qsort(looks, n, sizeof(*looks), sorts[o->sort]);
	if (o->form == FORM_IDS)
		show_ids(looks, n);
	else
		r = o->form == FORM_JSON ? shims_show_json(looks, n)
					 : shims_show(looks, n);
	free(looks);
	return r < 0 ? err_sys(e, r, "shims") : 0;
}

int ctl_shims(int argc, char **argv)
{
	struct scan all = {0};
	struct options o;
	struct err e;
	int r = parse(argc, argv, &o);

	if (r > 0)
		help();
	if (r != 0)
		return r > 0 ? CTL_OK : CTL_FAILED;
	r = scan_shims(o.ns, &all, &e);
	if (r == 0)
		r = show(&all, &o, &e);
	scan_clear(&all);
	if (r == 0 && fflush(stdout) == 0 && !ferror(stdout))
		return CTL_OK;
	ctl_say("%s", r < 0 ? e.msg : "stdout can't be written to");
	return CTL_FAILED;
}
