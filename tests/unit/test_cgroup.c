/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/cgroup_path.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

enum { MIB = 1024 * 1024 };

/* ---- groups of the test's own, below those that it is in ---- */

/* Shared with the guard. */
static struct {
	char paths[16][CGROUP_PATH_MAX];
	unsigned n;
} * groups;

static bool write_to(const char *dir, const char *name, const char *text)
{
	char path[CGROUP_PATH_MAX + 32];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

/* The last one first. A group whose process has ended is busy for a moment. */
static bool groups_remove(void)
{
	unsigned n = 0;

	while (groups->n > 0 && n++ < 20000) {
		if (rmdir(groups->paths[groups->n - 1]) == 0 || errno == ENOENT)
			groups->n--;
		else
			nap();
	}
	return groups->n == 0;
}

/* A test that fails ends at once, and its members with it: somebody else must
 * remove its groups then. */
static void guard_new(void)
{
	struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, getpid(), 0),
		.events = POLLIN};
	pid_t pid;

	ck_assert_int_ge(p.fd, 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (fork() == 0) {
			setsid(); /* Check kills its group */
			poll(&p, 1, -1);
			groups_remove();
		}
		_exit(0);
	}
	ck_assert_int_eq(reap(pid), 0);
	close(p.fd);
}

static void groups_begin(void)
{
	if (groups)
		return;
	groups = mmap(NULL, sizeof(*groups), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(groups, MAP_FAILED);
	guard_new();
}

/* NULL: this host has no such controller, or won't let us. */
static const char *group_new(const char *controller, const char *name)
{
	char ours[CGROUP_PATH_MAX - 100];
	char *path;

	groups_begin();
	ck_assert_uint_lt(groups->n, LENGTH(groups->paths));
	path = groups->paths[groups->n];
	if (cgroup_path(0, controller, ours, sizeof(ours)) < 0)
		return NULL;
	snprintf(path, CGROUP_PATH_MAX, "%s/wisp-unit-%d%s", ours, getpid(),
		name);
	if (mkdir(path, 0755) < 0)
		return NULL;
	groups->n++;
	return path;
}

/* ---- members ---- */

/* Ends with us. Runs body() when it is in all groups, up to a NULL. */
static pid_t member_of(const char *const *dirs, void (*body)(void))
{
	pid_t pid, parent = getpid();
	char text[32], c;
	int go[2];

	ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(go[1]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || read(go[0], &c, 1) != 0)
			_exit(99);
		body();
		_exit(0);
	}
	snprintf(text, sizeof(text), "%d", pid);
	for (; *dirs; dirs++)
		ck_assert(write_to(*dirs, "cgroup.procs", text));
	close(go[0]);
	close(go[1]);
	return pid;
}

static void wait_for_end(void)
{
	for (;;)
		pause();
}

static pid_t member(const char *dir)
{
	const char *const dirs[] = {dir, NULL};

	return member_of(dirs, wait_for_end);
}

static void end_member(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(reap(pid), 128 + SIGKILL);
}

static struct {
	unsigned n;
	int64_t pids[64];
} listed;

static void on_pid(int64_t pid, void *arg)
{
	ck_assert_ptr_eq(arg, &listed);
	ck_assert_uint_lt(listed.n, LENGTH(listed.pids));
	listed.pids[listed.n++] = pid;
}

static unsigned list(struct cgroup *cg)
{
	listed.n = 0;
	ck_assert_int_eq(cgroup_each_pid(cg, on_pid, &listed), 0);
	return listed.n;
}

static bool is_listed(pid_t pid)
{
	unsigned i;

	for (i = 0; i < listed.n; i++)
		if (listed.pids[i] == pid)
			return true;
	return false;
}

static struct cgroup *open_of(pid_t pid)
{
	struct cgroup *cg;
	struct err e = {0};

	ck_assert_msg(cgroup_open(pid, &cg, &e) == 0, "%s", e.msg);
	return cg;
}

/* ---- members and their end ---- */

START_TEST(test_our_own_group)
{
	struct cgroup *cg = (void *)&listed;
	const char *const none[] = {NULL};
	struct err e = {0};
	pid_t pid = member_of(none, wait_for_end);

	ck_assert_int_eq(cgroup_open(pid, &cg, &e), -ENOENT);
	ck_assert_int_eq(cgroup_open(getpid(), &cg, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "no cgroup of its own"));
	end_member(pid);
	ck_assert_int_lt(cgroup_open(pid, &cg, &e), 0); /* gone */
	ck_assert_ptr_eq(cg, &listed);
	cgroup_close(NULL);
}
END_TEST

/* Wherever a container may have its group. */
static const char *const places[] = {"", "pids", "freezer", "devices"};

START_TEST(test_members)
{
	const char *top, *sub, *deep;
	struct cgroup *cg;
	pid_t pids[3];
	unsigned i;
	int killed;

	for (i = 0; i < LENGTH(places); i++) {
		top = group_new(places[i], "");
		if (!top)
			continue;
		sub = group_new(places[i], "/sub");
		deep = group_new(places[i], "/sub/deep");
		pids[0] = member(top);
		cg = open_of(pids[0]);
		ck_assert_uint_eq(list(cg), 1);
		pids[1] = member(sub);
		pids[2] = member(deep);
		ck_assert_uint_eq(list(cg), 3);
		ck_assert(is_listed(pids[0]));
		ck_assert(is_listed(pids[1]));
		ck_assert(is_listed(pids[2]));
		killed = cgroup_kill(cg);
		/* those that are dying may or may not count */
		ck_assert(killed >= 0 && killed <= 3);
		ck_assert_int_eq(reap(pids[0]), 128 + SIGKILL);
		ck_assert_int_eq(reap(pids[1]), 128 + SIGKILL);
		ck_assert_int_eq(reap(pids[2]), 128 + SIGKILL);
		ck_assert_uint_eq(list(cg), 0);
		ck_assert_int_eq(cgroup_kill(cg), 0);
		ck_assert(groups_remove());
		ck_assert_uint_eq(list(cg), 0); /* the group is gone */
		ck_assert_int_eq(cgroup_kill(cg), 0);
		cgroup_close(cg);
	}
}
END_TEST

/* More than one read(2) of the list. */
START_TEST(test_many_members)
{
	const char *top = group_new("pids", "");
	struct cgroup *cg;
	pid_t pids[50];
	unsigned i;

	if (!top)
		return;
	for (i = 0; i < LENGTH(pids); i++)
		pids[i] = member(top);
	cg = open_of(pids[0]);
	ck_assert_uint_eq(list(cg), LENGTH(pids));
	for (i = 0; i < LENGTH(pids); i++)
		ck_assert(is_listed(pids[i]));
	ck_assert_int_ge(cgroup_kill(cg), 0);
	for (i = 0; i < LENGTH(pids); i++)
		ck_assert_int_eq(reap(pids[i]), 128 + SIGKILL);
	cgroup_close(cg);
	ck_assert(groups_remove());
}
END_TEST

/* Has as many children as it may, always. */
static void breed(void)
{
	for (;;) {
		if (fork() < 0)
			nap();
	}
}

static bool all_are_dead(struct cgroup *cg)
{
	cgroup_kill(cg);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return list(cg) == 0 && waitpid(-1, NULL, WNOHANG) < 0;
}

START_TEST(test_forking_members)
{
	const char *const dirs[] = {group_new("pids", ""), NULL};
	struct cgroup *cg;

	if (!dirs[0])
		return;
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert(write_to(dirs[0], "pids.max", "16"));
	cg = open_of(member_of(dirs, breed));
	ck_assert(wait_for(NULL, list(cg) == 16));
	ck_assert_int_ge(cgroup_kill(cg), 0);
	ck_assert(wait_for(NULL, all_are_dead(cg)));
	cgroup_close(cg);
	ck_assert(groups_remove());
}
END_TEST

/* ---- out of memory ---- */

static unsigned n_hints;

static void on_hint(void *arg)
{
	ck_assert_ptr_eq(arg, &n_hints);
	n_hints++;
}

static void eat_memory(void)
{
	volatile char *p;
	size_t i, n = 64 * MIB;

	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);
	for (i = 0; i < n; i += 4096)
		p[i] = 1;
}

static const char *memory_group(const char *name)
{
	const char *dir = group_new("memory", name);

	if (!dir)
		return NULL;
	if (*name) /* below a limit already */
		return dir;
	ck_assert(write_to(dir, "memory.limit_in_bytes", "8388608"));
	write_to(dir, "memory.memsw.limit_in_bytes", "8388608");
	return dir;
}

/* A member that lives, so that the group is found, and its watch. */
static struct cgroup *watch(
	struct event_base *base, const char *dir, pid_t *ret_pid)
{
	struct cgroup *cg;
	struct err e = {0};

	*ret_pid = member(dir);
	cg = open_of(*ret_pid);
	ck_assert_msg(cgroup_watch_oom(cg, base, on_hint, &n_hints, &e) == 0,
		"%s", e.msg);
	loop_settle(base);
	ck_assert_uint_eq(n_hints, 0);
	ck_assert_uint_eq(cgroup_oom_kills(cg), 0);
	return cg;
}

START_TEST(test_oom)
{
	const char *const dirs[] = {memory_group(""), NULL};
	struct event_base *base;
	struct cgroup *cg;
	pid_t init;

	if (!dirs[0])
		return;
	base = event_base_new();
	cg = watch(base, dirs[0], &init);
	ck_assert_int_eq(reap(member_of(dirs, eat_memory)), 128 + SIGKILL);
	ck_assert(wait_for(base, n_hints > 0));
	ck_assert_uint_eq(cgroup_oom_kills(cg), 1);
	ck_assert(loop_is_idle(base));
	ck_assert_int_eq(reap(member_of(dirs, eat_memory)), 128 + SIGKILL);
	ck_assert(wait_for(base, cgroup_oom_kills(cg) == 2));
	end_member(init);
	n_hints = 0;
	ck_assert(groups_remove());
	ck_assert(wait_for(base, loop_is_idle(base)));
	ck_assert_uint_eq(n_hints, 0);
	ck_assert_uint_eq(cgroup_oom_kills(cg), 2); /* what was counted last */
	cgroup_close(cg);
	event_base_free(base);
}
END_TEST

/* cgroup.h: "of this group (and below)" */
START_TEST(test_oom_below)
{
	const char *top = memory_group("");
	const char *const dirs[] = {top ? memory_group("/sub") : NULL, NULL};
	struct event_base *base;
	struct cgroup *cg;
	pid_t init;

	if (!dirs[0])
		return;
	base = event_base_new();
	cg = watch(base, top, &init);
	ck_assert_int_eq(reap(member_of(dirs, eat_memory)), 128 + SIGKILL);
	loop_settle(base);
	end_member(init);
	ck_assert_uint_eq(cgroup_oom_kills(cg), 1);
	cgroup_close(cg);
	event_base_free(base);
	ck_assert(groups_remove());
}
END_TEST

/* v1 says that a group goes, and goes on saying so. */
START_TEST(test_removal_is_no_oom)
{
	const char *dir = memory_group("");
	struct event_base *base;
	struct cgroup *cg;
	pid_t init;

	if (!dir)
		return;
	base = event_base_new();
	cg = watch(base, dir, &init);
	end_member(init);
	ck_assert(groups_remove());
	/* its word has come once the loop has something to do, and then it
	 * neither spins nor tells anything */
	ck_assert(wait_for(base, loop_is_idle(base)));
	ck_assert_uint_eq(n_hints, 0);
	ck_assert_uint_eq(cgroup_oom_kills(cg), 0);
	cgroup_close(cg);
	event_base_free(base);
}
END_TEST

START_TEST(test_no_memory_controller)
{
	const char *dir = group_new("pids", "");
	struct event_base *base;
	struct cgroup *cg;
	struct err e = {0};
	pid_t init;

	if (!dir)
		return;
	base = event_base_new();
	init = member(dir);
	cg = open_of(init);
	ck_assert_int_eq(
		cgroup_watch_oom(cg, base, on_hint, &n_hints, &e), -EOPNOTSUPP);
	ck_assert_uint_eq(cgroup_oom_kills(cg), 0);
	cgroup_close(cg);
	end_member(init);
	event_base_free(base);
	ck_assert(groups_remove());
}
END_TEST

/* A group that can't be read for want of memory is not "none". */
START_TEST(test_out_of_memory)
{
	const char *const dirs[] = {
		group_new("pids", ""), memory_group(""), NULL};
	struct event_base *base;
	struct cgroup *cg;
	struct err e;
	pid_t init;
	int r;

	if (!dirs[0] || !dirs[1])
		return;
	oom_begin();
	base = event_base_new();
	init = member_of(dirs, wait_for_end);
	OOM_SWEEP(n)
	{
		unsigned fds = count_fds();

		cg = NULL;
		oom_at(n);
		r = cgroup_open(init, &cg, &e);
		if (r == 0)
			r = cgroup_watch_oom(cg, base, on_hint, &n_hints, &e);
		oom_off();
		cgroup_close(cg);
		ck_assert_uint_eq(count_fds(), fds);
		if (r != 0 && r != -ENOMEM)
			break;
	}
	end_member(init);
	event_base_free(base);
	ck_assert(groups_remove());
	ck_assert_msg(r == 0, "%s", e.msg);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_our_own_group, test_members,
		test_many_members, test_forking_members, test_oom,
		test_oom_below, test_removal_is_no_oom,
		test_no_memory_controller, test_out_of_memory, NULL};

	return suite_run("cgroup", tests);
}
