/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/spec/check.h"
#include "ctl/command.h"
#include "ctl/say.h"
#include "platform/auto.h"
#include "platform/file.h"

enum { OPT_OS = 256, OPT_ELSEWHERE };

static const struct option long_options[] = {
	{"os", required_argument, NULL, OPT_OS},
	{"elsewhere", no_argument, NULL, OPT_ELSEWHERE},
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct options {
	bool help, json, elsewhere;
	enum check_os os;
	const char *target;
};

static void help(void)
{
	fputs("Usage: wispctl spec check [OPTIONS] FILE|BUNDLE|-\n\n"
	      "Says what is wrong with a container's configuration, where, and "
	      "what to do:\nerrors, which a runtime or the specification does "
	      "not allow, and warnings.\n\n"
	      "      --os OS         linux or windows (default: as the "
	      "sections say)\n"
	      "      --elsewhere     it is for another machine: don't look for "
	      "its files here\n"
	      "  -o, --output FORM   text (default) or json\n"
	      "\nWith '-' it is read from stdin, and no file is looked for.\n"
	      "\nExit status: 0 no error; 1 errors were found; 125 it could "
	      "not be checked.\n"
	      "\nExamples:\n"
	      "  wispctl spec check /srv/bundle\n"
	      "  wispctl spec check -o json config.json | jq .errors\n"
	      "  runc spec --bundle . && wispctl spec check config.json\n",
		stdout);
}

static int set_option(
	struct options *o, int opt, const char *arg, struct err *e)
{
	if (opt == 'h') {
		o->help = true;
	} else if (opt == OPT_ELSEWHERE) {
		o->elsewhere = true;
	} else if (opt == OPT_OS && strcmp(arg, "linux") == 0) {
		o->os = CHECK_LINUX;
	} else if (opt == OPT_OS && strcmp(arg, "windows") == 0) {
		o->os = CHECK_WINDOWS;
	} else if (opt == OPT_OS) {
		return err_set(
			e, -EINVAL, "--os '%s': use linux or windows", arg);
	} else if (strcmp(arg, "json") == 0 || strcmp(arg, "text") == 0) {
		o->json = arg[0] == 'j';
	} else {
		return err_set(
			e, -EINVAL, "--output '%s': use text or json", arg);
	}
	return 0;
}

static int parse(struct options *o, int argc, char **argv, struct err *e)
{
	int opt, r;

	*o = (struct options){.target = "-"};
	optind = 0;
	while ((opt = getopt_long(argc, argv, ":o:h", long_options, NULL)) !=
		-1) {
		if (opt == '?' || opt == ':')
			return err_set(e, -EINVAL,
				"option '%s' is not understood, or lacks a "
				"value; see `wispctl spec check --help`",
				argv[optind - 1]);
		r = set_option(o, opt, optarg, e);
		if (r < 0)
			return r;
	}
	if (o->help)
		return 0;
	if (argc - optind != 1)
		return err_set(e, -EINVAL,
			"spec check takes one file or bundle; see `wispctl "
			"spec check --help`");
	o->target = argv[optind];
	return 0;
}

static int read_stdin(char **ret, size_t *ret_n, struct err *e)
{
	auto_free char *text = NULL;
	size_t n = 0, room = 0, got;

	do {
		if (n == room) {
			char *more = realloc(text, room + (64u << 10));

			if (!more)
				return err_sys(e, -ENOMEM, "stdin");
			text = more;
			room += 64u << 10;
		}
		got = fread(text + n, 1, room - n, stdin);
		n += got;
	} while (got > 0 && n <= DOC_TEXT_MAX);
	if (ferror(stdin))
		return err_sys(e, -EIO, "read stdin");
	if (n > DOC_TEXT_MAX)
		return err_sys(e, -EFBIG, "stdin");
	*ret = ptr_take(&text);
	*ret_n = n;
	return 0;
}

/* The file that is meant, and the folder that it is in. */
static int locate(const struct options *o, char **file, char *bundle, size_t n,
	struct err *e)
{
	struct stat st;
	char *slash;

	if (stat(o->target, &st) < 0)
		return err_sys(e, -errno, "'%s'", o->target);
	if (asprintf(file, "%s%s", o->target,
		    S_ISDIR(st.st_mode) ? "/config.json" : "") < 0) {
		*file = NULL;
		return err_sys(e, -ENOMEM, "'%s'", o->target);
	}
	if (snprintf(bundle, n, "%s", *file) >= (int)n)
		return err_sys(e, -ENAMETOOLONG, "'%s'", o->target);
	slash = strrchr(bundle, '/');
	if (slash)
		slash[slash == bundle] = '\0';
	else
		strcpy(bundle, ".");
	return file_real_folder(bundle, bundle);
}

static int check(const struct options *o, struct err *e)
{
	auto_free char *text = NULL, *file = NULL;
	struct check c = {.os = o->os};
	char bundle[FILE_PATH_MAX];
	size_t n = 0;
	int r;

	if (strcmp(o->target, "-") == 0) {
		r = read_stdin(&text, &n, e);
	} else {
		r = locate(o, &file, bundle, sizeof(bundle), e);
		if (r == 0)
			r = file_read(file, DOC_TEXT_MAX, &text, &n, e);
		if (!o->elsewhere)
			c.bundle = bundle;
	}
	if (r < 0)
		return r;
	r = check_text(&c, text, n);
	if (r == 0 && o->json)
		r = check_show_json(&c, file ? file : "stdin");
	else if (r == 0)
		check_show(&c, file ? file : "stdin");
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = err_sys(e, errno ? -errno : -EIO, "write");
	else if (r < 0)
		err_sys(e, r, "check '%s'", o->target);
	else
		r = c.n_errors ? CTL_FOUND : CTL_OK;
	check_clear(&c);
	return r;
}

int check_command(int argc, char **argv)
{
	struct options o;
	struct err e = {0};
	int r = parse(&o, argc, argv, &e);

	if (r == 0 && o.help) {
		help();
		return CTL_OK;
	}
	if (r == 0)
		r = check(&o, &e);
	if (r >= 0)
		return r;
	ctl_say("%s", e.msg);
	return CTL_FAILED;
}
