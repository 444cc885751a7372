/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/layer_note.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/json.h"
#include "platform/json_write.h"

#define NOTE_MAX (1024 * 1024)

static const char *const stages[] = {
	[LAYER_ACTIVATING] = "activating",
	[LAYER_ACTIVE] = "active",
	[LAYER_PREPARING] = "preparing",
	[LAYER_PREPARED] = "prepared",
	[LAYER_LISTED] = "listed",
};

#define N_STAGES (sizeof(stages) / sizeof(stages[0]))

int layer_note_write(const char *note, const struct layer_stack *s,
	enum layer_stage stage, struct err *e)
{
	struct json_out o = {0};
	size_t i;
	int r;

	json_open(&o, NULL, '{');
	json_text(&o, "stage", stages[stage]);
	json_text(&o, "scratch", s->scratch);
	json_open(&o, "parents", '[');
	for (i = 0; i < s->n_parents; i++)
		json_text(&o, NULL, s->parents[i]);
	json_close(&o);
	if (s->volume)
		json_text(&o, "volume", s->volume);
	json_close(&o);
	r = json_ok(&o) ? file_write(note, o.data, o.n) : -ENOMEM;
	free(o.data);
	return r < 0 ? err_sys(e, r, "write '%s'", note) : 0;
}

struct reading {
	struct layer_stack *s;
	int stage;
	bool bad;
};

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct reading *rd = arg;
	struct layer_stack *s = rd->s;
	char *copy;
	size_t i;

	if (type != JSON_STRING)
		return;
	copy = strndup(text, n);
	if (!copy) {
		rd->bad = true;
	} else if (strcmp(path, "scratch") == 0 && !s->scratch) {
		s->scratch = ptr_take(&copy);
	} else if (strcmp(path, "volume") == 0 && !s->volume) {
		s->volume = ptr_take(&copy);
	} else if (strcmp(path, "parents[]") == 0 &&
		   s->n_parents < LAYER_PARENTS_MAX) {
		s->parents[s->n_parents++] = ptr_take(&copy);
	} else if (strcmp(path, "stage") == 0) {
		for (i = 0; i < N_STAGES; i++)
			if (strcmp(copy, stages[i]) == 0)
				rd->stage = (int)i;
	}
	free(copy);
}

int layer_note_read(const char *note, struct layer_stack *ret,
	enum layer_stage *ret_stage, struct err *e)
{
	struct layer_stack s = {0};
	struct reading rd = {.s = &s, .stage = -1};
	auto_free char *text = NULL;
	size_t n;
	int r;

	r = file_check(note);
	if (r < 0)
		return err_sys(e, r, "read '%s'", note);
	s.parents = calloc(LAYER_PARENTS_MAX, sizeof(*s.parents));
	if (!s.parents)
		return err_set(e, -ENOMEM, "no memory for layers");
	r = file_read(note, NOTE_MAX, &text, &n, e);
	if (r == 0)
		r = json_scan(text, n, on_value, &rd, e);
	if (r == 0 && rd.bad)
		r = err_set(e, -ENOMEM, "no memory for layers");
	if (r == 0 && (rd.stage < 0 || !s.scratch))
		r = err_set(e, -EINVAL, "'%s' says nothing of layers", note);
	if (r == 0)
		r = layer_stack_check(&s, e);
	if (r < 0) {
		layer_stack_clear(&s);
		return r;
	}
	*ret = s;
	*ret_stage = (enum layer_stage)rd.stage;
	return 0;
}
