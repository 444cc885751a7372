/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/cgroup.h"

#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "platform/file.h"
#include "platform/linux/cgroup_path.h"
#include "platform/linux/cgroup_stats.h"
#include "platform/linux/fd.h"
#include "platform/process.h"

/* Groups nested deeper than this are nobody's container. */
#define CGROUP_DEPTH_MAX 32

struct cgroup {
	char *procs;  /* the folder whose cgroup.procs lists the members */
	char *memory; /* the folder of the memory controller, or NULL */
	bool memory_is_v1;
	struct cgroup_dirs stats; /* for the statistics */
	int kills_fd; /* memory.oom_control (v1) or memory.events (v2) */
	int hint_fd;  /* eventfd (v1) or inotify (v2) */
	uint64_t kills;
	struct event *ev;
	struct event *look; /* v1 only */
	unsigned looked;
	void (*hint)(void *arg);
	void *arg;
};

/* Controllers that every container of a v1 host is in, the best for listing
 * processes first. */
static const char *const v1_candidates[] = {
	"pids", "freezer", "devices", "memory", "cpu", NULL};

/* A folder of pid's group that is not our own group too; *ret stays NULL if
 * there is none. -ENOMEM. */
static int own_group(int64_t pid, const char *controller, char **ret)
{
	char path[CGROUP_PATH_MAX], ours[CGROUP_PATH_MAX];

	if (cgroup_path(pid, controller, path, sizeof(path)) < 0)
		return 0;
	if (cgroup_path(0, controller, ours, sizeof(ours)) == 0 &&
		strcmp(path, ours) == 0)
		return 0;
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}

static bool has_file(const char *dir, const char *name)
{
	char path[CGROUP_PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

static int find_folders(struct cgroup *cg, int64_t pid)
{
	const char *const *c;
	int r = own_group(pid, "", &cg->procs);

	if (r == 0 && cg->procs && has_file(cg->procs, "memory.events")) {
		cg->memory = strdup(cg->procs);
		r = cg->memory ? 0 : -ENOMEM;
	} else if (r == 0) {
		r = own_group(pid, "memory", &cg->memory);
		cg->memory_is_v1 = cg->memory != NULL;
	}
	for (c = v1_candidates; r == 0 && *c && !cg->procs; c++)
		r = own_group(pid, *c, &cg->procs);
	return r;
}

int cgroup_open(int64_t pid, struct cgroup **ret, struct err *e)
{
	struct cgroup *cg = calloc(1, sizeof(*cg));

	if (cg)
		cg->kills_fd = cg->hint_fd = -1;
	if (!cg || find_folders(cg, pid) < 0) {
		cgroup_close(cg);
		return err_set(e, -ENOMEM, "no memory for a cgroup");
	}
	if (!cg->procs) {
		cgroup_close(cg);
		return err_set(e, -ENOENT,
			"process %" PRId64 " has no cgroup of its own", pid);
	}
	cgroup_dirs_find(pid, &cg->stats);
	*ret = cg;
	return 0;
}

typedef void (*pid_cb)(int64_t pid, void *arg);

static void each_line(int dir_fd, pid_cb each, void *arg)
{
	auto_fd int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char buf[1024];
	int64_t pid = 0;
	ssize_t i, n;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < n; i++) {
			if (buf[i] >= '0' && buf[i] <= '9') {
				pid = pid * 10 + (buf[i] - '0');
			} else {
				if (pid > 0)
					each(pid, arg);
				pid = 0;
			}
		}
	}
}

typedef void (*group_cb)(int dir_fd, void *arg);

static void each_subgroup(int dir_fd, int depth, group_cb each, void *arg)
{
	struct dirent *d;
	struct stat st;
	DIR *dir;
	int fd;

	each(dir_fd, arg);
	/* kernfs counts subfolders in the link count: mostly there are none */
	if (depth >= CGROUP_DEPTH_MAX || fstat(dir_fd, &st) < 0 ||
		st.st_nlink <= 2)
		return;
	fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		fd_close(&fd);
		return;
	}
	while ((d = readdir(dir))) {
		auto_fd int sub = -1;

		if (d->d_type != DT_DIR || d->d_name[0] == '.')
			continue;
		sub = openat(dir_fd, d->d_name,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (sub >= 0)
			each_subgroup(sub, depth + 1, each, arg);
	}
	closedir(dir);
}

/* The group and all below it; none if it is gone. */
static int each_group(const char *path, group_cb each, void *arg)
{
	auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	each_subgroup(fd, 0, each, arg);
	return 0;
}

struct listing {
	pid_cb each;
	void *arg;
};

static void list_group(int dir_fd, void *arg)
{
	struct listing *l = arg;

	each_line(dir_fd, l->each, l->arg);
}

int cgroup_each_pid(struct cgroup *cg, pid_cb each, void *arg)
{
	struct listing l = {each, arg};

	return each_group(cg->procs, list_group, &l);
}

struct killing {
	struct cgroup *cg;
	const char *below; /* what a member's own path must contain */
	int found;
};

/* The pid may have been reused since it was listed: the pidfd is opened first,
 * then the process must still be a member, and then it is the right one. */
static void kill_member(int64_t pid, void *arg)
{
	struct killing *k = arg;
	struct process_ref *ref;

	if (process_ref_open(pid, &ref) < 0)
		return;
	if (cgroup_path_mentions(pid, k->below)) {
		k->found++;
		process_ref_signal(ref, SIGKILL);
	}
	process_ref_close(ref);
}

static void count_member(int64_t pid, void *arg)
{
	(void)pid;
	++*(int *)arg;
}

#define KILL_ROUNDS 8

/* The kernel is asked when it is wanted. */
int cgroup_refresh(struct cgroup *cg,
	void (*done)(int r, const struct err *e, void *arg), void *arg,
	struct err *e)
{
	(void)cg;
	(void)done;
	(void)arg;
	(void)e;
	return 0;
}

int cgroup_kill(struct cgroup *cg)
{
	struct killing k = {.cg = cg, .below = strrchr(cg->procs, '/')};
	char path[CGROUP_PATH_MAX + 32];
	auto_fd int fd = -1;
	int i, before = -1, r = 0;

	snprintf(path, sizeof(path), "%s/cgroup.kill", cg->procs);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && fd_write_all(fd, "1", 1) == 0) {
		cgroup_each_pid(cg, count_member, &k.found);
		return k.found;
	}
	/* members may fork while they are being killed */
	for (i = 0; i < KILL_ROUNDS && k.found != before; i++) {
		before = k.found;
		k.found = 0;
		r = cgroup_each_pid(cg, kill_member, &k);
	}
	return r < 0 ? r : k.found;
}

/* The number after name in a file of "name number" lines. */
static bool find_counter(const char *text, const char *name, uint64_t *ret)
{
	size_t n = strlen(name);
	const char *p = text;

	while ((p = strstr(p, name))) {
		if ((p == text || p[-1] == '\n') && p[n] == ' ') {
			*ret = strtoull(p + n + 1, NULL, 10);
			return true;
		}
		p += n;
	}
	return false;
}

static uint64_t read_kills(int fd)
{
	char buf[1024];
	uint64_t kills = 0;
	ssize_t n = pread(fd, buf, sizeof(buf) - 1, 0);

	if (n > 0) {
		buf[n] = '\0';
		find_counter(buf, "oom_kill", &kills);
	}
	return kills;
}

static void add_kills(int dir_fd, void *arg)
{
	auto_fd int fd =
		openat(dir_fd, "memory.oom_control", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		*(uint64_t *)arg += read_kills(fd);
}

/* v1 counts for each group alone, and what was counted in a subgroup is gone
 * with it: so the most that was ever seen holds. */
uint64_t cgroup_oom_kills(struct cgroup *cg)
{
	uint64_t kills = 0;

	if (cg->kills_fd < 0)
		return 0;
	if (cg->memory_is_v1)
		each_group(cg->memory, add_kills, &kills);
	else
		kills = read_kills(cg->kills_fd);
	if (kills > cg->kills)
		cg->kills = kills;
	return cg->kills;
}

/* v1 tells of a group that is out of memory before it has chosen whom to kill
 * and counted it: after such a word it is looked again a few times. */
static const struct timeval looks[] = {{.tv_usec = 5000}, {.tv_usec = 50000},
	{.tv_usec = 500000}, {.tv_sec = 2}};

#define LOOKS (sizeof(looks) / sizeof(looks[0]))

/* Whether there is anything to tell, which is then told. */
static bool cgroup_tell(struct cgroup *cg)
{
	uint64_t before = cg->kills;

	if (cgroup_oom_kills(cg) == before)
		return false;
	cg->hint(cg->arg);
	return true;
}

static void cgroup_look(evutil_socket_t fd, short what, void *arg)
{
	struct cgroup *cg = arg;

	(void)fd;
	(void)what;
	if (!cgroup_tell(cg) && ++cg->looked < LOOKS)
		event_add(cg->look, &looks[cg->looked]);
}

static void cgroup_hint(evutil_socket_t fd, short what, void *arg)
{
	struct cgroup *cg = arg;
	char buf[512] __attribute__((aligned(8)));

	(void)what;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	if (!has_file(cg->memory, "cgroup.procs")) {
		/* v1 signals the removal of a group, over and over */
		event_del(cg->ev);
	} else if (!cgroup_tell(cg) && cg->look) {
		cg->looked = 0;
		event_add(cg->look, &looks[0]);
	}
}

static int arm_v1(struct cgroup *cg, const char *path)
{
	char control[CGROUP_PATH_MAX + 32], line[64];
	auto_fd int fd = -1;
	int n;

	cg->kills_fd = open(path, O_RDONLY | O_CLOEXEC);
	cg->hint_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (cg->kills_fd < 0 || cg->hint_fd < 0)
		return -errno;
	snprintf(control, sizeof(control), "%s/cgroup.event_control",
		cg->memory);
	fd = open(control, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = snprintf(line, sizeof(line), "%d %d", cg->hint_fd, cg->kills_fd);
	return fd_write_all(fd, line, (size_t)n);
}

static int arm_v2(struct cgroup *cg, const char *path)
{
	cg->kills_fd = open(path, O_RDONLY | O_CLOEXEC);
	cg->hint_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (cg->kills_fd < 0 || cg->hint_fd < 0 ||
		inotify_add_watch(cg->hint_fd, path, IN_MODIFY) < 0)
		return -errno;
	return 0;
}

int cgroup_watch_oom(struct cgroup *cg, struct event_base *base,
	void (*hint)(void *arg), void *arg, struct err *e)
{
	char path[CGROUP_PATH_MAX + 32];
	int r;

	if (!cg->memory)
		return err_set(e, -EOPNOTSUPP, "no memory controller");
	cg->hint = hint;
	cg->arg = arg;
	snprintf(path, sizeof(path), "%s/%s", cg->memory,
		cg->memory_is_v1 ? "memory.oom_control" : "memory.events");
	r = cg->memory_is_v1 ? arm_v1(cg, path) : arm_v2(cg, path);
	if (r < 0)
		return err_sys(e, r, "watch '%s' for OOM", path);
	cg->ev = event_new(
		base, cg->hint_fd, EV_READ | EV_PERSIST, cgroup_hint, cg);
	if (cg->memory_is_v1)
		cg->look = event_new(base, -1, 0, cgroup_look, cg);
	if (!cg->ev || (cg->memory_is_v1 && !cg->look) ||
		event_add(cg->ev, NULL) < 0)
		return err_sys(e, -ENOMEM, "watch '%s' for OOM", path);
	return 0;
}

enum cgroup_version cgroup_stats(
	const struct cgroup *cg, struct stat_sink *sink)
{
	size_t i;

	for (i = 0; i < CGROUP_V1_DIRS; i++)
		if (cg->stats.v1[i])
			break;
	if (i == CGROUP_V1_DIRS) {
		cgroup_stats_v2(cg->procs, sink);
		return CGROUP_V2;
	}
	cgroup_stats_v1(&cg->stats, "/sys/dev/block", sink);
	return CGROUP_V1;
}

void cgroup_close(struct cgroup *cg)
{
	if (!cg)
		return;
	if (cg->ev)
		event_free(cg->ev);
	if (cg->look)
		event_free(cg->look);
	fd_close(&cg->hint_fd);
	fd_close(&cg->kills_fd);
	cgroup_dirs_clear(&cg->stats);
	free(cg->procs);
	free(cg->memory);
	free(cg);
}
