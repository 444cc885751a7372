/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/spec/spec_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/env.h"
#include "ctl/run_options.h"
#include "platform/text.h"

enum kind {
	FLAG,
	TEXT,
	MAYBE, /* a text behind a '=', or "true" */
	LIST,
	PAIRS, /* a list of NAME=VALUE */
	SIZE,
	NUMBER,
};

enum { ON_LINUX = 1, ON_WINDOWS = 2, ON_BOTH = 3 };

static const struct spec {
	const char *name;
	char letter; /* 0: none */
	char on;
	enum kind kind;
	size_t at;
} specs[] = {
#define O(field) offsetof(struct spec_options, field)
	{"help", 'h', ON_BOTH, FLAG, O(help)},
	{"tty", 't', ON_BOTH, FLAG, O(terminal)},
	{"env", 'e', ON_BOTH, LIST, O(env_args)},
	{"cwd", 'w', ON_BOTH, TEXT, O(cwd)},
	{"workdir", 0, ON_BOTH, TEXT, O(cwd)},
	{"mount", 0, ON_BOTH, LIST, O(mounts)},
	{"memory", 'm', ON_BOTH, SIZE, O(memory)},
	{"cpus", 0, ON_BOTH, TEXT, O(cpus)},
	{"cpu-shares", 0, ON_BOTH, NUMBER, O(cpu_shares)},
	{"user", 'u', ON_BOTH, TEXT, O(user)},
	{"hostname", 0, ON_BOTH, TEXT, O(hostname)},
	{"rootfs", 0, ON_BOTH, TEXT, O(rootfs)},
	{"network", 0, ON_BOTH, TEXT, O(network)},
	{"device", 0, ON_BOTH, LIST, O(devices)},
	{"annotation", 0, ON_BOTH, PAIRS, O(annotations)},
	{"cpuset", 0, ON_LINUX, TEXT, O(cpuset)},
	{"pids", 0, ON_LINUX, NUMBER, O(pids)},
	{"cap-add", 0, ON_LINUX, LIST, O(cap_add)},
	{"cap-drop", 0, ON_LINUX, LIST, O(cap_drop)},
	{"read-only", 0, ON_LINUX, FLAG, O(read_only)},
	{"sysctl", 0, ON_LINUX, PAIRS, O(sysctls)},
	{"no-new-privileges", 0, ON_LINUX, MAYBE, O(new_privileges)},
	{"seccomp", 0, ON_LINUX, TEXT, O(seccomp)},
	{"userns", 0, ON_LINUX, LIST, O(id_maps)},
	{"cgroup", 0, ON_LINUX, TEXT, O(cgroup)},
	{"command-line", 0, ON_WINDOWS, TEXT, O(command_line)},
	{"isolation", 0, ON_WINDOWS, TEXT, O(isolation)},
	{"host-process", 0, ON_WINDOWS, FLAG, O(host_process)},
	{"inherit-user", 0, ON_WINDOWS, FLAG, O(inherit_user)},
	{"layer", 0, ON_WINDOWS, LIST, O(layers)},
	{"scratch", 0, ON_WINDOWS, TEXT, O(scratch)},
	{"utility-vm", 0, ON_WINDOWS, TEXT, O(utility_vm)},
	{"console-size", 0, ON_WINDOWS, TEXT, O(console_size)},
	{"cpu-count", 0, ON_WINDOWS, NUMBER, O(cpu_count)},
	{"cpu-maximum", 0, ON_WINDOWS, NUMBER, O(cpu_maximum)},
	{"host-cpus", 0, ON_WINDOWS, NUMBER, O(host_cpus)},
	{"iops", 0, ON_WINDOWS, NUMBER, O(iops)},
	{"bps", 0, ON_WINDOWS, SIZE, O(bps)},
	{"sandbox-size", 0, ON_WINDOWS, SIZE, O(sandbox_size)},
	{"credential-spec", 0, ON_WINDOWS, TEXT, O(credential)},
	{"credential-spec-dir", 0, ON_WINDOWS, TEXT, O(credential_dir)},
	{"endpoint", 0, ON_WINDOWS, LIST, O(endpoints)},
	{"dns-search", 0, ON_WINDOWS, LIST, O(dns_search)},
	{"unqualified-dns", 0, ON_WINDOWS, FLAG, O(unqualified_dns)},
	{"network-namespace", 0, ON_WINDOWS, TEXT, O(network_namespace)},
#undef O
};

#define N_SPECS (sizeof(specs) / sizeof(specs[0]))
#define OPT_OS 1000

static int add_to_list(struct spec_list *l, char *arg, struct err *e)
{
	char **v = realloc(l->v, (l->n + 2) * sizeof(*v));

	if (!v)
		return err_sys(e, -ENOMEM, "options");
	l->v = v;
	v[l->n++] = arg;
	v[l->n] = NULL;
	return 0;
}

/* JSON is UTF-8, so its makers must be. */
static int check_utf8(const char *text, struct err *e)
{
	size_t left = strlen(text), n;

	for (; left > 0; text += n, left -= n) {
		n = text_utf8(text, left);
		if (n == 0)
			return err_set(e, -EINVAL,
				"a value is not UTF-8: it cannot be in "
				"config.json");
	}
	return 0;
}

static int set_number(
	const struct spec *s, const char *arg, uint64_t *ret, struct err *e)
{
	int r = ctl_parse_size(arg, ret);

	if (r == 0 && s->kind == NUMBER &&
		strspn(arg, "0123456789") != strlen(arg))
		r = -EINVAL;
	if (r < 0 || *ret == 0)
		return err_set(e, -EINVAL, "--%s '%s': use %s", s->name, arg,
			s->kind == SIZE ? "bytes, or 512k, 64m, 2g"
					: "a number above 0");
	return 0;
}

static int set_option(
	struct spec_options *o, const struct spec *s, char *arg, struct err *e)
{
	void *field = (char *)o + s->at;

	switch (s->kind) {
	case FLAG:
		*(bool *)field = true;
		return 0;
	case TEXT:
		*(const char **)field = arg;
		return 0;
	case MAYBE:
		*(const char **)field = *arg ? arg : "true";
		return 0;
	case PAIRS:
		if (!strchr(arg, '=') || *arg == '=')
			return err_set(e, -EINVAL, "--%s '%s': use NAME=VALUE",
				s->name, arg);
		return add_to_list(field, arg, e);
	case LIST:
		return add_to_list(field, arg, e);
	default:
		return set_number(s, arg, field, e);
	}
}

static int set_os(struct spec_options *o, const char *arg, struct err *e)
{
	o->windows = strcmp(arg, "windows") == 0;
	if (!o->windows && strcmp(arg, "linux") != 0)
		return err_set(
			e, -EINVAL, "--os '%s': use linux or windows", arg);
	return 0;
}

static void fill_long_options(struct option *ret)
{
	size_t i;

	for (i = 0; i < N_SPECS; i++)
		ret[i] = (struct option){specs[i].name,
			specs[i].kind == FLAG    ? no_argument
			: specs[i].kind == MAYBE ? optional_argument
						 : required_argument,
			NULL, (int)i + OPT_OS + 1};
	ret[i++] = (struct option){"os", required_argument, NULL, OPT_OS};
	ret[i] = (struct option){0};
}

static const struct spec *find_spec(int opt)
{
	size_t i;

	if (opt > OPT_OS)
		return &specs[opt - OPT_OS - 1];
	for (i = 0; i < N_SPECS; i++)
		if (specs[i].letter == opt)
			return &specs[i];
	return NULL;
}

static int check_os(
	const struct spec_options *o, const bool *given, struct err *e)
{
	int os = o->windows ? ON_WINDOWS : ON_LINUX;
	size_t i;

	for (i = 0; i < N_SPECS; i++)
		if (given[i] && !(specs[i].on & os))
			return err_set(e, -EINVAL, "--%s is for --os %s",
				specs[i].name,
				o->windows ? "linux" : "windows");
	return 0;
}

static int take_option(
	struct spec_options *o, int opt, bool *given, char *arg, struct err *e)
{
	static char none[1];
	const struct spec *s;
	int r;

	if (!arg)
		arg = none;
	r = check_utf8(arg, e);
	if (r < 0)
		return r;
	if (opt == OPT_OS)
		return set_os(o, arg, e);
	s = find_spec(opt);
	given[s - specs] = true;
	return set_option(o, s, arg, e);
}

static int finish(struct spec_options *o, struct err *e)
{
	int r = 0;
	size_t i;

	for (i = 0; r == 0 && o->command[i]; i++)
		r = check_utf8(o->command[i], e);
	for (i = 0; r == 0 && i < o->env_args.n; i++)
		r = ctl_env_add(&o->env, &o->n_env, o->env_args.v[i], e);
	for (i = 0; r == 0 && i < o->n_env; i++)
		r = check_utf8(o->env[i], e);
	return r;
}

int spec_options_parse(
	struct spec_options *ret, int argc, char **argv, struct err *e)
{
	struct option long_options[N_SPECS + 2];
	bool given[N_SPECS] = {false};
	int opt, r;

	*ret = (struct spec_options){0};
	fill_long_options(long_options);
	optind = 0;
	while ((opt = getopt_long(argc, argv, "+:hte:w:m:u:", long_options,
			NULL)) != -1) {
		if (opt == '?' || opt == ':')
			return err_set(e, -EINVAL,
				"option '%s' %s; see `wispctl spec --help`",
				argv[optind - 1],
				opt == ':' ? "needs a value"
					   : "is not understood");
		r = take_option(ret, opt, given, optarg, e);
		if (r < 0)
			return r;
	}
	ret->command = argv + optind;
	if (ret->help)
		return 0;
	r = check_os(ret, given, e);
	return r < 0 ? r : finish(ret, e);
}

void spec_options_clear(struct spec_options *o)
{
	struct spec_list *const lists[] = {&o->mounts, &o->devices,
		&o->annotations, &o->env_args, &o->cap_add, &o->cap_drop,
		&o->sysctls, &o->id_maps, &o->layers, &o->endpoints,
		&o->dns_search};
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		free(lists[i]->v);
	for (i = 0; i < o->n_env; i++)
		free(o->env[i]);
	free(o->env);
}
