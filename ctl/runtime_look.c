/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/runtime_look.h"

#include <string.h>

#include "ctl/outside.h"
#include "platform/look.h"

#define BELOW_MAX 64
#define WORDS_MAX 8192

static const char *const runtimes[] = {"runc", "crun", "runsc", "youki",
	"kata-runtime", "nvidia-container-runtime"};

static const char *const verbs[] = {"create", "start", "exec", "kill", "delete",
	"pause", "resume", "update", "checkpoint", "restore", "ps", "state",
	"events", "features", "list", "spec", "run"};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static bool is_among(const char *word, const char *const *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

/* It may be a script: then it is the second word, or the third. */
const char *runtime_look_verb(const char *words, size_t n)
{
	const char *at, *name;
	bool is_runtime = false;
	unsigned i = 0;

	for (at = words; at < words + n; at += strlen(at) + 1, i++) {
		name = strrchr(at, '/');
		name = name ? name + 1 : at;
		if (!is_runtime && i < 3)
			is_runtime = is_among(name, runtimes, LENGTH(runtimes));
		else if (!is_runtime)
			return NULL;
		else if (is_among(at, verbs, LENGTH(verbs)))
			return at;
	}
	return NULL;
}

static bool has_word(const char *words, size_t n, const char *word)
{
	const char *at;

	for (at = words; at < words + n; at += strlen(at) + 1)
		if (strcmp(at, word) == 0)
			return true;
	return false;
}

struct children {
	int64_t pids[BELOW_MAX];
	size_t n;
};

static void take_child(int64_t pid, void *arg)
{
	struct children *c = arg;

	if (c->n < BELOW_MAX)
		c->pids[c->n++] = pid;
}

static void put_command(yajl_gen g, int64_t pid, const char *id)
{
	char words[WORDS_MAX];
	ssize_t n = look_words(pid, words, sizeof(words));
	struct look_process lp;
	const char *verb = n > 0 ? runtime_look_verb(words, (size_t)n) : NULL;

	if (!verb || look_process(pid, &lp) < 0)
		return;
	yajl_gen_map_open(g);
	if (has_word(words, (size_t)n, id))
		ctl_json_put(g, "container", id);
	ctl_json_put(g, "verb", verb);
	ctl_json_put_number(g, "pid", pid);
	ctl_json_put_number(g, "ageMs", (long long)lp.age_ms);
	ctl_outside_process(g, pid);
	yajl_gen_map_close(g);
}

void runtime_look_commands(int64_t pid, const char *id, yajl_gen g)
{
	struct children c = {.n = 0};
	size_t i;

	look_children(pid, take_child, &c);
	yajl_gen_array_open(g);
	for (i = 0; i < c.n; i++)
		put_command(g, c.pids[i], id);
	yajl_gen_array_close(g);
}

void runtime_look_below(int64_t pid, yajl_gen g)
{
	struct children c = {.n = 0};
	size_t i;

	look_children(pid, take_child, &c);
	yajl_gen_array_open(g);
	for (i = 0; i < c.n; i++) {
		yajl_gen_map_open(g);
		ctl_json_put_number(g, "pid", c.pids[i]);
		ctl_outside_process(g, c.pids[i]);
		yajl_gen_map_close(g);
		look_children(c.pids[i], take_child, &c); /* they come last */
	}
	yajl_gen_array_close(g);
}
