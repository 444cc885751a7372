/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/view.h"

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

#include "client/inspect.h"
#include "ctl/command.h"
#include "ctl/outside.h"
#include "ctl/say.h"
#include "platform/file.h"

#define CALL_MS 3000
#define SIGNAL_MS 5000
#define SIGNAL_PAUSE_MS 20
#define DUMP_MAX (16 << 20)

/* ---- the command line ---- */

static const struct option long_options[] = {
	{"namespace", required_argument, NULL, 'n'},
	{"output", required_argument, NULL, 'o'},
	{"signal", no_argument, NULL, 's'},
	{"fds", no_argument, NULL, 'f'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

int view_parse(
	int argc, char **argv, const char *letters, struct view_options *ret)
{
	int c;

	*ret = (struct view_options){0};
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

void view_close(struct view *v)
{
	client_shim_free(v->shim);
	client_free(v->client);
	if (v->base)
		event_base_free(v->base);
	yajl_tree_free(v->doc);
	free(v->text);
}

int view_open(struct view *v, const struct view_options *o, struct err *e)
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

int view_dump(struct view *v, bool by_signal, struct err *e)
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

int view_finish(int r, const struct err *e)
{
	if (r == 0 && fflush(stdout) == 0 && !ferror(stdout))
		return CTL_OK;
	ctl_say("%s", r < 0 ? e->msg : "stdout can't be written to");
	return CTL_FAILED;
}
