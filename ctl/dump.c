/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump.c - `wispctl dump` and `wispctl inspect`: see into a shim that runs.
 */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client/inspect.h"
#include "ctl/command.h"
#include "ctl/dump_text.h"
#include "ctl/dump_words.h"
#include "ctl/json.h"
#include "ctl/locate.h"
#include "ctl/outside.h"
#include "ctl/runtime_look.h"
#include "ctl/say.h"
#include "platform/auto.h"
#include "platform/file.h"

#define CALL_MS 3000
#define SIGNAL_MS 5000
#define SIGNAL_PAUSE_MS 20
#define DUMP_MAX (16 << 20)
#define CONFIG_MAX (16 << 20)

struct options {
	const char *ns; /* NULL: any */
	const char *id;
	bool json, by_signal, fds;
};

/* Everything that is known of one shim. */
struct view {
	struct ctl_shim where;
	struct event_base *base;
	struct client *client;
	struct client_shim *shim; /* NULL: it can't be connected to */
	struct err why;           /* why not */
	char *text;               /* its dump */
	yajl_val doc;             /* the same */
};

/* ---- command lines ---- */

static const struct option long_options[] = {
	{"namespace", required_argument, NULL, 'n'},
	{"output", required_argument, NULL, 'o'},
	{"signal", no_argument, NULL, 's'},
	{"fds", no_argument, NULL, 'f'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

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

static void inspect_help(void)
{
	fputs("Usage: wispctl inspect [-n NAMESPACE] [-o text|json] [-f] "
	      "ID\n\n"
	      "Shows a container: its shim, bundle and spec, state, processes, "
	      "what is open, its\nstreams and how full they are, and commands "
	      "of the OCI runtime that are under\nway, with their age and "
	      "where "
	      "they hang. Works with any shim, with the daemon\ndead and the "
	      "runtime hung; wisp tells more.\n\n"
	      "  -n, --namespace NAME  the daemon's namespace, if ID is in "
	      "several\n"
	      "  -o, --output FORM     text (default), or json, with the whole "
	      "spec\n"
	      "  -f, --fds             list what shim and init have open, not "
	      "only how much\n"
	      "\nID may be the beginning of one.\n"
	      "\nExamples:\n"
	      "  wispctl inspect web\n"
	      "  wispctl inspect -n moby -o json 3f2a | jq .container.init\n",
		stdout);
}

/* 0: go on; 1: all is said and done; -EINVAL: said what is wrong. */
static int parse(
	int argc, char **argv, const char *letters, struct options *ret)
{
	int c;

	*ret = (struct options){0};
	optind = 1;
	while ((c = getopt_long(argc, argv, letters, long_options, NULL)) !=
		-1) {
		if (c == 'h')
			return 1;
		if (c == 'n')
			ret->ns = optarg;
		else if (c == 's' && strchr(letters, 's'))
			ret->by_signal = true;
		else if (c == 'f' && strchr(letters, 'f'))
			ret->fds = true;
		else if (c == 'o' && strcmp(optarg, "json") == 0)
			ret->json = true;
		else if (c != 'o' || strcmp(optarg, "text") != 0)
			goto wrong;
	}
	if (argc - optind != 1)
		goto wrong;
	ret->id = argv[optind];
	return 0;
wrong:
	ctl_say("%s: wrong arguments; see `wispctl %s --help`", argv[0],
		argv[0]);
	return -EINVAL;
}

/* ---- getting hold of it ---- */

static void view_close(struct view *v)
{
	client_shim_free(v->shim);
	client_free(v->client);
	if (v->base)
		event_base_free(v->base);
	yajl_tree_free(v->doc);
	free(v->text);
}

static int view_open(struct view *v, const struct options *o, struct err *e)
{
	int r = ctl_locate(o->ns, o->id, &v->where, e);

	if (r < 0)
		return r;
	v->base = event_base_new();
	if (!v->base)
		return err_sys(e, -ENOMEM, "event loop");
	r = client_new(v->base, &v->client, e);
	if (r == 0)
		ctl_locate_connect(v->client, &v->where, &v->shim, &v->why);
	return r;
}

/* -ENOSYS: it is no wisp; others: it does not answer. */
static int dump_by_call(struct view *v)
{
	struct client_await *aw;
	int r;

	if (!v->shim)
		return v->why.code;
	aw = client_await_new(v->client, CALL_MS);
	r = client_await(aw,
		client_ask_dump(v->shim, &v->text, client_await_done, aw),
		&v->why);
	if (r == -ETIME)
		err_set(&v->why, r, "no answer within %d s", CALL_MS / 1000);
	client_shim_forget_calls(v->shim);
	return r;
}

static bool is_newer(const char *path, const struct stat *before)
{
	struct stat st;

	return stat(path, &st) == 0 &&
	       (st.st_ino != before->st_ino ||
		       st.st_mtim.tv_sec != before->st_mtim.tv_sec ||
		       st.st_mtim.tv_nsec != before->st_mtim.tv_nsec);
}

/* It writes into its working folder, or, if that is gone, into the bundle of a
 * container that is there. */
static int dump_by_signal(struct view *v, struct err *e)
{
	static const struct timespec pause = {
		.tv_nsec = SIGNAL_PAUSE_MS * 1000000L};
	char path[2][600];
	struct stat before[2] = {0};
	int i, waited;
	size_t n;

	if (!v->where.takes_signal)
		return err_set(e, -ENOSYS,
			"this shim writes no dump when it gets SIGUSR1");
	snprintf(path[0], sizeof(path[0]), "/proc/%" PRId64 "/cwd/dump.json",
		v->where.pid);
	snprintf(path[1], sizeof(path[1]), "%s/dump.json", v->where.via);
	for (i = 0; i < 2; i++)
		if (stat(path[i], &before[i]) < 0)
			before[i].st_ino = 0;
	if (kill((pid_t)v->where.pid, SIGUSR1) < 0)
		return err_sys(
			e, -errno, "signal process %" PRId64, v->where.pid);
	for (waited = 0; waited < SIGNAL_MS; waited += SIGNAL_PAUSE_MS) {
		for (i = 0; i < 2; i++)
			if (is_newer(path[i], &before[i]))
				return file_read(
					path[i], DUMP_MAX, &v->text, &n, e);
		nanosleep(&pause, NULL);
	}
	return err_set(e, -ETIMEDOUT,
		"process %" PRId64 " has written no dump.json within %d s",
		v->where.pid, SIGNAL_MS / 1000);
}

static int view_dump(struct view *v, bool by_signal, struct err *e)
{
	int r = by_signal ? dump_by_signal(v, e) : dump_by_call(v);

	if (r < 0 && !by_signal && r != -ENOSYS)
		r = dump_by_signal(v, e);
	if (r < 0 && !by_signal) {
		r = ctl_outside_dump(v->why.code == -ENOSYS ? v->shim : NULL,
			&v->where, v->why.msg, &v->text);
		if (r < 0)
			return err_sys(e, r, "dump");
	}
	if (r < 0)
		return r;
	v->doc = yajl_tree_parse(v->text, NULL, 0);
	if (!v->doc || !YAJL_IS_OBJECT(v->doc))
		return err_set(e, -EREMOTEIO, "the dump is no JSON object");
	return 0;
}

/* ---- showing it ---- */

static yajl_val containers(const struct view *v)
{
	static const char *path[] = {"containers", NULL};

	return yajl_tree_get(v->doc, path, yajl_t_array);
}

static yajl_val container(const struct view *v)
{
	yajl_val all = containers(v);
	size_t i;

	for (i = 0; all && i < all->u.array.len; i++) {
		yajl_val c = all->u.array.values[i];
		const char *id = ctl_json_get(c, "id");

		if (id && strcmp(id, v->where.id) == 0)
			return c;
	}
	return NULL;
}

static void show_dump(const struct view *v)
{
	yajl_val all = containers(v);
	size_t i;

	ctl_dump_text_shim(v->doc);
	ctl_dump_text_open("open", dump_get(v->doc, "open"), true);
	for (i = 0; all && i < all->u.array.len; i++) {
		putchar('\n');
		ctl_dump_text_container(
			all->u.array.values[i], dump_get(v->doc, "open"));
	}
}

static int finish(int r, const struct err *e)
{
	if (r == 0 && fflush(stdout) == 0 && !ferror(stdout))
		return CTL_OK;
	ctl_say("%s", r < 0 ? e->msg : "stdout can't be written to");
	return CTL_FAILED;
}

int ctl_dump(int argc, char **argv)
{
	struct view v = {0};
	struct options o;
	struct err e = {0};
	int r = parse(argc, argv, "n:o:sh", &o);

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
	return finish(r, &e);
}

/* A part of a document, as it is. */
static void copy(yajl_gen g, yajl_val v)
{
	size_t i;

	switch (v->type) {
	case yajl_t_string:
		ctl_json_text(g, v->u.string);
		break;
	case yajl_t_number:
		yajl_gen_number(g, v->u.number.r, strlen(v->u.number.r));
		break;
	case yajl_t_object:
		yajl_gen_map_open(g);
		for (i = 0; i < v->u.object.len; i++) {
			ctl_json_key(g, v->u.object.keys[i]);
			copy(g, v->u.object.values[i]);
		}
		yajl_gen_map_close(g);
		break;
	case yajl_t_array:
		yajl_gen_array_open(g);
		for (i = 0; i < v->u.array.len; i++)
			copy(g, v->u.array.values[i]);
		yajl_gen_array_close(g);
		break;
	case yajl_t_true:
	case yajl_t_false:
		yajl_gen_bool(g, v->type == yajl_t_true);
		break;
	default:
		yajl_gen_null(g);
	}
}

/* Commands under way, and what is below each. */
static void copy_commands(yajl_gen g, yajl_val all)
{
	size_t i, j;

	yajl_gen_array_open(g);
	for (i = 0; i < dump_count(all); i++) {
		yajl_val c = dump_at(all, i);

		yajl_gen_map_open(g);
		for (j = 0; YAJL_IS_OBJECT(c) && j < c->u.object.len; j++) {
			ctl_json_key(g, c->u.object.keys[j]);
			copy(g, c->u.object.values[j]);
		}
		ctl_json_key(g, "below");
		runtime_look_below(dump_num(c, "pid"), g);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

static void copy_shim(yajl_gen g, yajl_val doc)
{
	size_t i;

	ctl_json_put_map(g, "shim");
	for (i = 0; i < doc->u.object.len; i++) {
		if (strcmp(doc->u.object.keys[i], "containers") == 0)
			continue;
		ctl_json_key(g, doc->u.object.keys[i]);
		if (strcmp(doc->u.object.keys[i], "commands") == 0)
			copy_commands(g, doc->u.object.values[i]);
		else
			copy(g, doc->u.object.values[i]);
	}
	yajl_gen_map_close(g);
}

/* {"shim":, "container":, "processes":, "initOpen":, "spec":} */
static int join(struct view *v, char **ret)
{
	yajl_gen g = yajl_gen_alloc(NULL);
	yajl_val c = container(v), config = NULL;
	char path[600];
	bool answers;
	int64_t init;

	if (!g)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/config.json", v->where.via);
	yajl_gen_map_open(g);
	copy_shim(g, v->doc);
	if (c) {
		ctl_json_key(g, "container");
		copy(g, c);
	}
	init = dump_num(dump_get(c, "init"), "pid");
	if (!init)
		init = ctl_outside_init(&v->where);
	/* who does not answer one call is not asked again */
	answers = v->why.code != -ETIME && !dump_get(v->doc, "error");
	ctl_json_key(g, "processes");
	ctl_outside_processes(answers ? v->shim : NULL, &v->where, init, g);
	if (init) {
		ctl_json_key(g, "initOpen");
		ctl_outside_open(g, init);
	}
	if (*v->where.via &&
		ctl_json_read(path, CONFIG_MAX, &config, NULL) == 0) {
		ctl_json_key(g, "spec");
		copy(g, config);
		yajl_tree_free(config);
	}
	yajl_gen_map_close(g);
	return ctl_json_take(g, ret);
}

static int show_inspect(const char *text, bool fds, struct err *e)
{
	yajl_val all = yajl_tree_parse(text, NULL, 0);
	yajl_val c, shim_open, init_open;

	if (!all)
		return err_set(e, -ENOMEM, "no memory to show it");
	c = dump_get(all, "container");
	shim_open = dump_get(dump_get(all, "shim"), "open");
	init_open = dump_get(all, "initOpen");
	if (c)
		ctl_dump_text_container(c, shim_open);
	if (dump_get(all, "spec"))
		ctl_dump_text_spec(dump_get(all, "spec"));
	ctl_dump_text_processes(dump_get(all, "processes"));
	ctl_dump_text_open("init has", init_open, fds);
	putchar('\n');
	ctl_dump_text_shim(dump_get(all, "shim"));
	ctl_dump_text_open("shim has", shim_open, fds);
	yajl_tree_free(all);
	return 0;
}

int ctl_inspect(int argc, char **argv)
{
	auto_free char *text = NULL;
	struct view v = {0};
	struct options o;
	struct err e = {0};
	int r = parse(argc, argv, "n:o:fh", &o);

	if (r > 0)
		inspect_help();
	if (r != 0)
		return r > 0 ? CTL_OK : CTL_FAILED;
	r = view_open(&v, &o, &e);
	if (r == 0)
		r = view_dump(&v, false, &e);
	if (r == 0) {
		r = join(&v, &text);
		if (r < 0)
			err_sys(&e, r, "inspect");
	}
	if (r == 0 && o.json)
		puts(text);
	else if (r == 0)
		r = show_inspect(text, o.fds, &e);
	view_close(&v);
	return finish(r, &e);
}
