/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts that speak of each other: format/ and mkdir/. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/linux/fd.h"
#include "platform/linux/mount_one.h"
#include "platform/linux/template.h"

#define FORMAT "format/"
#define MKDIR "mkdir/"
#define MKDIR_PATH "X-containerd.mkdir.path="

/* All templates together; a page of options is what mount(2) takes. */
#define TEXT_MAX (1024 * 1024)

/* A mount as it is made. */
struct step {
	struct mount_spec spec;
	bool format, mkdir;
	char *source, *target; /* NULL: as in the spec */
	const char **options;  /* each is the request's own or owned[i] */
	char **owned;
	char *point;
};

struct chain {
	struct step *steps;
	struct template_mount *done;
	size_t n;
	size_t room;
	const char *root, *scratch;
};

static void step_clear(struct step *s)
{
	size_t i;

	for (i = 0; s->owned && i < s->spec.n_options; i++)
		free(s->owned[i]);
	free(s->owned);
	free(s->options);
	free(s->source);
	free(s->target);
	free(s->point);
}

static bool take_prefix(const char **text, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(*text, prefix, n) != 0)
		return false;
	*text += n;
	return true;
}

/* What the type asks for, in whatever order. */
static void step_init(struct step *s, const struct mount_spec *m)
{
	s->spec = *m;
	for (;;) {
		if (take_prefix(&s->spec.type, FORMAT))
			s->format = true;
		else if (take_prefix(&s->spec.type, MKDIR))
			s->mkdir = true;
		else
			return;
	}
}

static int fill(
	struct chain *c, const char *text, size_t i, char **ret, struct err *e)
{
	if (!text || !strstr(text, "{{"))
		return 0;
	return template_fill(text, c->done, i, &c->room, ret, e);
}

/* The spec becomes one of the step's own. */
static int step_fill(struct chain *c, size_t i, struct err *e)
{
	struct step *s = &c->steps[i];
	struct mount_spec *m = &s->spec;
	size_t k;
	int r = 0;

	s->owned = calloc(m->n_options + 1, sizeof(*s->owned));
	s->options = calloc(m->n_options + 1, sizeof(*s->options));
	if (!s->options || !s->owned) {
		err_set(e, -ENOMEM, "no memory for mount options");
		return -ENOMEM;
	}
	if (s->format)
		r = fill(c, m->source, i, &s->source, e);
	if (s->format && r == 0)
		r = fill(c, m->target, i, &s->target, e);
	m->source = s->source ? s->source : m->source;
	m->target = s->target ? s->target : m->target;
	for (k = 0; k < m->n_options && r == 0; k++) {
		if (s->format)
			r = fill(c, m->options[k], i, &s->owned[k], e);
		s->options[k] = s->owned[k] ? s->owned[k] : m->options[k];
	}
	m->options = s->options;
	return r;
}

/* ---- mkdir/ ---- */

struct folder {
	char path[4096];
	mode_t mode;
	bool owned;
	uid_t uid;
	gid_t gid;
};

static bool parse_number(
	const char *text, int base, uint32_t max, uint32_t *ret)
{
	char *end;
	unsigned long long n = strtoull(text, &end, base);

	if (*text < '0' || *text > '9' || *end || n > max)
		return false;
	*ret = (uint32_t)n;
	return true;
}

/* PATH[:MODE[:UID:GID]] */
static bool parse_folder(const char *text, struct folder *ret)
{
	char *words[4] = {ret->path};
	uint32_t mode = 0700, uid = 0, gid = 0;
	size_t n = 1, len;
	char *p;

	if ((size_t)snprintf(ret->path, sizeof(ret->path), "%s", text) >=
		sizeof(ret->path))
		return false;
	for (p = ret->path; (p = strchr(p, ':')) && n < 4;) {
		*p++ = '\0';
		words[n++] = p;
	}
	if (n == 3 || (n > 1 && !parse_number(words[1], 8, 0777, &mode)))
		return false;
	ret->owned = n == 4;
	if (n == 4 &&
		(!parse_number(words[2], 10, UINT32_MAX - 1, &uid) ||
			!parse_number(words[3], 10, UINT32_MAX - 1, &gid)))
		return false;
	ret->mode = mode;
	ret->uid = uid;
	ret->gid = gid;
	len = strlen(ret->path);
	while (len > 1 && ret->path[len - 1] == '/')
		ret->path[--len] = '\0';
	return ret->path[0] == '/' && len > 1 && !file_goes_up(ret->path);
}

/* What is on an earlier mount does not lead out of it: it may be a container's.
 * Splits the path there. */
static const char *folder_base(
	const struct chain *c, size_t n, const char *path, const char **ret)
{
	size_t i;

	for (i = 0; i < n; i++) {
		size_t len = strlen(c->done[i].point);

		if (strncmp(path, c->done[i].point, len) != 0 ||
			path[len] != '/')
			continue;
		*ret = path + len + 1;
		return c->done[i].point;
	}
	*ret = path + 1;
	return "/";
}

/* A folder that is there already is the snapshot's, and stays as it is. */
static int make_in(int parent, const char *name, const struct folder *f)
{
	auto_fd int fd = -1;
	bool made = mkdirat(parent, name, f->mode) == 0;

	if (!made && errno != EEXIST)
		return -errno;
	fd = openat(
		parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? -ENOTDIR : -errno;
	if (!made)
		return 0;
	if (f->owned && fchown(fd, f->uid, f->gid) < 0)
		return -errno;
	return fchmod(fd, f->mode) < 0 ? -errno : 0;
}

static int make_folder(
	const struct chain *c, size_t n, struct folder *f, struct err *e)
{
	const char *base, *below;
	struct place place = {.fd = -1};
	char *slash;
	int r, fd;

	base = folder_base(c, n, f->path, &below);
	slash = strrchr(below, '/');
	if (slash)
		*slash = '\0';
	r = place_open(base, slash ? below : NULL, &place);
	fd = r < 0 ? r : open(place.name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r == 0 && fd < 0)
		r = -errno;
	fd_close(&place.fd);
	if (r == 0) {
		r = make_in(fd, slash ? slash + 1 : below, f);
		close(fd);
	}
	if (slash)
		*slash = '/';
	return r < 0 ? err_sys(e, r == -ENOENT ? -EINVAL : r,
			       "mount option '" MKDIR_PATH "': make '%s'",
			       f->path)
		     : 0;
}

/* Makes the folders, and takes their options out. */
static int step_mkdir(struct chain *c, size_t i, struct err *e)
{
	struct step *s = &c->steps[i];
	struct mount_spec *m = &s->spec;
	struct folder f;
	size_t k, n = 0;
	int r = 0;

	for (k = 0; k < m->n_options && r == 0; k++) {
		const char *text = s->options[k];

		if (!take_prefix(&text, MKDIR_PATH)) {
			s->options[n++] = text;
			continue;
		}
		if (!parse_folder(text, &f))
			return err_set(e, -EINVAL,
				"mount option '%s': it is " MKDIR_PATH
				"/PATH[:MODE[:UID:GID]], without '..'",
				s->options[k]);
		r = make_folder(c, i, &f, e);
	}
	if (r == 0)
		m->n_options = n;
	return r;
}

/* ---- all of them ---- */

static int step_point(struct chain *c, size_t i, struct err *e)
{
	struct step *s = &c->steps[i];
	int r;

	if (asprintf(&s->point, "%s/%zu", c->scratch, i) < 0) {
		s->point = NULL;
		return err_set(e, -ENOMEM, "no memory for mounts");
	}
	r = file_make_folder(s->point);
	return r < 0 ? err_sys(e, r, "make the folder '%s'", s->point) : 0;
}

static int step_run(struct chain *c, size_t i, bool aside, struct err *e)
{
	struct step *s = &c->steps[i];
	size_t all = s->spec.n_options;
	int r = step_fill(c, i, e);

	if (r < 0)
		return r;
	if (s->mkdir)
		r = step_mkdir(c, i, e);
	if (r == 0 && aside)
		r = step_point(c, i, e);
	if (r == 0)
		r = mount_one(
			&s->spec, aside ? s->point : c->root, c->scratch, e);
	s->spec.n_options = all;
	c->done[i] = (struct template_mount){.source = s->spec.source,
		.target = s->spec.target,
		.point = s->point};
	return r;
}

static int run(struct chain *c, const struct mount_spec *m, struct err *e)
{
	size_t i, aside = 0;
	int r = 0;

	for (i = 0; i < c->n; i++) {
		step_init(&c->steps[i], &m[i]);
		if (c->steps[i].format || c->steps[i].mkdir)
			aside = i;
	}
	if (aside > 0)
		r = file_make_folder(c->scratch);
	if (r < 0)
		return err_sys(e, r, "make the folder '%s'", c->scratch);
	for (i = 0; i < c->n && r == 0; i++)
		r = step_run(c, i, i < aside, e);
	return r;
}

int mount_all(const struct mount_spec *m, size_t n, const char *root,
	const char *scratch, struct err *e)
{
	struct chain c = {
		.n = n, .room = TEXT_MAX, .root = root, .scratch = scratch};
	size_t i;
	int r;

	c.steps = calloc(n + 1, sizeof(*c.steps));
	c.done = calloc(n + 1, sizeof(*c.done));
	r = c.steps && c.done ? run(&c, m, e)
			      : err_set(e, -ENOMEM, "no memory for mounts");
	for (i = 0; c.steps && i < n; i++)
		step_clear(&c.steps[i]);
	free(c.steps);
	free(c.done);
	return r;
}
