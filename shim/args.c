/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/args.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

const char args_usage[] =
	"usage: containerd-shim-wisp-v1 [flags] start|delete\n"
	"\n"
	"A containerd shim: daemons run it, people mostly do not (see\n"
	"wispctl(1) for that). The working directory is the bundle.\n"
	"\n"
	"  -namespace NS         namespace of the container\n"
	"  -id ID                the container\n"
	"  -address ADDR         the daemon's gRPC socket\n"
	"  -publish-binary PATH  run to publish events where the daemon gave "
	"no\n"
	"                        TTRPC_ADDRESS\n"
	"  -bundle DIR           the bundle, for delete\n"
	"  -debug                log more, into the FIFO `log` in the bundle\n"
	"  -info                 options on stdin, runtime information on "
	"stdout\n"
	"  -v, -version          print the version\n"
	"\n"
	"  start   start the shim for a container, print how to reach it\n"
	"  delete  clean up after a container whose shim is gone\n"
	"\n"
	"Example, with what a daemon does by hand:\n"
	"  cd BUNDLE && containerd-shim-wisp-v1 -namespace default -id web \\\n"
	"      -address /run/containerd/containerd.sock start\n";

struct flag {
	const char *name;
	size_t offset;
	bool is_bool;
};

static const struct flag flags[] = {
	{"namespace", offsetof(struct args, ns), false},
	{"id", offsetof(struct args, id), false},
	{"address", offsetof(struct args, address), false},
	{"publish-binary", offsetof(struct args, publish_binary), false},
	{"bundle", offsetof(struct args, bundle), false},
	{"socket", offsetof(struct args, socket), false},
	{"debug", offsetof(struct args, debug), true},
	{"v", offsetof(struct args, version), true},
	{"version", offsetof(struct args, version), true},
	{"info", offsetof(struct args, info), true},
	{"h", offsetof(struct args, help), true},
	{"help", offsetof(struct args, help), true},
};

static const struct flag *flag_find(const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strlen(flags[i].name) == n &&
			strncmp(flags[i].name, name, n) == 0)
			return &flags[i];
	return NULL;
}

/* Go's strconv.ParseBool, as its flag package uses it */
static int parse_bool(const char *text, bool *ret)
{
	static const char *const yes[] = {
		"1", "t", "T", "true", "TRUE", "True"};
	static const char *const no[] = {
		"0", "f", "F", "false", "FALSE", "False"};
	size_t i;

	for (i = 0; i < 6; i++) {
		if (strcmp(text, yes[i]) != 0 && strcmp(text, no[i]) != 0)
			continue;
		*ret = strcmp(text, yes[i]) == 0;
		return 0;
	}
	return -EINVAL;
}

/* Returns how many of argv were used. */
static int parse_flag(char **argv, struct args *ret, struct err *e)
{
	const char *name = argv[0] + 1 + (argv[0][1] == '-');
	size_t n = strcspn(name, "=");
	const char *value = name[n] ? name + n + 1 : NULL;
	const struct flag *f = flag_find(name, n);
	char *at = (char *)ret;

	if (!f)
		return err_set(e, -EINVAL, "unknown flag '%s'", argv[0]);
	if (f->is_bool) {
		*(bool *)(void *)(at + f->offset) = true;
		if (value &&
			parse_bool(value, (bool *)(void *)(at + f->offset)) < 0)
			return err_set(e, -EINVAL, "flag '%s': not a boolean",
				argv[0]);
		return 1;
	}
	if (!value && !argv[1])
		return err_set(e, -EINVAL, "flag '%s' needs a value", argv[0]);
	*(const char **)(void *)(at + f->offset) = value ? value : argv[1];
	return value ? 1 : 2;
}

int args_parse(int argc, char **argv, struct args *ret, struct err *e)
{
	int i = 1, used;

	*ret = (struct args){.ns = "",
		.id = "",
		.address = "",
		.publish_binary = "",
		.socket = ""};
	while (i < argc && argv[i][0] == '-' && argv[i][1]) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		used = parse_flag(argv + i, ret, e);
		if (used < 0)
			return used;
		i += used;
	}
	if (i < argc)
		ret->command = argv[i++];
	if (i < argc)
		return err_set(e, -EINVAL, "unexpected argument '%s'", argv[i]);
	return 0;
}
