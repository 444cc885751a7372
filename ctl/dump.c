/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump.c - `wispctl dump`: all that a shim knows and waits for.
 */
#include <stdio.h>

#include "ctl/command.h"
#include "ctl/dump_text.h"
#include "ctl/dump_words.h"
#include "ctl/view.h"

static void dump_help(void)
{
	fputs("Usage: wispctl dump [-n NAMESPACE] [-o text|json] [-s] ID\n\n"
	      "Shows all that the shim of container ID knows and waits for: "
	      "open "
	      "calls,\ncommands of the OCI runtime and where they hang, "
	      "children, descriptors, events\nfor the daemon, containers and "
	      "their streams. Works whoever started the shim,\nwith the daemon "
	      "dead and the runtime hung. Of a shim that is not wisp it shows\n"
	      "what can be seen from outside.\n\n"
	      "  -n, --namespace NAME  the daemon's namespace, if ID is in "
	      "several (default,\n                        moby, k8s.io, ...)\n"
	      "  -o, --output FORM     text (default) or json\n"
	      "  -s, --signal          ask by SIGUSR1 and read dump.json in "
	      "the "
	      "bundle; so it\n                        is done, too, if the "
	      "shim's socket does not answer\n"
	      "\nID may be the beginning of one.\n"
	      "\nExamples:\n"
	      "  wispctl dump web\n"
	      "  wispctl dump -n k8s.io -o json 3f2a | jq .commands\n"
	      "  wispctl dump -s web\n",
		stdout);
}

static void show_dump(const struct view *v)
{
	yajl_val all = dump_get(v->doc, "containers");
	size_t i;

	ctl_dump_text_shim(v->doc);
	ctl_dump_text_open("open", dump_get(v->doc, "open"), true);
	for (i = 0; i < dump_count(all); i++) {
		putchar('\n');
		ctl_dump_text_container(
			dump_at(all, i), dump_get(v->doc, "open"));
	}
}

int ctl_dump(int argc, char **argv)
{
	struct view v = {0};
	struct view_options o;
	struct err e = {0};
	int r = view_parse(argc, argv, "n:o:sh", &o);

	if (r > 0)
		dump_help();
	if (r != 0)
		return r > 0 ? CTL_OK : CTL_FAILED;
	r = view_open(&v, &o, &e);
	if (r == 0)
		r = view_dump(&v, o.by_signal, &e);
	if (r == 0 && o.json)
		fputs(v.text, stdout);
	else if (r == 0)
		show_dump(&v);
	view_close(&v);
	return view_finish(r, &e);
}
