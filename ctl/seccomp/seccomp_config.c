/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/seccomp/seccomp_config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEPTH_MAX 100 /* yajl_gen's own is 128 */

enum place { ELSEWHERE, AT_TOP, IN_LINUX, IN_ANNOTATIONS };

struct copy {
	yajl_gen g;
	const struct sec_config_changes *changes;
	unsigned depth;
	bool too_deep;
};

yajl_val sec_config_profile(yajl_val root)
{
	static const char *path[] = {"linux", "seccomp", NULL};

	return yajl_tree_get(root, path, yajl_t_object);
}

static void copy_value(struct copy *c, yajl_val v, enum place place);

/* What a map gets at its end; the same is left out of what it has. */
static void put_change(struct copy *c, enum place place)
{
	const struct sec_config_changes *ch = c->changes;

	if (place == IN_LINUX && ch->profile) {
		ctl_json_key(c->g, "seccomp");
		sec_profile_put(c->g, ch->profile, ch->listener, ch->metadata);
	}
	if (place == IN_ANNOTATIONS && ch->annotation)
		ctl_json_put(c->g, ch->annotation, "true");
}

static bool is_replaced(const struct copy *c, enum place place, const char *key)
{
	const struct sec_config_changes *ch = c->changes;

	return (place == IN_LINUX && ch->profile &&
		       strcmp(key, "seccomp") == 0) ||
	       (place == IN_ANNOTATIONS && ch->annotation &&
		       strcmp(key, ch->annotation) == 0);
}

static void add_missing(
	struct copy *c, yajl_val v, const char *key, enum place place)
{
	const char *path[] = {key, NULL};

	if (yajl_tree_get(v, path, yajl_t_any))
		return;
	ctl_json_put_map(c->g, key);
	put_change(c, place);
	yajl_gen_map_close(c->g);
}

static enum place below(enum place place, const char *key)
{
	if (place == AT_TOP && strcmp(key, "linux") == 0)
		return IN_LINUX;
	if (place == AT_TOP && strcmp(key, "annotations") == 0)
		return IN_ANNOTATIONS;
	return ELSEWHERE;
}

static void copy_map(struct copy *c, yajl_val v, enum place place)
{
	size_t i;

	yajl_gen_map_open(c->g);
	for (i = 0; i < v->u.object.len; i++) {
		const char *key = v->u.object.keys[i];

		if (is_replaced(c, place, key))
			continue;
		ctl_json_key(c->g, key);
		copy_value(c, v->u.object.values[i], below(place, key));
	}
	put_change(c, place);
	if (place == AT_TOP && c->changes->profile)
		add_missing(c, v, "linux", IN_LINUX);
	if (place == AT_TOP && c->changes->annotation)
		add_missing(c, v, "annotations", IN_ANNOTATIONS);
	yajl_gen_map_close(c->g);
}

static void copy_array(struct copy *c, yajl_val v)
{
	size_t i;

	yajl_gen_array_open(c->g);
	for (i = 0; i < v->u.array.len; i++)
		copy_value(c, v->u.array.values[i], ELSEWHERE);
	yajl_gen_array_close(c->g);
}

static void copy_value(struct copy *c, yajl_val v, enum place place)
{
	if (++c->depth > DEPTH_MAX)
		c->too_deep = true;
	else if (YAJL_IS_OBJECT(v))
		copy_map(c, v, place);
	else if (YAJL_IS_ARRAY(v))
		copy_array(c, v);
	else if (YAJL_IS_STRING(v))
		ctl_json_text(c->g, v->u.string);
	else if (YAJL_IS_NUMBER(v)) /* as it was written */
		yajl_gen_number(c->g, v->u.number.r, strlen(v->u.number.r));
	else if (YAJL_IS_TRUE(v) || YAJL_IS_FALSE(v))
		yajl_gen_bool(c->g, YAJL_IS_TRUE(v));
	else
		yajl_gen_null(c->g);
	c->depth--;
}

int sec_config_make(
	yajl_val root, const struct sec_config_changes *changes, char **ret)
{
	struct copy c = {.g = yajl_gen_alloc(NULL), .changes = changes};

	if (!c.g)
		return -ENOMEM;
	yajl_gen_config(c.g, yajl_gen_beautify, 1);
	copy_value(&c, root, AT_TOP);
	if (c.too_deep) {
		yajl_gen_free(c.g);
		return -ELOOP;
	}
	return ctl_json_take(c.g, ret);
}

static void __attribute__((noreturn)) be_program(const char *name, int out)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDOUT_FILENO);
	execlp(name, name, "--version", (char *)NULL);
	_exit(127);
}

/* Whoever runs us has a deadline, and what we run dies with us. */
int sec_first_line_of(const char *program, char *buf, size_t n)
{
	ssize_t got = 0, more;
	int ends[2], status;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0)
		be_program(program, ends[1]);
	close(ends[1]);
	while (child > 0 && (size_t)got < n - 1 &&
		(more = read(ends[0], buf + got, n - 1 - (size_t)got)) > 0)
		got += more;
	close(ends[0]);
	buf[got] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return -EAGAIN;
	return *buf ? 0 : -ENODATA;
}

int sec_note(char **ret, const char *text)
{
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}
