/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/bundle.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/policy.h"
#include "platform/auto.h"
#include "platform/cgroup.h"
#include "platform/file.h"
#include "platform/mount.h"
#include "shim/explain.h"
#include "platform/json.h"

/* Kubernetes' largest are around 100 KiB; seccomp profiles come on top. */
#define CONFIG_MAX (16 * 1024 * 1024)

#define EXIT_FILE "exit-status"
#define CGROUP_FILE "cgroup"

/* The first one wins: containerd's shim documentation, "grouping". */
static const char *const group_annotations[] = {
	"annotations.io.containerd.runc.v2.group",
	"annotations.io.kubernetes.cri.sandbox-id",
};

/* linux.uidMappings and linux.gidMappings */
enum { UID, GID, N_MAPS };

static const char *const maps[] = {
	"linux.uidMappings[]", "linux.gidMappings[]"};

/* One range of them. */
struct range {
	uint64_t inside, outside;
	bool known;
};

struct reading {
	struct bundle *b;
	struct range range[N_MAPS];
	char *groups[2];
	bool no_memory;
	bool bad_explain;
	bool in_pid, has_path; /* of the namespace that is being read */
};

static void on_namespace(
	struct reading *rd, const char *path, const char *text, size_t n)
{
	if (strcmp(path, "linux.namespaces[]") == 0)
		rd->in_pid = rd->has_path = false; /* another one begins */
	else if (strcmp(path, "linux.namespaces[].type") == 0)
		rd->in_pid = n == 3 && memcmp(text, "pid", 3) == 0;
	else if (strcmp(path, "linux.namespaces[].path") == 0)
		rd->has_path = n > 0;
	else
		return;
	if (rd->in_pid)
		rd->b->own_pid_namespace = !rd->has_path;
}

/* A range is known when the next one begins, or all is read. */
static void end_range(struct reading *rd, int which)
{
	struct range *range = &rd->range[which];
	uint32_t *to = which == UID ? &rd->b->root_uid : &rd->b->root_gid;

	if (range->known && range->inside == 0 && range->outside < UINT32_MAX)
		*to = (uint32_t)range->outside;
	memset(range, 0, sizeof(*range));
}

static void on_map(struct reading *rd, int which, const char *key,
	enum json_type type, const char *text, size_t n)
{
	char number[24];

	if (type == JSON_OBJECT && !*key)
		end_range(rd, which);
	if (type != JSON_NUMBER || n >= sizeof(number))
		return;
	memcpy(number, text, n);
	number[n] = '\0';
	if (strcmp(key, ".containerID") == 0) {
		rd->range[which].inside = strtoull(number, NULL, 10);
	} else if (strcmp(key, ".hostID") == 0) {
		rd->range[which].outside = strtoull(number, NULL, 10);
		rd->range[which].known = true;
	}
}

static bool is_systemd_path(const char *text, size_t n)
{
	const char *first = memchr(text, ':', n), *second;
	size_t slice;

	if (!first || memchr(text, '/', n))
		return false;
	slice = (size_t)(first - text);
	if (slice > 0 && (slice < 6 || memcmp(first - 6, ".slice", 6) != 0))
		return false;
	second = memchr(first + 1, ':', n - slice - 1);
	return second &&
	       !memchr(second + 1, ':', n - (size_t)(second - text) - 1);
}

static void on_cgroup(struct reading *rd, const char *text, size_t n)
{
	rd->b->systemd_cgroup = is_systemd_path(text, n);
	free(rd->b->cgroup);
	rd->b->cgroup = strndup(text, n);
	rd->no_memory |= !rd->b->cgroup;
}

/* Whatever is there instead of a string must not be taken for nothing. */
static void on_policy(
	struct reading *rd, enum json_type type, const char *text, size_t n)
{
	char **policy = &rd->b->stdio_policy;

	free(*policy);
	*policy =
		type == JSON_STRING ? strndup(text, n) : strdup("(no string)");
	rd->no_memory |= !*policy;
}

static void on_explain(
	struct reading *rd, enum json_type type, const char *text, size_t n)
{
	bool yes =
		type == JSON_STRING && n == 4 && memcmp(text, "true", 4) == 0;
	bool no =
		type == JSON_STRING && n == 5 && memcmp(text, "false", 5) == 0;

	rd->b->explain = yes;
	rd->bad_explain = !yes && !no;
}

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct reading *rd = arg;
	size_t i;

	for (i = 0; i < N_MAPS; i++)
		if (strncmp(path, maps[i], strlen(maps[i])) == 0)
			on_map(rd, (int)i, path + strlen(maps[i]), type, text,
				n);

	if (strncmp(path, "linux.namespaces[]", 18) == 0 &&
		(type == JSON_STRING || type == JSON_OBJECT))
		on_namespace(rd, path, text, n);
	if (strcmp(path, "linux.cgroupsPath") == 0 && type == JSON_STRING)
		on_cgroup(rd, text, n);
	if (strcmp(path, "annotations." POLICY_ANNOTATION) == 0)
		on_policy(rd, type, text, n);
	if (strcmp(path, "annotations." EXPLAIN_ANNOTATION) == 0)
		on_explain(rd, type, text, n);
	for (i = 0; i < 2 && type == JSON_STRING && n > 0; i++) {
		if (strcmp(path, group_annotations[i]) != 0)
			continue;
		free(rd->groups[i]);
		rd->groups[i] = strndup(text, n);
		rd->no_memory |= !rd->groups[i];
	}
}

static int read_config(struct bundle *b, const char *path, struct err *e)
{
	struct reading rd = {.b = b};
	auto_free char *text = NULL;
	size_t n;
	int r;

	r = file_read(path, CONFIG_MAX, &text, &n, e);
	if (r == -ENOENT)
		return err_set(e, r,
			"bundle '%s' has no config.json: is it an OCI bundle?",
			b->dir);
	if (r < 0)
		return r;
	r = json_scan(text, n, on_value, &rd, e);
	end_range(&rd, UID);
	end_range(&rd, GID);
	if (r == -EINVAL)
		err_prefix(e, "'%s' is not valid JSON", path);
	if (r == 0 && rd.no_memory)
		r = err_set(e, -ENOMEM, "no memory for '%s'", path);
	if (r == 0 && rd.bad_explain)
		r = err_set(e, -EINVAL,
			"annotation " EXPLAIN_ANNOTATION
			" must be \"true\" or \"false\"");
	b->group = rd.groups[0] ? rd.groups[0] : rd.groups[1];
	if (rd.groups[0])
		free(rd.groups[1]);
	return r;
}

static int check_dir(const char *dir, struct err *e)
{
	int r;

	if (!dir || !file_is_absolute(dir))
		return err_set(e, -EINVAL,
			"bundle '%s' is not an absolute path", dir ? dir : "");
	if (file_goes_up(dir))
		return err_set(e, -EINVAL, "bundle '%s' has '..' in it", dir);
	r = file_check(dir);
	return r < 0 ? err_sys(e, r, "bundle '%s'", dir) : 0;
}

int bundle_open(const char *dir, struct bundle *ret, struct err *e)
{
	struct bundle b = {0};
	char path[BUNDLE_PATH_MAX];
	int r = check_dir(dir, e);

	if (r < 0)
		return r;
	r = bundle_path(dir, "config.json", path);
	if (r < 0)
		return err_sys(e, r, "bundle '%s'", dir);
	b.dir = strdup(dir);
	if (!b.dir)
		return err_set(e, -ENOMEM, "no memory for a bundle");
	r = read_config(&b, path, e);
	if (r < 0)
		bundle_clear(&b);
	else
		*ret = b;
	return r;
}

void bundle_clear(struct bundle *b)
{
	free(b->dir);
	free(b->group);
	free(b->cgroup);
	free(b->stdio_policy);
	memset(b, 0, sizeof(*b));
}

int bundle_path(const char *dir, const char *name, char *buf)
{
	int n = snprintf(buf, BUNDLE_PATH_MAX, "%s/%s", dir, name);

	return n >= BUNDLE_PATH_MAX ? -ENAMETOOLONG : 0;
}

int bundle_write(
	const char *dir, const char *name, const char *text, struct err *e)
{
	char path[BUNDLE_PATH_MAX];
	int r = bundle_path(dir, name, path);

	if (r == 0)
		r = file_write(path, text, strlen(text));
	return r < 0 ? err_sys(e, r, "write '%s/%s'", dir, name) : 0;
}

void bundle_remove(const char *dir, const char *name)
{
	char path[BUNDLE_PATH_MAX];

	if (bundle_path(dir, name, path) == 0)
		file_remove(path);
}

int bundle_write_exit(const char *dir, int64_t pid, uint32_t status,
	const struct timespec *at)
{
	char path[BUNDLE_PATH_MAX], text[96];
	int n, r = bundle_path(dir, EXIT_FILE, path);

	if (r < 0)
		return r;
	n = snprintf(text, sizeof(text), "%" PRId64 " %" PRIu32 " %lld %ld\n",
		pid, status, (long long)at->tv_sec, at->tv_nsec);
	return file_write(path, text, (size_t)n);
}

int bundle_read_exit(const char *dir, int64_t *ret_pid, uint32_t *ret_status,
	struct timespec *ret_at)
{
	char path[BUNDLE_PATH_MAX], text[96];
	int64_t pid;
	uint32_t status;
	long long sec;
	long nsec;
	int r = bundle_path(dir, EXIT_FILE, path);

	if (r == 0)
		r = file_read_into(path, text, sizeof(text));
	if (r < 0)
		return r;
	if (sscanf(text, "%" SCNd64 " %" SCNu32 " %lld %ld", &pid, &status,
		    &sec, &nsec) != 4)
		return -EINVAL;
	*ret_pid = pid;
	*ret_status = status;
	ret_at->tv_sec = (time_t)sec;
	ret_at->tv_nsec = nsec;
	return 0;
}

int bundle_note_cgroup(const struct bundle *b, struct err *e)
{
	char folder[BUNDLE_PATH_MAX];

	bundle_remove(b->dir, CGROUP_FILE);
	if (!b->cgroup || cgroup_to_be(b->cgroup, folder, sizeof(folder)) < 0)
		return 0;
	return bundle_write(b->dir, CGROUP_FILE, folder, e);
}

void bundle_remove_cgroup(const char *dir)
{
	char path[BUNDLE_PATH_MAX], folder[BUNDLE_PATH_MAX];

	if (bundle_path(dir, CGROUP_FILE, path) == 0 &&
		file_read_into(path, folder, sizeof(folder)) == 0)
		cgroup_remove_empty(folder);
}

int bundle_unmount(const char *dir, struct err *e)
{
	char root[BUNDLE_PATH_MAX], scratch[BUNDLE_PATH_MAX];
	int r = bundle_path(dir, BUNDLE_ROOTFS, root);

	if (r == 0)
		r = bundle_path(dir, BUNDLE_MOUNTS, scratch);
	return r < 0 ? err_sys(e, r, "bundle '%s'", dir)
		     : mount_undo_all(root, scratch, e);
}
