/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/json.h"
#include "ctl/show.h"
#include "ctl/when.h"
#include "platform/lines.h"

#define JOURNAL_MAX (1u << 20)

int ctl_journal_path(const struct ctl_place *p, char ret[CTL_PATH_MAX])
{
	int n = snprintf(ret, CTL_PATH_MAX, "%s/" CTL_JOURNAL, p->root);

	return n < 0 || n >= CTL_PATH_MAX ? -ENAMETOOLONG : 0;
}

void ctl_journal_add(const struct ctl_place *p, const struct client_event *ev)
{
	char path[CTL_PATH_MAX], *line;

	if (ctl_journal_path(p, path) < 0 || ctl_event_json(ev, &line) < 0)
		return;
	lines_add(path, line, JOURNAL_MAX);
	free(line);
}

static uint32_t get_number(yajl_val v, const char *key)
{
	const char *path[] = {key, NULL};
	yajl_val n = yajl_tree_get(v, path, yajl_t_number);

	return n && YAJL_IS_INTEGER(n) ? (uint32_t)YAJL_GET_INTEGER(n) : 0;
}

static const char *get_text(yajl_val v, const char *key)
{
	const char *text = ctl_json_get(v, key);

	return text ? text : "";
}

static bool get_bool(yajl_val v, const char *key)
{
	const char *path[] = {key, NULL};

	return yajl_tree_get(v, path, yajl_t_true) != NULL;
}

int ctl_journal_parse(
	const char *line, struct client_event *ret, void **ret_text)
{
	yajl_val v = yajl_tree_parse(line, NULL, 0);
	struct client_event ev = {0};

	if (!YAJL_IS_OBJECT(v) || !ctl_json_get(v, "topic") ||
		ctl_when_parse(get_text(v, "time"), &ev.at) < 0) {
		yajl_tree_free(v);
		return -EINVAL;
	}
	ev.ns = get_text(v, "namespace");
	ev.topic = get_text(v, "topic");
	ev.type = client_event_type_of(ev.topic);
	ev.container_id = get_text(v, "id");
	ev.exec_id = get_text(v, "exec");
	ev.bundle = get_text(v, "bundle");
	ev.checkpoint = get_text(v, "checkpoint");
	ev.in = get_text(v, "stdin");
	ev.out = get_text(v, "stdout");
	ev.err = get_text(v, "stderr");
	ev.pid = get_number(v, "pid");
	ev.exit_status = get_number(v, "status");
	ev.terminal = get_bool(v, "terminal");
	*ret = ev;
	*ret_text = v;
	return 0;
}
