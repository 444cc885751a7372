/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp.c - `wispctl seccomp`: what is known of a container's denials.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/say.h"
#include "ctl/seccomp/seccomp_prepare.h"
#include "ctl/seccomp/seccomp_suggest.h"

static void help(void)
{
	fputs("Usage: wispctl seccomp suggest [OPTIONS] ID|FILE\n"
	      "       wispctl seccomp prepare --listener SOCKET [OPTIONS] "
	      "BUNDLE\n\n"
	      "suggest prints the smallest change of a container's seccomp "
	      "profile that would\nallow what it has denied. The container "
	      "must be explained: it was started by\n`wispctl run "
	      "--explain-seccomp`, or by any daemon with the annotation\n"
	      "io.wisp.seccomp.explain=true. FILE is a seccomp.log of one.\n\n"
	      "      --profile FILE  the profile (default: the container's; "
	      "with FILE: of the\n                      config.json beside "
	      "it)\n"
	      "  -n, --namespace NS  look for ID in this namespace only\n"
	      "      --root DIR      of a container of wispctl (default: "
	      "/run/wisp)\n"
	      "  -o, --output FORM   text (default) or json, with the whole "
	      "profile\n"
	      "\nprepare is what the shim runs before it creates such a "
	      "container.\n\n"
	      "      --listener SOCKET  where denials go\n"
	      "      --runtime NAME     the OCI runtime (default: runc)\n"
	      "\nExamples:\n"
	      "  wispctl run --seccomp strict.json --explain-seccomp --name "
	      "web -- app\n"
	      "  wispctl seccomp suggest web\n"
	      "  wispctl seccomp suggest -o json web | jq .profile "
	      ">less-strict.json\n"
	      "  wispctl seccomp suggest --profile strict.json "
	      "saved/seccomp.log\n",
		stdout);
}

static int bad_usage(const char *what)
{
	ctl_say("%s; see `wispctl seccomp --help`", what);
	return CTL_FAILED;
}

static int prepare(int argc, char **argv)
{
	static const struct option options[] = {
		{"listener", required_argument, NULL, 'l'},
		{"runtime", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct sec_prepare p = {.runtime = "runc"};
	struct err e = {0};
	int opt;

	optind = 0;
	while ((opt = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		if (opt == 'h')
			return help(), CTL_OK;
		if (opt == '?')
			return CTL_FAILED; /* getopt has said it */
		*(opt == 'l' ? &p.listener : &p.runtime) = optarg;
	}
	if (optind != argc - 1 || !p.listener || *p.listener != '/')
		return bad_usage(
			"prepare needs --listener /PATH and one BUNDLE");
	p.bundle = argv[optind];
	if (sec_prepare(&p, &e) == 0)
		return CTL_OK;
	ctl_say("seccomp prepare: %s", e.msg);
	return CTL_FAILED;
}

static int suggest(int argc, char **argv)
{
	static const struct option options[] = {
		{"profile", required_argument, NULL, 'p'},
		{"namespace", required_argument, NULL, 'n'},
		{"root", required_argument, NULL, 'r'},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct sec_suggest s = {0};
	struct err e = {0};
	int opt;

	optind = 0;
	while ((opt = getopt_long(argc, argv, "+n:o:h", options, NULL)) != -1) {
		if (opt == 'h')
			return help(), CTL_OK;
		if (opt == '?')
			return CTL_FAILED;
		if (opt == 'o' && strcmp(optarg, "json") != 0 &&
			strcmp(optarg, "text") != 0)
			return bad_usage("--output: use text or json");
		if (opt == 'o')
			s.json = strcmp(optarg, "json") == 0;
		else
			*(opt == 'p'         ? &s.profile
				: opt == 'n' ? &s.ns
					     : &s.root) = optarg;
	}
	if (optind != argc - 1)
		return bad_usage("suggest needs the id of a container, or a "
				 "file");
	s.what = argv[optind];
	if (sec_suggest(&s, &e) == 0)
		return CTL_OK;
	ctl_say("%s", e.msg);
	return CTL_FAILED;
}

int ctl_seccomp(int argc, char **argv)
{
	if (argc < 2)
		return bad_usage("suggest or prepare?");
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		return help(), CTL_OK;
	if (strcmp(argv[1], "prepare") == 0)
		return prepare(argc - 1, argv + 1);
	if (strcmp(argv[1], "suggest") == 0)
		return suggest(argc - 1, argv + 1);
	return bad_usage("there is suggest and prepare");
}
